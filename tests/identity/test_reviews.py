"""Reviews of who is dormant: who is in one, what is decided, and what happens to nobody by itself."""

from datetime import timedelta

import pytest
import time_machine

from scim_bridge.domain.actors import Actor
from scim_bridge.errors import Conflict, Invalid, NotFound, Refused
from scim_bridge.identity import organizations, reviews
from scim_bridge.identity.member_lists import MemberQuery, list_page
from scim_bridge.identity.reviews import ReviewShown
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from tests.identity.people import as_person, put_owner, put_person, was_active
from tests.identity.provider import actions, state_of


@pytest.fixture(autouse=True)
def people(database: Database) -> None:
    """Give acme somebody active, somebody who was, somebody who never was, and somebody new."""
    long_ago = now() - timedelta(days=200)
    was_active(database, put_person(database, "busy@x.example"), now(), long_ago)
    was_active(database, put_person(database, "asleep@x.example"), now() - timedelta(days=100), long_ago)
    was_active(database, put_person(database, "never@x.example"), None, long_ago)
    put_person(database, "new@x.example")


def _open(database: Database, actor: Actor, deadline: str = "14d") -> ReviewShown:
    return reviews.open_review(database, actor, "acme", "Autumn", 90, deadline)


def test_dormant_is_who_was_not_active_for_so_long_or_never_since_they_came(database: Database) -> None:
    def dormant(days: int) -> list[str]:
        page = list_page(database, "acme", MemberQuery(dormant_days=days))
        return [each.user_name.partition("@")[0] for each in page.members]

    assert dormant(90) == ["asleep", "never"]
    assert dormant(150) == ["never"]
    assert dormant(300) == []


def test_a_review_asks_about_everybody_dormant_and_changes_nobody(database: Database, actor: Actor) -> None:
    opened = _open(database, actor)

    assert [each.user_name for each in opened.items] == ["asleep@x.example", "never@x.example"]
    assert (opened.review.people, opened.review.undecided, opened.overdue) == (2, 2, False)
    assert {each.state for each in opened.items} == {"active"}


def test_a_decision_keeps_or_deactivates_at_once(database: Database, actor: Actor) -> None:
    made = _open(database, actor).review

    reviews.decide(database, actor, "acme", made.id, "never@x.example", "deactivate")
    after = reviews.decide(database, actor, "acme", made.id, "asleep@x.example", "keep")

    found = {each.user_name: (each.decision, each.decided_by, each.state) for each in after.items}
    assert found == {
        "asleep@x.example": ("keep", "tests", "active"),
        "never@x.example": ("deactivate", "tests", "deactivated"),
    }
    assert after.review.undecided == 0


def test_a_deadline_that_passes_is_told_and_deactivates_nobody(database: Database, actor: Actor) -> None:
    made = _open(database, actor, "2d").review

    with time_machine.travel(now() + timedelta(days=3)):
        shown = reviews.show(database, "acme", made.id)
        closed = reviews.close(database, actor, "acme", made.id)

    assert (shown.overdue, closed.overdue, closed.review.undecided) == (True, False, 2)
    assert {each.state for each in closed.items} == {"active"}


def test_nothing_is_decided_in_a_closed_review(database: Database, actor: Actor) -> None:
    made = _open(database, actor).review
    reviews.close(database, actor, "acme", made.id)

    with pytest.raises(Conflict, match="is closed"):
        reviews.decide(database, actor, "acme", made.id, "never@x.example", "deactivate")
    with pytest.raises(Conflict, match="is closed"):
        reviews.close(database, actor, "acme", made.id)

    assert actions(database).count("review.decided") == 0


def test_the_last_working_owner_is_not_deactivated_by_a_review(database: Database, actor: Actor) -> None:
    owner = put_owner(database, "never@x.example")
    made = _open(database, actor).review

    with pytest.raises(Refused, match="last working owner"):
        reviews.decide(database, actor, "acme", made.id, "never@x.example", "deactivate")

    assert state_of(database, owner) == "active"
    assert reviews.show(database, "acme", made.id).review.undecided == 2


def test_only_the_people_of_a_review_are_decided_about(database: Database, actor: Actor) -> None:
    made = _open(database, actor).review

    with pytest.raises(NotFound, match="not in this review"):
        reviews.decide(database, actor, "acme", made.id, "busy@x.example", "keep")
    with pytest.raises(Invalid) as raised:
        reviews.decide(database, actor, "acme", made.id, "never@x.example", "perhaps")

    assert raised.value.field == "decision"


def test_where_nobody_is_dormant_there_is_nothing_to_review(database: Database, actor: Actor) -> None:
    with pytest.raises(Conflict, match="Nobody is dormant"):
        reviews.open_review(database, actor, "acme", "Autumn", 3000, "14d")

    assert reviews.list_all(database, "acme") == []


@pytest.mark.parametrize(
    ("name", "days", "deadline", "field"),
    [("", 90, "14d", "name"), ("x", 0, "14d", "days"), ("x", 90, "2001-01-01", "expires")],
)
def test_what_makes_no_sense_says_where(
    database: Database, actor: Actor, name: str, days: int, deadline: str, field: str
) -> None:
    with pytest.raises(Invalid) as raised:
        reviews.open_review(database, actor, "acme", name, days, deadline)

    assert raised.value.field == field


def test_a_review_is_its_organizations_and_its_admins(database: Database, actor: Actor) -> None:
    organizations.create(database, actor, "globex")
    made = _open(database, actor).review
    busy = as_person(database, "busy@x.example")

    with pytest.raises(NotFound):
        reviews.show(database, "globex", made.id)
    with pytest.raises(Refused):
        reviews.open_review(database, busy, "acme", "Mine", 90, "14d")
    with pytest.raises(Refused):
        reviews.decide(database, busy, "acme", made.id, "never@x.example", "deactivate")
    with pytest.raises(Refused):
        reviews.close(database, busy, "acme", made.id)

    assert [each.id for each in reviews.list_all(database, "acme")] == [made.id]
