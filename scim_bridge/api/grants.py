"""Grants made by hand."""

from http import HTTPStatus

from pydantic import Field

from scim_bridge.api.operations import Call, Entrance, Fields, Paged, operation
from scim_bridge.identity import grants
from scim_bridge.identity.grants import GrantView, GrantWanted
from scim_bridge.web.paging import Page

TAG = "grants"


class Granted(Fields):
    """A grant: exactly one of person and group, at least one role."""

    scope: str = Field(default="organization", max_length=1024, description="organization, unit:a/b, project:p, …")
    person: str | None = Field(default=None, max_length=1024)
    group: str | None = Field(default=None, max_length=1024)
    api_role: str | None = Field(default=None, max_length=63)
    kubernetes_role: str | None = Field(default=None, max_length=63)
    expires: str | None = Field(default=None, max_length=40, description="`90d` or a date; never if left out.")

    @property
    def wanted(self) -> GrantWanted:
        """Return what the use case takes."""
        return GrantWanted(self.scope, self.person, self.group, self.api_role, self.kubernetes_role, self.expires)


@operation("GET", "/grants", tag=TAG, permission="members:read", query=Paged, answers=Page[GrantView])
def list_(call: Call) -> Page[GrantView]:
    """List every grant in force with its origins."""
    found = grants.list_all(call.database, call.organization)
    return call.page(found, lambda each: (each.scope, each.holder_kind, each.holder, each.id), keys=4)


@operation(
    "POST",
    "/grants",
    tag=TAG,
    entrance=Entrance.SOMEWHERE,
    body=Granted,
    answers=GrantView,
    status=HTTPStatus.CREATED,
)
def add(call: Call) -> GrantView:
    """Grant by hand; the same again changes nothing."""
    return grants.add(call.database, call.actor, call.organization, call.given(Granted).wanted, call.request_id)


@operation("POST", "/grants/remove", tag=TAG, entrance=Entrance.SOMEWHERE, body=Granted, answers=grants.GrantRemoved)
def remove(call: Call) -> grants.GrantRemoved:
    """Take a grant made by hand away; the answer says what still gives it."""
    wanted = call.given(Granted).wanted
    left = grants.remove(call.database, call.actor, call.organization, wanted, call.request_id)
    return grants.GrantRemoved(left)
