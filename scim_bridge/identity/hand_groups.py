"""Use cases of groups made by hand: create, rename, describe, delete. A directory's groups are read-only here."""

from dataclasses import dataclass

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import GroupId
from scim_bridge.errors import Invalid, NotFound, Refused
from scim_bridge.identity.authority import require
from scim_bridge.identity.group_grants import GROUPS
from scim_bridge.identity.names import the_group, the_organization
from scim_bridge.store import grants, groups, memberships, nestings
from scim_bridge.store import hand_groups as store
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import Change, add_change, new_change
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.grants import scopes_given
from scim_bridge.store.group_lists import ListedGroup as ListedGroup
from scim_bridge.store.group_lists import one_group
from scim_bridge.store.hand_groups import HandGroup
from scim_bridge.store.removals import request_removals

NOUN = "group"
LONGEST_NAME = 128
LONGEST_DESCRIPTION = 4096


@dataclass(frozen=True, slots=True)
class GroupChanged:
    """A group as it is now; ``changed``: it was another way before."""

    group: ListedGroup
    changed: bool


def create(
    database: Database,
    actor: Actor,
    organization: str,
    name: str,
    description: str | None = None,
    request_id: str | None = None,
) -> ListedGroup:
    """Make a group, usable in every unit, project and service; raises NotUnique for a name that is taken."""
    called, told = checked_group_name(name), checked_description(description)
    with database.write() as connection:
        owner = the_organization(connection, organization)
        require(connection, actor, owner.id, GROUPS)
        change = new_change(owner.id, actor, "group.created", now(), request_id)
        add_change(connection, change, f"group {called}")
        return one_group(connection, make_group(connection, change, called, told))


def make_group(connection: Connection, change: Change, name: str, description: str | None) -> GroupId:
    """Make a group with a name that was checked, within a change."""
    made = store.insert_hand_group(connection, change, name, description)
    add_audit(connection, change, "group.created", NOUN, made, {"displayName": name, "description": description})
    return made


def change(
    database: Database,
    actor: Actor,
    organization: str,
    group: str,
    name: str | None = None,
    description: str | None = None,
    request_id: str | None = None,
    *,
    describing: bool = False,
) -> GroupChanged:
    """
    Give a group another name, or with ``describing`` another description; grants and members stay.

    Raises NotUnique for a name that is taken.
    """
    called = None if name is None else checked_group_name(name)
    told = checked_description(description) if describing else None
    with database.write() as connection:
        owner = the_organization(connection, organization)
        require(connection, actor, owner.id, GROUPS)
        found = editable_group(connection, owner.id, group)
        text = told if describing else found.description
        return _update(connection, actor, owner.id, found, called or found.name, text, request_id)


def delete(
    database: Database, actor: Actor, organization: str, group: str, request_id: str | None = None
) -> ListedGroup:
    """Take a group away; everybody in it, and in groups in it, loses at once what it gave."""
    with database.write() as connection:
        owner = the_organization(connection, organization)
        require(connection, actor, owner.id, GROUPS)
        found = editable_group(connection, owner.id, group)
        change = new_change(owner.id, actor, "group.deleted", now(), request_id)
        add_change(connection, change, f"group {found.name}")
        shown = one_group(connection, found.id)
        scopes = scopes_given(connection, [found.id])
        concerned = memberships.people_below(connection, [found.id]) if scopes else set()
        memberships.end_group(connection, change, found.id)
        parents = nestings.end_nestings(connection, change, found.id)
        groups.touch_groups(connection, change, parents)
        ended = grants.close_origins(connection, change, grants.origins_of_groups(connection, [found.id]))
        store.remove_hand_group(connection, change, found.id)
        request_removals(connection, change, sorted(concerned), "membership", scopes)
        detail = {"displayName": found.name, "members": shown.members, "grants": len(ended)}
        add_audit(connection, change, "group.deleted", NOUN, found.id, detail)
        return shown


def editable_group(connection: Connection, organization_id: OrganizationId, named: str) -> HandGroup:
    """Return a group, kept from other writers; raises NotFound, and Refused for one that a directory owns."""
    named_group = the_group(connection, organization_id, named)
    groups.lock_groups(connection, [named_group.id])
    found = store.get_hand_group(connection, named_group.id)
    if found is None:
        raise NotFound(f"There is no group {named!r} in this organization.")
    require_editable(found)
    return found


def require_editable(group: HandGroup) -> None:
    """Raise Refused, with the reason, for a group that a directory owns."""
    if group.is_read_only:
        raise Refused(
            f"The group {group.name} belongs to the directory {group.directory}, which alone says who is in it "
            "and what it is called: change it there, or make a group by hand and nest this one in it."
        )


def checked_group_name(name: str) -> str:
    """Return what a group may be called, or raise Invalid."""
    text = name.strip()
    if not text or len(text) > LONGEST_NAME or not text.isprintable():
        raise Invalid(f"A group's name has 1 to {LONGEST_NAME} printable characters.", field="name")
    return text


def checked_description(text: str | None) -> str | None:
    """Return a description without what no text column can hold, or raise Invalid."""
    if text is None or not text.strip():
        return None
    if len(text) > LONGEST_DESCRIPTION or "\x00" in text:
        raise Invalid(f"A description has at most {LONGEST_DESCRIPTION} characters.", field="description")
    return text.strip()


def _update(
    connection: Connection,
    actor: Actor,
    organization_id: OrganizationId,
    found: HandGroup,
    name: str,
    description: str | None,
    request_id: str | None,
) -> GroupChanged:
    if (name, description) == (found.name, found.description):
        return GroupChanged(one_group(connection, found.id), changed=False)
    change = new_change(organization_id, actor, "group.changed", now(), request_id)
    add_change(connection, change, f"group {name}")
    store.update_hand_group(connection, change, found.id, name, description)
    detail: dict[str, object] = {}
    if name != found.name:
        detail["displayName"] = {"from": found.name, "to": name}
    if description != found.description:
        detail["description"] = {"from": found.description, "to": description}
    add_audit(connection, change, "group.changed", NOUN, found.id, detail)
    return GroupChanged(one_group(connection, found.id), changed=True)
