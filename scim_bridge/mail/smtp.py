"""Hand a mail to the mail server of the settings (RFC 5321), or say whether trying again makes sense."""

import smtplib
import ssl
from contextlib import suppress
from email.message import EmailMessage

from scim_bridge.errors import MailRefused, MailUndelivered
from scim_bridge.settings import Settings

PERMANENT = 500


def deliver(settings: Settings, message: EmailMessage) -> None:
    """
    Return once the mail server has taken the mail.

    Raises MailRefused when it never will, and MailUndelivered for everything that may be otherwise later: also for a
    password that it does not take, which an operator mends.
    """
    try:
        server = _connect(settings)
    except (OSError, smtplib.SMTPException) as error:
        raise MailUndelivered(_sentence(settings, error)) from error
    try:
        server.send_message(message)
    except smtplib.SMTPRecipientsRefused as error:
        code, text = next(iter(error.recipients.values()))
        raise _refusal(code, text) from error
    except smtplib.SMTPDataError as error:
        raise _refusal(error.smtp_code, error.smtp_error) from error
    except (OSError, smtplib.SMTPException) as error:
        raise MailUndelivered(_sentence(settings, error)) from error
    finally:
        # The mail is taken or it is not: how the server says goodbye changes nothing about that.
        with suppress(OSError, smtplib.SMTPException):
            server.quit()


def greet(settings: Settings) -> None:
    """Come as far as before a mail, and leave; raises MailUndelivered when the mail server would take none."""
    try:
        server = _connect(settings)
    except (OSError, smtplib.SMTPException) as error:
        raise MailUndelivered(_sentence(settings, error)) from error
    with suppress(OSError, smtplib.SMTPException):
        server.quit()


def _connect(settings: Settings) -> smtplib.SMTP:
    host, port, seconds = settings.smtp_host, settings.smtp_port, settings.smtp_seconds
    server: smtplib.SMTP
    if settings.smtp_security == "tls":
        server = smtplib.SMTP_SSL(host, port, timeout=seconds, context=ssl.create_default_context())
    else:
        server = smtplib.SMTP(host, port, timeout=seconds)
    try:
        if settings.smtp_security == "starttls":
            server.starttls(context=ssl.create_default_context())
        if settings.smtp_user:
            password = settings.smtp_password.get_secret_value() if settings.smtp_password else ""
            server.login(settings.smtp_user, password)
    except (OSError, smtplib.SMTPException):
        server.close()
        raise
    return server


def _refusal(code: int, text: bytes | str) -> MailRefused | MailUndelivered:
    words = text.decode(errors="replace") if isinstance(text, bytes) else text
    sentence = f"The mail server answered {code}: {' '.join(words.split())[:300]}"
    return MailRefused(sentence) if code >= PERMANENT else MailUndelivered(sentence)


def _sentence(settings: Settings, error: Exception) -> str:
    # Never the text of a login's failure as a whole: some servers repeat what was sent.
    words = "it does not take user and password" if isinstance(error, smtplib.SMTPAuthenticationError) else str(error)
    return f"The mail server {settings.smtp_host}:{settings.smtp_port} did not take the mail: {words[:300]}"
