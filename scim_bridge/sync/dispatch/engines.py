"""Which engine carries out what is due: the settings say, and nothing above knows the difference."""

from collections.abc import Callable
from typing import Protocol

from scim_bridge.settings import Settings
from scim_bridge.store.database import Database
from scim_bridge.sync.dispatch.looking import Clock
from scim_bridge.sync.dispatch.threads import Dispatcher
from scim_bridge.sync.dispatch.work import Opens
from scim_bridge.sync.errands import Errand
from scim_bridge.sync.lanes import Guard


class Engine(Protocol):
    """What a scheduler ticks."""

    @property
    def upkeep(self) -> tuple[Errand, ...]:
        """Return the errands that the engine itself needs."""

    def tick(self) -> None:
        """Find what is due and see to it that it is done; raises what the store raises."""

    def round_of(self, errand: Errand) -> Callable[[], object]:
        """Return what one round of an errand is."""

    def stop(self, seconds: float) -> bool:
        """Let what is being written be finished and nothing more; tell whether all ended in time."""


def engine_of(
    database: Database,
    targets: Opens,
    settings: Settings,
    guard: Guard,
    finished: Callable[[], None],
    clock: Clock,
) -> Engine:
    """Return the engine that the settings name; ``finished`` is called when there is a place for the next work."""
    if settings.engine == "procrastinate":
        # Only who uses it pays for its import.
        from scim_bridge.sync.dispatch.queueing import QueueDispatcher

        return QueueDispatcher(database, settings, clock)
    return Dispatcher(database, targets, settings, guard, finished, clock)
