"""What the other clients of idp-behaviour 2.6 send, as far as their logs and sources show it."""

import pytest

from scim_bridge.domain.people import DirectoryKind
from tests.conversations.talk import Talk, person
from tests.scim.doors import ENTERPRISE_URN, USER_URN, World, document, refusal, replace


@pytest.fixture
def client(world: World) -> Talk:
    """Connect some other client."""
    return Talk(world, world.connect("acme", "other", DirectoryKind.GENERIC))


@pytest.fixture
def people(client: Talk) -> list[str]:
    """Create three people."""
    return [client.directory.create_user(name) for name in ("ada", "bob", "cyd")]


def values(*ids: str) -> list[dict[str, str]]:
    """Return members as these clients list them."""
    return [{"value": each} for each in ids]


def test_authentik_finds_every_block_of_the_configuration(client: Talk) -> None:
    # Row 2.6.
    found = document(client.say("authentik/service-provider-config"))

    for block in ("patch", "bulk", "filter", "changePassword", "sort", "etag"):
        assert isinstance(found[block]["supported"], bool)
    assert isinstance(found["bulk"]["maxOperations"], int)
    assert isinstance(found["filter"]["maxResults"], int)
    assert found["authenticationSchemes"]


def test_authentik_keeps_people_by_replacing_them(client: Talk) -> None:
    # Row 2.6.
    user_id = client.create("authentik/user-create")

    answer = client.say("authentik/user-replace", id=user_id, family_name="Lovelace", display_name="Ada Lovelace")

    assert answer.status_code == 200
    assert document(answer)["id"] == user_id
    assert client.stored(user_id)["name"]["familyName"] == "Lovelace"
    assert client.row(user_id)["external_id"] == "00u1ada"


def test_authentik_renames_with_schemas_and_id_and_removes_by_value(client: Talk, people: list[str]) -> None:
    # Rows 1.23, 1.26, 2.6.
    ada, bob, cyd = people
    group = client.create("authentik/group-create", group_name="Engineers")

    answers = [
        client.say("authentik/group-members-add", id=group, added=values(ada, bob, cyd)),
        client.say("authentik/group-rename", id=group, group_name="Makers"),
        client.say("authentik/group-members-remove", id=group, removed=values(ada, cyd)),
    ]

    assert [answer.status_code for answer in answers] == [204, 204, 204]
    assert client.group(group)["display_name"] == "Makers"
    assert client.members(group) == {bob}


def test_authentik_looks_a_group_up_after_a_conflict_and_creates_again_after_404(client: Talk) -> None:
    # Rows 1.20, 1.43, 2.6.
    group = client.create("authentik/group-create", group_name="Engineers")

    conflict = client.say("authentik/group-create", group_name="Engineers", external_id="another")
    found = client.found("authentik/group-lookup", group_name="Engineers")
    client.directory.delete(f"/Groups/{group}")
    gone = client.say("authentik/group-rename", id=group, group_name="X")

    assert refusal(conflict) == (409, "uniqueness")
    assert found == [group]
    assert refusal(gone) == (404, None)
    assert client.create("authentik/group-create", group_name="Engineers") != group


def test_authentik_may_fall_back_to_the_whole_group(client: Talk, people: list[str]) -> None:
    # Row 2.6.
    group = client.create("authentik/group-create", group_name="Engineers")

    answer = client.say("authentik/group-replace", id=group, group_name="Engineers", members=values(*people[:2]))

    assert answer.status_code == 200
    assert client.members(group) == set(people[:2])


def test_onelogin_speaks_with_urns_from_before_the_rfc_and_odd_queries(client: Talk, people: list[str]) -> None:
    # Rows 1.1, 1.9, 2.6.
    user_id = client.create("onelogin/user-create", user_name="eve@acme.example")

    found = client.found("onelogin/user-lookup", user_name="Eve@acme.example")
    put = client.say("onelogin/user-replace", id=user_id, user_name="eve@acme.example")

    assert found == [user_id]
    assert put.status_code == 200
    assert document(put)[ENTERPRISE_URN] == {"department": "Engines"}
    assert document(put)["schemas"] == [USER_URN, ENTERPRISE_URN]
    assert client.stored(user_id)["title"] == "Analyst"


def test_onelogin_pushes_members(client: Talk, people: list[str]) -> None:
    # Rows 1.23, 2.6.
    group = client.directory.create_group("Engineers")

    answer = client.say("onelogin/group-members-add", id=group, added=values(*people))

    assert answer.status_code == 204
    assert client.members(group) == set(people)


def test_jumpclouds_activation_makes_a_test_person_and_a_test_group_and_deletes_both(client: Talk) -> None:
    # Rows 1.18, 1.23, 2.6.
    user = client.create("jumpcloud/user-create")
    group = client.create("jumpcloud/group-create", group_name="JumpCloud Test", members=values(user))

    removed = client.say("jumpcloud/group-members-remove", id=group, removed=values(user))
    left = client.members(group)
    gone = [client.say("jumpcloud/user-delete", id=user), client.say("jumpcloud/group-delete", id=group)]

    assert (removed.status_code, left) == (204, set())
    assert [answer.status_code for answer in gone] == [204, 204]
    assert (client.directory.names("/Users"), client.directory.names("/Groups")) == ([], [])
    assert {row["state"] for row in client.world.rows("member")} == {"deactivated"}


def test_jumpcloud_is_served_by_put_and_by_patch(client: Talk, people: list[str]) -> None:
    # Rows 1.9, 1.17, 1.23, 2.6.
    user = client.create("jumpcloud/user-create")
    group = client.create("jumpcloud/group-create", group_name="Engineers", members=[])

    put = client.say("jumpcloud/user-replace", id=user, display_name="Countess")
    added = client.say("jumpcloud/group-members-add", id=group, added=values(user, *people))
    ended = client.say("jumpcloud/user-deactivate", id=user)

    assert (put.status_code, added.status_code, ended.status_code) == (200, 204, 200)
    assert client.stored(user)["displayName"] == "Countess"
    assert client.members(group) == {user, *people}
    assert client.state(user) == "deactivated"


def test_rippling_adds_a_list_or_one_and_removes_by_path(client: Talk, people: list[str]) -> None:
    # Rows 1.23, 2.6.
    ada, bob, cyd = people
    group = client.create("rippling/group-create", group_name="Engineers")

    answers = [
        client.say("rippling/group-members-add", id=group, added=values(ada, bob)),
        client.say("rippling/group-member-add", id=group, user_id=cyd),
        client.say("rippling/group-member-remove", id=group, user_id=ada),
    ]

    assert [answer.status_code for answer in answers] == [204, 204, 204]
    assert client.members(group) == {bob, cyd}


def test_a_member_may_be_a_bare_id(client: Talk, people: list[str]) -> None:
    group = client.directory.create_group("Engineers")

    answer = client.directory.patch(f"/Groups/{group}", {"op": "add", "path": "members", "value": people[0]})

    assert (answer.status_code, client.members(group)) == (204, {people[0]})


def test_rauthy_finds_both_kinds_by_external_id_and_by_name(client: Talk) -> None:
    # Rows 1.1, 1.4, 1.20, 2.6.
    user = client.create("rauthy/user-create", external_id="r-1")
    group = client.create("rauthy/group-create", external_id="r-2", group_name="Engineers")

    assert client.found("rauthy/user-lookup-external-id", external_id="r-1") == [user]
    assert client.found("rauthy/user-lookup") == [user]
    assert client.found("rauthy/group-lookup-external-id", external_id="r-2") == [group]
    assert client.found("rauthy/group-lookup", group_name="engineers") == [group]
    assert client.found("rauthy/user-lookup-external-id", external_id="r-2") == []


def test_rauthy_replaces_people_patches_groups_and_may_delete(client: Talk) -> None:
    # Rows 1.9, 1.18, 1.26, 2.6.
    user = client.create("rauthy/user-create")
    group = client.create("rauthy/group-create", group_name="Engineers", external_id="r-2")

    put = client.say("rauthy/user-replace", id=user, **person("countess@acme.example"))
    renamed = client.say("rauthy/group-rename", id=group, group_name="Makers")
    name = client.row(user)["user_name"]
    gone = client.say("rauthy/user-delete", id=user)

    assert (put.status_code, renamed.status_code, gone.status_code) == (200, 204, 204)
    assert (name, client.group(group)["display_name"]) == ("countess@acme.example", "Makers")
    assert client.found("rauthy/user-lookup", user_name="countess@acme.example") == []


def test_keycloaks_client_speaks_by_the_rfc_step_by_step(client: Talk, people: list[str]) -> None:
    # Rows 1.23, 2.6.
    group = client.directory.create_group("Engineers")

    added = client.say("keycloak/group-members-add", id=group, added=values(*people))
    removed = client.say("keycloak/group-member-remove", id=group, user_id=people[0])

    assert (added.status_code, removed.status_code) == (204, 204)
    assert client.members(group) == set(people[1:])


def test_keycloaks_client_puts_json_into_a_string_when_it_reconciles(client: Talk, people: list[str]) -> None:
    # Rows 1.25, 2.6.
    group = client.directory.create_group("Engineers", people[0])

    answer = client.say("keycloak/group-reconcile", id=group, group_name="Makers", members=values(people[1]))

    assert answer.status_code == 204
    assert client.group(group)["display_name"] == "Makers"
    assert {each["value"] for each in document(client.directory.get(f"/Groups/{group}"))["members"]} == {people[1]}


def test_google_probes_with_one_person_and_sends_people_alone(client: Talk, people: list[str]) -> None:
    # Row 2.6.
    found = document(client.say("google/probe"))
    user = client.create("google/user-create")

    assert (found["totalResults"], found["itemsPerPage"]) == (3, 1)
    assert client.row(user)["user_name"] == "ada@acme.example"


def test_whoever_pauses_a_directory_gets_everything_later(client: Talk, world: World) -> None:
    # Rancher's lesson: 503 keeps the change at the identity provider, a 4xx would lose it.
    user_id = client.directory.create_user("ada")
    directory = world.rows("directory")[0]["id"]
    world.put_values("directory", directory, state="paused")
    paused = client.directory.patch(f"/Users/{user_id}", replace("active", False))
    world.put_values("directory", directory, state="active")

    again = client.directory.patch(f"/Users/{user_id}", replace("active", False))

    assert refusal(paused) == (503, None)
    assert paused.headers["Retry-After"].isdigit()
    assert (again.status_code, world.rows("member")[0]["state"]) == (200, "deactivated")
