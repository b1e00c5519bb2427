"""Use cases of one's own passkeys: make, list and remove them."""

import secrets
from dataclasses import dataclass, field
from datetime import timedelta

from scim_bridge.domain.passkeys import MOST, Site, checked_name, site_of
from scim_bridge.domain.people import AccountId
from scim_bridge.errors import Conflict, NotAuthenticated, NotFound, Refused
from scim_bridge.identity import passkey_answers, second_factors
from scim_bridge.identity.account_audit import note
from scim_bridge.identity.own_account import require_own, require_password
from scim_bridge.identity.sessions import Visitor, digest_of
from scim_bridge.store import passkeys as store
from scim_bridge.store.clock import now
from scim_bridge.store.credentials import get_account, methods_of
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.passkeys import Passkey as Passkey
from scim_bridge.store.sessions import end_sessions_of_account
from scim_bridge.store.sign_in_attempts import Attempt, Purpose, insert_attempt, take_attempt

CEREMONY_TIME = timedelta(minutes=10)
OVER = "This took too long, or began in another browser. Begin it again."


@dataclass(frozen=True, slots=True)
class Asked:
    """What a browser is asked: ``options`` are its own, as JSON; ``text`` comes back with the answer, once."""

    text: str = field(repr=False)
    options: str = field(repr=False)


def the_site(base_url: str) -> Site:
    """Return for what site passkeys are made; raises Refused where browsers make none."""
    found = site_of(base_url)
    if found is None:
        raise Refused("Browsers make passkeys only for an https address with a name: the installation has none.")
    return found


def list_all(database: Database, visitor: Visitor) -> list[Passkey]:
    """Return one's own passkeys."""
    with database.read() as connection:
        return store.passkeys_of(connection, visitor.session.account_id)


def begin(database: Database, base_url: str, visitor: Visitor, password: str, browser: str) -> Asked:
    """Return what a browser is asked to make; raises NotAuthenticated for a wrong password, Conflict for too many."""
    site, account_id = the_site(base_url), require_own(visitor)
    require_password(database, account_id, password)
    with database.write() as connection:
        others = store.passkeys_of(connection, account_id)
        if len(others) >= MOST:
            raise Conflict(f"An account has at most {MOST} passkeys: remove one first.")
        text = new_challenge(connection, Purpose.NEW_PASSKEY, browser, account_id)
        facts = get_account(connection, account_id)
    named = [each.credential_id for each in others]
    return Asked(text, passkey_answers.creation_options(site, text, facts, named))


def make(
    database: Database, base_url: str, visitor: Visitor, text: str, answer: str, name: str, browser: str | None
) -> tuple[str, ...]:
    """
    Add the passkey that a browser made, and return recovery codes for when it is lost: none if there are some.

    The password alone opens the account no longer. Raises NotAuthenticated.
    """
    site, account_id, called = the_site(base_url), require_own(visitor), checked_name(name)
    found = take_challenge(database, Purpose.NEW_PASSKEY, text, browser)
    if found.account_id != account_id:
        raise NotAuthenticated(OVER)
    made = passkey_answers.verify_made(site, text, passkey_answers.read(answer))
    with database.write() as connection:
        at = now()
        if store.find_passkey(connection, made.credential_id) is not None:
            raise Conflict("This passkey is known already.")
        key = Passkey(new_id(), account_id, made.credential_id, made.public_key, called, made.sign_count, at)
        store.insert_passkey(connection, key)
        note(connection, account_id, "account.passkey_added", at, {"passkey": key.id, "name": called})
        if methods_of(connection, account_id).recovery_codes:
            return ()
        return second_factors.new_codes(connection, account_id, at)


def remove(database: Database, visitor: Visitor, passkey_id: str, password: str) -> None:
    """Take a passkey away, and end every other session: whoever has the device may be in one of them."""
    account_id = require_own(visitor)
    require_password(database, account_id, password)
    with database.write() as connection:
        at = now()
        mine = store.passkeys_of(connection, account_id)
        found = next((each for each in mine if each.id == passkey_id), None)
        if found is None:
            raise NotFound("You have no such passkey.")
        store.remove_passkey(connection, found)
        ended = end_sessions_of_account(connection, account_id, at, "passkey removed", visitor.session.id)
        detail: dict[str, object] = {"passkey": found.id, "name": found.name, "sessions_ended": ended}
        note(connection, account_id, "account.passkey_removed", at, detail)


def new_challenge(connection: Connection, purpose: Purpose, browser: str, account_id: AccountId | None = None) -> str:
    """
    Return 32 random bytes in base64url that one browser has signed once, within minutes.

    Only its digest is kept. The text that comes back with the answer is the challenge itself: no other one of ours
    has that digest.
    """
    text, at = secrets.token_urlsafe(32), now()
    until = at + CEREMONY_TIME
    insert_attempt(
        connection, Attempt(new_id(), purpose, digest_of(text), digest_of(browser), None, account_id, None, at, until)
    )
    return text


def take_challenge(database: Database, purpose: Purpose, text: str, browser: str | None) -> Attempt:
    """Use a challenge up, whatever becomes of its answer; raises NotAuthenticated for one that is not good."""
    with database.write() as connection:
        found = take_attempt(connection, digest_of(text))
    if found is None or found.purpose is not purpose or found.expires_at <= now():
        raise NotAuthenticated(OVER, "The challenge is unknown, used or too old.")
    if browser is None or found.visitor_digest != digest_of(browser):
        raise NotAuthenticated(OVER, "The challenge was given to another browser.")
    return found
