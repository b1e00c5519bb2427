"""The organizations that whoever asks may see."""

from dataclasses import dataclass
from datetime import datetime

from scim_bridge.api.operations import Call, Entrance, Paged, operation
from scim_bridge.domain.people import MemberState
from scim_bridge.identity import organizations
from scim_bridge.identity.organizations import OrganizationSummary
from scim_bridge.web.paging import Page

TAG = "organizations"


@dataclass(frozen=True, slots=True)
class OrganizationItem:
    """One organization in a list; ``state`` is what whoever asks is there, None for the installation's terminal."""

    id: str
    slug: str
    name: str
    created_at: datetime
    state: MemberState | None = None


@operation("GET", "/organizations", tag=TAG, entrance=Entrance.SIGNED_IN, query=Paged, answers=Page[OrganizationItem])
def list_(call: Call) -> Page[OrganizationItem]:
    """List the organizations in which one is a member, or to which one is invited."""
    found = organizations.list_mine(call.database, call.actor)
    items = (OrganizationItem(each.id, each.slug, each.name, each.created_at, state) for each, state in found)
    return call.page(items, lambda each: (each.slug,))


@operation("GET", "", tag=TAG, permission="org:read", answers=OrganizationSummary)
def show(call: Call) -> OrganizationSummary:
    """Show an organization, its owners and how much is in it."""
    return organizations.show(call.database, call.organization)
