"""
The groups that a user is in, as the JSON that the SCIM door answers, put together while the user is read.

A list of a hundred users becomes neither a hundred look-ups nor thousands of Python objects.
"""

import sqlalchemy as sa

from scim_bridge.store.json_text import fixed, joined, quoted
from scim_bridge.store.memberships import ABOVE, IN_FORCE
from scim_bridge.store.schema import membership, nesting, user_group

ADDRESS = "\x1f"
"""Stands where the address of groups belongs: no JSON text holds this character as it is."""

NESTED = "!"
"""Stands before the rest where one of the groups is in another group: then there are more than these."""


def groups_of_user(user: sa.FromClause) -> sa.Label[str]:
    """Return a column beside those of ``scim_user``, or of a selection of it; empty for who is in no group."""
    is_nested = sa.exists().where(nesting.c.child_id == user_group.c.id, *ABOVE)
    direct = (
        sa.select(
            user_group.c.id,
            user_group.c.display_name,
            sa.case((is_nested, fixed(NESTED)), else_=fixed("")).label("mark"),
        )
        .join(user_group, membership.c.group_id == user_group.c.id)
        .where(
            membership.c.scim_user_id == user.c.id,
            *IN_FORCE,
            membership.c.held.is_(False),
            # Put like this no index answers it: SQLite would go through every group of the directory.
            user_group.c.directory_id + fixed("") == user.c.directory_id,
        )
        .order_by(user_group.c.id)
        .correlate(user)
        .subquery("direct")
    )
    entry = (
        fixed('{"value":"')
        + direct.c.id
        + fixed(f'","$ref":"{ADDRESS}')
        + direct.c.id
        + fixed('","display":')
        + quoted(direct.c.display_name)
        + fixed(',"type":"direct"}')
    )
    text = sa.select(sa.func.max(direct.c.mark) + joined(entry)).select_from(direct)
    return sa.func.coalesce(text.scalar_subquery(), fixed(""), type_=sa.Text).label("groups")
