"""
What a rule preview costs: exactly who gains and loses what, among 100,000 people, 2,000 groups and 500 rules.

The same change (one rule of one group of 250 people, another role) among all and among a hundredth of them: growth
says how far the cost follows the change and not the organization. What reaches everybody is shown once, beside it. Cost
is CPU time of this process, which a busy machine does not change; what PostgreSQL works is its own and not in it.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.access import PEOPLE, RULES, SLUG, SMALLER, UNITS, World, opened
from benchmarks.scim_floor.worlds import ACTOR, databases_in
from scim_bridge.identity import rule_changes, rule_lint, rules
from scim_bridge.identity.rule_changes import of_document
from scim_bridge.identity.what_if import Asked, what_if
from scim_bridge.store import schema

MOST_GROWTH = 6.0
Row = dict[str, Any]
Ask = Callable[[World, list[Row]], None]


def main() -> int:
    """Measure on each database, print, and return 0 if no cost grew too fast."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--people", type=int, default=PEOPLE)
    options.add_argument("--rounds", type=int, default=9)
    options.add_argument("--database", choices=("sqlite", "postgresql"), action="append")
    given = options.parse_args()
    print(f"Rules among {given.people:,} people and among {given.people // SMALLER:,}; load {os.getloadavg()[0]:.1f}")
    reached = [measure(kind, given) for kind in given.database or ("sqlite", "postgresql")]
    return 0 if all(reached) else 1


def measure(kind: str, given: argparse.Namespace) -> bool:
    """Measure one kind of database."""
    with (
        tempfile.TemporaryDirectory() as folder,
        databases_in(kind, Path(folder), 2) as [large_url, small_url],
        opened(large_url, given.people) as large,
        opened(small_url, given.people // SMALLER) as small,
    ):
        print(f"  {kind}")
        return measure_in(large, small, given.rounds)


def measure_in(large: World, small: World, rounds: int) -> bool:
    """Measure in two worlds, of which the rules and grants are replaced; say whether all grew slowly enough."""
    documents = [put_rules(world) for world in (large, small)]
    return report_all(large, small, documents, rounds)


def report_all(large: World, small: World, documents: list[list[Row]], rounds: int) -> bool:
    """Measure everything by turns and print a row each; say whether all grew slowly enough."""
    reached = [report(name, _asking(each, small, documents), large, small, rounds) for name, each in SUBJECTS]
    for name, ask in (("preview of a change for everybody", _everybody), ("lint of all rules", _lint)):
        begun = time.process_time()
        ask(large, documents[0])
        print(f"    {name:36} {time.process_time() - begun:6.2f} s among {len(large.members):,}")
    return all(reached)


def _asking(each: Ask, small: World, documents: list[list[Row]]) -> Callable[[World], None]:
    return lambda world: each(world, documents[world is small])


def report(name: str, ask: Callable[[World], object], large: World, small: World, rounds: int) -> bool:
    """Measure one thing by turns, print a row, and say whether it grew slowly enough."""
    seconds(ask, large)
    seconds(ask, small)
    pairs = [(seconds(ask, large), seconds(ask, small)) for _ in range(rounds)]
    grown = statistics.median(mine / few for mine, few in pairs)
    middle = statistics.median(mine for mine, _ in pairs) * 1000
    reached = grown <= MOST_GROWTH
    print(f"    {name:36} p50 {middle:8.1f} ms   growth {grown:.2f} (≤ {MOST_GROWTH}){'' if reached else '  MISSED'}")
    return reached


def seconds(ask: Callable[[World], object], world: World) -> float:
    """Return the CPU time that one question takes."""
    begun = time.process_time()
    ask(world)
    return time.process_time() - begun


def put_rules(world: World) -> list[Row]:
    """Put rules that mean something in place of the rows that a world is seeded with."""
    count = max(5, len(world.members) * RULES // PEOPLE)
    with world.database.write() as connection:
        for table in (schema.grant_origin, schema.grant, schema.rule, schema.rule_set):
            connection.execute(sa.delete(table))
        departments = [{"key": key, "text": f'{{"department":"d-{n % 40}"}}'} for n, key in enumerate(users(world))]
        connection.execute(
            sa.update(schema.scim_user)
            .where(schema.scim_user.c.id == sa.bindparam("key"))
            .values(document=sa.bindparam("text")),
            departments,
        )
    made = [_rule(number) for number in range(count)]
    rules.apply(world.database, ACTOR, SLUG, {"rules": made})
    with world.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("ANALYZE"))
    return made


def users(world: World) -> list[str]:
    """Return the ids of all SCIM users."""
    with world.database.read() as connection:
        return list(connection.execute(sa.select(schema.scim_user.c.id).order_by(schema.scim_user.c.id)).scalars())


def _rule(number: int) -> Row:
    place = {"scope": f"unit:{_unit(number % UNITS)}", "directory": "okta", "name": f"rule-{number}"}
    if number % 50 == 3:
        match: Row = {"attribute": {"path": "department", "equals": f"d-{number % 40}"}}
    elif number % 50 == 4:
        match = {"group_pattern": f"group-{number}(?P<rest>[0-9]+)"}
    else:
        match = {"group": f"group-{number}"}
    return {**place, **match, "kubernetes_role": "view", "priority": number}


def _unit(number: int) -> str:
    return f"unit-{number}" if number < 10 else f"unit-{number % 10}/unit-{number}"


def _preview(world: World, wanted: list[Row]) -> None:
    made = rule_changes.preview(world.database, ACTOR, SLUG, of_document({"rules": wanted}))
    if not made.people:
        raise SystemExit("The change that is measured changes nobody's access.")


def _one_group(world: World, document: list[Row]) -> None:
    _preview(world, [{**document[0], "kubernetes_role": "edit"}, *document[1:]])


def _what_if(world: World, document: list[Row]) -> None:
    what_if(world.database, SLUG, Asked(person=world.member(1), groups=("group-1",)))


def _everybody(world: World, document: list[Row]) -> None:
    wide = {"name": "wide", "directory": "okta", "group_prefix": "group-", "scope": "unit:unit-1", "priority": 0}
    _preview(world, [*document, {**wide, "kubernetes_role": "edit"}])


def _lint(world: World, document: list[Row]) -> None:
    rule_lint.look_over(world.database, SLUG)


SUBJECTS: tuple[tuple[str, Ask], ...] = (
    ("preview of one rule, 250 people", _one_group),
    ("what-if for one person", _what_if),
)


if __name__ == "__main__":
    sys.exit(main())
