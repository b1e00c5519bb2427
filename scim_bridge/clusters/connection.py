"""
One connection pool to one cluster, by the official client: its configuration, its authentication, its transport.

Three of its habits are turned off: waiting without end, repeating requests by itself, and process-wide settings.
"""

import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kubernetes.client.api_client as client
import yaml
from kubernetes.client.configuration import Configuration
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException
from kubernetes.config.incluster_config import InClusterConfigLoader
from kubernetes.config.kube_config import load_kube_config_from_dict
from urllib3.exceptions import HTTPError

from scim_bridge.clusters.bucket import TokenBucket
from scim_bridge.clusters.errors import Answer, from_transport, read_answer
from scim_bridge.clusters.kubeconfig import IN_CLUSTER, SERVICE_ACCOUNT, Kubeconfig, parse_kubeconfig
from scim_bridge.errors import ClusterDenied, ClusterUnreachable

APPLY = "application/apply-patch+yaml"
JSON = "application/json"
# A body that comes byte by byte never trips a read timeout; the whole of it has this many of them.
ANSWER_TIMEOUTS = 4


@dataclass(frozen=True, slots=True)
class Limits:
    """How long is waited, and how many requests run at once."""

    connect_seconds: float = 5
    read_seconds: float = 30
    writers: int = 8
    per_second: float = 200

    @property
    def timeouts(self) -> tuple[float, float]:
        """Return the time-outs as the client takes them."""
        return (self.connect_seconds, self.read_seconds)


class Connection:
    """Sends requests and returns whole answers; may be used from several threads."""

    def __init__(self, configuration: Configuration, limits: Limits, clean_up: Callable[[], None]) -> None:
        """Take a configuration that holds address and credential."""
        # urllib3 would sleep and repeat by itself on 429 and 503, and then our own patience would never be asked.
        configuration.retries = False
        configuration.connection_pool_maxsize = limits.writers + 2
        self.server: str = configuration.host
        self._limits = limits
        self._clean_up = clean_up
        self._bucket = TokenBucket(limits.per_second)
        self._client = client.ApiClient(configuration)
        self._client.user_agent = "scim-bridge"

    def send(
        self,
        method: str,
        path: str,
        query: Mapping[str, object] | None = None,
        body: Mapping[str, Any] | None = None,
        content_type: str = JSON,
    ) -> Answer:
        """Send one request; raises ClusterUnreachable unless a whole answer, of whatever status, came back."""
        self._bucket.take()
        headers = {"Accept": JSON}
        if body is not None:
            headers["Content-Type"] = content_type
        deadline = time.monotonic() + ANSWER_TIMEOUTS * self._limits.read_seconds
        try:
            request = self._client.param_serialize(
                method, path, query_params=list((query or {}).items()), header_params=headers, body=body,
                auth_settings=["BearerToken"],
            )  # fmt: skip
            response = self._client.call_api(*request, _request_timeout=self._limits.timeouts).response
            if response.status == 429 or response.status >= 500:
                self._bucket.slow_down()
            return read_answer(response.status, response.headers, self._read(response, deadline))
        except HTTPError as error:
            raise from_transport(error, self.server, self._limits.timeouts) from error
        except ApiException as error:
            # The client wraps urllib3's SSLError so, with status 0 and the reason in two lines.
            reason = str(error.reason).replace("\n", " ")
            raise ClusterUnreachable(f"{self.server} has no certificate that can be trusted: {reason}.") from error
        except (ConfigException, OSError) as error:
            # The service account's token is read anew each time.
            raise ClusterDenied(f"The credential for {self.server} cannot be read: {error}.") from error

    def _read(self, response: Any, deadline: float) -> bytes:
        parts = []
        try:
            while part := response.read1(1 << 20):
                parts.append(part)
                if time.monotonic() > deadline:
                    response.close()
                    raise ClusterUnreachable(f"{self.server} did not finish its answer in time.")
        finally:
            response.release_conn()
        return b"".join(parts)

    def close(self) -> None:
        """Close the connections and delete the key's file."""
        self._client.close()  # type: ignore[no-untyped-call]
        self._clean_up()


def connect(kubeconfig: str | None, limits: Limits, service_account: Path = SERVICE_ACCOUNT) -> Connection:
    """Prepare a connection; nothing is sent yet. None and ``in-cluster`` mean this pod's service account."""
    if kubeconfig is None or kubeconfig == IN_CLUSTER:
        return _connect_in_cluster(limits, service_account)
    found = parse_kubeconfig(kubeconfig)
    configuration = Configuration()
    load_kube_config_from_dict(  # type: ignore[no-untyped-call]
        _without_certificates(kubeconfig), client_configuration=configuration, persist_config=False
    )
    # In memory: the client's own way leaves certificates and keys in temporary files until the process ends.
    configuration.ca_cert_data = found.authority
    return Connection(configuration, limits, _add_client_key(configuration, found))


def _connect_in_cluster(limits: Limits, folder: Path) -> Connection:
    configuration = Configuration()
    token = folder / "token"
    try:
        loader = InClusterConfigLoader(str(token), str(folder / "ca.crt"), try_refresh_token=False)  # type: ignore[no-untyped-call]
        loader.load_and_set(configuration)  # type: ignore[no-untyped-call]
    except (ConfigException, OSError, UnicodeDecodeError) as error:
        raise ClusterDenied(f"This process has no service account of a cluster: {error}") from error

    # The kubelet renews the file while we run, and the old token ends; the client would look once a minute.
    def read_again(changed: Configuration) -> None:
        changed.api_key["BearerToken"] = f"Bearer {_read_token(token)}"

    configuration.refresh_api_key_hook = read_again  # type: ignore[assignment]
    return Connection(configuration, limits, lambda: None)


def _read_token(file: Path) -> str:
    """Return the token in a file; whatever else is in it would end in an error that quotes it."""
    token = file.read_text(errors="replace").strip()
    if not token or not token.isascii() or not token.isprintable():
        raise ConfigException(f"{file} holds no token")
    return token


def _without_certificates(kubeconfig: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(kubeconfig)
    for cluster in document["clusters"]:
        cluster["cluster"].pop("certificate-authority-data", None)
    for user in document["users"]:
        user["user"].pop("client-certificate-data", None)
        user["user"].pop("client-key-data", None)
    return document


def _add_client_key(configuration: Configuration, found: Kubeconfig) -> Callable[[], None]:
    """Put a client certificate and its key where OpenSSL can read them, which takes only files."""
    if found.client_certificate is None or found.client_key is None:
        return lambda: None
    folder = Path(tempfile.mkdtemp(prefix="scim-bridge-"))
    for name, content in (("certificate", found.client_certificate), ("key", found.client_key)):
        (folder / name).write_text(content)
    configuration.cert_file, configuration.key_file = str(folder / "certificate"), str(folder / "key")
    return lambda: shutil.rmtree(folder, ignore_errors=True)
