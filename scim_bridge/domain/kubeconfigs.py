"""What a person's kubeconfig says: where each cluster is, and by which identity provider they sign in to it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from scim_bridge.errors import Invalid

LONGEST_ADDRESS = 1024
LONGEST_CLIENT_ID = 255
MOST_SCOPES = 16
# RFC 6749 §3.3; a client id is held to the same, as it stands on a command line.
WORD = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")


@dataclass(frozen=True, slots=True)
class ClusterSignIn:
    """How people sign in to a cluster; ``authority`` None: its certificate is one that every machine trusts."""

    server: str
    issuer: str
    client_id: str
    scopes: tuple[str, ...] = ()
    authority: str | None = None


@dataclass(frozen=True, slots=True)
class KubeconfigEntry:
    """One cluster in a kubeconfig; ``namespace`` is where its person begins, None: where kubectl does."""

    name: str
    sign_in: ClusterSignIn
    namespace: str | None = None


def checked_sign_in(wanted: ClusterSignIn) -> ClusterSignIn:
    """Return what may stand in people's kubeconfigs, or raise Invalid; certificates are somebody else's to check."""
    for name, address in (("server", wanted.server), ("issuer", wanted.issuer)):
        if not _is_address(address):
            raise Invalid(f"{name} is an https:// address without user, query or fragment.", field=name)
    if len(wanted.client_id) > LONGEST_CLIENT_ID or not WORD.fullmatch(wanted.client_id):
        raise Invalid("client_id is one word.", field="client_id")
    return ClusterSignIn(
        wanted.server.rstrip("/"), wanted.issuer, wanted.client_id, _scopes(wanted.scopes), wanted.authority
    )


def _scopes(scopes: Iterable[str]) -> tuple[str, ...]:
    # Everybody asks for it, and twice is an error for some providers.
    found = tuple(sorted(set(scopes) - {"openid"}))
    if len(found) > MOST_SCOPES or not all(WORD.fullmatch(each) and len(each) <= LONGEST_CLIENT_ID for each in found):
        raise Invalid(f"scopes are at most {MOST_SCOPES} words.", field="scopes")
    return found


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        is_whole = parts.scheme == "https" and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    extra = parts.username or parts.password or parts.query or parts.fragment
    return (
        is_whole and not extra and len(text) <= LONGEST_ADDRESS and text.isascii() and WORD.fullmatch(text) is not None
    )
