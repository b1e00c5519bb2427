"""What Okta sends about groups: Group Push by PATCH, and by PUT from the wizard's apps."""

import pytest

from tests.conversations.talk import Talk, entries, person
from tests.scim.doors import document, refusal


@pytest.fixture
def people(okta: Talk) -> list[str]:
    """Create three people."""
    return [okta.create("okta/user-create", **person(f"{name}@acme.example")) for name in ("ada", "bob", "cyd")]


def test_a_group_is_looked_up_created_named_again_and_read(okta: Talk) -> None:
    # Rows 1.6, 1.20, 1.26, 1.27.
    missing = okta.found("okta/group-lookup", group_name="Engineers")
    group_id = okta.create("okta/group-create", group_name="Engineers")
    renamed = okta.say("okta/group-rename", id=group_id, group_name="Engineers")

    assert missing == []
    assert (renamed.status_code, renamed.data) == (204, b"")
    assert okta.found("okta/group-lookup", group_name="engineers") == [group_id]
    found = document(okta.say("okta/group-get", id=group_id))
    assert (found["displayName"], found["members"]) == ("Engineers", [])
    assert okta.group(group_id)["version"] == 1


def test_a_second_group_of_that_name_is_a_conflict(okta: Talk) -> None:
    # Row 1.43.
    okta.create("okta/group-create", group_name="Engineers")

    answer = okta.say("okta/group-create", group_name="ENGINEERS")

    assert refusal(answer) == (409, "uniqueness")
    assert len(okta.world.rows("user_group")) == 1


def test_a_rename_has_no_path_and_names_the_id(okta: Talk, people: list[str]) -> None:
    # Rows 1.10, 1.26, 1.27.
    group_id = okta.create("okta/group-create", group_name="Engineers")
    okta.say("okta/group-members-add", id=group_id, added=entries(*people))

    answer = okta.say("okta/group-rename", id=group_id, group_name="Makers")

    assert answer.status_code == 204
    assert okta.group(group_id)["display_name"] == "Makers"
    assert okta.members(group_id) == set(people)


def test_people_go_in_and_out_by_one_request(okta: Talk, people: list[str]) -> None:
    # Rows 1.23, 1.24, 2.5.
    ada, bob, cyd = people
    group_id = okta.create("okta/group-create", group_name="Engineers")
    added = okta.say("okta/group-members-add", id=group_id, added=entries(ada, bob))

    changed = okta.say("okta/group-members-change", id=group_id, removed=entries(ada), added=entries(cyd))

    assert (added.status_code, changed.status_code) == (204, 204)
    assert okta.members(group_id) == {bob, cyd}
    assert okta.directory.members(group_id) == {bob, cyd}


def test_several_people_go_out_one_operation_each(okta: Talk, people: list[str]) -> None:
    # Rows 1.10, 1.23, 1.24: a server that reads the first one only leaves the others in.
    ada, bob, cyd = people
    group_id = okta.create("okta/group-create", group_name="Engineers")
    okta.say("okta/group-members-add", id=group_id, added=entries(*people))

    answer = okta.say("okta/group-members-remove", id=group_id, removed=entries(ada, cyd))

    assert answer.status_code == 204
    assert okta.members(group_id) == {bob}


def test_a_stale_member_does_not_lose_the_push(okta: Talk, people: list[str]) -> None:
    # Row 2.5: 400 would be final for Okta.
    group_id = okta.create("okta/group-create", group_name="Engineers")

    answer = okta.say("okta/group-members-add", id=group_id, added=entries(people[0], "long-gone", people[1]))

    assert answer.status_code == 204
    assert okta.members(group_id) == set(people[:2])
    assert okta.parked(group_id) == {"long-gone"}
    assert okta.directory.members(group_id) == set(people[:2])


def test_push_now_makes_the_group_exactly_that(okta: Talk, people: list[str]) -> None:
    # Rows 1.10, 1.25.
    ada, bob, cyd = people
    group_id = okta.create("okta/group-create", group_name="Engineers")
    okta.say("okta/group-members-add", id=group_id, added=entries(ada, bob, "long-gone"))

    answer = okta.say("okta/group-members-replace", id=group_id, members=entries(bob, cyd))

    assert answer.status_code == 204
    assert okta.members(group_id) == {bob, cyd}
    assert okta.parked(group_id) == set()
    # Who is merely missing from a list was not asked to go by name: that waits for the brakes of the clusters.
    assert okta.asked_for_removals() == set()


def test_push_now_of_an_empty_group_empties_that_group_only(okta: Talk, people: list[str]) -> None:
    # Row 1.25.
    emptied = okta.create("okta/group-create", group_name="Engineers")
    other = okta.create("okta/group-create", group_name="Makers")
    for group_id in (emptied, other):
        okta.say("okta/group-members-add", id=group_id, added=entries(*people))

    answer = okta.say("okta/group-members-clear", id=emptied)

    assert answer.status_code == 204
    assert okta.members(emptied) == set()
    assert okta.members(other) == set(people)


def test_the_wizards_apps_put_the_whole_group(okta: Talk, people: list[str]) -> None:
    # Rows 1.9, 2.5: `members.value` is immutable, the list is not.
    ada, bob, cyd = people
    group_id = okta.create("okta/group-create", group_name="Engineers")
    okta.say("okta-aiw/group-replace", id=group_id, group_name="Engineers", members=entries(ada, bob))

    answer = okta.say("okta-aiw/group-replace", id=group_id, group_name="Makers", members=entries(bob, cyd))

    found = document(answer)
    assert (answer.status_code, found["displayName"]) == (200, "Makers")
    assert {each["value"] for each in found["members"]} == {bob, cyd}
    assert okta.members(group_id) == {bob, cyd}


def test_linking_a_group_leaves_its_members_alone(okta: Talk, people: list[str]) -> None:
    # Row 2.5: "Link group" adopts an existing one.
    group_id = okta.create("okta/group-create", group_name="Engineers")
    okta.say("okta/group-members-add", id=group_id, added=entries(people[0]))

    linked = okta.found("okta/group-lookup", group_name="Engineers")
    okta.say("okta/group-rename", id=linked[0], group_name="Engineers")
    okta.say("okta/group-members-add", id=linked[0], added=entries(people[1]))

    assert linked == [group_id]
    assert okta.members(group_id) == set(people[:2])


def test_a_deleted_group_is_gone_and_its_people_are_not(okta: Talk, people: list[str]) -> None:
    # Row 2.5.
    group_id = okta.create("okta/group-create", group_name="Engineers")
    okta.say("okta/group-members-add", id=group_id, added=entries(*people))

    answer = okta.say("okta/group-delete", id=group_id)

    assert answer.status_code == 204
    assert refusal(okta.say("okta/group-get", id=group_id)) == (404, None)
    assert okta.members(group_id) == set()
    assert {okta.state(each) for each in people} == {"active"}
    assert okta.create("okta/group-create", group_name="Engineers") != group_id


def test_an_import_reads_every_group_once(okta: Talk, people: list[str]) -> None:
    # Row 1.28.
    made = {okta.directory.create_group(f"group {number}", people[0]) for number in range(103)}

    pages = [document(okta.say("okta/groups-import", start_index=start)) for start in (1, 101)]

    assert [page["totalResults"] for page in pages] == [103, 103]
    assert [page["itemsPerPage"] for page in pages] == [100, 3]
    assert {each["id"] for page in pages for each in page["Resources"]} == made
    assert all([member["value"] for member in each["members"]] == [people[0]] for each in pages[0]["Resources"])
