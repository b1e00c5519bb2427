"""Which part of a list is asked for, and in which order (RFC 7644 §3.4.2.3 and §3.4.2.4, RFC 9865)."""

from dataclasses import dataclass
from enum import StrEnum

from scim_bridge.domain.filters import Path

Position = tuple[str | float, ...]
"""Where a page ended: what its last row is ordered by, the id last."""


class SortKind(StrEnum):
    """How the values of an attribute are compared; ANY where no schema says: numbers first, then texts."""

    TEXT = "text"
    FLAG = "flag"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Order:
    """
    An order by one value of a document; whoever has none is last, and first when it is descending.

    ``within`` names the list whose primary entry, or else whose first one, is asked for ``path``.
    """

    path: Path
    kind: SortKind = SortKind.TEXT
    exact: bool = False
    within: Path | None = None
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    """
    A part of a list: ``count`` rows behind the first ``offset``, or behind the position ``after``.

    ``after`` empty is the beginning, for whoever goes on by positions; the order of ids ends every order.
    """

    count: int
    offset: int = 0
    order: Order | None = None
    after: Position | None = None

    @property
    def descending(self) -> bool:
        """Say whether the last comes first."""
        return self.order is not None and self.order.descending
