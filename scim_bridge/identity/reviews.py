"""Use cases of reviews: list who is dormant, decide about each until a deadline, and deactivate whom nobody needs."""

from dataclasses import dataclass

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.member_filters import MemberFilter
from scim_bridge.domain.moments import read_deadline, read_moment
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import MemberState
from scim_bridge.errors import Conflict, Invalid, NotFound
from scim_bridge.identity import deactivation
from scim_bridge.identity.authority import require
from scim_bridge.identity.member_states import USERS, require_over
from scim_bridge.identity.names import the_member, the_organization
from scim_bridge.store import reviews as store
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import add_change, new_change
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.member_lists import list_members
from scim_bridge.store.reviews import Review as Review
from scim_bridge.store.reviews import ReviewItem as ReviewItem

KEEP, DEACTIVATE = "keep", "deactivate"
MOST_PEOPLE = 10_000
LONGEST_NAME = 128


@dataclass(frozen=True, slots=True)
class ReviewShown:
    """A review and everybody in it; ``overdue``: it is open, and its deadline has passed."""

    review: Review
    items: tuple[ReviewItem, ...]
    overdue: bool


def open_review(
    database: Database,
    actor: Actor,
    organization: str,
    name: str,
    days: int,
    deadline: str,
    request_id: str | None = None,
) -> ReviewShown:
    """
    Begin a review of everybody who was not active for so many days.

    Nothing happens to anybody by that, nor by the deadline. Raises Invalid, and Conflict when nobody is dormant.
    """
    called = name.strip()
    if not called or len(called) > LONGEST_NAME or not called.isprintable():
        raise Invalid(f"A review's name has 1 to {LONGEST_NAME} printable characters.", field="name")
    if not 1 <= days <= 3650:
        raise Invalid("Dormant is said in days: 1 to 3650.", field="days")
    with database.write() as connection:
        owner = the_organization(connection, organization)
        require(connection, actor, owner.id, USERS)
        at = now()
        until = read_deadline(deadline, at)
        dormant = MemberFilter(states=(MemberState.ACTIVE,), dormant_before=read_moment(f"{days}d", at))
        found, _ = list_members(connection, owner.id, dormant, at, MOST_PEOPLE)
        if not found:
            raise Conflict(f"Nobody is dormant: everybody was active within {days} days.")
        change = new_change(owner.id, actor, "review.opened", at, request_id)
        add_change(connection, change, called)
        made = store.insert_review(connection, change, called, days, until, [each.id for each in found])
        add_audit(connection, change, "review.opened", "review", made, {"name": called, "people": len(found)})
        return _shown(connection, owner.id, made)


def list_all(database: Database, organization: str) -> list[Review]:
    """Return an organization's reviews, the newest first."""
    with database.read() as connection:
        return store.list_reviews(connection, the_organization(connection, organization).id)


def show(database: Database, organization: str, review_id: str) -> ReviewShown:
    """Return a review; raises NotFound."""
    with database.read() as connection:
        return _shown(connection, the_organization(connection, organization).id, review_id)


def decide(
    database: Database,
    actor: Actor,
    organization: str,
    review_id: str,
    person: str,
    decision: str,
    request_id: str | None = None,
) -> ReviewShown:
    """
    Keep a person, or deactivate them at once, which the deactivation of any door is.

    Raises Conflict for a review that is closed, and Refused for the last working owner.
    """
    if decision not in (KEEP, DEACTIVATE):
        raise Invalid(f"{decision!r} is no decision: keep or deactivate.", field="decision")
    with database.write() as connection:
        owner = the_organization(connection, organization)
        found = the_member(connection, owner.id, person)
        require_over(connection, actor, owner.id, found.id, USERS)
        _require_open(_shown(connection, owner.id, review_id).review)
        change = new_change(owner.id, actor, "review.decided", now(), request_id)
        add_change(connection, change, found.user_name)
        if not store.decide(connection, change, review_id, found.id, decision):
            raise NotFound(f"{found.user_name} is not in this review.")
        add_audit(connection, change, "review.decided", "member", found.id, {"review": review_id, "decision": decision})
        if decision == DEACTIVATE:
            deactivation.deactivate(connection, change, found.id, by_hand=True)
        return _shown(connection, owner.id, review_id)


def close(
    database: Database, actor: Actor, organization: str, review_id: str, request_id: str | None = None
) -> ReviewShown:
    """End a review; whoever was not decided about stays as they are."""
    with database.write() as connection:
        owner = the_organization(connection, organization)
        require(connection, actor, owner.id, USERS)
        found = _shown(connection, owner.id, review_id).review
        _require_open(found)
        change = new_change(owner.id, actor, "review.closed", now(), request_id)
        add_change(connection, change, found.name)
        store.close_review(connection, change, found.id)
        detail = {"name": found.name, "people": found.people, "undecided": found.undecided}
        add_audit(connection, change, "review.closed", "review", found.id, detail)
        return _shown(connection, owner.id, review_id)


def _require_open(found: Review) -> None:
    if found.closed_at is not None:
        raise Conflict(f"The review {found.name} is closed.")


def _shown(connection: Connection, organization_id: OrganizationId, review_id: str) -> ReviewShown:
    found = store.find_review(connection, organization_id, review_id)
    if found is None:
        raise NotFound(f"There is no review {review_id!r} in this organization.")
    overdue = found.closed_at is None and found.deadline <= now()
    return ReviewShown(found, tuple(store.items_of(connection, found.id)), overdue)
