"""The provisioning log says what was asked and what came of it, whatever was sent."""

import pytest
import sqlalchemy as sa

from scim_bridge.domain.people import DirectoryKind
from scim_bridge.errors import NotUnique, PreconditionFailed
from scim_bridge.identity.callers import Caller
from scim_bridge.identity.exchanges import Exchange, require_version
from scim_bridge.identity.provisioning_users import create_user
from scim_bridge.store.database import Database
from tests.identity.provider import Provider, rows, user_record


@pytest.fixture
def okta(database: Database) -> Provider:
    """Connect acme's identity provider."""
    return Provider.connect(database)


def test_a_success_is_logged_with_the_change_it_made(okta: Provider) -> None:
    exchange = Exchange(okta.caller, "r1", "POST", "/scim/v2/Users", 201, 0.0, "{}", "Okta", "192.0.2.1")

    ann = create_user(okta.database, exchange, user_record({"userName": "ann"}))

    (row,) = rows(okta.database, "provisioning_log")
    (change,) = rows(okta.database, "change_row", id=row["change_id"])
    (audit, effects) = rows(okta.database, "audit_entry", change_id=row["change_id"])
    assert (row["status"], row["noun"], row["object_id"]) == (201, "user", ann.id)
    assert (row["request_id"], row["user_agent"], row["address"]) == ("r1", "Okta", "192.0.2.1")
    assert (change["kind"], audit["request_id"], audit["actor_name"]) == ("user.created", "r1", "okta")
    assert (effects["action"], effects["request_id"]) == ("access.changed", "r1")


def test_a_failure_is_logged_alone(okta: Provider) -> None:
    okta.post("ann")
    exchange = okta.exchange()
    with pytest.raises(NotUnique) as caught:
        create_user(okta.database, exchange, user_record({"userName": "ann"}))

    exchange.log_alone(okta.database, exchange.entry(409, "uniqueness", str(caught.value)))

    row = rows(okta.database, "provisioning_log")[-1]
    assert (row["status"], row["scim_type"], row["change_id"]) == (409, "uniqueness", None)
    assert "ann" in row["message"]


def test_whatever_was_sent_can_be_logged(okta: Provider) -> None:
    exchange = Exchange(okta.caller, "r" * 64, "PATCH", "/\x00" * 3000, 200, 0.0, "\x00", "\x00" * 300, "192.0.2.1")

    exchange.log_alone(okta.database, exchange.entry(400, "invalidValue", "a\x00b"))

    (row,) = rows(okta.database, "provisioning_log")
    assert "\x00" not in str([row["target"], row["request_body"], row["user_agent"], row["message"]])
    assert len(row["target"]) == 2048


def test_a_log_that_cannot_be_written_does_not_hide_the_answer(okta: Provider) -> None:
    with okta.database.write() as connection:
        connection.execute(sa.text("DROP TABLE provisioning_log"))

    exchange = okta.exchange()

    assert not exchange.log_alone(okta.database, exchange.entry(409, None, "taken"))
    assert rows(okta.database, "scim_user") == []


def test_a_version_is_expected_or_not() -> None:
    require_version(None, 3)
    require_version(frozenset({1, 3}), 3)
    with pytest.raises(PreconditionFailed):
        require_version(frozenset(), 3)


def test_a_caller_shows_no_secret(okta: Provider) -> None:
    assert isinstance(okta.caller, Caller)
    assert okta.caller.kind is DirectoryKind.OKTA
    assert okta.token not in repr(okta.caller)
