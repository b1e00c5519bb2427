"""
Digests for the audit: what one entry says, and the chain that shows when an entry was changed or taken out.

The chain holds salted digests of personal values, never the values: erasing them (and their salt) at purge leaves
the chain whole.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class Link:
    """One sealed entry: ``facts`` are the fields that the chain covers, as text."""

    sequence: int
    facts: Mapping[str, str | None]
    previous_hash: str
    hash: str


@dataclass(frozen=True, slots=True)
class Break:
    """The first place at which a chain does not hold, and why."""

    sequence: int
    reason: str
    entry: str = ""


def canonical_json(value: object) -> str:
    """Return the one JSON text of a value: sorted keys, no blanks, no escapes beyond what JSON needs."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True)


def salted_digest(salt: str, value: str) -> str:
    """Return the digest of a personal value; without the salt nobody can find it by trying values."""
    return hashlib.sha256(f"{salt}{value}".encode()).hexdigest()


def entry_digest(salt: str, actor_name: str, detail: str) -> str:
    """Return the digest of an entry's personal values, erased together: who did it, old values and new ones."""
    return salted_digest(salt, canonical_json([actor_name, detail]))


def chain_hash(previous: str, sequence: int, facts: Mapping[str, str | None]) -> str:
    """Return the hash of an entry: over the one before, its place, and its facts."""
    return hashlib.sha256(canonical_json([previous, sequence, dict(facts)]).encode()).hexdigest()


def seal(previous: Link | None, facts: Mapping[str, str | None]) -> Link:
    """Return the next link of a chain; the first has sequence 1 and follows `GENESIS`."""
    sequence = previous.sequence + 1 if previous else 1
    before = previous.hash if previous else GENESIS
    return Link(sequence, dict(facts), before, chain_hash(before, sequence, facts))


def first_break(links: Iterable[Link], previous: Link | None = None) -> Break | None:
    """Return where a chain, in the order of its sequence, first does not hold; None when it does."""
    for link in links:
        expected = seal(previous, link.facts)
        if link.sequence != expected.sequence:
            return Break(expected.sequence, f"entry {expected.sequence} is missing")
        if link.previous_hash != expected.previous_hash:
            return Break(link.sequence, f"entry {link.sequence} does not follow the entry before it")
        if link.hash != expected.hash:
            return Break(link.sequence, f"entry {link.sequence} was changed after it was sealed")
        previous = link
    return None
