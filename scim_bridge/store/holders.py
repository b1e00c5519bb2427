"""Whom grants at some places concern at all: where a question about everybody begins."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from scim_bridge.domain.organizations import OrganizationId, Scope
from scim_bridge.domain.people import MemberId
from scim_bridge.store.explain import When
from scim_bridge.store.listing import as_list, beside, listed
from scim_bridge.store.moments import AT, Moment
from scim_bridge.store.schema import grant, membership, nesting, user_group

_SEPARATOR = " "


def members_reached(
    connection: sa.Connection, organization_id: OrganizationId, scopes: Iterable[Scope], when: When
) -> list[MemberId]:
    """
    Return everybody who holds a grant at one of these scopes, by themselves or through groups; in no order.

    Nothing is decided: some of them may be deactivated, and some grants overruled. All others have nothing there.
    """
    places = as_list(f"{scope.kind.value}{_SEPARATOR}{scope.id}" for scope in scopes)
    values = {"organization": organization_id, "places": places, AT: when.at}
    return [MemberId(each) for each in connection.execute(_reached(when.moment), values).scalars()]


@lru_cache
def _reached(moment: Moment) -> sa.CompoundSelect[Any]:
    place = grant.c.scope_kind.concat(_SEPARATOR).concat(grant.c.scope_id)
    there = (
        grant.c.organization_id == sa.bindparam("organization"),
        place.in_(listed("places")),
        moment.in_force(grant),
    )
    start = sa.select(user_group.c.id).where(
        user_group.c.id.in_(sa.select(grant.c.group_id).where(*there, grant.c.group_id.is_not(None)))
    )
    below = start.cte("below", recursive=True)
    # UNION, not UNION ALL: groups that contain one another end the walk instead of hanging it.
    nested = (nesting.c.parent_id == below.c.id, moment.in_force(nesting))
    below = below.union(sa.select(nesting.c.child_id).where(*nested))
    inside = sa.select(membership.c.member_id).where(
        beside(membership.c.organization_id) == sa.bindparam("organization"),
        membership.c.group_id.in_(sa.select(below.c.id)),
        moment.in_force(membership),
    )
    themselves = sa.select(grant.c.member_id).where(*there, grant.c.member_id.is_not(None))
    return sa.union(inside, themselves)
