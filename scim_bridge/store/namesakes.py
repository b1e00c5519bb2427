"""Who might render the same subject as somebody else on a cluster, found without reading everybody."""

from collections.abc import Collection, Iterable

import sqlalchemy as sa

from scim_bridge.domain.bindings import template_fields
from scim_bridge.domain.keys import fold
from scim_bridge.domain.organizations import CaseRule, Cluster, OrganizationId
from scim_bridge.domain.people import MemberId
from scim_bridge.store.documents import reader
from scim_bridge.store.listing import as_list, listed
from scim_bridge.store.schema import member

Field = tuple[str, CaseRule]


def namesakes_of(
    connection: sa.Connection,
    organization_id: OrganizationId,
    people: Collection[MemberId],
    clusters: Iterable[Cluster],
) -> frozenset[MemberId] | None:
    """
    Return these people and everybody who may have the same subject as one of them on one of these clusters.

    None: only reading everybody would tell, because a template is made of several fields.
    """
    wanted: set[Field] = set()
    for cluster in clusters:
        used = set(template_fields(cluster.user_template))
        if "member_id" in used:
            # Nobody shares a member id.
            continue
        if len(used) != 1:
            return None
        wanted.add((used.pop(), cluster.case_rule))
    found = set(people)
    for name, case in sorted(wanted):
        found |= _sharing(connection, organization_id, name, case, people)
    return frozenset(found)


def _sharing(
    connection: sa.Connection, organization_id: OrganizationId, name: str, case: CaseRule, people: Iterable[MemberId]
) -> set[MemberId]:
    mine = member.c.organization_id == organization_id
    column: sa.Column[str] = member.c[name]
    values = sa.select(column).where(mine, member.c.id.in_(listed("people")), column.is_not(None))
    held = set(connection.execute(values, {"people": as_list(people)}).scalars())
    compared: sa.ColumnElement[str] = column
    if case is CaseRule.LOWER:
        # What is folded is equal for more than what is only lowered, never for less.
        held = {fold(value) for value in held}
        compared = member.c.email_key if name == "email" else reader(connection, column).fold(column)
    others = sa.select(member.c.id).where(mine, compared.in_(listed("values")))
    return {MemberId(found) for found in connection.execute(others, {"values": as_list(sorted(held))}).scalars()}
