"""What a look over a rule set reads of groups: which of them have somebody in them."""

import sqlalchemy as sa

from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import GroupId, MemberState, groups_above
from scim_bridge.store.schema import member, membership, nesting


def peopled_groups(connection: sa.Connection, organization_id: OrganizationId) -> frozenset[GroupId]:
    """Return the groups of an organization with an active person in them, or in a group that is in them."""
    direct = (
        sa.select(membership.c.group_id)
        .distinct()
        .join(member, member.c.id == membership.c.member_id)
        .where(
            membership.c.organization_id == organization_id,
            membership.c.valid_to.is_(None),
            member.c.state == MemberState.ACTIVE.value,
        )
    )
    above: dict[GroupId, list[GroupId]] = {}
    links = sa.select(nesting.c.child_id, nesting.c.parent_id).where(
        nesting.c.organization_id == organization_id, nesting.c.valid_to.is_(None)
    )
    for child_id, parent_id in connection.execute(links):
        above.setdefault(child_id, []).append(parent_id)
    return frozenset(groups_above(map(GroupId, connection.execute(direct).scalars()), above))
