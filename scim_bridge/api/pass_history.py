"""The history of passes: what each did, and for whom."""

from pydantic import Field

from scim_bridge.api.operations import Call, Paged, operation
from scim_bridge.sync import history
from scim_bridge.sync.history import PastPass
from scim_bridge.web.paging import Page, read_cursor, write_cursor

TAG = "pass history"


class Asked(Paged):
    """Which passes."""

    changed: bool = Field(default=False, description="Leave out those that had nothing to do.")


@operation(
    "GET", "/clusters/<cluster>/passes", tag=TAG, permission="clusters:read", query=Asked, answers=Page[PastPass]
)
def list_(call: Call, cluster: str) -> Page[PastPass]:
    """List a cluster's passes, the latest first, with who gained and lost what."""
    asked = call.asked(Asked)
    before = read_cursor(asked.cursor, 1)
    found = history.history(
        call.database,
        call.organization,
        cluster,
        limit=asked.limit + 1,
        before=before[0] if before else None,
        changed=asked.changed,
    )
    page = found[: asked.limit]
    return Page(page, write_cursor([page[-1].id]) if len(found) > asked.limit else None)
