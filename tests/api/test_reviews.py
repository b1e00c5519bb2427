"""Reviews of who is dormant, and a directory's rule for leavers, over REST."""

from datetime import timedelta

import pytest

from scim_bridge.store.clock import now
from tests.api.rest import Person, Rest, fields, problem
from tests.identity.people import member_id, put_person, was_active
from tests.identity.provider import Provider


@pytest.fixture
def admin(rest: Rest) -> Person:
    """Return an admin of acme with a token, and let somebody have been away for a year."""
    long_ago = now() - timedelta(days=365)
    was_active(rest.database, put_person(rest.database, "asleep@x.example"), long_ago, long_ago)
    return rest.with_role("admin")


def test_a_review_is_opened_decided_and_closed(admin: Person) -> None:
    opened = admin.inside("POST", "/reviews", {"name": "Autumn", "days": 30, "deadline": "7d"})
    (listed,) = admin.items("/reviews")
    decision = {"member": "asleep@x.example", "decision": "deactivate"}
    decided = admin.ok("POST", f"/reviews/{listed['id']}/decisions", decision)
    closed = admin.ok("POST", f"/reviews/{listed['id']}/close")

    assert (opened.status_code, listed["people"], decided["items"][0]["state"]) == (201, 1, "deactivated")
    assert closed["review"]["closed_at"] is not None
    assert problem(admin.inside("POST", f"/reviews/{listed['id']}/close")) == (409, "conflict")


def test_who_is_dormant_is_a_condition_of_the_list(admin: Person) -> None:
    assert [each["member"]["user_name"] for each in admin.items("/members?dormant_days=90")] == ["asleep@x.example"]


def test_a_viewer_reads_reviews_and_decides_nothing(rest: Rest, admin: Person, viewer: Person) -> None:
    made = admin.ok("POST", "/reviews", {"name": "Autumn", "days": 30, "deadline": "7d"})["review"]
    decision = {"member": "asleep@x.example", "decision": "deactivate"}

    refused = [
        viewer.inside("POST", "/reviews", {"name": "Mine", "days": 30, "deadline": "7d"}),
        viewer.inside("POST", f"/reviews/{made['id']}/decisions", decision),
        viewer.inside("POST", f"/reviews/{made['id']}/close"),
    ]

    assert [problem(each) for each in refused] == [(403, "refused")] * 3
    assert viewer.ok("GET", f"/reviews/{made['id']}")["review"]["undecided"] == 1
    assert rest.database is not None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"days": 30, "deadline": "7d"}, "name"),
        ({"name": "x", "days": 0, "deadline": "7d"}, "days"),
        ({"name": "x", "days": 30, "deadline": "soon"}, "expires"),
    ],
)
def test_what_makes_no_sense_marks_its_field(admin: Person, body: dict[str, object], field: str) -> None:
    assert fields(admin.inside("POST", "/reviews", body)) == {field}


def test_another_organizations_review_is_not_there(rest: Rest, admin: Person) -> None:
    made = admin.ok("POST", "/reviews", {"name": "Autumn", "days": 30, "deadline": "7d"})["review"]
    boss = rest.with_role("owner", organization="globex")

    assert problem(boss.inside("GET", f"/reviews/{made['id']}")) == (404, "not-found")
    assert member_id(rest.database, "asleep@x.example") is not None


def test_the_rule_for_leavers_is_set_and_shown(rest: Rest, admin: Person, viewer: Person) -> None:
    Provider.connect(rest.database)
    path = "/directories/okta/deprovisioning"

    before = admin.ok("GET", path)
    after = admin.ok("PUT", path, {"grace_days": 30, "delete_suspends": True})
    refused = viewer.inside("PUT", path, {"grace_days": 1})
    wrong = admin.inside("PUT", path, {"grace_days": -1})
    nowhere = admin.inside("GET", "/directories/moon/deprovisioning")

    assert before == {"grace_days": None, "delete_suspends": False}
    assert after == admin.ok("GET", path) == {"grace_days": 30, "delete_suspends": True}
    assert (problem(refused), problem(nowhere)) == ((403, "refused"), (404, "not-found"))
    assert fields(wrong) == {"grace_days"}
