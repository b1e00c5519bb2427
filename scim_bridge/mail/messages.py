"""What a mail says: text and HTML from templates, under headers that nobody's name can add lines to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from scim_bridge.errors import MailRefused

KINDS = ("alert", "drill", "invitation", "password")
LONGEST_VALUE = 200
LONGEST_LINE = 600

Values = Mapping[str, str | Sequence[str] | None]
"""What fills a template: texts, and lists of lines."""

# .html is escaped, .txt is not; a value that is missing is an error, never a gap in what somebody reads.
_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=select_autoescape(enabled_extensions=("html",), default_for_string=True),
    undefined=StrictUndefined,
    keep_trailing_newline=True,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True, slots=True)
class Envelope:
    """From whom to whom; ``id`` is the same for every attempt, so that a mail server can tell a repetition."""

    id: str
    sender: str
    recipient: str
    written_at: datetime


def compose(kind: str, values: Values, envelope: Envelope) -> EmailMessage:
    """Return a mail of one of `KINDS`; raises MailRefused for an address that no mail can have."""
    shown = {name: value if name == "link" else _printable(value) for name, value in values.items()}
    message = EmailMessage(policy=SMTP)
    name, sender = parseaddr(envelope.sender)
    try:
        message["From"] = Address(one_line(name) or "", addr_spec=sender)
        message["To"] = Address(addr_spec=envelope.recipient)
    except (ValueError, IndexError) as error:
        raise MailRefused(f"An address of this mail is none: {error}.") from None
    message["Subject"] = one_line(_render(f"{kind}.subject.txt", shown)) or ""
    message["Date"] = format_datetime(envelope.written_at)
    message["Message-ID"] = f"<{envelope.id}@{sender.rpartition('@')[2] or 'localhost'}>"
    # Nobody's absence note is wanted (RFC 3834).
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(_render(f"{kind}.txt", shown))
    message.add_alternative(_render(f"{kind}.html", shown), subtype="html")
    return message


def _printable(value: str | Sequence[str] | None) -> str | list[str | None] | None:
    if value is None or isinstance(value, str):
        return one_line(value)
    return [one_line(each, LONGEST_LINE) for each in value]


def one_line(text: str | None, longest: int = LONGEST_VALUE) -> str | None:
    """Return a text as it may stand in a header or a sentence: on one line, printable, not too long."""
    if text is None:
        return None
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(printable.split())[:longest]


def _render(template: str, values: Mapping[str, object]) -> str:
    return _templates.get_template(template).render(values)
