"""
What the SCIM door costs, beside what cannot be saved: `docs/performance.md` says what each row means.

In one run and by turns: the bridge under gunicorn as in the Procfile, a raw WSGI floor with hand-written SQL on the
same kind of database, and Flask saying hello. Each ratio is of two rounds that follow each other.
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

# A script knows only its own folder.
sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.scim_floor import load, servers, worlds
from benchmarks.scim_floor.scripts import Asking
from benchmarks.scim_floor.worlds import World

FEW, MANY = 10_000, 100_000
MOST_MEMORY = 200


@dataclass(frozen=True, slots=True)
class Side:
    """Who is asked what: a server's name, and a kind of request of `Asking`."""

    server: str
    kind: str
    group: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table: the rate of the first side as a share of the second's, at least ``target``."""

    name: str
    title: str
    first: Side
    second: Side
    target: float


def _floored(name: str, title: str, target: float, kind: str = "", server: str = "bridge", group: int = 0) -> Row:
    kind = kind or name
    return Row(name, title, Side(server, kind, group), Side("floor", kind, group), target)


ROWS = (
    Row("hello", "hello of Flask / get of the floor", Side("hello", "get"), Side("floor", "get"), 0.0),
    _floored("create", "create a user", 0.5),
    _floored("deactivate", "deactivate a user", 0.5, server="large"),
    _floored("cycle", "mixed Entra cycle", 0.5),
    _floored("lookup", "look up among 10,000", 0.5),
    _floored("get", "get a user", 0.55),
    _floored("list", "list 100 users", 0.5),
    _floored("patch-group", "patch a member of 10,000", 0.6, "member", group=FEW),
    _floored("get-group", "get a group of 10,000", 0.8, "group", group=FEW),
    # 1.2 times the cost is 1 / 1.2 of the rate.
    Row("size", "patch of 100,000 / of 100", Side("large", "member", MANY), Side("large", "member", 100), 1 / 1.2),
    Row("growth", "create at 100,000 / at 10,000", Side("large", "create"), Side("bridge", "create"), 0.9),
)


@dataclass(frozen=True, slots=True)
class Bench:
    """Servers and worlds by name, and how long and how often."""

    load: load.Load
    servers: dict[str, servers.Server]
    worlds: dict[str, World]
    rounds: int
    seconds: float

    def measure(self, row: Row, begun: int) -> bool:
        """Measure one row by turns, print it, and tell whether it reaches its target."""
        pairs = []
        for number in range(self.rounds):
            sides = [row.first, row.second]
            # Who goes first alternates too: a machine that gets busier must not favour one side.
            rates = {side: self._rate(side, begun + number) for side in (sides if number % 2 else sides[::-1])}
            pairs.append((rates[row.first], rates[row.second]))
        ratios = sorted(first / second for first, second in pairs)
        ratio, spread = statistics.median(ratios), f"{ratios[0]:.2f}–{ratios[-1]:.2f}"
        first, second = (statistics.median(each) for each in zip(*pairs, strict=True))
        reached = ratio >= row.target
        word = "" if not row.target else "reached" if reached else "MISSED"
        print(
            f"  {row.title:<34}{first:>9.0f}{second:>9.0f}{ratio:>8.2f}  {spread:<12}{row.target:>6.2f}  {word}",
            flush=True,
        )
        return reached

    def _rate(self, side: Side, run: int) -> float:
        server = self.servers[side.server]
        sample = self.worlds["floor" if side.server == "hello" else side.server].sample
        asking = Asking(side.kind, sample, run, side.group)
        result = self.load.run(load.Job(server.port, server.workers, self.seconds, asking, run))
        server.note_memory()
        return result.rate


@contextmanager
def opened(database: str, arguments: argparse.Namespace, loader: load.Load) -> Iterator[Bench]:
    """Seed the worlds on one kind of database, and start the servers on them."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="scim-bench-")))
        small, large, floor = stack.enter_context(worlds.databases_in(database, folder, 3))
        made = {
            "bridge": worlds.seed_bridge(small, folder / "small", FEW, (100, FEW)),
            "large": worlds.seed_bridge(large, folder / "large", MANY, (100, FEW, MANY)),
            "floor": worlds.seed_floor(floor, FEW, (100, FEW)),
        }
        started: dict[str, servers.Server] = {}
        for name, application, settings in (
            ("bridge", "scim_bridge.wsgi:app", _settings(small, folder / "small")),
            ("large", "scim_bridge.wsgi:app", _settings(large, folder / "large")),
            ("floor", "benchmarks.scim_floor.app:app", {"FLOOR_DATABASE": made["floor"].url}),
            ("hello", "benchmarks.scim_floor.hello:app", {}),
        ):
            started[name] = servers.start(name, application, folder, settings)
            stack.callback(started[name].stop)
        yield Bench(loader, started, made, arguments.rounds, arguments.seconds)


def _settings(url: str, home: Path) -> dict[str, str]:
    # What is measured is how fast it is, not when it says no.
    unlimited = {"SCIM_BRIDGE_REQUESTS_PER_SECOND": "1000000", "SCIM_BRIDGE_REQUESTS_BURST": "1000000"}
    places = {"SCIM_BRIDGE_DATABASE_URL": url, "SCIM_BRIDGE_HOME": str(home)}
    return {**places, **unlimited, "SCIM_BRIDGE_LOG_LEVEL": "warning"}


def run(database: str, arguments: argparse.Namespace, loader: load.Load) -> bool:
    """Measure the rows on one kind of database and tell whether all targets were reached."""
    print(f"\n{database}: preparing {FEW:,} and {MANY:,} people ...", flush=True)
    with opened(database, arguments, loader) as bench:
        print(f"  {'':<34}{'rate':>9}{'floor':>9}{'ratio':>8}  {'spread':<12}{'target':>6}")
        wanted = [row for row in ROWS if not arguments.only or row.name in arguments.only]
        reached = [bench.measure(row, 1 + number * arguments.rounds) for number, row in enumerate(wanted)]
        highest = max(bench.servers[name].highest for name in ("bridge", "large"))
        fits = highest <= MOST_MEMORY
        word = "reached" if fits else "MISSED"
        print(f"  {'memory of a worker, MiB at most':<34}{highest:>9.0f}{'':>31}{MOST_MEMORY:>6}  {word}")
        return all(reached) and fits


def read_arguments(words: Sequence[str]) -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(description="Measure the SCIM door beside its floors.")
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--only", action="append", choices=[row.name for row in ROWS], metavar="ROW")
    parser.add_argument("--quick", action="store_true", help="three short rounds a row instead of seven")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float)
    arguments = parser.parse_args(words)
    arguments.rounds = arguments.rounds or (3 if arguments.quick else 7)
    arguments.seconds = arguments.seconds or (0.8 if arguments.quick else 1.5)
    return arguments


def main(words: Sequence[str]) -> int:
    """Measure and print; the exit code tells whether every target was reached."""
    arguments = read_arguments(words)
    kinds = ("sqlite", "postgresql") if arguments.database == "both" else (arguments.database,)
    print(
        f"{load.CONNECTIONS} connections, gunicorn with 2 workers, {arguments.rounds} rounds of {arguments.seconds} s"
    )
    loader = load.Load()
    try:
        reached = [run(kind, arguments, loader) for kind in kinds]
        return 0 if all(reached) else 1
    finally:
        loader.close()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
