"""Access over REST: of one person, of everybody, of one binding; now and then."""

import csv
import io
from datetime import UTC, datetime
from time import sleep

import pytest

from scim_bridge.identity import grants, tree
from scim_bridge.identity.grants import GrantWanted
from tests.api.rest import ACTOR, Person, Rest, fields, problem
from tests.identity.rows import put_cluster


@pytest.fixture
def ana(rest: Rest) -> Person:
    """Return a person with edit on a cluster and in a namespace, and a role in a unit."""
    tree.create_unit(rest.database, ACTOR, "acme", "prod")
    put_cluster(rest.database, "prod-eu", "prod")
    tree.create_project(rest.database, ACTOR, "acme", tree.NewProject("shop", "prod", ("shop",)))
    made = rest.person("ana")
    give(rest, made, "unit:prod", kubernetes_role="edit")
    give(rest, made, "unit:prod", api_role="developer")
    give(rest, made, "project:shop", kubernetes_role="view")
    return made


def give(rest: Rest, person: Person, scope: str, **roles: str) -> None:
    grants.add(rest.database, ACTOR, "acme", GrantWanted(scope, person=person.name, **roles))


def a_moment() -> str:
    sleep(0.002)
    found = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    sleep(0.002)
    return found


def test_everybody_sees_their_own_access_whole(ana: Person) -> None:
    found = ana.ok("GET", "/members/me/effective-access")

    assert found["person"]["user_name"] == ana.name
    assert [(each["scope"], each["api_roles"]) for each in found["scopes"]] == [("unit:prod", ["developer"])]
    assert "clusters:create" in found["scopes"][0]["permissions"]
    assert found["clusters"] == [
        {
            "cluster": "prod-eu",
            "role": "edit",
            "by": "unit:prod",
            "namespaces": [{"namespace": "shop", "role": "view"}],
        }
    ]


def test_ones_own_access_is_explained(ana: Person) -> None:
    found = ana.ok("GET", "/members/me/access?cluster=prod-eu")

    (cluster,) = found["clusters"]
    assert (cluster["role"], cluster["reasons"][0]["causes"][0]["kind"]) == ("edit", "grant")
    assert cluster["reasons"][0]["causes"][0]["actor"] == "tests"


def test_the_past_is_asked_in_the_same_way(rest: Rest, ana: Person) -> None:
    before = a_moment()
    wanted = GrantWanted("unit:prod", person=ana.name, kubernetes_role="edit")
    grants.remove(rest.database, ACTOR, "acme", wanted)

    then = ana.ok("GET", f"/members/me/effective-access?at={before}")
    today = ana.ok("GET", "/members/me/effective-access")

    assert (then["clusters"][0]["role"], today["clusters"][0]["role"]) == ("edit", None)
    assert (then["at"], today["at"]) == (before, None)


@pytest.mark.parametrize("path", ["access", "effective-access"])
def test_others_access_is_for_who_may_see_members(rest: Rest, ana: Person, viewer: Person, path: str) -> None:
    stranger = rest.person("boss", organization="evil")

    seen = viewer.inside("GET", f"/members/{ana.name}/{path}")
    hidden = ana.inside("GET", f"/members/{viewer.name}/{path}")
    unknown = ana.inside("GET", f"/members/nobody@acme.example/{path}")
    foreign = stranger.request("GET", f"/organizations/acme/members/{ana.name}/{path}")
    nobody = Person(rest.app, "x", "sbp_none", "acme").inside("GET", f"/members/me/{path}")

    assert seen.status_code == 200
    assert problem(hidden) == problem(unknown) == (403, "refused")
    assert problem(foreign) == (404, "not-found")
    assert problem(nobody) == (401, "not-authenticated")
    assert problem(viewer.inside("GET", f"/members/nobody@acme.example/{path}")) == (404, "not-found")


@pytest.mark.parametrize("at", ["2099-01-01", "2001-01-01", "someday"])
def test_a_moment_that_nobody_knows_marks_its_field(ana: Person, at: str) -> None:
    for path in ("/members/me/access", "/members/me/effective-access"):
        answer = ana.inside("GET", f"{path}?at={at}")

        assert problem(answer)[0] == 422
        assert fields(answer) == {"at"}


def test_who_has_a_role_on_a_cluster(ana: Person, viewer: Person) -> None:
    found = viewer.items("/access/who?cluster=prod-eu&role=edit")
    in_namespace = viewer.items("/access/who?cluster=prod-eu&namespace=shop")

    assert [(each["user_name"], each["role"], each["scope"]) for each in found] == [(ana.name, "edit", "unit:prod")]
    assert found[0]["through"] == ["the person, manual"]
    assert [(each["user_name"], each["role"], each["namespace"]) for each in in_namespace] == [
        (ana.name, "view", "shop")
    ]


def test_who_holds_a_permission_at_a_scope(ana: Person, viewer: Person) -> None:
    inside = viewer.items("/access/who?permission=clusters:create&scope=unit:prod")
    above = viewer.items("/access/who?permission=clusters:create")

    assert {each["user_name"] for each in inside} == {"owner@acme.example", ana.name}
    assert {each["user_name"] for each in above} == {"owner@acme.example"}


def test_who_had_it_then(rest: Rest, ana: Person, viewer: Person) -> None:
    before = a_moment()
    grants.remove(rest.database, ACTOR, "acme", GrantWanted("unit:prod", person=ana.name, kubernetes_role="edit"))

    then = viewer.items(f"/access/who?cluster=prod-eu&role=edit&at={before}")
    today = viewer.items("/access/who?cluster=prod-eu&role=edit")

    assert ([each["user_name"] for each in then], today) == ([ana.name], [])


def test_who_is_listed_page_by_page(rest: Rest, ana: Person, viewer: Person) -> None:
    for name in ("bea", "cem"):
        give(rest, rest.person(name), "organization", kubernetes_role="view")

    first = viewer.ok("GET", "/access/who?cluster=prod-eu&limit=2")
    rest_of_it = viewer.ok("GET", f"/access/who?cluster=prod-eu&cursor={first['next_cursor']}")

    names = [each["user_name"].partition("@")[0] for each in (*first["items"], *rest_of_it["items"])]
    assert names == ["ana", "ana", "bea", "cem"]


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ("", 422, "cluster"),
        ("cluster=prod-eu&permission=org:read", 422, "cluster"),
        ("cluster=prod-eu&role=emperor", 422, "role"),
        ("permission=fly", 422, "permission"),
        ("permission=org:read&scope=planet:earth", 422, "scope"),
        ("cluster=nowhere", 404, None),
        ("permission=org:read&scope=unit:nowhere", 404, None),
    ],
)
def test_a_question_that_makes_no_sense_is_told_so(
    ana: Person, viewer: Person, query: str, status: int, field: str | None
) -> None:
    answer = viewer.inside("GET", f"/access/who?{query}")

    assert problem(answer)[0] == status
    assert fields(answer) == ({field} if field else set())
    assert ana is not viewer


def test_the_matrix_is_everybody_with_everything(rest: Rest, ana: Person, viewer: Person) -> None:
    answer = viewer.inside("GET", "/access/matrix")

    table = {row["user_name"]: row for row in csv.DictReader(io.StringIO(answer.text, newline=""))}
    assert answer.content_type.startswith("text/csv")
    assert table[ana.name]["api unit:prod"] == "developer"
    assert table[ana.name]["kubernetes cluster:prod-eu"] == "edit"
    assert table[ana.name]["kubernetes project:shop"] == "view"
    assert table[viewer.name]["api organization"] == "viewer"
    assert table[viewer.name]["kubernetes cluster:prod-eu"] == ""
    assert problem(ana.inside("GET", "/access/matrix")) == (403, "refused")


def test_a_binding_that_is_not_ours_is_not_found(ana: Person, viewer: Person) -> None:
    assert problem(viewer.inside("GET", "/clusters/prod-eu/bindings/cluster-admins")) == (404, "not-found")
    assert problem(viewer.inside("GET", "/clusters/nowhere/bindings/x")) == (404, "not-found")
    assert problem(ana.inside("GET", "/clusters/prod-eu/bindings/x")) == (403, "refused")
