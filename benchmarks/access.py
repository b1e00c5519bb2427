"""
What it costs to say what one person may do, and why, in an organization of 100,000 people.

100,000 members, 2,000 groups and 500 rules, and a hundredth of it, on SQLite and on PostgreSQL, in one process. The
floor is hand-written SQL on the same driver and rows: the statements without which nobody can answer. The sides take
turns, each asks about another person each time, and ratios are medians of the rounds' ratios, so that they say
something on any machine. Growth is the time among all divided by the time among a hundredth of them.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.scim_floor.worlds import ACTOR, databases_in
from scim_bridge.domain.people import DirectoryKind
from scim_bridge.identity import access, access_reports, directories, effective, organizations
from scim_bridge.store import migrations, schema
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from scim_bridge.store.identifiers import new_id

PEOPLE, GROUPS, RULES = 100_000, 2_000, 500
SMALLER = 100
GROUPS_EACH = 5
UNITS, CLUSTERS, PROJECTS = 50, 20, 100
AT_ONCE = 5_000
SLUG = "bench"
MOST_GROWTH = 1.5
TARGETS = {"effective": 0.15, "explain": 0.1}


@dataclass(frozen=True)
class World:
    """One organization, and who is asked about."""

    database: Database
    organization_id: str
    members: list[str]

    def member(self, number: int) -> str:
        """Return one member after the other, from all over the organization."""
        return self.members[number * 7919 % len(self.members)]


def main() -> int:
    """Measure on each database, print, and return 0 if every target was reached."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--people", type=int, default=PEOPLE)
    options.add_argument("--count", type=int, default=60)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--database", choices=("sqlite", "postgresql"), action="append")
    given = options.parse_args()
    print(f"Access among {given.people:,} people and among {given.people // SMALLER:,}; load {os.getloadavg()[0]:.1f}")
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
        reached = [report(each, large, small, given) for each in SUBJECTS]
        whole(large)
        # It replaces the rules and the grants of both worlds, so it comes last.
        from benchmarks.access_parts import rules

        reached.append(rules.measure_in(large, small, given.rounds))
    return all(reached)


@dataclass(frozen=True)
class Subject:
    """One thing that is asked, and the least SQL that could answer it."""

    name: str
    ask: Callable[[World, str], object]
    floor: Callable[[World, str], object]
    target: float


def _effective(world: World, member_id: str) -> object:
    return effective.effective_access(world.database, ACTOR, SLUG, member_id)


def _explain(world: World, member_id: str) -> object:
    return access.explain(world.database, ACTOR, SLUG, member_id)


def _floor(world: World, member_id: str) -> object:
    """Read the person, their groups, what was granted to either, and the tree: nothing is decided."""
    with world.database.read() as connection:
        connection.execute(_PERSON, {"member": member_id}).one()
        groups = connection.execute(_MINE, {"member": member_id}).scalars().all()
        held = [connection.execute(_GRANTED, {"holder": each}).all() for each in groups]
        return held, [connection.execute(each, {"organization": world.organization_id}).all() for each in _TREE]


_PERSON = sa.select(schema.member).where(schema.member.c.id == sa.bindparam("member"))
_MINE = sa.select(schema.membership.c.group_id).where(
    schema.membership.c.member_id == sa.bindparam("member"), schema.membership.c.valid_to.is_(None)
)
_GRANTED = sa.select(schema.grant).where(
    schema.grant.c.group_id == sa.bindparam("holder"), schema.grant.c.valid_to.is_(None)
)
_TREE = [
    sa.select(table).where(table.c.organization_id == sa.bindparam("organization"))
    for table in (schema.unit, schema.cluster, schema.project)
]
SUBJECTS = (
    Subject("effective access of one person", _effective, _floor, TARGETS["effective"]),
    Subject("explanation of one person", _explain, _floor, TARGETS["explain"]),
)


def report(subject: Subject, large: World, small: World, given: argparse.Namespace) -> bool:
    """Measure one subject by turns, print a row, and say whether it is as it should be."""
    for world in (large, small):
        by_turns(((world, subject.ask), (world, subject.floor)), 5, 0)
    times, ratios, growth = [], [], []
    for number in range(given.rounds):
        start = 10 + number * given.count
        # One question of each in turn: what else the machine does disturbs all of them alike.
        mine, least, few = by_turns(
            ((large, subject.ask), (large, subject.floor), (small, subject.ask)), given.count, start
        )
        times += mine
        ratios.append(statistics.median(least) / statistics.median(mine))
        growth.append(statistics.median(mine) / statistics.median(few))
    times.sort()
    ratio, grown = statistics.median(ratios), statistics.median(growth)
    reached = ratio >= subject.target and grown <= MOST_GROWTH
    middle, late = statistics.median(times) * 1000, times[int(len(times) * 0.95)] * 1000
    print(
        f"    {subject.name:32} p50 {middle:7.2f} ms   p95 {late:7.2f} ms   floor / ours {ratio:.2f} "
        f"(≥ {subject.target})   growth {grown:.2f} (≤ {MOST_GROWTH}){'' if reached else '  MISSED'}"
    )
    return reached


Asked = tuple[World, Callable[[World, str], object]]


def by_turns(sides: tuple[Asked, ...], count: int, start: int) -> list[list[float]]:
    """Ask each side about one person after the other; return what each took."""
    taken: list[list[float]] = [[] for _ in sides]
    for number in range(start, start + count):
        for (world, ask), times in zip(sides, taken, strict=True):
            member_id = world.member(number)
            begun = time.perf_counter()
            ask(world, member_id)
            times.append(time.perf_counter() - begun)
    return taken


def whole(world: World) -> None:
    """Print what questions about everybody cost, once each: they follow the size of the organization."""
    for name, ask in (
        ("who has edit on a cluster", lambda: access_reports.who(world.database, ACTOR, SLUG, WHO)),
        ("the whole access matrix", lambda: sum(map(len, access_reports.matrix(world.database, ACTOR, SLUG)))),
    ):
        begun = time.perf_counter()
        ask()
        print(f"    {name:32} {time.perf_counter() - begun:6.2f} s among {len(world.members):,}")


WHO = access_reports.Question(cluster="cluster-0", role="edit")


@contextmanager
def opened(url: str, people: int) -> Iterator[World]:
    """Open a database with so many people in one organization."""
    database = Database(url)
    migrations.upgrade(database)
    try:
        yield seed(database, people)
    finally:
        database.dispose()


def seed(database: Database, people: int) -> World:
    """Put an organization into a database, as rows: as if it had been provisioned a month ago."""
    organizations.create(database, ACTOR, SLUG)
    directory = directories.create(database, ACTOR, SLUG, "okta", DirectoryKind.OKTA).directory.id
    with database.read() as connection:
        owner = connection.execute(sa.select(schema.organization.c.id)).scalar_one()
    rows = _Rows(owner, directory, now() - timedelta(days=30))
    members = [new_id() for _ in range(people)]
    users = [new_id() for _ in members]
    groups = [new_id() for _ in range(max(1, people * GROUPS // PEOPLE))]
    with database.write() as connection:
        for table, made in rows.everything(members, users, groups, max(1, people * RULES // PEOPLE)):
            batch: list[dict[str, Any]] = []
            for row in made:
                batch.append(row)
                if len(batch) == AT_ONCE:
                    connection.execute(sa.insert(table), batch)
                    batch = []
            if batch:
                connection.execute(sa.insert(table), batch)
    with database.write() as connection:
        # What the database does by itself within minutes; without it the planner knows nothing of these rows.
        connection.execute(sa.text("ANALYZE"))
    return World(database, owner, members)


@dataclass(frozen=True)
class _Rows:
    organization_id: str
    directory_id: str
    at: datetime

    def everything(
        self, members: list[str], users: list[str], groups: list[str], rules: int
    ) -> Iterable[tuple[sa.Table, Iterable[dict[str, Any]]]]:
        """Yield the rows of each table, in an order that their references allow."""
        units = [new_id() for _ in range(UNITS)]
        yield from self._tree(units)
        yield schema.member, (self._member(key, n) for n, key in enumerate(members))
        yield schema.scim_user, (self._user(key, members[n], n) for n, key in enumerate(users))
        yield schema.user_group, (self._group(key, n) for n, key in enumerate(groups))
        yield schema.membership, self._memberships(members, users, groups)
        yield from self._rules(groups, units, rules)

    def _row(self, **values: Any) -> dict[str, Any]:
        return {"id": new_id(), "organization_id": self.organization_id, **values}

    def _tree(self, units: list[str]) -> Iterable[tuple[sa.Table, Iterable[dict[str, Any]]]]:
        made = {"created_at": self.at}
        # Ten at the top, four below each.
        parents = [None if n < 10 else units[n % 10] for n in range(UNITS)]
        yield (
            schema.unit,
            (self._row(id=key, parent_id=parents[n], name=f"unit-{n}", **made) for n, key in enumerate(units)),
        )
        kind = {"target_kind": "manifests", "state": "active", "user_template": "{user_name}", **made}
        yield schema.cluster, (self._row(unit_id=units[n], name=f"cluster-{n}", **kind) for n in range(CLUSTERS))
        projects = [self._row(unit_id=units[n % UNITS], name=f"project-{n}", **made) for n in range(PROJECTS)]
        yield schema.project, projects
        yield (
            schema.project_namespace,
            (self._row(project_id=each["id"], namespace=each["name"], valid_from=self.at) for each in projects),
        )

    def _member(self, key: str, number: int) -> dict[str, Any]:
        name = f"person-{number}@bench.example"
        named = {"user_name": name, "email": name, "email_key": name, "display_name": f"Person {number}"}
        state = {"state": "active", "source": "scim", "directory_id": self.directory_id, "created_at": self.at}
        return self._row(id=key, **named, **state)

    def _user(self, key: str, member_id: str, number: int) -> dict[str, Any]:
        name = f"person-{number}@bench.example"
        stored = {"active": True, "document": "{}", "version": 1, "created_at": self.at, "updated_at": self.at}
        owner = {"directory_id": self.directory_id, "member_id": member_id}
        return self._row(id=key, user_name=name, user_name_key=name, **owner, **stored)

    def _group(self, key: str, number: int) -> dict[str, Any]:
        named = {"display_name": f"group-{number}", "display_name_key": f"group-{number}"}
        stored = {"version": 1, "created_at": self.at, "updated_at": self.at}
        return self._row(id=key, directory_id=self.directory_id, **named, **stored)

    def _memberships(self, members: list[str], users: list[str], groups: list[str]) -> Iterable[dict[str, Any]]:
        for number, member_id in enumerate(members):
            for chosen in {(number * 31 + each * 97) % len(groups) for each in range(GROUPS_EACH)}:
                who = {"member_id": member_id, "scim_user_id": users[number], "origin": "scim"}
                yield self._row(group_id=groups[chosen], valid_from=self.at, **who)

    def _rules(
        self, groups: list[str], units: list[str], count: int
    ) -> Iterable[tuple[sa.Table, Iterable[dict[str, Any]]]]:
        version = self._row(version=1, state="applied", document="{}", digest="", author="bench", created_at=self.at)
        yield schema.rule_set, [version]
        shared = {"rule_set_id": version["id"], "directory_id": self.directory_id, "match_kind": "group_prefix"}
        rules = [
            self._row(name=f"rule-{n}", priority=100, definition="{}", valid_from=self.at, **shared)
            for n in range(count)
        ]
        yield schema.rule, rules
        roles = ({"kubernetes_role": "edit", "api_role": None}, {"kubernetes_role": None, "api_role": "viewer"})
        place = {"scope_kind": "unit", "valid_from": self.at}
        grants = [
            self._row(group_id=key, scope_id=units[n % UNITS], **place, **roles[n % 3 == 0])
            for n, key in enumerate(groups)
        ]
        yield schema.grant, grants
        yield (
            schema.grant_origin,
            (
                self._row(grant_id=each["id"], kind="rule", rule_id=rules[n % count]["id"], valid_from=self.at)
                for n, each in enumerate(grants)
            ),
        )


if __name__ == "__main__":
    sys.exit(main())
