"""Units: the nodes of the organization's tree. A unit is named by its path."""

from http import HTTPStatus

from pydantic import Field

from scim_bridge.api.drafts import Drafted, drafted, only_one
from scim_bridge.api.operations import Call, Entrance, Fields, Paged, operation
from scim_bridge.domain.organizations import EnvironmentType
from scim_bridge.identity import tree
from scim_bridge.identity.tree import UnitView
from scim_bridge.identity.tree_drafts import TreeDraft, TreePreview
from scim_bridge.identity.unit_changes import DeleteUnit, MoveUnit, RenameUnit, RetypeUnit
from scim_bridge.web.paging import Page

TAG = "units"
PATH = Field(min_length=1, max_length=520, description="production/payments")


class NewUnit(Fields):
    """A unit; those above it in its path exist."""

    path: str = PATH
    environment_type: EnvironmentType | None = Field(default=None, description="What it is for, if an environment.")


class UnitChange(Fields):
    """One change of a unit: another name, another type, or another parent ("" is the organization itself)."""

    name: str | None = Field(default=None, max_length=63)
    environment_type: EnvironmentType | None = None
    parent: str | None = Field(default=None, max_length=520)


@operation(
    "GET",
    "/units",
    tag=TAG,
    permission="environments:read",
    entrance=Entrance.SOMEWHERE,
    query=Paged,
    answers=Page[UnitView],
)
def list_(call: Call) -> Page[UnitView]:
    """List the units that one may see, by path."""
    return call.page(tree.list_units(call.database, call.organization, call.actor), lambda each: (each.path,))


@operation(
    "POST",
    "/units",
    tag=TAG,
    permission="environments:create",
    entrance=Entrance.SOMEWHERE,
    body=NewUnit,
    answers=UnitView,
    status=HTTPStatus.CREATED,
)
def create(call: Call) -> UnitView:
    """Create the last unit of a path; the same again changes nothing. One that is no environment needs more."""
    wanted = call.given(NewUnit)
    return tree.create_unit(
        call.database, call.actor, call.organization, wanted.path, wanted.environment_type, call.request_id
    )


@operation(
    "PATCH",
    "/units/<path:unit>",
    tag=TAG,
    permission="environments:update",
    entrance=Entrance.SOMEWHERE,
    body=UnitChange,
    query=Drafted,
    answers=TreePreview,
)
def change(call: Call, unit: str) -> TreePreview:
    """Rename a unit, say what it is for, or move it with all that is in it; rules that name it follow."""
    return drafted(call, _draft(unit, call.given(UnitChange)))


@operation(
    "DELETE",
    "/units/<path:unit>",
    tag=TAG,
    permission="environments:delete",
    entrance=Entrance.SOMEWHERE,
    query=Drafted,
    answers=TreePreview,
)
def delete(call: Call, unit: str) -> TreePreview:
    """Delete a unit that is empty; grants at it end."""
    return drafted(call, DeleteUnit(unit))


def _draft(unit: str, given: UnitChange) -> TreeDraft:
    match only_one(given, ("name",), ("environment_type",), ("parent",)):
        case ("name",):
            return RenameUnit(unit, given.name or "")
        case ("environment_type",):
            return RetypeUnit(unit, given.environment_type)
    return MoveUnit(unit, given.parent or None)
