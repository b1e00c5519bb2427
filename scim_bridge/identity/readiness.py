"""Say whether this installation can serve."""

from scim_bridge.errors import StoreError
from scim_bridge.store import hosts, migrations
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database


def require_ready(database: Database) -> None:
    """Raise StoreError unless the database can be reached, is migrated and, if it is SQLite, is this host's."""
    migrations.check(database)
    if not database.is_sqlite:
        return
    with database.glance() as connection:
        other = hosts.other_host(connection, hosts.this_host(), now())
    if other is not None:
        raise StoreError(
            f"The SQLite database {database.safe_url} is in use on the host {hosts.name_of(other)}, too: stop one of "
            "both at once, or move to PostgreSQL (`scim-bridge backup`, `restore`)."
        )
