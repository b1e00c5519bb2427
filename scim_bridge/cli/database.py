"""`scim-bridge db …`: bring the database up to this release, or say whether it is."""

from pathlib import Path

import click
import orjson

from scim_bridge.app import check_database, upgrade_database
from scim_bridge.settings import load_settings

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")


@click.group()
def db() -> None:
    """Look after the database."""


@db.command()
@json_option
@click.pass_obj
def upgrade(config: Path | None, as_json: bool) -> None:
    """Migrate the database to this release; safe to run from several processes at once."""
    revision = upgrade_database(load_settings(config))
    say({"revision": revision}, f"The database is at revision {revision}.", as_json)


@db.command()
@json_option
@click.pass_obj
def check(config: Path | None, as_json: bool) -> None:
    """Say whether the database can be reached and is migrated."""
    revision = check_database(load_settings(config))
    say({"revision": revision}, f"The database is reachable and at revision {revision}.", as_json)


def say(document: dict[str, object], sentence: str, as_json: bool) -> None:
    """Print one JSON document for a machine, or one sentence for a person."""
    click.echo(orjson.dumps(document) if as_json else sentence)
