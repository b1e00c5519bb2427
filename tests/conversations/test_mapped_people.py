"""What identity providers really send, under a mapping: everything lands, and people are called as the mapping says."""

from typing import Any

from scim_bridge.identity.attribute_changes import apply, preview
from scim_bridge.web.context import SCIM
from tests.conversations.talk import Talk, person
from tests.scim.doors import ACTOR, document

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
MAPPING: dict[str, Any] = {
    "fields": {
        "user_name": {"from": "userName", "transforms": [{"before": "@"}, "lower"]},
        "external_id": {"from": f"{ENTERPRISE}:employeeNumber", "transforms": [{"replace_prefix": ["18", "uk-"]}]},
        "email": {"from": 'emails[type eq "work"].value', "transforms": ["lower"], "required": True},
        "display_name": {"from": [{"join": ["name.familyName", "name.givenName"], "with": ", "}]},
        "department": {"from": f"{ENTERPRISE}:department", "required": True},
        "cost_center": {"from": f"{ENTERPRISE}:costCenter", "default": "none"},
    }
}


def put(talk: Talk, name: str) -> None:
    """Put the mapping into force, after a look at what it does."""
    database, read_path = talk.world.database, talk.world.app.extensions[SCIM].read_path
    seen = preview(database, ACTOR, "acme", name, read_path, MAPPING)
    apply(database, ACTOR, "acme", name, read_path, MAPPING, seen.hash)


def called(talk: Talk, user_id: str) -> tuple[Any, ...]:
    """Return what the person behind a user is called here."""
    (member,) = talk.world.rows("member", id=talk.row(user_id)["member_id"])
    return member["user_name"], member["external_id"], member["email"], member["display_name"]


def test_entras_person_is_called_as_the_mapping_says_and_answered_as_sent(entra: Talk) -> None:
    put(entra, "entra")

    answer = entra.say("entra/user-create", user_name="ADA@acme.example", email="Ada@Acme.example")

    assert answer.status_code == 201
    sent = document(answer)
    assert (sent["userName"], sent["externalId"]) == ("ADA@acme.example", "00u1ada")
    assert sent["emails"] == [{"primary": True, "type": "work", "value": "Ada@Acme.example"}]
    assert called(entra, sent["id"]) == ("ada", "uk-15", "ada@acme.example", "King, Ada")
    assert entra.found("entra/user-lookup", user_name="ada@acme.example") == [sent["id"]]


def test_entras_update_is_mapped_like_its_creation(entra: Talk) -> None:
    put(entra, "entra")
    ada = entra.create("entra/user-create")

    answer = entra.say("entra/user-update", id=ada, family_name="Lovelace", email="L@x.example", employee_number="1852")

    assert answer.status_code == 200
    assert called(entra, ada) == ("ada", "uk-52", "l@x.example", "Lovelace, Ada")
    assert entra.asked_for_removals() == {entra.row(ada)["member_id"]}


def test_oktas_person_without_a_department_comes_in_and_is_told_of(okta: Talk) -> None:
    put(okta, "okta")

    ada = okta.create("okta/user-create", **person("ada@acme.example"))

    assert called(okta, ada) == ("ada", None, "ada@acme.example", "King, Ada")
    assert okta.row(ada)["lacks"] == "department"
    assert okta.state(ada) == "active"


def test_oktas_leaver_leaves_whatever_the_mapping_requires(okta: Talk) -> None:
    ada = okta.create("okta/user-create", **person("ada@acme.example"))
    put(okta, "okta")

    answer = okta.say("okta-aiw/user-deactivate", id=ada, **person("ada@acme.example", email=""))

    assert answer.status_code == 200
    assert okta.state(ada) == "deactivated"
    # The address was emptied with it; what is required stays as it was.
    assert called(okta, ada)[2] == "ada@acme.example"


def test_people_who_were_here_before_are_mapped_when_the_mapping_comes(okta: Talk) -> None:
    people = [okta.create("okta/user-create", **person(f"{name}@acme.example")) for name in ("ada", "bob")]

    put(okta, "okta")

    assert [called(okta, each)[0] for each in people] == ["ada", "bob"]
    assert okta.asked_for_removals() == {okta.row(each)["member_id"] for each in people}
