"""Use cases of the tokens that open the REST API: make, list and end them, and tell whose a presented one is."""

import hashlib
import secrets
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

from scim_bridge.domain.actors import Actor, ActorKind
from scim_bridge.domain.api_tokens import ApiToken as ApiToken
from scim_bridge.domain.directory_tokens import parse_ranges
from scim_bridge.domain.moments import read_deadline
from scim_bridge.domain.people import AccountId, Member, MemberState
from scim_bridge.domain.sessions import SignIn, TokenUse
from scim_bridge.errors import Conflict, Invalid, NotAuthenticated, NotFound, Refused, StoreError, Unavailable
from scim_bridge.identity.authority import Authority, authority_of
from scim_bridge.identity.names import the_member, the_organization
from scim_bridge.log import bind_actor
from scim_bridge.store import api_tokens as store
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import Change, add_change, new_change
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.organizations import Organization
from scim_bridge.store.people import account_of_member, insert_account_of

ME = "me"
PREFIX = "sbp_"
PREFIX_LENGTH = 12
LONGEST_NAME = 63
# A write for every request would cost more than the request.
USE_NOTED_EVERY = timedelta(minutes=1)

USERS = "organization:users:write"
APPLICATIONS = "organization:app_users:write"


@dataclass(frozen=True, slots=True)
class ApiTokenWanted:
    """
    A new token as a person describes it.

    ``expires`` is ``90d`` or a date, None for never; ``permissions`` None is all that its account may do.
    """

    name: str = ""
    expires: str | None = None
    permissions: tuple[str, ...] | None = None
    ip_ranges: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ShownApiToken:
    """A token the one time that its text is shown."""

    token: ApiToken
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whose a presented token is; ``use_due`` says that its use should be noted."""

    actor: Actor
    token: ApiToken
    use_due: bool


def authenticate(database: Database, text: str | None, address: str | None) -> Bearer:
    """Return whose a token is; raises NotAuthenticated, in the same words whatever is wrong."""
    at = now()
    with database.read() as connection:
        found = store.find_presented(connection, _digest(text)) if text else None
    reason = "No such token." if found is None else found.token.fault(at, address)
    if found is None or reason is not None:
        raise NotAuthenticated("The bearer token is missing, unknown, expired or revoked.", reason)
    token = found.token
    kind = ActorKind.TOKEN if found.is_application else ActorKind.PERSON
    permissions = None if token.permissions is None else frozenset(token.permissions)
    name = f"{found.account_name} ({token.prefix})"
    # An application user's token is judged by its own limits alone: nobody signs in for it.
    admission = None if found.is_application else TokenUse(token.created_at, address, token.made_by_method)
    actor = Actor(kind, name, token.id, token.account_id, token.organization_id, permissions, admission)
    bind_actor(kind.value, token.id)
    return Bearer(actor, token, token.last_used_at is None or token.last_used_at < at - USE_NOTED_EVERY)


def note_use(database: Database, bearer: Bearer, address: str | None, user_agent: str) -> None:
    """Note, at most once a minute, when a token was used and from where; never fails a request."""
    at = now()
    with suppress(StoreError, Unavailable), database.write() as connection:
        store.touch_api_token(connection, bearer.token, at, at - USE_NOTED_EVERY, address, user_agent)


def create(
    database: Database,
    actor: Actor,
    organization: str,
    person: str,
    wanted: ApiTokenWanted | None = None,
    request_id: str | None = None,
) -> ShownApiToken:
    """
    Make a token with which somebody acts in one organization: oneself ("me"), or an application user.

    Only the installation's own terminal makes one for another person. Raises Refused for whoever asks for more than
    they hold, Conflict for a member that is not active.
    """
    asked = wanted or ApiTokenWanted()
    with database.write() as connection:
        owner = the_organization(connection, organization)
        authority = authority_of(connection, actor, owner.id)
        member = _the_member(connection, actor, owner, person)
        _require_active(member)
        _require_may_make(connection, actor, authority, owner, member)
        change = new_change(owner.id, actor, "api_token.created", now(), request_id)
        add_change(connection, change, member.user_name)
        account_id = account_of_member(connection, member.id) or insert_account_of(connection, change, member)
        return _issue(connection, change, account_id, _checked(asked, authority), member)


def list_all(database: Database, actor: Actor, organization: str, person: str) -> list[ApiToken]:
    """Return a member's tokens that open an organization, ended ones too; one's own, or with the right to manage."""
    with database.read() as connection:
        owner = the_organization(connection, organization)
        member = _the_member(connection, actor, owner, person)
        account_id = account_of_member(connection, member.id)
        _require_may_manage(connection, actor, owner, member, account_id)
        return [] if account_id is None else store.tokens_of_account(connection, account_id, owner.id)


def revoke(database: Database, actor: Actor, organization: str, named: str, request_id: str | None = None) -> ApiToken:
    """End the token with this id or prefix at once; one that has ended already stays as it is."""
    with database.write() as connection:
        owner = the_organization(connection, organization)
        found = store.find_api_tokens(connection, owner.id, named)
        if not found:
            raise NotFound(f"There is no token {named!r} in this organization.")
        if len(found) > 1:
            raise Conflict(f"{named!r} names {len(found)} tokens; name one by its id.")
        token, member_id = found[0]
        member = the_member(connection, owner.id, member_id)
        _require_may_manage(connection, actor, owner, member, token.account_id)
        if token.revoked_at is None:
            change = new_change(owner.id, actor, "api_token.revoked", now(), request_id)
            add_change(connection, change, token.prefix)
            store.revoke_api_token(connection, token.id, change.at)
            add_audit(connection, change, "api_token.revoked", "api_token", token.id, {"prefix": token.prefix})
        [(ended, _)] = store.find_api_tokens(connection, owner.id, token.id)
        return ended


def _the_member(connection: Connection, actor: Actor, owner: Organization, named: str) -> Member:
    if named != ME or actor.is_trusted:
        return the_member(connection, owner.id, named)
    mine = authority_of(connection, actor, owner.id).member_id
    assert mine is not None
    return the_member(connection, owner.id, mine)


def _require_active(member: Member) -> None:
    if member.state is not MemberState.ACTIVE:
        raise Conflict(f"{member.user_name} is {member.state.value}: no token of theirs would open anything.")


def _require_may_make(
    connection: Connection, actor: Actor, authority: Authority, owner: Organization, member: Member
) -> None:
    if actor.is_trusted or authority.member_id == member.id:
        return
    if member.is_person:
        raise Refused("Nobody makes a token that acts as another person.")
    authority.require(APPLICATIONS)
    # Whoever has the token may do what the application user may: that is granting it.
    application = Actor(ActorKind.TOKEN, member.user_name, account_id=account_of_member(connection, member.id))
    held = authority_of(connection, application, owner.id)
    for scope in held.scopes:
        missing = held.at(scope) - authority.at(scope)
        if missing:
            raise Refused(f"{member.user_name} may do what you may not: {', '.join(sorted(missing)[:3])}.")


def _require_may_manage(
    connection: Connection, actor: Actor, owner: Organization, member: Member, account_id: AccountId | None
) -> None:
    if actor.is_trusted or (account_id is not None and actor.account_id == account_id):
        return
    authority_of(connection, actor, owner.id).require(USERS if member.is_person else APPLICATIONS)


def _checked(wanted: ApiTokenWanted, authority: Authority) -> ApiTokenWanted:
    if len(wanted.name) > LONGEST_NAME or not wanted.name.isprintable():
        raise Invalid(f"A token's name has at most {LONGEST_NAME} printable characters.", field="name")
    for name in wanted.permissions or ():
        if name not in authority.catalogue.descriptions:
            raise Invalid(f"There is no permission {name!r}.", field="permissions")
    return wanted


def _issue(
    connection: Connection, change: Change, account_id: AccountId, wanted: ApiTokenWanted, member: Member
) -> ShownApiToken:
    text = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken(
        new_id(),
        account_id,
        change.organization_id,
        wanted.name,
        text[:PREFIX_LENGTH],
        None if wanted.permissions is None else tuple(sorted(set(wanted.permissions))),
        parse_ranges(wanted.ip_ranges),
        change.actor.name,
        change.at,
        None if wanted.expires is None else read_deadline(wanted.expires, change.at),
        made_by_method=_method(change.actor),
    )
    store.insert_api_token(connection, token, _digest(text))
    add_audit(connection, change, "api_token.created", "api_token", token.id, _detail(token, member))
    return ShownApiToken(token, text)


def _method(actor: Actor) -> str | None:
    # Made with a token: what that one was made by goes on, lest a chain of tokens lead around a policy.
    match actor.admission:
        case SignIn(method=method):
            return method.value
        case TokenUse(method=method):
            return method
    return None


def _detail(token: ApiToken, member: Member) -> dict[str, object]:
    ranges: Iterable[str] = token.ip_ranges
    return {
        "member": member.id,
        "prefix": token.prefix,
        "name": token.name,
        "permissions": token.permissions,
        "expires_at": token.expires_at,
        "ip_ranges": list(ranges),
    }


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
