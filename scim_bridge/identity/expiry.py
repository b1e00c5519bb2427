"""What ends by itself: a grant whose time is over is taken away as if somebody had asked for it at that moment."""

from collections.abc import Iterable

from scim_bridge.domain.actors import Actor, ActorKind
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import GroupId, MemberId
from scim_bridge.store import grants as store
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import add_change, new_change
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.grants import GrantKey, OpenOrigin
from scim_bridge.store.memberships import people_below
from scim_bridge.store.removals import request_removals

SCHEDULER = Actor(ActorKind.SCHEDULER, "expiry")


def end_expired_grants(database: Database) -> int:
    """End every grant's origin whose time is over, and take from clusters what nothing else gives; return how many."""
    with database.read() as connection:
        waiting = bool(store.expired_origins(connection, now()))
    if not waiting:
        return 0
    with database.write() as connection:
        over = store.expired_origins(connection, now())
        by_organization: dict[OrganizationId, list[OpenOrigin]] = {}
        for organization_id, origin in over:
            by_organization.setdefault(organization_id, []).append(origin)
        for organization_id, origins in by_organization.items():
            _end(connection, organization_id, origins)
        return len(over)


def _end(connection: Connection, organization_id: OrganizationId, origins: list[OpenOrigin]) -> None:
    change = new_change(organization_id, SCHEDULER, "grant.expired", now())
    add_change(connection, change, f"{len(origins)} expired")
    ended = store.close_origins(connection, change, origins)
    for origin in origins:
        detail = {"expired_at": origin.expires_at, "scope": [origin.key.scope.kind.value, origin.key.scope.id]}
        add_audit(connection, change, "grant.expired", "grant", origin.grant_id, detail)
    for key in ended:
        if key.kubernetes_role is not None:
            request_removals(connection, change, _holders(connection, key), "grant", [key.scope])


def _holders(connection: Connection, key: GrantKey) -> Iterable[MemberId]:
    return [key.member_id] if key.member_id is not None else people_below(connection, [GroupId(key.group_id or "")])
