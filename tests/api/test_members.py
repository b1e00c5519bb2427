"""Members over REST: found, shown, moved and given roles, each only by who may."""

from typing import Any

import pytest

from scim_bridge.identity import domains, invitations
from scim_bridge.identity.invitations import InvitationWanted
from scim_bridge.identity.letters import Letters
from tests.api.rest import ACTOR, Person, Rest, document, fields, problem
from tests.identity.people import put_person
from tests.identity.provider import Provider


def _names(person: Person, query: str = "") -> list[str]:
    return [each["member"]["user_name"] for each in person.items(f"/members{query}")]


def test_members_are_listed_searched_and_paged(rest: Rest, viewer: Person) -> None:
    for number in range(3):
        put_person(rest.database, f"p{number}@x.example", f"Person Number{number}")

    first = viewer.ok("GET", "/members?limit=2&search=person")
    second = viewer.ok("GET", f"/members?limit=2&search=person&cursor={first['next_cursor']}")

    seen = [each["member"]["display_name"] for each in (*first["items"], *second["items"])]
    assert (sorted(seen), second["next_cursor"]) == ([f"Person Number{number}" for number in range(3)], None)
    assert _names(viewer, "?api_role=viewer") == ["viewer@acme.example"]


@pytest.mark.parametrize(
    ("query", "field"),
    [("state=asleep", "state"), ("dormant_days=0", "dormant_days"), ("active_since=soon", "active_since")],
)
def test_a_condition_that_makes_no_sense_marks_its_field(viewer: Person, query: str, field: str) -> None:
    answer = viewer.inside("GET", f"/members?{query}")

    assert problem(answer)[0] in (400, 422)
    assert fields(answer) == {field}


def test_another_lists_cursor_is_refused(viewer: Person) -> None:
    answer = viewer.inside("GET", "/members?cursor=WyJhIl0")

    assert fields(answer) == {"cursor"}


def test_a_profile_shows_groups_with_origins_states_tokens_and_access(rest: Rest, owner: Person) -> None:
    ana = rest.with_role("developer")
    owner.ok("POST", "/groups", {"name": "Team"})
    owner.ok("POST", "/groups/Team/members", {"members": [ana.name]})

    shown = owner.ok("GET", f"/members/{ana.name}")

    profile = shown["profile"]
    assert (profile["member"]["user_name"], profile["member"]["state"]) == (ana.name, "active")
    assert [(each["group"], each["origin"], each["directory"]) for each in profile["groups"]] == [
        ("Team", "manual", None)
    ]
    assert [each["state"] for each in profile["states"]] == ["active"]
    assert profile["access"]["api_roles"] == ["developer"]
    assert profile["account"]["two_factor"] is False
    assert ana.token not in str(shown)


def test_somebody_sees_their_own_tokens_and_others_do_not(rest: Rest, viewer: Person) -> None:
    ana = rest.person("ana")

    own, others = ana.ok("GET", "/members/me"), viewer.ok("GET", f"/members/{ana.name}")

    assert (len(own["tokens"]), others["tokens"]) == (1, [])


def test_an_admin_deactivates_and_reactivates(rest: Rest) -> None:
    admin, ana = rest.with_role("admin"), rest.with_role("developer")

    off = admin.ok("POST", f"/members/{ana.name}/deactivate")
    locked_out = ana.inside("GET", "/members").status_code
    on = admin.ok("POST", f"/members/{ana.name}/reactivate")

    assert (off["state"], off["changed"], on["state"], locked_out) == ("deactivated", True, "active", 401)


def test_an_admin_removes_and_then_there_is_nobody(rest: Rest) -> None:
    admin, ana = rest.with_role("admin"), rest.with_role("developer")

    gone = admin.ok("DELETE", f"/members/{ana.name}")

    assert gone["state"] == "removed"
    assert problem(admin.inside("GET", f"/members/{ana.name}")) == (404, "not-found")


def test_an_admin_sets_both_roles_in_one_step(rest: Rest) -> None:
    admin, ana = rest.with_role("admin"), rest.person("ana")

    made = admin.ok("PUT", f"/members/{ana.name}/roles", {"api_role": "developer", "kubernetes_role": "edit"})

    assert (made["api_roles"], made["kubernetes_roles"]) == (["developer"], ["edit"])
    assert _names(admin, "?kubernetes_role=edit") == [ana.name]


def test_an_admin_makes_no_owner_and_moves_none(rest: Rest, owner: Person) -> None:
    admin, ana = rest.with_role("admin"), rest.person("ana")

    refused = [
        admin.inside("PUT", f"/members/{ana.name}/roles", {"api_role": "owner"}),
        admin.inside("PUT", f"/members/{owner.name}/roles", {"api_role": "viewer"}),
        admin.inside("POST", f"/members/{owner.name}/deactivate"),
        admin.inside("DELETE", f"/members/{owner.name}"),
    ]

    assert [problem(each) for each in refused] == [(403, "refused")] * 4


def test_the_last_owner_is_refused_everywhere(owner: Person) -> None:
    me = f"/members/{owner.name}"

    refused = [
        owner.inside("POST", f"{me}/deactivate"),
        owner.inside("DELETE", me),
        owner.inside("PUT", f"{me}/roles", {"api_role": "viewer"}),
        owner.inside("POST", "/members/me/leave"),
    ]

    assert [problem(each) for each in refused] == [(403, "refused")] * 4
    assert all("last working owner" in document(each)["detail"] for each in refused)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/members/{}/deactivate", None),
        ("POST", "/members/{}/reactivate", None),
        ("DELETE", "/members/{}", None),
        ("PUT", "/members/{}/roles", {"api_role": "viewer"}),
        ("PATCH", "/members/{}", {"display_name": "Ana"}),
    ],
)
def test_a_viewer_changes_nobody(rest: Rest, viewer: Person, method: str, path: str, body: Any) -> None:
    ana = rest.person("ana")

    answer = viewer.inside(method, path.format(ana.name), body)

    assert problem(answer) == (403, "refused")
    assert viewer.ok("GET", f"/members/{ana.name}")["profile"]["member"]["state"] == "active"


def test_another_organizations_member_is_not_there(rest: Rest, owner: Person) -> None:
    eve = rest.person("eve", organization="globex")

    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/deactivate"), ("POST", "/reactivate")):
        assert problem(owner.inside(method, f"/members/{eve.name}{path}")) == (404, "not-found")


def test_people_change_their_own_name_unless_they_are_managed(rest: Rest) -> None:
    ana = rest.person("ana")
    named = ana.ok("PATCH", "/members/me", {"display_name": "Ana S."})
    domains.add(rest.database, ACTOR, "acme", "acme.example")

    refused = ana.inside("PATCH", "/members/me", {"display_name": "Somebody else"})
    shown = ana.ok("GET", "/members/me")

    assert (named["display_name"], problem(refused)) == ("Ana S.", (403, "refused"))
    assert (shown["profile"]["managed"], shown["profile"]["may_edit"]) == (True, False)
    assert "managed by the organization" in shown["profile"]["notes"][0]


def test_a_directorys_people_are_named_by_it(rest: Rest, owner: Person) -> None:
    okta = Provider.connect(rest.database)
    dora = okta.post("dora@x.example")

    answer = owner.inside("PATCH", f"/members/{dora.member_id}", {"display_name": "Dora"})

    assert problem(answer) == (403, "refused")
    assert "come from the directory okta" in document(answer)["detail"]


def test_somebody_leaves_by_themselves(rest: Rest, owner: Person) -> None:
    ana = rest.person("ana")

    gone = ana.ok("POST", "/members/me/leave")

    assert gone["state"] == "removed"
    assert ana.name not in _names(owner)


def test_an_invited_person_is_in_the_list_and_has_no_access(rest: Rest, viewer: Person) -> None:
    letters = Letters.of(rest.runtime)
    invitations.invite(rest.database, letters, ACTOR, "acme", InvitationWanted("bob@x.example", "admin"))

    assert _names(viewer, "?state=invited") == ["bob@x.example"]
    assert viewer.ok("GET", "/members/bob@x.example")["profile"]["access"]["api_roles"] == []
