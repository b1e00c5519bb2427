"""`scim-bridge db …`: bring the database up to this release, or say whether it is."""

import click

from scim_bridge.cli.output import json_option, say
from scim_bridge.cli.session import Session


@click.group()
def db() -> None:
    """Look after the database."""


@db.command()
@json_option
@click.pass_obj
def upgrade(session: Session, as_json: bool) -> None:
    """Migrate the database to this release; safe to run from several processes at once."""
    from scim_bridge.app import upgrade_database

    revision = upgrade_database(session.settings)
    say(as_json, {"revision": revision}, f"The database is at revision {revision}.")


@db.command()
@click.argument("revision")
@click.option("--yes", is_flag=True, required=True, help="What later revisions added to the tables is lost.")
@json_option
@click.pass_obj
def downgrade(session: Session, revision: str, yes: bool, as_json: bool) -> None:
    """Take the database back to an older REVISION, for the release that knows it; stop every process first."""
    from scim_bridge.app import downgrade_database

    reached = downgrade_database(session.settings, revision)
    say(as_json, {"revision": reached}, f"The database is at revision {reached or 'none'}.")


@db.command()
@json_option
@click.pass_obj
def check(session: Session, as_json: bool) -> None:
    """Say whether the database can be reached and is migrated."""
    from scim_bridge.app import check_database

    revision = check_database(session.settings)
    say(as_json, {"revision": revision}, f"The database is reachable and at revision {revision}.")
