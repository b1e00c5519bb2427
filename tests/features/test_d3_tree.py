"""D3, organizations, units, projects, services, environments and clusters: one test a row, named after it."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from scim_bridge.domain.actors import Actor, ActorKind
from scim_bridge.identity import clusters
from scim_bridge.identity.clusters import ClusterWanted
from scim_bridge.identity.runtime import Runtime
from scim_bridge.store.sealing import load_keyring
from tests.api.rest import Person, Rest, document, problem

ENVIRONMENTS = ("production", "staging", "testing", "development", "demo", "other")


def cluster(rest: Rest, folder: Path, name: str, unit: str) -> None:
    """Register a folder of manifests at the installation itself."""
    runtime = Runtime(rest.settings, rest.database, load_keyring(rest.settings))
    wanted = ClusterWanted(name, unit, manifests=folder / name)
    clusters.add(runtime, Actor(ActorKind.CLI, "tests"), "acme", wanted)


def move(person: Person, path: str, change: dict[str, Any]) -> Any:
    """Preview a change, and have it done as it was seen."""
    seen = person.ok("PATCH", f"{path}?dry_run=true", change)
    done = person.ok("PATCH", f"{path}?preview={seen['hash']}", change)
    assert done == seen
    return done


def shown(shifts: list[dict[str, Any]]) -> dict[str, list[str]]:
    return {each["person"]: each["what"] for each in shifts}


def test_organizations_create_rename_settings_update_delete_guarded_leave(rest: Rest, owner: Person) -> None:
    member = rest.with_role("viewer")
    owner.ok("PATCH", "", {"name": "Acme Corporation", "contact": "it@acme.example"})
    owner.ok("POST", "/units", {"path": "lab"})

    full = owner.inside("DELETE", "?repeated=acme")
    alone = owner.inside("POST", "/members/me/leave", {})
    left = member.ok("POST", "/members/me/leave", {})
    owner.ok("DELETE", "/units/lab")
    gone = owner.ok("DELETE", "?repeated=acme")

    assert (problem(full), problem(alone)) == ((403, "refused"), (403, "refused"))
    assert "last working owner" in document(alone)["detail"]
    assert left["state"] == "removed"
    assert member.inside("GET", "").status_code in (401, 404)
    assert (gone["slug"], gone["members"]) == ("acme", 1)


def test_a_user_sees_the_list_of_organizations_they_belong_to_and_switches(rest: Rest) -> None:
    here = rest.person("ana", organization="acme")
    rest.person("eve", organization="globex")
    rest.grant(here, "viewer")
    found = document(here.request("GET", "/organizations"))["items"]

    assert [(each["slug"], each["state"], each["why_not"]) for each in found] == [("acme", "active", None)]
    assert here.request("GET", "/organizations/acme").status_code == 200
    assert problem(here.request("GET", "/organizations/globex")) == (404, "not-found")


def test_organizational_units_inside_an_org_split_production_and_testing(
    rest: Rest, owner: Person, tmp_path: Path
) -> None:
    for path, kind in (("shop", None), ("shop/production", "production"), ("shop/testing", "testing")):
        owner.ok("POST", "/units", {"path": path, "environment_type": kind})
    cluster(rest, tmp_path, "prod", "shop/production")
    cluster(rest, tmp_path, "test", "shop/testing")
    owner.ok("POST", "/grants", {"person": owner.name, "scope": "unit:shop/testing", "kubernetes_role": "edit"})

    planned = {name: owner.ok("GET", f"/clusters/{name}/plan")["document"]["gains"] for name in ("prod", "test")}

    assert planned["prod"] == []
    assert [each["subjects"] for each in planned["test"]] == [[owner.name]]


def test_projects_in_org_or_unit_move_between_units(rest: Rest, owner: Person, tmp_path: Path) -> None:
    for path in ("production", "staging"):
        owner.ok("POST", "/units", {"path": path, "environment_type": path})
        cluster(rest, tmp_path, path, path)
    head = rest.with_role("developer", scope="unit:staging")
    owner.ok("POST", "/projects", {"name": "tools"})
    owner.ok("POST", "/projects", {"name": "shop", "unit": "production", "namespaces": ["web"]})
    owner.ok("POST", "/grants", {"person": owner.name, "scope": "project:shop", "kubernetes_role": "view"})

    done = move(owner, "/projects/shop", {"unit": "staging"})

    assert shown(done["loses"]) == {owner.name: ["view in web on production"]}
    assert shown(done["gains"]) == {
        owner.name: ["view in web on staging"],
        head.name: ["API role developer at project:shop"],
    }
    assert [(each["name"], each["unit"]) for each in owner.items("/projects")] == [("shop", "staging"), ("tools", "")]


def test_services_in_projects_as_grantable_resources(rest: Rest, owner: Person, tmp_path: Path) -> None:
    cluster(rest, tmp_path, "prod", "")
    owner.ok("POST", "/projects", {"name": "shop", "namespaces": ["web"]})
    owner.ok("POST", "/projects/shop/services", {"name": "db", "namespace": "shop-db"})
    owner.ok("POST", "/grants", {"person": owner.name, "scope": "service:shop/db", "kubernetes_role": "edit"})

    (gained,) = owner.ok("GET", "/clusters/prod/plan")["document"]["gains"]

    assert (gained["namespace"], gained["role"], gained["subjects"]) == ("shop-db", "edit", [owner.name])


@pytest.mark.parametrize("kind", ENVIRONMENTS)
def test_environments_create_delete(rest: Rest, kind: str) -> None:
    developer = rest.with_role("developer")

    made = developer.ok("POST", "/units", {"path": "env", "environment_type": kind})
    gone = developer.ok("DELETE", "/units/env")

    assert (made["environment_type"], gone["becomes"]) == (kind, None)
    assert developer.items("/units") == []


def test_clusters_registered_in_an_environment_move_cluster_to_another_environment(
    rest: Rest, owner: Person, tmp_path: Path
) -> None:
    for path in ("production", "staging"):
        owner.ok("POST", "/units", {"path": path, "environment_type": path})
    cluster(rest, tmp_path, "eu", "production")
    developer = rest.with_role("developer")
    owner.ok("POST", "/grants", {"person": owner.name, "scope": "unit:production", "kubernetes_role": "edit"})

    refused = developer.inside("PATCH", "/clusters/eu", {"unit": "staging"})
    done = move(owner, "/clusters/eu", {"unit": "staging"})

    assert problem(refused) == (403, "refused")
    assert shown(done["loses"]) == {owner.name: ["edit in cluster eu"]}
    assert owner.ok("GET", "/clusters/eu")["unit"] == "staging"


def test_hierarchy_tree_with_counts_and_inherited_access(rest: Rest, owner: Person, tmp_path: Path) -> None:
    owner.ok("POST", "/units", {"path": "production", "environment_type": "production"})
    cluster(rest, tmp_path, "eu", "production")
    owner.ok("POST", "/projects", {"name": "shop", "unit": "production"})
    owner.ok("POST", "/grants", {"person": owner.name, "scope": "unit:production", "kubernetes_role": "edit"})

    found = {each["scope"]: each for each in owner.ok("GET", "/tree")}

    assert found["organization"]["contents"] == {"unit": 1, "project": 1, "service": 0, "cluster": 1}
    inherited = [
        (each["scope"], each["api_role"] or each["kubernetes_role"]) for each in found["cluster:eu"]["inherited"]
    ]
    assert inherited == [("unit:production", "edit"), ("organization", "owner")]
    assert found["project:shop"]["people"] == 1


def test_delegated_administration_of_one_unit(rest: Rest, owner: Person) -> None:
    for path in ("team", "other"):
        owner.ok("POST", "/units", {"path": path})
    head = rest.with_role("admin", scope="unit:team")
    guest = rest.person("guest")

    head.ok("POST", "/projects", {"name": "mine", "unit": "team"})
    head.ok("POST", "/grants", {"person": guest.name, "scope": "project:mine", "api_role": "developer"})
    refused = [
        head.inside("POST", "/projects", {"name": "theirs", "unit": "other"}),
        head.inside("POST", "/projects", {"name": "top"}),
        head.inside("POST", "/grants", {"person": guest.name, "scope": "unit:other", "api_role": "viewer"}),
        head.inside("POST", "/grants", {"person": head.name, "scope": "organization", "api_role": "admin"}),
        head.inside("PATCH", "/units/other", {"name": "mine"}),
    ]

    assert {problem(each) for each in refused} == {(403, "refused")}
    assert [each["name"] for each in guest.items("/projects")] == ["mine"]


def test_declarative_apply_one_yaml_with_plan_and_drift(rest: Rest, owner: Person) -> None:
    table = yaml.safe_load(
        """
        organization: acme
        roles: [{name: deployer, permissions: ["project:services:write"]}]
        units: [{path: production, environment: production}]
        projects: [{name: shop, unit: production, namespaces: [web]}]
        groups: [{name: on-call, members: [owner@acme.example]}]
        grants: [{scope: "project:shop", group: on-call, api_role: deployer, kubernetes_role: edit}]
        """
    )

    planned = owner.ok("POST", "/document/plan", {"document": table})
    done = owner.ok("POST", "/document/apply", {"document": table, "plan": planned["hash"]})
    again = owner.ok("POST", "/document/plan", {"document": table})
    lesser = owner.ok("POST", "/document/plan", {"document": table | {"grants": []}})
    owner.ok("PATCH", "/projects/shop", {"name": "store"})
    drifted = owner.ok("POST", "/document/drift", {"document": table})

    assert [each["section"] for each in planned["changes"]] == ["roles", "units", "projects", "groups", "grants"]
    assert (done, again["changes"]) == (planned, [])
    assert [(each["operation"], each["section"]) for each in lesser["changes"]] == [("remove", "grants")]
    assert ("add", "shop") in [(each["operation"], each["key"]) for each in drifted["changes"]]
    assert drifted["is_applied"] is True
