"""Asked-for removals: rows written in the transaction of the change that asked, closed per cluster when confirmed."""

from collections.abc import Iterable

import orjson
import sqlalchemy as sa

from scim_bridge.domain.organizations import Scope
from scim_bridge.domain.people import MemberId
from scim_bridge.store.changes import Change
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.schema import removal_request
from scim_bridge.store.statements import write_rows

_INSERT = sa.insert(removal_request)


def request_removals(
    connection: sa.Connection,
    change: Change,
    members: Iterable[MemberId],
    cause: str,
    scopes: Iterable[Scope] | None = None,
) -> None:
    """
    Ask that these members lose, on every cluster and at once, what they no longer have a right to.

    ``scopes`` None concerns all they hold; else only what grants at those scopes gave. ``cause`` is one of the words
    of the table. The request is void where the same access is granted again before it is carried out.
    """
    extent = None
    if scopes is not None:
        pairs = sorted([scope.kind.value, scope.id] for scope in set(scopes))
        if not pairs:
            return
        extent = orjson.dumps(pairs).decode()
    rows = [
        {
            "id": new_id(),
            "organization_id": change.organization_id,
            "member_id": member_id,
            "change_id": change.id,
            "cause": cause,
            "extent": extent,
            "actor": change.actor.name[:320],
            "requested_at": change.at,
        }
        for member_id in members
    ]
    write_rows(connection, _INSERT, rows)
