"""What a change does to people's access, as a page tells it: who gains and who loses what, and how many there are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scim_bridge.domain.effects import Effects

MOST_PEOPLE = 100

Told = list[tuple[str, Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Telling:
    """
    Who gains and loses what, in words, of no more people than a page can show; the counts are of all.

    ``unclear`` are clusters that alone know what a project's labels take.
    """

    gains: Told
    losses: Told
    gaining: int
    losing: int
    unclear: tuple[str, ...] = ()

    @property
    def sentences(self) -> list[str]:
        """Return how many people that concerns."""
        found = []
        if self.losing:
            found.append(f"{people(self.losing)} access, on clusters within a pass.")
        if self.gaining:
            found.append(f"{people(self.gaining, 'gains', 'gain')} access.")
        return found


def tell(effects: Effects) -> Telling:
    """Return effects as a page tells them."""
    return telling(effects.gains.by_person, effects.losses.by_person, effects.unclear)


def telling(
    gains: Mapping[str, Sequence[str]], losses: Mapping[str, Sequence[str]], unclear: tuple[str, ...] = ()
) -> Telling:
    """Return what each person gains and loses as a page tells it."""
    return Telling(_first(gains), _first(losses), len(gains), len(losses), unclear)


def people(number: int, one: str = "loses", many: str = "lose") -> str:
    """Return how many people do something."""
    return f"One person {one}" if number == 1 else f"{number} people {many}"


def _first(words: Mapping[str, Sequence[str]]) -> Told:
    return list(words.items())[:MOST_PEOPLE]
