"""
Print the locked packages that this machine needs, each with the hashes of its files, for `pip --require-hashes`.

The Makefile asks for it where uv is not there. Markers are judged here: pip would install what other systems need.
"""

import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

try:
    from packaging.markers import Marker
except ImportError:
    # In an environment in which nothing is installed yet.
    from pip._vendor.packaging.markers import Marker

PROJECT = "scim-bridge"
GROUP = "dev"


def requirements(lock: dict[str, Any]) -> Iterator[str]:
    """Yield a requirement for every package that the project and its developers need here."""
    packages = {each["name"]: each for each in lock["package"]}
    project = packages[PROJECT]
    waiting = [*project["dependencies"], *project["dev-dependencies"][GROUP]]
    seen: set[tuple[str, tuple[str, ...]]] = set()
    needed: set[str] = set()
    while waiting:
        wanted = waiting.pop()
        extras = tuple(sorted(wanted.get("extra", ())))
        if (wanted["name"], extras) in seen or not _is_for_here(wanted):
            continue
        seen.add((wanted["name"], extras))
        needed.add(wanted["name"])
        package = packages[wanted["name"]]
        waiting += package.get("dependencies", ())
        for extra in extras:
            waiting += package.get("optional-dependencies", {}).get(extra, ())
    yield from (_requirement(packages[name]) for name in sorted(needed))


def _is_for_here(wanted: dict[str, Any]) -> bool:
    return "marker" not in wanted or Marker(wanted["marker"]).evaluate()


def _requirement(package: dict[str, Any]) -> str:
    files = [*package.get("wheels", ()), *([package["sdist"]] if "sdist" in package else ())]
    hashes = " ".join(f"--hash={each['hash']}" for each in files)
    return f"{package['name']}=={package['version']} {hashes}"


if __name__ == "__main__":
    print(*requirements(tomllib.loads(Path(sys.argv[1]).read_text())), sep="\n")
