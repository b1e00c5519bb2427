"""Roles: what each allows, and the organization's own."""

from http import HTTPStatus

from pydantic import Field

from scim_bridge.api.operations import Call, Fields, Paged, operation
from scim_bridge.domain.permissions import Catalogue
from scim_bridge.identity import roles
from scim_bridge.identity.roles import RoleView
from scim_bridge.web.paging import Page

TAG = "roles"
GRANTING = "organization:permissions:write"


class RolePermissions(Fields):
    """What a custom role allows."""

    permissions: tuple[str, ...] = Field(min_length=1, max_length=200)


@operation("GET", "/permissions", tag=TAG, permission="org:read", answers=Catalogue)
def catalogue(call: Call) -> Catalogue:
    """Return the permission catalogue: what every permission allows, and which role holds it."""
    return roles.catalogue(call.database, call.organization)


@operation("GET", "/roles", tag=TAG, permission="org:read", query=Paged, answers=Page[RoleView])
def list_(call: Call) -> Page[RoleView]:
    """List the API roles, built-in and custom."""
    return call.page(roles.list_all(call.database, call.organization), lambda each: (each.name,))


@operation("PUT", "/roles/<role>", tag=TAG, permission=GRANTING, body=RolePermissions, answers=RoleView)
def put(call: Call, role: str) -> RoleView:
    """Make a custom role, or let it allow something else from now on."""
    wanted = call.given(RolePermissions).permissions
    return roles.put(call.database, call.actor, call.organization, role, wanted, call.request_id)


@operation("DELETE", "/roles/<role>", tag=TAG, permission=GRANTING, status=HTTPStatus.NO_CONTENT)
def delete(call: Call, role: str) -> None:
    """Delete a custom role that nobody is granted."""
    roles.delete(call.database, call.actor, call.organization, role, call.request_id)
