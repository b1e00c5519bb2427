"""The way into a cluster that does not depend on the bridge: who it is, and how a cluster is asked whether it works."""

from dataclasses import dataclass
from enum import StrEnum

from scim_bridge.errors import Invalid

LONGEST = 320


class WayIn(StrEnum):
    """USER and GROUP are asked of the cluster; NOTE is for people: a certificate in a safe, a cloud's own console."""

    USER = "user"
    GROUP = "group"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class BreakGlass:
    """One way in."""

    kind: WayIn
    name: str

    def __str__(self) -> str:
        return f"{self.kind.value}:{self.name}"

    def names(self, subject: tuple[str, str, str]) -> bool:
        """Tell whether a binding's subject is this very one."""
        kind, _, name = subject
        return self.kind is not WayIn.NOTE and (kind.lower(), name) == (self.kind.value, self.name)


def parse_break_glass(text: str) -> BreakGlass:
    """Read ``user:NAME``, ``group:NAME`` or ``note:TEXT``; raises Invalid."""
    kind, _, name = text.partition(":")
    known = [each.value for each in WayIn]
    if kind not in known or not name.strip() or len(text) > LONGEST or not text.isprintable():
        raise Invalid(
            "A way in without the bridge is user:NAME or group:NAME, which the cluster is asked about, or note:TEXT.",
            field="break_glass",
        )
    return BreakGlass(WayIn(kind), name.strip())
