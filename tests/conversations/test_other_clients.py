"""What the other clients of idp-behaviour 2.6 send, as far as their logs and sources show it."""

from typing import Any

import pytest

from scim_bridge.domain.people import DirectoryKind
from tests.scim.doors import Directory, World, document, refusal, replace


@pytest.fixture
def people(client: Directory) -> list[str]:
    """Create three people."""
    return [client.create_user(name) for name in ("ada", "bob", "cyd")]


@pytest.fixture
def client(world: World) -> Directory:
    """Connect some other client."""
    return world.connect("acme", "other", DirectoryKind.GENERIC)


def test_authentik_finds_every_block_of_the_configuration(client: Directory) -> None:
    found = document(client.get("/ServiceProviderConfig"))

    for block in ("patch", "bulk", "filter", "changePassword", "sort", "etag"):
        assert isinstance(found[block]["supported"], bool)
    assert isinstance(found["bulk"]["maxOperations"], int)
    assert isinstance(found["filter"]["maxResults"], int)
    assert found["authenticationSchemes"]


def test_authentik_renames_with_schemas_and_id_and_removes_by_value(client: Directory, people: list[str]) -> None:
    ada, bob, _ = people
    group = client.create_group("Engineers", ada, bob)
    whole = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "id": group, "displayName": "Makers"}

    renamed = client.patch(f"/Groups/{group}", {"op": "replace", "path": None, "value": whole})
    removed = client.patch(f"/Groups/{group}", {"op": "remove", "path": "members", "value": [{"value": ada}]})

    assert (renamed.status_code, removed.status_code) == (204, 204)
    assert client.names("/Groups") == ["Makers"]
    assert client.members(group) == {bob}


def test_authentik_looks_a_group_up_after_a_conflict_and_creates_again_after_404(client: Directory) -> None:
    group = client.create_group("Engineers")

    conflict = client.post("/Groups", {"displayName": "Engineers", "externalId": "a-1"})
    found = client.names('/Groups?filter=displayName eq "Engineers"')
    client.delete(f"/Groups/{group}")
    gone = client.patch(f"/Groups/{group}", replace("displayName", "X"))

    assert refusal(conflict) == (409, "uniqueness")
    assert found == ["Engineers"]
    assert refusal(gone) == (404, None)
    assert client.create_group("Engineers") != group


def test_onelogin_speaks_with_urns_from_before_the_rfc_and_odd_queries(client: Directory) -> None:
    old = {"schemas": ["urn:scim:schemas:core:1.0", "urn:scim:schemas:extension:enterprise:1.0"]}
    enterprise = {"urn:scim:schemas:extension:enterprise:1.0": {"department": "Engines"}}
    made = client.request("POST", "/Users", {**old, "userName": "ada"}, headers={"User-Agent": ""})
    user_id = document(made)["id"]

    found = client.names("/Users?filter=userName+eq+%22ada%22&")
    put = client.put(f"/Users/{user_id}?", {**old, **enterprise, "userName": "ada", "title": "Analyst"})

    assert found == ["ada"]
    assert put.status_code == 200
    extension = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
    assert document(put)[extension] == {"department": "Engines"}
    assert document(put)["schemas"] == ["urn:ietf:params:scim:schemas:core:2.0:User", extension]


def test_jumpcloud_makes_a_test_person_and_a_test_group_and_deletes_both(client: Directory, world: World) -> None:
    user = client.create_user("jumpcloud-test")
    group = client.create_group("jumpcloud-test", user)

    removed = client.patch(f"/Groups/{group}", {"op": "remove", "path": "members", "value": [{"value": user}]})
    answers = [client.delete(f"/Users/{user}"), client.delete(f"/Groups/{group}")]

    assert removed.status_code == 204
    assert [answer.status_code for answer in answers] == [204, 204]
    assert (client.names("/Users"), client.names("/Groups")) == ([], [])
    assert {row["state"] for row in world.rows("member")} == {"deactivated"}


@pytest.mark.parametrize("form", ["array", "object", "bare"])
def test_rippling_adds_one_member_in_any_form(client: Directory, people: list[str], form: str) -> None:
    group = client.create_group("Engineers")
    value: Any = {"array": [{"value": people[0]}], "object": {"value": people[0]}, "bare": people[0]}[form]

    added = client.patch(f"/Groups/{group}", {"op": "add", "path": "members", "value": value})
    inside = client.members(group)
    removed = client.patch(f"/Groups/{group}", {"op": "remove", "path": f'members[value eq "{people[0]}"]'})

    assert (added.status_code, removed.status_code) == (204, 204)
    assert (inside, client.members(group)) == ({people[0]}, set())


def test_rauthy_finds_by_external_id_and_by_name(client: Directory) -> None:
    client.create_user("ada", externalId="r-1")
    client.post("/Groups", {"displayName": "Engineers", "externalId": "r-2"})

    assert client.names('/Users?filter=externalId eq "r-1"') == ["ada"]
    assert client.names('/Groups?filter=externalId eq "r-2"') == ["Engineers"]
    assert client.names('/Groups?filter=displayName eq "engineers"') == ["Engineers"]


def test_keycloaks_client_puts_json_into_a_string(client: Directory, people: list[str]) -> None:
    group = client.create_group("Engineers", people[0])
    text = f'{{"displayName": "Makers", "members": [{{"value": "{people[1]}"}}]}}'

    answer = client.patch(f"/Groups/{group}", {"op": "replace", "value": text})

    assert answer.status_code == 204
    assert client.names("/Groups") == ["Makers"]
    assert client.members(group) == {people[1]}


def test_google_probes_with_one_person(client: Directory, people: list[str]) -> None:
    found = document(client.get("/Users?count=1"))

    assert (found["totalResults"], found["itemsPerPage"]) == (3, 1)


def test_whoever_pauses_a_directory_gets_everything_later(client: Directory, world: World) -> None:
    # Rancher's lesson: 503 keeps the change at the identity provider, a 4xx would lose it.
    user_id = client.create_user("ada")
    directory = world.rows("directory")[0]["id"]
    world.put_values("directory", directory, state="paused")
    paused = client.patch(f"/Users/{user_id}", replace("active", False))
    world.put_values("directory", directory, state="active")

    again = client.patch(f"/Users/{user_id}", replace("active", False))

    assert refusal(paused) == (503, None)
    assert paused.headers["Retry-After"].isdigit()
    assert (again.status_code, world.rows("member")[0]["state"]) == (200, "deactivated")
