"""The verb itself."""

import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scim_bridge.cli.output import json_option, say
from scim_bridge.cli.session import Session

if TYPE_CHECKING:
    from scim_bridge.cli.demo.story import Happened
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
    from scim_bridge.cli.demo.world import build, emptied_home
    from scim_bridge.log import configure_logging

    configure_logging("error", "text")
    # Whoever ends the demo ends its bridge, and leaves nothing behind on a real cluster.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    found = free_port(host, port)
    place = (home or Path("var/demo")).absolute()
    with emptied_home(place):
        world = build(place, f"http://{f'[{host}]' if ':' in host else host}:{found}", offered(kubeconfig))
        keeps_serving = not ends and not as_json
        try:
            with serving(world, host, found) as process:
                happened = _tell(world, as_json, keeps_serving)
                if keeps_serving:
                    _wait(process.poll)
        finally:
            if world.real is not None:
                click.echo(f"{world.real.clean()} bindings taken away again from the real cluster.", err=True)
    raise SystemExit(0 if all(each.is_verified for each in happened) else 1)


def _tell(world: "World", as_json: bool, keeps_serving: bool) -> "list[Happened]":
    """Play the story and tell it as it happens, or all at once to a machine."""
    from scim_bridge.cli.demo.story import Story
    from scim_bridge.cli.demo.telling import closing, document, opening, told

    story, happened = Story(world), []
    if not as_json:
        click.echo(opening(world))
    try:
        for each in story.play():
            happened.append(each)
            if not as_json:
                click.echo(told(each))
    finally:
        story.close()
    say(as_json, document(world, happened), closing(world, story.requests, happened, keeps_serving))
    return happened


def _wait(poll: Callable[[], int | None]) -> None:
    """Wait for Ctrl-C; raises Refused when the bridge ends before."""
    from scim_bridge.errors import Refused

    try:
        while poll() is None:
            time.sleep(0.2)
    except KeyboardInterrupt:
        click.echo("")
        return
    raise Refused("The bridge of the demo has ended by itself; bridge.log in the demo's folder says why.")
