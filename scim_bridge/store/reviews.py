"""Reviews of dormant people, as rows: who is asked about, and what somebody decided."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import MemberId, MemberState
from scim_bridge.store.changes import Change
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.schema import member, review, review_item


@dataclass(frozen=True, slots=True)
class Review:
    """One round of looking at who is dormant; ``undecided`` people are left as they are."""

    id: str
    name: str
    dormant_days: int
    opened_by: str
    opened_at: datetime
    deadline: datetime
    closed_at: datetime | None
    people: int
    undecided: int


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """One person of a review, and what somebody decided about them."""

    member_id: MemberId
    user_name: str
    state: MemberState
    last_active_at: datetime | None
    decision: str | None
    decided_by: str | None
    decided_at: datetime | None


def insert_review(
    connection: sa.Connection, change: Change, name: str, dormant_days: int, deadline: datetime, people: list[MemberId]
) -> str:
    """Add a review of these people."""
    made = new_id()
    values: dict[str, Any] = {"id": made, "organization_id": change.organization_id, "name": name}
    values |= {"dormant_days": dormant_days, "opened_by": change.actor.name[:320]}
    connection.execute(sa.insert(review).values(opened_at=change.at, deadline=deadline, **values))
    rows = [{"review_id": made, "member_id": each, "organization_id": change.organization_id} for each in people]
    if rows:
        connection.execute(sa.insert(review_item), rows)
    return made


def list_reviews(connection: sa.Connection, organization_id: OrganizationId) -> list[Review]:
    """Return an organization's reviews, the newest first."""
    query = _reviews().where(review.c.organization_id == organization_id)
    return [Review(*row) for row in connection.execute(query.order_by(review.c.id.desc()))]


def find_review(connection: sa.Connection, organization_id: OrganizationId, review_id: str) -> Review | None:
    """Return the organization's review with this id."""
    query = _reviews().where(review.c.organization_id == organization_id, review.c.id == review_id)
    row = connection.execute(query).first()
    return None if row is None else Review(*row)


def items_of(connection: sa.Connection, review_id: str) -> list[ReviewItem]:
    """Return the people of a review, by userName."""
    query = (
        sa.select(
            member.c.id,
            member.c.user_name,
            member.c.state,
            member.c.last_active_at,
            review_item.c.decision,
            review_item.c.decided_by,
            review_item.c.decided_at,
        )
        .join(member, member.c.id == review_item.c.member_id)
        .where(review_item.c.review_id == review_id)
        .order_by(member.c.user_name_key, member.c.id)
    )
    rows = connection.execute(query)
    return [ReviewItem(row[0], row[1], MemberState(row[2]), row[3], row[4], row[5], row[6]) for row in rows]


def decide(connection: sa.Connection, change: Change, review_id: str, member_id: MemberId, decision: str) -> bool:
    """Note a decision, and tell whether the person is in the review."""
    query = sa.update(review_item).where(review_item.c.review_id == review_id, review_item.c.member_id == member_id)
    values = {"decision": decision, "decided_by": change.actor.name[:320], "decided_at": change.at}
    return connection.execute(query.values(values)).rowcount > 0


def close_review(connection: sa.Connection, change: Change, review_id: str) -> None:
    """End a review."""
    connection.execute(sa.update(review).where(review.c.id == review_id).values(closed_at=change.at))


def _reviews() -> sa.Select[Any]:
    of_review = sa.select(sa.func.count()).where(review_item.c.review_id == review.c.id).correlate(review)
    return sa.select(
        review.c.id,
        review.c.name,
        review.c.dormant_days,
        review.c.opened_by,
        review.c.opened_at,
        review.c.deadline,
        review.c.closed_at,
        of_review.scalar_subquery(),
        of_review.where(review_item.c.decision.is_(None)).scalar_subquery(),
    )
