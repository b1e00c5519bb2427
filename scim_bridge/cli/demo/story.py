"""What happens in the demo, and the check after each step that every cluster is as it should be."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from scim_bridge.cli.demo.access import ANYWHERE, Access, on_disk, right
from scim_bridge.cli.demo.world import USER_TEMPLATE, World
from scim_bridge.errors import SimulatorError
from scim_bridge.simulator import Client, Company, Entra, Okta, Person

PATIENCE_SECONDS = 20.0
LOOK_EVERY_SECONDS = 0.02

OKTA_GROUPS = {
    "platform-engineers": ("Ada Keller", "Ravi Singh"),
    "developers": ("Zoë Maier", "Jonas Dahl", "Priya Khan", "Lars Weber", "Nadia Haddad"),
}
ENTRA_GROUPS = {
    "auditors": ("Olga Petrov",),
    "team-shop": ("Mei Chen", "Hugo Costa", "Ines Almeida"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happens at an identity provider; ``act`` sends its requests."""

    told: str
    act: Callable[[], object]
    is_departure: bool = False


@dataclass(frozen=True, slots=True)
class Happened:
    """
    A step that was played: who gained and lost what by it.

    ``seconds`` is the time from the last answer to the moment at which every cluster was right; None: it never was.
    """

    step: Step
    gained: tuple[Access, ...]
    lost: tuple[Access, ...]
    seconds: float | None
    problem: str | None = None

    @property
    def is_verified(self) -> bool:
        """Tell whether every request was answered well and every cluster became as it should be."""
        return self.seconds is not None and self.problem is None


class Story:
    """One telling; both identity providers send real requests to the bridge's real address."""

    def __init__(self, world: World) -> None:
        url = world.settings.scim_base_url
        self._world = world
        self._namespaces = frozenset() if world.real is None else world.real.namespaces()
        self.okta = Okta(Client(url, world.tokens["okta"]), Company.of(OKTA_GROUPS, "acme.example"))
        self.entra = Entra(Client(url, world.tokens["entra"]), Company.of(ENTRA_GROUPS, "partner.example"))

    def play(self) -> Iterator[Happened]:
        """Play step by step; whoever listens can tell each as it happens."""
        for step in self._steps():
            yield self._play(step)

    def close(self) -> None:
        """Close both clients."""
        self.okta.client.close()
        self.entra.client.close()

    @property
    def requests(self) -> int:
        """Return how many requests were answered."""
        return len(self.okta.client.latencies) + len(self.entra.client.latencies)

    def _steps(self) -> Iterator[Step]:
        okta, entra = self.okta, self.entra
        at_acme, at_partner = okta.company.person, entra.company.person
        yield Step("Okta's first cycle: 7 people, 2 groups", self._first_cycle_of_okta)
        yield Step("Entra's first cycle: 4 people, 2 groups", self._first_cycle_of_entra)
        yield Step("Okta hires Samir Farouk as a developer", self._hire)
        yield Step(
            "Okta moves Priya Khan from developers to platform-engineers",
            lambda: okta.move(at_acme("Priya Khan"), "developers", "platform-engineers"),
        )
        yield Step("Okta renames Jonas Dahl: he is Jonas Keller now, and signs in as such", self._rename)
        yield Step(
            "Entra lets Grace Ito follow Hugo Costa in team-shop, in one request",
            lambda: entra.hand_over("team-shop", at_partner("Hugo Costa"), self._grace()),
        )
        yield Step("Ada Keller leaves: Okta deactivates her", lambda: okta.leave(at_acme("Ada Keller")), True)
        yield Step('Mei Chen leaves: Entra says active "False"', lambda: entra.leave(at_partner("Mei Chen")), True)
        yield Step(
            "Mei Chen comes back: Entra activates her, and sends no groups",
            lambda: entra.rehire(at_partner("Mei Chen")),
        )

    def _first_cycle_of_okta(self) -> None:
        self.okta.test_connection()
        self.okta.initial_cycle()

    def _first_cycle_of_entra(self) -> None:
        self.entra.test_connection()
        self.entra.initial_cycle()

    def _hire(self) -> None:
        self.okta.hire(self.okta.company.newcomer("Samir Farouk"), "developers")

    def _rename(self) -> None:
        company = self.okta.company
        self.okta.rename(company.married(company.person("Jonas Dahl"), "Keller"))

    def _grace(self) -> Person:
        newcomer = self.entra.company.newcomer("Grace Ito")
        self.entra.hire(newcomer)
        return newcomer

    def _play(self, step: Step) -> Happened:
        before = self._bound()
        problem = None
        try:
            step.act()
        except SimulatorError as error:
            # A request that failed, or one that cannot be made because an earlier one failed.
            problem = str(error)
        seconds = self._wait_until_right()
        after = self._bound()
        return Happened(step, tuple(sorted(after - before)), tuple(sorted(before - after)), seconds, problem)

    def _wait_until_right(self) -> float | None:
        """Return how long it took from now until every cluster was as it should be."""
        answered = time.monotonic()
        wanted = frozenset(filter(self._is_possible, right((self.okta, self.entra), USER_TEMPLATE)))
        while True:
            found, looked = self._bound(), time.monotonic()
            if found == wanted:
                return looked - answered
            if looked - answered > PATIENCE_SECONDS:
                return None
            time.sleep(LOOK_EVERY_SECONDS)

    def _bound(self) -> frozenset[Access]:
        real = self._world.real
        return on_disk(self._world.folders) | (frozenset() if real is None else real.access())

    def _is_possible(self, access: Access) -> bool:
        """Leave out what a real cluster has no namespace for; the bridge makes none."""
        real = self._world.real
        is_real = real is not None and access.cluster not in self._world.folders
        return not is_real or access.namespace == ANYWHERE or access.namespace in self._namespaces
