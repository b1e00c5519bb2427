"""An organization brought about by a document: planned, applied as one, repeated without effect, and watched."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.fernet import Fernet

from scim_bridge.domain.document_files import parse_organization
from scim_bridge.domain.organizations import EnvironmentType
from scim_bridge.errors import Conflict, Invalid, NotFound, PreviewOutdated, Refused
from scim_bridge.identity import grants, organization_documents, organizations, roles, rules, tree
from scim_bridge.identity.document_steps import Credentials
from scim_bridge.identity.grants import GrantWanted
from scim_bridge.identity.organization_documents import DocumentPlan, Drift
from scim_bridge.identity.organization_export import export
from scim_bridge.identity.runtime import Runtime
from scim_bridge.identity.tree import NewProject
from scim_bridge.settings import Settings
from scim_bridge.store.database import Database
from scim_bridge.store.sealing import Keyring
from tests.identity.company import ANA, BOB, acting, role_on, shown
from tests.identity.provider import HANDS, Provider, actions, removals, rows
from tests.identity.rows import count

TABLES = ("unit", "project", "cluster", "access_grant", "audit_entry", "change_row", "organization_document", "fact")
NOTHING = Credentials({})


@pytest.fixture
def runtime(database: Database) -> Runtime:
    """Open an installation with acme, where Ana and Bob are provisioned."""
    okta = Provider.connect(database)
    for person in (ANA, BOB):
        okta.post(person, emails=[{"value": person}])
    return Runtime(Settings(), database, Keyring((Fernet.generate_key().decode(),)))


def company(folder: Path) -> dict[str, Any]:
    """Return a document with everything in it."""
    return {
        "organization": {"slug": "acme", "name": "Acme", "contact": "it@acme.example"},
        "roles": [{"name": "deployer", "permissions": ["project:services:write"]}],
        "units": [{"path": "production", "environment": "production"}, {"path": "production/eu"}],
        "clusters": [{"name": "prod-eu", "unit": "production/eu", "manifests": str(folder / "prod-eu")}],
        "projects": [
            {
                "name": "shop",
                "unit": "production/eu",
                "namespaces": ["shop-web"],
                "services": [{"name": "db", "namespace": "shop-db"}],
            }
        ],
        "grants": [
            {"scope": "unit:production", "person": ANA, "api_role": "admin", "kubernetes_role": "edit"},
            {"scope": "service:shop/db", "person": BOB, "kubernetes_role": "view", "api_role": "deployer"},
        ],
        "rules": [
            {"name": "ops", "directory": "okta", "group": "Ops", "scope": "unit:production", "kubernetes_role": "view"}
        ],
    }


def plan(runtime: Runtime, table: Mapping[str, Any], credentials: Credentials = NOTHING) -> DocumentPlan:
    return organization_documents.plan(runtime, HANDS, "acme", parse_organization(table), credentials)


def apply(
    runtime: Runtime, table: Mapping[str, Any], seen: str | None = None, credentials: Credentials = NOTHING
) -> DocumentPlan:
    hash_ = seen or plan(runtime, table, credentials).hash
    return organization_documents.apply(runtime, HANDS, "acme", parse_organization(table), credentials, hash_)


def steps(found: DocumentPlan | Drift) -> list[str]:
    return [f"{each.operation} {each.section} {each.key}" for each in found.changes]


def everything(database: Database) -> list[list[dict[str, Any]]]:
    return [rows(database, table) for table in TABLES]


def test_a_plan_says_all_that_would_be_done_and_writes_nothing(runtime: Runtime, tmp_path: Path) -> None:
    before = everything(runtime.database)

    found = plan(runtime, company(tmp_path))

    assert steps(found) == [
        "change organization organization",
        "add roles deployer",
        "add units production",
        "add units production/eu",
        "add clusters prod-eu",
        "add projects shop",
        "add services shop/db",
        "add grants api_role admin and kubernetes_role edit at unit:production to person ana@acme.example",
        "add grants api_role deployer and kubernetes_role view at service:shop/db to person bob@acme.example",
        "add rules ops",
    ]
    assert shown(found.gains) == {
        ANA: ["API role admin at unit:production", "edit in cluster prod-eu"],
        BOB: ["API role deployer at service:shop/db", "view in shop-db on prod-eu"],
    }
    assert everything(runtime.database) == before
    assert not (tmp_path / "prod-eu").exists()


def test_a_plan_is_the_same_each_time(runtime: Runtime, tmp_path: Path) -> None:
    assert plan(runtime, company(tmp_path)).hash == plan(runtime, company(tmp_path)).hash


def test_what_is_applied_is_what_was_planned(runtime: Runtime, tmp_path: Path) -> None:
    seen = plan(runtime, company(tmp_path))

    done = apply(runtime, company(tmp_path), seen.hash[:12])

    assert done == seen
    assert role_on(runtime.database, ANA, "prod-eu") == "edit"
    assert organizations.show(runtime.database, "acme").settings.contact == "it@acme.example"
    assert (tmp_path / "prod-eu").is_dir()


def test_the_same_document_again_changes_nothing(runtime: Runtime, tmp_path: Path) -> None:
    apply(runtime, company(tmp_path))
    before = everything(runtime.database)

    again = plan(runtime, company(tmp_path))
    apply(runtime, company(tmp_path), again.hash)

    assert (again.changes, again.kept) == ((), False)
    assert everything(runtime.database) == before


def test_a_plan_whose_base_changed_is_refused_with_the_new_one(runtime: Runtime, tmp_path: Path) -> None:
    seen = plan(runtime, company(tmp_path)).hash
    tree.create_unit(runtime.database, HANDS, "acme", "production", EnvironmentType.PRODUCTION)

    with pytest.raises(PreviewOutdated) as caught:
        apply(runtime, company(tmp_path), seen)

    assert "add units production" not in steps(caught.value.preview)
    assert caught.value.preview.hash == plan(runtime, company(tmp_path)).hash
    assert [each.path for each in tree.list_units(runtime.database, "acme")] == ["production"]


def test_a_document_is_applied_whole_or_not_at_all(runtime: Runtime, tmp_path: Path) -> None:
    table = company(tmp_path)
    table["grants"].append({"scope": "unit:nowhere", "person": ANA, "api_role": "viewer"})
    before = everything(runtime.database)

    with pytest.raises(NotFound, match=r"^grants api_role viewer at unit:nowhere .*There is no unit:nowhere"):
        apply(runtime, table, "0" * 64)

    assert everything(runtime.database) == before


def test_what_the_next_document_leaves_out_goes_and_what_hands_made_stays(runtime: Runtime, tmp_path: Path) -> None:
    apply(runtime, company(tmp_path))
    tree.create_project(runtime.database, HANDS, "acme", NewProject("by-hand"))
    grants.add(runtime.database, HANDS, "acme", GrantWanted("organization", BOB, api_role="viewer"))
    table = company(tmp_path) | {"projects": [], "roles": [], "rules": []}
    table["grants"] = table["grants"][:1]

    done = apply(runtime, table)

    assert steps(done) == [
        "remove rules ops",
        "remove grants api_role deployer and kubernetes_role view at service:shop/db to person bob@acme.example",
        "remove services shop/db",
        "remove projects shop",
        "remove roles deployer",
    ]
    # What was inherited at a place goes with the place.
    roles_lost = ["API role deployer at service:shop/db", "API role viewer at service:shop/db"]
    assert shown(done.loses) == {BOB: [*roles_lost, "view in shop-db on prod-eu"]}
    assert {cause for _, cause, _ in removals(runtime.database)} == {"grant", "membership"}
    assert [each.name for each in tree.list_projects(runtime.database, "acme")] == ["by-hand"]
    assert [each.holder for each in grants.list_all(runtime.database, "acme")] == [BOB, ANA]
    assert [each.name for each in roles.list_all(runtime.database, "acme") if not each.built_in] == []
    assert rules.in_force(runtime.database, "acme").rules == ()


def test_a_section_that_is_left_out_is_left_alone(runtime: Runtime, tmp_path: Path) -> None:
    apply(runtime, company(tmp_path))

    found = plan(runtime, {"organization": "acme", "units": company(tmp_path)["units"]})

    assert found.changes == ()


def test_prune_takes_what_hands_made_too(runtime: Runtime) -> None:
    tree.create_unit(runtime.database, HANDS, "acme", "by-hand")

    done = apply(runtime, {"units": [{"path": "lab"}], "prune": ["units"]})

    assert steps(done) == ["add units lab", "remove units by-hand"]


def test_things_move_and_change_as_the_document_says(runtime: Runtime, tmp_path: Path) -> None:
    apply(runtime, company(tmp_path))
    table = company(tmp_path)
    table["units"] = [{"path": "production", "environment": "staging"}, {"path": "production/eu"}, {"path": "west"}]
    table["clusters"][0] |= {"unit": "west", "user_template": "oidc:{user_name}", "allow_label_selectors": True}
    table["projects"][0] |= {"unit": "west", "namespaces": ["shop-api"]}
    table["projects"][0]["services"][0]["namespace"] = "shop-data"
    table["rules"][0]["kubernetes_role"] = "edit"
    table["roles"][0]["permissions"] = ["project:services:write", "project:tags:write"]

    done = apply(runtime, table)

    assert shown(done.loses) == {
        ANA: ["edit in cluster prod-eu"],
        BOB: ["view in shop-db on prod-eu"],
    }
    assert shown(done.gains) == {BOB: ["view in shop-data on prod-eu"]}
    assert shown(done.renamed) == {BOB: [f"{BOB} becomes oidc:{BOB} on cluster prod-eu"]}
    project = tree.list_projects(runtime.database, "acme")[0]
    assert (project.unit, project.namespaces, project.clusters) == ("west", ("shop-api",), ("prod-eu",))
    assert tree.list_units(runtime.database, "acme")[0].environment_type is EnvironmentType.STAGING
    assert plan(runtime, table).changes == ()


def test_what_is_exported_needs_no_plan(runtime: Runtime, tmp_path: Path) -> None:
    apply(runtime, company(tmp_path))

    exported = export(runtime.database, "acme")

    assert plan(runtime, exported).changes == ()
    assert plan(runtime, yaml.safe_load(yaml.safe_dump(exported))).changes == ()
    assert exported["organization"] == {"slug": "acme", "name": "Acme", "contact": "it@acme.example"}


def test_an_export_brings_the_same_organization_about_elsewhere(runtime: Runtime, tmp_path: Path) -> None:
    apply(runtime, {key: value for key, value in company(tmp_path).items() if key not in ("clusters", "rules")})
    exported = export(runtime.database, "acme")
    organizations.create(runtime.database, HANDS, "globex", owner=ANA)
    organizations.create(runtime.database, HANDS, "globex", owner=BOB)
    table = exported | {"organization": "globex"}

    found = organization_documents.plan(runtime, HANDS, "globex", parse_organization(table), NOTHING)
    organization_documents.apply(runtime, HANDS, "globex", parse_organization(table), NOTHING, found.hash)

    again = export(runtime.database, "globex")
    assert [again[each] for each in ("units", "projects", "roles")] == [
        exported[each] for each in ("units", "projects", "roles")
    ]


def test_a_document_for_another_organization_is_refused(runtime: Runtime) -> None:
    with pytest.raises(Invalid, match="is for globex"):
        plan(runtime, {"organization": "globex", "units": []})


def test_groups_made_by_hand_come_change_and_go_with_their_members(runtime: Runtime) -> None:
    group = {"name": "on-call", "description": "Who is\nwoken up", "members": [ANA]}
    grant = {"scope": "organization", "group": "on-call", "api_role": "viewer", "kubernetes_role": None}
    apply(runtime, {"groups": [group], "grants": [grant]})
    exported = export(runtime.database, "acme")

    changed = apply(runtime, {"groups": [group | {"description": "", "members": [BOB]}], "grants": [grant]})
    gone = apply(runtime, {"groups": [], "grants": []})

    assert exported["groups"] == [group]
    assert (shown(changed.gains), shown(changed.loses)) == (
        {BOB: ["API role viewer at organization"]},
        {ANA: ["API role viewer at organization"]},
    )
    assert shown(gone.loses) == {BOB: ["API role viewer at organization"]}
    assert export(runtime.database, "acme")["groups"] == []


def test_a_directorys_groups_are_no_business_of_a_document(runtime: Runtime) -> None:
    Provider.connect(runtime.database, "entra").post_group("Ops")

    exported = export(runtime.database, "acme")

    assert exported["groups"] == []
    assert plan(runtime, {"groups": [], "prune": ["groups"]}).changes == ()


def test_people_may_be_named_by_their_address_or_id(runtime: Runtime) -> None:
    (ana,) = rows(runtime.database, "member", user_name=ANA)
    grant = {"scope": "organization", "api_role": "viewer"}

    apply(runtime, {"grants": [grant | {"person": ana["id"]}]})

    assert plan(runtime, {"grants": [grant | {"person": ANA.upper()}]}).changes == ()


def test_somebody_who_is_not_here_is_told(runtime: Runtime) -> None:
    with pytest.raises(NotFound, match="no person 'eve'"):
        plan(runtime, {"grants": [{"scope": "organization", "api_role": "viewer", "person": "eve"}]})


def test_a_kubeconfig_comes_beside_the_document_and_is_kept_sealed(runtime: Runtime) -> None:
    text = kubeconfig("https://prod.example:6443")
    table = {"clusters": [{"name": "prod", "kubeconfig": {"env": "X"}, "server": "https://prod.example:6443"}]}

    apply(runtime, table, credentials=Credentials({"prod": text}))

    (stored,) = rows(runtime.database, "cluster")
    assert (stored["address"], stored["state"]) == ("https://prod.example:6443", "unapproved")
    assert "s3cret" not in str(everything(runtime.database))
    assert plan(runtime, table).changes == ()


@pytest.mark.parametrize(
    ("table", "error", "words"),
    [
        ({"name": "prod"}, Invalid, "clusters prod: It is not registered yet"),
        ({"name": "prod", "server": "https://other"}, Conflict, "the kubeconfig is for https://prod"),
    ],
)
def test_a_cluster_that_cannot_be_reached_as_it_is_written_down_is_told(
    runtime: Runtime, table: dict[str, Any], error: type[Exception], words: str
) -> None:
    given = Credentials({"prod": kubeconfig("https://prod")} if "server" in table else {})

    with pytest.raises(error, match=words):
        plan(runtime, {"clusters": [table]}, given)


def test_where_a_registered_cluster_is_stays_what_it_is(runtime: Runtime, tmp_path: Path) -> None:
    apply(runtime, company(tmp_path))
    table = {"clusters": [company(tmp_path)["clusters"][0] | {"manifests": str(tmp_path / "elsewhere")}]}

    with pytest.raises(Refused, match="manifests of a cluster that is registered"):
        plan(runtime, table)


def test_drift_is_what_somebody_changed_since(runtime: Runtime, tmp_path: Path) -> None:
    apply(runtime, company(tmp_path))
    before = organization_documents.drift(runtime.database, "acme")
    grants.remove(runtime.database, HANDS, "acme", GrantWanted("unit:production", ANA, None, "admin", "edit"))
    tree.create_unit(runtime.database, HANDS, "acme", "by-hand")
    roles.put(runtime.database, HANDS, "acme", "deployer", ["project:tags:write"])

    found = organization_documents.drift(runtime.database, "acme")

    assert before.changes == ()
    assert steps(found) == [
        "change roles deployer",
        "add grants api_role admin and kubernetes_role edit at unit:production to person ana@acme.example",
    ]
    assert (found.author, found.digest) == ("tests", before.digest)


def test_there_is_no_drift_from_nothing(runtime: Runtime) -> None:
    with pytest.raises(NotFound, match="No document"):
        organization_documents.drift(runtime.database, "acme")


def test_nobody_applies_what_they_could_not_do_themselves(runtime: Runtime, tmp_path: Path) -> None:
    developer = acting(runtime.database, "dev", "developer")
    granting = {"grants": [{"scope": "organization", "person": "dev@acme.example", "api_role": "admin"}]}
    building = {"units": [{"path": "lab", "environment": "demo"}]}

    with pytest.raises(Refused):
        organization_documents.plan(runtime, developer, "acme", parse_organization(granting), NOTHING)
    with pytest.raises(Refused, match="at the installation itself"):
        organization_documents.plan(
            runtime, acting(runtime.database, "boss", "admin"), "acme", parse_organization(company(tmp_path)), NOTHING
        )
    found = organization_documents.plan(runtime, developer, "acme", parse_organization(building), NOTHING)

    assert steps(found) == ["add units lab"]


def test_the_document_and_who_applied_it_are_in_the_audit(runtime: Runtime) -> None:
    apply(runtime, {"units": [{"path": "lab"}]})

    assert "organization.applied" in actions(runtime.database)
    assert count(runtime.database, "organization_document") == 1


def kubeconfig(server: str) -> str:
    return yaml.safe_dump(
        {
            "current-context": "c",
            "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
            "clusters": [{"name": "k", "cluster": {"server": server}}],
            "users": [{"name": "u", "user": {"token": "s3cret"}}],
        }
    )
