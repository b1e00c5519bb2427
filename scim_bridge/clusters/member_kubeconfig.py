"""The kubeconfig that a person takes home: it holds no secret, and signs them in by their identity provider."""

import base64
from collections.abc import Iterable
from typing import Any

import yaml

from scim_bridge.clusters.kubeconfig import parse_kubeconfig
from scim_bridge.domain.kubeconfigs import ClusterSignIn, KubeconfigEntry
from scim_bridge.errors import Invalid

# https://github.com/int128/kubelogin, as a plug-in of kubectl.
COMMAND = "kubectl"
ARGUMENTS = ("oidc-login", "get-token")
LONGEST_AUTHORITY = 64 * 1024


def write(entries: Iterable[KubeconfigEntry]) -> str:
    """Return a kubeconfig, the same bytes for the same entries; its first context is the current one."""
    known = sorted(entries, key=lambda entry: entry.name)
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": each.name, "cluster": _cluster(each.sign_in)} for each in known],
        "users": [{"name": each.name, "user": {"exec": _exec(each.sign_in)}} for each in known],
        "contexts": [{"name": each.name, "context": _context(each)} for each in known],
        "current-context": known[0].name if known else "",
    }
    return yaml.safe_dump(document, sort_keys=False, width=100_000)


def checked_authority(text: str) -> str:
    """Return the certificates of a PEM text and nothing else of it; raises Invalid where there are none."""
    from cryptography import x509  # not cheap to load, and few ask
    from cryptography.hazmat.primitives.serialization import Encoding

    try:
        found = x509.load_pem_x509_certificates(text.encode()) if len(text) <= LONGEST_AUTHORITY else []
    except ValueError:
        found = []
    if not found:
        raise Invalid("This holds no certificate in PEM.", field="authority")
    return "".join(each.public_bytes(Encoding.PEM).decode() for each in found)


def authority_in(kubeconfig: str) -> str | None:
    """Return the certificates that a registered cluster's kubeconfig trusts, None where it trusts the machine's."""
    return parse_kubeconfig(kubeconfig).authority


def _cluster(sign_in: ClusterSignIn) -> dict[str, Any]:
    found = {"server": sign_in.server}
    if sign_in.authority is not None:
        found["certificate-authority-data"] = base64.b64encode(sign_in.authority.encode()).decode()
    return found


def _exec(sign_in: ClusterSignIn) -> dict[str, Any]:
    named = [f"--oidc-issuer-url={sign_in.issuer}", f"--oidc-client-id={sign_in.client_id}"]
    return {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": COMMAND,
        "args": [*ARGUMENTS, *named, *(f"--oidc-extra-scope={each}" for each in sign_in.scopes)],
        "interactiveMode": "IfAvailable",
        "installHint": "This needs https://github.com/int128/kubelogin: kubectl krew install oidc-login",
    }


def _context(entry: KubeconfigEntry) -> dict[str, Any]:
    found = {"cluster": entry.name, "user": entry.name}
    return found if entry.namespace is None else found | {"namespace": entry.namespace}
