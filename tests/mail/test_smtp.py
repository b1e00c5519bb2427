"""The way to a mail server: what is taken, what is tried again, and what never will be taken."""

import smtplib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from scim_bridge.errors import MailRefused, MailUndelivered
from scim_bridge.mail.messages import Envelope, compose
from scim_bridge.mail.smtp import deliver
from scim_bridge.settings import Settings
from tests.mail.post_office import free_port, open_post_office
from tests.mail.test_messages import VALUES


def _settings(home: Path, port: int, **more: Any) -> Settings:
    chosen = {"smtp_security": "none", "smtp_seconds": 5, **more}
    return Settings(home=home, smtp_host="127.0.0.1", smtp_port=port, **chosen)


def _deliver(settings: Settings, recipient: str = "bob@x.example") -> None:
    written = datetime(2026, 11, 25, tzinfo=UTC)
    deliver(settings, compose("invitation", VALUES, Envelope("id", "b@y.example", recipient, written)))


def test_a_mail_arrives_at_the_one_recipient(tmp_path: Path) -> None:
    with open_post_office() as office:
        _deliver(_settings(tmp_path, office.port))

    assert office.recipients == ["bob@x.example"]
    assert [str(mail["To"]) for mail in office.mails] == ["bob@x.example"]


def test_a_server_that_is_away_may_be_there_later(tmp_path: Path) -> None:
    with pytest.raises(MailUndelivered, match=r"127\.0\.0\.1"):
        _deliver(_settings(tmp_path, free_port()))


def test_a_recipient_who_does_not_exist_never_will(tmp_path: Path) -> None:
    with open_post_office() as office, pytest.raises(MailRefused, match="550"):
        _deliver(_settings(tmp_path, office.port), "nobody@x.example")


@pytest.mark.parametrize(("answer", "error"), [("451 Later", MailUndelivered), ("554 Spam", MailRefused)])
def test_what_the_server_says_of_the_text_decides(tmp_path: Path, answer: str, error: type[Exception]) -> None:
    with open_post_office() as office:
        office.refusal = answer
        with pytest.raises(error, match=answer[:3]):
            _deliver(_settings(tmp_path, office.port))


def test_a_server_without_encryption_is_not_used_where_encryption_is_asked_for(tmp_path: Path) -> None:
    with open_post_office() as office, pytest.raises(MailUndelivered):
        _deliver(_settings(tmp_path, office.port, smtp_security="starttls"))

    assert office.mails == []


def test_how_the_server_says_goodbye_does_not_make_a_sent_mail_unsent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rude(_self: smtplib.SMTP) -> tuple[int, bytes]:
        raise smtplib.SMTPServerDisconnected("gone")

    monkeypatch.setattr(smtplib.SMTP, "quit", rude)
    with open_post_office() as office:
        _deliver(_settings(tmp_path, office.port))

    assert len(office.mails) == 1


def test_a_password_is_never_sent_in_the_clear(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="smtp_security"):
        _settings(tmp_path, 25, smtp_user="bridge", smtp_password=SecretStr("hunter2"))
