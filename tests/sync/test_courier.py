"""The courier: what happened is told once it is sealed, signed, in order, and again where nobody took it."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Barrier, Event, Thread
from time import monotonic
from typing import Any

import pytest
import sqlalchemy as sa
from standardwebhooks import WebhookVerificationError

from scim_bridge.identity import organization_changes, organizations, webhook_deliveries, webhooks
from scim_bridge.identity.runtime import Runtime
from scim_bridge.identity.webhooks import WebhookView
from scim_bridge.settings import Settings, SettingsError, load_settings
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import new_change
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from scim_bridge.store.schema import audit_entry
from scim_bridge.store.sealing import Keyring
from scim_bridge.sync.courier import IN_FLIGHT, Courier
from scim_bridge.sync.scheduler import carried_out
from tests.identity.people import HANDS
from tests.identity.provider import actions, rows
from tests.identity.rows import organization_id
from tests.mail.post_office import free_port
from tests.outbound.carrying import seal
from tests.outbound.receiver import Receiver, open_receiver

KEYRING = Keyring(("2G8sWYJ0mYz8nCk2j9mB3nJ5yqv8xv0mX3o1n4n2q0E=",))
OTHER_KEYS = Keyring(("Zm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyMTI=",))


@dataclass
class Post:
    """An organization, what happens in it, a courier, and a clock that a test sets."""

    database: Database
    more: dict[str, Any] = field(default_factory=dict)
    at: datetime = field(default_factory=now)

    @property
    def runtime(self) -> Runtime:
        settings = Settings(webhook_networks="127.0.0.0/8", webhook_seconds=5, **self.more)
        return Runtime(settings, self.database, KEYRING)

    def courier(self, keyring: Keyring = KEYRING) -> Courier:
        # The longest wait that full jitter may give: what is due then is due whatever is drawn.
        return Courier(self.database, keyring, self.runtime.settings, lambda: self.at, lambda: 0.999)

    def hook(self, url: str, *kinds: str, name: str = "siem") -> str:
        """Add a webhook that is told what happens from now on; return its secret."""
        self.seal()
        return webhooks.add(self.runtime, HANDS, "acme", name, url, kinds or ("thing.*",)).secret

    def happen(self, *actions: str, slug: str = "acme") -> None:
        """Let things happen, each in a transaction of its own, and seal them."""
        for action in actions:
            with self.database.write() as connection:
                change = new_change(organization_id(connection, slug), HANDS, action, now(), "request-1")
                add_audit(connection, change, action, "thing", "thing-1", {"name": ["old", "new"]})
        self.seal()

    def seal(self) -> None:
        seal(self.runtime)

    def run(self, **later: float) -> int:
        """Let so much time pass, and the courier come by."""
        # A little ahead of the wall clock, by which deliveries are made due.
        self.at = max(self.at, now()) + timedelta(**(later or {"milliseconds": 1}))
        return self.courier().run()

    @property
    def view(self) -> WebhookView:
        return webhooks.list_all(self.database, "acme")[0]

    @property
    def deliveries(self) -> list[tuple[str, int, int | None]]:
        """Return the state, the attempts and the last status of each delivery, the oldest first."""
        found = rows(self.database, "webhook_delivery")
        return [(each["state"], each["attempts"], each["last_status"]) for each in found]


@pytest.fixture
def post(database: Database) -> Post:
    organizations.create(database, HANDS, "acme")
    return Post(database)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with open_receiver() as opened:
        yield opened


def test_what_happened_arrives_signed_and_in_order(post: Post, receiver: Receiver) -> None:
    secret = post.hook(receiver.url)
    post.happen("thing.made", "thing.changed", "other.made", "thing.ended")

    taken = post.run()

    events = receiver.verified(secret)
    entries = [each for each in rows(post.database, "audit_entry") if each["action"].startswith("thing.")]
    assert (taken, [each["type"] for each in events]) == (3, ["thing.made", "thing.changed", "thing.ended"])
    assert receiver.ids == [f"evt_{each['id']}" for each in entries]
    data = events[0]["data"]
    assert (data["actor_name"], data["noun"], data["object_id"]) == ("tests", "thing", "thing-1")
    assert (data["detail"], data["request_id"], data["hash"]) == (
        {"name": ["old", "new"]},
        "request-1",
        entries[0]["hash"],
    )
    with pytest.raises(WebhookVerificationError):
        receiver.verified("whsec_" + "A" * 44)


def test_what_was_rolled_back_is_never_told_and_what_came_before_the_webhook_is_not(
    post: Post, receiver: Receiver
) -> None:
    post.happen("thing.before")
    post.hook(receiver.url)
    with suppress(RuntimeError), post.database.write() as connection:
        change = new_change(organization_id(connection), HANDS, "thing.undone", now())
        add_audit(connection, change, "thing.undone", "thing", "thing-1")
        raise RuntimeError
    post.happen("thing.after")

    post.run()

    assert receiver.kinds == ["thing.after"]


def test_another_organizations_events_stay_there(post: Post, receiver: Receiver) -> None:
    organizations.create(post.database, HANDS, "evil")
    post.hook(receiver.url, "*", "audit.entry")
    post.happen("thing.theirs", slug="evil")
    post.run()
    before = len(receiver.events)

    post.happen("thing.ours")
    post.run()

    assert "thing.theirs" not in receiver.kinds
    assert receiver.kinds[before:] == ["audit.entry", "thing.ours"]


def test_the_audit_is_streamed_without_a_gap(post: Post, receiver: Receiver) -> None:
    secret = post.hook(receiver.url, "audit.entry")
    post.happen(*(f"thing.n{number:02}" for number in range(30)))

    post.run()

    told = [each["data"] for each in receiver.verified(secret)]
    sealed = [each for each in rows(post.database, "audit_entry") if each["sequence"] is not None]
    # From the entry that tells of the webhook itself on.
    assert [(each["sequence"], each["hash"]) for each in told] == [
        (each["sequence"], each["hash"]) for each in sealed if each["sequence"] >= told[0]["sequence"]
    ]
    assert len(told) == 31
    assert {each["type"] for each in receiver.events} == {"audit.entry"}


def test_what_was_not_taken_is_sent_again_under_its_id_and_holds_up_nothing(post: Post, receiver: Receiver) -> None:
    secret = post.hook(receiver.url)
    receiver.answers = lambda event: (500, b"bad \x07luck", {}) if event["type"] == "thing.bad" else (204, b"", {})
    post.happen("thing.bad", "thing.good")
    post.run()
    answers = [each["last_answer"] for each in rows(post.database, "webhook_delivery")]
    first = list(receiver.kinds)

    at_once = post.run()
    receiver.answers = lambda _: (200, b"", {})
    later = post.run(seconds=6)

    assert (first, at_once, later) == (["thing.bad", "thing.good"], 0, 1)
    assert (receiver.kinds[2:], receiver.ids[2], answers) == (["thing.bad"], receiver.ids[0], ["bad luck", ""])
    assert receiver.verified(secret)[2] == receiver.verified(secret)[0]
    assert post.deliveries == [("delivered", 2, 200), ("delivered", 1, 204)]


def test_a_receiver_that_is_away_gets_everything_when_it_is_back(post: Post) -> None:
    port = free_port()
    post.hook(f"http://127.0.0.1:{port}/hook")
    post.happen(*(f"thing.n{number}" for number in range(6)))

    for _ in range(8):
        post.run(minutes=11)
    away = [state for state, _, _ in post.deliveries]
    with open_receiver(port=port) as receiver:
        for _ in range(4):
            post.run(hours=5)

    # It is asked once after each rest, not six times.
    assert away == ["queued"] * 6
    assert sorted(receiver.kinds) == [f"thing.n{number}" for number in range(6)]
    assert (post.view.failing_since, post.view.waiting) == (None, 0)


def test_what_is_never_taken_is_dead_in_the_end_and_can_be_sent_again(post: Post, receiver: Receiver) -> None:
    post.more = {"webhook_attempts": 3}
    post.hook(receiver.url)
    receiver.refuse(503)
    post.happen("thing.made", "thing.changed")
    for _ in range(8):
        post.run(hours=1)
    dead = post.deliveries

    receiver.refuse(200)
    (first, _) = rows(post.database, "webhook_delivery")
    one = webhook_deliveries.redeliver(post.database, HANDS, "acme", "siem", first["id"])
    post.run(hours=5)
    missed = webhook_deliveries.redeliver_since(post.database, HANDS, "acme", "siem", "7d")
    post.run(hours=5)
    everything = webhook_deliveries.redeliver_since(post.database, HANDS, "acme", "siem", "7d", everything=True)

    assert dead == [("dead", 3, 503)] * 2
    assert (one.queued, missed.queued, everything.queued) == (1, 1, 2)
    assert receiver.kinds[-2:] == ["thing.made", "thing.changed"]


def test_a_webhook_that_fails_for_days_is_disabled_and_catches_up_when_it_is_wanted_again(
    post: Post, receiver: Receiver
) -> None:
    post.hook(receiver.url)
    receiver.refuse(500)
    post.happen("thing.made")
    post.run()
    post.run(hours=71)
    still = post.view.state
    post.run(hours=2)
    given_up = post.view
    post.happen("thing.missed")
    post.run(hours=1)

    receiver.refuse(200)
    webhooks.enable(post.database, HANDS, "acme", "siem")
    post.happen("thing.later")
    post.run()
    again = webhook_deliveries.redeliver_since(post.database, HANDS, "acme", "siem", "7d")
    post.run()

    assert (still, given_up.state, given_up.waiting, given_up.dead) == ("enabled", "disabled", 0, 1)
    assert "has taken nothing since" in (given_up.problem or "")
    assert (again.queued, receiver.kinds[-3:]) == (2, ["thing.later", "thing.made", "thing.missed"])
    assert actions(post.database).count("webhook.disabled") == 1


def test_a_receiver_that_is_gone_is_told_nothing_more(post: Post, receiver: Receiver) -> None:
    post.hook(receiver.url)
    receiver.refuse(410)
    post.happen("thing.made")

    post.run()

    assert (post.view.state, post.view.problem) == ("disabled", "The receiver answered 410 Gone.")


def test_a_receivers_wish_for_patience_is_heard(post: Post, receiver: Receiver) -> None:
    post.hook(receiver.url)
    receiver.refuse(429, Retry_After="40")
    post.happen("thing.made", "thing.changed")

    post.run()
    post.run(seconds=20)
    early = len(receiver.events)
    receiver.refuse(200)
    post.run(seconds=60)

    assert (early, receiver.kinds) == (1, ["thing.made", "thing.changed", "thing.made"])


def test_for_a_time_both_secrets_sign_and_then_the_new_one_alone(post: Post, receiver: Receiver) -> None:
    old = post.hook(receiver.url)
    new = webhooks.rotate(post.runtime, HANDS, "acme", "siem", timedelta(seconds=60)).secret
    post.happen("thing.made")
    post.run()
    both = (receiver.verified(old), receiver.verified(new))
    post.happen("thing.changed")

    post.run(seconds=90)

    assert both[0] == both[1]
    assert [each["type"] for each in receiver.verified(new)] == ["thing.made", "thing.changed"]
    with pytest.raises(WebhookVerificationError):
        receiver.verified(old)
    stored = str(rows(post.database, "webhook"))
    assert old.removeprefix("whsec_") not in stored
    assert new.removeprefix("whsec_") not in stored


def test_a_test_goes_to_the_webhook_that_is_tested_whatever_it_wants(post: Post, receiver: Receiver) -> None:
    post.hook(receiver.url)
    with open_receiver() as other:
        post.hook(other.url, "*", name="other")
        post.seal()
        post.run()
        other.events.clear()
        webhooks.send_test(post.database, HANDS, "acme", "siem")
        post.seal()
        post.run()

        assert (receiver.kinds, other.kinds) == (["webhook.test"], [])


def test_an_erased_value_is_not_told_any_more(post: Post, receiver: Receiver) -> None:
    post.hook(receiver.url)
    post.happen("thing.made")
    with post.database.write() as connection:
        erased = sa.update(audit_entry).where(audit_entry.c.action == "thing.made")
        connection.execute(erased.values(detail=None, actor_name=""))

    post.run()

    assert [(each["data"]["detail"], each["data"]["actor_name"]) for each in receiver.events] == [(None, None)]


def test_several_couriers_at_once_bring_each_event_once_and_in_order(post: Post, receiver: Receiver) -> None:
    post.hook(receiver.url)
    post.happen(*(f"thing.n{number:02}" for number in range(12)))
    post.at = now() + timedelta(seconds=5)
    together = Barrier(3)

    def work() -> None:
        own = Database(post.database.url.render_as_string(hide_password=False))
        courier = Courier(own, KEYRING, post.runtime.settings, lambda: post.at)
        together.wait()
        for _ in range(4):
            courier.run()
        own.dispose()

    threads = [Thread(target=work) for _ in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    post.run(seconds=1)

    assert receiver.kinds == [f"thing.n{number:02}" for number in range(12)]


def test_what_a_sender_died_over_is_sent_later(post: Post, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    post.hook(receiver.url)
    post.happen("thing.made")

    def die(*_: object, **__: object) -> None:
        raise SystemExit

    with monkeypatch.context() as broken:
        broken.setattr("scim_bridge.sync.courier.post", die)
        with pytest.raises(SystemExit):
            post.run()
    soon = post.run()

    assert (soon, post.run(seconds=IN_FLIGHT.total_seconds()), receiver.kinds) == (0, 1, ["thing.made"])


def test_what_no_key_opens_waits_for_the_key(post: Post, receiver: Receiver) -> None:
    post.hook(receiver.url)
    post.happen("thing.made")
    post.at = now()
    post.courier(OTHER_KEYS).run()
    waiting = post.deliveries

    post.run(minutes=1)

    assert (waiting, receiver.kinds) == ([("queued", 1, None)], ["thing.made"])


def test_deliveries_are_kept_for_their_time(post: Post, receiver: Receiver) -> None:
    post.hook(receiver.url)
    receiver.answers = lambda event: (500 if event["type"] == "thing.bad" else 200, b"", {})
    post.happen("thing.bad", "thing.good")
    post.run()

    kept = webhook_deliveries.forget_deliveries(post.database, 30)
    dropped = webhook_deliveries.forget_deliveries(post.database, -1)

    assert (kept, dropped, [state for state, _, _ in post.deliveries]) == (0, 1, ["queued"])


def test_an_organization_that_ends_tells_nothing_more_and_its_secret_is_forgotten(
    post: Post, receiver: Receiver
) -> None:
    post.hook(receiver.url, "*")
    post.run()
    before = len(receiver.events)
    organization_changes.delete(post.database, HANDS, "acme", "acme")
    post.seal()

    post.run()

    assert len(receiver.events) == before
    assert [each["sealed_secret"] for each in rows(post.database, "webhook")] == [None]


def test_a_receiver_that_hangs_holds_up_nobody_elses_events(post: Post, receiver: Receiver) -> None:
    released = Event()
    post.hook(receiver.url)
    with open_receiver() as slow:
        slow.answers = lambda _: (200 if released.wait(20) else 500, b"", {})
        post.hook(slow.url, name="slow")
        post.happen("thing.made")
        post.at = now()
        courier = post.courier()
        courier.tick(carried_out)
        first = _comes(lambda: len(receiver.events) == len(slow.events) == 1)
        post.happen("thing.changed")
        courier.tick(carried_out)
        second = _comes(lambda: len(receiver.events) == 2)
        hanging = list(slow.kinds)
        released.set()
        all_told = _comes(lambda: len(slow.events) == 2)
        courier.stop()

    assert (first, second, all_told, hanging) == (True, True, True, ["thing.made"])


def _comes(what: Callable[[], bool]) -> bool:
    deadline = monotonic() + 15
    while not what() and monotonic() < deadline:
        Event().wait(0.02)
    return what()


def test_a_webhook_that_is_disabled_in_the_middle_of_a_round_is_told_nothing_more(
    post: Post, receiver: Receiver
) -> None:
    def answer(_: dict[str, Any]) -> tuple[int, bytes, dict[str, str]]:
        webhooks.disable(post.database, HANDS, "acme", "siem")
        return 200, b"", {}

    post.hook(receiver.url)
    receiver.answers = answer
    post.happen("thing.made", "thing.changed", "thing.ended")

    post.run()

    assert receiver.kinds == ["thing.made"]
    assert [state for state, _, _ in post.deliveries] == ["dead"] * 3


def test_a_webhook_whose_address_is_not_called_any_more_says_so(post: Post, receiver: Receiver) -> None:
    post.hook(receiver.url)
    post.happen("thing.made")
    closed = Settings(webhook_seconds=5)

    Courier(post.database, KEYRING, closed, now).run()

    (delivery,) = webhook_deliveries.list_deliveries(post.database, "acme", "siem").deliveries
    assert (delivery.state, delivery.attempts, receiver.events) == ("queued", 1, [])
    assert "not at a public address" in (delivery.last_answer or "")


def test_what_a_webhook_wants_now_decides_what_it_is_told(post: Post, receiver: Receiver) -> None:
    post.hook(receiver.url, "thing.made")
    post.happen("thing.made", "thing.changed")
    post.run()
    webhooks.change(post.runtime, HANDS, "acme", "siem", kinds=["thing.changed"])
    post.happen("thing.made", "thing.changed")

    post.run()
    missed = webhook_deliveries.redeliver_since(post.database, HANDS, "acme", "siem", "1h")

    assert receiver.kinds == ["thing.made", "thing.changed"]
    # The one that it did not want when it happened.
    assert missed.queued == 1


def test_networks_that_are_none_stop_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCIM_BRIDGE_WEBHOOK_NETWORKS", "10.0.0.0/8 everything")

    with pytest.raises(SettingsError, match="webhook_networks"):
        load_settings()
