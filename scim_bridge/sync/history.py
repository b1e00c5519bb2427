"""What passes did, for people; and throwing away what is older than it has to be kept."""

from datetime import datetime, timedelta

from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from scim_bridge.store.jobs import forget_runs
from scim_bridge.store.pass_history import PastPass as PastPass
from scim_bridge.store.pass_history import forget_old_passes, forget_old_plans, past_passes
from scim_bridge.sync.places import the_cluster, the_organization


def history(
    database: Database,
    organization: str,
    cluster: str,
    *,
    limit: int = 20,
    before: str | None = None,
    changed: bool = False,
) -> list[PastPass]:
    """Return a cluster's passes, the latest first; raises NotFound."""
    with database.read() as connection:
        found = the_cluster(connection, the_organization(connection, organization), cluster)
        return past_passes(connection, found.id, limit=limit, before=before, changed=changed)


def forget_history(database: Database, days: int, at: datetime | None = None) -> int:
    """Throw away passes, plans and runs of jobs that are older, a part at a time; returns how many."""
    before = (at or now()) - timedelta(days=days)
    gone = 0
    for forget in (forget_old_passes, forget_old_plans):
        while True:
            with database.write() as connection:
                found = forget(connection, before)
            if not found:
                break
            gone += found
    with database.write() as connection:
        return gone + forget_runs(connection, before)
