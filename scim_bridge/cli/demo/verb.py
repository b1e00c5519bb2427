"""The verb itself, and what it tells."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scim_bridge.cli.output import joined, json_option, say, table
from scim_bridge.cli.session import Session

if TYPE_CHECKING:
    from scim_bridge.cli.demo.access import Access
    from scim_bridge.cli.demo.story import Happened, Story
    from scim_bridge.cli.demo.world import World


@click.command()
@click.option("--exit", "ends", is_flag=True, help="End after the last step, with 0 only if every step was verified.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), help="The port to listen on.  [default: 8080, or a free one]")
@click.option(
    "--home", type=click.Path(path_type=Path, file_okay=False), help="The demo's folder; it is emptied first."
)
@click.option("--kubeconfig", type=click.Path(path_type=Path, dir_okay=False), help="Use this cluster for prod-eu.")
@json_option
@click.pass_obj
def demo(
    _session: Session,
    /,
    ends: bool,
    host: str,
    port: int | None,
    home: Path | None,
    kubeconfig: Path | None,
    as_json: bool,
) -> None:
    """Watch people from Okta and Entra become RoleBindings, on SQLite and three folders of manifests."""
    from scim_bridge.cli.demo.kube import offered
    from scim_bridge.cli.demo.server import free_port, serving
    from scim_bridge.cli.demo.world import build, prepare_home
    from scim_bridge.log import configure_logging

    configure_logging("error", "text")
    place = (home or Path("var/demo")).absolute()
    prepare_home(place)
    found = free_port(host, port)
    world = build(place, f"http://{f'[{host}]' if ':' in host else host}:{found}", offered(kubeconfig))
    try:
        with serving(world, host, found) as process:
            happened = _tell(world, as_json)
            if not ends and not as_json:
                click.echo("\nThe bridge keeps serving; Ctrl-C ends it.")
                _wait(process.poll)
    finally:
        if world.real is not None:
            click.echo(f"{world.real.clean()} bindings taken away again from the real cluster.", err=True)
    raise SystemExit(0 if all(each.is_verified for each in happened) else 1)


def _tell(world: "World", as_json: bool) -> "list[Happened]":
    """Play the story and tell it as it happens, or all at once to a machine."""
    from scim_bridge.cli.demo.story import Story

    story, happened = Story(world), []
    if not as_json:
        click.echo(_opening(world))
    for each in story.play():
        happened.append(each)
        if not as_json:
            click.echo(_told(each))
    story.close()
    say(as_json, _document(world, happened), _closing(world, story, happened))
    return happened


def _wait(poll: Callable[[], int | None]) -> None:
    try:
        while poll() is None:
            time.sleep(0.5)
    except KeyboardInterrupt:
        click.echo("")


def _opening(world: "World") -> str:
    from scim_bridge.cli.demo.world import CLUSTERS, ORGANIZATION

    where = {name: _short(folder) for name, folder in world.folders.items()}
    rows = ((name, unit, where.get(name, "the cluster of your kubeconfig")) for name, unit in CLUSTERS.items())
    return "\n".join(
        (
            f"The bridge serves {world.settings.base_url}, its SCIM door is {world.settings.scim_base_url}.",
            f"Organization {ORGANIZATION}: directories okta and entra, project shop, and these clusters:\n",
            table(("cluster", "unit", "written to"), rows),
        )
    )


def _told(happened: "Happened") -> str:
    lines = ["", click.style(happened.step.told, bold=True)]
    if happened.problem:
        lines.append(click.style(f"  a request failed: {happened.problem}", fg="red"))
    changes = [("+", each) for each in happened.gained] + [("-", each) for each in happened.lost]
    lines += _changes(changes)
    if happened.seconds is None:
        lines.append(click.style("  NOT VERIFIED: the clusters are not as they should be", fg="red"))
    elif happened.step.is_departure:
        lines.append(f"  no access left on any cluster {happened.seconds * 1000:.0f} ms after the answer")
    else:
        lines.append(f"  verified on every cluster {happened.seconds * 1000:.0f} ms after the answer")
    return "\n".join(lines)


def _changes(changes: "list[tuple[str, Access]]") -> list[str]:
    """Return a line a person: what they gained and lost, and where."""
    grouped: dict[tuple[str, str, str], list[str]] = {}
    for sign, each in changes:
        grouped.setdefault((each.subject, sign, each.role), []).append(each.place)
    rows = sorted((subject, sign, role, joined(places)) for (subject, sign, role), places in grouped.items())
    text = table(("", "who", "role", "where"), ((sign, subject, role, where) for subject, sign, role, where in rows))
    return [] if not rows else [f"  {line}" for line in text.splitlines()]


def _closing(world: "World", story: "Story", happened: "list[Happened]") -> str:
    from scim_bridge.cli.demo.access import files_of

    verified = sum(each.is_verified for each in happened)
    leavers = [each.seconds for each in happened if each.step.is_departure and each.seconds is not None]
    files = [file for folder in world.folders.values() for file in files_of(folder)]
    lines = [
        "",
        f"{verified} of {len(happened)} steps verified, {story.requests} SCIM requests.",
        f"A leaver's access was gone everywhere {_milliseconds(leavers)} after the answer.",
        f"{len(files)} manifests written, one of them {_short(files[0]) if files else 'none'}.",
        "",
        "Where to look next:",
        f"  export SCIM_BRIDGE_HOME={world.home} SCIM_BRIDGE_BASE_URL={world.settings.base_url}",
        "  scim-bridge access explain priya.khan@acme.example   # who, what, where from, since when",
        "  scim-bridge sync status                              # how each cluster is",
        "  scim-bridge rule list                                # and change rules.toml in that folder",
        f"  git -C {_short(world.home / 'clusters')} init   # the manifests are made to be committed",
    ]
    return "\n".join(lines)


def _milliseconds(seconds: "list[float]") -> str:
    return "at no time" if not seconds else f"within {max(seconds) * 1000:.0f} ms"


def _document(world: "World", happened: "list[Happened]") -> dict[str, object]:
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
    return {"home": str(world.home), "verified": all(each.is_verified for each in happened), "steps": steps}


def _short(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
