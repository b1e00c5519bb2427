"""What Entra sends with ``?aadOptscim062020``: the form of the RFC, with dotted names in values without a path."""

import pytest

from tests.conversations.talk import Talk, person
from tests.scim.doors import ENTERPRISE_URN, document


@pytest.fixture
def ada(entra: Talk) -> str:
    """Create a person."""
    return entra.create("entra/user-create")


def test_the_flag_in_the_query_means_nothing(entra: Talk, ada: str) -> None:
    # Rows 1.1, 1.2, 1.3, 1.5, 2.1.
    assert entra.found("entra-flag/test-connection", random_id="5f1ab44e") == []
    assert entra.found("entra-flag/user-lookup", user_name="ADA@acme.example") == [ada]


@pytest.mark.parametrize("file", ["entra-flag/user-disable", "entra-flag/user-disable-without-path"])
def test_a_leaver_loses_access_and_may_come_back(entra: Talk, ada: str, file: str) -> None:
    # Rows 1.11, 1.12, 1.17, 1.19, 1.27, 2.1.
    answer = entra.say(file, id=ada)
    left = entra.state(ada)
    again = entra.say("entra-flag/user-enable", id=ada)

    assert (answer.status_code, document(answer)["active"], left) == (200, False, "deactivated")
    assert (again.status_code, entra.state(ada)) == (200, "active")


def test_many_attributes_come_in_one_value_with_dotted_names(entra: Talk) -> None:
    # Rows 1.12, 1.15, 1.16, 1.24, 2.1.
    user_id = entra.create("entra/user-create-sparse")

    answer = entra.say("entra-flag/user-update", id=user_id, given_name="Augusta", title="Countess")

    stored = entra.stored(user_id)
    assert answer.status_code == 200
    assert stored["name"] == {"formatted": "Ada King", "familyName": "King", "givenName": "Augusta"}
    assert stored[ENTERPRISE_URN] == {"department": "Engines", "employeeNumber": "1815"}
    assert not [key for key in stored if "." in key and not key.startswith("urn:")]


def test_a_rename_and_an_addition_keep_everything_else(entra: Talk, ada: str) -> None:
    # Rows 1.11, 1.12, 1.15, 1.24, 2.1, 2.4.
    renamed = entra.say(
        "entra-flag/user-rename", id=ada, user_name="l@acme.example", email="l@acme.example", family_name="Lovelace"
    )
    added = entra.say("entra-flag/user-add-attribute", id=ada)

    stored = entra.stored(ada)
    assert (renamed.status_code, added.status_code) == (200, 200)
    assert entra.row(ada)["user_name"] == "l@acme.example"
    assert stored["name"]["familyName"] == "Lovelace"
    assert stored["name"]["givenName"] == "Ada"
    assert stored["nickName"] == "Ada"
    assert stored["emails"][0]["value"] == "l@acme.example"


def test_the_manager_is_still_a_bare_string(entra: Talk, ada: str) -> None:
    # Rows 2.1, 2.3.
    boss = entra.create("entra/user-create", **person("boss@acme.example"))

    answer = entra.say("entra-flag/user-manager-add", id=ada, manager_id=boss)

    assert document(answer)[ENTERPRISE_URN]["manager"] == {"value": boss}


def test_roles_are_objects(entra: Talk, ada: str) -> None:
    # Rows 2.1, 2.2.
    entra.say("entra-flag/user-roles-add", id=ada, role="Viewer", role_id="06b0")
    added = entra.stored(ada)["roles"]

    entra.say("entra-flag/user-roles-replace", id=ada, roles=[{"role": "Admin", "role_id": "06b1"}])
    replaced = entra.stored(ada)["roles"]
    entra.say("entra-flag/user-roles-replace", id=ada, roles=[])

    assert [each["value"] for each in added] == ["Viewer"]
    assert [each["value"] for each in replaced] == ["Admin"]
    assert "roles" not in entra.stored(ada)


def test_members_go_in_and_out_as_the_rfc_has_it(entra: Talk, ada: str) -> None:
    # Rows 1.23, 1.24, 2.1.
    bob = entra.create("entra/user-create", **person("bob@acme.example"))
    group_id = entra.create("entra/group-create", group_name="Engineers")

    added = entra.say("entra-flag/group-members-add", id=group_id, added=[{"value": ada}])
    changed = entra.say(
        "entra-flag/group-members-change", id=group_id, removed=[{"value": ada}], added=[{"value": bob}]
    )
    inside = entra.members(group_id)
    removed = entra.say("entra-flag/group-members-remove", id=group_id, removed=[{"value": bob}, {"value": ada}])

    assert [each.status_code for each in (added, changed, removed)] == [204, 204, 204]
    assert inside == {bob}
    assert entra.members(group_id) == set()


def test_a_group_is_renamed_by_its_path(entra: Talk) -> None:
    # Rows 1.11, 1.27, 2.1.
    group_id = entra.create("entra/group-create", group_name="Engineers")

    answer = entra.say("entra-flag/group-rename", id=group_id, group_name="Makers")

    assert (answer.status_code, answer.data) == (204, b"")
    assert entra.group(group_id)["display_name"] == "Makers"
