"""D5, groups: one test a row, named after it."""

from datetime import timedelta

import pytest
import time_machine

from scim_bridge.identity import hand_members, tree
from scim_bridge.identity.tree import NewProject
from scim_bridge.store.clock import now
from tests.api.rest import ACTOR, Person, Rest, document, problem
from tests.identity.people import put_person, was_active
from tests.identity.provider import Provider


@pytest.fixture
def admin(rest: Rest) -> Person:
    """Return an admin of acme with a token, beside somebody to put into groups."""
    put_person(rest.database, "ana.silva@x.example", "Ana Silva")
    return rest.with_role("admin")


def _group(admin: Person, *members: str) -> None:
    admin.ok("POST", "/groups", {"name": "Team"})
    if members:
        admin.ok("POST", "/groups/Team/members", {"members": list(members)})


def test_org_wide_groups_usable_in_every_unit_project_service(rest: Rest, admin: Person) -> None:
    _group(admin)
    tree.create_unit(rest.database, ACTOR, "acme", "production")
    tree.create_project(rest.database, ACTOR, "acme", NewProject("shop", "production", ("shop-web",)))
    tree.create_service(rest.database, ACTOR, "acme", "shop", "web", "shop-web")

    for scope in ("organization", "unit:production", "project:shop", "service:shop/web"):
        admin.ok("POST", "/grants", {"scope": scope, "group": "Team", "kubernetes_role": "view"})

    scopes = {each["scope"] for each in admin.items("/grants") if each["holder"] == "Team"}
    assert scopes == {"organization", "unit:production", "project:shop", "service:shop/web"}


def test_create_rename_describe_delete_member_count_managed_by_badge(rest: Rest, admin: Person) -> None:
    _group(admin, "ana.silva@x.example")
    Provider.connect(rest.database).post_group("Pushed")
    admin.ok("PATCH", "/groups/Team", {"name": "Crew", "description": "Those who sail"})

    listed = {each["name"]: (each["members"], each["directory"]) for each in admin.items("/groups")}
    admin.ok("DELETE", "/groups/Crew")

    assert listed == {"Crew": (1, None), "Pushed": (0, "okta")}
    assert [each["name"] for each in admin.items("/groups")] == ["Pushed"]


def test_search_for_a_user_and_add_in_one_call(admin: Person) -> None:
    _group(admin)

    added = admin.ok("POST", "/groups/Team/members", {"members": ["silva"]})

    assert len(added["changed"]) == 1
    assert [each["user_name"] for each in admin.items("/groups/Team/members")] == ["ana.silva@x.example"]


def test_open_a_users_profile_from_inside_the_group(admin: Person) -> None:
    _group(admin, "ana.silva@x.example")
    (seen,) = admin.items("/groups/Team/members")

    profile = admin.ok("GET", f"/members/{seen['id']}")["profile"]

    assert profile["member"]["display_name"] == "Ana Silva"
    assert [each["group"] for each in profile["groups"]] == ["Team"]


def test_status_and_last_activity_of_all_members_at_a_glance(rest: Rest, admin: Person) -> None:
    bob = put_person(rest.database, "bob@x.example")
    was_active(rest.database, bob, now() - timedelta(days=2))
    _group(admin, "ana.silva@x.example", "bob@x.example")
    admin.ok("POST", "/members/bob@x.example/deactivate")

    seen = {each["user_name"]: (each["state"], each["last_active_at"]) for each in admin.items("/groups/Team/members")}

    assert seen["ana.silva@x.example"] == ("active", None)
    assert seen["bob@x.example"][0] == "deactivated"
    assert seen["bob@x.example"][1] is not None


def test_import_old_teams_into_groups_bulk_csv_json_dry_run(admin: Person) -> None:
    csv = "group,member\nTeam,ana.silva@x.example\nTeam,zoe@x.example\n"
    json = '[{"name": "Crew", "members": ["ana.silva@x.example", "ana.silva@x.example"]}]'

    dry = admin.ok("POST", "/groups/import", {"format": "csv", "content": csv, "dry_run": True})
    nothing = admin.items("/groups")
    for kind, content in (("csv", csv), ("json", json)):
        admin.ok("POST", "/groups/import", {"format": kind, "content": content, "dry_run": False})

    assert [line["outcome"] for line in dry["lines"]] == ["creates_group", "unknown_person"]
    assert (nothing, {each["name"]: each["members"] for each in admin.items("/groups")}) == ([], {"Team": 1, "Crew": 1})


def test_application_non_human_members(admin: Person) -> None:
    admin.ok("POST", "/application-users", {"name": "deployer"})

    _group(admin, "deployer")

    assert [each["user_name"] for each in admin.items("/groups/Team/members")] == ["deployer"]
    admin.ok("POST", "/grants", {"scope": "organization", "group": "Team", "api_role": "developer"})
    assert admin.ok("GET", "/members/deployer")["profile"]["access"]["api_roles"] == ["developer"]


def test_scim_owned_groups_read_only_with_reason_shown(rest: Rest, admin: Person) -> None:
    group = Provider.connect(rest.database).post_group("Pushed")

    refused = admin.inside("POST", f"/groups/{group.id}/members", {"members": ["ana.silva@x.example"]})

    assert problem(refused) == (403, "refused")
    assert "belongs to the directory okta" in document(refused)["detail"]
    assert "okta" in admin.ok("GET", f"/groups/{group.id}")["read_only"]


def test_membership_origin_per_row_and_mixed_membership(rest: Rest, admin: Person) -> None:
    # A directory's group has its members only; both kinds meet in a group made by hand that contains it.
    okta = Provider.connect(rest.database)
    pushed = okta.post_group("Pushed", okta.post("dora@x.example").id)
    _group(admin, "ana.silva@x.example")
    admin.ok("PUT", f"/groups/Team/groups/{pushed.id}")
    admin.ok("POST", "/grants", {"scope": "organization", "group": "Team", "api_role": "developer"})

    by_hand, by_scim = admin.items("/groups/Team/members"), admin.items(f"/groups/{pushed.id}/members")
    held = admin.items("/members?api_role=developer")

    assert [each["origins"][0]["origin"] for each in (*by_hand, *by_scim)] == ["manual", "scim"]
    assert [each["member"]["user_name"] for each in held] == ["ana.silva@x.example", "dora@x.example"]


def test_time_boxed_membership_expires(rest: Rest, admin: Person) -> None:
    _group(admin)
    admin.ok("POST", "/groups/Team/members", {"members": ["ana.silva@x.example"], "expires": "2h"})

    with time_machine.travel(now() + timedelta(hours=3)):
        ended = hand_members.end_expired_memberships(rest.database)

    assert (ended, admin.items("/groups/Team/members")) == (1, [])
