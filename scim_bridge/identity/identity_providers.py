"""Use cases of identity providers: add, list, test, enforce and remove the ways in which a company's people sign in."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.adoption import checked_domain
from scim_bridge.domain.identity_providers import (
    GROUP_ATTRIBUTES,
    GROUPS,
    NEVER_A_SUBJECT,
    SUBJECT_ATTRIBUTES,
    SUBJECTS,
    GroupSync,
    IdentityProviderWanted,
    JoinAtLogin,
    checked_claim,
    checked_issuer,
    checked_scopes,
)
from scim_bridge.domain.identity_providers import IdentityProvider as IdentityProvider
from scim_bridge.domain.people import DirectoryId, DirectoryKind, DirectoryState
from scim_bridge.domain.sessions import SignInMethod
from scim_bridge.errors import Conflict, Invalid, NotFound
from scim_bridge.identity import policies
from scim_bridge.identity.authority import require
from scim_bridge.identity.break_glass import require_working
from scim_bridge.identity.names import checked_name, the_directory, the_organization
from scim_bridge.identity.runtime import Keyring
from scim_bridge.identity.sessions import digest_of
from scim_bridge.store import identity_providers as store
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import Change, add_change, new_change
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.organizations import Organization
from scim_bridge.store.policies import read_policy
from scim_bridge.store.sessions import end_sessions_by_provider
from scim_bridge.store.sign_in_attempts import Attempt, Purpose, insert_attempt

PERMISSION = policies.PERMISSION
NOUN = "identity_provider"
TEST_TIME = timedelta(minutes=30)
# A sign-in that worked a season ago says nothing about today.
TEST_IS_GOOD = timedelta(days=7)
LONGEST_SECRET = 1024


@dataclass(frozen=True, slots=True)
class IdentityProviderView:
    """An identity provider as its organization sees it, without its secret."""

    id: str
    name: str
    directory: str
    issuer: str
    client_id: str
    has_secret: bool
    scopes: tuple[str, ...]
    domains: tuple[str, ...]
    subject: str
    groups: str
    group_sync: str
    join_at_login: str
    tested_at: datetime | None
    enforced: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class TestBegun:
    """A test sign-in: whoever opens the path within the time signs in once, and no session begins."""

    __test__ = False

    provider: str
    path: str = field(repr=False)
    expires_at: datetime


def add(
    database: Database,
    keyring: Keyring,
    actor: Actor,
    organization: str,
    wanted: IdentityProviderWanted,
    client_secret: str | None = None,
    request_id: str | None = None,
) -> IdentityProviderView:
    """
    Add an identity provider through which a directory's people may sign in.

    Raises Invalid for what cannot be one, and for a subject that could be handed from person to person.
    """
    checked_name("an identity provider", wanted.name)
    if client_secret is not None and not 1 <= len(client_secret) <= LONGEST_SECRET:
        raise Invalid(f"A client secret has 1 to {LONGEST_SECRET} characters.", field="client_secret")
    with database.write() as connection:
        owner = the_organization(connection, organization)
        require(connection, actor, owner.id, PERMISSION)
        directory = the_directory(connection, owner.id, wanted.directory)
        if directory.state is DirectoryState.DETACHED:
            raise Conflict(f"The directory {directory.name} is detached: its people are gone.")
        change = new_change(owner.id, actor, "identity_provider.added", now(), request_id)
        made = _checked(wanted, directory.kind, owner, directory.id, change)
        add_change(connection, change, f"identity provider {made.name}")
        store.insert_provider(connection, made, None if client_secret is None else keyring.seal(client_secret))
        add_audit(connection, change, "identity_provider.added", NOUN, made.id, _detail(made))
        return _views(connection, owner, [made])[0]


def list_all(database: Database, organization: str) -> list[IdentityProviderView]:
    """Return an organization's identity providers, by name."""
    with database.read() as connection:
        owner = the_organization(connection, organization)
        return _views(connection, owner, store.list_providers(connection, owner.id))


def show(database: Database, organization: str, named: str) -> IdentityProviderView:
    """Return one identity provider by name or id."""
    with database.read() as connection:
        owner = the_organization(connection, organization)
        return _views(connection, owner, [_the_provider(connection, owner, named)])[0]


def begin_test(
    database: Database, actor: Actor, organization: str, named: str, request_id: str | None = None
) -> TestBegun:
    """Make the address of a test sign-in; it counts when somebody signs in who is an active member here."""
    text = secrets.token_urlsafe(32)
    with database.write() as connection:
        owner = the_organization(connection, organization)
        require(connection, actor, owner.id, PERMISSION)
        found = _the_provider(connection, owner, named)
        change = new_change(owner.id, actor, "identity_provider.test_begun", now(), request_id)
        until = change.at + TEST_TIME
        attempt = Attempt(new_id(), Purpose.TEST, digest_of(text), None, found.id, None, None, change.at, until)
        insert_attempt(connection, attempt)
        add_audit(connection, change, "identity_provider.test_begun", NOUN, found.id, {"name": found.name})
        return TestBegun(found.name, f"/login/test/{text}", until)


def enforce(
    database: Database, actor: Actor, organization: str, named: str, request_id: str | None = None
) -> IdentityProviderView:
    """
    Let people in by identity providers only, from the next click on.

    Raises Conflict unless this one was tested within days and a break-glass account works: otherwise a mistake at the
    identity provider would shut everybody out for good.
    """
    with database.write() as connection:
        owner = the_organization(connection, organization)
        require(connection, actor, owner.id, PERMISSION)
        found = _the_provider(connection, owner, named)
        change = new_change(owner.id, actor, "authentication_policy.changed", now(), request_id)
        if found.tested_at is None or found.tested_at + TEST_IS_GOOD <= change.at:
            raise Conflict(f"Nobody has tested a sign-in by {found.name} lately: test it first, then enforce it.")
        require_working(connection, owner.id)
        policy = read_policy(connection, owner.id)
        if not policy.sso_enforced:
            policies.write(connection, change, policy, policies.with_sso(policy, enforced=True))
        return _views(connection, owner, [found])[0]


def relax(database: Database, actor: Actor, organization: str, request_id: str | None = None) -> None:
    """Let people in by the policy's other methods again."""
    with database.write() as connection:
        owner = the_organization(connection, organization)
        require(connection, actor, owner.id, PERMISSION)
        change = new_change(owner.id, actor, "authentication_policy.changed", now(), request_id)
        policy = read_policy(connection, owner.id)
        if policy.sso_enforced:
            policies.write(connection, change, policy, policies.with_sso(policy, enforced=False))


def remove(
    database: Database, actor: Actor, organization: str, named: str, request_id: str | None = None
) -> IdentityProviderView:
    """
    Take an identity provider away: every session that began with it ends.

    Raises Conflict for the last one of an organization that lets people in by them only.
    """
    with database.write() as connection:
        owner = the_organization(connection, organization)
        require(connection, actor, owner.id, PERMISSION)
        found = _the_provider(connection, owner, named)
        policy = read_policy(connection, owner.id)
        only_door = policy.sso_enforced or policy.methods == (SignInMethod.OIDC,)
        if only_door and len(store.list_providers(connection, owner.id)) == 1:
            raise Conflict(f"{found.name} is the only way in that the organization accepts: allow another one first.")
        change = new_change(owner.id, actor, "identity_provider.removed", now(), request_id)
        add_change(connection, change, f"identity provider {found.name}")
        shown = _views(connection, owner, [found])[0]
        store.remove_provider(connection, change, found.id)
        ended = end_sessions_by_provider(connection, found.id, change.at)
        add_audit(connection, change, "identity_provider.removed", NOUN, found.id, _detail(found) | {"sessions": ended})
        return shown


def change_secret(
    database: Database,
    keyring: Keyring,
    actor: Actor,
    organization: str,
    named: str,
    client_secret: str,
    request_id: str | None = None,
) -> IdentityProviderView:
    """Replace the client secret; a test of before says nothing any more."""
    if not 1 <= len(client_secret) <= LONGEST_SECRET:
        raise Invalid(f"A client secret has 1 to {LONGEST_SECRET} characters.", field="client_secret")
    with database.write() as connection:
        owner = the_organization(connection, organization)
        require(connection, actor, owner.id, PERMISSION)
        found = _the_provider(connection, owner, named)
        change = new_change(owner.id, actor, "identity_provider.secret_changed", now(), request_id)
        add_change(connection, change, f"identity provider {found.name}")
        store.update_secret(connection, found.id, keyring.seal(client_secret))
        add_audit(connection, change, "identity_provider.secret_changed", NOUN, found.id, {"name": found.name})
        return _views(connection, owner, [_the_provider(connection, owner, named)])[0]


def _checked(
    wanted: IdentityProviderWanted, kind: DirectoryKind, owner: Organization, directory_id: DirectoryId, change: Change
) -> IdentityProvider:
    claim, attribute = SUBJECTS.get(kind, ("sub", "externalId"))
    groups_claim, groups_attribute = GROUPS.get(kind, ("groups", "displayName"))
    if not 1 <= len(wanted.client_id) <= 255 or not wanted.client_id.isprintable():
        raise Invalid("A client id has 1 to 255 printable characters.", field="client_id")
    return IdentityProvider(
        new_id(),
        owner.id,
        directory_id,
        wanted.name,
        checked_issuer(wanted.issuer),
        wanted.client_id,
        checked_scopes(wanted.scopes),
        tuple(dict.fromkeys(checked_domain(each) for each in wanted.domains)),
        checked_claim("subject_claim", wanted.subject_claim or claim, NEVER_A_SUBJECT),
        _among("subject_attribute", wanted.subject_attribute or attribute, SUBJECT_ATTRIBUTES),
        checked_claim("groups_claim", wanted.groups_claim or groups_claim),
        _among("groups_attribute", wanted.groups_attribute or groups_attribute, GROUP_ATTRIBUTES),
        GroupSync(_among("group_sync", wanted.group_sync, tuple(GroupSync))),
        JoinAtLogin(_among("join_at_login", wanted.join_at_login, tuple(JoinAtLogin))),
        change.at,
    )


def _among(name: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise Invalid(f"{name} is one of {', '.join(allowed)}.", field=name)
    return value


def _the_provider(connection: Connection, owner: Organization, named: str) -> IdentityProvider:
    found = store.find_provider(connection, owner.id, named)
    if found is None:
        raise NotFound(f"There is no identity provider {named!r} in the organization {owner.slug}.")
    return found


def _views(
    connection: Connection, owner: Organization, providers: list[IdentityProvider]
) -> list[IdentityProviderView]:
    enforced = read_policy(connection, owner.id).sso_enforced
    names = {each.id: the_directory(connection, owner.id, each.directory_id).name for each in providers}
    return [
        IdentityProviderView(
            each.id,
            each.name,
            names[each.id],
            each.issuer,
            each.client_id,
            has_secret=store.has_secret(connection, each.id),
            scopes=each.scopes,
            domains=each.domains,
            subject=f"{each.subject_claim} = {each.subject_attribute}",
            groups=f"{each.groups_claim} = {each.groups_attribute}",
            group_sync=each.group_sync.value,
            join_at_login=each.join_at_login.value,
            tested_at=each.tested_at,
            enforced=enforced,
            created_at=each.created_at,
        )
        for each in providers
    ]


def _detail(provider: IdentityProvider) -> dict[str, object]:
    return {
        "name": provider.name,
        "directory": provider.directory_id,
        "issuer": provider.issuer,
        "client_id": provider.client_id,
        "domains": list(provider.domains),
        "subject": f"{provider.subject_claim} = {provider.subject_attribute}",
        "group_sync": provider.group_sync.value,
        "join_at_login": provider.join_at_login.value,
    }
