"""Clusters over the REST door: registered without their credential ever coming back, moved, and approved."""

from typing import Any

import pytest
import yaml

from scim_bridge.domain.actors import Actor, ActorKind
from scim_bridge.identity import clusters
from scim_bridge.identity.clusters import ClusterWanted
from scim_bridge.identity.runtime import Runtime
from scim_bridge.store.sealing import load_keyring
from tests.api.rest import Person, Rest, document, fields, problem
from tests.identity.provider import rows

SECRET = "s3cret-of-prod"


def kubeconfig(token: str = SECRET, server: str = "https://127.0.0.1:1") -> str:
    return yaml.safe_dump(
        {
            "current-context": "c",
            "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
            "clusters": [{"name": "k", "cluster": {"server": server}}],
            "users": [{"name": "u", "user": {"token": token}}],
        }
    )


@pytest.fixture
def prod(owner: Person) -> Person:
    """Register a cluster that does not answer, in an environment beside another one."""
    for path in ("production", "staging"):
        owner.ok("POST", "/units", {"path": path, "environment_type": path})
    owner.ok("POST", "/clusters", {"name": "prod", "unit": "production", "kubeconfig": kubeconfig()})
    return owner


def folder(rest: Rest, owner: Person, path: Any) -> None:
    """Register a folder at the installation itself, as its terminal does."""
    runtime = Runtime(rest.settings, rest.database, load_keyring(rest.settings))
    clusters.add(runtime, Actor(ActorKind.CLI, "tests"), "acme", ClusterWanted("files", manifests=path / "files"))


def test_a_credential_goes_in_and_never_comes_out(prod: Person) -> None:
    shown = prod.inside("GET", "/clusters/prod")
    listed = prod.inside("GET", "/clusters")
    again = prod.inside("POST", "/clusters", {"name": "prod", "unit": "production", "kubeconfig": kubeconfig()})

    assert (document(shown)["address"], document(shown)["state"]) == ("https://127.0.0.1:1", "unapproved")
    assert (again.status_code, document(again)["changed"]) == (201, False)
    assert document(again)["warnings"] != []
    assert not any(SECRET in answer.text for answer in (shown, listed, again))


def test_another_credential_is_given_and_one_of_another_server_only_on_purpose(prod: Person) -> None:
    renewed = prod.ok("PUT", "/clusters/prod/credential", {"kubeconfig": kubeconfig("renewed")})
    moved = {"kubeconfig": kubeconfig(server="https://127.0.0.1:2")}

    assert renewed["changed"] is True
    assert problem(prod.inside("PUT", "/clusters/prod/credential", moved)) == (409, "conflict")
    done = prod.ok("PUT", "/clusters/prod/credential", moved | {"is_new_address": True})
    assert done["cluster"]["address"] == "https://127.0.0.1:2"


def test_a_cluster_moves_as_it_was_previewed(rest: Rest, prod: Person) -> None:
    prod.ok("POST", "/grants", {"person": prod.name, "scope": "unit:production", "kubernetes_role": "edit"})

    seen = prod.ok("PATCH", "/clusters/prod?dry_run=true", {"unit": "staging"})
    unseen = prod.inside("PATCH", "/clusters/prod", {"unit": "staging"})
    done = prod.ok("PATCH", f"/clusters/prod?preview={seen['hash'][:12]}", {"unit": "staging"})

    assert [each["what"] for each in seen["loses"]] == [["edit in cluster prod"]]
    assert (problem(unseen), done) == ((409, "conflict"), seen)
    assert prod.ok("GET", "/clusters/prod")["unit"] == "staging"


def test_a_policy_is_changed_and_a_cluster_is_forgotten(prod: Person) -> None:
    prod.ok("PATCH", "/clusters/prod", {"name": "prod-eu", "user_template": "oidc:{user_name}", "case_rule": "lower"})

    found = prod.ok("GET", "/clusters/prod-eu")
    gone = prod.ok("DELETE", "/clusters/prod-eu")

    assert (found["user_template"], found["case_rule"], gone["name"]) == ("oidc:{user_name}", "lower", "prod-eu")
    assert prod.items("/clusters") == []


def test_how_a_cluster_is_doing_and_that_nothing_waits(prod: Person, viewer: Person) -> None:
    found = viewer.ok("GET", "/clusters/prod/status")

    assert (found["cluster"], found["state"], found["open_removals"]) == ("prod", "unapproved", 0)
    assert viewer.items("/clusters/prod/waiting") == []
    assert problem(prod.inside("POST", "/clusters/prod/approve", {"plan": "0" * 64})) == (409, "conflict")


def test_a_plan_says_what_a_pass_would_do_and_a_dead_cluster_is_told(rest: Rest, prod: Person, tmp_path: Any) -> None:
    folder(rest, prod, tmp_path)
    prod.ok("POST", "/grants", {"person": prod.name, "scope": "cluster:files", "kubernetes_role": "view"})

    dead = prod.ok("GET", "/clusters/prod/plan")
    planned = prod.ok("GET", "/clusters/files/plan")

    assert dead["problem"] is not None
    assert planned["document"]["gains"][0]["subjects"] == [prod.name]
    assert planned["approve"] is not None


def test_a_plan_is_rehearsed_on_the_cluster_when_asked(rest: Rest, prod: Person, tmp_path: Any) -> None:
    folder(rest, prod, tmp_path)
    prod.ok("POST", "/grants", {"person": prod.name, "scope": "cluster:files", "kubernetes_role": "view"})

    alone = prod.ok("GET", "/clusters/files/plan")
    asked = prod.ok("GET", "/clusters/files/plan?server_dry_run=true")

    assert alone["answers"] is None
    assert [(each["action"], each["waits"], each["accepted"]) for each in asked["answers"]] == [("create", True, True)]


def test_of_a_kubeconfig_only_the_current_context_is_kept_and_no_file_is_read(rest: Rest, owner: Person) -> None:
    table = yaml.safe_load(kubeconfig())
    table["users"].append({"name": "other", "user": {"token": "of-another-cluster"}})
    owner.ok("POST", "/clusters", {"name": "prod", "kubeconfig": yaml.safe_dump(table)})
    (stored,) = rows(rest.database, "cluster")
    files = yaml.safe_load(kubeconfig())
    files["users"][0]["user"] = {"tokenFile": "/etc/hostname"}
    careless = yaml.safe_load(kubeconfig())
    careless["clusters"][0]["cluster"]["insecure-skip-tls-verify"] = True

    answers = [
        owner.inside("POST", "/clusters", {"name": "x", "kubeconfig": yaml.safe_dump(each)})
        for each in (files, careless)
    ]

    assert "of-another-cluster" not in load_keyring(rest.settings).open(stored["sealed_credential"])
    assert [problem(each) for each in answers] == [(422, "invalid")] * 2


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "x"}, 422),
        ({"name": "x", "kubeconfig": "no: kubeconfig"}, 422),
        ({"name": "x", "kubeconfig": kubeconfig(), "manifests": "/srv/x"}, 422),
        ({"name": "Not A Name", "kubeconfig": kubeconfig()}, 422),
        ({"name": "x", "kubeconfig": kubeconfig(), "user_template": "nobody"}, 422),
        ({"name": "x", "kubeconfig": kubeconfig(), "unit": "nowhere"}, 404),
        ({"name": "prod", "kubeconfig": kubeconfig("other")}, 409),
        ({"name": "x", "manifests": "/srv/x"}, 403),
    ],
)
def test_what_cannot_be_registered_is_told(prod: Person, body: dict[str, Any], status: int) -> None:
    answer = prod.inside("POST", "/clusters", body)

    assert problem(answer)[0] == status
    assert SECRET not in answer.text
    assert len(prod.items("/clusters")) == 1


def test_one_thing_is_changed_at_a_time(prod: Person) -> None:
    answer = prod.inside("PATCH", "/clusters/prod", {"unit": "staging", "name": "x"})

    assert (problem(answer), fields(answer)) == ((422, "invalid"), {"unit"})


def test_a_developer_registers_clusters_and_decides_about_nobodys_access(rest: Rest, prod: Person) -> None:
    developer = rest.with_role("developer")
    body = {"name": "mine", "unit": "staging", "kubeconfig": kubeconfig()}

    for more in ({"allow_cluster_admin": True}, {"allow_label_selectors": True}, {"approve_first_plan": True}):
        assert problem(developer.inside("POST", "/clusters", body | more)) == (403, "refused")
    assert developer.ok("POST", "/clusters", body)["changed"] is True
    assert problem(developer.inside("DELETE", "/clusters/mine")) == (403, "refused")
    assert problem(developer.inside("PATCH", "/clusters/mine", {"unit": "production"})) == (403, "refused")
    assert problem(developer.inside("POST", "/clusters/mine/approve", {"plan": "0" * 64})) == (403, "refused")


def test_the_admin_of_another_unit_sees_nothing_of_a_cluster(rest: Rest, prod: Person) -> None:
    head = rest.with_role("admin", scope="unit:staging")

    assert head.items("/clusters") == []
    for path in ("", "/status", "/plan", "/waiting"):
        assert problem(head.inside("GET", f"/clusters/prod{path}")) == (403, "refused")


def test_a_first_plan_is_prepared_read_approved_and_carried_out(rest: Rest, owner: Person, tmp_path: Any) -> None:
    folder(rest, owner, tmp_path)
    owner.ok("POST", "/grants", {"person": owner.name, "scope": "cluster:files", "kubernetes_role": "view"})

    (waiting,) = owner.ok("POST", "/clusters/files/first-plan")
    again = owner.items("/clusters/files/waiting")
    approved = owner.ok("POST", "/clusters/files/approve", {"plan": waiting["hash"][:12]})
    (done,) = owner.ok("POST", "/passes", {"cluster": "files"})

    assert waiting["gains"][0]["subjects"] == [owner.name]
    assert ([each["hash"] for each in again], approved["reason"]) == ([waiting["hash"]], "first_contact")
    assert (done["state"], done["result"]["created"], done["waits"]) == ("ok", 1, False)
    assert owner.ok("GET", "/clusters/files/status")["health"] == "ok"


def test_a_pass_of_every_cluster_is_of_those_that_one_may_update(rest: Rest, prod: Person, tmp_path: Any) -> None:
    folder(rest, prod, tmp_path)
    builder = rest.with_role("developer", scope="unit:production")

    everybody = prod.ok("POST", "/passes", {})
    theirs = builder.ok("POST", "/passes", {})

    assert [each["cluster"] for each in everybody] == ["files", "prod"]
    assert [each["cluster"] for each in theirs] == ["prod"]
    assert everybody[1]["problem"] is not None
    assert problem(builder.inside("POST", "/passes", {"cluster": "files"})) == (403, "refused")
