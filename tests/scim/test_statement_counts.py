"""What a request that comes all day costs the database: statements, each of them a round trip on PostgreSQL."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from scim_bridge.store import database as database_module
from scim_bridge.store import statements
from tests.scim.doors import USER_URN, Directory, World, replace

ENTERPRISE = {"emails": [{"value": "a@acme.example", "type": "work", "primary": True}], "title": "Engineer"}


@contextmanager
def counted(patch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Note every text that is sent to the database, but for the COMMIT."""
    sent: list[str] = []
    run, drive, slowly = statements.QuickConnection._try, statements.drive, sa.Connection.execute

    def noted_run(self: Any, written: Any, parameters: Any, *, many: bool) -> Any:
        sent.append(written.text)
        return run(self, written, parameters, many=many)

    def noted_drive(connection: Any, text: str) -> None:
        sent.append(text)
        drive(connection, text)

    def noted_slowly(self: Any, statement: Any, *others: Any, **more: Any) -> Any:
        sent.append(str(statement))
        return slowly(self, statement, *others, **more)

    with patch.context() as patched:
        patched.setattr(statements.QuickConnection, "_try", noted_run)
        patched.setattr(database_module, "drive", noted_drive)
        patched.setattr(sa.Connection, "execute", noted_slowly)
        yield sent


def cost(patch: pytest.MonkeyPatch, ask: Callable[[int], Any]) -> list[str]:
    """Return what a request sends once its statements are known."""
    for number in range(3):
        assert ask(number).status_code < 300
    with counted(patch) as sent:
        assert ask(3).status_code < 300
    return [text for text in sent if not text.startswith("PRAGMA")]


def test_a_user_is_read_with_its_token_by_one_statement(okta: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    user = okta.create_user("ada")
    okta.create_group("team", user)

    assert len(cost(monkeypatch, lambda _: okta.get(f"/Users/{user}"))) == 1
    assert len(cost(monkeypatch, lambda _: okta.get('/Users?filter=userName eq "ada"'))) == 1


def test_a_page_costs_the_same_whatever_is_on_it(okta: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        okta.create_group(f"team {number}", okta.create_user(f"person {number}"))

    one = cost(monkeypatch, lambda _: okta.get("/Users?count=1"))
    three = cost(monkeypatch, lambda _: okta.get("/Users?count=3"))

    assert len(three) <= len(one) <= 5


def test_a_create_reads_thrice_and_writes_at_once(
    world: World, okta: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def create(number: int) -> Any:
        return okta.post("/Users", {"schemas": [USER_URN], "userName": f"person {number}", **ENTERPRISE})

    sent = cost(monkeypatch, create)

    reads = [text for text in sent if text.startswith("SELECT")]
    assert len(reads) <= 4, reads
    # SQLite has no round trips to save.
    assert len(sent) <= (15 if world.database.is_sqlite else 6), sent


def test_a_change_of_a_user_writes_at_once(world: World, okta: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    user = okta.create_user("ada")

    def rename(number: int) -> Any:
        return okta.patch(f"/Users/{user}", replace("title", f"Engineer {number}"))

    sent = cost(monkeypatch, rename)

    assert len(sent) <= (12 if world.database.is_sqlite else 7), sent


def test_a_leaver_costs_few_round_trips(world: World, okta: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    users = [okta.create_user(f"person {number}") for number in range(4)]

    sent = cost(monkeypatch, lambda number: okta.patch(f"/Users/{users[number]}", replace("active", False)))

    assert len(sent) <= (20 if world.database.is_sqlite else 12), sent


def test_a_new_member_costs_the_same_in_any_group(
    world: World, okta: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [okta.create_user(f"person {number}") for number in range(24)]
    empty, full = okta.create_group("empty"), okta.create_group("full", *people[:16])

    def add_to(group: str) -> Callable[[int], Any]:
        return lambda number: okta.patch(
            f"/Groups/{group}", {"op": "add", "path": "members", "value": [{"value": people[16 + number]}]}
        )

    into_empty, into_full = cost(monkeypatch, add_to(empty)), cost(monkeypatch, add_to(full))

    assert len(into_empty) == len(into_full)
    assert len(into_full) <= (12 if world.database.is_sqlite else 6), into_full
