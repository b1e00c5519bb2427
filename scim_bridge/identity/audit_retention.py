"""Use cases of what is not kept for ever: old audit entries, the history that access is explained from."""

from datetime import datetime, timedelta

from scim_bridge.domain.actors import Actor, ActorKind
from scim_bridge.domain.audit_chain import PRUNED, Ends
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.store import audit_retention as store
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import new_change
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from scim_bridge.store.organizations import list_organizations
from scim_bridge.store.sealing import Keyring

RETENTION = Actor(ActorKind.SCHEDULER, "retention")
A_DAY = timedelta(days=1)


def prune_all(database: Database, keyring: Keyring, days: int, at: datetime | None = None) -> int:
    """
    Delete audit entries and ended history that are older than so many days, and return how many entries.

    Done by the day, and written into the audit: what is left goes on from the hash of the last one that went.
    """
    moment = at or now()
    before = moment - timedelta(days=days)
    with database.read() as connection:
        owners = [each.id for each in list_organizations(connection)]
        oldest = {each: store.oldest_sealed(connection, each) for each in owners}
    due = [each for each in owners if (first := oldest[each]) is not None and first < before - A_DAY]
    return sum(_prune(database, keyring, each, before, moment) for each in due)


def _prune(
    database: Database, keyring: Keyring, organization_id: OrganizationId, before: datetime, at: datetime
) -> int:
    total, ends = 0, Ends(organization_id)
    while True:
        with database.write() as connection:
            cut, found = store.cut_entries(connection, organization_id, before, keyring)
        total, ends = total + cut, found or ends
        if cut < store.AT_ONCE:
            break
    with database.write() as connection:
        rows = store.forget_history(connection, organization_id, before, keyring)
        change = new_change(organization_id, RETENTION, PRUNED, at)
        detail = {"before": before.isoformat(), "entries": total, "history": rows}
        detail |= {"through": ends.cut_sequence, "hash": ends.cut_hash}
        add_audit(connection, change, PRUNED, "organization", organization_id, detail)
    return total
