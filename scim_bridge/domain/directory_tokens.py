"""A directory's tokens: from where they work, and what a person should be told before they end."""

from collections.abc import Iterable
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from scim_bridge.errors import Invalid

MOST_RANGES = 32
WARN_DAYS = (1, 7, 14, 30)


def parse_ranges(texts: Iterable[str]) -> tuple[str, ...]:
    """Return address ranges in their canonical form; raises Invalid for what is none."""
    found: dict[str, None] = {}
    for text in texts:
        try:
            found[str(ip_network(text.strip()))] = None
        except ValueError as error:
            sentence = f"{text!r} is no range of addresses: write 203.0.113.0/24 or 2001:db8::/32 ({error})."
            raise Invalid(sentence, field="ip_ranges") from None
    if len(found) > MOST_RANGES:
        raise Invalid(f"A token has at most {MOST_RANGES} ranges of addresses.", field="ip_ranges")
    return tuple(found)


def is_within(address: str | None, ranges: Iterable[str]) -> bool:
    """Tell whether an address lies in one of these ranges; one that is unknown, or is none, lies nowhere."""
    try:
        found = _plain(ip_address((address or "").partition("%")[0]))
    except ValueError:
        return False
    return any(found in ip_network(each) for each in ranges)


def days_warned(expires_at: datetime | None, at: datetime) -> int | None:
    """Return within how many days a token ends, as one of `WARN_DAYS`; 0 once it has, None while that is far off."""
    if expires_at is None:
        return None
    left = (expires_at - at).total_seconds()
    return 0 if left <= 0 else next((days for days in WARN_DAYS if left <= days * 86_400), None)


def _plain(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    # A dual-stack socket shows IPv4 clients so: ::ffff:203.0.113.7.
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
