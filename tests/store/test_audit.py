"""An audit row's digest covers every personal value in it, so that none can be changed unseen and all can be erased."""

import orjson
import pytest

from scim_bridge.domain.actors import Actor, ActorKind
from scim_bridge.domain.audit import entry_digest
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import add_change, new_change
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from tests.identity.provider import rows
from tests.identity.rows import organization_id


def written(database: Database, name: str = "ann@acme.example", **detail: object) -> dict[str, object]:
    """Write one audit row and return it."""
    with database.write() as connection:
        change = new_change(organization_id(connection), Actor(ActorKind.PERSON, name, "id"), "x", now(), "request")
        add_change(connection, change)
        add_audit(connection, change, "user.changed", "user", "object", detail)
    return rows(database, "audit_entry", action="user.changed")[-1]


def test_the_digest_is_of_the_actors_name_and_the_detail(database: Database) -> None:
    row = written(database, title={"from": "a", "to": "é"})

    salt, name, detail = (str(row[column]) for column in ("salt", "actor_name", "detail"))
    assert row["digest"] == entry_digest(salt, name, detail)
    assert orjson.loads(detail) == {"title": {"from": "a", "to": "é"}}


@pytest.mark.parametrize(("name", "detail"), [("mallory", "{}"), ("ann@acme.example", '{"x":1}'), ("", "")])
def test_another_name_or_detail_has_another_digest(database: Database, name: str, detail: str) -> None:
    row = written(database)

    assert entry_digest(str(row["salt"]), name, detail) != row["digest"]


def test_what_belongs_to_the_name_cannot_be_moved_into_the_detail() -> None:
    assert entry_digest("salt", "ann", "bob") != entry_digest("salt", "annb", "ob")


def test_equal_entries_have_different_digests(database: Database) -> None:
    first, second = written(database), written(database)

    assert first["digest"] != second["digest"]


def test_a_name_longer_than_its_column_is_digested_as_it_is_kept(database: Database) -> None:
    row = written(database, name="x" * 400)

    assert row["actor_name"] == "x" * 320
    assert row["digest"] == entry_digest(str(row["salt"]), "x" * 320, "{}")
