"""
Kubeconfigs: one context, made self-contained at registration, and refused when it would run or read something here.

A stored kubeconfig holds its certificates inline. One that names files would mean other files on another machine; one
with ``exec`` would run commands of whoever registered the cluster.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
import yaml

from scim_bridge.errors import Invalid

IN_CLUSTER = "in-cluster"
"""The credential of a bridge that runs in the cluster it writes to: its pod's service account."""

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
LOOPBACK = ("localhost", "127.0.0.1", "::1")
# kubectl would act as somebody else with the first four; the client library would silently not.
REFUSED_USER_KEYS = {
    "exec": "runs a command",
    "auth-provider": "uses a plug-in",
    "username": "uses a password, which Kubernetes gave up in 1.19",
    "as": "impersonates somebody",
    "as-uid": "impersonates somebody",
    "as-groups": "impersonates groups",
    "as-user-extra": "impersonates somebody",
}
FILES = {
    "certificate-authority": "certificate-authority-data",
    "client-certificate": "client-certificate-data",
    "client-key": "client-key-data",
    "tokenFile": "token",
}


@dataclass(frozen=True, slots=True)
class Kubeconfig:
    """What a kubeconfig's current context says; PEM texts are decoded."""

    server: str
    token: str | None = field(default=None, repr=False)
    client_certificate: str | None = None
    client_key: str | None = field(default=None, repr=False)
    authority: str | None = None
    server_name: str | None = None
    proxy: str | None = field(default=None, repr=False)
    verify: bool = True


def read_kubeconfig(path: Path, *, allow_insecure: bool = False) -> str:
    """
    Return the current context of a kubeconfig file as a self-contained one.

    Raises Invalid with one sentence; ``allow_insecure`` accepts ``insecure-skip-tls-verify``.
    """
    name = f"The kubeconfig {path}"
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise Invalid(f"{name} cannot be read: {reason}.", field="kubeconfig") from None
    return _self_contained(text, name, path.parent, allow_insecure=allow_insecure)


def reduce_kubeconfig(text: str) -> str:
    """
    Return the current context of a kubeconfig that came as a text, alone: what else it holds is nobody's business.

    Raises Invalid with one sentence; whoever sends it names no files of this machine.
    """
    return _self_contained(text, "The kubeconfig", None, allow_insecure=False)


def _self_contained(text: str, name: str, folder: Path | None, *, allow_insecure: bool) -> str:
    cluster, user = _current_context(_load(text, name), name)
    if folder is not None:
        for section in (cluster, user):
            _inline(section, folder, name)
    if not _verifies(cluster, name) and not allow_insecure:
        raise Invalid(
            f"{name} turns TLS verification off (insecure-skip-tls-verify); put the cluster's "
            f"certificate-authority-data in instead.",
            field="kubeconfig",
        )
    stored = _document(cluster, user)
    _check_certificates(parse_kubeconfig(stored, name), name)
    return stored


def in_cluster_kubeconfig(folder: Path = SERVICE_ACCOUNT) -> str:
    """Return the credential of this pod's service account; raises Invalid outside a pod."""
    for name in ("token", "ca.crt"):
        if not (folder / name).is_file():
            raise Invalid(f"This is not a pod with a service account: {folder / name} is not there.", "kubeconfig")
    return IN_CLUSTER


def parse_kubeconfig(text: str, name: str = "The kubeconfig") -> Kubeconfig:
    """Read a self-contained kubeconfig; raises Invalid for what the bridge does not use."""
    cluster, user = _current_context(_load(text, name), name)
    for key, reason in REFUSED_USER_KEYS.items():
        if user.get(key):
            raise Invalid(f"{name} {reason} ({key}); use a service account's token instead.", "kubeconfig")
    for key in FILES:
        if cluster.get(key) or user.get(key):
            raise Invalid(f"{name} names a file ({key}); only inline data is stored.", "kubeconfig")
    found = Kubeconfig(
        server=_server(cluster, name),
        token=_token(user, name),
        client_certificate=_pem(user, "client-certificate-data", name),
        client_key=_pem(user, "client-key-data", name),
        authority=_pem(cluster, "certificate-authority-data", name),
        server_name=_text(cluster, "tls-server-name", name),
        proxy=_proxy(cluster, name),
        verify=_verifies(cluster, name),
    )
    if bool(found.client_certificate) != bool(found.client_key):
        raise Invalid(f"{name} has a client certificate without its key, or a key alone.", "kubeconfig")
    if not found.token and not found.client_certificate:
        raise Invalid(f"{name} holds no credential: neither a token nor a client certificate.", "kubeconfig")
    return found


def credential_expiry(text: str) -> datetime | None:
    """Return when a stored kubeconfig stops working, None when it does not say or is renewed by itself."""
    if text == IN_CLUSTER:
        return None
    found = parse_kubeconfig(text)
    ends = [_token_expiry(found.token), _certificate_expiry(found.client_certificate)]
    return min((end for end in ends if end is not None), default=None)


def _token_expiry(token: str | None) -> datetime | None:
    parts = (token or "").split(".")
    if len(parts) != 3:
        return None
    try:
        claims = orjson.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        return datetime.fromtimestamp(claims["exp"], UTC)
    except (ValueError, KeyError, TypeError, OverflowError, OSError):
        return None


def _certificate_expiry(pem: str | None) -> datetime | None:
    if pem is None:
        return None
    from cryptography import x509  # only asked for by people, and not cheap to load

    try:
        return x509.load_pem_x509_certificate(pem.encode()).not_valid_after_utc
    except ValueError:
        return None


def _check_certificates(found: Kubeconfig, name: str) -> None:
    """Raise Invalid for certificates that only look like some: TLS would refuse them at the first request."""
    from cryptography import x509  # not cheap to load, and only registering asks

    for key, pem in (
        ("certificate-authority-data", found.authority),
        ("client-certificate-data", found.client_certificate),
    ):
        try:
            if pem is not None:
                x509.load_pem_x509_certificates(pem.encode())
        except ValueError:
            raise Invalid(f"{name} has a {key} that holds no certificate.", field="kubeconfig") from None


def _load(text: str, name: str) -> dict[str, Any]:
    try:
        found = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        # The parser's own message would quote the line, which may be the token's.
        raise Invalid(f"{name} is not YAML.", field="kubeconfig") from None
    if not isinstance(found, dict) or not isinstance(found.get("clusters"), list):
        raise Invalid(f"{name} is not a kubeconfig: it lists no clusters.", field="kubeconfig")
    return found


def _current_context(config: Mapping[str, Any], name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the cluster and the user of the current context."""
    current = config.get("current-context")
    if not current:
        raise Invalid(f"{name} has no current-context.", field="kubeconfig")
    context = _named(config, "contexts", "context", current, name)
    cluster = _named(config, "clusters", "cluster", context.get("cluster"), name)
    user = _named(config, "users", "user", context.get("user"), name)
    return cluster, user


def _named(config: Mapping[str, Any], section: str, kind: str, wanted: object, name: str) -> dict[str, Any]:
    entries = config.get(section)
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, dict) and entry.get("name") == wanted and isinstance(entry.get(kind), dict):
            return dict(entry[kind])
    raise Invalid(f"{name} names a {kind} {wanted!r} that is not in it.", field="kubeconfig")


def _inline(section: dict[str, Any], folder: Path, name: str) -> None:
    """Replace the names of files by what is in them; data that is there already wins, as it does for kubectl."""
    for key, inline in FILES.items():
        file = section.pop(key, None)
        if not file or section.get(inline):
            continue
        try:
            content = (folder / str(file)).read_bytes()
            section[inline] = content.decode().strip() if inline == "token" else base64.b64encode(content).decode()
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not text"
            raise Invalid(f"{name} names {file}, which cannot be read: {reason}.", "kubeconfig") from None


def _document(cluster: Mapping[str, Any], user: Mapping[str, Any]) -> str:
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "bridge",
        "contexts": [{"name": "bridge", "context": {"cluster": "bridge", "user": "bridge"}}],
        "clusters": [{"name": "bridge", "cluster": dict(cluster)}],
        "users": [{"name": "bridge", "user": dict(user)}],
    }
    return yaml.safe_dump(document, sort_keys=False)


def _server(cluster: Mapping[str, Any], name: str) -> str:
    server = cluster.get("server")
    try:
        parts = urlsplit(server if isinstance(server, str) else "")
        # Asked for, because a port that is no number is found out only then.
        host = parts.hostname if parts.port != 0 else None
    except ValueError:
        parts, host = urlsplit(""), None
    if parts.scheme not in ("https", "http") or not host or parts.username or parts.query or parts.fragment:
        raise Invalid(f"{name} has no server address that starts with https://.", field="kubeconfig")
    if parts.scheme == "http" and host not in LOOPBACK:
        raise Invalid(f"{name} would send its credential unencrypted to {host}: use https.", field="kubeconfig")
    return parts.geturl().rstrip("/")


def _proxy(cluster: Mapping[str, Any], name: str) -> str | None:
    proxy = _text(cluster, "proxy-url", name)
    try:
        parts = urlsplit(proxy or "")
        is_usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_usable = False
    # Not quoted: it may hold a password.
    if proxy is not None and not is_usable:
        raise Invalid(f"{name} has a proxy-url that is no http:// or https:// address.", field="kubeconfig")
    return proxy


def _verifies(cluster: Mapping[str, Any], name: str) -> bool:
    insecure = cluster.get("insecure-skip-tls-verify", False)
    # "no" in quotes is a text, and a text is true.
    if not isinstance(insecure, bool):
        raise Invalid(f"{name} says neither true nor false for insecure-skip-tls-verify.", field="kubeconfig")
    return not insecure


def _token(user: Mapping[str, Any], name: str) -> str | None:
    found = _text(user, "token", name)
    # It goes into an HTTP header, and the library's error for what cannot go there would quote it.
    if found is not None and (not found.isascii() or " " in found):
        raise Invalid(f"{name} has a token with characters that no token has.", field="kubeconfig")
    return found


def _text(section: Mapping[str, Any], key: str, name: str) -> str | None:
    found = section.get(key)
    # All of them become part of a request's head, which is ASCII.
    if found is not None and (not isinstance(found, str) or not found.isprintable() or not found.isascii()):
        raise Invalid(f"{name} has a {key} that is not one line of plain text.", field="kubeconfig")
    return found or None


def _pem(section: Mapping[str, Any], key: str, name: str) -> str | None:
    found = section.get(key)
    if not found:
        return None
    try:
        text = base64.b64decode(str(found), validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        text = ""
    if "-----BEGIN " not in text:
        raise Invalid(f"{name} has a {key} that is not a certificate or key in base64.", field="kubeconfig")
    return text
