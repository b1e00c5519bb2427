"""Application users: members that are programs."""

from http import HTTPStatus

from pydantic import Field

from scim_bridge.api.operations import Call, Fields, Paged, operation
from scim_bridge.identity import application_users
from scim_bridge.identity.application_users import ApplicationUser
from scim_bridge.web.paging import Page

TAG = "application users"
MANAGING = "organization:app_users:write"


class NewApplicationUser(Fields):
    """An application user to be made."""

    name: str = Field(min_length=1, max_length=63)
    description: str = Field(default="", max_length=255)


@operation(
    "POST",
    "/application-users",
    tag=TAG,
    permission=MANAGING,
    body=NewApplicationUser,
    answers=ApplicationUser,
    status=HTTPStatus.CREATED,
)
def create(call: Call) -> ApplicationUser:
    """Make an application user; it may do nothing until something is granted to it."""
    wanted = call.given(NewApplicationUser)
    return application_users.create(
        call.database, call.actor, call.organization, wanted.name, wanted.description, call.request_id
    )


@operation("GET", "/application-users", tag=TAG, permission="members:read", query=Paged, answers=Page[ApplicationUser])
def list_(call: Call) -> Page[ApplicationUser]:
    """List the application users."""
    found = application_users.list_all(call.database, call.actor, call.organization)
    return call.page(found, lambda each: (each.name,))


@operation("DELETE", "/application-users/<name>", tag=TAG, permission=MANAGING)
def remove(call: Call, name: str) -> None:
    """Remove an application user; its tokens end at once."""
    application_users.remove(call.database, call.actor, call.organization, name, call.request_id)
