"""Use cases of application users: members that are programs, with API roles and tokens, and never with a binding."""

from dataclasses import dataclass
from datetime import datetime

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.people import MemberId, MemberState
from scim_bridge.errors import NotFound
from scim_bridge.identity.api_tokens import APPLICATIONS
from scim_bridge.identity.authority import require
from scim_bridge.identity.deactivation import deactivate
from scim_bridge.identity.names import checked_name, the_member, the_organization
from scim_bridge.store import application_users as store
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import add_change, new_change
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from scim_bridge.store.members import set_state
from scim_bridge.store.people import find_members


@dataclass(frozen=True, slots=True)
class ApplicationUser:
    """A program that is a member; ``created`` says that it was made just now."""

    id: MemberId
    name: str
    description: str
    state: MemberState
    created_at: datetime
    last_active_at: datetime | None
    created: bool = False


def create(
    database: Database, actor: Actor, organization: str, name: str, description: str = "", request_id: str | None = None
) -> ApplicationUser:
    """Make an application user; the same again changes nothing. It may do nothing until something is granted to it."""
    checked_name("an application user", name)
    with database.write() as connection:
        owner = the_organization(connection, organization)
        require(connection, actor, owner.id, APPLICATIONS)
        present = [each for each in find_members(connection, owner.id, name) if not each.is_person]
        if not present:
            change = new_change(owner.id, actor, "application_user.created", now(), request_id)
            add_change(connection, change, name)
            made = store.insert_application_user(connection, change, name, description)
            detail = {"name": name, "description": description}
            add_audit(connection, change, "application_user.created", "member", made, detail)
        found = next(each for each in store.list_application_users(connection, owner.id) if each.name == name)
        return ApplicationUser(*found, created=not present)


def list_all(database: Database, actor: Actor, organization: str) -> list[ApplicationUser]:
    """Return the application users, by name."""
    with database.read() as connection:
        owner = the_organization(connection, organization)
        require(connection, actor, owner.id, "members:read")
        return [ApplicationUser(*each) for each in store.list_application_users(connection, owner.id)]


def remove(database: Database, actor: Actor, organization: str, named: str, request_id: str | None = None) -> None:
    """Remove an application user: its tokens end at once."""
    with database.write() as connection:
        owner = the_organization(connection, organization)
        require(connection, actor, owner.id, APPLICATIONS)
        found = the_member(connection, owner.id, named)
        if found.is_person:
            raise NotFound(f"There is no application user {named!r} in this organization.")
        change = new_change(owner.id, actor, "application_user.removed", now(), request_id)
        add_change(connection, change, found.user_name)
        deactivate(connection, change, found.id, "removed")
        set_state(connection, change, found.id, MemberState.REMOVED)
        add_audit(connection, change, "application_user.removed", "member", found.id, {"name": found.user_name})
