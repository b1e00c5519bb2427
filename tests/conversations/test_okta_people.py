"""What Okta sends about people, in apps of its integration network ("okta") and of the wizard ("okta-aiw")."""

import pytest

from scim_bridge.store import schema
from tests.conversations.talk import PERSON, Talk, person
from tests.scim.doors import document, refusal


def test_the_connection_test_reads_people_and_groups(okta: Talk) -> None:
    # Rows 1.5, 1.28.
    people = document(okta.say("okta/test-connection-users"))
    groups = document(okta.say("okta/test-connection-groups"))

    for found in (people, groups):
        assert found["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:ListResponse"]
        assert (found["totalResults"], found["startIndex"], found["itemsPerPage"]) == (0, 1, 0)
        assert found["Resources"] == []


def test_nobody_is_an_empty_list_and_not_an_error(okta: Talk) -> None:
    # Rows 1.1, 1.2.
    assert okta.found("okta/user-lookup", user_name="nobody@acme.example") == []


def test_a_person_is_created_and_found_again_in_any_case(okta: Talk) -> None:
    # Rows 1.1, 1.3, 1.6, 1.36.
    answer = okta.say("okta/user-create")
    created = document(answer)

    assert answer.status_code == 201
    assert answer.headers["Location"] == created["meta"]["location"]
    assert created["meta"]["location"] == f"https://scim.example/scim/v2/Users/{created['id']}"
    assert (created["userName"], created["active"]) == ("ada@acme.example", True)
    assert "bulkId" not in created["id"]
    assert okta.found("okta/user-lookup", user_name="ADA@Acme.Example") == [created["id"]]
    assert okta.stored(created["id"])["name"] == {"givenName": "Ada", "familyName": "King"}
    assert okta.state(created["id"]) == "active"


def test_a_password_is_answered_kept_and_logged_nowhere(okta: Talk) -> None:
    # Row 1.41.
    created = okta.say("okta/user-create")
    changed = okta.say("okta/user-password", id=document(created)["id"], password="s3cret-of-tomorrow")
    replaced = okta.say("okta-aiw/user-password", id=document(created)["id"], password="s3cret-of-wizards")

    assert [answer.status_code for answer in (created, changed, replaced)] == [201, 200, 200]
    assert "s3cret" not in created.text + changed.text + replaced.text
    assert {row["status"] for row in okta.world.log()} == {200, 201}
    for table in schema.metadata.tables:
        assert "s3cret" not in str(okta.world.rows(table)), table


def test_a_second_person_of_that_name_is_a_conflict_that_an_admin_can_read(okta: Talk) -> None:
    # Rows 1.3, 1.7.
    okta.create("okta/user-create")

    answer = okta.say("okta/user-create", user_name="ADA@acme.example")

    assert refusal(answer) == (409, "uniqueness")
    assert "ada@acme.example" in document(answer)["detail"]
    assert len(okta.world.rows("scim_user")) == 1


def test_people_may_be_posted_as_plain_json_without_an_external_id(okta: Talk) -> None:
    # Rows 1.36, 2.5.
    user_id = okta.create("okta/user-create-plain-json")

    assert okta.row(user_id)["external_id"] is None
    assert okta.say("okta/user-get", id=user_id).content_type == "application/scim+json"


def test_a_profile_is_replaced_as_it_was_sent_empty_texts_and_all(okta: Talk) -> None:
    # Rows 1.10, 1.40, 1.42.
    user_id = okta.create("okta/user-create", email="ada@corp.local")

    answer = okta.say("okta/user-replace", id=user_id, title=" Countess ", email="Ada@Corp.LOCAL")

    assert answer.status_code == 200
    assert document(answer)["title"] == " Countess "
    assert document(answer)["name"] == {"givenName": "Ada", "middleName": "", "familyName": "King"}
    assert okta.stored(user_id)["emails"][0]["value"] == "Ada@Corp.LOCAL"
    assert "groups" not in okta.stored(user_id)
    assert okta.row(user_id)["version"] == 2


@pytest.mark.parametrize("file", ["okta/user-deactivate", "okta-aiw/user-deactivate"])
def test_a_leaver_loses_access_and_stays_readable_with_their_groups(okta: Talk, file: str) -> None:
    # Rows 1.9, 1.10, 1.12, 1.17, 1.19.
    user_id = okta.create("okta/user-create")
    group_id = okta.create("okta/group-create", group_name="Engineers")
    okta.say("okta/group-members-add", id=group_id, added=[{"value": user_id, "display": "Ada"}])

    answer = okta.say(file, id=user_id)

    assert (answer.status_code, document(answer)["active"]) == (200, False)
    assert okta.state(user_id) == "deactivated"
    assert okta.asked_for_removals() == {okta.row(user_id)["member_id"]}
    assert okta.members(group_id) == {user_id}
    assert document(okta.say("okta/user-get", id=user_id))["active"] is False
    assert okta.found("okta/user-lookup", user_name=PERSON["user_name"]) == [user_id]


@pytest.mark.parametrize("file", ["okta/user-activate", "okta-aiw/user-activate"])
def test_who_comes_back_has_what_they_had(okta: Talk, file: str) -> None:
    # Rows 1.9, 1.10, 1.12, 1.19.
    user_id = okta.create("okta/user-create")
    group_id = okta.create("okta/group-create", group_name="Engineers")
    okta.say("okta/group-members-add", id=group_id, added=[{"value": user_id, "display": "Ada"}])
    okta.say("okta/user-deactivate", id=user_id)

    answer = okta.say(file, id=user_id)

    assert (answer.status_code, document(answer)["active"]) == (200, True)
    assert okta.state(user_id) == "active"
    assert okta.members(group_id) == {user_id}


def test_creating_a_leaver_again_revives_them_under_the_same_id(okta: Talk) -> None:
    # Rows 1.6, 1.17: Okta assigns the application to somebody who had it before.
    user_id = okta.create("okta/user-create")
    okta.say("okta/user-deactivate", id=user_id)

    again = okta.create("okta/user-create", title="Countess")

    assert again == user_id
    assert okta.state(user_id) == "active"
    assert okta.stored(user_id)["title"] == "Countess"


def test_the_wizards_apps_replace_people_whole(okta: Talk) -> None:
    # Rows 1.9, 1.40, 1.42.
    user_id = okta.create("okta/user-create")

    answer = okta.say("okta-aiw/user-replace", id=user_id, family_name="Lovelace", user_name="ada.l@acme.example")

    assert answer.status_code == 200
    assert okta.row(user_id)["user_name"] == "ada.l@acme.example"
    assert okta.stored(user_id)["name"]["familyName"] == "Lovelace"
    assert okta.world.rows("member")[0]["user_name"] == "ada.l@acme.example"


def test_an_import_reads_everybody_once_page_by_page(okta: Talk) -> None:
    # Row 1.28.
    for number in range(120):
        okta.create("okta/user-create", **person(f"p{number}@acme.example"))

    pages = [document(okta.say("okta/users-import", start_index=start)) for start in (1, 101, 121)]

    assert [page["totalResults"] for page in pages] == [120, 120, 120]
    assert [page["itemsPerPage"] for page in pages] == [100, 20, 0]
    assert [page["startIndex"] for page in pages] == [1, 101, 121]
    assert len({each["id"] for page in pages for each in page["Resources"]}) == 120


def test_governance_discovers_what_there_is(okta: Talk) -> None:
    # Row 1.38.
    kinds = document(okta.say("okta/resource-types"))
    schemas = document(okta.say("okta/schemas"))

    assert [kind["endpoint"] for kind in kinds["Resources"]] == ["/Users", "/Groups"]
    assert {kind["schema"] for kind in kinds["Resources"]} <= {each["id"] for each in schemas["Resources"]}
