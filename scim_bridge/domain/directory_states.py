"""The states of a directory, and what leads from one to another."""

from enum import StrEnum

from scim_bridge.domain.people import DirectoryState
from scim_bridge.errors import Conflict


class Step(StrEnum):
    """What a person may do to a directory as a whole."""

    ACTIVATE = "activate"
    PAUSE = "pause"
    RESUME = "resume"
    DETACH = "detach"
    PURGE = "purge"


PREVIEWED = (Step.ACTIVATE, Step.DETACH, Step.PURGE)
"""What may change somebody's access, and is therefore looked at first."""

_PENDING, _ACTIVE, _PAUSED, _DETACHED = DirectoryState
# A pending directory is never detached: what a detached one brought counts, and nobody has looked that over.
STEPS: dict[Step, tuple[frozenset[DirectoryState], DirectoryState]] = {
    Step.ACTIVATE: (frozenset({_PENDING}), _ACTIVE),
    Step.PAUSE: (frozenset({_ACTIVE}), _PAUSED),
    Step.RESUME: (frozenset({_PAUSED}), _ACTIVE),
    Step.DETACH: (frozenset({_ACTIVE, _PAUSED}), _DETACHED),
    Step.PURGE: (frozenset({_PENDING, _PAUSED, _DETACHED}), _DETACHED),
}


def state_after(step: Step, name: str, state: DirectoryState) -> DirectoryState:
    """Return the state that a step leads to; raises Conflict where it does not lead anywhere from here."""
    allowed, target = STEPS[step]
    if state not in allowed:
        words = " or ".join(sorted(allowed))
        raise Conflict(f"The directory {name} is {state.value}; {step.value} is for one that is {words}.")
    return target
