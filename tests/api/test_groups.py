"""Groups over REST: made and filled by who may; a directory's only read."""

from typing import Any

import pytest

from tests.api.rest import Person, Rest, document, fields, problem
from tests.identity.provider import Provider


@pytest.fixture
def admin(rest: Rest) -> Person:
    """Return an admin of acme with a token."""
    return rest.with_role("admin")


def test_a_group_is_made_filled_shown_and_taken_away(rest: Rest, admin: Person) -> None:
    ana = rest.person("ana")

    made = admin.inside("POST", "/groups", {"name": "Team", "description": "Those who pay"})
    added = admin.ok("POST", "/groups/Team/members", {"members": [ana.name], "expires": "30d"})
    (seen,) = admin.items("/groups/Team/members")
    listed = admin.items("/groups?search=tea")
    gone = admin.ok("DELETE", "/groups/Team")

    assert (made.status_code, len(added["changed"])) == (201, 1)
    assert (seen["user_name"], seen["state"], seen["origins"][0]["origin"]) == (ana.name, "active", "manual")
    assert seen["origins"][0]["expires_at"] is not None
    assert [(each["name"], each["members"]) for each in listed] == [("Team", 1)]
    assert gone["name"] == "Team"
    assert problem(admin.inside("GET", "/groups/Team")) == (404, "not-found")


def test_a_group_is_renamed_and_described_on_its_own(admin: Person) -> None:
    admin.ok("POST", "/groups", {"name": "Team", "description": "One"})

    renamed = admin.ok("PATCH", "/groups/Team", {"name": "Crew"})
    described = admin.ok("PATCH", "/groups/Crew", {"description": "Two"})
    emptied = admin.ok("PATCH", "/groups/Crew", {"description": None})

    assert [(each["name"], each["description"]) for each in (renamed, described, emptied)] == [
        ("Crew", "One"),
        ("Crew", "Two"),
        ("Crew", None),
    ]


def test_search_and_add_is_one_call_and_two_who_fit_are_named(rest: Rest, admin: Person) -> None:
    rest.person("maria")
    rest.person("marta")
    admin.ok("POST", "/groups", {"name": "Team"})

    one = admin.ok("POST", "/groups/Team/members", {"members": ["mari"]})
    two = admin.inside("POST", "/groups/Team/members", {"members": ["mar"]})

    assert len(one["changed"]) == 1
    assert problem(two) == (409, "conflict")
    assert "maria@acme.example, marta@acme.example" in document(two)["detail"]


def test_people_are_taken_out_by_name(rest: Rest, admin: Person) -> None:
    ana = rest.person("ana")
    admin.ok("POST", "/groups", {"name": "Team"})
    admin.ok("POST", "/groups/Team/members", {"members": [ana.name]})

    out = admin.ok("POST", "/groups/Team/members/remove", {"members": [ana.name]})
    again = admin.ok("POST", "/groups/Team/members/remove", {"members": [ana.name]})

    assert (len(out["changed"]), len(again["changed"]), admin.items("/groups/Team/members")) == (1, 0, [])


def test_groups_are_nested_and_taken_apart(admin: Person) -> None:
    for name in ("Outer", "Inner"):
        admin.ok("POST", "/groups", {"name": name})

    nested = admin.ok("PUT", "/groups/Outer/groups/Inner")
    shown = admin.ok("GET", "/groups/Outer")
    apart = admin.ok("DELETE", "/groups/Outer/groups/Inner")

    assert (nested["changed"], apart["changed"]) == (True, True)
    assert [each["name"] for each in shown["contains"]] == ["Inner"]


def test_a_directorys_group_says_why_it_cannot_be_changed(rest: Rest, admin: Person) -> None:
    okta = Provider.connect(rest.database)
    group = okta.post_group("Pushed")
    ana = rest.person("ana")

    refused = [
        admin.inside("POST", f"/groups/{group.id}/members", {"members": [ana.name]}),
        admin.inside("PATCH", f"/groups/{group.id}", {"name": "Mine"}),
        admin.inside("DELETE", f"/groups/{group.id}"),
    ]

    assert [problem(each) for each in refused] == [(403, "refused")] * 3
    assert all("belongs to the directory okta" in document(each)["detail"] for each in refused)
    assert "okta" in admin.ok("GET", f"/groups/{group.id}")["read_only"]


def test_teams_are_imported_after_a_dry_run(rest: Rest, admin: Person) -> None:
    ana = rest.person("ana")
    content = f"group,member\nTeam,{ana.name}\nTeam,zoe@x.example\n"

    dry = admin.ok("POST", "/groups/import", {"format": "csv", "content": content})
    before = admin.items("/groups")
    real = admin.ok("POST", "/groups/import", {"format": "csv", "content": content, "dry_run": False})

    assert ([line["outcome"] for line in dry["lines"]], dry["problems"]) == (["creates_group", "unknown_person"], 1)
    assert (before, real["applied"], dry["applied"]) == ([], True, False)
    assert [each["user_name"] for each in admin.items("/groups/Team/members")] == [ana.name]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/groups", {"name": "Other"}),
        ("PATCH", "/groups/Team", {"name": "Other"}),
        ("DELETE", "/groups/Team", None),
        ("POST", "/groups/Team/members", {"members": ["ana@acme.example"]}),
        ("POST", "/groups/Team/members/remove", {"members": ["ana@acme.example"]}),
        ("PUT", "/groups/Team/groups/Team", None),
        ("DELETE", "/groups/Team/groups/Team", None),
        ("POST", "/groups/import", {"format": "csv", "content": "group,member\n"}),
    ],
)
def test_a_viewer_only_reads(admin: Person, viewer: Person, method: str, path: str, body: Any) -> None:
    admin.ok("POST", "/groups", {"name": "Team"})

    assert problem(viewer.inside(method, path, body)) == (403, "refused")
    assert [each["name"] for each in viewer.items("/groups")] == ["Team"]


def test_nobody_puts_people_into_a_group_that_gives_what_they_do_not_hold(rest: Rest, owner: Person) -> None:
    writer, ana = rest.person("writer"), rest.person("ana")
    owner.ok("PUT", "/roles/group-writer", {"permissions": ["organization:groups:write", "members:read"]})
    owner.ok("POST", "/grants", {"scope": "organization", "person": writer.name, "api_role": "group-writer"})
    for name in ("Plain", "Powerful", "Around"):
        owner.ok("POST", "/groups", {"name": name})
    owner.ok("POST", "/grants", {"scope": "organization", "group": "Powerful", "api_role": "admin"})
    owner.ok("POST", "/grants", {"scope": "organization", "group": "Around", "kubernetes_role": "cluster-admin"})

    plain = writer.inside("POST", "/groups/Plain/members", {"members": [ana.name]})
    powerful = writer.inside("POST", "/groups/Powerful/members", {"members": [ana.name]})
    nested = writer.inside("PUT", "/groups/Powerful/groups/Plain")
    owner.ok("PUT", "/groups/Around/groups/Plain")
    around = writer.inside("POST", "/groups/Plain/members", {"members": [writer.name]})

    assert plain.status_code == 200
    assert [problem(each) for each in (powerful, nested, around)] == [(403, "refused")] * 3


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/groups", {"name": ""}, "name"),
        ("/groups", {"name": "x" * 129}, "name"),
        ("/groups", {"name": "x", "description": "y" * 4097}, "description"),
        ("/groups/Team/members", {"members": []}, "members"),
        ("/groups/Team/members", {"members": ["ana@acme.example"], "expires": "yesterday"}, "expires"),
        ("/groups/import", {"format": "xml", "content": ""}, "format"),
        ("/groups/import", {"format": "csv", "content": "nothing,here\n"}, "content"),
        ("/groups/import", {"format": "json", "content": "{"}, "content"),
    ],
)
def test_what_makes_no_sense_marks_its_field(
    rest: Rest, admin: Person, path: str, body: dict[str, object], field: str
) -> None:
    rest.person("ana")
    admin.ok("POST", "/groups", {"name": "Team"})

    answer = admin.inside("POST", path, body)

    assert problem(answer)[0] in (400, 422)
    assert fields(answer) == {field}


def test_another_organizations_group_is_not_there(rest: Rest, admin: Person) -> None:
    boss = rest.with_role("owner", organization="globex")
    theirs = boss.ok("POST", "/groups", {"name": "Theirs"})

    for method, path, body in (
        ("GET", "", None),
        ("GET", "/members", None),
        ("PATCH", "", {"name": "Mine"}),
        ("DELETE", "", None),
        ("POST", "/members", {"members": ["x"]}),
    ):
        assert problem(admin.inside(method, f"/groups/{theirs['id']}{path}", body)) == (404, "not-found")
