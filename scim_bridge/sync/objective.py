"""Conditions of a cluster whose removals take longer than the objective."""

from collections.abc import Iterator
from datetime import datetime

from scim_bridge.domain.desired import Condition
from scim_bridge.domain.objective import WINDOW, performance
from scim_bridge.domain.organizations import ClusterId
from scim_bridge.store.database import Connection
from scim_bridge.store.objective import removals_on


def revocation_conditions(
    connection: Connection, cluster_id: ClusterId, objective_seconds: float, at: datetime
) -> Iterator[Condition]:
    """Yield one condition for removals that are late now, and one when a day's removals miss the objective."""
    found = removals_on(connection, cluster_id, at - WINDOW)
    waiting = performance([each for each in found if each.done_at is None], objective_seconds, at)
    if waiting.late:
        yield Condition(
            "RevocationsLate",
            "",
            f"{waiting.late} asked-for removals are not confirmed after {objective_seconds:g} s, the oldest after "
            f"{waiting.slowest_seconds:.0f} s",
        )
    day = performance(found, objective_seconds, at)
    if day.is_burning:
        yield Condition(
            "ObjectiveMissed",
            "",
            f"{day.late} of {day.count} asked-for removals of the past day took longer than {objective_seconds:g} s, "
            f"the slowest {day.slowest_seconds:.0f} s",
        )
