"""
What pages of the console cost in an organization of 100,000 people, beside a page that only says hello.

The rows are those of `benchmarks/access.py`, on SQLite and on PostgreSQL, and a hundredth of them; the application is
asked in one process, as its owner. The floor is a Flask page of the same shape and size with nothing behind it. The
sides take turns and ratios are medians of the rounds' ratios, so that they say something on any machine. Growth is the
time among all divided by the time among a hundredth of them: a list costs what its page holds.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from flask import Flask, render_template_string
from pydantic import SecretStr
from werkzeug.test import Client

from benchmarks.access import PEOPLE, SLUG, SMALLER, World, opened
from benchmarks.scim_floor.worlds import ACTOR, databases_in
from scim_bridge.app import create_app
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.sessions import SignInMethod
from scim_bridge.identity import grants, sessions
from scim_bridge.identity.grants import GrantWanted
from scim_bridge.identity.sessions import Proof, Visit
from scim_bridge.settings import Settings
from scim_bridge.store.changes import new_change
from scim_bridge.store.clock import now
from scim_bridge.store.people import insert_account, insert_member
from scim_bridge.web import cookies

OWNER = "owner@bench.example"
BASE = f"/console/{SLUG}"
MOST_GROWTH = 1.5
PAGES = {
    "members": "/members",
    "members, searched": "/members?search=person-4242",
    "members of a role": "/members?api_role=viewer",
    "member": "/members/person-4@bench.example",
    "groups": "/groups",
    "clusters": "/clusters",
    "directories": "/directories",
    "access explorer": "/access?person=person-4@bench.example",
    "audit": "/audit",
    "search": "/search?q=person-42",
}
HELLO = """<!doctype html><html lang="en"><title>{{ title }}</title><h1>{{ title }}</h1><table>
{% for each in rows %}<tr><td>{{ each }}</td><td>{{ each }}</td><td>{{ each }}</td></tr>{% endfor %}</table></html>"""


@dataclass(frozen=True)
class Side:
    """One application, as somebody who is signed in asks it."""

    client: Client

    def seconds(self, path: str) -> float:
        """Return how long a page takes; raises SystemExit unless it comes."""
        begun = time.perf_counter()
        answer = self.client.get(path)
        text = answer.get_data()
        taken = time.perf_counter() - begun
        if answer.status_code != 200:
            raise SystemExit(f"{path} was answered {answer.status_code}: {text[:200]!r}")
        return taken


def main() -> int:
    """Measure on each database, print, and return 0 if every target was reached."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--people", type=int, default=PEOPLE)
    options.add_argument("--rounds", type=int, default=20)
    options.add_argument("--database", choices=("sqlite", "postgresql"), action="append")
    given = options.parse_args()
    print(f"Pages among {given.people:,} people and among {given.people // SMALLER:,}; load {os.getloadavg()[0]:.1f}")
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
        sides = signed_in(large, large_url, Path(folder)), signed_in(small, small_url, Path(folder)), hello()
        reached = [report(name, path, *sides, rounds=given.rounds) for name, path in PAGES.items()]
    return all(reached)


def report(name: str, path: str, large: Side, small: Side, floor: Side, *, rounds: int) -> bool:
    """Measure one page by turns, print a row, and say whether it is as it should be."""
    asked = (partial(large.seconds, BASE + path), partial(small.seconds, BASE + path), partial(floor.seconds, "/"))
    for ask in asked:
        ask()
    taken = [[ask() for ask in asked] for _ in range(rounds)]
    middle = statistics.median(mine for mine, _, _ in taken)
    share = statistics.median(least / mine for mine, _, least in taken)
    growth = statistics.median(mine / few for mine, few, _ in taken)
    reached = growth <= MOST_GROWTH
    print(
        f"    {name:18} {middle * 1000:7.1f} ms   hello / ours {share:.2f}   "
        f"growth {growth:.2f} (≤ {MOST_GROWTH}){'' if reached else '  MISSED'}"
    )
    return reached


def signed_in(world: World, url: str, folder: Path) -> Side:
    """Return the application as its owner's browser asks it."""
    database = world.database
    with database.write() as connection:
        change = new_change(OrganizationId(world.organization_id), ACTOR, "member.added", now(), None)
        account = insert_account(connection, change, OWNER)
        insert_member(connection, change, account, OWNER)
        proof = Proof(account, SignInMethod.PASSWORD, False, None)
        begun = sessions.begin(connection, proof, Visit("127.0.0.1", "benchmark"), now())
    grants.add(database, ACTOR, SLUG, GrantWanted("organization", person=OWNER, api_role="owner"))
    settings = Settings(
        home=folder,
        database_url=SecretStr(url),
        base_url="http://localhost",
        requests_per_second=1_000_000,
        requests_burst=1_000_000,
    )
    client = create_app(settings).test_client()
    client.set_cookie(f"scim-bridge-{cookies.SESSION}", begun.text, domain="localhost")
    return Side(client)


def hello() -> Side:
    """Return a page with a table of fifty rows, which asks nobody anything."""
    app = Flask("hello")
    app.add_url_rule("/", "hello", lambda: render_template_string(HELLO, title="Hello", rows=range(50)))
    return Side(app.test_client())


if __name__ == "__main__":
    sys.exit(main())
