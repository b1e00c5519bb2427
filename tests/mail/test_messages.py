"""What a mail says, and that nobody's name can make it say something else."""

from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest

from scim_bridge.errors import MailRefused
from scim_bridge.mail.messages import Envelope, compose
from tests.mail.post_office import link_in, text_of

AT = datetime(2026, 11, 25, 17, 0, tzinfo=UTC)
LINK = "https://bridge.example/invitations/secret"
VALUES: dict[str, str | None] = {
    "inviter": "Ana",
    "organization": "Acme",
    "link": LINK,
    "expires": "2026-12-02 17:00 UTC",
    "api_role": "developer",
    "kubernetes_role": None,
}


def _sent(
    values: dict[str, str | None], recipient: str = "bob@x.example", sender: str = "Bridge <b@y.example>"
) -> EmailMessage:
    made = compose("invitation", VALUES | values, Envelope("id-1", sender, recipient, AT))
    read = message_from_bytes(made.as_bytes(), policy=default)
    assert isinstance(read, EmailMessage)
    return read


def test_an_invitation_says_who_invites_to_what_until_when_and_where_to_answer() -> None:
    mail = _sent({})

    assert (mail["To"], mail["From"], mail["Subject"]) == (
        "bob@x.example",
        "Bridge <b@y.example>",
        "Ana invites you to Acme",
    )
    for form in ("plain", "html"):
        for word in ("Ana", "Acme", "developer", "2026-12-02 17:00 UTC", LINK):
            assert word in text_of(mail, form)
        assert "Kubernetes" not in text_of(mail, form)
    assert link_in(mail) == LINK


def test_a_repetition_is_known_by_its_id_and_nobody_answers_a_machine() -> None:
    mail = _sent({})

    assert mail["Message-ID"] == "<id-1@y.example>"
    assert mail["Auto-Submitted"] == "auto-generated"


@pytest.mark.parametrize("name", ["Eve\r\nBcc: all@x.example", "Eve\nSubject: other", "Eve\x00\x0b\x85Bcc: x"])
def test_a_name_adds_no_header_and_no_line(name: str) -> None:
    mail = _sent({"inviter": name, "organization": name})

    assert mail["Bcc"] is None
    assert len(mail.get_all("Subject", [])) == 1
    assert str(mail["Subject"]).startswith("Eve ")
    assert not any(line.startswith(("Bcc:", "Subject:")) for line in text_of(mail).splitlines())


def test_a_name_is_a_name_in_html_too() -> None:
    html = text_of(_sent({"organization": "<script>alert(1)</script>"}), "html")

    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_letters_of_every_kind_arrive() -> None:
    mail = _sent({"organization": "Größe & Söhne 株式会社"})

    assert str(mail["Subject"]) == "Ana invites you to Größe & Söhne 株式会社"
    assert "Größe & Söhne 株式会社" in text_of(mail)


@pytest.mark.parametrize(
    "recipient", ["bob", "bob@x.example, eve@x.example", "bob@x.example\r\nBcc: eve@x.example", ""]
)
def test_an_address_that_is_none_is_refused_for_good(recipient: str) -> None:
    with pytest.raises(MailRefused):
        _sent({}, recipient)


def test_a_name_of_any_length_is_cut() -> None:
    assert len(str(_sent({"organization": "x" * 5000})["Subject"])) < 250
