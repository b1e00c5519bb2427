"""What becomes of people whom a directory lets go of: for how long they are kept, and what a deletion means."""

from dataclasses import dataclass

from scim_bridge.errors import Invalid

LONGEST_GRACE = 3650


@dataclass(frozen=True, slots=True)
class DeprovisionPolicy:
    """
    One directory's rule: suspended at once, purged after ``grace_days``; None: never.

    ``delete_suspends``: whoever is deleted and comes back is in the same groups again, as after active=false.
    """

    grace_days: int | None = None
    delete_suspends: bool = False

    def __post_init__(self) -> None:
        """Refuse a time that makes no sense."""
        if self.grace_days is not None and not 0 <= self.grace_days <= LONGEST_GRACE:
            raise Invalid(f"People are kept for 0 to {LONGEST_GRACE} days, or for ever.", field="grace_days")
