"""The guard that every door but SCIM passes: an organization that has a working owner keeps one."""

from collections.abc import Iterable

from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import MemberId
from scim_bridge.errors import Refused
from scim_bridge.store import people
from scim_bridge.store.database import Connection


def keep_an_owner(connection: Connection, organization_id: OrganizationId, leaving: Iterable[MemberId]) -> None:
    """
    Raise Refused if these people are all the working owners there are.

    Who the owners are stays so until the transaction ends: of two that leave at once, the second one is refused.
    """
    owners = people.working_owners(connection, organization_id, lock=True)
    if owners and owners <= set(leaving):
        raise Refused("This is the last working owner of the organization; make another one first.")
