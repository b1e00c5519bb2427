"""`scim-bridge run`, `scheduler` and `worker`: the processes."""

import os
import signal
import sys
from threading import Event
from typing import TYPE_CHECKING

import click

from scim_bridge.cli.output import json_option, say
from scim_bridge.cli.session import Session

if TYPE_CHECKING:
    from scim_bridge.app import Process


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port", default=8080, show_default=True, type=click.IntRange(0, 65535), help="The port; 0 takes any free one."
)
@json_option
@click.pass_obj
def run(session: Session, host: str, port: int, as_json: bool) -> None:
    """Serve HTTP and keep the clusters in step; migrates the database first. SIGTERM ends it."""
    from scim_bridge.app import require_safe_start, upgrade_database
    from scim_bridge.cli.server import BridgeServer, listen
    from scim_bridge.log import configure_logging

    configure_logging(session.settings.log_level, session.settings.log_format)
    listening = listen(host, port)
    address = f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}"
    settings = session.settings.served_at(address)
    require_safe_start(settings)
    upgrade_database(session.settings)
    # The worker opens its own; this finds keys that are none while it still can be told in a sentence.
    session.runtime.database.dispose()

    def ready() -> None:
        document = {"address": address, "scim_base_url": settings.scim_base_url}
        say(as_json, document, f"Serving {address} (SCIM: {settings.scim_base_url}); Ctrl-C or SIGTERM stops it.")

    BridgeServer(settings, listening, ready).run()


@click.command()
@json_option
@click.pass_obj
def scheduler(session: Session, as_json: bool) -> None:
    """Keep the clusters in step, beside gunicorn; several may run. SIGTERM finishes the current write and stops."""
    from scim_bridge.app import check_database, open_process, require_safe_start
    from scim_bridge.log import configure_logging

    configure_logging(session.settings.log_level, session.settings.log_format)
    stopping = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    require_safe_start(session.settings)
    revision = check_database(session.settings)
    process = open_process(session.settings)
    process.scheduler.start()
    say(as_json, {"running": True, "revision": revision}, "The scheduler runs; Ctrl-C or SIGTERM stops it.")
    stopping.wait()
    end(process)


@click.command()
@json_option
@click.pass_obj
def worker(session: Session, as_json: bool) -> None:
    """Do what schedulers hand out, on any machine; several may run. SIGTERM finishes the current writes and stops."""
    from scim_bridge.app import check_database, open_worker
    from scim_bridge.log import configure_logging

    configure_logging(session.settings.log_level, session.settings.log_format)
    revision = check_database(session.settings)
    process = open_worker(session.settings)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: process.worker.stop())
    say(as_json, {"running": True, "revision": revision}, "The worker runs; Ctrl-C or SIGTERM stops it.")
    if not process.run():
        leave()


def end(process: "Process") -> None:
    """Stop a process's scheduler, and the process with it when a cluster that never answers would keep it alive."""
    if not process.close():
        leave()


def leave() -> None:
    """End the process without waiting for what hangs."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
