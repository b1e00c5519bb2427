"""Reviews of who is dormant."""

from http import HTTPStatus
from typing import Literal

from pydantic import Field

from scim_bridge.api.operations import Call, Fields, Paged, operation
from scim_bridge.identity import reviews
from scim_bridge.identity.reviews import Review, ReviewShown
from scim_bridge.web.paging import Page

TAG = "reviews"
READING = "members:read"
WRITING = "organization:users:write"


class NewReview(Fields):
    """A review of everybody who was not active for so many days, to be done by a deadline."""

    name: str = Field(max_length=128)
    days: int = Field(default=90, ge=1, le=3650)
    deadline: str = Field(max_length=40, description="`14d` or a date.")


class Decision(Fields):
    """What is to become of one person of a review; deactivate takes effect at once."""

    member: str = Field(max_length=1024)
    decision: Literal["keep", "deactivate"]


@operation(
    "POST", "/reviews", tag=TAG, permission=WRITING, body=NewReview, answers=ReviewShown, status=HTTPStatus.CREATED
)
def open_(call: Call) -> ReviewShown:
    """Begin a review of who is dormant; nothing happens to anybody by that."""
    given, of = call.given(NewReview), (call.database, call.actor, call.organization)
    return reviews.open_review(*of, given.name, given.days, given.deadline, call.request_id)


@operation("GET", "/reviews", tag=TAG, permission=READING, query=Paged, answers=Page[Review])
def list_(call: Call) -> Page[Review]:
    """List the reviews."""
    return call.page(reviews.list_all(call.database, call.organization), lambda each: (each.id,))


@operation("GET", "/reviews/<review>", tag=TAG, permission=READING, answers=ReviewShown)
def show(call: Call, review: str) -> ReviewShown:
    """Show a review, everybody in it and what was decided."""
    return reviews.show(call.database, call.organization, review)


@operation("POST", "/reviews/<review>/decisions", tag=TAG, permission=WRITING, body=Decision, answers=ReviewShown)
def decide(call: Call, review: str) -> ReviewShown:
    """Keep or deactivate a person of a review."""
    given, of = call.given(Decision), (call.database, call.actor, call.organization)
    return reviews.decide(*of, review, given.member, given.decision, call.request_id)


@operation("POST", "/reviews/<review>/close", tag=TAG, permission=WRITING, answers=ReviewShown)
def close(call: Call, review: str) -> ReviewShown:
    """End a review; whoever was not decided about stays as they are."""
    return reviews.close(call.database, call.actor, call.organization, review, call.request_id)
