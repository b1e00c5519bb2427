"""Alerts, from what is so to the mail and the webhook that tell of it: once when it begins, once when it ends."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Barrier, Thread

import pytest
import sqlalchemy as sa

from scim_bridge.domain.desired import Condition
from scim_bridge.domain.people import DirectoryKind
from scim_bridge.errors import Invalid
from scim_bridge.identity import alert_mails, alerts, break_glass, directories, webhooks
from scim_bridge.identity.directory_alarms import look_over
from scim_bridge.identity.runtime import Runtime
from scim_bridge.settings import Settings
from scim_bridge.store import schema
from scim_bridge.store.clock import now
from scim_bridge.store.conditions import add_condition
from scim_bridge.store.database import Database
from scim_bridge.store.sealing import Keyring
from scim_bridge.sync.postman import Postman
from tests.identity.people import HANDS, put_owner, put_person
from tests.identity.provider import rows
from tests.identity.rows import begin, organization_id, put_cluster
from tests.identity.signing_in import Person, sign_in
from tests.mail.post_office import PostOffice, open_post_office, text_of
from tests.outbound.carrying import carry
from tests.outbound.receiver import Receiver, open_receiver

KEYRING = Keyring(("2G8sWYJ0mYz8nCk2j9mB3nJ5yqv8xv0mX3o1n4n2q0E=",))


@dataclass
class Watch:
    """An organization with an owner, a directory and a cluster, a mail server, and a clock that a test sets."""

    database: Database
    office: PostOffice
    at: datetime = field(default_factory=now)
    cluster: str = ""

    @property
    def runtime(self) -> Runtime:
        server = {"smtp_host": "127.0.0.1", "smtp_port": self.office.port, "smtp_security": "none"}
        return Runtime(Settings(**server, webhook_networks="127.0.0.0/8"), self.database, KEYRING)  # type: ignore[arg-type]

    def look(self, **later: float) -> int:
        """Let so much time pass, look, and bring the mails."""
        self.at = max(self.at, now()) + timedelta(**(later or {"milliseconds": 1}))
        told = alerts.look(self.database, self.at)
        alert_mails.write_mails(self.runtime, self.at)
        Postman(self.database, KEYRING, self.runtime.settings, lambda: self.at).send_due()
        return told

    def fail(self, health: str = "failing") -> None:
        """Let the cluster's last pass have ended like this."""
        values = {"health": health, "last_error": "timed out"}
        with self.database.write() as connection:
            connection.execute(sa.update(schema.cluster_sync).values(**values))

    def condition(self, kind: str) -> None:
        """Let a pass have found something about the cluster."""
        with self.database.write() as connection:
            found = Condition(kind, "", f"{kind} it is")
            add_condition(connection, organization_id(connection), self.cluster, found, now())  # type: ignore[arg-type]

    def no_condition(self) -> None:
        with self.database.write() as connection:
            connection.execute(sa.delete(schema.cluster_condition))

    def silence(self, days: float) -> None:
        """Let the directory have been silent for so long."""
        with self.database.write() as connection:
            connection.execute(schema.directory_token.update().values(last_used_at=now() - timedelta(days=days)))
        look_over(self.database)

    @property
    def open(self) -> list[tuple[str, str]]:
        """Return kind and subject of what is open, the oldest first."""
        found = alerts.list_alerts(self.database, "acme").alerts
        return [(each.kind, each.subject) for each in reversed(found)]

    @property
    def subjects(self) -> list[str]:
        """Return the subjects of the mails that arrived."""
        return [str(each["Subject"]) for each in self.office.mails]


@pytest.fixture
def office() -> Iterator[PostOffice]:
    with open_post_office() as opened:
        yield opened


@pytest.fixture
def watch(database: Database, office: PostOffice) -> Watch:
    put_owner(database, "ana@acme.example")
    put_person(database, "bob@acme.example")
    directories.create(database, HANDS, "acme", "okta", DirectoryKind.OKTA)
    return Watch(database, office, cluster=put_cluster(database, "prod"))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with open_receiver() as opened:
        yield opened


def _hold_members(watch: Watch) -> None:
    with watch.database.write() as connection:
        change = begin(connection)
        row = {"id": "1", "organization_id": change.organization_id, "kind": "MembersHeld", "since": now()}
        found = connection.execute(sa.select(schema.directory.c.id)).scalar_one()
        connection.execute(
            sa.insert(schema.directory_condition).values(**row, directory_id=found, about="", message="3 are held")
        )


def _expire_token(watch: Watch) -> None:
    with watch.database.write() as connection:
        connection.execute(schema.directory_token.update().values(expires_at=now() + timedelta(days=20)))
    look_over(watch.database)


def _disable_webhook(watch: Watch) -> None:
    webhooks.add(watch.runtime, HANDS, "acme", "siem", "https://hooks.example/", ["*"])
    with watch.database.write() as connection:
        connection.execute(sa.update(schema.webhook).values(state="disabled", problem="410 Gone"))


def _use_break_glass(watch: Watch) -> None:
    break_glass.add(watch.database, HANDS, "acme", "ana@acme.example")
    with watch.database.read() as connection:
        account = connection.execute(sa.select(schema.member.c.account_id, schema.member.c.id)).first()
    assert account is not None
    begun = sign_in(watch.database, Person(account[0], account[1], "ana@acme.example"))
    with watch.database.write() as connection:
        break_glass.note_use(connection, account[0], begun.session)


CAUSES: dict[tuple[str, str], Callable[[Watch], None]] = {
    ("stale_directory", "directory okta"): lambda watch: watch.silence(4),
    ("expiring_token", "directory okta"): _expire_token,
    ("expiring_token", "cluster prod"): lambda watch: watch.condition("CredentialEnds"),
    ("hold", "directory okta"): _hold_members,
    ("hold", "cluster prod"): lambda watch: watch.condition("RemovalsHeld"),
    ("drift", "cluster prod"): lambda watch: watch.condition("Drift"),
    ("late_revocation", "cluster prod"): lambda watch: watch.condition("RevocationsLate"),
    ("disabled_webhook", "webhook siem"): _disable_webhook,
    ("break_glass", "ana@acme.example"): _use_break_glass,
}


@pytest.mark.parametrize("expected", CAUSES, ids=" of ".join)
def test_each_thing_that_deserves_it_is_told_once_by_mail(watch: Watch, expected: tuple[str, str]) -> None:
    CAUSES[expected](watch)

    told = [watch.look(), watch.look(), watch.look(minutes=9)]

    kind, subject = expected
    assert (told, watch.open) == ([1, 0, 0], [expected])
    assert watch.subjects == [f"[acme] alert: {kind.replace('_', ' ')}, {subject}"]
    assert watch.office.recipients == ["ana@acme.example"]


def test_the_mail_says_what_it_is_in_both_forms_and_adds_nothing_of_a_name(watch: Watch) -> None:
    with watch.database.write() as connection:
        connection.execute(sa.update(schema.cluster).values(name="<b>prod</b>\r\nBcc: eve@evil.example"))
    watch.condition("Drift")

    watch.look()

    (mail,) = watch.office.mails
    assert "<b>prod</b> Bcc: eve@evil.example (drift): Drift it is" in text_of(mail)
    assert "&lt;b&gt;prod&lt;/b&gt; Bcc" in text_of(mail, "html")
    assert mail["Bcc"] is None


def test_a_cluster_is_told_of_when_it_fails_for_minutes_and_when_it_works_again(watch: Watch) -> None:
    watch.fail()
    told = [watch.look(), watch.look(minutes=2), watch.look(minutes=2)]
    watch.fail("ok")
    told += [watch.look(minutes=10), watch.look(seconds=30), watch.look(minutes=1)]

    assert told == [0, 0, 1, 0, 0, 1]
    assert watch.subjects == [
        "[acme] alert: failing cluster, cluster prod",
        "[acme] ended: failing cluster, cluster prod",
    ]
    assert "It does not work: timed out" in text_of(watch.office.mails[0])
    assert watch.open == []
    assert len(alerts.list_alerts(watch.database, "acme", closed=True).alerts) == 1


def test_a_cluster_that_hiccups_is_told_of_to_nobody(watch: Watch) -> None:
    for health in ("failing", "ok") * 4:
        watch.fail(health)
        assert watch.look(minutes=2) == 0

    assert (watch.office.mails, rows(watch.database, "alert")) == ([], [])


def test_a_token_that_ends_is_told_of_at_each_step_and_when_it_is_rotated(watch: Watch) -> None:
    for days in (20, 6, 0.5):
        with watch.database.write() as connection:
            connection.execute(schema.directory_token.update().values(expires_at=watch.at + timedelta(days=days)))
        for _ in range(2):
            look_over(watch.database)
            watch.look(minutes=6)
    with watch.database.write() as connection:
        connection.execute(schema.directory_token.update().values(expires_at=None))
    look_over(watch.database)
    watch.look(minutes=6)
    watch.look(minutes=6)

    actions = [each["action"] for each in rows(watch.database, "audit_entry", noun="alert")]
    assert actions == ["alert.opened", "alert.repeated", "alert.repeated", "alert.closed"]
    assert len(watch.office.mails) == 4
    assert len(rows(watch.database, "alert")) == 1


def test_many_alerts_are_one_mail_and_what_follows_soon_waits_for_the_next(watch: Watch) -> None:
    for name in ("a", "b", "c"):
        put_cluster(watch.database, name)
    watch.fail()
    watch.look()
    watch.look(minutes=4)
    watch.condition("Drift")
    watch.condition("RemovalsHeld")
    watch.look(seconds=30)
    soon = list(watch.subjects)
    watch.look(minutes=5)

    assert soon == ["[acme] alert: failing cluster, cluster a and 3 more"] or soon == [
        "[acme] alert: failing cluster, cluster prod and 3 more"
    ]
    assert watch.subjects[1:] == ["[acme] alert: hold, cluster prod and 1 more"]


def test_addresses_that_are_set_get_the_mails_of_that_kind_and_nobody_else(watch: Watch) -> None:
    alerts.set_route(watch.database, HANDS, "acme", "drift", ["oncall@acme.example", "oncall@acme.example"])
    alerts.set_route(watch.database, HANDS, "acme", "hold", [])
    watch.condition("Drift")
    watch.condition("RemovalsHeld")
    watch.condition("RevocationsLate")

    watch.look()

    sent = sorted(zip(watch.office.recipients, watch.subjects, strict=True))
    assert sent == [
        ("ana@acme.example", "[acme] alert: late revocation, cluster prod"),
        ("oncall@acme.example", "[acme] alert: drift, cluster prod"),
    ]
    assert len(watch.open) == 3
    again = alerts.drop_route(watch.database, HANDS, "acme", "drift")
    assert (again.addresses, again.is_default) == (("ana@acme.example",), True)
    with pytest.raises(Invalid):
        alerts.set_route(watch.database, HANDS, "acme", "nonsense", [])


def test_a_webhook_is_told_too_and_another_organizations_is_not(watch: Watch, receiver: Receiver) -> None:
    secret = webhooks.add(watch.runtime, HANDS, "acme", "pager", receiver.url, ["alert.*"]).secret
    with open_receiver() as other:
        put_owner(watch.database, "eve@evil.example", "evil")
        webhooks.add(watch.runtime, HANDS, "evil", "pager", other.url, ["*"])
        watch.condition("Drift")
        watch.look()
        watch.no_condition()
        watch.look()
        watch.look(minutes=6)
        carry(watch.runtime)

        told = [(each["type"], each["data"]["detail"]["subject"]) for each in receiver.verified(secret)]
        assert told == [("alert.opened", "cluster prod"), ("alert.closed", "cluster prod")]
        assert not any(each.startswith("alert.") for each in other.kinds)
    assert "eve@evil.example" not in watch.office.recipients


def test_several_who_look_at_once_tell_once(watch: Watch) -> None:
    watch.condition("Drift")
    watch.silence(4)
    together, told = Barrier(3), list[int]()

    def work() -> None:
        own = Database(watch.database.url.render_as_string(hide_password=False))
        together.wait()
        told.append(alerts.look(own, watch.at))
        own.dispose()

    threads = [Thread(target=work) for _ in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert sorted(told) == [0, 0, 2]
    assert len(rows(watch.database, "alert")) == 2


def test_without_a_mail_server_nothing_piles_up(watch: Watch) -> None:
    watch.condition("Drift")
    alerts.look(watch.database, watch.at)

    written = alert_mails.write_mails(Runtime(Settings(), watch.database, KEYRING), watch.at)
    later = alert_mails.write_mails(watch.runtime, watch.at + timedelta(days=1))

    assert (written, later, rows(watch.database, "mail"), len(watch.open)) == (0, 0, [], 1)


def test_who_is_no_owner_or_admin_or_not_active_gets_no_mail(watch: Watch) -> None:
    put_owner(watch.database, "gone@acme.example")
    with watch.database.write() as connection:
        gone = schema.member.c.email == "gone@acme.example"
        connection.execute(sa.update(schema.member).where(gone).values(state="deactivated"))

    found = alerts.list_routes(watch.database, "acme")

    assert {each.addresses for each in found} == {("ana@acme.example",)}


def test_what_is_gone_for_good_alerts_no_more(watch: Watch) -> None:
    watch.condition("Drift")
    watch.fail()
    watch.look()
    watch.look(minutes=4)
    with watch.database.write() as connection:
        connection.execute(sa.update(schema.cluster).values(removed_at=now()))

    watch.look(minutes=1)
    told = watch.look(minutes=6)

    assert (told, watch.open) == (2, [])


def test_an_organization_that_ended_is_told_of_to_nobody(watch: Watch) -> None:
    watch.condition("Drift")
    alerts.look(watch.database, watch.at)
    with watch.database.write() as connection:
        connection.execute(sa.update(schema.organization).values(removed_at=now()))

    watch.look(minutes=6)

    assert watch.office.mails == []


def test_a_long_list_is_cut_and_says_how_much_is_left_out(watch: Watch) -> None:
    for number in range(40):
        put_cluster(watch.database, f"c{number}")
    watch.fail()
    watch.look()
    watch.look(minutes=4)

    (mail,) = watch.office.mails
    lines = [line for line in text_of(mail).splitlines() if line.startswith("- ")]
    assert (len(lines), lines[-1]) == (alert_mails.MOST_LINES + 1, "- … and 16 more")
