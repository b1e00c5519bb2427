"""`scim-bridge backup` and `scim-bridge restore`: the whole installation in one file, its secrets apart."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scim_bridge.cli.output import json_option, say
from scim_bridge.cli.session import Session

if TYPE_CHECKING:
    from scim_bridge.identity.backups import Copied

FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("file", type=FILE)
@click.option("--secrets-file", type=FILE, help="Write the encryption keys here too; keep it elsewhere.")
@json_option
@click.pass_obj
def backup(session: Session, file: Path, secrets_file: Path | None, as_json: bool) -> None:
    """Write everything, as one moment has it, to a new FILE; processes may go on. Encryption keys are not in it."""
    from scim_bridge.identity import backups

    made = backups.back_up(session.database, session.runtime.keyring, file)
    text = f"{_told(made)} are in {file}."
    if secrets_file is None:
        text += " The encryption keys are not: keep them elsewhere (--secrets-file writes them to a file)."
    else:
        backups.keep_keys(session.settings, secrets_file)
        text += f" The encryption keys are in {secrets_file}: never keep both in one place."
    say(as_json, asdict(made), text)


@click.command()
@click.argument("file", type=FILE)
@click.option("--secrets-file", type=FILE, help="Where the encryption keys were kept; they are put into the home.")
@click.option("--without-keys", is_flag=True, help="The keys are lost: what they sealed has to be given anew.")
@json_option
@click.pass_obj
def restore(session: Session, file: Path, secrets_file: Path | None, without_keys: bool, as_json: bool) -> None:
    """Fill an empty database with a back-up FILE, wholly or not at all; start no process before it ends."""
    from scim_bridge.app import restore_backup
    from scim_bridge.identity import backups

    if secrets_file is not None:
        backups.take_keys(session.settings, secrets_file)
    made = restore_backup(session.settings, file, without_keys=without_keys)
    say(as_json, asdict(made), f"{_told(made)} were restored. `scim-bridge doctor` looks them over.")


def _told(made: "Copied") -> str:
    return f"{made.rows} rows of {made.tables} tables at revision {made.revision}"
