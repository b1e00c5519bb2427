"""The kubeconfig that people take home: what is in it, what is not, and whether kubectl can read it."""

import shutil
import subprocess
from base64 import b64encode
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from scim_bridge.identity import member_states
from tests.api.rest import ACTOR, Person, Rest, document, problem
from tests.fakes.kube_tls import Authority
from tests.machine import require

SECRET = "s3cret-of-prod"
SIGN_IN = {"issuer": "https://login.acme.example", "client_id": "kubernetes", "scopes": ["groups", "email", "openid"]}


@pytest.fixture(scope="module")
def authority() -> str:
    """Return a certificate that vouches for clusters."""
    return Authority().pem


@pytest.fixture
def company(rest: Rest, owner: Person, authority: str) -> Person:
    """Register three clusters; nobody has said how people sign in to the last one."""
    data = b64encode(authority.encode()).decode()
    for name in ("prod", "staging", "silent"):
        cluster = {"server": f"https://{name}.invalid:6443", "certificate-authority-data": data}
        credential = {
            "current-context": "c",
            "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
            "clusters": [{"name": "k", "cluster": cluster}],
            "users": [{"name": "u", "user": {"token": SECRET}}],
        }
        wanted = {"name": name, "kubeconfig": yaml.safe_dump(credential)}
        owner.ok("POST", "/clusters", wanted | {"approve_first_plan": True, "break_glass": "note:the safe"})
    owner.ok("PUT", "/clusters/prod/sign-in", SIGN_IN)
    owner.ok("PUT", "/clusters/staging/sign-in", SIGN_IN | {"server": "https://staging.acme.example/k8s/"})
    return owner


def give(owner: Person, person: Person, role: str, scope: str) -> None:
    owner.ok("POST", "/grants", {"person": person.name, "scope": scope, "kubernetes_role": role})


def view(text: str, folder: Path) -> Any:
    """Return what kubectl makes of a kubeconfig."""
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        require("kubectl", "Debian's kubernetes-client has it")
    file = folder / "kubeconfig"
    file.write_text(text)
    words = [kubectl, "config", "view", "--raw", "--output=json", f"--kubeconfig={file}"]
    return orjson.loads(subprocess.run(words, capture_output=True, check=True, timeout=60).stdout)


def test_a_member_takes_a_kubeconfig_home_that_kubectl_reads_and_that_holds_no_secret(
    rest: Rest, company: Person, authority: str, tmp_path: Path
) -> None:
    ana = rest.person("ana")
    give(company, ana, "view", "cluster:prod")
    give(company, ana, "edit", "cluster:staging")

    answer, again = (ana.inside("GET", "/members/me/kubeconfig") for _ in range(2))

    read = view(answer.text, tmp_path)
    clusters = {each["name"]: each["cluster"] for each in read["clusters"]}
    assert answer.mimetype == "application/yaml"
    assert answer.data == again.data
    assert SECRET not in answer.text
    assert read["current-context"] == "acme/prod"
    assert [each["name"] for each in read["contexts"]] == ["acme/prod", "acme/staging"]
    # The bridge's own address with the certificates that it trusts, or where people are told to go.
    assert clusters["acme/prod"] == {
        "server": "https://prod.invalid:6443",
        "certificate-authority-data": b64encode(authority.encode()).decode(),
    }
    assert clusters["acme/staging"] == {"server": "https://staging.acme.example/k8s"}
    [command, _] = [each["user"]["exec"] for each in read["users"]]
    assert command["command"] == "kubectl"
    assert command["args"] == [
        "oidc-login",
        "get-token",
        "--oidc-issuer-url=https://login.acme.example",
        "--oidc-client-id=kubernetes",
        "--oidc-extra-scope=email",
        "--oidc-extra-scope=groups",
    ]


def test_only_clusters_on_which_somebody_has_access_today_are_in_it(rest: Rest, company: Person) -> None:
    ana, bob = rest.person("ana"), rest.person("bob")
    give(company, ana, "view", "cluster:prod")
    give(company, bob, "view", "organization")
    give(company, bob, "none", "cluster:prod")

    def clusters(person: Person) -> list[str]:
        found = yaml.safe_load(person.inside("GET", "/members/me/kubeconfig").text)
        return [each["name"] for each in found["clusters"]]

    found = clusters(ana), clusters(bob)

    assert found == (["acme/prod"], ["acme/staging"])
    assert problem(bob.inside("GET", "/members/me/kubeconfig?cluster=prod")) == (404, "not-found")
    assert problem(bob.inside("GET", "/members/me/kubeconfig?cluster=nowhere")) == (404, "not-found")


def test_who_may_enter_some_namespaces_only_begins_in_one_of_them(rest: Rest, company: Person) -> None:
    ana = rest.person("ana")
    company.ok("POST", "/projects", {"name": "shop", "namespaces": ["shop-web", "shop-api"], "clusters": ["prod"]})
    give(company, ana, "edit", "project:shop")

    found = yaml.safe_load(ana.inside("GET", "/members/me/kubeconfig").text)

    assert [each["context"] for each in found["contexts"]] == [
        {"cluster": "acme/prod", "user": "acme/prod", "namespace": "shop-api"}
    ]


def test_without_any_access_there_is_nothing_and_the_reason_is_said(rest: Rest, company: Person) -> None:
    ana, bob = rest.person("ana"), rest.person("bob")
    give(company, bob, "view", "cluster:silent")

    nothing, unsaid = (each.inside("GET", "/members/me/kubeconfig") for each in (ana, bob))

    assert problem(nothing) == problem(unsaid) == (409, "conflict")
    assert "access to no cluster" in document(nothing)["detail"]
    assert "sign in to silent" in document(unsaid)["detail"]


def test_another_persons_is_for_who_may_see_members_and_a_leavers_for_nobody(rest: Rest, company: Person) -> None:
    ana, bob = rest.person("ana"), rest.person("bob")
    give(company, ana, "view", "cluster:prod")
    path = f"/members/{ana.name}/kubeconfig"

    seen, curious = company.inside("GET", path), bob.inside("GET", path)
    member_states.deactivate(rest.database, ACTOR, "acme", ana.name)

    assert "acme/prod" in seen.text
    assert problem(curious) == (403, "refused")
    assert problem(company.inside("GET", path)) == (409, "conflict")


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"issuer": "http://login.acme.example"}, "issuer"),
    ({"issuer": "https://user:password@login.acme.example"}, "issuer"),
    ({"issuer": "https://login.acme.example --exec=x"}, "issuer"),
    ({"server": "https://prod.invalid/?x=1"}, "server"),
    ({"server": "javascript:alert(1)"}, "server"),
    ({"server": "https://["}, "server"),
    ({"client_id": "two words"}, "client_id"),
    ({"client_id": ""}, "client_id"),
    ({"scopes": ["a b"]}, "scopes"),
    ({"authority": "-----BEGIN PRIVATE KEY-----"}, "authority"),
]


def test_what_cannot_stand_in_a_kubeconfig_is_not_taken(company: Person) -> None:
    answers = [company.inside("PUT", "/clusters/prod/sign-in", SIGN_IN | wrong) for wrong, _ in WRONG]

    assert [each.status_code for each in answers] == [422] * len(WRONG)
    assert [document(each)["errors"][0]["field"] for each in answers] == [field for _, field in WRONG]


def test_of_an_authority_only_its_certificates_are_kept(company: Person, authority: str) -> None:
    key = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----\n"

    said = company.ok("PUT", "/clusters/prod/sign-in", SIGN_IN | {"authority": f"a note\n{authority}{key}"})

    assert said["authority"] == authority
    assert "PRIVATE" not in company.inside("GET", "/clusters/prod/sign-in").text


def test_how_people_sign_in_is_shown_changed_with_an_audit_entry_and_removed(rest: Rest, company: Person) -> None:
    viewer = rest.with_role("viewer")
    same = company.ok("PUT", "/clusters/prod/sign-in", SIGN_IN)
    company.ok("PUT", "/clusters/prod/sign-in", SIGN_IN | {"client_id": "other"})
    refused = viewer.inside("PUT", "/clusters/prod/sign-in", SIGN_IN)

    company.ok("DELETE", "/clusters/prod/sign-in")

    told = [each for each in company.items("/audit?limit=100") if each["action"].startswith("cluster.sign_in")]
    assert same["scopes"] == ["email", "groups"]
    assert problem(refused) == (403, "refused")
    assert problem(company.inside("GET", "/clusters/prod/sign-in")) == (404, "not-found")
    assert sorted(each["action"] for each in told) == ["cluster.sign_in_changed"] * 3 + ["cluster.sign_in_removed"]
