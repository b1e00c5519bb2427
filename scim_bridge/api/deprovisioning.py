"""A directory's rule for leavers."""

from pydantic import Field

from scim_bridge.api.operations import Call, Fields, operation
from scim_bridge.domain.deprovisioning import DeprovisionPolicy
from scim_bridge.identity import deprovisioning

TAG = "directories"
PERMISSION = "organization:directories:write"


class Rule(Fields):
    """For how many days leavers are kept (null: for ever), and whether a deletion is only a suspension."""

    grace_days: int | None = Field(default=None, ge=0, le=3650)
    delete_suspends: bool = False


@operation("GET", "/directories/<directory>/deprovisioning", tag=TAG, permission=PERMISSION, answers=DeprovisionPolicy)
def show_deprovisioning(call: Call, directory: str) -> DeprovisionPolicy:
    """Show a directory's rule for leavers."""
    return deprovisioning.show_policy(call.database, call.organization, directory)


@operation(
    "PUT",
    "/directories/<directory>/deprovisioning",
    tag=TAG,
    permission=PERMISSION,
    body=Rule,
    answers=DeprovisionPolicy,
)
def set_deprovisioning(call: Call, directory: str) -> DeprovisionPolicy:
    """Say what becomes of whom a directory lets go of: suspended, kept for so long, purged."""
    given = call.given(Rule)
    policy = DeprovisionPolicy(given.grace_days, given.delete_suspends)
    of = (call.database, call.actor, call.organization)
    return deprovisioning.set_policy(*of, directory, policy, call.request_id)
