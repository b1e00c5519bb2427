"""Who comes in by the door of an organization: the one question that every request about one asks first."""

from dataclasses import dataclass

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import MemberId
from scim_bridge.errors import Refused
from scim_bridge.identity.authority import opened_organization
from scim_bridge.store.database import Database


@dataclass(frozen=True, slots=True)
class Guest:
    """
    Somebody as one organization knows them; ``member_id`` None: the installation's own hands.

    ``here`` is what they may do in the whole organization, ``anywhere`` what they may do at some place of it.
    """

    organization_id: OrganizationId
    slug: str
    name: str
    member_id: MemberId | None
    here: frozenset[str]
    anywhere: frozenset[str]


def receive(database: Database, actor: Actor, named: str) -> Guest:
    """Return what an actor is and may do in an organization; raises NotFound as `opened_organization` says."""
    with database.read() as connection:
        found, authority = opened_organization(connection, actor, named)
        here = authority.at(authority.tree.root)
        return Guest(found.id, found.slug, found.name, authority.member_id, here, authority.anywhere())


def admit(database: Database, actor: Actor, named: str, permission: str | None, *, anywhere: bool = False) -> str:
    """
    Return the id of an organization for an actor who may do something in it.

    ``permission`` None: being an active member is enough; ``anywhere``: one place in it is enough, and the use case
    asks about the very place. Raises NotFound as `opened_organization` says, and Refused without the permission.
    """
    with database.read() as connection:
        found, authority = opened_organization(connection, actor, named)
        held = authority.anywhere() if anywhere else authority.at(authority.tree.root)
        if permission is not None and permission not in held:
            raise Refused(f"You lack the permission {permission} here.")
        return found.id
