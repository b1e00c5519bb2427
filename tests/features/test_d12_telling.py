"""D12, telling others: one test a row, named after it; what is promised to an operator, from one end to the other."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from pydantic import SecretStr

from scim_bridge.app import Process, create_app, open_process
from scim_bridge.domain.people import DirectoryKind
from scim_bridge.identity import alert_mails, alerts, directories, organizations
from scim_bridge.identity.callers import note_use
from scim_bridge.identity.directory_alarms import look_over
from scim_bridge.settings import Settings
from scim_bridge.store import schema
from scim_bridge.store.clock import now
from scim_bridge.sync.courier import Courier
from scim_bridge.sync.postman import Postman
from tests.api.rest import ACTOR, Person, Rest, open_rest
from tests.identity.provider import Provider
from tests.mail.post_office import PostOffice, open_post_office, text_of
from tests.outbound.carrying import carry
from tests.outbound.receiver import Receiver, open_receiver
from tests.sync.test_streamer import collector, told


@pytest.fixture
def office() -> Iterator[PostOffice]:
    with open_post_office() as opened:
        yield opened


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with open_receiver() as opened:
        yield opened


@pytest.fixture
def rest(migrated_url: str, tmp_path: Path, office: PostOffice) -> Iterator[Rest]:
    mail = {"smtp_host": "127.0.0.1", "smtp_port": office.port, "smtp_security": "none"}
    with open_rest(migrated_url, tmp_path, webhook_networks="127.0.0.0/8", webhook_attempts=2, **mail) as opened:
        yield opened


def test_webhooks_signed_retried_dead_letter_redelivery(rest: Rest, owner: Person, receiver: Receiver) -> None:
    hook = {"name": "siem", "url": receiver.url, "kinds": ["group.*"]}
    secret = owner.ok("POST", "/webhooks", hook)["secret"]
    receiver.refuse(503, b"later")

    owner.ok("POST", "/groups", {"name": "platform"})
    carry(rest.runtime)
    tomorrow = now() + timedelta(days=1)
    Courier(rest.database, rest.runtime.keyring, rest.settings, lambda: tomorrow).run()
    (dead,) = owner.items("/webhooks/siem/deliveries?state=dead")
    receiver.refuse(204)
    owner.ok("POST", "/webhooks/siem/redeliver", {"since": "1h"})
    Courier(rest.database, rest.runtime.keyring, rest.settings, lambda: tomorrow + timedelta(days=1)).run()

    first, second, third = receiver.verified_at_any_time(secret)
    assert (dead["attempts"], dead["last_status"], dead["last_answer"]) == (2, 503, "later")
    assert first == second == third
    assert len(set(receiver.ids)) == 1
    assert (first["type"], first["data"]["actor_kind"]) == ("group.created", "person")
    (shown,) = owner.items("/webhooks/siem/deliveries")
    assert shown["state"] == "delivered"


def test_alerts_by_mail_and_webhook(rest: Rest, owner: Person, receiver: Receiver, office: PostOffice) -> None:
    owner.ok("PUT", "/alert-routes/stale_directory", {"addresses": ["oncall@acme.example"]})
    owner.ok("POST", "/webhooks", {"name": "pager", "url": receiver.url, "kinds": ["alert.*"]})
    okta = Provider.connect(rest.database)
    at = _silent(rest, timedelta(days=4))
    _watch(rest, at)
    _watch(rest, at + timedelta(minutes=1))
    (shown,) = owner.items("/alerts")

    note_use(rest.database, okta.caller, None, "Okta")
    look_over(rest.database)
    _watch(rest, at + timedelta(minutes=10))
    _watch(rest, at + timedelta(minutes=20))
    carry(rest.runtime)

    assert office.recipients == ["oncall@acme.example"] * 2
    assert [str(each["Subject"]) for each in office.mails] == [
        "[acme] alert: stale directory, directory okta",
        "[acme] ended: stale directory, directory okta",
    ]
    assert "leavers may still have access" in text_of(office.mails[0])
    assert receiver.kinds == ["alert.opened", "alert.closed"]
    assert (shown["kind"], shown["subject"]) == ("stale_directory", "directory okta")
    assert owner.items("/alerts") == []


def _silent(rest: Rest, gap: timedelta) -> datetime:
    """Let every directory have been silent for so long, and be looked at."""
    with rest.database.write() as connection:
        connection.execute(schema.directory_token.update().values(last_used_at=now() - gap))
    look_over(rest.database)
    return now() + timedelta(seconds=1)


def _watch(rest: Rest, at: datetime) -> None:
    """Do what the scheduler does every few seconds."""
    alerts.look(rest.database, at)
    alert_mails.write_mails(rest.runtime, at)
    Postman(rest.database, rest.runtime.keyring, rest.settings, lambda: at).send_due()


@contextmanager
def running(migrated_sqlite: Path, home: Path, **more: Any) -> Iterator[tuple[Process, Person]]:
    """Run a scheduler as `scim-bridge scheduler` does, on a database of its own, and let acme's owner ask."""
    file = home / "running.sqlite3"
    file.write_bytes(migrated_sqlite.read_bytes())
    settings = Settings(home=home, database_url=SecretStr(f"sqlite:///{file}"), webhook_networks="127.0.0.0/8", **more)
    process = open_process(settings)
    organizations.create(process.runtime.database, ACTOR, "acme", owner="owner@acme.example")
    app = create_app(settings, process.runtime)
    process.scheduler.start()
    try:
        yield process, Rest(app, process.runtime.database, settings).token_of("owner@acme.example")
    finally:
        process.close()


def comes(what: Callable[[], bool]) -> bool:
    """Wait until something is so, for half a minute at most, and tell whether it came."""
    waiting = Event()
    return any(what() or waiting.wait(0.1) for _ in range(300)) and what()


def test_the_audit_is_streamed_to_a_webhook_and_to_syslog(
    migrated_sqlite: Path, tmp_path: Path, receiver: Receiver
) -> None:
    with (
        collector() as (port, lines),
        running(migrated_sqlite, tmp_path, syslog_url=f"tcp://127.0.0.1:{port}") as (process, owner),
    ):
        hook = {"name": "siem", "url": receiver.url, "kinds": ["audit.entry"]}
        secret = owner.ok("POST", "/webhooks", hook)["secret"]
        owner.ok("POST", "/groups", {"name": "platform"})
        directories.create(process.runtime.database, ACTOR, "acme", "okta", DirectoryKind.OKTA)
        wanted = {"group.created", "directory.created"}

        assert comes(lambda: wanted <= {each["data"]["action"] for each in list(receiver.events)})
        logged = [told(lines.get(timeout=10)) for _ in range(5)]

    streamed = receiver.verified(secret)
    sequences = [each["data"]["sequence"] for each in streamed]
    assert sequences == list(range(sequences[0], sequences[0] + len(sequences)))
    assert [document["sequence"] for _, document in logged] == [1, 2, 3, 4, 5]
    same = {each["data"]["id"]: each["data"]["hash"] for each in streamed}
    assert {document["hash"] for _, document in logged if document["id"] in same} <= set(same.values())
