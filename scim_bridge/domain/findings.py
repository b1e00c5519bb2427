"""What a look over the installation found, in words for the person who has to do something about it."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad a finding is: a problem keeps somebody from access, or in it; a warning will."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: ``about`` names it, ``remedy`` is what to do, empty where nothing is."""

    level: Level
    about: str
    sentence: str
    remedy: str = ""
