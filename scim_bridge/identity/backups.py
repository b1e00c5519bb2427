"""
The whole installation in one file, and an installation out of one.

What is sealed stays sealed: a back-up holds no encryption key, only fingerprints that say which ones it needs.
"""

from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from scim_bridge.errors import Conflict, Invalid
from scim_bridge.log import get_logger
from scim_bridge.settings import Settings
from scim_bridge.store import archive, dumping, migrations
from scim_bridge.store.archive import Archive, Manifest
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.installation import instance_id
from scim_bridge.store.sealing import KEY_FILE, Keyring, load_keys, read_keys, write_keys

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Copied:
    """What was written to a back-up or read from one."""

    file: str
    revision: str
    made_at: str
    tables: int
    rows: int


def back_up(database: Database, keyring: Keyring, file: Path) -> Copied:
    """Write every row, as one moment has them, to a new file; raises Refused where that cannot be."""
    current, revision = migrations.state(database)
    if current != revision:
        raise Conflict(f"The database is at revision {current or 'none'}, not this release's {revision}.")
    with archive.draft(file) as draft:
        with database.read() as connection:
            tables = tuple(
                draft.put(name, columns, dumping.read_rows(connection, name))
                for name, columns in dumping.table_columns().items()
            )
            instance = instance_id(connection)
        manifest = Manifest(
            archive.FORMAT,
            version("scim-bridge"),
            revision,
            instance,
            database.engine.dialect.name,
            now().isoformat(timespec="seconds"),
            keyring.fingerprints,
            tables,
        )
        draft.finish(file, manifest)
    return _copied(file, manifest)


def restore(database: Database, settings: Settings, file: Path, *, without_keys: bool = False) -> Copied:
    """
    Fill an empty database with a back-up, wholly or not at all; one without tables is migrated first.

    Raises Conflict for a database that holds something, and Invalid for a back-up of another revision, a damaged one,
    and one whose secrets no present key opens (unless ``without_keys``).
    """
    with archive.opened(file) as found:
        migrations.make_place(database)
        _require_revision(found.manifest, database)
        if not without_keys:
            _require_keys(found.manifest, settings, file)
        found.verify()
        if migrations.state(database)[0] is None:
            migrations.upgrade(database)
        with database.write() as connection:
            _require_empty(connection, database)
            _fill(connection, found)
        log.info("a back-up was restored", file=str(file), made_at=found.manifest.made_at)
        return _copied(file, found.manifest)


def _fill(connection: Connection, found: Archive) -> None:
    for table in found.manifest.tables:
        dumping.write_rows(connection, table.name, table.columns, found.rows(table.name))
    dumping.end_leases(connection)


def _require_revision(manifest: Manifest, database: Database) -> None:
    current, head = migrations.state(database)
    if manifest.revision != head:
        raise Invalid(
            f"The back-up is of revision {manifest.revision} and this release has {head}: restore it with "
            f"SCIM Bridge {manifest.version}, which made it, and upgrade afterwards."
        )
    if current not in (None, head):
        raise Conflict(f"The database {database.safe_url} is at revision {current}, not {head}: take an empty one.")
    if {each.name: each.columns for each in manifest.tables} != dict(dumping.table_columns()):
        raise Invalid("The back-up has other tables than this release.")


def _require_keys(manifest: Manifest, settings: Settings, file: Path) -> None:
    # None is made here: the next try may bring the right ones.
    there = bool(settings.encryption_keys) or (settings.home / KEY_FILE).exists()
    present = Keyring(load_keys(settings)).fingerprints if there else ()
    if not set(manifest.keys) & set(present):
        raise Invalid(
            f"The secrets in {file} are sealed with the encryption key {manifest.keys[0]}, which is not here: name the "
            "file that was kept apart with --secrets-file, or set encryption_keys."
        )


def _require_empty(connection: Connection, database: Database) -> None:
    filled = dumping.filled_tables(connection)
    if filled:
        raise Conflict(
            f"The database {database.safe_url} is not empty ({', '.join(filled[:3])} …): a back-up is restored into an "
            "empty one, and never over another."
        )


def _copied(file: Path, manifest: Manifest) -> Copied:
    return Copied(
        str(file),
        manifest.revision,
        manifest.made_at,
        len(manifest.tables),
        sum(each.rows for each in manifest.tables),
    )


def keep_keys(settings: Settings, file: Path) -> None:
    """Write the present encryption keys to a file of their own; raises StoreError where one is there already."""
    write_keys(file, load_keys(settings))


def take_keys(settings: Settings, file: Path) -> None:
    """
    Put keys that were kept apart into the home folder.

    Raises Conflict where keys are set or lie there already and are others.
    """
    kept, place = read_keys(file), settings.home / KEY_FILE
    if settings.encryption_keys or place.exists():
        if set(load_keys(settings)) >= set(kept):
            return
        where = "encryption_keys is set" if settings.encryption_keys else f"{place} is there"
        raise Conflict(f"{where}, and holds other keys than {file}: add them there by hand, behind the present ones.")
    # What is no key is refused before it lies where every process looks for one.
    Keyring(kept)
    write_keys(place, kept)
