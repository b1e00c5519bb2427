"""
A kustomization file that somebody made in a manifest folder: our files are kept in its ``resources``.

Edited as text, for a person's comments and order are theirs. One is never made: without it, readers take the folder.
"""

import re
from collections.abc import Iterable
from pathlib import Path

import yaml

from scim_bridge.errors import ClusterRejected

INDEXES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_HEAD = re.compile(r"^resources:\s*(\[\s*\])?\s*(#.*)?$")


def find_index(folder: Path) -> Path | None:
    """Return the kustomization file of a folder, None where nobody made one."""
    return next((folder / name for name in INDEXES if (folder / name).is_file()), None)


def with_resources(text: str, ours: re.Pattern[str], files: Iterable[str]) -> str:
    """
    Return a kustomization whose resources list exactly these files of ours, and all others as they were.

    Raises ClusterRejected for one that cannot be edited as lines.
    """
    lines = text.splitlines()
    kept = [line for line in lines if not _is_entry(line, ours)]
    wanted = sorted(files)
    head = next((n for n, line in enumerate(kept) if _HEAD.match(line)), None)
    if head is None:
        if any(line.startswith("resources:") for line in kept):
            raise ClusterRejected("The kustomization file has its resources on one line; write one a line.")
        kept += ["resources:"] if wanted else []
        head = len(kept) - 1
    end = head + 1
    while end < len(kept) and re.match(r"^(\s+|-\s|#|$)", kept[end]):
        end += 1
    while end > head + 1 and not kept[end - 1].strip():
        end -= 1
    entries = [line for line in kept[head + 1 : end] if line.lstrip().startswith("- ")]
    indent = entries[0][: len(entries[0]) - len(entries[0].lstrip())] if entries else ""
    if wanted or entries:
        kept[head : head + 1] = ["resources:"] if kept[head : head + 1] else []
    elif 0 <= head < len(kept):
        kept[head] = "resources: []"
    made = "\n".join([*kept[:end], *(f"{indent}- {file}" for file in wanted), *kept[end:]]) + "\n"
    return _checked(made, wanted) if made != text else text


def _is_entry(line: str, ours: re.Pattern[str]) -> bool:
    found = re.match(r"^\s*-\s+[\"']?(?:\./)?([^\"'#\s]+)[\"']?\s*(#.*)?$", line)
    return found is not None and ours.fullmatch(found[1]) is not None


def _checked(text: str, wanted: list[str]) -> str:
    """Return the text once it says what it should; a file that was not YAML is left alone."""
    try:
        found = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ClusterRejected(f"The kustomization file cannot be read: {error}.") from error
    listed = found.get("resources") if isinstance(found, dict) else None
    if not set(wanted) <= set(listed or []):
        raise ClusterRejected("The kustomization file is not written as lines that can be edited.")
    return text
