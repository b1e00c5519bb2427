"""What the demo tells, for people and for machines."""

import shlex
import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from scim_bridge.cli.demo.access import Access, files_of
from scim_bridge.cli.demo.story import Happened
from scim_bridge.cli.demo.world import CLUSTERS, ORGANIZATION, World
from scim_bridge.cli.output import joined, table

COMMAND = "scim-bridge"


def opening(world: World) -> str:
    """Return what there is before anything happens."""
    where = {name: _short(folder) for name, folder in world.folders.items()}
    rows = ((name, unit, where.get(name, "the cluster of your kubeconfig")) for name, unit in CLUSTERS.items())
    return "\n".join(
        (
            f"The bridge serves {world.settings.base_url}, its SCIM door is {world.settings.scim_base_url}.",
            f"Organization {ORGANIZATION}: directories okta and entra, project shop, and these clusters:\n",
            table(("cluster", "unit", "written to"), rows),
        )
    )


def told(happened: Happened) -> str:
    """Return one step: what happened, who gained and lost what, and whether that is right."""
    lines = ["", click.style(happened.step.told, bold=True), *_changes(happened)]
    if happened.problem:
        lines.append(click.style(f"  a request failed: {happened.problem}", fg="red"))
    if happened.seconds is None:
        lines.append(click.style("  NOT VERIFIED: the clusters are not as they should be", fg="red"))
    elif not happened.is_verified:
        lines.append(click.style("  NOT VERIFIED: what should have happened could not be sent", fg="red"))
    elif happened.step.is_departure:
        lines.append(f"  no access left on any cluster {duration(happened.seconds)} after the answer")
    else:
        lines.append(f"  verified on every cluster {duration(happened.seconds)} after the answer")
    return "\n".join(lines)


def closing(world: World, requests: int, happened: Sequence[Happened], keeps_serving: bool) -> str:
    """Return the sum, and what to look at next."""
    verified = sum(each.is_verified for each in happened)
    leavers = [each.seconds for each in happened if each.step.is_departure and each.is_verified]
    slowest = max((each for each in leavers if each is not None), default=None)
    files = [file for folder in world.folders.values() for file in files_of(folder)]
    lines = ["", f"{verified} of {len(happened)} steps verified, {requests} SCIM requests."]
    if slowest is not None:
        lines.append(f"Each leaver's access was gone everywhere within {duration(slowest)} of the answer.")
    if files:
        lines += [f"{len(files)} manifests written, one of them:", f"  {_short(files[0])}"]
    lines += ["", "Where to look next (paste it into another shell):" if keeps_serving else "Where to look next:"]
    lines += _next(world, keeps_serving)
    if keeps_serving:
        lines += ["", "The bridge keeps serving; Ctrl-C ends it."]
    return "\n".join(lines)


def document(world: World, happened: Iterable[Happened]) -> dict[str, object]:
    """Return all of it for a machine."""
    steps = [
        {
            "step": each.step.told,
            "verified": each.is_verified,
            "seconds": each.seconds,
            "problem": each.problem,
            "gained": each.gained,
            "lost": each.lost,
        }
        for each in happened
    ]
    return {"home": str(world.home), "verified": all(each["verified"] for each in steps), "steps": steps}


def duration(seconds: float) -> str:
    """Return a time as people say it."""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def _next(world: World, keeps_serving: bool) -> list[str]:
    command, rules = _command(), shlex.quote(_short(world.home / "rules.toml"))
    clusters = shlex.quote(_short(world.home / "clusters"))
    lines = [
        f"  export SCIM_BRIDGE_HOME={shlex.quote(str(world.home))}",
        f"  export SCIM_BRIDGE_BASE_URL={world.settings.base_url}",
        "  # who may do what, where from, and since when",
        f"  {command} access explain priya.khan@acme.example",
        "  # how each cluster is",
        f"  {command} sync status",
        "  # the rules; change the file, apply it, and see who gains and loses what",
        f"  {command} rule list",
        f"  {command} rule apply {rules}",
        f"  {command} sync plan",
        "  # the manifests are made to be committed",
        f"  git -C {clusters} init",
    ]
    if not keeps_serving and world.real is None:
        lines += ["  # serve it again", f"  {command} run --port {world.settings.base_url.rpartition(':')[2]}"]
    return lines


def _command() -> str:
    """Return what to type for this very installation: the name alone where the shell would find the same."""
    found = shutil.which(COMMAND)
    own = Path(sys.executable).with_name(COMMAND)
    if not own.exists() or (found is not None and Path(found).resolve() == own.resolve()):
        return COMMAND
    return shlex.quote(_short(own))


def _changes(happened: Happened) -> list[str]:
    """Return a line for each person and role: what they gained and lost, and where."""
    grouped: dict[tuple[str, str, str], list[Access]] = {}
    for sign, each in [("+", each) for each in happened.gained] + [("-", each) for each in happened.lost]:
        grouped.setdefault((each.subject, sign, each.role), []).append(each)
    rows = [
        (sign, subject, role, joined(each.place for each in places))
        for (subject, sign, role), places in sorted(grouped.items())
    ]
    return [f"  {line}" for line in table(("", "who", "role", "where"), rows, "").splitlines()]


def _short(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
