"""Default roles of organizations and directories, as facts with from/to."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from scim_bridge.domain.default_roles import DefaultRole, read_default
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import DirectoryId, MemberId
from scim_bridge.store.changes import Change
from scim_bridge.store.history import end_facts, record_fact
from scim_bridge.store.moments import NOW, Moment
from scim_bridge.store.schema import fact

ATTRIBUTE = "default_role"


@lru_cache
def defaults_in_force(moment: Moment) -> sa.Select[Any]:
    """Return the statement for the default roles of an organization and of its directories at a moment."""
    return sa.select(fact.c.object_id, fact.c.value).where(
        fact.c.organization_id == sa.bindparam("organization"),
        fact.c.noun.in_(("organization", "directory")),
        fact.c.attribute == ATTRIBUTE,
        moment.in_force(fact),
    )


def defaults_of(rows: Iterable[Any]) -> dict[str, DefaultRole]:
    """Return the default roles of rows, by the id of the organization or directory."""
    return {object_id: read_default(value) for object_id, value in rows if value is not None}


def stored_defaults(connection: sa.Connection, organization_id: OrganizationId) -> dict[str, DefaultRole]:
    """Return the default roles that are set, by the id of the organization or directory."""
    return defaults_of(connection.execute(defaults_in_force(NOW), {"organization": organization_id}))


def given_to(
    stored: dict[str, DefaultRole], organization_id: OrganizationId, provisioned: Iterable[Any]
) -> dict[MemberId, list[DefaultRole]]:
    """
    Return what provisioned people (rows of member and directory) get if no rule maps them.

    A directory's own default, an explicit nothing too, stands instead of the organization's.
    """
    found: dict[MemberId, list[DefaultRole]] = {}
    general = stored.get(organization_id, DefaultRole())
    for member_id, directory_id in provisioned:
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
