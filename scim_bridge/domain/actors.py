"""Who does something: every mutation has an actor."""

from dataclasses import dataclass
from enum import StrEnum


class ActorKind(StrEnum):
    """What sort of actor it is."""

    PERSON = "person"
    TOKEN = "token"
    DIRECTORY = "directory"
    SCHEDULER = "scheduler"
    CLI = "cli"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something; ``name`` is what a person reads in the audit."""

    kind: ActorKind
    name: str
    id: str | None = None
