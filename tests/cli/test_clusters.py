"""`scim-bridge cluster`: what is printed, what is never printed, and what repeating it does."""

import base64
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml

from tests.cli.bridge import Bridge

SECRET = "s3cret-token-of-the-bridge"


def kubeconfig(folder: Path, server: str = "https://127.0.0.1:1", token: str = SECRET, **user: object) -> str:
    document = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
        "clusters": [{"name": "k", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {"token": token, **user}}],
    }
    file = folder / "kubeconfig.yaml"
    file.write_text(yaml.safe_dump(document))
    return str(file)


class Answers(BaseHTTPRequestHandler):
    """An API server that lets the bridge bind view and nothing else, and has no ClusterRole edit."""

    def do_POST(self) -> None:
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if "roleRef" in review:
            # A binding to nobody, to see whether it would be taken: nothing may be kept of it.
            assert "dryRun=All" in self.path
            self.answer(201, review)
            return
        asked = review["spec"]["resourceAttributes"]
        allowed = asked["verb"] != "bind" or asked["name"] == "view"
        self.answer(201, {**review, "status": {"allowed": allowed}})

    def do_GET(self) -> None:
        name = self.path.rpartition("/")[2]
        kind = "rbac.authorization.k8s.io/v1"
        if name == "edit":
            details = {"name": "edit", "group": "rbac.authorization.k8s.io", "kind": "clusterroles"}
            status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}
            self.answer(404, {**status, "details": details, "message": "not found"})
        else:
            self.answer(200, {"kind": "ClusterRole", "apiVersion": kind, "metadata": {"name": name}})

    def answer(self, status: int, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def api_server() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_folder_is_registered_shown_listed_and_forgotten(acme: Bridge, tmp_path: Path) -> None:
    acme.json("unit", "create", "production")
    folder = tmp_path / "manifests"

    made = acme.json("cluster", "add", "--name", "prod", "--unit", "production", "--manifests", str(folder))
    shown = acme.json("cluster", "show", "prod")
    listed = acme.json("cluster", "list")
    gone = acme.json("cluster", "remove", "prod")

    assert made == {**shown, "created": True, "changed": True, "warnings": []}
    assert listed == [shown]
    assert {key: shown[key] for key in ("name", "unit", "kind", "state", "address", "bindings")} == {
        "name": "prod",
        "unit": "production",
        "kind": "manifests",
        "state": "unapproved",
        "address": str(folder),
        "bindings": 0,
    }
    assert (gone["removed"], gone["id"]) == (True, shown["id"])
    assert acme.json("cluster", "list") == []


def test_the_same_again_changes_nothing_and_answers_0(acme: Bridge, tmp_path: Path) -> None:
    words = ["cluster", "add", "--organization", "acme", "--name", "prod", "--manifests", str(tmp_path / "m")]
    words += ["--user-template", "oidc:{user_name}", "--case", "lower", "--approve-first-plan"]
    first = acme.json(*words)

    second = acme.json(*words)

    assert (first["created"], second["created"], second["changed"]) == (True, False, False)
    assert {**first, "created": False, "changed": False} == second
    assert (first["state"], first["user_template"], first["case"]) == ("active", "oidc:{user_name}", "lower")


def test_other_values_for_a_name_are_a_conflict_that_names_them(acme: Bridge, tmp_path: Path) -> None:
    acme.json("cluster", "add", "--name", "prod", "--manifests", str(tmp_path / "m"))

    code, sentence = acme.refused(
        "cluster",
        "add",
        "--name",
        "prod",
        "--manifests",
        str(tmp_path / "m"),
        "--allow-cluster-admin",
        "--case",
        "lower",
    )

    assert code == 4
    assert "its case is keep, not lower; its allow-cluster-admin is off, not on" in sentence


def test_a_cluster_that_does_not_answer_is_registered_with_a_warning(acme: Bridge, tmp_path: Path) -> None:
    result = acme.run("cluster", "add", "--name", "prod", "--kubeconfig", kubeconfig(tmp_path), "--json")

    assert result.exit_code == 0
    assert [each["kind"] for each in json.loads(result.stdout)["warnings"]] == ["ClusterUnreachable"]
    assert result.stderr.startswith("scim-bridge: warning: https://127.0.0.1:1 cannot be reached")
    assert acme.json("cluster", "show", "prod")["address"] == "https://127.0.0.1:1"


def test_what_the_credential_lacks_is_told_when_it_is_registered(acme: Bridge, tmp_path: Path, api_server: str) -> None:
    file = kubeconfig(tmp_path, api_server)

    made = acme.json("cluster", "add", "--name", "prod", "--kubeconfig", file, "--allow-cluster-admin")

    assert [
        (each["kind"], each["message"].partition(" does not ")[0].partition(", so ")[0]) for each in made["warnings"]
    ] == [
        ("RoleMissing", "ClusterRole edit"),
        ("BindDenied", "The credential may not bind ClusterRole edit"),
        ("BindDenied", "The credential may not bind ClusterRole cluster-admin"),
    ]


def test_the_credential_is_printed_by_no_verb(acme: Bridge, tmp_path: Path) -> None:
    file = kubeconfig(tmp_path)
    printed = [acme.run("cluster", "add", "--name", "prod", "--kubeconfig", file, *more) for more in ([], ["--json"])]
    printed += [acme.run("cluster", "show", "prod"), acme.run("cluster", "list", "--json")]
    printed += [acme.run("cluster", "update", "prod", "--kubeconfig", kubeconfig(tmp_path, token=f"{SECRET}-2"))]
    printed += [acme.run("cluster", "remove", "prod", "--json")]

    assert [each.exit_code for each in printed] == [0] * 6
    assert [each for each in printed if SECRET in each.output] == []


def test_a_new_kubeconfig_is_given_with_update_and_asked_for_by_add(acme: Bridge, tmp_path: Path) -> None:
    acme.json("cluster", "add", "--name", "prod", "--kubeconfig", kubeconfig(tmp_path))
    renewed = kubeconfig(tmp_path, token="another")

    code, sentence = acme.refused("cluster", "add", "--name", "prod", "--kubeconfig", renewed)
    first = acme.json("cluster", "update", "prod", "--kubeconfig", renewed)
    second = acme.json("cluster", "update", "prod", "--kubeconfig", renewed)

    assert code == 4
    assert "scim-bridge cluster update prod" in sentence
    assert (first["changed"], second["changed"]) == (True, False)
    assert acme.json("cluster", "add", "--name", "prod", "--kubeconfig", renewed)["created"] is False


def test_a_kubeconfig_of_another_server_must_be_said_to_be_the_same_cluster(acme: Bridge, tmp_path: Path) -> None:
    acme.json("cluster", "add", "--name", "prod", "--kubeconfig", kubeconfig(tmp_path))
    moved = kubeconfig(tmp_path, server="https://127.0.0.1:2")

    code, sentence = acme.refused("cluster", "update", "prod", "--kubeconfig", moved)
    done = acme.json("cluster", "update", "prod", "--kubeconfig", moved, "--new-address")

    assert (code, "--new-address" in sentence) == (4, True)
    assert (done["changed"], done["address"]) == (True, "https://127.0.0.1:2")


@pytest.mark.parametrize(
    ("user", "sentence"),
    [
        ({"exec": {"command": "sh"}}, r"runs a command (exec)"),
        ({"as": "admin"}, "impersonates somebody (as)"),
        ({"token": None}, "holds no credential"),
        ({"token": "zwei\nzeilen"}, "not one line of plain text"),
        ({"token": "π"}, "not one line of plain text"),
        ({"client-certificate-data": "AAAA"}, "not a certificate or key"),
        (
            {"client-certificate-data": base64.b64encode(b"-----BEGIN CERTIFICATE-----\nx").decode()},
            "certificate without its key",
        ),
        ({"tokenFile": "/does/not/exist", "token": None}, "cannot be read: No such file"),
    ],
)
def test_a_wrong_kubeconfig_is_one_sentence_and_changes_nothing(
    local: Bridge, tmp_path: Path, user: dict[str, object], sentence: str
) -> None:
    file = kubeconfig(tmp_path)
    document = yaml.safe_load(Path(file).read_text())
    document["users"][0]["user"].update(user)
    Path(file).write_text(yaml.safe_dump(document))

    code, said = local.refused("cluster", "add", "--name", "prod", "--kubeconfig", file)

    assert code == 6
    assert sentence in said
    assert SECRET not in said
    assert local.json("cluster", "list") == []


def test_an_authority_that_only_looks_like_a_certificate_is_refused(local: Bridge, tmp_path: Path) -> None:
    file = Path(kubeconfig(tmp_path))
    document = yaml.safe_load(file.read_text())
    pem = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    document["clusters"][0]["cluster"]["certificate-authority-data"] = base64.b64encode(pem).decode()
    file.write_text(yaml.safe_dump(document))

    code, said = local.refused("cluster", "add", "--name", "prod", "--kubeconfig", str(file))

    assert (code, "certificate-authority-data that holds no certificate" in said) == (6, True)


@pytest.mark.parametrize(
    "text", ["", "5", "a: [", "clusters: 5", "[" * 5000, "clusters: []\ncontexts: 5\ncurrent-context: x"]
)
def test_a_file_that_is_no_kubeconfig_is_one_sentence(local: Bridge, tmp_path: Path, text: str) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text(text)

    code, said = local.refused("cluster", "add", "--name", "prod", "--kubeconfig", str(file))

    assert (code, said.startswith(f"The kubeconfig {file}")) == (6, True)


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["--manifests", "m", "--in-cluster"], 6, "Name one target"),
        ([], 6, "Name one target"),
        (["--in-cluster"], 6, "not a pod with a service account"),
        (["--manifests", "m", "--user-template", "oidc:"], 6, "must name one of the fields"),
        (["--manifests", "m", "--user-template", "{user_name.__class__}"], 6, "must name one of the fields"),
        (["--manifests", "m", "--user-template", "system:{user_name}"], 6, "system: names"),
        (["--manifests", "m", "--user-template", " {user_name}"], 6, "without blanks at its ends"),
        (["--manifests", "m", "--user-template", "x" * 300 + "{email}"], 6, "at most 255 characters"),
        (["--manifests", "m", "--bridge-namespace", "A"], 6, "name of a namespace"),
        (["--manifests", "m", "--unit", "nowhere"], 3, "no unit:nowhere"),
        (["--manifests", "/dev/null/m"], 5, "cannot be used for manifests"),
        (["--kubeconfig", "/does/not/exist"], 6, "cannot be read: No such file"),
        (["--kubeconfig", "/"], 6, "cannot be read: Is a directory"),
    ],
)
def test_a_registration_that_makes_no_sense_is_one_sentence(
    local: Bridge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], code: int, sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)

    said = local.refused("cluster", "add", "--name", "prod", *words)

    assert (said[0], sentence in said[1]) == (code, True), said
    assert local.json("cluster", "list") == []
    assert not (tmp_path / "m").exists()


def test_a_folder_of_one_cluster_is_refused_to_another_under_any_name(local: Bridge, tmp_path: Path) -> None:
    folder = tmp_path / "manifests"
    local.json("cluster", "add", "--name", "prod", "--manifests", str(folder))
    (tmp_path / "link").symlink_to(folder)

    for other in (folder, tmp_path / "link", folder / "inside", tmp_path):
        code, sentence = local.refused("cluster", "add", "--name", "staging", "--manifests", str(other))
        assert (code, "another cluster" in sentence) == (5, True)

    assert [each["name"] for each in local.json("cluster", "list")] == ["prod"]
    assert local.json("cluster", "add", "--name", "prod", "--manifests", str(tmp_path / "link"))["created"] is False


def test_the_bootstrap_manifest_needs_no_database_and_binds_the_named_roles_only() -> None:
    bridge = Bridge({"SCIM_BRIDGE_DATABASE_URL": "sqlite:////dev/null/none"})

    plain = list(yaml.safe_load_all(bridge.text("cluster", "bootstrap", "--namespace", "iam")))
    strong = bridge.json("cluster", "bootstrap", "--role", "cluster-admin")["manifest"]

    [role] = [each for each in plain if each["kind"] == "ClusterRole"]
    assert [rule["resourceNames"] for rule in role["rules"] if "bind" in rule["verbs"]] == [["view", "edit"]]
    assert {each["metadata"].get("namespace", "iam") for each in plain} == {"iam"}
    assert "WARNING: cluster-admin" in strong
    assert "WARNING" not in bridge.text("cluster", "bootstrap")


@pytest.mark.parametrize("words", [["--role", "superuser"], ["--role", "none"], ["--namespace", "A b"]])
def test_a_bootstrap_that_makes_no_sense_is_one_sentence(words: list[str]) -> None:
    code, _ = Bridge({}).refused("cluster", "bootstrap", *words)

    assert code == 6
