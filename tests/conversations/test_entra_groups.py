"""What Entra sends about groups in its default dialect: members go out as a list of values."""

import pytest

from tests.conversations.talk import Talk, person
from tests.scim.doors import document, refusal


@pytest.fixture
def people(entra: Talk) -> list[str]:
    """Create three people."""
    return [entra.create("entra/user-create", **person(f"{name}@acme.example")) for name in ("ada", "bob", "cyd")]


def values(*ids: str) -> list[dict[str, str]]:
    """Return members as Entra lists them."""
    return [{"value": each} for each in ids]


def test_a_group_without_members_and_with_a_schema_of_microsofts(entra: Talk) -> None:
    # Rows 1.6, 1.22.
    group_id = entra.create("entra/group-create", group_name="Engineers", external_id="object-id")

    assert entra.group(group_id)["external_id"] == "object-id"
    assert entra.members(group_id) == set()
    found = document(entra.directory.get(f"/Groups/{group_id}"))
    assert found["schemas"] == ["urn:ietf:params:scim:schemas:core:2.0:Group"]
    assert found["meta"]["resourceType"] == "Group"


def test_members_that_are_not_wanted_are_absent_and_not_empty(entra: Talk, people: list[str]) -> None:
    # Rows 1.20, 1.21.
    group_id = entra.create("entra/group-create", group_name="Engineers")
    entra.say("entra/group-members-add", id=group_id, added=values(*people))

    read = document(entra.say("entra/group-get", id=group_id))
    found = document(entra.say("entra/group-lookup", group_name="ENGINEERS"))

    assert "members" not in read
    assert [each["id"] for each in found["Resources"]] == [group_id]
    assert "members" not in found["Resources"][0]


def test_people_go_in_and_a_second_time_changes_nothing(entra: Talk, people: list[str]) -> None:
    # Rows 1.13, 1.23, 1.24, 1.27.
    group_id = entra.create("entra/group-create", group_name="Engineers")

    answer = entra.say("entra/group-members-add", id=group_id, added=values(*people))
    version = entra.group(group_id)["version"]
    again = entra.say("entra/group-members-add", id=group_id, added=values(*people))

    assert [(each.status_code, each.data) for each in (answer, again)] == [(204, b""), (204, b"")]
    assert entra.members(group_id) == set(people)
    assert entra.group(group_id)["version"] == version


def test_removing_a_list_of_members_removes_those_and_nobody_else(entra: Talk, people: list[str]) -> None:
    # Rows 1.13, 1.23, 1.24, 2.1: a naive reading empties the group.
    ada, bob, cyd = people
    group_id = entra.create("entra/group-create", group_name="Engineers")
    entra.say("entra/group-members-add", id=group_id, added=values(*people))

    answer = entra.say("entra/group-members-remove", id=group_id, removed=values(ada, bob))

    assert answer.status_code == 204
    assert entra.members(group_id) == {cyd}


def test_removing_an_empty_list_removes_nobody(entra: Talk, people: list[str]) -> None:
    # Row 2.1: an empty set is a value.
    group_id = entra.create("entra/group-create", group_name="Engineers")
    entra.say("entra/group-members-add", id=group_id, added=values(*people))

    answer = entra.say("entra/group-members-remove", id=group_id, removed=[])

    assert answer.status_code == 204
    assert entra.members(group_id) == set(people)


def test_people_go_out_and_in_by_one_request(entra: Talk, people: list[str]) -> None:
    # Rows 1.13, 1.23, 1.24, 2.1.
    ada, bob, cyd = people
    group_id = entra.create("entra/group-create", group_name="Engineers")
    entra.say("entra/group-members-add", id=group_id, added=values(ada, bob))

    answer = entra.say("entra/group-members-change", id=group_id, removed=values(ada), added=values(cyd))

    assert answer.status_code == 204
    assert entra.members(group_id) == {bob, cyd}


def test_a_membership_is_probed_without_reading_the_group(entra: Talk, people: list[str]) -> None:
    # Rows 1.4, 2.3.
    group_id = entra.create("entra/group-create", group_name="Engineers")
    entra.say("entra/group-members-add", id=group_id, added=values(people[0]))

    inside = document(entra.say("entra/group-member-probe", id=group_id, user_id=people[0]))
    outside = entra.found("entra/group-member-probe", id=group_id, user_id=people[1])

    assert [each.keys() for each in inside["Resources"]] == [{"schemas", "id"}]
    assert inside["Resources"][0]["id"] == group_id
    assert outside == []


def test_a_group_is_renamed_but_not_onto_another(entra: Talk) -> None:
    # Rows 1.13, 1.27, 1.43.
    group_id = entra.create("entra/group-create", group_name="Engineers")
    entra.create("entra/group-create", group_name="Makers", external_id="other")

    renamed = entra.say("entra/group-rename", id=group_id, group_name="Builders")
    taken = entra.say("entra/group-rename", id=group_id, group_name="makers")

    assert renamed.status_code == 204
    assert refusal(taken) == (409, "uniqueness")
    assert entra.group(group_id)["display_name"] == "Builders"


def test_a_group_that_is_no_longer_assigned_is_deleted(entra: Talk, people: list[str]) -> None:
    # Row 2.4.
    group_id = entra.create("entra/group-create", group_name="Engineers")
    entra.say("entra/group-members-add", id=group_id, added=values(*people))

    answer = entra.say("entra/group-delete", id=group_id)

    assert answer.status_code == 204
    assert refusal(entra.say("entra/group-get", id=group_id)) == (404, None)
    assert entra.found("entra/group-lookup", group_name="Engineers") == []
    assert entra.members(group_id) == set()
