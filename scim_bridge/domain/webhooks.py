"""What webhooks may ask for, where they may lead, and when a delivery is tried again."""

import re
from collections.abc import Iterable, Sequence
from datetime import timedelta
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from scim_bridge.domain.pacing import Pace
from scim_bridge.errors import Invalid

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

EVERYTHING = "*"
AUDIT_ENTRY = "audit.entry"
"""The kind under which an endpoint is told every entry of the audit, one after the other."""
TEST = "webhook.test"
KIND = re.compile(r"[a-z_]{1,31}\.(?:\*|[a-z_]{1,31})")
MOST_KINDS = 50
LONGEST_URL = 2048

RETRIES = Pace(first_seconds=5, most_seconds=4 * 3600)
RESTS = Pace(first_seconds=5, most_seconds=600)
# One event that a receiver chokes on holds up no other; several in a row say that it is the receiver.
FAILURES_TO_REST = 3

# IPv6 addresses that carry an IPv4 address to which the packet goes in the end (RFC 6052).
_TRANSLATED = IPv6Network("64:ff9b::/96")


def checked_kinds(kinds: Iterable[str]) -> tuple[str, ...]:
    """Return kinds of events, sorted, each once; raises Invalid for none, and for what is no kind."""
    found = tuple(sorted(set(kinds)))
    if not 1 <= len(found) <= MOST_KINDS:
        raise Invalid(f"Name 1 to {MOST_KINDS} kinds of events, or * for all.", field="kinds")
    for kind in found:
        if kind != EVERYTHING and not KIND.fullmatch(kind):
            sentence = (
                f"{kind!r} is no kind of event: write *, group.*, or an action of the audit such as alert.opened."
            )
            raise Invalid(sentence, field="kinds")
    return found


def kinds_told(wanted: Sequence[str], action: str) -> tuple[str, ...]:
    """Return as which kinds an entry of the audit with this action is told to who wants these."""
    noun = action.partition(".")[0]
    told = [action] if {EVERYTHING, f"{noun}.*", action} & set(wanted) else []
    return (*told, AUDIT_ENTRY) if AUDIT_ENTRY in wanted else tuple(told)


def read_networks(text: str) -> tuple[Network, ...]:
    """Return networks written as ``10.0.0.0/8, fd00::/8``; raises ValueError for what is none."""
    return tuple(ip_network(each) for each in text.replace(",", " ").split())


def may_be_called(address: str, networks: Sequence[Network]) -> bool:
    """
    Say whether an address is a public one, or one of those that an operator let be called.

    One that stands for an IPv4 address, or leads through one, is judged by that.
    """
    return all(
        _is_public(each) or any(each in network for network in networks)
        for each in _judged(ip_address(address.partition("%")[0]))
    )


def checked_url(url: str, networks: Sequence[Network]) -> str:
    """Return a receiver's address; raises Invalid for what no webhook may lead to, as far as its text tells."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise Invalid("This is no address: write https://host/path.", field="url") from None
    if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url or port == 0:
        raise Invalid(f"An address is ASCII without blanks, at most {LONGEST_URL} characters.", field="url")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise Invalid("An address carries neither a password nor a #: deliveries are signed instead.", field="url")
    if not host or parts.scheme not in ("https", "http"):
        raise Invalid("A webhook leads to https://host/path.", field="url")
    address = _literal(host)
    if parts.scheme == "http" and not is_loopback(host):
        raise Invalid("A webhook leads to https://: what it tells is not for everybody on the way.", field="url")
    if address is not None and not may_be_called(str(address), networks):
        raise Invalid("The bridge calls public addresses only, and those in webhook_networks.", field="url")
    return url


def is_loopback(host: str) -> bool:
    """Say whether a host's name or address is this machine's own."""
    address = _literal(host)
    return host == "localhost" if address is None else address.is_loopback


def until_retry(attempts: int, fraction: float, wish: float | None = None) -> timedelta:
    """Return how long a delivery waits after so many attempts; ``fraction`` is a random number from 0 to below 1."""
    return RETRIES.until_retry(attempts, fraction, wish)


def until_rested(failures: int, fraction: float, wish: float | None = None) -> timedelta | None:
    """Return how long a receiver is left alone after so many failures in a row; None: it is not yet."""
    if failures < FAILURES_TO_REST and not wish:
        return None
    return RESTS.until_retry(failures - FAILURES_TO_REST + 1, fraction, wish)


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address) and address.is_site_local:
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _judged(address: Address) -> Iterable[Address]:
    if isinstance(address, IPv4Address):
        return (address,)
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    if address in _TRANSLATED:
        return (IPv4Address(int(address) & 0xFFFFFFFF),)
    tunnelled = (address.sixtofour, *(address.teredo or ()))
    return (address, *(each for each in tunnelled if each is not None))
