"""Freezes: what the bridge is kept from doing, where, and until when."""

from http import HTTPStatus

from pydantic import Field

from scim_bridge.api.operations import Call, Entrance, Fields, Paged, operation
from scim_bridge.identity import freezes
from scim_bridge.identity.freezes import FreezeView, FreezeWanted
from scim_bridge.web.paging import Page

TAG = "freezes"


class Frozen(Fields):
    """What to freeze: a binding on a cluster, a cluster, or all clusters of the organization."""

    cluster: str | None = Field(default=None, max_length=63)
    binding: str | None = Field(default=None, max_length=128, description="A role, or role@namespace.")
    reason: str = Field(default="", max_length=freezes.LONGEST_REASON)
    including_revocations: bool = Field(default=False, description="Keep leavers in too: for an owner, at most 24 h.")
    hours: float | None = Field(default=None, gt=0, le=24 * 366, description="How long; until it is ended if left out.")

    @property
    def wanted(self) -> FreezeWanted:
        """Return what the use case takes."""
        return FreezeWanted(self.cluster, self.binding, self.reason, self.including_revocations, self.hours)


@operation("GET", "/freezes", tag=TAG, permission="clusters:read", query=Paged, answers=Page[FreezeView])
def list_(call: Call) -> Page[FreezeView]:
    """List what is frozen, by the installation too."""
    return call.page(freezes.list_all(call.database, call.organization), lambda each: (each.id,))


@operation(
    "POST",
    "/freezes",
    tag=TAG,
    permission=freezes.FREEZE,
    entrance=Entrance.SOMEWHERE,
    body=Frozen,
    answers=FreezeView,
    status=HTTPStatus.CREATED,
)
def begin(call: Call) -> FreezeView:
    """Stop grants and inferred removals; asked-for ones go on."""
    return freezes.begin(call.database, call.actor, call.organization, call.given(Frozen).wanted, call.request_id)


@operation(
    "POST",
    "/freezes/end",
    tag=TAG,
    permission=freezes.FREEZE,
    entrance=Entrance.SOMEWHERE,
    body=Frozen,
    answers=FreezeView,
)
def end_place(call: Call) -> FreezeView:
    """End the freeze of exactly this place; what waited is done at once."""
    return freezes.end_place(call.database, call.actor, call.organization, call.given(Frozen).wanted, call.request_id)


@operation("DELETE", "/freezes/<freeze_id>", tag=TAG, permission=freezes.FREEZE, entrance=Entrance.SOMEWHERE)
def end(call: Call, freeze_id: str) -> None:
    """End one freeze."""
    freezes.end(call.database, call.actor, call.organization, freeze_id, call.request_id)
