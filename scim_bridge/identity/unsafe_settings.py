"""Settings with which nobody should run the bridge: found by `doctor`, refused at every start."""

import ipaddress
from base64 import urlsafe_b64decode
from binascii import Error
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from scim_bridge.domain.findings import Finding, Level
from scim_bridge.errors import StoreError
from scim_bridge.settings import Settings, SettingsError
from scim_bridge.store.database import Database
from scim_bridge.store.file_systems import network_file_system

PUBLISHED = frozenset(
    {"", "a long random text", "admin", "bridge", "change-me", "changeme", "example", "password", "postgres", "secret"}
)
"""Words that stand in examples and handbooks: whoever knows those knows the secret."""
FEWEST_DISTINCT = 6
FEWEST_DISTINCT_BYTES = 12
"""Of 32 random bytes fewer than so many distinct ones come once in more than 10^20 keys."""


def require_safe(settings: Settings) -> None:
    """Raise SettingsError with a sentence for the first setting that is unsafe."""
    for found in find_unsafe(settings):
        raise SettingsError(f"{found.sentence} {found.remedy}")


def find_unsafe(settings: Settings) -> Iterator[Finding]:
    """Yield a problem for every setting that is unsafe."""
    yield from _address(settings.base_url)
    yield from _keys(settings)
    yield from _words(settings)
    yield from _database(settings)


def is_loopback(host: str | None) -> bool:
    """Tell whether a host's name or address is this machine's own, which no network hears."""
    if host is None or host == "localhost" or host.endswith(".localhost"):
        return host is not None
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _address(base_url: str) -> Iterator[Finding]:
    parts = urlsplit(base_url)
    if parts.scheme != "https" and not is_loopback(parts.hostname):
        remedy = "Put TLS in front, and set base_url (SCIM_BRIDGE_BASE_URL) to the public https address."
        yield _problem("base_url", f"base_url is {base_url}: tokens and passwords would go in the clear.", remedy)


def _keys(settings: Settings) -> Iterator[Finding]:
    for key in settings.encryption_keys:
        try:
            weak = len(set(urlsafe_b64decode(key.get_secret_value()))) < FEWEST_DISTINCT_BYTES
        except (Error, ValueError):
            # What is no key at all is told by whoever needs it.
            continue
        if weak:
            remedy = (
                'Make one: `python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"`.'
            )
            yield _problem("encryption_keys", "An encryption key is not random: anybody could guess it.", remedy)


def _words(settings: Settings) -> Iterator[Finding]:
    for name, secret in (("metrics_token", settings.metrics_token), ("smtp_password", settings.smtp_password)):
        if secret is not None and _is_weak(secret.get_secret_value()):
            yield _problem(name, f"{name} is a word of an example, or no secret.", "Take a long random one.")


def _database(settings: Settings) -> Iterator[Finding]:
    try:
        database = Database(settings.resolved_database_url)
    except StoreError:
        # Told by whoever opens it.
        return
    if database.is_sqlite:
        kind = network_file_system(Path(str(database.url.database)))
        if kind is not None:
            sentence = f"The SQLite database {database.safe_url} lies on a network file system ({kind}): it will break."
            yield _problem("database_url", sentence, "Put it on a disk of this machine, or use PostgreSQL.")
    elif not is_loopback(database.url.host) and database.url.host and (database.url.password or None) is not None:
        password = str(database.url.password)
        if password.lower() in PUBLISHED or password == database.url.username:
            sentence = f"The password in database_url ({database.safe_url}) is a word of an example or the user's name."
            yield _problem("database_url", sentence, "Give the database's user a long random one.")


def _is_weak(secret: str) -> bool:
    return secret.lower() in PUBLISHED or len(set(secret)) < FEWEST_DISTINCT


def _problem(about: str, sentence: str, remedy: str) -> Finding:
    return Finding(Level.PROBLEM, about, sentence, remedy)
