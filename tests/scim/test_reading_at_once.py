"""A user, its token and its groups come by one statement, and are what they are one by one."""

import pytest

from tests.scim.doors import Directory, World, document, refusal

STRANGE = 'The "A" team \\ its\ttab, ünïcode & <b>'


def test_names_of_groups_are_answered_as_they_were_sent(okta: Directory) -> None:
    user = okta.create_user("ada")
    groups = {okta.create_group(STRANGE, user): STRANGE, okta.create_group("plain", user): "plain"}

    found = okta.user(user)["groups"]

    assert {each["value"]: each["display"] for each in found} == groups
    assert [each["value"] for each in found] == sorted(groups)
    assert found[0]["$ref"] == f"https://scim.example/scim/v2/Groups/{found[0]['value']}"
    assert {each["type"] for each in found} == {"direct"}


def test_a_group_in_a_group_is_seen_from_the_user_by_every_way(okta: Directory) -> None:
    user = okta.create_user("ada")
    below = okta.create_group("below", user)
    above = okta.create_group("above", below)

    ways = [
        okta.user(user),
        document(okta.get("/Users"))["Resources"][0],
        document(okta.get('/Users?filter=userName eq "ada"'))["Resources"][0],
        document(okta.get("/Users?sortBy=userName"))["Resources"][0],
    ]

    for found in ways:
        assert {each["value"]: each["type"] for each in found["groups"]} == {below: "direct", above: "indirect"}


@pytest.mark.parametrize("target", ["/Users/{0}", '/Users?filter=userName eq "ada"'])
def test_another_directorys_user_is_not_found_with_a_good_token(world: World, okta: Directory, target: str) -> None:
    entra = world.connect("acme", "entra")
    user = okta.create_user("ada")

    answer = entra.get(target.format(user))

    if "filter" in target:
        assert document(answer)["totalResults"] == 0
    else:
        assert refusal(answer) == (404, None)


@pytest.mark.parametrize("target", ["/Users/{0}", '/Users?filter=userName eq "ada"', "/Users?filter=nonsense("])
def test_a_wrong_token_is_refused_before_anything_is_said(okta: Directory, target: str) -> None:
    user = okta.create_user("ada")
    okta.token = "scimb_abcdefgh_wrong"

    assert refusal(okta.get(target.format(user)))[0] == 401


def test_a_revoked_token_reads_nothing_from_that_moment_on(world: World, okta: Directory) -> None:
    user = okta.create_user("ada")
    assert okta.get(f"/Users/{user}").status_code == 200
    [token] = world.rows("directory_token")

    world.put_values("directory_token", token["id"], revoked_at=token["created_at"])

    assert refusal(okta.get(f"/Users/{user}"))[0] == 401


def test_a_user_without_its_extensions_on_record_is_answered_with_them(world: World, okta: Directory) -> None:
    user = okta.create_user("ada", **{"urn:example:badge": {"no": 1}})
    before = okta.user(user)

    world.put_values("scim_user", user, extensions=None)

    assert okta.user(user) == before
    assert before["schemas"][1:] == ["urn:example:badge"]


def test_parts_are_what_the_whole_has(okta: Directory) -> None:
    user = okta.create_user("ada", title="Countess")
    okta.create_group("team", user)
    whole = okta.user(user)

    part = document(okta.get(f"/Users/{user}?attributes=groups.value,title"))
    without = document(okta.get(f"/Users/{user}?excludedAttributes=groups"))

    assert part["groups"] == [{"value": each["value"]} for each in whole["groups"]]
    assert without == {name: value for name, value in whole.items() if name != "groups"}
