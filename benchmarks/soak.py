"""
A long run under load in which every process is killed or stopped in turn, and the database is restarted once.

Three workers, two schedulers and two web processes on a PostgreSQL that the run starts itself, with simulated identity
providers in front and four Kubernetes APIs behind (fakes, over HTTP). In the end no write that was answered may be
lost, nobody who left may ever have come back uncalled, no two passes may have written one cluster at a time, and after
each fault leavers have to be out within the objective again. The last part is calm: memory must not grow in it.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random

import urllib3

from benchmarks.soak_parts import checks
from benchmarks.soak_parts.load import Load, SteadyClient, is_ready
from benchmarks.soak_parts.staff import Hand, Staff, hire
from benchmarks.soak_parts.watch import Watch, p95
from scim_bridge.simulator import Company, Entra, Okta
from scim_bridge.store.database import Database
from tests.cli.bridge import Bridge
from tests.fakes.kube_api import FakeKubeApi
from tests.journeys.own_postgresql import OwnServer, own_server
from tests.journeys.troubled import access
from tests.kube.world import kubeconfig, prepare

CLUSTERS, GROUP = 4, "developers"
LEASE_SECONDS, OBJECTIVE_SECONDS = 2.0, 10.0
GROWTH = 1.15
"""So much memory may be held at the end of the calm half for each unit at its beginning."""
WARMING = 0.4
"""This part of the calm time passes before memory is looked at."""
SETTINGS = {
    "engine": "procrastinate", "lease_seconds": str(LEASE_SECONDS), "pass_interval_seconds": "5",
    "pass_jitter_seconds": "1", "backoff_most_seconds": "2", "log_level": "warning", "brake_percent": "100",
    "brake_subjects": "100000", "requests_per_second": "1000",
    "revocation_objective_seconds": str(OBJECTIVE_SECONDS),
}  # fmt: skip
RULES = """
version = 1
[[rules]]
name = "Developers of Okta edit"
directory = "okta"
group = "developers"
scope = "unit:production"
kubernetes_role = "edit"

[[rules]]
name = "Developers of Entra edit"
directory = "entra"
group = "developers"
scope = "unit:production"
kubernetes_role = "edit"
"""


@dataclass
class Fault:
    """One thing that goes wrong, and what leavers felt of it."""

    name: str
    begun: float
    over: float
    after_until: float = 0.0


@dataclass
class Soak:
    """The whole set-up while it runs."""

    server: OwnServer
    database: Database
    staff: Staff
    clusters: dict[str, FakeKubeApi]
    watch: Watch
    loads: list[Load]
    say: Callable[[str], None]
    faults: list[Fault] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def suffer(self, seconds: float, chance: Random) -> None:
        """Let everything go wrong in turn, spread over this time."""
        troubles = list(self._troubles())
        chance.shuffle(troubles)
        each = seconds / len(troubles)
        for name, trouble in troubles:
            begun = time.monotonic()
            trouble()
            fault = Fault(name, begun, time.monotonic())
            self.faults.append(fault)
            self._rest(begun + each)
            fault.after_until = time.monotonic()
            self.say(f"  {begun - self.began:6.0f} s  {name}")

    def calm(self, seconds: float) -> None:
        """Let nothing go wrong for so long."""
        self._rest(time.monotonic() + seconds)

    def _rest(self, until: float) -> None:
        while time.monotonic() < until:
            time.sleep(min(1.0, max(until - time.monotonic(), 0)))
            for hand in self.staff.hands.values():
                hand.weigh()

    def _troubles(self) -> Iterator[tuple[str, Callable[[], None]]]:
        for name, hand in self.staff.hands.items():
            yield f"kill -9 {name}", lambda hand=hand: _kill(hand)  # type: ignore[misc]
            yield f"SIGSTOP {name}", lambda hand=hand: _stop(hand)  # type: ignore[misc]
        yield "PostgreSQL restarted", self.server.restart


def _kill(hand: Hand) -> None:
    hand.kill()
    hand.start()


def _stop(hand: Hand) -> None:
    hand.pause()
    # Longer than any lease of it: others take over, and it wakes up to find that it has lost its turn.
    time.sleep(1.5 * LEASE_SECONDS)
    hand.wake()


def soak(
    seconds: float, seed: int, say: Callable[[str], None] = print, calm: float = 0.5, workers: int = 3
) -> list[str]:
    """Run it, ``calm`` of the time without faults, say what was seen, and return what was not as it has to be."""
    with ExitStack() as stack:
        made = _set_up(stack, seed, workers, say)
        say(f"{seconds:.0f} s with seed {seed}: {', '.join(made.staff.hands)}; {CLUSTERS} clusters")
        made.suffer(seconds * (1 - calm), Random(seed))
        calm_from = time.monotonic()
        made.calm(seconds * calm)
        for load in made.loads:
            load.stop()
        wrong = list(_converge(made))
        made.watch.stop()
        wrong += _report(made, calm_from, is_long=seconds >= 300)
        codes = made.staff.end()
        wrong += [f"{name} ended with {code}" for name, code in codes.items() if code]
    for each in wrong:
        say(f"WRONG: {each}")
    return wrong


def _set_up(stack: ExitStack, seed: int, workers: int, say: Callable[[str], None]) -> Soak:
    home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="soak-")))
    server = stack.enter_context(own_server())
    clusters = {f"cluster-{n}": stack.enter_context(FakeKubeApi()) for n in range(CLUSTERS)}
    environment = {f"SCIM_BRIDGE_{name.upper()}": value for name, value in SETTINGS.items()}
    environment |= {"SCIM_BRIDGE_DATABASE_URL": server.url, "SCIM_BRIDGE_HOME": str(home)}
    tokens = _register(Bridge(environment), home, clusters)
    staff = hire(home, environment, workers=workers, schedulers=2, webs=2)
    stack.callback(staff.kill)
    for hand in staff.hands.values():
        hand.start()
    database = Database(server.url)
    stack.callback(database.dispose)
    _wait(lambda: all(map(is_ready, staff.addresses)), "the web processes")
    watch = Watch(clusters, partial(checks.was_confirmed, database))
    loads = [_employ(kind, staff.addresses, token, seed, watch) for kind, token in tokens.items()]
    made = Soak(server, database, staff, clusters, watch, loads, say)
    _wait(lambda: _is_in_step(made), "the first people on every cluster")
    watch.start()
    for load in loads:
        load.start()
    return made


def _register(bridge: Bridge, home: Path, clusters: dict[str, FakeKubeApi]) -> dict[str, str]:
    bridge.run("db", "upgrade")
    bridge.json("organization", "create", "acme", "--owner", "boss@acme.example")
    bridge.json("unit", "create", "production")
    tokens = {
        kind: str(bridge.json("directory", "create", "--organization", "acme", "--kind", kind, "--name", kind)["token"])
        for kind in ("okta", "entra")
    }
    for name, api in clusters.items():
        prepare(api)
        config = home / f"{name}.kubeconfig"
        config.write_text(kubeconfig(api))
        bridge.json(
            "cluster", "add", "--unit", "production", "--name", name, "--kubeconfig", str(config),
            "--user-template", "{user_name}", "--approve-first-plan", "--break-glass", "group:system:masters",
        )  # fmt: skip
    (home / "rules.toml").write_text(RULES)
    bridge.json("rule", "apply", str(home / "rules.toml"))
    return tokens


def _employ(kind: str, addresses: tuple[str, ...], token: str, seed: int, watch: Watch) -> Load:
    client = SteadyClient(addresses, token)
    company = Company.generate(12, 1, seed, f"{kind}.example", [GROUP])
    provider = Okta(client, company) if kind == "okta" else Entra(client, company)
    provider.initial_cycle()
    return Load(provider, client, GROUP, Random(f"{seed}/{kind}"), watch.left, watch.comes_back)


def _converge(made: Soak) -> Iterator[str]:
    """Wait until every cluster shows what the identity providers know, and yield what does not come to be."""
    try:
        _wait(lambda: _is_in_step(made), "every cluster to show what the identity providers know", 60)
    except TimeoutError as error:
        yield str(error)
        wanted = _wanted(made)
        for name, api in made.clusters.items():
            has = access(api).get("edit", set())
            yield f"{name}: {sorted(has - wanted)[:5]} too many, {sorted(wanted - has)[:5]} missing"
    for load in made.loads:
        yield from _lost(load)


def _lost(load: Load) -> Iterator[str]:
    """Yield what the SCIM door does not know though it was answered with 2xx."""
    provider = load.provider
    for person in load.company.people.values():
        if person.key not in provider.user_ids:
            continue
        answer = urllib3.request(
            "GET", f"{load.client.base_url}/Users/{provider.user_ids[person.key]}",
            headers={"Authorization": f"Bearer {load.client._token}"}, retries=False,
        )  # fmt: skip
        if answer.status != 200:
            yield f"{person.user_name} is lost: {answer.status}"
        elif answer.json()["active"] is (person.key in load.company.left):
            yield f"{person.user_name} is {'' if answer.json()['active'] else 'not '}active"


def _report(made: Soak, calm_from: float, *, is_long: bool) -> list[str]:
    watch, wrong = made.watch, [*made.watch.uncalled, *made.watch.still_in, *checks.overlapping(made.database)]
    made.say(f"{'fault':<24}{'leavers':>8}{'p95 during':>12}{'after':>8}{'p95 after':>12}   (seconds)")
    for fault in made.faults:
        during = watch.since(fault.begun, fault.over)
        after = watch.since(fault.over, fault.after_until)
        made.say(f"{fault.name:<24}{len(during):>8}{p95(during):>12.2f}{len(after):>8}{p95(after):>12.2f}")
        if p95(after) > OBJECTIVE_SECONDS:
            wrong.append(f"after {fault.name} leavers took {p95(after):.1f} s")
    calm = watch.since(calm_from, time.monotonic())
    made.say(f"{'in the calm half':<24}{len(calm):>8}{p95(calm):>12.2f}")
    if not calm or p95(calm) > OBJECTIVE_SECONDS:
        wrong.append(f"in the calm half {len(calm)} leavers took {p95(calm):.1f} s")
    everybody = watch.since(0, time.monotonic())
    made.say(f"{'in the whole run':<24}{len(everybody):>8}{p95(everybody):>12.2f}, the longest {max(everybody):.2f}")
    made.say(f"passes: {checks.counts(made.database)}")
    for load in made.loads:
        made.say(
            f"{load.company.domain}: {load.events} events, {load.client.repeated} requests sent again, "
            f"the slowest answered after {load.client.slowest:.1f} s"
        )
        wrong += load.failures
    wrong += _memory(made, calm_from, is_long=is_long)
    return wrong


def _memory(made: Soak, calm_from: float, *, is_long: bool) -> list[str]:
    wrong = []
    for name, hand in made.staff.hands.items():
        # A process grows until it has started, and done everything once.
        settled = calm_from + WARMING * (time.monotonic() - calm_from)
        sizes = [size for at, size in hand.sizes if at > settled]
        if len(sizes) < 8:
            continue
        part = len(sizes) // 4
        first, last = sorted(sizes[:part])[part // 2], sorted(sizes[-part:])[part // 2]
        made.say(f"{name:<12} {first / 1024:6.0f} MiB, later {last / 1024:6.0f} MiB")
        if is_long and last > first * GROWTH:
            wrong.append(f"{name} grew from {first} to {last} KiB")
    return wrong


def _wanted(made: Soak) -> set[str]:
    return set().union(*(load.expected() for load in made.loads))


def _is_in_step(made: Soak) -> bool:
    wanted = _wanted(made)
    return all(access(api).get("edit", set()) == wanted for api in made.clusters.values())


def _wait(happened: Callable[[], bool], what: str, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:.0f} s for {what}")
        time.sleep(0.1)


def main() -> int:
    """Run it for as long as asked; answer 1 when something was not as it has to be."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=90)
    options.add_argument("--seed", type=int, default=7)
    given = options.parse_args()
    return 1 if soak(given.seconds, given.seed, lambda line: print(line, flush=True)) else 0


if __name__ == "__main__":
    sys.exit(main())
