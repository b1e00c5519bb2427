"""Say whether this installation can serve."""

from scim_bridge.store import migrations
from scim_bridge.store.database import Database


def require_ready(database: Database) -> None:
    """Raise StoreError unless the database can be reached and is at this release's revision."""
    migrations.check(database)
