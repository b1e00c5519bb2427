"""Held memberships at the REST door: who, since when, why, and what becomes of them."""

import pytest

from tests.api.rest import Person, Rest, fields, problem
from tests.identity.provider import Provider, removals


@pytest.fixture
def okta(rest: Rest) -> Provider:
    """Have a directory send an empty list for a group of ten."""
    provider = Provider.connect(rest.database)
    group = provider.post_group("devs", *(provider.post(f"user{number}").id for number in range(10)))
    provider.replace(group.id, [])
    return provider


def test_what_is_held_says_who_since_when_and_why(viewer: Person, okta: Provider) -> None:
    found = viewer.items("/holds")

    assert [each["name"] for each in found] == [f"user{number}" for number in range(10)]
    assert {(each["group"], each["directory"], each["kind"]) for each in found} == {("devs", "okta", "person")}
    assert found[0]["why"].startswith("a new member list of okta left it out together with 9 others")
    assert found[0]["request_id"] == found[9]["request_id"]
    assert found[0]["since"] == found[9]["since"]


def test_some_are_let_go_and_the_rest_is_kept(owner: Person, okta: Provider) -> None:
    approved = owner.ok("POST", "/holds/approve", {"group": "devs", "who": ["user0", "user1"]})
    rejected = owner.ok("POST", "/holds/reject", {"everything": True})

    assert approved == {"groups": ["devs"], "people": 2, "nested_groups": 0}
    assert rejected == {"groups": ["devs"], "people": 8, "nested_groups": 0}
    assert owner.items("/holds") == []
    assert len(removals(okta.database)) == 0


@pytest.mark.parametrize("path", ["/holds/approve", "/holds/reject"])
def test_a_decision_names_a_group_or_says_everything(owner: Person, okta: Provider, path: str) -> None:
    answers = [owner.inside("POST", path, body) for body in ({}, {"group": "devs", "everything": True})]

    assert [(problem(each), fields(each)) for each in answers] == [((422, "invalid"), {"body"})] * 2
    assert len(owner.items("/holds")) == 10


@pytest.mark.parametrize("path", ["/holds/approve", "/holds/reject"])
def test_who_and_what_is_not_there_is_not_found(owner: Person, okta: Provider, path: str) -> None:
    nobody = owner.inside("POST", path, {"everything": True, "who": ["nobody"]})
    nowhere = owner.inside("POST", path, {"group": "nowhere"})

    assert problem(nobody) == problem(nowhere) == (404, "not-found")


@pytest.mark.parametrize("path", ["/holds/approve", "/holds/reject"])
def test_whoever_may_not_change_groups_decides_nothing(viewer: Person, okta: Provider, path: str) -> None:
    assert problem(viewer.inside("POST", path, {"everything": True})) == (403, "refused")
    assert len(viewer.items("/holds")) == 10


def test_another_organization_sees_none_of_it(rest: Rest, okta: Provider) -> None:
    stranger = rest.person("eve", organization="evil")
    rest.grant(stranger, "owner")

    assert stranger.items("/holds") == []
    assert stranger.ok("POST", "/holds/approve", {"everything": True})["people"] == 0
