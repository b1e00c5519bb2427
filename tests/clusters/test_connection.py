"""How a cluster is reached: certificates, service accounts, client keys, threads, and nothing left behind."""

import base64
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509

from scim_bridge.clusters.connection import Connection, Limits, connect
from scim_bridge.clusters.kubeconfig import IN_CLUSTER
from scim_bridge.errors import ClusterDenied, ClusterError, ClusterUnreachable, Invalid
from tests.fakes.kube_api import FakeKubeApi
from tests.fakes.kube_tls import LOOPBACK, Authority
from tests.kube.client import CRBS, NAMESPACES
from tests.kube.server import BRIDGE, KubeServer
from tests.kube.world import kubeconfig, prepare

LIMITS = Limits(connect_seconds=1, read_seconds=2, writers=4)
AUTHORITY = Authority()


@contextmanager
def serving(*names: x509.GeneralName, **how: Any) -> Iterator[FakeKubeApi]:
    """A fake API server behind TLS."""
    with FakeKubeApi(context=AUTHORITY.server(*names, **how), authority=AUTHORITY.pem) as server:
        yield server


@contextmanager
def connected(text: str | None, **more: Any) -> Iterator[Connection]:
    connection = connect(text, LIMITS, **more)
    try:
        yield connection
    finally:
        connection.close()


def changed(text: str, cluster: dict[str, Any] | None = None, user: dict[str, Any] | None = None) -> str:
    """Return a kubeconfig with other entries; None takes one out."""
    document = yaml.safe_load(text)
    for section, change in ((document["clusters"][0]["cluster"], cluster), (document["users"][0]["user"], user)):
        section.update(change or {})
        for key in [key for key, value in section.items() if value is None]:
            del section[key]
    return yaml.safe_dump(document)


def encoded(pem: str) -> str:
    return base64.b64encode(pem.encode()).decode()


def test_a_cluster_of_the_named_authority_is_trusted() -> None:
    with serving() as server, connected(kubeconfig(server, "admin")) as connection:
        assert connection.send("GET", NAMESPACES).status == 200


@pytest.mark.kube
def test_a_real_api_server_is_trusted_by_its_own_certificate(kube_server: KubeServer) -> None:
    with connected(kubeconfig(kube_server)) as connection:
        assert connection.send("GET", NAMESPACES).is_ok


@pytest.mark.kube
def test_a_real_api_server_of_another_authority_is_not_trusted(kube_server: KubeServer) -> None:
    text = changed(kubeconfig(kube_server), {"certificate-authority-data": encoded(AUTHORITY.pem)})

    with connected(text) as connection, pytest.raises(ClusterUnreachable, match="certificate"):
        connection.send("GET", NAMESPACES)


def _another_authority(text: str) -> str:
    return changed(text, {"certificate-authority-data": encoded(Authority().pem)})


def _no_authority(text: str) -> str:
    return changed(text, {"certificate-authority-data": None})


@pytest.mark.parametrize("change", [_another_authority, _no_authority])
def test_a_cluster_of_another_authority_gets_no_credential(change: Callable[[str], str]) -> None:
    with serving() as server, connected(change(kubeconfig(server))) as connection:
        with pytest.raises(ClusterUnreachable, match="no certificate that can be trusted"):
            connection.send("GET", NAMESPACES)

        assert server.requests == []


@pytest.mark.parametrize(
    ("names", "how"),
    [
        ((x509.DNSName("other.example.com"),), {}),
        ((LOOPBACK,), {"ends_in": timedelta(hours=-1)}),
    ],
)
def test_a_certificate_of_another_name_or_time_gets_no_credential(
    names: tuple[x509.GeneralName, ...], how: dict[str, Any]
) -> None:
    with serving(*names, **how) as server, connected(kubeconfig(server)) as connection:
        with pytest.raises(ClusterUnreachable, match="no certificate that can be trusted"):
            connection.send("GET", NAMESPACES)

        assert server.requests == []


def test_a_cluster_may_be_called_by_another_name_than_its_address() -> None:
    with serving(x509.DNSName("prod.example.com")) as server:
        text = changed(kubeconfig(server, "admin"), {"tls-server-name": "prod.example.com"})
        with connected(text) as connection:
            assert connection.send("GET", NAMESPACES).is_ok


def test_only_a_kubeconfig_that_says_so_is_not_verified() -> None:
    with serving(x509.DNSName("other.example.com")) as server:
        text = changed(
            kubeconfig(server, "admin"), {"certificate-authority-data": None, "insecure-skip-tls-verify": True}
        )
        with connected(text) as connection, pytest.warns(match="certificate"):
            assert connection.send("GET", NAMESPACES).is_ok


def test_plain_http_where_tls_is_spoken_is_unreachable() -> None:
    with serving() as server:
        text = changed(kubeconfig(server), {"server": server.url.replace("https", "http")})
        with connected(text) as connection, pytest.raises(ClusterUnreachable):
            connection.send("GET", NAMESPACES)


def test_tls_where_plain_http_is_spoken_is_unreachable() -> None:
    with FakeKubeApi() as server:
        text = changed(kubeconfig(server), {"server": server.url.replace("http", "https")})
        with connected(text) as connection, pytest.raises(ClusterUnreachable):
            connection.send("GET", NAMESPACES)


def test_a_client_certificate_is_a_credential_and_its_key_is_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    certificate, key = AUTHORITY.sign(BRIDGE)
    with serving(asks_for_clients=True) as server:
        prepare(server)
        user = {"token": None, "client-certificate-data": encoded(certificate), "client-key-data": encoded(key)}
        with connected(changed(kubeconfig(server), user=user)) as connection:
            answer = connection.send("GET", CRBS)
            written = list(tmp_path.rglob("*"))

    assert answer.is_ok
    assert {oct(path.stat().st_mode & 0o77) for path in written if path.exists()} <= {"0o0"}
    assert len(written) == 3
    assert list(tmp_path.iterdir()) == []


def test_a_token_leaves_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with serving() as server, connected(kubeconfig(server, "admin")) as connection:
        connection.send("GET", NAMESPACES)

        assert list(tmp_path.iterdir()) == []


def test_two_clusters_do_not_share_a_credential() -> None:
    with FakeKubeApi() as one, FakeKubeApi() as two:
        with connected(kubeconfig(one, "ana")) as first, connected(kubeconfig(two, "bob")) as second:
            first.send("GET", NAMESPACES)
            second.send("GET", NAMESPACES)
            first.send("GET", NAMESPACES)

        sent = [[each.headers["Authorization"] for each in server.requests] for server in (one, two)]
        assert sent == [[f"Bearer {one.token_of('ana')}"] * 2, [f"Bearer {two.token_of('bob')}"]]


def test_many_threads_share_a_connection() -> None:
    with FakeKubeApi() as server, connected(kubeconfig(server, "admin")) as connection:
        with ThreadPoolExecutor(12) as threads:
            statuses = list(threads.map(lambda _: connection.send("GET", NAMESPACES).status, range(60)))

        assert statuses == [200] * 60


def test_a_name_that_does_not_resolve_is_unreachable() -> None:
    with FakeKubeApi() as server:
        text = changed(kubeconfig(server), {"server": "https://cluster.invalid:6443"})
    with connected(text) as connection, pytest.raises(ClusterUnreachable, match=r"cluster\.invalid"):
        connection.send("GET", NAMESPACES)


def test_a_dead_proxy_is_named_without_its_password() -> None:
    with FakeKubeApi() as server:
        text = changed(kubeconfig(server), {"proxy-url": "http://bridge:hunter2@127.0.0.1:9"})
        with connected(text) as connection, pytest.raises(ClusterUnreachable, match="proxy") as caught:
            connection.send("GET", NAMESPACES)

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("cluster", "user"),
    [
        ({"certificate-authority-data": encoded("-----BEGIN CERTIFICATE-----\nnonsense")}, {}),
        ({}, {"client-certificate-data": encoded("-----BEGIN x"), "client-key-data": encoded("-----BEGIN y")}),
    ],
)
def test_certificates_that_are_none_are_an_error_of_ours(cluster: dict[str, Any], user: dict[str, Any]) -> None:
    with serving() as server, connected(changed(kubeconfig(server), cluster, user)) as connection:
        with pytest.raises(ClusterError):
            connection.send("GET", NAMESPACES)

        assert server.requests == []


@pytest.mark.parametrize("host", ["a..b", "a" * 64 + ".example.com", "exa mple.com"])
def test_an_address_that_nobody_can_have_is_unreachable(host: str) -> None:
    with FakeKubeApi() as server:
        text = changed(kubeconfig(server), {"server": f"https://{host}:6443"})
    with connected(text) as connection, pytest.raises(ClusterUnreachable):
        connection.send("GET", NAMESPACES)


def test_a_connection_may_be_closed_twice() -> None:
    with FakeKubeApi() as server:
        connection = connect(kubeconfig(server), LIMITS)

    connection.close()
    connection.close()


def test_a_kubeconfig_that_would_run_something_is_not_connected_to() -> None:
    with FakeKubeApi() as server:
        text = changed(kubeconfig(server), user={"exec": {"command": "touch", "args": ["owned"]}})

    with pytest.raises(Invalid, match="runs a command"):
        connect(text, LIMITS)


def test_nothing_is_logged_that_opens_a_cluster(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with serving() as server, connected(kubeconfig(server)) as connection:
        connection.send("GET", NAMESPACES)

        assert server.token_of(BRIDGE) not in caplog.text


@pytest.fixture
def pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[FakeKubeApi, Path]]:
    """A pod's service account folder, and the cluster that it is of."""
    with serving() as server:
        host, port = server.url.removeprefix("https://").split(":")
        monkeypatch.setenv("KUBERNETES_SERVICE_HOST", host)
        monkeypatch.setenv("KUBERNETES_SERVICE_PORT", port)
        (tmp_path / "token").write_text(server.token_of("admin"))
        (tmp_path / "ca.crt").write_text(AUTHORITY.pem)
        yield server, tmp_path


@pytest.mark.parametrize("text", [None, IN_CLUSTER])
def test_in_a_pod_the_service_account_is_the_credential(pod: tuple[FakeKubeApi, Path], text: str | None) -> None:
    server, folder = pod

    with connected(text, service_account=folder) as connection:
        answer = connection.send("GET", NAMESPACES)

    assert answer.is_ok
    assert connection.server == server.url


@pytest.mark.parametrize("ending", ["\n", "\r\n", " "])
def test_a_token_file_that_ends_in_a_blank_is_read(pod: tuple[FakeKubeApi, Path], ending: str) -> None:
    server, folder = pod
    (folder / "token").write_text(server.token_of("admin") + ending)

    with connected(None, service_account=folder) as connection:
        assert connection.send("GET", NAMESPACES).is_ok


def test_a_service_accounts_token_is_read_again_when_it_was_renewed(pod: tuple[FakeKubeApi, Path]) -> None:
    server, folder = pod
    with connected(None, service_account=folder) as connection:
        before = connection.send("GET", NAMESPACES)
        server.forget("admin")
        (folder / "token").write_text(server.token_of("system:renewed"))

        after = connection.send("GET", NAMESPACES)

        assert before.is_ok
        assert after.status == 403
        assert "system:renewed" in after.message


@pytest.mark.parametrize("content", [None, "", "two\nlines"])
def test_a_service_account_that_becomes_unreadable_is_denied(
    pod: tuple[FakeKubeApi, Path], content: str | None
) -> None:
    _, folder = pod
    with connected(None, service_account=folder) as connection:
        (folder / "token").unlink() if content is None else (folder / "token").write_text(content)

        with pytest.raises(ClusterDenied, match="credential"):
            connection.send("GET", NAMESPACES)


@pytest.mark.parametrize("missing", ["token", "ca.crt"])
def test_outside_a_pod_there_is_no_service_account(pod: tuple[FakeKubeApi, Path], missing: str) -> None:
    _, folder = pod
    (folder / missing).unlink()

    with pytest.raises(ClusterDenied, match="no service account"):
        connect(None, LIMITS, folder)


def test_without_the_pods_environment_there_is_no_service_account(
    pod: tuple[FakeKubeApi, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST")

    with pytest.raises(ClusterDenied, match="no service account"):
        connect(None, LIMITS, pod[1])


def _python(code: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment, timeout=60
    ).stdout.strip()


def test_the_client_library_is_not_loaded_before_a_kubernetes_target_is_opened(tmp_path: Path) -> None:
    code = f"""
import sys
from scim_bridge.clusters.manifests import prepare_folder
from scim_bridge.clusters.open import Target, TargetKind, open_gateway
from pathlib import Path
prepare_folder(Path({str(tmp_path / "m")!r}), "c1")
open_gateway(Target(TargetKind.MANIFESTS, "o1", "c1", "inst", folder={str(tmp_path / "m")!r})).list_bindings()
print("kubernetes" in sys.modules)
"""

    assert _python(code) == "False"


def test_opening_a_kubernetes_target_loads_no_model_of_the_client_library() -> None:
    with FakeKubeApi() as server:
        code = f"""
import sys
from scim_bridge.clusters.open import Target, TargetKind, open_gateway
open_gateway(Target(TargetKind.KUBERNETES, "o1", "c1", "inst", kubeconfig={kubeconfig(server)!r}))
print("kubernetes" in sys.modules, any(name.startswith("kubernetes.client.models.v1_pod") for name in sys.modules))
"""

        assert _python(code) == "True False"
