"""A mail server of this test's own, which really speaks SMTP, and may be away, refuse and forget."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass
class PostOffice:
    """What arrived; ``refusal`` is what every mail is answered with instead of being taken."""

    port: int
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    refusal: str | None = None

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[Any]
    ) -> str:
        if address.startswith("nobody@"):
            return "550 No such person"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        if self.refusal is not None:
            return self.refusal
        assert isinstance(envelope.content, bytes)
        read = message_from_bytes(envelope.content, policy=default)
        assert isinstance(read, EmailMessage)
        self.mails.append(read)
        self.recipients += envelope.rcpt_tos
        return "250 Taken"


def free_port() -> int:
    """Return a port at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def open_post_office(port: int | None = None) -> Iterator[PostOffice]:
    """Listen while the block runs."""
    office = PostOffice(port or free_port())
    controller = Controller(office, hostname="127.0.0.1", port=office.port)
    controller.start()
    try:
        yield office
    finally:
        controller.stop()


def text_of(message: EmailMessage, kind: str = "plain") -> str:
    """Return one of the two forms that a mail says the same in."""
    body = message.get_body((kind,))
    assert body is not None
    return str(body.get_content())


def link_in(message: EmailMessage) -> str:
    """Return the address that a mail asks to open."""
    (found,) = [line for line in text_of(message).splitlines() if line.startswith(("https://", "http://"))]
    return found


def secret_in(message: EmailMessage) -> str:
    """Return what opens the invitation that a mail brings."""
    return link_in(message).rpartition("/")[2]
