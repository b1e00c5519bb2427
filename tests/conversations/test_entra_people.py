"""What Entra sends about people in its default dialect: one operation an attribute, booleans as strings."""

import pytest

from tests.conversations.talk import Talk, person
from tests.scim.doors import ENTERPRISE_URN, document, refusal

GHOST = "5f1ab44e-93d5-4cf0-8a41-0e0f7b1d2c69"


def test_the_connection_test_finds_nobody_and_is_content(entra: Talk) -> None:
    # Rows 1.2, 1.5, 1.20, 1.21.
    assert entra.found("entra/test-connection", random_id=GHOST) == []
    assert entra.found("entra/test-connection-groups", random_id=GHOST) == []


def test_the_provisioning_page_reads_schemas_without_nulls(entra: Talk) -> None:
    # Row 1.37.
    answer = entra.say("entra/schemas")

    found = document(answer)
    assert answer.status_code == 200
    assert found["totalResults"] == len(found["Resources"]) == 3
    assert ":null" not in answer.text
    assert ENTERPRISE_URN in {each["id"] for each in found["Resources"]}


def test_a_person_is_created_with_everything_as_it_was_sent(entra: Talk) -> None:
    # Rows 1.6, 1.36, 1.40, 2.4: addresses is null, roles is empty, meta is the client's.
    user_id = entra.create("entra/user-create", email="ada_k@corp.local")

    found = document(entra.say("entra/user-get", id=user_id))
    assert found["phoneNumbers"] == [{"type": "work", "value": "+44 (0)20-7946 0018"}]
    assert found["emails"] == [{"primary": True, "type": "work", "value": "ada_k@corp.local"}]
    assert found[ENTERPRISE_URN] == {"department": "Engines", "employeeNumber": "1815"}
    assert found["meta"]["location"].endswith(user_id)
    assert found["schemas"] == ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE_URN]
    assert not {"addresses", "roles"} & found.keys()
    assert entra.row(user_id)["external_id"] == "00u1ada"


def test_the_enterprise_schema_may_be_named_without_one_of_its_attributes(entra: Talk) -> None:
    # Rows 1.6, 2.4.
    user_id = entra.create("entra/user-create-sparse")

    found = document(entra.say("entra/user-get", id=user_id))
    assert found["schemas"] == ["urn:ietf:params:scim:schemas:core:2.0:User"]
    assert found["name"]["formatted"] == "Ada King"


def test_people_may_share_an_external_id_and_an_e_mail(entra: Talk) -> None:
    # Rows 1.14, 2.4: active is a string, and two e-mails are "work".
    first = entra.create("entra/user-create-two-work-emails", other_email="a@acme.example")
    second = entra.create("entra/user-create-two-work-emails", user_name="b@acme.example", other_email="b@acme.example")

    assert first != second
    assert entra.row(first)["active"] is True
    assert [each["value"] for each in entra.stored(second)["emails"]] == ["ada@acme.example", "b@acme.example"]
    assert set(entra.found("entra/user-lookup-external-id")) == {first, second}
    assert set(entra.found("entra/user-lookup-email")) == {first, second}


def test_a_person_is_found_by_each_matching_attribute(entra: Talk) -> None:
    # Rows 1.1, 1.2, 1.3, 1.4.
    ada = entra.create("entra/user-create")
    entra.create("entra/user-create", **person("bob@acme.example"))

    assert entra.found("entra/user-lookup", user_name="Ada@ACME.example") == [ada]
    assert entra.found("entra/user-lookup-external-id", external_id="00u1ada") == [ada]
    assert entra.found("entra/user-lookup-external-id", external_id="00U1ADA") == []
    assert entra.found("entra/user-lookup-email", email="ADA@acme.example") == [ada]
    assert entra.found("entra/user-lookup-email", email="nobody@acme.example") == []


@pytest.mark.parametrize("file", ["entra/user-disable", "entra/user-disable-boolean", "entra/user-disable-lower-case"])
def test_a_leaver_loses_access_however_false_is_spelt(entra: Talk, file: str) -> None:
    # Rows 1.11, 1.13, 1.14, 1.17, 1.27, 2.1: a test of truthiness would keep the leaver in.
    user_id = entra.create("entra/user-create")

    answer = entra.say(file, id=user_id)

    assert answer.status_code == 200
    assert document(answer)["active"] is False
    assert entra.row(user_id)["active"] is False
    assert entra.state(user_id) == "deactivated"
    assert entra.found("entra/user-lookup") == [user_id]


def test_who_is_enabled_again_has_the_groups_that_nobody_sends_again(entra: Talk) -> None:
    # Rows 1.14, 1.19.
    user_id = entra.create("entra/user-create")
    group_id = entra.create("entra/group-create", group_name="Engineers")
    entra.say("entra/group-members-add", id=group_id, added=[{"value": user_id}])
    entra.say("entra/user-disable", id=user_id)

    answer = entra.say("entra/user-enable", id=user_id)

    assert (answer.status_code, document(answer)["active"]) == (200, True)
    assert entra.state(user_id) == "active"
    assert entra.members(group_id) == {user_id}


def test_a_purged_person_is_gone_and_their_name_free(entra: Talk) -> None:
    # Row 1.18.
    user_id = entra.create("entra/user-create")
    entra.say("entra/user-disable", id=user_id)

    answer = entra.say("entra/user-delete", id=user_id)

    assert (answer.status_code, answer.data) == (204, b"")
    assert refusal(entra.say("entra/user-get", id=user_id)) == (404, None)
    assert refusal(entra.say("entra/user-delete", id=user_id)) == (404, None)
    assert refusal(entra.say("entra/user-enable", id=user_id)) == (404, None)
    assert entra.found("entra/user-lookup") == []
    assert entra.state(user_id) == "deactivated"
    assert entra.create("entra/user-create") != user_id


def test_a_rename_keeps_who_the_person_is(entra: Talk) -> None:
    # Rows 1.11, 1.13, 1.15, 1.24, 2.4.
    user_id = entra.create("entra/user-create")
    renamed = {"user_name": "lovelace@acme.example", "email": "lovelace@acme.example", "family_name": "Lovelace"}

    answer = entra.say("entra/user-rename", id=user_id, **renamed)

    assert answer.status_code == 200
    assert entra.row(user_id)["user_name"] == "lovelace@acme.example"
    assert entra.stored(user_id)["emails"] == [{"primary": True, "type": "work", "value": "lovelace@acme.example"}]
    assert entra.stored(user_id)["name"]["familyName"] == "Lovelace"
    assert entra.found("entra/user-lookup", user_name="lovelace@acme.example") == [user_id]
    assert entra.world.rows("member")[0]["user_name"] == "lovelace@acme.example"


def test_a_rename_onto_another_person_changes_nothing_at_all(entra: Talk) -> None:
    # Row 2.4: 409, not 500; and a PATCH is all or nothing.
    entra.create("entra/user-create", **person("taken@acme.example"))
    user_id = entra.create("entra/user-create")
    before = entra.row(user_id)

    answer = entra.say("entra/user-rename", id=user_id, user_name="Taken@acme.example", display_name="Changed")

    assert refusal(answer) == (409, "uniqueness")
    assert entra.row(user_id) == before


def test_many_attributes_are_changed_one_operation_each(entra: Talk) -> None:
    # Rows 1.11, 1.13, 1.15, 1.16, 1.24, 1.40, 2.1.
    user_id = entra.create("entra/user-create-sparse")

    answer = entra.say("entra/user-update", id=user_id, email="new_ada@corp.local", title="Countess")

    stored = entra.stored(user_id)
    assert answer.status_code == 200
    assert stored["displayName"] == "Ada King"
    assert stored["title"] == "Countess"
    assert stored["emails"] == [{"primary": True, "type": "work", "value": "new_ada@corp.local"}]
    assert stored[ENTERPRISE_URN] == {"department": "Engines", "employeeNumber": "1815"}


def test_the_object_id_and_new_attributes_may_come_afterwards(entra: Talk) -> None:
    # Rows 1.13, 2.1.
    user_id = entra.create("entra/user-create")

    told = entra.say("entra/user-external-id", id=user_id, external_id="object-id")
    added = entra.say("entra/user-add-attribute", id=user_id)

    assert (told.status_code, added.status_code) == (200, 200)
    assert entra.row(user_id)["external_id"] == "object-id"
    assert document(added)["nickName"] == "Ada"


def test_a_path_that_matches_nothing_makes_what_it_describes(entra: Talk) -> None:
    # Rows 1.13, 1.15, 1.16: for Add and for Replace.
    user_id = entra.create("entra/user-create")

    answer = entra.say("entra/user-address", id=user_id, postal_code="EC1A", country="GB", phone="+44 7700 900123")

    stored = entra.stored(user_id)
    assert answer.status_code == 200
    assert stored["addresses"] == [{"type": "work", "postalCode": "EC1A", "country": "GB"}]
    assert {"type": "mobile", "value": "+44 7700 900123"} in stored["phoneNumbers"]
    assert len(stored["phoneNumbers"]) == 2


def test_the_primary_e_mail_is_found_by_being_primary(entra: Talk) -> None:
    # Rows 1.13, 1.15.
    user_id = entra.create("entra/user-create-two-work-emails", other_email="second@acme.example")

    entra.say("entra/user-primary-email", id=user_id, email="first@acme.example")

    assert [each["value"] for each in entra.stored(user_id)["emails"]] == ["first@acme.example", "second@acme.example"]
    assert entra.row(user_id)["email_key"] == "first@acme.example"


@pytest.mark.parametrize("file", ["entra/user-manager-add", "entra/user-manager-replace", "entra/user-manager-array"])
@pytest.mark.parametrize("end", ["entra/user-manager-remove", "entra/user-manager-empty"])
def test_a_manager_comes_as_a_bare_string_and_goes_as_an_empty_one(entra: Talk, file: str, end: str) -> None:
    # Rows 1.13, 2.3: the manager may be out of scope, and never arrive.
    user_id = entra.create("entra/user-create")

    answer = entra.say(file, id=user_id, manager_id="boss")
    probed = entra.found("entra/user-manager-probe", id=user_id, manager_id="boss")
    others = entra.found("entra/user-manager-probe", id=user_id, manager_id="BOSS")
    ended = entra.say(end, id=user_id)

    assert answer.status_code == 200
    assert document(answer)[ENTERPRISE_URN]["manager"]["value"] == "boss"
    assert (probed, others) == ([user_id], [])
    assert ended.status_code == 200
    assert "manager" not in entra.stored(user_id)[ENTERPRISE_URN]
    assert entra.found("entra/user-manager-probe", id=user_id, manager_id="boss") == []


def test_a_probe_is_answered_with_the_id_alone(entra: Talk) -> None:
    # Rows 1.4, 2.3.
    user_id = entra.create("entra/user-create-with-manager", manager_id="boss")

    found = document(entra.say("entra/user-manager-probe", id=user_id, manager_id="boss"))["Resources"][0]

    assert found.keys() == {"schemas", "id"}
    assert entra.stored(user_id)[ENTERPRISE_URN] == {"department": "Engines", "manager": {"value": "boss"}}


def test_a_role_may_carry_a_display_name_that_no_rfc_knows(entra: Talk) -> None:
    # Row 2.2.
    user_id = entra.create("entra/user-create-with-role", role="Admin")

    assert entra.stored(user_id)["roles"][0]["value"] == "Admin"
    assert entra.stored(user_id)["roles"][0]["type"] == "WindowsAzureActiveDirectoryRole"


def test_the_single_role_is_found_by_a_quoted_true(entra: Talk) -> None:
    # Rows 1.15, 1.16, 2.2.
    user_id = entra.create("entra/user-create")
    entra.say("entra/user-role-single", id=user_id, role="Viewer")

    answer = entra.say("entra/user-role-single", id=user_id, role="Admin")

    assert answer.status_code == 200
    assert entra.stored(user_id)["roles"] == [{"primary": True, "value": "Admin"}]


def test_roles_are_json_inside_a_string(entra: Talk) -> None:
    # Rows 1.13, 2.1, 2.2: Add keeps what is there, Replace takes roles away too.
    user_id = entra.create("entra/user-create")
    entra.say("entra/user-roles-add", id=user_id, role="Viewer", role_id="06b0")
    entra.say("entra/user-roles-add", id=user_id, role="Admin", role_id="06b1")
    added = entra.stored(user_id)["roles"]

    answer = entra.say("entra/user-roles-replace", id=user_id, roles=[{"role": "Developer", "role_id": "06b2"}])

    assert [each["value"] for each in added] == ["Viewer", "Admin"]
    assert answer.status_code == 200
    assert entra.stored(user_id)["roles"] == [{"value": "Developer", "display": "Developer"}]
