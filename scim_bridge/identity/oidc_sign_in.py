"""Use cases of signing in by an identity provider: begin, and let in whom a verified ID token names."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import orjson

from scim_bridge.domain.actors import Actor, ActorKind
from scim_bridge.domain.identity_providers import Identity, IdentityProvider, JoinAtLogin, read_identity
from scim_bridge.domain.people import DirectoryState, Member, MemberId, MemberSource, MemberState
from scim_bridge.domain.sessions import SignInMethod
from scim_bridge.errors import Invalid, NotAuthenticated, NotFound
from scim_bridge.identity import sessions
from scim_bridge.identity.login_groups import sync_groups
from scim_bridge.identity.names import the_member
from scim_bridge.identity.runtime import Keyring
from scim_bridge.identity.sessions import Proof, SessionBegun, Visit, digest_of
from scim_bridge.log import get_logger
from scim_bridge.store import directories, login_matches, people
from scim_bridge.store import identity_providers as store
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import Change, add_change, new_change
from scim_bridge.store.clock import now as now
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.identity_providers import ProviderWords as ProviderWords
from scim_bridge.store.sessions import ProviderSession
from scim_bridge.store.sign_in_attempts import Attempt, insert_attempt, take_attempt
from scim_bridge.store.sign_in_attempts import Purpose as Purpose

ATTEMPT_TIME = timedelta(minutes=15)
NOT_LET_IN = "You cannot sign in here. If you should, ask your administrator: the reason is in the audit."
OVER = "This sign-in is over, or began in another browser. Begin it again."

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Client:
    """An identity provider as the login door talks to it."""

    provider: IdentityProvider
    organization_slug: str
    secret: str | None = field(repr=False)
    words: ProviderWords


@dataclass(frozen=True, slots=True)
class Begun:
    """What a sign-in needs to know again when its browser comes back; kept encrypted, and taken up once."""

    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    return_to: str = "/"
    purpose: Purpose = Purpose.SIGN_IN


@dataclass(frozen=True, slots=True)
class Tested:
    """A test sign-in that succeeded: whom it named."""

    provider: str
    user_name: str
    claims: tuple[str, ...]


def open_client(database: Database, keyring: Keyring, provider_id: str) -> Client:
    """Return an identity provider to talk to; raises NotFound."""
    with database.read() as connection:
        found = store.open_provider(connection, provider_id)
    if found is None:
        raise NotFound("There is no such identity provider.")
    sealed = found.sealed_client_secret
    return Client(
        found.provider, found.organization_slug, None if sealed is None else keyring.open(sealed), found.words
    )


def keep_words(database: Database, provider_id: str, words: ProviderWords) -> None:
    """Keep what an identity provider said of itself."""
    with database.write() as connection:
        store.keep_words(connection, provider_id, words)


def begin(database: Database, keyring: Keyring, provider_id: str, state: str, browser: str, begun: Begun) -> None:
    """Note a sign-in that one browser begins, under the state that travels."""
    secret = {"nonce": begun.nonce, "verifier": begun.verifier, "return_to": begun.return_to}
    sealed = keyring.seal(orjson.dumps(secret).decode())
    at = now()
    until = at + ATTEMPT_TIME
    made = Attempt(new_id(), begun.purpose, digest_of(state), digest_of(browser), provider_id, None, sealed, at, until)
    with database.write() as connection:
        insert_attempt(connection, made)


def take_up(database: Database, keyring: Keyring, state: str | None, browser: str | None) -> tuple[str, Begun]:
    """
    Return which identity provider a sign-in began with and what was kept of it, this once.

    Raises NotAuthenticated for a state that is unknown, used, too old or another browser's.
    """
    with database.write() as connection:
        found = take_attempt(connection, digest_of(state)) if state else None
    if found is None or found.expires_at <= now() or found.sealed is None or found.identity_provider_id is None:
        raise NotAuthenticated(OVER, "The state is unknown, used or too old.")
    if browser is None or found.visitor_digest != digest_of(browser):
        raise NotAuthenticated(OVER, "The state was given to another browser.")
    kept = orjson.loads(keyring.open(found.sealed))
    return found.identity_provider_id, Begun(purpose=found.purpose, **kept)


def take_test(database: Database, text: str) -> str:
    """Return which identity provider a test address is for, this once; raises NotAuthenticated."""
    with database.write() as connection:
        found = take_attempt(connection, digest_of(text))
    if found is None or found.expires_at <= now() or found.purpose is not Purpose.TEST or found.sealed is not None:
        raise NotAuthenticated(OVER, "The test's address is unknown, used or too old.")
    assert found.identity_provider_id is not None
    return found.identity_provider_id


def complete(
    database: Database,
    keyring: Keyring,
    provider: IdentityProvider,
    claims: Mapping[str, object],
    id_token: str,
    visit: Visit,
) -> SessionBegun:
    """
    Begin the session of whom a verified ID token names; raises NotAuthenticated, in the same words whatever is wrong.

    The reason is in the organization's audit, under the request.
    """
    with database.write() as connection:
        change = _change(provider, claims, "session.began")
        try:
            identity = _identity(provider, claims)
            member = _let_in(connection, change, provider, identity)
        except NotAuthenticated as error:
            refused = error
            _note_refused(connection, change, provider, error)
        else:
            sync_groups(connection, change, provider, identity, member.id)
            begun = _begin(connection, keyring, provider, identity, member, id_token, visit, change.at)
            sessions.note_begin(connection, _by(change, member), begun.session, member.id)
            return begun
    raise refused


def complete_test(
    database: Database, provider: IdentityProvider, claims: Mapping[str, object], request_id: str | None = None
) -> Tested:
    """Note that a sign-in works, and for whom; no session begins. Raises NotAuthenticated with the reason in it."""
    with database.write() as connection:
        change = _change(provider, claims, "identity_provider.tested", request_id)
        try:
            identity = _identity(provider, claims)
            member = _let_in(connection, change, provider, identity, joining=False)
        except NotAuthenticated as error:
            refused = error
            _note_refused(connection, change, provider, error)
        else:
            store.note_tested(connection, provider.id, change.at)
            detail = {"name": provider.name, "member": member.id}
            add_audit(connection, change, "identity_provider.tested", "identity_provider", provider.id, detail)
            return Tested(provider.name, member.user_name, tuple(sorted(map(str, claims))))
    # Whoever tests is an administrator, and has to know.
    raise NotAuthenticated(f"The test failed: {refused.reason}", refused.reason)


def _let_in(
    connection: Connection, change: Change, provider: IdentityProvider, identity: Identity, *, joining: bool = True
) -> Member:
    state = directories.lock_directory(connection, provider.directory_id).state
    if state not in (DirectoryState.ACTIVE, DirectoryState.PAUSED):
        raise _refusal(f"The directory of {provider.name} is {state.value}.")
    found = login_matches.matching_users(
        connection, provider.directory_id, provider.subject_attribute, identity.subject
    )
    present = [each for each in found if not each.removed]
    if len(present) > 1:
        raise _refusal(f"{len(present)} users carry this {provider.subject_attribute}: nobody can tell who it is.")
    if present and not present[0].active:
        raise _refusal("The directory says that this user is not active.")
    if present:
        member_id = present[0].member_id
    elif found:
        raise _refusal("The directory has deleted this user.")
    else:
        member_id = _joined(connection, change, provider, identity, joining=joining)
    member = the_member_of_sign_in(connection, provider, member_id)
    if member.state is not MemberState.ACTIVE:
        raise _refusal(f"{member.user_name} is {member.state.value} here.")
    return member


def the_member_of_sign_in(connection: Connection, provider: IdentityProvider, member_id: MemberId) -> Member:
    """Return the member whom a sign-in names; raises NotAuthenticated for one who was removed."""
    try:
        return the_member(connection, provider.organization_id, member_id)
    except NotFound:
        raise _refusal("This person was removed from the organization.") from None


def _joined(
    connection: Connection, change: Change, provider: IdentityProvider, identity: Identity, *, joining: bool
) -> MemberId:
    """Return who joined by signing in, now or before."""
    known = store.member_who_joined(connection, provider.id, identity.subject)
    if known is not None:
        return known
    if provider.join_at_login is JoinAtLogin.OFF:
        raise _refusal("No directory has brought this person, and nobody joins by signing in.")
    email = identity.email
    if email is None or "@" not in email:
        raise _refusal("Who joins by signing in needs an e-mail address in the ID token.")
    if people.find_members(connection, provider.organization_id, email):
        # An address is no proof: whoever can write it somewhere would be that member.
        raise _refusal(f"{email} is the address of somebody who is here already: nobody is linked by an address.")
    if login_matches.was_removed(connection, provider.organization_id, email):
        raise _refusal(f"{email} was removed from the organization: an administrator has to invite them.")
    if not joining:
        raise _refusal("Nobody joins in a test: sign in as somebody whom the directory has brought.")
    state = MemberState.ACTIVE if provider.join_at_login is JoinAtLogin.ALLOWED else MemberState.INVITED
    add_change(connection, change, email)
    member_id = people.insert_member(connection, change, None, email, state, MemberSource.LOGIN)
    store.insert_joined(connection, change, provider.id, identity.subject, member_id)
    detail = {"email": email, "source": "login", "state": state.value, "identity_provider": provider.name}
    add_audit(connection, change, "member.added", "member", member_id, detail)
    return member_id


def _begin(
    connection: Connection,
    keyring: Keyring,
    provider: IdentityProvider,
    identity: Identity,
    member: Member,
    id_token: str,
    visit: Visit,
    at: datetime,
) -> SessionBegun:
    change = new_change(provider.organization_id, Actor(ActorKind.PERSON, member.user_name), "session.began", at)
    account_id = people.account_of_member(connection, member.id) or people.insert_account_of(connection, change, member)
    words = ProviderSession(identity.provider_session, identity.provider_subject, keyring.seal(id_token))
    proof = Proof(
        account_id,
        SignInMethod.OIDC,
        organization_id=provider.organization_id,
        identity_provider_id=provider.id,
        provider=words,
    )
    return sessions.begin(connection, proof, visit, at)


def _identity(provider: IdentityProvider, claims: Mapping[str, object]) -> Identity:
    try:
        return read_identity(provider, claims)
    except Invalid as error:
        raise _refusal(str(error)) from None


def _change(
    provider: IdentityProvider, claims: Mapping[str, object], kind: str, request_id: str | None = None
) -> Change:
    who = claims.get("sub")
    actor = Actor(ActorKind.PERSON, str(who)[:255] if isinstance(who, str) else "somebody")
    return new_change(provider.organization_id, actor, kind, now(), request_id)


def _by(change: Change, member: Member) -> Change:
    return replace(change, actor=replace(change.actor, name=member.user_name))


def _note_refused(connection: Connection, change: Change, provider: IdentityProvider, error: NotAuthenticated) -> None:
    detail = {"identity_provider": provider.name, "reason": error.reason}
    add_audit(connection, change, "sign_in.refused", "identity_provider", provider.id, detail)
    log.info("a sign-in was refused", identity_provider=provider.name, reason=error.reason)


def _refusal(reason: str) -> NotAuthenticated:
    return NotAuthenticated(NOT_LET_IN, reason)
