"""What every pass of an installation keeps to."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from scim_bridge.domain.brakes import BrakeLimits
from scim_bridge.domain.pacing import Pace
from scim_bridge.settings import Settings


@dataclass(frozen=True, slots=True)
class PassPolicy:
    """
    How large a shard is, how much may be taken away unasked, how many writes run at once, and when passes run.

    ``objective_seconds`` is how long an asked-for removal may take before that is told, ``budget_seconds`` how long a
    pass goes on writing before it lets the next one go on. ``draw`` returns a random number from 0 to below 1.
    """

    subjects_per_binding: int = 1000
    limits: BrakeLimits = field(default_factory=BrakeLimits)
    writers: int = 8
    pace: Pace = field(default_factory=Pace)
    draw: Callable[[], float] = random.random
    objective_seconds: float = 60
    budget_seconds: float = 120

    @classmethod
    def of(cls, settings: Settings) -> "PassPolicy":
        """Return the policy that the settings say."""
        return cls(
            settings.subjects_per_binding,
            BrakeLimits(settings.brake_subjects, settings.brake_percent),
            settings.cluster_writers,
            Pace(
                settings.pass_interval_seconds,
                settings.pass_jitter_seconds,
                settings.backoff_first_seconds,
                settings.backoff_most_seconds,
            ),
            objective_seconds=settings.revocation_objective_seconds,
            budget_seconds=settings.pass_budget_seconds,
        )
