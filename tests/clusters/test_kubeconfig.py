"""Kubeconfigs that people bring: what is taken, made self-contained, and what is refused in one sentence."""

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from scim_bridge.clusters.kubeconfig import (
    IN_CLUSTER,
    credential_expiry,
    in_cluster_kubeconfig,
    parse_kubeconfig,
    read_kubeconfig,
)
from scim_bridge.errors import Invalid
from tests.fakes.kube_tls import Authority

AUTHORITY = Authority()
SECRET = "s3cret-token"


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def config(cluster: dict[str, Any] | None = None, user: dict[str, Any] | None = None, **top: Any) -> dict[str, Any]:
    """Return a kubeconfig of two contexts, the second being current."""
    mine = {"server": "https://prod.example.com:6443", "certificate-authority-data": encoded(AUTHORITY.pem)}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "prod",
        "contexts": [
            {"name": "dev", "context": {"cluster": "dev", "user": "dev"}},
            {"name": "prod", "context": {"cluster": "prod", "user": "bridge"}},
        ],
        "clusters": [
            {"name": "dev", "cluster": {"server": "https://dev.example.com"}},
            {"name": "prod", "cluster": mine | (cluster or {})},
        ],
        "users": [
            {"name": "dev", "user": {"token": "of-dev"}},
            {"name": "bridge", "user": {"token": SECRET} if user is None else user},
        ],
    } | top


def stored(folder: Path, document: dict[str, Any], **how: Any) -> str:
    file = folder / "config"
    file.write_text(yaml.safe_dump(document))
    return read_kubeconfig(file, **how)


def refusal(folder: Path, document: dict[str, Any]) -> str:
    """Return the sentence, which is the same from a file and from the store."""
    with pytest.raises(Invalid) as caught:
        stored(folder, document)
    assert caught.value.field == "kubeconfig"
    assert SECRET not in str(caught.value)
    return str(caught.value)


def test_only_the_current_context_is_kept(tmp_path: Path) -> None:
    text = stored(tmp_path, config())

    found = parse_kubeconfig(text)
    assert (found.server, found.token) == ("https://prod.example.com:6443", SECRET)
    assert found.authority == AUTHORITY.pem
    assert found.verify
    assert "dev" not in text


def test_what_was_made_self_contained_stays_as_it_is(tmp_path: Path) -> None:
    text = stored(tmp_path, config())

    assert stored(tmp_path, yaml.safe_load(text)) == text


def test_files_are_read_beside_the_kubeconfig_and_stored_inline(tmp_path: Path) -> None:
    certificate, key = AUTHORITY.sign("bridge")
    (tmp_path / "ca.pem").write_text(AUTHORITY.pem)
    (tmp_path / "client.pem").write_text(certificate)
    (tmp_path / "key.pem").write_text(key)
    document = config(
        {"certificate-authority-data": None, "certificate-authority": "ca.pem"},
        {"client-certificate": "client.pem", "client-key": str(tmp_path / "key.pem")},
    )

    found = parse_kubeconfig(stored(tmp_path, document))

    assert (found.authority, found.client_certificate, found.client_key) == (AUTHORITY.pem, certificate, key)


def test_a_token_file_becomes_its_token(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{SECRET}\n")

    found = parse_kubeconfig(stored(tmp_path, config(user={"tokenFile": "token"})))

    assert found.token == SECRET


def test_inline_data_wins_over_a_file(tmp_path: Path) -> None:
    found = parse_kubeconfig(stored(tmp_path, config(user={"token": SECRET, "tokenFile": "/nowhere"})))

    assert found.token == SECRET


@pytest.mark.parametrize("key", ["certificate-authority", "client-certificate", "client-key", "tokenFile"])
def test_a_stored_kubeconfig_that_names_files_is_refused(key: str) -> None:
    place = {"cluster": {key: "/etc/passwd"}} if key == "certificate-authority" else {"user": {key: "/etc/passwd"}}

    with pytest.raises(Invalid, match=f"names a file .{key}."):
        parse_kubeconfig(yaml.safe_dump(config(**place)))


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "No such file or directory"), (b"\xff\xfe", "it is not text")],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None, reason: str) -> None:
    if content is not None:
        (tmp_path / "token").write_bytes(content)

    assert f"names token, which cannot be read: {reason}." in refusal(tmp_path, config(user={"tokenFile": "token"}))


@pytest.mark.parametrize(
    ("user", "reason"),
    [
        ({"exec": {"command": "sh", "apiVersion": "client.authentication.k8s.io/v1"}}, "runs a command (exec)"),
        ({"token": SECRET, "exec": {"command": "sh"}}, "runs a command (exec)"),
        ({"auth-provider": {"name": "gcp"}}, "uses a plug-in (auth-provider)"),
        ({"username": "admin", "password": SECRET}, "uses a password"),
        ({"token": SECRET, "as": "system:admin"}, "impersonates somebody (as)"),
        ({"token": SECRET, "as-groups": ["system:masters"]}, "impersonates groups (as-groups)"),
        ({}, "holds no credential"),
        ({"token": ""}, "holds no credential"),
        ({"client-certificate-data": encoded("-----BEGIN CERTIFICATE-----")}, "client certificate without its key"),
        ({"client-key-data": encoded("-----BEGIN PRIVATE KEY-----")}, "client certificate without its key"),
        ({"client-certificate-data": "no base64!", "client-key-data": "?"}, "not a certificate or key in base64"),
        ({"token": f"{SECRET}\nX-Header: 1"}, "token that is not one line"),
        ({"token": 12345}, "token that is not one line"),
        ({"token": ["a"]}, "token that is not one line"),
        ({"token": f"{SECRET} and more"}, "characters that no token has"),
        ({"token": f"{SECRET}–"}, "token that is not one line"),
    ],
)
def test_a_credential_that_the_bridge_does_not_use_is_refused(
    tmp_path: Path, user: dict[str, Any], reason: str
) -> None:
    assert reason in refusal(tmp_path, config(user=user))
    with pytest.raises(Invalid, match="kubeconfig"):
        parse_kubeconfig(yaml.safe_dump(config(user=user)))


@pytest.mark.parametrize(
    ("server", "reason"),
    [
        (None, "no server address"),
        ("", "no server address"),
        (7, "no server address"),
        ("prod.example.com", "no server address"),
        ("ftp://prod.example.com", "no server address"),
        ("file:///etc/passwd", "no server address"),
        ("https://", "no server address"),
        ("https://prod.example.com:port", "no server address"),
        ("https://prod.example.com:99999", "no server address"),
        ("https://[::1", "no server address"),
        ("https://user:secret@prod.example.com", "no server address"),
        ("https://prod.example.com/?token=x", "no server address"),
        ("https://prod.example.com/#x", "no server address"),
        ("http://prod.example.com", "unencrypted to prod.example.com"),
        ("http://127.0.0.1.example.com", "unencrypted"),
        ("http://0.0.0.0", "unencrypted"),
    ],
)
def test_an_address_that_is_none_or_unsafe_is_refused(tmp_path: Path, server: object, reason: str) -> None:
    assert reason in refusal(tmp_path, config({"server": server}))


@pytest.mark.parametrize("server", ["http://127.0.0.1:8001", "http://localhost:8001", "http://[::1]:8001"])
def test_without_tls_only_this_machine_is_talked_to(tmp_path: Path, server: str) -> None:
    assert parse_kubeconfig(stored(tmp_path, config({"server": server}))).server == server


@pytest.mark.parametrize(
    ("server", "kept"),
    [
        ("https://prod.example.com/", "https://prod.example.com"),
        ("https://rancher.example.com/k8s/clusters/c-1", "https://rancher.example.com/k8s/clusters/c-1"),
    ],
)
def test_an_address_may_have_a_path(tmp_path: Path, server: str, kept: str) -> None:
    assert parse_kubeconfig(stored(tmp_path, config({"server": server}))).server == kept


@pytest.mark.parametrize(
    "proxy", ["socks5://proxy:1080", "proxy:3128", "http://", "http://proxy:port", f"x://{SECRET}"]
)
def test_a_proxy_that_cannot_be_used_is_refused_without_its_password(tmp_path: Path, proxy: str) -> None:
    assert "proxy-url that is no http:// or https:// address" in refusal(tmp_path, config({"proxy-url": proxy}))


def test_a_proxy_is_kept(tmp_path: Path) -> None:
    text = stored(tmp_path, config({"proxy-url": "http://proxy.example.com:3128"}))

    assert parse_kubeconfig(text).proxy == "http://proxy.example.com:3128"


def test_turning_verification_off_is_refused_and_the_way_out_named(tmp_path: Path) -> None:
    said = refusal(tmp_path, config({"insecure-skip-tls-verify": True}))

    assert "turns TLS verification off" in said
    assert "certificate-authority-data" in said


def test_turning_verification_off_can_be_allowed(tmp_path: Path) -> None:
    text = stored(tmp_path, config({"insecure-skip-tls-verify": True}), allow_insecure=True)

    assert not parse_kubeconfig(text).verify


@pytest.mark.parametrize("said", ["true", "false", "no", 1, None])
def test_whether_to_verify_is_true_or_false(tmp_path: Path, said: object) -> None:
    assert "neither true nor false" in refusal(tmp_path, config({"insecure-skip-tls-verify": said}))


@pytest.mark.parametrize(
    ("top", "reason"),
    [
        ({"current-context": ""}, "has no current-context"),
        ({"current-context": None}, "has no current-context"),
        ({"current-context": "prd"}, "names a context 'prd' that is not in it"),
        ({"contexts": None}, "names a context 'prod'"),
        ({"contexts": 5}, "names a context 'prod'"),
        ({"contexts": ["prod"]}, "names a context 'prod'"),
        ({"contexts": [{"name": "prod", "context": None}]}, "names a context 'prod'"),
        ({"contexts": [{"name": "prod", "context": {"cluster": "x", "user": "bridge"}}]}, "names a cluster 'x'"),
        ({"contexts": [{"name": "prod", "context": {"cluster": "prod"}}]}, "names a user None"),
        ({"users": []}, "names a user 'bridge'"),
        ({"clusters": None}, "lists no clusters"),
        ({"clusters": {}}, "lists no clusters"),
    ],
)
def test_a_kubeconfig_with_something_missing_says_what(tmp_path: Path, top: dict[str, Any], reason: str) -> None:
    assert reason in refusal(tmp_path, config(**top))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (f"token: {SECRET}: [", "is not YAML"),
        ("!!python/object/apply:os.system ['id']", "is not YAML"),
        ("[" * 1500, "is not YAML"),
        ("when: 2026-99-99", "is not YAML"),
        ("", "is not a kubeconfig"),
        ("- a\n- b", "is not a kubeconfig"),
        (SECRET, "is not a kubeconfig"),
    ],
)
def test_what_is_no_kubeconfig_is_refused_without_a_quotation(tmp_path: Path, content: str, reason: str) -> None:
    file = tmp_path / "config"
    file.write_text(content)

    with pytest.raises(Invalid, match=reason) as caught:
        read_kubeconfig(file)

    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_file_that_is_not_there_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="cannot be read: No such file"):
        read_kubeconfig(tmp_path / "absent")


def test_a_binary_file_is_no_kubeconfig(tmp_path: Path) -> None:
    (tmp_path / "config").write_bytes(b"\x80\x81")

    with pytest.raises(Invalid, match="it is not text"):
        read_kubeconfig(tmp_path / "config")


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    certificate, key = AUTHORITY.sign("bridge")
    user = {"token": SECRET, "client-certificate-data": encoded(certificate), "client-key-data": encoded(key)}
    document = config({"proxy-url": "http://me:hunter2@proxy:3128"}, user)

    shown = repr(parse_kubeconfig(stored(tmp_path, document)))

    assert SECRET not in shown
    assert "hunter2" not in shown
    assert "PRIVATE KEY" not in shown


def jwt(claims: object) -> str:
    parts = [b'{"alg":"none"}', orjson.dumps(claims), b"signature"]
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def test_a_token_says_when_it_ends(tmp_path: Path) -> None:
    ends = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=3)

    text = stored(tmp_path, config(user={"token": jwt({"exp": int(ends.timestamp())})}))

    assert credential_expiry(text) == ends


@pytest.mark.parametrize("claims", [{}, {"exp": None}, {"exp": "soon"}, {"exp": 1e300}, [], None])
def test_a_token_that_does_not_say_when_it_ends_has_no_end(tmp_path: Path, claims: object) -> None:
    assert credential_expiry(stored(tmp_path, config(user={"token": jwt(claims)}))) is None


@pytest.mark.parametrize("token", ["opaque", "a.b", "a.b.c", "..", "a.!!!.c"])
def test_a_token_that_is_no_jwt_has_no_end(tmp_path: Path, token: str) -> None:
    assert credential_expiry(stored(tmp_path, config(user={"token": token}))) is None


def test_the_earlier_of_certificate_and_token_is_the_end(tmp_path: Path) -> None:
    certificate, key = AUTHORITY.sign("bridge", ends_in=timedelta(hours=1))
    later = int((datetime.now(UTC) + timedelta(hours=5)).timestamp())
    user = {
        "token": jwt({"exp": later}),
        "client-certificate-data": encoded(certificate),
        "client-key-data": encoded(key),
    }

    found = credential_expiry(stored(tmp_path, config(user=user)))

    assert found is not None
    assert found - datetime.now(UTC) < timedelta(hours=2)


def test_a_certificate_that_is_none_is_refused(tmp_path: Path) -> None:
    user = {
        "client-certificate-data": encoded("-----BEGIN CERTIFICATE-----\nx"),
        "client-key-data": encoded("-----BEGIN "),
    }

    with pytest.raises(Invalid, match="client-certificate-data that holds no certificate"):
        stored(tmp_path, config(user=user))


def test_a_service_account_renews_itself(tmp_path: Path) -> None:
    for name in ("token", "ca.crt"):
        (tmp_path / name).write_text("x")

    assert in_cluster_kubeconfig(tmp_path) == IN_CLUSTER
    assert credential_expiry(IN_CLUSTER) is None


@pytest.mark.parametrize("missing", ["token", "ca.crt"])
def test_outside_a_pod_there_is_no_in_cluster_credential(tmp_path: Path, missing: str) -> None:
    for name in {"token", "ca.crt"} - {missing}:
        (tmp_path / name).write_text("x")

    with pytest.raises(Invalid, match="not a pod"):
        in_cluster_kubeconfig(tmp_path)
