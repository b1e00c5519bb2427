"""For whom passkeys are made: the site that a browser binds them to, as our public address says it."""

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from scim_bridge.errors import Invalid

MOST = 20
LONGEST_NAME = 63
ORDINARY_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Site:
    """What browsers compare: ``id`` is a host's name, ``origin`` has its scheme and an unusual port."""

    id: str
    origin: str


def site_of(base_url: str) -> Site | None:
    """Return the site of a public address; None where browsers make no passkeys: plain http, or a bare IP address."""
    parts = urlsplit(base_url)
    host = (parts.hostname or "").lower()
    is_local = host == "localhost" or host.endswith(".localhost")
    if not host or _is_ip(host) or not (parts.scheme == "https" or is_local):
        return None
    port = "" if parts.port in (None, ORDINARY_PORTS.get(parts.scheme)) else f":{parts.port}"
    return Site(host, f"{parts.scheme}://{host}{port}")


def checked_name(text: str) -> str:
    """Return what its owner calls a passkey, or raise Invalid."""
    name = text.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise Invalid(f"A passkey's name has 1 to {LONGEST_NAME} printable characters.", field="name")
    return name


def is_suspect(counted_before: int, counts: int) -> bool:
    """Say whether a passkey counts as one would that was copied; many count nothing at all (WebAuthn §6.1.1)."""
    return (counted_before > 0 or counts > 0) and counts <= counted_before


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
