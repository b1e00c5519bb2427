"""The organizations that whoever asks may see."""

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from pydantic import Field

from scim_bridge.api.operations import Call, Entrance, Fields, Paged, operation
from scim_bridge.domain.organization_settings import SETTINGS
from scim_bridge.domain.people import MemberState
from scim_bridge.identity import organization_changes, organizations, tree_view
from scim_bridge.identity.organization_changes import OrganizationDeleted, OrganizationSetUp
from scim_bridge.identity.organizations import OrganizationCreated, OrganizationSummary
from scim_bridge.identity.tree_view import NodeView
from scim_bridge.web.paging import Page

TAG = "organizations"


@dataclass(frozen=True, slots=True)
class OrganizationItem:
    """
    One organization in a list; ``state`` is what whoever asks is there, None for the installation's terminal.

    ``why_not`` says why they may not open it, None where they may.
    """

    id: str
    slug: str
    name: str
    created_at: datetime
    state: MemberState | None = None
    why_not: str | None = None


@operation("GET", "/organizations", tag=TAG, entrance=Entrance.SIGNED_IN, query=Paged, answers=Page[OrganizationItem])
def list_(call: Call) -> Page[OrganizationItem]:
    """List the organizations in which one is a member, or to which one is invited."""
    found = organizations.list_mine(call.database, call.actor)
    items = (
        OrganizationItem(each.id, each.slug, each.name, each.created_at, state, organization_changes.why_not(state))
        for each, state in found
    )
    return call.page(items, lambda each: (each.slug,))


class NewOrganization(Fields):
    """An organization to be made."""

    slug: str = Field(min_length=1, max_length=63)
    name: str | None = Field(default=None, min_length=1, max_length=255)


@operation(
    "POST",
    "/organizations",
    tag=TAG,
    entrance=Entrance.SIGNED_IN,
    body=NewOrganization,
    answers=OrganizationCreated,
    status=HTTPStatus.CREATED,
)
def create(call: Call) -> OrganizationCreated:
    """Create an organization and become its owner; a token that opens one organization opens the new one not."""
    given = call.given(NewOrganization)
    return organizations.create_own(call.database, call.actor, given.slug, name=given.name, request_id=call.request_id)


@operation("GET", "", tag=TAG, permission="org:read", answers=OrganizationSummary)
def show(call: Call) -> OrganizationSummary:
    """Show an organization, its owners and how much is in it."""
    return organizations.show(call.database, call.organization)


class OrganizationChange(Fields):
    """What is to be otherwise; what is left out stays, null takes a setting away."""

    name: str | None = Field(default=None, max_length=255)
    slug: str | None = Field(default=None, max_length=63)
    contact: str | None = Field(default=None, max_length=255, description="Whom members ask.")
    description: str | None = Field(default=None, max_length=255)


class Deleting(Fields):
    """The query of an end."""

    repeated: str = Field(max_length=63, description="The organization's slug, once more.")


@operation("PATCH", "", tag=TAG, permission="org:update", body=OrganizationChange, answers=OrganizationSetUp)
def set_up(call: Call) -> OrganizationSetUp:
    """Give an organization another name, slug or settings."""
    given = call.given(OrganizationChange)
    settings = {key: getattr(given, key) for key in SETTINGS if key in given.model_fields_set}
    return organization_changes.set_up(
        call.database,
        call.actor,
        call.organization,
        name=given.name,
        slug=given.slug,
        settings=settings,
        request_id=call.request_id,
    )


@operation("DELETE", "", tag=TAG, permission="org:delete", query=Deleting, answers=OrganizationDeleted)
def delete(call: Call) -> OrganizationDeleted:
    """Delete an organization of which no project, unit, cluster or connected directory is left."""
    repeated = call.asked(Deleting).repeated
    return organization_changes.delete(call.database, call.actor, call.organization, repeated, call.request_id)


@operation("GET", "/tree", tag=TAG, permission="members:read", answers=list[NodeView])
def tree(call: Call) -> list[NodeView]:
    """Return the whole tree, each place before what lies in it, with counts and access, given there or inherited."""
    return tree_view.show(call.database, call.organization)
