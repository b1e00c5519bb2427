"""Discovery documents say what works, and nothing else."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.scim.doors import ENTERPRISE_URN, USER_URN, Directory, document, refusal, replace

DOCUMENTS = ["/ServiceProviderConfig", "/ResourceTypes", "/ResourceTypes/User", "/Schemas", f"/Schemas/{USER_URN}"]


@pytest.mark.parametrize("target", DOCUMENTS)
def test_what_the_server_can_do_is_no_secret(okta: Directory, target: str) -> None:
    answer = okta.client.get(f"/scim/v2{target}")

    assert answer.status_code == 200
    assert document(answer) == document(okta.get(target))
    assert ":null" not in answer.text


@pytest.mark.parametrize("target", DOCUMENTS)
def test_a_wrong_token_is_refused_even_there(okta: Directory, target: str) -> None:
    # A connection test that reads only discovery must not call a wrong token good.
    answer = okta.request("GET", target, headers={"Authorization": "Bearer wrong"})

    assert refusal(answer) == (401, None)


@pytest.mark.parametrize("target", ["/ResourceTypes/Device", "/Schemas/urn:example:nothing"])
def test_what_is_not_described_is_not_here(okta: Directory, target: str) -> None:
    assert refusal(okta.get(target)) == (404, None)


@pytest.mark.parametrize("target", ["/ResourceTypes", "/Schemas"])
def test_discovery_cannot_be_filtered(okta: Directory, target: str) -> None:
    # RFC 7644 §4.
    assert refusal(okta.get(f'{target}?filter=name eq "User"')) == (403, None)


def test_every_part_of_the_configuration_is_there_and_true(okta: Directory) -> None:
    # authentik falls back to PUT with all members where it misses a part.
    found = document(okta.get("/ServiceProviderConfig"))
    user_id = okta.create_user("ada", password="secret")

    assert found["patch"]["supported"] is True
    assert okta.patch(f"/Users/{user_id}", replace("title", "x")).status_code == 200
    assert found["bulk"] == {"supported": True, "maxOperations": 1000, "maxPayloadSize": 4 * 1024 * 1024}
    assert okta.post("/Bulk", {"Operations": [{"method": "DELETE", "path": "/Users/x"}]}).status_code == 200
    assert found["filter"] == {"supported": True, "maxResults": 1000}
    assert okta.names('/Users?filter=userName eq "ada"') == ["ada"]
    assert found["changePassword"]["supported"] is False
    assert found["sort"]["supported"] is True
    assert okta.names("/Users?sortBy=userName") == ["ada"]
    assert found["etag"]["supported"] is True
    assert okta.get(f"/Users/{user_id}").headers["ETag"] == 'W/"2"'
    assert [each["type"] for each in found["authenticationSchemes"]] == ["oauthbearertoken"]


def test_every_schema_that_a_resource_type_names_is_described(okta: Directory) -> None:
    kinds = document(okta.get("/ResourceTypes"))["Resources"]
    named = {kind["schema"] for kind in kinds}
    named |= {each["schema"] for kind in kinds for each in kind.get("schemaExtensions", [])}

    described = {each["id"]: each for each in document(okta.get("/Schemas"))["Resources"]}

    assert named == set(described) == {USER_URN, ENTERPRISE_URN, USER_URN.replace("User", "Group")}
    for urn, schema in described.items():
        assert document(okta.get(f"/Schemas/{urn}")) == schema
        assert schema["meta"]["location"] == f"https://scim.example/scim/v2/Schemas/{urn}"


def test_what_was_named_after_many_clients_were_written_is_not_named_without_need(okta: Directory) -> None:
    # Canaille's library forbids what it does not know, and takes the server for none: who wants RFC 9865's part sets
    # advertise_cursors.
    assert "pagination" not in document(okta.get("/ServiceProviderConfig"))


def test_what_clients_send_and_is_not_kept_is_described_as_such(okta: Directory) -> None:
    # Canaille builds what it sends from these, and cannot begin where one is missing.
    user, group = (
        _names(document(okta.get(f"/Schemas/{urn}"))) for urn in (USER_URN, USER_URN.replace("User", "Group"))
    )
    display = {part["name"]: part for part in group["members"]["subAttributes"]}["display"]

    assert {"userName", "emails", "groups"} <= user.keys()
    assert (user["password"]["mutability"], user["password"]["returned"]) == ("writeOnly", "never")
    assert "unread" in user["password"]["description"]
    assert (display["mutability"], display["returned"]) == ("readOnly", "request")


def test_a_user_is_what_the_schema_calls_one(okta: Directory) -> None:
    user_id = okta.create_user("ada", name={"givenName": "Ada"}, **{ENTERPRISE_URN: {"department": "Engines"}})
    okta.create_group("Engineers", user_id)

    user = okta.user(user_id)

    described = _names(document(okta.get(f"/Schemas/{USER_URN}")))
    assert user.keys() - described.keys() == {"schemas", "id", "meta", ENTERPRISE_URN}
    parts = {part["name"] for part in described["groups"]["subAttributes"]}
    assert user["groups"][0].keys() == parts


def _names(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {each["name"]: each for each in schema["attributes"]}
