"""
A company's life from beginning to end: first cycle, hires, moves, hand-overs, renames, leavers, rehires.

Renames are taken back before the end, so that the same life can be played again against the same directory. An event
whose request fails is reported, and the life goes on, as an identity provider's does.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeVar, get_args
from urllib.parse import urlsplit

from scim_bridge.errors import Invalid, RequestFailed, SimulatorError
from scim_bridge.log import get_logger
from scim_bridge.simulator.client import Client
from scim_bridge.simulator.company import Company, Group, Person
from scim_bridge.simulator.entra import Entra
from scim_bridge.simulator.okta import Okta
from scim_bridge.simulator.provider import IdentityProvider, Step
from scim_bridge.simulator.report import Failure, Leaver, Report, percentile
from scim_bridge.simulator.wire import Dialect

Kind = Literal["okta", "entra"]
Thing = TypeVar("Thing")

ENTRA_FLAG = "aadOptscim062020"
# So many unanswered requests in a row mean that the server is gone, and not that it is busy.
UNANSWERED = 3

log = get_logger(__name__)


@dataclass(frozen=True)
class Progress:
    """How far a life has come: ``done`` of ``total`` events, and what kind the last one was."""

    done: int
    total: int
    event: str


def play(
    kind: Kind,
    base_url: str,
    token: str,
    *,
    users: int,
    groups: int,
    seed: int = 1,
    dialect: Dialect | None = None,
    domain: str | None = None,
    events: Callable[[Progress], None] | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Report:
    """
    Play a whole life against a server and report what came of it; ``events`` is told after each event.

    The same seed and domain play the same life. The domain differs by kind unless one is given, so that both can be
    played against one organization. Raises SimulatorError when the connection test fails or nobody answers any more.
    """
    client = Client(base_url, token, sleep=sleep)
    company = Company.generate(users, groups, seed, domain or f"{kind}.acme.example")
    try:
        provider = provider_for(kind, client, company, dialect or _dialect_of(kind, base_url))
        return Life(provider, events or _nobody).play()
    finally:
        client.close()


def provider_for(kind: Kind, client: Client, company: Company, dialect: Dialect | None = None) -> IdentityProvider:
    """Make the identity provider of that kind; its default dialect is what it sends when nobody changed a setting."""
    if kind not in get_args(Kind):
        raise Invalid(f"There is no simulator of {kind}; there are okta and entra.", field="kind")
    if dialect is not None and dialect.partition("-")[0] != kind:
        raise Invalid(f"{kind} does not speak {dialect}.", field="dialect")
    return Okta(client, company, dialect or "okta") if kind == "okta" else Entra(client, company, dialect or "entra")


@dataclass(frozen=True)
class Pace:
    """How often each event happens in a life."""

    hires: int
    moves: int
    hand_overs: int
    renames: int
    group_renames: int
    leavers: int
    rehires: int
    purges: int

    @classmethod
    def of(cls, users: int, groups: int, *, purges: bool) -> "Pace":
        """Return the pace of a company of that size: about every twentieth person has each kind of event."""
        some = max(1, users // 20) if users else 0
        leavers = min(users, max(3, users // 20))
        return cls(
            hires=max(1, some),
            moves=some if groups > 1 else 0,
            hand_overs=some if groups else 0,
            renames=some,
            group_renames=min(groups, max(1, groups // 20)),
            leavers=leavers,
            rehires=leavers // 3,
            purges=leavers // 3 if purges else 0,
        )

    @property
    def total(self) -> int:
        """Return how many events that is; a rename is taken back by a second one."""
        once = self.hires + self.moves + self.hand_overs + self.leavers + self.rehires + self.purges
        return once + 2 * (self.renames + self.group_renames)


class Life:
    """One life, lived once."""

    def __init__(self, provider: IdentityProvider, events: Callable[[Progress], None]) -> None:
        self.provider = provider
        self.company = provider.company
        self._tell = events
        self._happened: Counter[str] = Counter()
        self._leavers: list[Leaver] = []
        self._failures: list[Failure] = []
        self._unanswered = 0

    def play(self) -> Report:
        """Test the connection, then let everything happen, one event after the other."""
        started = time.monotonic()
        self._connect()
        people, groups = len(self.company.people), len(self.company.groups)
        pace = Pace.of(people, groups, purges=isinstance(self.provider, Entra))
        total = people + groups + pace.total
        for done, (event, step) in enumerate(self._steps(pace), start=1):
            self._attempt(event, step)
            self._tell(Progress(done, total, event))
        return self._report(time.monotonic() - started)

    def _steps(self, pace: Pace) -> Iterator[Step]:
        yield from self.provider.initial_steps()
        yield from self._changes(pace)
        yield from self._renames(pace)
        yield from self._departures(pace)

    def _changes(self, pace: Pace) -> Iterator[Step]:
        for _ in range(pace.hires):
            names = [group.name for group in self._choose(self._groups(), 1)]
            yield "hire", partial(self.provider.hire, self.company.newcomer(), *names)
        for _ in range(pace.moves if self._populated() else 0):
            yield "move", self._move
        for _ in range(pace.hand_overs if self._populated() else 0):
            yield "hand-over", self._hand_over

    def _renames(self, pace: Pace) -> Iterator[Step]:
        people = self._choose(self._people(), pace.renames)
        groups = self._choose(self._groups(), pace.group_renames)
        for person in people:
            yield "rename", partial(self.provider.rename, self.company.married(person))
        for group in groups:
            yield "rename group", partial(self.provider.rename_group, group.name, f"{group.name} (new)")
        for person in people:
            yield "rename", partial(self.provider.rename, person)
        for group in groups:
            yield "rename group", partial(self.provider.rename_group, f"{group.name} (new)", group.name)

    def _departures(self, pace: Pace) -> Iterator[Step]:
        leavers = self._choose(self._people(), pace.leavers)
        for person in leavers:
            yield "leave", partial(self._leave, person)
        for person in leavers[: pace.rehires]:
            yield "rehire", partial(self.provider.rehire, person)
        if isinstance(self.provider, Entra):
            for person in leavers[pace.rehires :][: pace.purges]:
                yield "purge", partial(self.provider.purge, person)

    def _move(self) -> None:
        origin = self._choose(self._populated(), 1)[0]
        person = self._choose(self._inside(origin), 1)[0]
        already_in = {group.key for group in self.company.groups_of(person)}
        others = [group for group in self._groups() if group.key not in already_in] or [origin]
        self.provider.move(person, origin.name, self._choose(others, 1)[0].name)

    def _hand_over(self) -> None:
        group = self._choose(self._populated(), 1)[0]
        leaving = self._choose(self._inside(group), 1)[0]
        inside = {person.key for person in self.company.members(group)}
        outside = [person for person in self._people() if person.key not in inside] or [leaving]
        self.provider.hand_over(group.name, leaving, self._choose(outside, 1)[0])

    def _leave(self, person: Person) -> None:
        answer = self.provider.leave(person)
        user_id = self.provider.user_ids[person.key]
        self._leavers.append(Leaver(person.user_name, user_id, answer.answered_at, answer.seconds))

    # Whoever and whatever the server refused to create is reported once, and no longer part of what happens.

    def _people(self) -> list[Person]:
        return [person for person in self.company.working() if person.key in self.provider.user_ids]

    def _groups(self) -> list[Group]:
        return [group for group in self.company.groups.values() if group.key in self.provider.group_ids]

    def _inside(self, group: Group) -> list[Person]:
        known = self.provider.user_ids
        left = self.company.left
        return [person for person in self.company.members(group) if person.key in known and person.key not in left]

    def _populated(self) -> list[Group]:
        return [group for group in self._groups() if self._inside(group)]

    def _choose(self, things: Sequence[Thing], count: int) -> list[Thing]:
        return self.company.random.sample(things, min(count, len(things)))

    def _connect(self) -> None:
        try:
            self.provider.test_connection()
        except RequestFailed as error:
            where = self.provider.client.base_url
            if error.status is None:
                raise SimulatorError(f"Nobody answers at {where}: {error.detail}") from error
            raise SimulatorError(f"The connection test at {where} failed: {error}") from error

    def _attempt(self, event: str, step: Callable[[], object]) -> None:
        try:
            step()
        except RequestFailed as error:
            self._failures.append(Failure(event, error.method, error.target, error.status, error.detail))
            log.warning("simulated request failed", simulated_event=event, status=error.status, detail=error.detail)
            self._unanswered = self._unanswered + 1 if error.status is None else 0
            if self._unanswered == UNANSWERED:
                raise SimulatorError(f"{self.provider.client.base_url} stopped answering: {error.detail}") from error
        else:
            self._happened[event] += 1
            self._unanswered = 0

    def _report(self, seconds: float) -> Report:
        latencies = self.provider.client.latencies
        return Report(
            dialect=self.provider.dialect,
            events=dict(self._happened),
            leavers=tuple(self._leavers),
            failures=tuple(self._failures),
            requests=len(latencies),
            seconds=seconds,
            p50=percentile(latencies, 0.5),
            p95=percentile(latencies, 0.95),
        )


def _dialect_of(kind: Kind, base_url: str) -> Dialect:
    # The flag is typed behind the tenant URL (idp-behaviour 2.1).
    return "entra-flag" if kind == "entra" and ENTRA_FLAG in urlsplit(base_url).query else kind


def _nobody(_: Progress) -> None:
    """Hear of progress, and keep it to oneself."""
