"""Use cases of local accounts: sign in by password and second factor, set and change the password."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.people import AccountId, MemberState
from scim_bridge.domain.sessions import Session, SignInMethod
from scim_bridge.errors import NotAuthenticated, NotFound, Refused
from scim_bridge.identity import break_glass, passwords, second_factors, sessions
from scim_bridge.identity.account_audit import note
from scim_bridge.identity.letters import Letters
from scim_bridge.identity.own_account import require_own, require_password
from scim_bridge.identity.runtime import Keyring
from scim_bridge.identity.sessions import Proof, SessionBegun, Visit, Visitor, digest_of
from scim_bridge.store import credentials as store
from scim_bridge.store.api_tokens import organizations_of
from scim_bridge.store.changes import new_change
from scim_bridge.store.clock import now
from scim_bridge.store.credentials import AccountFacts, Methods
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.mails import cancel_mails
from scim_bridge.store.passkeys import passkeys_of
from scim_bridge.store.people import find_account
from scim_bridge.store.sessions import end_sessions_of_account
from scim_bridge.store.sign_in_attempts import Attempt, Purpose, count_try, find_attempt, insert_attempt, take_attempt

LINK_TIME = timedelta(hours=24)
SECOND_FACTOR_TIME = timedelta(minutes=10)
MOST_TRIES = 5
WRONG = "The e-mail address or the password is wrong."
OVER = "This sign-in is over. Begin it again."
NO_LINK = "This link is used up or too old. Ask for another one."


@dataclass(frozen=True, slots=True)
class SecondFactorNeeded:
    """
    A password that was right, and not enough; ``text`` is what the form brings back.

    ``passkeys`` are the ids of those that would do, in base64url: they sign ``text`` as their challenge.
    """

    text: str = field(repr=False)
    passkeys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account as its owner sees it; not ``is_local``: an identity provider keeps how they sign in."""

    account: AccountFacts
    methods: Methods
    is_local: bool


@dataclass(frozen=True, slots=True)
class AccountLink:
    """The address of a link with which a password is set once, without the installation's own."""

    path: str = field(repr=False)
    email: str
    expires_at: datetime


def sign_in(
    database: Database, email: str, password: str, browser: str, visit: Visit
) -> SessionBegun | SecondFactorNeeded:
    """Begin a session, or ask for a second factor; raises NotAuthenticated in the same words whatever is wrong."""
    with database.read() as connection:
        found = store.find_password(connection, email)
    account_id, stored = found or (None, None)
    # Outside of any transaction: it takes a tenth of a second, and is meant to.
    if not passwords.is_right(stored, password) or account_id is None or stored is None:
        raise NotAuthenticated(WRONG)
    fresh = passwords.hashed(password) if passwords.is_outdated(stored) else None
    with database.write() as connection:
        at = now()
        if store.password_of(connection, account_id) != stored:
            raise NotAuthenticated(WRONG)
        if fresh is not None:
            store.set_password(connection, account_id, fresh, at)
        if store.methods_of(connection, account_id).second_factor:
            return _ask_for_second_factor(connection, account_id, browser, at)
        return let_in(connection, account_id, SignInMethod.PASSWORD, visit, at, second_factor=False)


def confirm(
    database: Database, keyring: Keyring, text: str, code: str, browser: str | None, visit: Visit
) -> SessionBegun:
    """Begin the session of a password that was right, by a code of the app or a recovery code."""
    begun = None
    with database.write() as connection:
        at = now()
        found = count_try(connection, digest_of(text), Purpose.SECOND_FACTOR)
        if found is None or found.account_id is None or found.expires_at <= at or found.tries > MOST_TRIES:
            raise NotAuthenticated(OVER)
        if browser is None or found.visitor_digest != digest_of(browser):
            raise NotAuthenticated(OVER)
        if second_factors.accept(connection, keyring, found.account_id, code, at):
            take_attempt(connection, found.digest)
            begun = let_in(connection, found.account_id, SignInMethod.PASSWORD, visit, at, second_factor=True)
        elif found.tries == MOST_TRIES:
            note(connection, found.account_id, "sign_in.refused", at, {"reason": "too many wrong codes"})
    if begun is None:
        raise NotAuthenticated(second_factors.WRONG)
    return begun


def whose_attempt(database: Database, text: str, browser: str | None) -> AccountId | None:
    """Return whose second factor a browser is asked for; None for one that is asked for none."""
    with database.read() as connection:
        found = find_attempt(connection, digest_of(text), Purpose.SECOND_FACTOR)
    is_theirs = found is not None and browser is not None and found.visitor_digest == digest_of(browser)
    return found.account_id if found is not None and is_theirs else None


def make_link(database: Database, actor: Actor, email: str) -> AccountLink:
    """Make a link with which somebody sets their password; only the installation's own terminal hands one out."""
    if not actor.is_trusted:
        raise Refused("Only the installation's own terminal makes such a link; ask for one by mail.")
    with database.write() as connection:
        account_id = find_account(connection, email)
        if account_id is None:
            raise NotFound(f"There is no account with the address {email!r}.")
        at = now()
        text = new_link(connection, account_id, at)
        note(connection, account_id, "account.link_made", at, actor=actor)
        return AccountLink(f"/account/password/{text}", email, at + LINK_TIME)


def ask_by_mail(database: Database, letters: Letters, email: str) -> None:
    """
    Send somebody a link with which they set their password.

    Nothing tells whether there is such an account; one that is a member nowhere is sent nothing.
    """
    with database.write() as connection:
        account_id = find_account(connection, email)
        if account_id is None:
            return
        states = organizations_of(connection, account_id)
        where = next((each for each, state in states if state is MemberState.ACTIVE), None)
        if where is None:
            return
        at = now()
        change = new_change(where, Actor.of_account(email, account_id), "account.link_asked", at)
        recipient = store.get_account(connection, account_id).email or email
        cancel_mails(connection, change, account_id)
        link = f"{letters.base_url}/account/password/{new_link(connection, account_id, at)}"
        until = f"{at + LINK_TIME:%Y-%m-%d %H:%M} UTC"
        values = {"email": recipient, "link": link, "expires": until}
        letters.write(connection, change, account_id, "password", recipient, values)
        note(connection, account_id, "account.link_asked", at)


def link_after_invitation(database: Database, account_id: AccountId) -> str | None:
    """Return the path at which somebody who signed up sets their first password; None for who has a method."""
    with database.write() as connection:
        methods = store.methods_of(connection, account_id)
        if methods.password:
            return None
        return f"/account/password/{new_link(connection, account_id, now())}"


def new_link(connection: Connection, account_id: AccountId, at: datetime) -> str:
    """Return the secret of a new link of an account; earlier ones open nothing any more."""
    text = secrets.token_urlsafe(32)
    store.insert_link(connection, account_id, digest_of(text), at, at + LINK_TIME)
    return text


def look_at_link(database: Database, text: str) -> AccountFacts:
    """Return whose link it is; raises NotAuthenticated for one that is used up, too old or unknown."""
    with database.read() as connection:
        account_id = store.look_at_link(connection, digest_of(text), now())
        if account_id is None:
            raise NotAuthenticated(NO_LINK)
        return store.get_account(connection, account_id)


def set_password(database: Database, text: str, password: str) -> AccountFacts:
    """Set a password by a link, once; every session of the account ends. A second factor stays."""
    facts = look_at_link(database, text)
    hashed = passwords.hashed(passwords.checked(password, facts.email, facts.display_name))
    with database.write() as connection:
        at = now()
        account_id = store.use_link(connection, digest_of(text), at)
        if account_id is None:
            raise NotAuthenticated(NO_LINK)
        _set(connection, account_id, hashed, at)
        return facts


def change_password(database: Database, visitor: Visitor, old: str, new: str) -> None:
    """Change one's own password; every other session of the account ends. Raises NotAuthenticated."""
    account_id = require_own(visitor)
    require_password(database, account_id, old)
    with database.read() as connection:
        facts = store.get_account(connection, account_id)
    hashed = passwords.hashed(passwords.checked(new, facts.email, facts.display_name))
    with database.write() as connection:
        _set(connection, account_id, hashed, now(), but=visitor.session.id)


def show(database: Database, visitor: Visitor) -> AccountView:
    """Return one's own account with its methods."""
    with database.read() as connection:
        account_id = visitor.session.account_id
        is_local = visitor.session.method is not SignInMethod.OIDC and visitor.session.organization_id is None
        return AccountView(
            store.get_account(connection, account_id), store.methods_of(connection, account_id), is_local
        )


def _set(connection: Connection, account_id: AccountId, hashed: str, at: datetime, but: str | None = None) -> None:
    store.set_password(connection, account_id, hashed, at)
    ended = end_sessions_of_account(connection, account_id, at, "password changed", but)
    note(connection, account_id, "account.password_set", at, {"sessions_ended": ended})


def _ask_for_second_factor(
    connection: Connection, account_id: AccountId, browser: str, at: datetime
) -> SecondFactorNeeded:
    text = secrets.token_urlsafe(32)
    until = at + SECOND_FACTOR_TIME
    made = Attempt(
        new_id(), Purpose.SECOND_FACTOR, digest_of(text), digest_of(browser), None, account_id, None, at, until
    )
    insert_attempt(connection, made)
    passkeys = passkeys_of(connection, account_id)
    return SecondFactorNeeded(text, tuple(each.credential_id for each in passkeys if each.suspected_at is None))


def let_in(
    connection: Connection,
    account_id: AccountId,
    method: SignInMethod,
    visit: Visit,
    at: datetime,
    *,
    second_factor: bool,
) -> SessionBegun:
    """Begin the session of an account that has proven itself, tell the audit, and alarm if it is for emergencies."""
    begun = sessions.begin(connection, Proof(account_id, method, second_factor), visit, at)
    note(connection, account_id, "session.began", at, _detail(begun.session))
    break_glass.note_use(connection, account_id, begun.session)
    return begun


def _detail(begun: Session) -> dict[str, object]:
    return {"session": begun.id, "method": begun.method.value, "second_factor": begun.second_factor}
