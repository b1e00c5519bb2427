"""
What an organization's audit holds, and whether it is what was written.

The chain has two ends, kept beside it: where retention cut it, and its newest entry. Without the first nobody could
tell retention from a theft, without the second nobody would miss what was taken off the end.
"""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import cast

from scim_bridge.domain.audit import GENESIS, Break, Link, canonical_json, entry_digest, seal

ERASED = "audit.erased"
"""The action that names the entries whose personal values were erased: one that it does not name was robbed."""
PRUNED = "audit.pruned"


@dataclass(frozen=True, slots=True)
class Entry:
    """One audit row, whole; ``detail`` None: its personal values were erased."""

    id: str
    organization_id: str
    at: datetime
    actor_kind: str
    actor_id: str | None
    actor_name: str
    action: str
    noun: str
    object_id: str
    request_id: str | None
    change_id: str | None
    detail: str | None
    salt: str
    digest: str
    sequence: int | None = None
    previous_hash: str | None = None
    hash: str | None = None
    sealed_at: datetime | None = None

    def facts(self, sealed_at: datetime) -> dict[str, str | None]:
        """Return what the chain covers: everything, personal values by their digest."""
        return {
            "id": self.id,
            "organization_id": self.organization_id,
            "at": _text(self.at),
            "actor_kind": self.actor_kind,
            "actor_id": self.actor_id,
            "action": self.action,
            "noun": self.noun,
            "object_id": self.object_id,
            "request_id": self.request_id,
            "change_id": self.change_id,
            "digest": self.digest,
            "sealed_at": _text(sealed_at),
        }

    def read_detail(self) -> dict[str, object]:
        """Return old and new values; nothing where they were erased."""
        return {} if self.detail is None else cast(dict[str, object], json.loads(self.detail))


@dataclass(frozen=True, slots=True)
class Ends:
    """Where a chain was cut and what its newest entry is; ``history_since``: from when on history is whole."""

    organization_id: str
    cut_sequence: int = 0
    cut_hash: str = GENESIS
    head_sequence: int = 0
    head_hash: str = GENESIS
    history_since: datetime | None = None

    @property
    def text(self) -> str:
        """Return the one text of it, to be signed."""
        since = None if self.history_since is None else _text(self.history_since)
        ends = [self.cut_sequence, self.cut_hash, self.head_sequence, self.head_hash]
        return canonical_json([self.organization_id, *ends, since])

    @property
    def head(self) -> Link | None:
        """Return the newest entry's link, to go on from; None before the first."""
        return _link(self.head_sequence, self.head_hash)


@dataclass(slots=True)
class Walk:
    """Goes along a chain, entry by entry, and says at the first one that does not hold what is wrong with it."""

    ends: Ends
    checked: int = 0
    _last: Link | None = None
    _erased: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Begin where the chain was cut."""
        self._last = _link(self.ends.cut_sequence, self.ends.cut_hash)

    @property
    def erased(self) -> int:
        """Return how many entries were met whose values were erased and that nothing has announced yet."""
        return len(self._erased)

    def take(self, entry: Entry) -> Break | None:
        """Look at the next sealed entry."""
        sequence = entry.sequence or 0
        sealed_at = entry.sealed_at or entry.at
        expected = seal(self._last, entry.facts(sealed_at))
        if sequence != expected.sequence:
            place = min(sequence, expected.sequence)
            return Break(place, f"entry {expected.sequence} is missing" if sequence > place else _forged(sequence))
        if entry.previous_hash != expected.previous_hash:
            return Break(sequence, f"entry {sequence} does not follow the entry before it", entry.id)
        if entry.hash != expected.hash or entry.sealed_at is None:
            return Break(sequence, f"entry {sequence} was changed after it was sealed", entry.id)
        problem = wrong_values(entry)
        if problem is not None:
            return Break(sequence, f"entry {sequence}: {problem}", entry.id)
        if entry.detail is None:
            self._erased[entry.id] = sequence
        elif entry.action == ERASED:
            for each in cast(list[str], entry.read_detail().get("entries", [])):
                self._erased.pop(each, None)
        self._last = expected
        self.checked += 1
        return None

    def end(self) -> Break | None:
        """Say what is wrong once there is no sealed entry left."""
        last = self._last.sequence if self._last else 0
        if last < self.ends.head_sequence:
            return Break(last + 1, f"entry {last + 1} is missing")
        if last > self.ends.head_sequence:
            return Break(self.ends.head_sequence + 1, _forged(self.ends.head_sequence + 1))
        if self._last is not None and self._last.hash != self.ends.head_hash:
            return Break(last, f"entry {last} is not the one that was sealed last")
        for entry_id, sequence in self._erased.items():
            return Break(
                sequence, f"entry {sequence}: its values are gone, and no entry says who erased them", entry_id
            )
        return None


def wrong_values(entry: Entry) -> str | None:
    """Return why an entry's personal values are not those that its digest stands for; None when they are."""
    if entry.detail is None:
        return None if not entry.salt and not entry.actor_name else "its values are erased in part"
    if entry_digest(entry.salt, entry.actor_name, entry.detail) != entry.digest:
        return "the actor's name, or old and new values, were changed"
    return None


def _forged(sequence: int) -> str:
    return f"entry {sequence} was put in by somebody else than the sealer"


def _link(sequence: int, digest: str) -> Link | None:
    return Link(sequence, {}, "", digest) if sequence else None


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")
