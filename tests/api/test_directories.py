"""Directories over REST: connected, named, stopped, ended; and who may do that."""

from typing import Any

import pytest

from scim_bridge.identity import rules
from tests.api.directories import connect, statuses
from tests.api.rest import ACTOR, Person, Rest, document, fields, problem
from tests.identity.provider import rows
from tests.identity.rows import put_cluster

HASH = "0" * 64
ROUTES: list[tuple[str, str, object]] = [
    ("GET", "/directories/okta", None),
    ("PATCH", "/directories/okta", {"name": "idp"}),
    ("GET", "/directories/okta/tokens", None),
    ("POST", "/directories/okta/tokens", {}),
    ("POST", "/directories/okta/tokens/rotate", {}),
    ("POST", "/directories/okta/preview", {"step": "detach"}),
    ("POST", "/directories/okta/activate", {"preview": HASH}),
    ("POST", "/directories/okta/detach", {"preview": HASH}),
    ("POST", "/directories/okta/purge", {"preview": HASH}),
    ("POST", "/directories/okta/pause", None),
    ("POST", "/directories/okta/resume", None),
    ("GET", "/directories/okta/mapping", None),
    ("POST", "/directories/okta/mapping/preview", {}),
    ("PUT", "/directories/okta/mapping", {"preview": HASH}),
    ("POST", "/directories/okta/mapping/test", {"user": "ada"}),
    ("GET", "/directories/okta/log", None),
    ("GET", "/directories/okta/log/x", None),
    ("POST", "/directories/okta/log/x/replay", {}),
]


@pytest.fixture
def admin(rest: Rest) -> Person:
    """Return an admin of acme, with a cluster to be admin of."""
    put_cluster(rest.database, "prod")
    return rest.with_role("admin")


def test_an_identity_provider_is_connected_and_its_token_shown_once(rest: Rest, admin: Person) -> None:
    made = admin.ok("POST", "/directories", {"name": "okta", "kind": "okta"})
    again = admin.ok("POST", "/directories", {"name": "okta", "kind": "okta"})
    shown = admin.ok("GET", "/directories/okta")

    assert made["token"].startswith("scimb_")
    assert made["scim_base_url"] == "https://bridge.example/scim/v2"
    assert (again["token"], again["created"], again["id"]) == (None, False, made["id"])
    assert (shown["kind"], shown["state"], shown["users"], len(shown["tokens"])) == ("okta", "active", 0, 1)
    assert made["token"] not in str(shown)
    assert [each["name"] for each in admin.items("/directories")] == ["okta"]


def test_who_did_it_stands_in_the_audit(rest: Rest, admin: Person) -> None:
    connect(rest, admin)

    [entry] = rows(rest.database, "audit_entry", action="directory.created")
    assert entry["actor_name"].startswith(f"{admin.name} (sbp_")


def test_a_renamed_directory_keeps_its_rules_its_people_and_its_tokens(rest: Rest, admin: Person) -> None:
    okta = connect(rest, admin)
    ada = okta.create_user("ada@acme.example")
    okta.create_group("team", ada)
    rule = {
        "name": "r",
        "directory": "okta",
        "group": "team",
        "scope": "organization",
        "kubernetes_role": "edit",
        "allow_privileged": True,
    }
    rules.apply(rest.database, ACTOR, "acme", {"rules": [rule]})

    renamed = admin.ok("PATCH", "/directories/okta", {"name": "idp"})

    assert (renamed["name"], problem(admin.inside("GET", "/directories/okta"))[0]) == ("idp", 404)
    assert [each.directory for each in rules.in_force(rest.database, "acme").rules] == ["idp"]
    assert okta.user(ada)["userName"] == "ada@acme.example"
    [grant] = [each for each in admin.items("/grants") if each["holder_kind"] == "group"]
    assert (grant["holder"].rpartition("/")[2], grant["origins"]) == ("team", ["rule r"])
    okta.create_group("team-2", ada)
    rules.apply(rest.database, ACTOR, "acme", {"rules": [{**rule, "directory": "idp"}]})


@pytest.mark.parametrize(("name", "status"), [("entra", 409), ("My Okta", 422), ("", 422), ("x" * 64, 422)])
def test_a_name_that_cannot_be_is_refused(rest: Rest, admin: Person, name: str, status: int) -> None:
    connect(rest, admin)
    admin.ok("POST", "/directories", {"name": "entra", "kind": "entra"})

    answer = admin.inside("PATCH", "/directories/okta", {"name": name})

    assert problem(answer)[0] == status
    assert fields(answer) == ({"name"} if status == 422 else set())


def test_tokens_are_made_rotated_listed_and_ended(rest: Rest, admin: Person) -> None:
    okta = connect(rest, admin)
    wanted = {"name": "office", "expires": "90d", "ip_ranges": ["127.0.0.0/8"]}

    made = admin.ok("POST", "/directories/okta/tokens", wanted)
    rotated = admin.ok("POST", "/directories/okta/tokens/rotate", {"token": "office"})
    ended = admin.ok("DELETE", f"/directory-tokens/{made['prefix']}")
    listed = admin.items("/directories/okta/tokens")

    assert (made["name"], made["ip_ranges"], rotated["replaces"]) == ("office", ["127.0.0.0/8"], made["prefix"])
    assert ended["revoked_at"] is not None
    assert [each["name"] for each in listed] == ["first", "office", "office"]
    assert not any("token" in each or made["token"] in str(each) for each in listed)
    okta.token = made["token"]
    assert okta.get("/Users").status_code == 401
    okta.token = rotated["token"]
    assert okta.get("/Users").status_code == 200


@pytest.mark.parametrize(
    ("body", "marked"),
    [
        ({"expires": "soon"}, "expires"),
        ({"ip_ranges": ["10.0.0.1/8"]}, "ip_ranges"),
        ({"name": "x" * 64}, "name"),
        ({"nome": "x"}, "nome"),
    ],
)
def test_a_token_that_cannot_be_is_refused_with_its_field(
    rest: Rest, admin: Person, body: dict[str, Any], marked: str
) -> None:
    connect(rest, admin)

    answer = admin.inside("POST", "/directories/okta/tokens", body)

    assert problem(answer) == (422, "invalid")
    assert any(each.startswith(marked) for each in fields(answer))


def test_a_pending_directory_is_previewed_and_activated_with_exactly_that(rest: Rest, admin: Person) -> None:
    okta = connect(rest, admin, pending=True)
    okta.create_group("team", okta.create_user("ada@acme.example"))
    admin.ok("POST", "/grants", {"group": "team", "kubernetes_role": "edit"})

    seen = admin.ok("POST", "/directories/okta/preview", {})
    done = admin.ok("POST", "/directories/okta/activate", {"preview": seen["hash"][:12]})

    assert [(each["person"], each["what"]) for each in seen["gains"]] == [
        ("ada@acme.example", ["edit in cluster prod"])
    ]
    assert (done["gains"], admin.ok("GET", "/directories/okta")["state"]) == (seen["gains"], "active")


def test_an_outcome_that_nobody_saw_is_a_conflict_with_the_one_that_would_be(rest: Rest, admin: Person) -> None:
    connect(rest, admin, pending=True)

    answer = admin.inside("POST", "/directories/okta/activate", {"preview": HASH})

    assert problem(answer) == (409, "conflict")
    assert document(answer)["preview"]["step"] == "activate"
    assert admin.ok("GET", "/directories/okta")["state"] == "pending"


def test_a_directory_goes_through_all_its_states(rest: Rest, admin: Person) -> None:
    okta = connect(rest, admin)
    okta.create_user("ada@acme.example")

    paused = admin.ok("POST", "/directories/okta/pause")
    refused = okta.get("/Users").status_code
    resumed = admin.ok("POST", "/directories/okta/resume")
    detach = admin.ok("POST", "/directories/okta/preview", {"step": "detach"})["hash"]
    admin.ok("POST", "/directories/okta/detach", {"preview": detach})
    purge = admin.ok("POST", "/directories/okta/preview", {"step": "purge"})["hash"]
    admin.ok("POST", "/directories/okta/purge", {"preview": purge})

    assert (paused["state"], refused, resumed["state"]) == ("paused", 503, "active")
    shown = admin.ok("GET", "/directories/okta")
    assert (shown["state"], shown["users"]) == ("detached", 0)
    assert problem(admin.inside("PATCH", "/directories/okta", {"name": "idp"}))[0] == 409


@pytest.mark.parametrize("step", ["pause", "resume", "explode"])
def test_only_what_changes_access_is_previewed(rest: Rest, admin: Person, step: str) -> None:
    connect(rest, admin)

    answer = admin.inside("POST", "/directories/okta/preview", {"step": step})

    assert (problem(answer)[0], fields(answer)) == (422, {"step"})


def test_a_viewer_neither_sees_nor_changes_directories(rest: Rest, admin: Person, viewer: Person) -> None:
    connect(rest, admin)
    before = admin.ok("GET", "/directories/okta")

    found = statuses(viewer, [("GET", "/directories", None), ("POST", "/directories", {}), *ROUTES])

    assert found == {403}
    assert admin.ok("GET", "/directories/okta") == before


def test_another_organizations_directory_is_not_there(rest: Rest, admin: Person) -> None:
    connect(rest, admin)
    prefix = admin.items("/directories/okta/tokens")[0]["prefix"]
    theirs = rest.with_role("owner", organization="globex")

    found = statuses(theirs, [*ROUTES, ("DELETE", f"/directory-tokens/{prefix}", None)])

    assert found == {404}
    assert [each["revoked_at"] for each in admin.items("/directories/okta/tokens")] == [None]


def test_a_token_that_may_only_read_changes_nothing(rest: Rest, admin: Person) -> None:
    connect(rest, admin)
    reader = rest.token_of(admin.name, permissions=("organization:directories:read",))

    assert reader.ok("GET", "/directories/okta")["state"] == "active"
    assert problem(reader.inside("POST", "/directories/okta/pause"))[0] == 403
    assert admin.ok("GET", "/directories/okta")["state"] == "active"
