"""Teams of another system: read line by line, told in a dry run, and made groups of."""

import pytest

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.team_files import read_teams
from scim_bridge.errors import Invalid, Refused
from scim_bridge.identity import grants, group_lists, hand_groups, organizations
from scim_bridge.identity.grants import GrantWanted
from scim_bridge.identity.group_imports import TeamImport, import_teams
from scim_bridge.identity.group_lists import GroupQuery
from scim_bridge.store.database import Database
from tests.identity.people import as_person, put_person
from tests.identity.provider import Provider
from tests.identity.rows import count

CSV = """group,member,description
Payments,ana@x.example,Those who pay
Payments,bob@x.example,
payments,ANA@x.example,
Payments,zoe@x.example,
Platform,ana@x.example,
Pushed,ana@x.example,
,ana@x.example,
Empty,,
"""


@pytest.fixture(autouse=True)
def people(database: Database, actor: Actor) -> None:
    """Give acme two people, a group with one of them, and a directory's group."""
    put_person(database, "ana@x.example")
    put_person(database, "bob@x.example")
    hand_groups.create(database, actor, "acme", "Platform")
    okta = Provider.connect(database)
    okta.post_group("Pushed")


def _outcomes(made: TeamImport) -> list[tuple[int, str]]:
    return [(line.number, line.outcome.value) for line in made.lines]


def _members(database: Database, group: str) -> list[str]:
    return sorted(each.user_name for each in group_lists.members_page(database, "acme", group).members)


def test_a_dry_run_says_what_each_line_would_do_and_does_nothing(database: Database, actor: Actor) -> None:
    before = count(database, "change_row")

    made = import_teams(database, actor, "acme", CSV, "csv", dry_run=True)

    assert _outcomes(made) == [
        (2, "creates_group"),
        (3, "adds_member"),
        (4, "duplicate"),
        (5, "unknown_person"),
        (6, "adds_member"),
        (7, "read_only_group"),
        (8, "not_possible"),
        (9, "creates_group"),
    ]
    assert (made.applied, made.problems, count(database, "change_row")) == (False, 3, before)


def test_what_is_done_is_what_the_dry_run_said(database: Database, actor: Actor) -> None:
    dry = import_teams(database, actor, "acme", CSV, "csv", dry_run=True)

    real = import_teams(database, actor, "acme", CSV, "csv", dry_run=False)

    assert (real.lines, real.applied) == (dry.lines, True)
    assert (_members(database, "Payments"), _members(database, "Platform")) == (
        ["ana@x.example", "bob@x.example"],
        ["ana@x.example"],
    )
    assert (_members(database, "Empty"), _members(database, "Pushed")) == ([], [])
    assert group_lists.show(database, "acme", "Payments").group.description == "Those who pay"


def test_doing_it_again_finds_nothing_new(database: Database, actor: Actor) -> None:
    import_teams(database, actor, "acme", CSV, "csv", dry_run=False)
    before = count(database, "change_row")

    again = import_teams(database, actor, "acme", CSV, "csv", dry_run=False)

    assert {outcome for _, outcome in _outcomes(again)} == {
        "nothing_new",
        "duplicate",
        "unknown_person",
        "read_only_group",
        "not_possible",
    }
    assert count(database, "change_row") == before


def test_json_says_the_same_as_csv(database: Database, actor: Actor) -> None:
    text = """{"teams": [{"name": "Payments", "description": "Those who pay",
        "members": ["ana@x.example", {"email": "bob@x.example"}, "zoe@x.example"]}]}"""

    made = import_teams(database, actor, "acme", text, "json", dry_run=False)

    assert [outcome for _, outcome in _outcomes(made)] == [
        "creates_group",
        "adds_member",
        "adds_member",
        "unknown_person",
    ]
    assert _members(database, "Payments") == ["ana@x.example", "bob@x.example"]


def test_an_address_that_two_people_have_is_not_guessed(database: Database, actor: Actor) -> None:
    okta = Provider.connect(database, "entra")
    okta.post("one", emails=[{"value": "both@x.example"}])
    okta.post("two", emails=[{"value": "both@x.example"}])

    made = import_teams(database, actor, "acme", "group,member\nTeam,both@x.example\n", "csv", dry_run=False)

    assert [outcome for _, outcome in _outcomes(made)] == ["several_people"]
    assert _members(database, "Team") == []


@pytest.mark.parametrize(
    ("text", "kind", "field"),
    [
        ("", "csv", "content"),
        ("team,member\n", "csv", "content"),
        ("group,member\nA,b,c,d\n", "csv", "line 2"),
        ('group,member\n"A,b\n', "csv", "content"),
        ("[", "json", "content"),
        ("3", "json", "content"),
        ("[3]", "json", "teams[0]"),
        ('[{"name": "A", "members": "b"}]', "json", "teams[0]"),
        ('[{"name": "A", "members": [3]}]', "json", "teams[0].members"),
        ("group\n", "xml", "format"),
    ],
)
def test_a_file_that_cannot_be_read_says_where(text: str, kind: str, field: str) -> None:
    with pytest.raises(Invalid) as raised:
        read_teams(text, kind)

    assert raised.value.field == field


def test_a_file_from_a_spreadsheet_is_read(database: Database, actor: Actor) -> None:
    text = "\ufeffGroup,Member\r\nTeam,ana@x.example\r\n"

    made = import_teams(database, actor, "acme", text, "csv", dry_run=False)

    assert (made.problems, _members(database, "Team")) == (0, ["ana@x.example"])


def test_a_file_has_only_so_many_lines() -> None:
    with pytest.raises(Invalid, match="50000"):
        read_teams("group\n" + "A\n" * 50_001, "csv")


def test_nobody_imports_into_a_group_that_gives_what_they_do_not_hold(database: Database, actor: Actor) -> None:
    from scim_bridge.identity import roles

    grants.add(database, actor, "acme", GrantWanted("organization", group="Platform", api_role="admin"))
    roles.put(database, actor, "acme", "writer", ["organization:groups:write"])
    grants.add(database, actor, "acme", GrantWanted("organization", person="ana@x.example", api_role="writer"))
    ana, bob = as_person(database, "ana@x.example"), as_person(database, "bob@x.example")

    with pytest.raises(Refused):
        import_teams(database, ana, "acme", "group,member\nPlatform,ana@x.example\n", "csv", dry_run=False)
    with pytest.raises(Refused):
        import_teams(database, bob, "acme", "group,member\nOther,ana@x.example\n", "csv", dry_run=True)

    assert import_teams(database, ana, "acme", "group,member\nOther,ana@x.example\n", "csv", dry_run=False).applied
    assert _members(database, "Platform") == []


def test_another_organizations_people_are_unknown(database: Database, actor: Actor) -> None:
    organizations.create(database, actor, "globex")
    put_person(database, "eve@x.example", slug="globex")

    made = import_teams(database, actor, "acme", "group,member\nTeam,eve@x.example\n", "csv", dry_run=False)

    assert [outcome for _, outcome in _outcomes(made)] == ["unknown_person"]
    assert [each.name for each in group_lists.list_page(database, "globex", GroupQuery()).groups] == []
