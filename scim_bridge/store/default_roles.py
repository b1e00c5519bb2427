"""Default roles of organizations and directories, as facts with from/to, and the people they may concern."""

from collections.abc import Collection

import sqlalchemy as sa

from scim_bridge.domain.default_roles import DefaultRole, read_default
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import DirectoryId, DirectoryState, MemberId
from scim_bridge.store.changes import Change
from scim_bridge.store.history import end_facts, record_fact
from scim_bridge.store.listing import as_list, listed
from scim_bridge.store.schema import directory, fact, member, scim_user
from scim_bridge.store.users import counts_for_access

ATTRIBUTE = "default_role"

_IN_FORCE = sa.select(fact.c.noun, fact.c.object_id, fact.c.value).where(
    fact.c.organization_id == sa.bindparam("organization"),
    fact.c.noun.in_(("organization", "directory")),
    fact.c.attribute == ATTRIBUTE,
    fact.c.valid_to.is_(None),
)
_PROVISIONED = (
    sa.select(scim_user.c.member_id, scim_user.c.directory_id)
    .join(member, member.c.id == scim_user.c.member_id)
    .join(directory, directory.c.id == scim_user.c.directory_id)
    .where(
        scim_user.c.organization_id == sa.bindparam("organization"),
        scim_user.c.removed_at.is_(None),
        counts_for_access(),
        directory.c.state != DirectoryState.PENDING.value,
    )
    .order_by(scim_user.c.member_id, scim_user.c.directory_id)
)


def stored_defaults(connection: sa.Connection, organization_id: OrganizationId) -> dict[str, DefaultRole]:
    """Return the default roles that are set, by the id of the organization or directory."""
    rows = connection.execute(_IN_FORCE, {"organization": organization_id})
    return {object_id: read_default(value) for _, object_id, value in rows if value is not None}


def defaults_for(
    connection: sa.Connection, organization_id: OrganizationId, only: Collection[MemberId] | None = None
) -> dict[MemberId, list[DefaultRole]]:
    """
    Return what the directories of provisioned people give to whom no rule maps; nothing is read while none is set.

    A directory's own default, an explicit nothing too, stands instead of the organization's.
    """
    stored = stored_defaults(connection, organization_id)
    if all(role.is_nothing for role in stored.values()):
        return {}
    values: dict[str, object] = {"organization": organization_id}
    query = _PROVISIONED
    if only is not None:
        query = query.where(scim_user.c.member_id.in_(listed("only")))
        values["only"] = as_list(only)
    found: dict[MemberId, list[DefaultRole]] = {}
    general = stored.get(organization_id, DefaultRole())
    for member_id, directory_id in connection.execute(query, values):
        role = stored.get(directory_id, general)
        if not role.is_nothing:
            found.setdefault(MemberId(member_id), []).append(role)
    return found


def set_default(
    connection: sa.Connection, change: Change, directory_id: DirectoryId | None, role: DefaultRole | None
) -> None:
    """Set the default of a directory or of the organization; None says nothing any more."""
    object_id = directory_id or change.organization_id
    if role is None:
        end_facts(connection, change, object_id, ATTRIBUTE)
    else:
        noun = "directory" if directory_id else "organization"
        record_fact(connection, change, noun, object_id, ATTRIBUTE, role.text)
