"""A look over what the bridge stands on: settings, home folder, keys, database, clock and mail server."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from tempfile import NamedTemporaryFile
from urllib.parse import urlsplit

from scim_bridge.domain.findings import Finding, Level
from scim_bridge.errors import BridgeError, MailUndelivered, StoreError
from scim_bridge.identity.readiness import require_ready
from scim_bridge.identity.unsafe_settings import find_unsafe, is_loopback
from scim_bridge.mail.smtp import greet
from scim_bridge.proofs import own_address
from scim_bridge.settings import Settings
from scim_bridge.store import clocks
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from scim_bridge.store.sealing import load_keyring

SKEW = timedelta(seconds=30)
"""More than this and tokens end, sessions and leases hold, at other moments than people were told."""


def check_settings(settings: Settings) -> Iterator[Finding]:
    """Yield what no start would accept, and else whether the public address leads here."""
    unsafe = list(find_unsafe(settings))
    yield from unsafe
    if not any(each.about == "base_url" for each in unsafe):
        yield _address(settings.base_url)


def check_home(settings: Settings) -> Finding:
    """Say whether the bridge can write where it keeps what it makes itself."""
    if settings.encryption_keys and settings.database_url is not None:
        return Finding(Level.OK, "home", "Nothing is kept in it: database and keys are elsewhere.")
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=settings.home, prefix=".doctor-"):
            pass
    except OSError as error:
        remedy = "Give its user the folder, or set SCIM_BRIDGE_HOME to one that it may write to."
        return Finding(Level.PROBLEM, "home", f"{settings.home} cannot be written to: {error.strerror}.", remedy)
    return Finding(Level.OK, "home", f"{settings.home.absolute()} can be written to.")


def check_key_file(settings: Settings) -> Finding | None:
    """Say why there are no keys to work with; None where there are."""
    try:
        load_keyring(settings)
    except StoreError as error:
        remedy = "Put the key back that was kept elsewhere, into the home or SCIM_BRIDGE_ENCRYPTION_KEYS_FILE."
        return Finding(Level.PROBLEM, "encryption_keys", str(error), remedy)
    return None


def check_database(settings: Settings) -> Finding:
    """Say whether the database can be used; everything else needs it."""
    try:
        with _database(settings) as database:
            require_ready(database)
            return Finding(Level.OK, "database", f"{database.safe_url} is reachable and migrated.")
    except BridgeError as error:
        # Whoever raises it knows best what to do, and says so.
        words = str(error)
        remedy = "" if "`scim-bridge" in words else "Look whether it runs, and whether database_url is its address."
        return Finding(Level.PROBLEM, "database", words, remedy)


def check_clock(settings: Settings) -> Finding:
    """Say whether this machine's clock agrees with the database's and with what was written there."""
    with _database(settings) as database, database.read() as connection:
        theirs, newest = clocks.database_time(connection), clocks.newest_entry(connection)
    at = now()
    if theirs is not None and abs(theirs - at) > SKEW:
        sentence = f"This machine's clock is {_apart(theirs - at)} the database server's."
    elif newest is not None and newest - at > SKEW:
        sentence = f"This machine's clock is {_apart(newest - at)} the newest audit entry: it was put back, or is slow."
    else:
        return Finding(Level.OK, "clock", "It agrees with the database.")
    return Finding(Level.PROBLEM, "clock", sentence, "Let both be set by a time service (chrony, systemd-timesyncd).")


def check_mail(settings: Settings) -> Finding:
    """Say whether the mail server would take a mail; none is sent."""
    if not settings.smtp_host:
        sentence = "There is no mail server: invitations wait until there is one."
        return Finding(Level.WARNING, "mail", sentence, "Set SCIM_BRIDGE_SMTP_HOST.")
    try:
        greet(settings)
    except MailUndelivered as error:
        remedy = "Look at smtp_host, smtp_port, smtp_security, smtp_user and smtp_password; mails wait meanwhile."
        return Finding(Level.PROBLEM, "mail", str(error), remedy)
    return Finding(Level.OK, "mail", f"{settings.smtp_host}:{settings.smtp_port} takes mails.")


def _address(base_url: str) -> Finding:
    remedy = "Set SCIM_BRIDGE_BASE_URL to the address that the identity providers are given."
    if is_loopback(urlsplit(base_url).hostname):
        return Finding(Level.WARNING, "base_url", f"{base_url} can be reached from this machine only.", remedy)
    reason = own_address.ask(base_url)
    if reason is not None:
        remedy = f"Start the bridge, or mend the way to it (name, proxy, certificate). {remedy}"
        return Finding(Level.PROBLEM, "base_url", f"{base_url} does not lead here: {reason}.", remedy)
    return Finding(Level.OK, "base_url", f"Identity providers are given {base_url}.")


@contextmanager
def _database(settings: Settings) -> Iterator[Database]:
    database = Database(settings.resolved_database_url)
    try:
        yield database
    finally:
        database.dispose()


def _apart(difference: timedelta) -> str:
    seconds = difference.total_seconds()
    return f"{abs(seconds):.0f} s {'behind' if seconds > 0 else 'ahead of'}"
