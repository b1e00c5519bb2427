"""Two organizations, or two directories of one, with the same names: nothing of one is there for another."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from werkzeug.test import TestResponse

from tests.scim.doors import Directory, World, document, refusal, replace


@dataclass
class Side:
    """A directory with a person and a group; both sides have the same names."""

    directory: Directory
    user: str
    group: str


def _side(directory: Directory) -> Side:
    user = directory.create_user("ada@acme.example", externalId="ext-1", displayName="Ada")
    directory.create_user("bob@acme.example", externalId="ext-2")
    return Side(directory, user, directory.create_group("Engineers", user))


@pytest.fixture(params=["other organization", "other directory"])
def sides(request: pytest.FixtureRequest, world: World) -> tuple[Side, Side]:
    """Make ours and theirs."""
    other = ("globex", "okta") if request.param == "other organization" else ("acme", "okta-2")
    return _side(world.connect("acme", "okta")), _side(world.connect(*other))


def _state(world: World, side: Side) -> list[object]:
    directory_id = world.rows("scim_user", id=side.user)[0]["directory_id"]
    tables = ("scim_user", "user_group")
    rows: list[object] = [world.rows(table, directory_id=directory_id) for table in tables]
    return [*rows, world.rows("membership", group_id=side.group), world.rows("parked_member", group_id=side.group)]


Attack = Callable[[Directory, Side], TestResponse]

ATTACKS: dict[str, Attack] = {
    "get user": lambda us, them: us.get(f"/Users/{them.user}"),
    "get group": lambda us, them: us.get(f"/Groups/{them.group}"),
    "put user": lambda us, them: us.put(f"/Users/{them.user}", {"userName": "mine"}),
    "put group": lambda us, them: us.put(f"/Groups/{them.group}", {"displayName": "mine", "members": []}),
    "patch user": lambda us, them: us.patch(f"/Users/{them.user}", replace("active", False)),
    "rename group": lambda us, them: us.patch(f"/Groups/{them.group}", replace("displayName", "mine")),
    "empty group": lambda us, them: us.patch(f"/Groups/{them.group}", replace("members", [])),
    "leave group": lambda us, them: us.patch(
        f"/Groups/{them.group}", {"op": "remove", "path": f'members[value eq "{them.user}"]'}
    ),
    "delete user": lambda us, them: us.delete(f"/Users/{them.user}"),
    "delete group": lambda us, them: us.delete(f"/Groups/{them.group}"),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_belongs_to_another_is_not_here(world: World, sides: tuple[Side, Side], attack: str) -> None:
    us, them = sides
    before = [_state(world, side) for side in sides]

    answer = ATTACKS[attack](us.directory, them)

    assert refusal(answer) == (404, None)
    assert [_state(world, side) for side in sides] == before


def test_refusals_do_not_tell_what_exists_elsewhere(sides: tuple[Side, Side]) -> None:
    us, them = sides

    theirs = document(us.directory.get(f"/Users/{them.user}"))
    nobodys = document(us.directory.get("/Users/nobody"))

    assert theirs["detail"].replace(them.user, "nobody") == nobodys["detail"]


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ("/Users", 2),
        ("/Groups", 1),
        ('/Users?filter=userName eq "ada@acme.example"', 1),
        ('/Users?filter=externalId eq "ext-1"', 1),
        ('/Users?filter=displayName co "a"', 1),
        ("/Users?filter=active eq true or not (active eq true)", 2),
        ('/Users?filter=id eq "{them_user}"', 0),
        ('/Users?filter=id ne "{our_user}"', 1),
        ('/Users?filter=groups.value eq "{them_group}"', 0),
        ('/Users?filter=not (groups.value eq "{our_group}")', 1),
        ('/Groups?filter=displayName eq "Engineers"', 1),
        ('/Groups?filter=id eq "{them_group}"', 0),
        ('/Groups?filter=members.value eq "{them_user}"', 0),
        ('/Groups?filter=members[value eq "{our_user}" or value eq "{them_user}"]', 1),
        ("/Groups?filter=members pr", 1),
    ],
)
def test_no_filter_finds_what_belongs_to_another(sides: tuple[Side, Side], target: str, found: int) -> None:
    us, them = sides
    names = {"our_user": us.user, "our_group": us.group, "them_user": them.user, "them_group": them.group}

    listed = document(us.directory.get(target.format(**names)))

    assert listed["totalResults"] == len(listed["Resources"]) == found
    assert not {them.user, them.group} & {each["id"] for each in listed["Resources"]}


@pytest.mark.parametrize(
    "operation",
    [
        lambda them: {"op": "add", "path": "members", "value": [{"value": them}]},
        lambda them: {"op": "replace", "path": "members", "value": [{"value": them}]},
        lambda them: {"op": "add", "path": f'members[value eq "{them}"]', "value": {}},
        lambda them: {"op": "add", "value": {"members": [{"value": them}]}},
    ],
)
@pytest.mark.parametrize("kind", ["user", "group"])
def test_nobody_of_another_gets_into_a_group(
    world: World, sides: tuple[Side, Side], operation: Callable[[str], dict[str, object]], kind: str
) -> None:
    us, them = sides
    stranger = getattr(them, kind)
    before = _state(world, them)

    answer = us.directory.patch(f"/Groups/{us.group}", operation(stranger))

    assert answer.status_code == 204
    assert stranger not in us.directory.members(us.group)
    assert world.present_members(us.group) <= {us.user}
    assert [row for row in world.rows("nesting") if row["child_id"] == them.group] == []
    assert _state(world, them) == before


def test_a_group_is_neither_made_nor_replaced_with_people_of_another(sides: tuple[Side, Side], world: World) -> None:
    us, them = sides

    made = us.directory.create_group("Makers", them.user, us.user)
    us.directory.put(f"/Groups/{us.group}", {"displayName": "Engineers", "members": [{"value": them.user}]})

    assert us.directory.members(made) == {us.user}
    assert us.directory.members(us.group) == set()
    assert them.directory.members(them.group) == {them.user}
    assert world.present_members(them.group) == {them.user}


def test_a_leaver_here_stays_there(world: World, sides: tuple[Side, Side]) -> None:
    us, them = sides

    us.directory.patch(f"/Users/{us.user}", replace("active", False))
    us.directory.delete(f"/Users/{us.user}")

    assert them.directory.user(them.user)["active"] is True
    member = world.rows("scim_user", id=them.user)[0]["member_id"]
    assert world.rows("member", id=member)[0]["state"] == "active"
    assert member not in {row["member_id"] for row in world.rows("removal_request")}


def test_an_e_mail_is_no_bridge_between_directories(world: World, sides: tuple[Side, Side]) -> None:
    us, them = sides
    mine = us.directory.create_user("eve@acme.example", emails=[{"value": "ada@acme.example", "primary": True}])

    members = {world.rows("scim_user", id=each)[0]["member_id"] for each in (mine, us.user, them.user)}

    assert len(members) == 3


def test_attributes_of_another_are_in_no_answer(sides: tuple[Side, Side]) -> None:
    us, them = sides

    texts = [us.directory.get(target).text for target in ("/Users", "/Groups", f"/Users/{us.user}")]

    assert not [text for text in texts if them.user in text or them.group in text]
    assert us.directory.user(us.user)["groups"] == [
        {
            "value": us.group,
            "$ref": f"https://scim.example/scim/v2/Groups/{us.group}",
            "display": "Engineers",
            "type": "direct",
        }
    ]
