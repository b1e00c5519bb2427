"""Identity providers at work: people come, leave, come back and change groups, whatever happens to the bridge."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

import orjson
import urllib3

from scim_bridge.errors import RequestFailed
from scim_bridge.simulator import Client, Company, Person
from scim_bridge.simulator.client import Answer
from scim_bridge.simulator.provider import IdentityProvider
from scim_bridge.simulator.wire import Request

PATIENCE = 60.0
"""As an identity provider does, one that gets no answer asks again; so long, until it counts as lost."""
MOST = 60


class SteadyClient(Client):
    """
    Asks the other web process when one does not answer, and looks up what it may have created without knowing.

    It stands behind a load balancer of its own, which asks `/readyz`, and is less patient than Retry-After says.
    """

    def __init__(self, addresses: tuple[str, ...], token: str) -> None:
        super().__init__(addresses[0], token, sleep=lambda seconds: time.sleep(min(seconds, 0.5)))
        self._addresses = addresses
        self.repeated = 0
        self.slowest = 0.0
        """The seconds for which somebody waited longest until a request was answered at last."""

    def send(self, request: Request) -> Answer:
        """Send a request until it is answered; raises RequestFailed for an answer that is a refusal."""
        began = time.monotonic()
        try:
            return self._send_until_answered(request, began + PATIENCE)
        finally:
            self.slowest = max(self.slowest, time.monotonic() - began)

    def _send_until_answered(self, request: Request, deadline: float) -> Answer:
        asked_before = False
        while True:
            try:
                return super().send(request)
            except RequestFailed as error:
                if error.status == 409 and asked_before and request.method == "POST":
                    return self._find(request)
                if (error.status is not None and error.status < 500) or time.monotonic() > deadline:
                    raise
            asked_before = True
            self.repeated += 1
            self._other_address()
            time.sleep(0.2)

    def spread(self) -> None:
        """Send the next requests to the other web process: a load balancer would."""
        self._other_address()

    def _other_address(self) -> None:
        place = self._addresses.index(self.base_url)
        for address in (*self._addresses[place + 1 :], *self._addresses[: place + 1]):
            if is_ready(address):
                self.base_url = address
                return

    def _find(self, request: Request) -> Answer:
        name = orjson.loads(request.body)["userName"]
        asked = Request("lookup", (), "GET", f'/Users?filter=userName%20eq%20"{name}"', request.headers, b"")
        found = super().send(asked)
        return Answer(201, found.resources[0], found.answered_at, found.seconds)


def is_ready(address: str) -> bool:
    """Ask a web process whether it is ready, as a load balancer does."""
    try:
        return urllib3.request("GET", address.replace("/scim/v2", "/readyz"), retries=False, timeout=1).status == 200
    except urllib3.exceptions.HTTPError:
        return False


@dataclass
class Load:
    """One identity provider that never rests; ``group`` is the one whose members may edit."""

    provider: IdentityProvider
    client: SteadyClient
    group: str
    random: Random
    left: Callable[[str, float], None]
    comes_back: Callable[[str], None]
    pause: float = 0.15
    events: int = 0
    failures: list[str] = field(default_factory=list)
    _thread: threading.Thread | None = None
    _stopping: threading.Event = field(default_factory=threading.Event)

    @property
    def company(self) -> Company:
        """Return whom the provider knows."""
        return self.provider.company

    def start(self) -> None:
        """Begin."""
        self._thread = threading.Thread(target=self._live, name=self.company.domain, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish what is under way and begin nothing more."""
        self._stopping.set()
        assert self._thread is not None
        self._thread.join(PATIENCE * 2)
        assert not self._thread.is_alive()

    def expected(self) -> set[str]:
        """Return who may edit, as the provider sees it."""
        inside = self.company.members(self.company.group(self.group))
        return {each.user_name for each in inside if each.key not in self.company.left}

    def _live(self) -> None:
        while not self._stopping.wait(self.pause):
            self.client.spread()
            try:
                self._next()
            except RequestFailed as error:
                self.failures.append(f"{error.method} {error.target}: {error.status} {error.detail}")
            self.events += 1

    def _next(self) -> None:
        inside = [each for each in self._members() if each.key not in self.company.left]
        gone = [each for each in self._members() if each.key in self.company.left]
        turn = self.random.random()
        if len(inside) < 8 or (turn < 0.35 and len(inside) < MOST):
            if gone and self.random.random() < 0.5:
                self._return(self.random.choice(gone))
            else:
                self.provider.hire(self.company.newcomer(), self.group)
        elif turn < 0.75:
            self._leave(self.random.choice(inside))
        else:
            self._drop(self.random.choice(inside))

    def _members(self) -> list[Person]:
        return self.company.members(self.company.group(self.group))

    def _leave(self, person: Person) -> None:
        answer = self.provider.leave(person)
        self.left(person.user_name, answer.answered_at)

    def _drop(self, person: Person) -> None:
        self.provider.drop(person, self.group)
        self.left(person.user_name, time.monotonic())

    def _return(self, person: Person) -> None:
        self.comes_back(person.user_name)
        self.provider.rehire(person)
