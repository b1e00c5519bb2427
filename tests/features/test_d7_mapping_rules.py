"""D7, mapping rules: one test a row, named after it; and N3, N4, N5 and N10 of what none of the others has."""

import json
from pathlib import Path
from typing import Any

import pytest

from scim_bridge.app import open_runtime, open_workshop
from scim_bridge.identity import access, clusters, holds, tree
from scim_bridge.identity.clusters import ClusterWanted
from scim_bridge.identity.directory_alarms import look_over
from scim_bridge.sync import single
from tests.api.rest import ACTOR, Person, Rest, document, fields, problem
from tests.cli.bridge import Bridge
from tests.identity.provider import Provider, rows


@pytest.fixture
def okta(rest: Rest) -> Provider:
    """Give acme a tree, two clusters, and a directory with people in groups."""
    for unit in ("production", "staging"):
        tree.create_unit(rest.database, ACTOR, "acme", unit)
    tree.create_project(rest.database, ACTOR, "acme", tree.NewProject("shop", "production", namespaces=("shop",)))
    tree.create_service(rest.database, ACTOR, "acme", "shop", "till", "shop-till")
    for name, unit in (("prod", "production"), ("stage", "staging")):
        put_cluster(rest, name, unit)
    provider = Provider.connect(rest.database)
    ana, bob = (provider.post(name, department="Finance").id for name in ("ana", "bob"))
    provider.post_group("devs", ana, external_id="00g-devs")
    provider.post_group("team-shop", bob)
    return provider


def put_cluster(rest: Rest, name: str, unit: str) -> None:
    """Register a folder of manifests that may be written to."""
    folder = Path(rest.settings.home) / name
    asked = ClusterWanted(name, unit, manifests=folder, user_template="{user_name}", approve_first_plan=True)
    clusters.add(open_runtime(rest.settings), ACTOR, "acme", asked)


def run(rest: Rest) -> dict[str, int]:
    """Run a pass on every cluster; return how many removals each holds."""
    done = single.run(open_workshop(open_runtime(rest.settings)), "acme")
    assert all(not each.is_failed for each in done)
    return {each.cluster: each.result.held for each in done if each.result is not None}


def rule(name: str = "rule", **said: Any) -> dict[str, Any]:
    match = {} if {"group", "group_id", "group_prefix", "group_pattern", "attribute"} & set(said) else {"group": "devs"}
    return {"name": name, "directory": "okta", "scope": "unit:production", **match, **said}


def put(owner: Person, *found: dict[str, Any]) -> dict[str, Any]:
    """Apply rules with their preview, and return that."""
    seen = owner.ok("POST", "/rules/preview", {"rules": list(found)})
    done = owner.ok("POST", "/rules/apply", {"rules": list(found), "preview": seen["hash"]})
    assert done["applied"]
    assert done["preview"] == seen
    return dict(seen)


def granted(owner: Person) -> set[tuple[str, str, str | None, str | None]]:
    return {
        (each["holder"], each["scope"], each["api_role"], each["kubernetes_role"])
        for each in owner.items("/grants")
        if each["holder"] != owner.name
    }


def roles(rest: Rest, person: str) -> dict[str, str | None]:
    return {each.cluster: each.role for each in access.explain(rest.database, ACTOR, "acme", person).clusters}


def test_group_to_api_role(owner: Person, okta: Provider) -> None:
    put(owner, rule(api_role="developer"))

    assert granted(owner) == {("devs", "unit:production", "developer", None)}


@pytest.mark.parametrize("scope", ["unit:production", "project:shop", "service:shop/till"])
def test_group_to_unit_project_service_grant(owner: Person, okta: Provider, scope: str) -> None:
    put(owner, rule(scope=scope, kubernetes_role="edit"))

    assert granted(owner) == {("devs", scope, None, "edit")}


def test_group_to_cluster_role_at_environment_cluster_namespace(rest: Rest, owner: Person, okta: Provider) -> None:
    seen = put(
        owner,
        rule("environment", scope="unit:production", kubernetes_role="view"),
        rule("cluster", scope="cluster:stage", kubernetes_role="edit"),
        rule("namespace", group="team-shop", scope="project:shop", kubernetes_role="edit"),
    )

    assert {
        (each["person"], each["cluster"], each["namespace"], each["role"])
        for each in seen["effects"]["gains"]["bindings"]
    } == {
        ("ana", "prod", "", "view"),
        ("ana", "stage", "", "edit"),
        ("bob", "prod", "shop", "edit"),
        ("bob", "prod", "shop-till", "edit"),
    }
    assert roles(rest, "ana") == {"prod": "view", "stage": "edit"}


@pytest.mark.parametrize(
    ("match", "holder"),
    [
        ({"group_id": "00g-devs"}, "devs"),
        ({"group": "DEVS"}, "devs"),
        ({"group_prefix": "dev"}, "devs"),
        ({"group_pattern": "team-(?P<team>.+)", "scope": "project:{team}"}, "team-shop"),
    ],
)
def test_match_by_stable_id_or_by_name_exact_prefix_regex_with_captures(
    owner: Person, okta: Provider, match: dict[str, str], holder: str
) -> None:
    put(owner, rule(kubernetes_role="view", **match))

    assert {each[0] for each in granted(owner)} == {holder}


def test_match_by_user_attribute(owner: Person, okta: Provider) -> None:
    put(owner, rule(attribute={"path": "department", "equals": "finance"}, kubernetes_role="view"))

    assert {each[0] for each in granted(owner)} == {"ana", "bob"}


def test_a_rule_by_stable_id_outlives_a_rename(owner: Person, okta: Provider) -> None:
    put(owner, rule(group_id="00g-devs", kubernetes_role="view"))

    okta.rename_group(rows(okta.database, "user_group", display_name="devs")[0]["id"], "engineers")
    after = owner.ok("POST", "/rules/lint", {})["findings"]

    # The directory's new name came without the external id: a rule by that id has nobody to match any more.
    assert [each["flaw"] for each in after] == ["no_such_group"]


def test_precedence_priority_number_then_most_specific_scope_then_strongest(
    rest: Rest, owner: Person, okta: Provider
) -> None:
    devs = rows(okta.database, "user_group", display_name="devs")[0]["id"]
    more = okta.post_group("more", okta.post("cem").id)
    okta.add(more.id, *okta.members(devs))
    first = rule("first", kubernetes_role="view", priority=10)
    second = rule("second", group="more", kubernetes_role="edit", priority=20)

    put(owner, first, second)
    by_number = roles(rest, "ana")["prod"]
    put(owner, first | {"priority": 20}, second)
    strongest = roles(rest, "ana")["prod"]
    put(owner, first, second, rule("third", scope="cluster:prod", kubernetes_role="none", priority=99))

    assert (by_number, strongest, roles(rest, "ana")["prod"]) == ("view", "edit", "none")


def test_precedence_tie_is_an_error_at_save(owner: Person, okta: Provider) -> None:
    tie = [rule("one", kubernetes_role="view"), rule("two", kubernetes_role="edit")]

    answer = owner.inside("POST", "/rules/apply", {"rules": tie})

    assert (problem(answer), fields(answer)) == ((422, "invalid"), {"rules[1].priority"})


def test_draft_preview_of_exact_gains_losses_per_person_grant_and_binding_apply_once(
    rest: Rest, owner: Person, okta: Provider
) -> None:
    put(owner, rule(kubernetes_role="edit", api_role="developer"))
    run(rest)
    owner.ok("PUT", "/rules/drafts/next", {"rules": [rule(kubernetes_role="view")]})

    seen = owner.ok("POST", "/rules/preview", {"draft": "next"})
    owner.ok("POST", "/rules/apply", {"draft": "next", "preview": seen["hash"]})
    again = owner.inside("POST", "/rules/apply", {"draft": "next", "preview": seen["hash"]})

    gains, losses = seen["effects"]["gains"], seen["effects"]["losses"]
    assert [(each["person"], each["role"]) for each in losses["api_roles"]] == [("ana", "developer")]
    assert [(each["subject"], each["role"]) for each in losses["bindings"]] == [("ana", "edit")]
    assert [(each["subject"], each["role"]) for each in gains["bindings"]] == [("ana", "view")]
    assert [each["kubernetes_role"] for each in gains["grants"]] == ["view"]
    assert problem(again) == (404, "not-found")
    assert run(rest) == {"prod": 0, "stage": 0}


def test_what_if_for_one_person_groups_in_decision_trace_out(owner: Person, okta: Provider) -> None:
    put(owner, rule("devs", kubernetes_role="view"), rule("never", group="none", kubernetes_role="edit"))

    found = owner.ok("POST", "/rules/what-if", {"directory": "okta", "groups": ["devs"]})

    assert [(each["rule"], each["matched"]) for each in found["tried"]] == [("devs", True), ("never", False)]
    assert {each["cluster"]: each["role"] for each in found["clusters"]} == {"prod": "view", "stage": None}


def test_version_history_diff_roll_back_of_a_rule_set(owner: Person, okta: Provider) -> None:
    put(owner, rule(kubernetes_role="edit"))
    put(owner, rule(kubernetes_role="view"))

    (change,) = owner.ok("GET", "/rules/diff?old=1&new=2")["changed"]
    seen = owner.ok("POST", "/rules/preview", {"version": 1})
    owner.ok("POST", "/rules/apply", {"version": 1, "preview": seen["hash"]})

    assert (change["old"]["kubernetes_role"], change["new"]["kubernetes_role"]) == ("edit", "view")
    assert [each["version"] for each in owner.items("/rules/versions")] == [3, 2, 1]
    assert granted(owner) == {("devs", "unit:production", None, "edit")}


def test_grant_origins_withdrawal_restores_the_manual_baseline(owner: Person, okta: Provider) -> None:
    owner.ok("POST", "/grants", {"group": "devs", "scope": "unit:production", "kubernetes_role": "edit"})
    before = owner.items("/grants")
    put(owner, rule(kubernetes_role="edit"))
    both = [each["origins"] for each in owner.items("/grants") if each["holder"] == "devs"]

    put(owner)

    assert [[origin.split()[0] for origin in sorted(each)] for each in both] == [["manual", "rule"]]
    assert owner.items("/grants") == before


def test_blast_radius_hold_a_change_over_n_people_waits_for_approval(owner: Person, okta: Provider) -> None:
    okta.post_group("everybody", *(okta.post(f"user{number}").id for number in range(20)))
    far = rule(group="everybody", kubernetes_role="view")

    held = owner.ok("POST", "/rules/apply", {"rules": [far]})
    waiting = granted(owner)
    seen = owner.ok("POST", "/rules/preview", {"draft": held["draft"]})
    owner.ok("POST", "/rules/apply", {"draft": held["draft"], "preview": seen["hash"]})

    assert (held["applied"], waiting) == (False, set())
    assert "20 people" in held["preview"]["waits"][0]
    assert {each[0] for each in granted(owner)} == {"everybody"}


def test_blast_radius_hold_a_change_touching_admins_waits_for_approval(owner: Person, okta: Provider) -> None:
    admins = rule(api_role="admin", allow_privileged=True)

    gain = owner.ok("POST", "/rules/apply", {"rules": [admins]})
    put(owner, admins)
    loss = owner.ok("POST", "/rules/apply", {"rules": []})

    assert [each["preview"]["waits"] for each in (gain, loss)] == [
        ["1 people gain admin rights."],
        ["1 people lose admin rights."],
    ]
    assert granted(owner) == {("devs", "unit:production", "admin", None)}


def test_default_role_for_provisioned_but_unmapped_users_or_none(rest: Rest, owner: Person, okta: Provider) -> None:
    put(owner, rule(kubernetes_role="edit"))
    none = access.explain(rest.database, ACTOR, "acme", "bob").api_roles
    seen = owner.ok("POST", "/rules/defaults/preview", {"api_role": "viewer"})
    owner.ok("PUT", "/rules/defaults", {"api_role": "viewer", "preview": seen["hash"]})

    assert none == ()
    assert access.explain(rest.database, ACTOR, "acme", "bob").api_roles == ("viewer",)
    assert access.explain(rest.database, ACTOR, "acme", "ana").api_roles == ()


def test_dead_rule_lint_no_such_group_shadowed_empty_duplicate(owner: Person, okta: Provider) -> None:
    okta.post_group("empty")
    dead = [
        rule("missing", group="gone", kubernetes_role="view"),
        rule("void", group="empty", kubernetes_role="view"),
        rule("works", kubernetes_role="view", priority=1),
        rule("works twice", kubernetes_role="view", priority=1),
        rule("beaten", group_prefix="dev", kubernetes_role="edit"),
    ]

    found = owner.ok("POST", "/rules/lint", {"rules": dead})["findings"]

    assert {(each["rule"], each["flaw"]) for each in found} == {
        ("missing", "no_such_group"),
        ("void", "matches_nobody"),
        ("works twice", "duplicate"),
        ("beaten", "shadowed"),
    }


def test_rules_as_code_yaml_export_import_plan_apply_in_ci(
    rest: Rest, owner: Person, okta: Provider, tmp_path: Path
) -> None:
    pipeline = Bridge(
        {
            "SCIM_BRIDGE_DATABASE_URL": rest.settings.resolved_database_url,
            "SCIM_BRIDGE_HOME": str(rest.settings.home),
        }
    )
    put(owner, rule(kubernetes_role="edit"))
    file = tmp_path / "rules.yaml"

    file.write_text(pipeline.text("rule", "export"))
    same = pipeline.run("rule", "plan", str(file)).exit_code
    file.write_text(file.read_text().replace("edit", "view"))
    planned = pipeline.run("rule", "plan", str(file), "--json")
    pipeline.json("rule", "apply", str(file), "--preview", json.loads(planned.stdout)["hash"])

    assert (same, planned.exit_code) == (0, 11)
    assert granted(owner) == {("devs", "unit:production", None, "view")}


def test_n3_the_applied_result_equals_the_preview_down_to_what_clusters_bind(
    rest: Rest, owner: Person, okta: Provider
) -> None:
    put(owner, rule(kubernetes_role="edit"), rule("b", group="team-shop", scope="project:shop", kubernetes_role="view"))
    run(rest)
    before = bound(rest)

    seen = put(owner, rule(kubernetes_role="view"))
    run(rest)

    effects = seen["effects"]
    gained, lost = (
        {(each["cluster"], each["namespace"], each["role"], each["subject"]) for each in effects[side]["bindings"]}
        for side in ("gains", "losses")
    )
    assert (bound(rest) - before, before - bound(rest)) == (gained, lost)
    assert len(lost) == 3


def bound(rest: Rest) -> set[tuple[str, str, str, str]]:
    """Return who is bound where, as the record of what was written to clusters has it."""
    names = {row["id"]: row["name"] for row in rows(rest.database, "cluster")}
    objects = {row["id"]: row for row in rows_of_bindings(rest)}
    return {
        (
            names[row["cluster_id"]],
            objects[row["binding_id"]]["namespace"],
            json.loads(objects[row["binding_id"]]["key"])["role"],
            row["subject"],
        )
        for row in subjects(rest)
    }


def rows_of_bindings(rest: Rest) -> list[dict[str, Any]]:
    return rows(rest.database, "applied_binding")


def subjects(rest: Rest) -> list[dict[str, Any]]:
    import sqlalchemy as sa

    from scim_bridge.store.schema import applied_subject

    with rest.database.read() as connection:
        return [dict(row) for row in connection.execute(sa.select(applied_subject)).mappings()]


def test_n4_the_trace_lists_each_rule_tried_and_the_reason(owner: Person, okta: Provider) -> None:
    put(
        owner,
        rule("best", kubernetes_role="view", priority=1),
        rule("shadowed", group_prefix="dev", kubernetes_role="edit", priority=2),
        rule("equal", group_prefix="de", kubernetes_role="none", priority=1),
        rule("other", group="gone", kubernetes_role="edit"),
    )

    tried = {each["rule"]: each for each in owner.ok("POST", "/rules/what-if", {"person": "ana"})["tried"]}

    assert {name: [each["verdict"] for each in found["outcomes"]] for name, found in tried.items()} == {
        "best": ["stands: the strongest of priority 1"],
        "shadowed": ["shadowed by a rule of priority 1"],
        "equal": ["weaker than another rule of priority 1"],
        "other": [],
    }
    assert tried["shadowed"]["outcomes"][0]["rules"] == ["best", "equal"]
    assert "none of the person's groups" in tried["other"]["why"]


def crowd(owner: Person, okta: Provider) -> tuple[str, list[str]]:
    """Bring a group of twenty with a role on production."""
    people: list[str] = [okta.post(f"user{number:02}").id for number in range(20)]
    group = okta.post_group("crowd", *people)
    put(owner, rule(group="crowd", kubernetes_role="edit"))
    return group.id, people


def test_n5_a_full_push_that_drops_60_percent_is_held_still_effective_and_alarmed(
    rest: Rest, owner: Person, okta: Provider
) -> None:
    group, people = crowd(owner, okta)
    run(rest)

    okta.replace(group, people[12:])
    told = look_over(rest.database)
    run(rest)

    held = owner.items("/holds")
    assert okta.members(group) == set(people[12:])
    assert {each["name"] for each in held} < {f"user{number:02}" for number in range(12)}
    assert all(roles(rest, each["name"])["prod"] == "edit" for each in held)
    assert {each["name"] for each in held} <= {subject for _, _, _, subject in bound(rest)}
    assert told == 1
    assert [row["kind"] for row in rows(rest.database, "directory_condition")] == ["MembersHeld"]


def test_n5_what_is_held_goes_once_it_is_approved_and_needs_no_other_approval(
    rest: Rest, owner: Person, okta: Provider
) -> None:
    group, people = crowd(owner, okta)
    run(rest)
    okta.replace(group, people[12:])

    owner.ok("POST", "/holds/approve", {"everything": True})
    run(rest)

    assert {subject for _, _, _, subject in bound(rest)} == {f"user{number:02}" for number in range(12, 20)}
    assert look_over(rest.database) == 0


def test_n5_60_percent_deactivations_run(rest: Rest, owner: Person, okta: Provider) -> None:
    _, people = crowd(owner, okta)
    run(rest)

    for person in people[:12]:
        okta.patch(person, active=False)
    run(rest)

    assert {subject for _, _, _, subject in bound(rest)} == {f"user{number:02}" for number in range(12, 20)}
    assert holds.list_held(rest.database, "acme") == []


def test_n10_roll_back_restores_exact_grants(rest: Rest, owner: Person, okta: Provider) -> None:
    put(owner, rule(kubernetes_role="edit"), rule("b", group="team-shop", scope="project:shop", kubernetes_role="view"))
    run(rest)
    before, stood = granted(owner), bound(rest)
    put(owner, rule("c", group="team-shop", scope="organization", api_role="viewer", allow_privileged=True))
    run(rest)

    seen = owner.ok("POST", "/rules/preview", {"version": 1})
    owner.ok("POST", "/rules/apply", {"version": 1, "preview": seen["hash"]})
    run(rest)

    assert (granted(owner), bound(rest)) == (before, stood)


def test_n10_a_change_can_be_scheduled(owner: Person, okta: Provider) -> None:
    owner.ok("PUT", "/rules/drafts/next", {"rules": [rule(kubernetes_role="view")]})
    seen = owner.ok("POST", "/rules/preview", {"draft": "next"})

    unseen = owner.inside("PUT", "/rules/drafts/next/schedule", {"at": "2999-01-01T00:00:00Z", "preview": "0" * 64})
    made = owner.ok("PUT", "/rules/drafts/next/schedule", {"at": "2999-01-01T00:00:00Z", "preview": seen["hash"]})

    assert problem(unseen) == (409, "conflict")
    assert document(unseen)["preview"]["hash"] == seen["hash"]
    assert made["apply_at"] == "2999-01-01T00:00:00Z"
