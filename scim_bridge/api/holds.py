"""Held memberships: what a directory left out of its lists, too much at once to believe, and what becomes of it."""

from pydantic import Field, model_validator

from scim_bridge.api.operations import Call, Fields, Paged, operation
from scim_bridge.identity import holds
from scim_bridge.identity.holds import HoldsApproved, HoldsRejected, HoldView
from scim_bridge.web.paging import Page

TAG = "holds"
DECIDE = "organization:groups:write"


class HoldsNamed(Fields):
    """Which holds to decide about: of one group, or all of them; of everybody, or of some."""

    group: str | None = Field(default=None, max_length=1024, description="A name or id; DIRECTORY/NAME if need be.")
    everything: bool = Field(default=False, description="All that is held in the organization.")
    who: list[str] = Field(default_factory=list, max_length=10_000, description="Names or ids; everybody if empty.")

    @model_validator(mode="after")
    def _group_or_all(self) -> "HoldsNamed":
        if (self.group is None) != self.everything:
            raise ValueError("name a group, or say everything")
        return self


@operation("GET", "/holds", tag=TAG, permission="members:read", query=Paged, answers=Page[HoldView])
def list_(call: Call) -> Page[HoldView]:
    """List the memberships that are held: gone for the directory, still in force for access."""
    found = holds.list_held(call.database, call.organization)
    return call.page(found, lambda each: (each.group, each.group_id, each.kind, each.name, each.id), keys=5)


@operation("POST", "/holds/approve", tag=TAG, permission=DECIDE, body=HoldsNamed, answers=HoldsApproved)
def approve(call: Call) -> HoldsApproved:
    """Let held memberships end; clusters remove the access at once."""
    given = call.given(HoldsNamed)
    return holds.approve(call.database, call.actor, call.organization, given.group, call.request_id, given.who)


@operation("POST", "/holds/reject", tag=TAG, permission=DECIDE, body=HoldsNamed, answers=HoldsRejected)
def reject(call: Call) -> HoldsRejected:
    """Keep who is held: the directory reads them in the group again, and its next list decides anew."""
    given = call.given(HoldsNamed)
    return holds.reject(call.database, call.actor, call.organization, given.group, call.request_id, given.who)
