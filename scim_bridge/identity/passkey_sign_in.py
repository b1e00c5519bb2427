"""Use cases of signing in with a passkey: alone, or after a password as its second factor."""

from datetime import datetime

from scim_bridge.domain.passkeys import Site, is_suspect
from scim_bridge.domain.people import AccountId
from scim_bridge.domain.sessions import SignInMethod
from scim_bridge.errors import NotAuthenticated
from scim_bridge.identity import passkey_answers
from scim_bridge.identity.account_audit import note
from scim_bridge.identity.accounts import SecondFactorNeeded, let_in
from scim_bridge.identity.passkeys import Asked, new_challenge, take_challenge, the_site
from scim_bridge.identity.sessions import SessionBegun, Visit
from scim_bridge.log import get_logger
from scim_bridge.store import passkeys as store
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.passkeys import Passkey
from scim_bridge.store.sessions import end_sessions_of_account
from scim_bridge.store.sign_in_attempts import Purpose

SUSPECTED = (
    "This passkey may have been copied, and opens nothing any more. Sign in in another way, remove it, and look at "
    "what was done in your name."
)

log = get_logger(__name__)


def ask(database: Database, base_url: str, browser: str) -> Asked:
    """Return what a browser is asked to sign with whatever passkey it has for us."""
    site = the_site(base_url)
    with database.write() as connection:
        text = new_challenge(connection, Purpose.PASSKEY, browser)
    return Asked(text, passkey_answers.request_options(site, text, []))


def ask_as_second_factor(base_url: str, needed: SecondFactorNeeded) -> Asked:
    """Return what a browser is asked to sign with one of an account's passkeys, after its password was right."""
    options = passkey_answers.request_options(the_site(base_url), needed.text, list(needed.passkeys))
    return Asked(needed.text, options)


def sign_in(
    database: Database, base_url: str, text: str, answer: str, browser: str | None, visit: Visit
) -> SessionBegun:
    """
    Begin the session of the account whose passkey signed a challenge; its device verified who it is.

    Raises NotAuthenticated, in the same words whatever is wrong, but for a passkey that seems to be a copy.
    """
    site = the_site(base_url)
    take_challenge(database, Purpose.PASSKEY, text, browser)
    return _let_in(database, site, text, answer, None, visit)


def confirm(
    database: Database, base_url: str, text: str, answer: str, browser: str | None, visit: Visit
) -> SessionBegun:
    """Begin the session of a password that was right, by a passkey of the same account; raises NotAuthenticated."""
    site = the_site(base_url)
    account_id = take_challenge(database, Purpose.SECOND_FACTOR, text, browser).account_id
    assert account_id is not None
    return _let_in(database, site, text, answer, account_id, visit)


def _let_in(
    database: Database, site: Site, text: str, answer: str, account_id: AccountId | None, visit: Visit
) -> SessionBegun:
    sent = passkey_answers.read(answer)
    with database.write() as connection:
        at = now()
        key = store.find_passkey(connection, sent.credential_id)
        if key is None or (account_id is not None and key.account_id != account_id):
            raise NotAuthenticated(passkey_answers.REFUSED, "The passkey is nobody's, or somebody else's.")
        counts = passkey_answers.verify(site, text, sent, key, known_account=account_id is not None)
        is_good = key.suspected_at is None and not is_suspect(key.sign_count, counts)
        if is_good:
            store.note_use(connection, key, counts, at)
            method = SignInMethod.PASSKEY if account_id is None else SignInMethod.PASSWORD
            return let_in(connection, key.account_id, method, visit, at, second_factor=True)
        _suspect(connection, key, counts, visit, at)
    raise NotAuthenticated(SUSPECTED, "The passkey counts as a copy would.")


def _suspect(connection: Connection, key: Passkey, counts: int, visit: Visit, at: datetime) -> None:
    """Whichever of the two is the copy, the one that comes later tells of it: neither is let in from now on."""
    if key.suspected_at is not None:
        return
    store.suspect(connection, key, at)
    ended = end_sessions_of_account(connection, key.account_id, at, "passkey suspected")
    detail: dict[str, object] = {"passkey": key.id, "name": key.name, "counted": key.sign_count, "counts": counts}
    detail |= {"sessions_ended": ended, "address": visit.address or ""}
    note(connection, key.account_id, "account.passkey_suspected", at, detail)
    log.warning("a passkey counts as a copy of it would", account=key.account_id, passkey=key.id)
