"""Use cases of second factors: one-time codes of an app, and recovery codes for when the app is gone."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime

import pyotp

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.one_time_codes import (
    RECOVERY_CODES,
    RECOVERY_LENGTH,
    RECOVERY_LETTERS,
    matching_step,
    shown,
    typed,
)
from scim_bridge.domain.people import AccountId
from scim_bridge.errors import Conflict, NotAuthenticated, NotFound, Refused
from scim_bridge.identity.account_audit import note
from scim_bridge.identity.own_account import require_own, require_password
from scim_bridge.identity.runtime import Keyring
from scim_bridge.identity.sessions import Visitor, digest_of
from scim_bridge.store import credentials as store
from scim_bridge.store.clock import now
from scim_bridge.store.credentials import Methods
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.passkeys import passkeys_of, remove_passkey
from scim_bridge.store.people import find_account
from scim_bridge.store.sessions import end_sessions_of_account

ISSUER = "SCIM Bridge"
WRONG = "This code is wrong, or was used already."


@dataclass(frozen=True, slots=True)
class Enrolment:
    """The secret of an app's codes, the one time that it is shown; ``uri`` is what a QR code holds."""

    secret: str = field(repr=False)
    uri: str = field(repr=False)


def enrol(database: Database, keyring: Keyring, visitor: Visitor, password: str) -> Enrolment:
    """
    Make a secret for an app; it protects nothing until a code of it was typed.

    Raises NotAuthenticated for a wrong password, and Conflict for an account that has codes already.
    """
    account_id = require_own(visitor)
    require_password(database, account_id, password)
    secret = pyotp.random_base32()
    with database.write() as connection:
        found = store.totp_of(connection, account_id)
        if found is not None and found.confirmed_at is not None:
            raise Conflict("This account has one-time codes already; take them away first.")
        facts = store.get_account(connection, account_id)
        store.put_totp(connection, account_id, keyring.seal(secret), now())
    return Enrolment(secret, pyotp.TOTP(secret).provisioning_uri(name=facts.name, issuer_name=ISSUER))


def confirm(database: Database, keyring: Keyring, visitor: Visitor, code: str) -> tuple[str, ...]:
    """Switch one-time codes on by the first that was typed, and return recovery codes, shown this once."""
    account_id = require_own(visitor)
    with database.write() as connection:
        at = now()
        found = store.totp_of(connection, account_id)
        if found is None or found.confirmed_at is not None:
            raise Conflict("There is nothing to confirm.")
        if not accept_code(connection, keyring, account_id, code, at):
            raise NotAuthenticated(WRONG)
        codes = new_codes(connection, account_id, at)
        note(connection, account_id, "account.second_factor_added", at)
    return codes


def renew_recovery_codes(database: Database, keyring: Keyring, visitor: Visitor, code: str) -> tuple[str, ...]:
    """Make new recovery codes; those of before, one of which will do, open nothing. Raises NotAuthenticated."""
    account_id = require_own(visitor)
    with database.write() as connection:
        at = now()
        if not accept(connection, keyring, account_id, code, at):
            raise NotAuthenticated(WRONG)
        codes = new_codes(connection, account_id, at)
        note(connection, account_id, "account.recovery_codes_renewed", at)
    return codes


def remove(database: Database, keyring: Keyring, visitor: Visitor, code: str) -> None:
    """Switch one-time codes off; raises NotAuthenticated for a wrong code."""
    account_id = require_own(visitor)
    with database.write() as connection:
        at = now()
        if not accept(connection, keyring, account_id, code, at):
            raise NotAuthenticated(WRONG)
        store.remove_totp(connection, account_id)
        note(connection, account_id, "account.second_factor_removed", at)


def take_away(database: Database, actor: Actor, email: str) -> Methods:
    """
    Take every second factor from an account whose owner lost them all, end its sessions, and return what was there.

    Raises Refused for anybody but the installation's own terminal, and NotFound.
    """
    if not actor.is_trusted:
        raise Refused("Only the installation's own terminal takes away what somebody signs in with.")
    with database.write() as connection:
        account_id = find_account(connection, email)
        if account_id is None:
            raise NotFound(f"There is no account with the address {email!r}.")
        at, had = now(), store.methods_of(connection, account_id)
        for each in passkeys_of(connection, account_id):
            remove_passkey(connection, each)
        store.remove_totp(connection, account_id)
        ended = end_sessions_of_account(connection, account_id, at, "second factors taken away")
        detail: dict[str, object] = {"one_time_codes": had.totp, "passkeys": had.passkeys, "sessions_ended": ended}
        note(connection, account_id, "account.second_factors_taken_away", at, detail, actor)
        return had


def accept(connection: Connection, keyring: Keyring, account_id: AccountId, code: str, at: datetime) -> bool:
    """Tell whether a code of the app, or a recovery code, is good; either is used up by it."""
    if accept_code(connection, keyring, account_id, code, at):
        return True
    if not store.use_recovery_code(connection, account_id, digest_of(account_id + typed(code)), at):
        return False
    note(connection, account_id, "account.recovery_code_used", at)
    return True


def accept_code(connection: Connection, keyring: Keyring, account_id: AccountId, code: str, at: datetime) -> bool:
    """Tell whether a code of the app is good; none is good twice (RFC 6238 §5.2)."""
    found = store.totp_of(connection, account_id)
    if found is None or not code.isascii():
        return False
    app = pyotp.TOTP(keyring.open(found.sealed_secret))
    step = matching_step(code, at.timestamp(), app.generate_otp)
    return step is not None and store.accept_step(connection, account_id, step, at)


def new_codes(connection: Connection, account_id: AccountId, at: datetime) -> tuple[str, ...]:
    """Give an account new recovery codes in place of those that it has, and return them, shown this once."""
    codes = ["".join(secrets.choice(RECOVERY_LETTERS) for _ in range(RECOVERY_LENGTH)) for _ in range(RECOVERY_CODES)]
    # With the account in it: one table of hashes must not serve for all accounts.
    store.replace_recovery_codes(connection, account_id, [digest_of(account_id + each) for each in codes], at)
    return tuple(map(shown, codes))
