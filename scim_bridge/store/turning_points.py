"""The moments at which something about one person's access changed: what a time slider stops at."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from scim_bridge.domain.people import MemberId
from scim_bridge.store.member_history import states_of
from scim_bridge.store.schema import grant, membership, user_group


@dataclass(frozen=True, slots=True)
class TurningPoint:
    """A moment, and what happened then in words; access as of ``at`` already shows it."""

    at: datetime
    what: str


def turning_points(connection: sa.Connection, member_id: MemberId, limit: int) -> list[TurningPoint]:
    """
    Return the latest moments at which a person's state, groups or grants changed, the oldest of them first.

    Grants are those to the person, and those to a group that they were in at that moment.
    """
    found = [TurningPoint(each.since, each.state) for each in states_of(connection, member_id)]
    found += _of_groups(connection, member_id)
    found += _of_grants(connection, member_id)
    together: dict[datetime, list[str]] = {}
    for each in sorted(set(found), key=lambda point: (point.at, point.what)):
        together.setdefault(each.at, []).append(each.what)
    return [TurningPoint(at, ", ".join(words)) for at, words in together.items()][-limit:]


def _of_groups(connection: sa.Connection, member_id: MemberId) -> Iterator[TurningPoint]:
    query = (
        sa.select(user_group.c.display_name, membership.c.valid_from, membership.c.valid_to)
        .join(user_group, user_group.c.id == membership.c.group_id)
        .where(membership.c.member_id == member_id)
    )
    for name, since, until in connection.execute(query):
        yield TurningPoint(since, f"joins {name}")
        if until is not None:
            yield TurningPoint(until, f"leaves {name}")


def _of_grants(connection: sa.Connection, member_id: MemberId) -> Iterator[TurningPoint]:
    columns = (grant.c.api_role, grant.c.kubernetes_role, grant.c.valid_from, grant.c.valid_to)
    own = sa.select(*columns, sa.null(), sa.null()).where(grant.c.member_id == member_id)
    of_groups = (
        sa.select(*columns, membership.c.valid_from, membership.c.valid_to)
        .join(membership, membership.c.group_id == grant.c.group_id)
        .where(membership.c.member_id == member_id)
    )
    for query in (own, of_groups):
        for api_role, kubernetes_role, since, until, joined, left in connection.execute(query):
            role = " and ".join(each for each in (api_role, kubernetes_role) if each)
            if (joined is None or joined <= since) and (left is None or since < left):
                yield TurningPoint(since, f"is given {role}")
            if until is not None and (joined is None or joined <= until) and (left is None or until < left):
                yield TurningPoint(until, f"loses {role}")
