"""Use cases of sessions: begin, go on, list and end them."""

import hashlib
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from scim_bridge.domain.actors import Actor, ActorKind
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import AccountId, Member
from scim_bridge.domain.sessions import LONGEST_IDLE, Session, SignInMethod
from scim_bridge.errors import NotFound, StoreError, Unavailable
from scim_bridge.identity.authority import authority_of
from scim_bridge.identity.names import the_member, the_organization
from scim_bridge.identity.runtime import Keyring
from scim_bridge.log import bind_actor
from scim_bridge.store import sessions as store
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import Change, new_change
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.people import account_of_member
from scim_bridge.store.sessions import NOT_BY_A_PROVIDER, ProviderSession

ME = "me"
USERS = "organization:users:write"
# A write for every click would cost more than the click.
USE_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Visit:
    """From where a browser came: what a session keeps of it."""

    address: str | None = None
    user_agent: str = ""


@dataclass(frozen=True, slots=True)
class Proof:
    """How an account was proven; ``organization_id`` for a proof that is good in one organization only."""

    account_id: AccountId
    method: SignInMethod
    second_factor: bool = False
    organization_id: OrganizationId | None = None
    identity_provider_id: str | None = None
    provider: ProviderSession = NOT_BY_A_PROVIDER


@dataclass(frozen=True, slots=True)
class SessionBegun:
    """A session the one time that its cookie's value is known here."""

    session: Session
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody with a live session; ``use_due`` says that its use should be noted."""

    session: Session
    actor: Actor
    use_due: bool


def begin(connection: Connection, proof: Proof, visit: Visit, at: datetime) -> SessionBegun:
    """
    Begin a session with a value that nobody has seen before: whatever cookie the browser had opens nothing of it.

    The caller has made sure of the proof and writes the audit.
    """
    text = secrets.token_urlsafe(32)
    made = Session(
        new_id(),
        proof.account_id,
        proof.organization_id,
        proof.method,
        proof.second_factor,
        proof.identity_provider_id,
        visit.address,
        visit.user_agent,
        at,
        at,
    )
    store.insert_session(connection, made, digest_of(text), proof.provider)
    return SessionBegun(made, text)


def resume(database: Database, text: str | None, address: str | None) -> Visitor | None:
    """Return whose session a cookie's value is; None for one that is unknown, ended or too old."""
    if not text:
        return None
    at = now()
    with database.read() as connection:
        found = store.find_session(connection, digest_of(text))
    if found is None or found[0].fault(at) is not None:
        return None
    session, name = found
    admission = session.sign_in(at, address)
    actor = Actor(ActorKind.PERSON, name, session.id, session.account_id, session.organization_id, admission=admission)
    bind_actor(ActorKind.PERSON.value, session.id)
    return Visitor(session, actor, session.last_seen_at + USE_NOTED_EVERY <= at)


def note_use(database: Database, visitor: Visitor) -> None:
    """Note, at most once a minute, that a session is in use; never fails a request."""
    with suppress(StoreError, Unavailable), database.write() as connection:
        store.touch_session(connection, visitor.session, now())


def list_all(database: Database, actor: Actor, organization: str, person: str = ME) -> list[Session]:
    """Return a person's sessions that may open an organization: one's own ("me"), or with a permission anybody's."""
    with database.read() as connection:
        owner = the_organization(connection, organization)
        member = _the_member(connection, actor, owner.id, person)
        _require_may_manage(connection, actor, owner.id, member)
        return store.sessions_of_member(connection, member.id, owner.id)


def revoke(
    database: Database, actor: Actor, organization: str, session_id: str, request_id: str | None = None
) -> Session:
    """
    End a session.

    One's own is over everywhere. Whoever manages an organization's users ends what opens it: a session of an account
    that is elsewhere too goes on there, and no session of theirs that began until now opens this organization.
    """
    with database.write() as connection:
        owner = the_organization(connection, organization)
        found = store.find_in_organization(connection, owner.id, session_id)
        if found is None:
            raise NotFound(f"There is no session {session_id!r} here.")
        session, member_id = found
        member = the_member(connection, owner.id, member_id)
        _require_may_manage(connection, actor, owner.id, member)
        change = new_change(owner.id, actor, "session.revoked", now(), request_id)
        is_mine = actor.account_id == session.account_id
        if is_mine or session.organization_id == owner.id:
            store.end_session(connection, session.id, change.at, "revoked")
        else:
            store.end_sessions_of_member(connection, change, member_id)
        add_audit(connection, change, "session.revoked", "session", session.id, {"member": member_id})
        ended = store.find_in_organization(connection, owner.id, session_id)
        assert ended is not None
        return ended[0]


def sign_out(database: Database, text: str | None) -> Session | None:
    """End the session of a cookie's value, and return it as it was; safe to repeat."""
    at = now()
    with database.write() as connection:
        found = store.find_session(connection, digest_of(text)) if text else None
        if found is None or found[0].fault(at) is not None:
            return None
        store.end_session(connection, found[0].id, at, "signed out")
        note_end(connection, found[0], found[1], "session.ended", at)
        return found[0]


def id_token_of(database: Database, keyring: Keyring, text: str | None) -> str | None:
    """Return the ID token with which a live session began, for its identity provider's sign-out."""
    with database.read() as connection:
        found = store.find_session(connection, digest_of(text)) if text else None
        sealed = None if found is None else store.sealed_id_token(connection, found[0].id)
    return None if sealed is None else keyring.open(sealed)


def note_end(connection: Connection, session: Session, name: str, action: str, at: datetime) -> None:
    """Write into the audit of the organization that a session opened alone that it is over."""
    if session.organization_id is not None:
        actor = Actor.of_account(name, session.account_id, session.id)
        change = new_change(session.organization_id, actor, action, at)
        add_audit(connection, change, action, "session", session.id, {"method": session.method.value})


def note_begin(connection: Connection, change: Change, begun: Session, member_id: str) -> None:
    """Write into the audit that a member signed in."""
    detail = {"member": member_id, "method": begun.method.value, "second_factor": begun.second_factor}
    detail |= {"identity_provider": begun.identity_provider_id or "", "address": begun.address or ""}
    add_audit(connection, change, "session.began", "session", begun.id, detail)


def purge(database: Database) -> int:
    """Throw away the sessions that ended, or that nobody used, long ago."""
    with database.write() as connection:
        return store.purge_sessions(connection, now() - 4 * LONGEST_IDLE)


def digest_of(text: str) -> str:
    """Return what is kept of a value that opens something: it has 256 bits of chance, so a plain hash will do."""
    return hashlib.sha256(text.encode()).hexdigest()


def _the_member(connection: Connection, actor: Actor, organization_id: OrganizationId, named: str) -> Member:
    if named != ME or actor.is_trusted:
        return the_member(connection, organization_id, named)
    mine = authority_of(connection, actor, organization_id).member_id
    assert mine is not None
    return the_member(connection, organization_id, mine)


def _require_may_manage(connection: Connection, actor: Actor, organization_id: OrganizationId, member: Member) -> None:
    if actor.is_trusted or actor.account_id == account_of_member(connection, member.id):
        return
    authority_of(connection, actor, organization_id).require(USERS)
