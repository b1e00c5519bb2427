"""Identity providers for signing in, what they last said of themselves, and who joined through them."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from scim_bridge.domain.identity_providers import GroupSync, IdentityProvider, JoinAtLogin
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import DirectoryId, MemberId
from scim_bridge.errors import Conflict
from scim_bridge.store.changes import Change
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.schema import (
    identity_provider,
    login_subject,
    logout_token,
    organization,
    organization_domain,
)


@dataclass(frozen=True, slots=True)
class ProviderWords:
    """What an identity provider last said: its discovery document and its keys, as JSON texts."""

    metadata: str | None = None
    keys: str | None = None
    fetched_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OpenedProvider:
    """An identity provider with all that is needed to talk to it."""

    provider: IdentityProvider
    organization_slug: str
    sealed_client_secret: str | None = field(repr=False)
    words: ProviderWords = ProviderWords()


_LIVE = (
    sa.select(identity_provider, organization.c.slug)
    .join(organization, identity_provider.c.organization_id == organization.c.id)
    .where(identity_provider.c.removed_at.is_(None), organization.c.removed_at.is_(None))
)


def insert_provider(connection: sa.Connection, made: IdentityProvider, sealed_client_secret: str | None) -> None:
    """Add an identity provider; raises Conflict for a name that is taken."""
    values = {
        "id": made.id,
        "organization_id": made.organization_id,
        "directory_id": made.directory_id,
        "name": made.name,
        "issuer": made.issuer,
        "client_id": made.client_id,
        "sealed_client_secret": sealed_client_secret,
        "scopes": orjson.dumps(made.scopes).decode(),
        "domains": orjson.dumps(made.domains).decode(),
        "subject_claim": made.subject_claim,
        "subject_attribute": made.subject_attribute,
        "groups_claim": made.groups_claim,
        "groups_attribute": made.groups_attribute,
        "group_sync": made.group_sync.value,
        "join_at_login": made.join_at_login.value,
        "created_at": made.created_at,
    }
    try:
        connection.execute(sa.insert(identity_provider).values(**values))
    except IntegrityError:
        raise Conflict(f"There is an identity provider {made.name!r} already.") from None


def open_provider(connection: sa.Connection, provider_id: str) -> OpenedProvider | None:
    """Return a present identity provider by its id, whosever it is."""
    row = connection.execute(_LIVE.where(identity_provider.c.id == provider_id)).one_or_none()
    return None if row is None else _opened(row)


def list_providers(connection: sa.Connection, organization_id: OrganizationId) -> list[IdentityProvider]:
    """Return an organization's identity providers, by name."""
    query = _LIVE.where(identity_provider.c.organization_id == organization_id).order_by(identity_provider.c.name)
    return [_provider(row) for row in connection.execute(query)]


def find_provider(connection: sa.Connection, organization_id: OrganizationId, named: str) -> IdentityProvider | None:
    """Return an organization's identity provider by name or id."""
    is_named = sa.or_(identity_provider.c.name == named, identity_provider.c.id == named)
    row = connection.execute(
        _LIVE.where(identity_provider.c.organization_id == organization_id, is_named)
    ).one_or_none()
    return None if row is None else _provider(row)


def has_secret(connection: sa.Connection, provider_id: str) -> bool:
    """Say whether the bridge shows a secret to an identity provider."""
    query = sa.select(identity_provider.c.sealed_client_secret).where(identity_provider.c.id == provider_id)
    return connection.execute(query).scalar_one_or_none() is not None


def providers_of_domain(connection: sa.Connection, domain: str) -> list[IdentityProvider]:
    """Return the identity providers that sign in a domain's people: a domain that their organization has proven."""
    whose = sa.select(organization_domain.c.organization_id).where(
        organization_domain.c.domain == domain, organization_domain.c.state == "verified"
    )
    query = _LIVE.where(identity_provider.c.organization_id.in_(whose)).order_by(identity_provider.c.name)
    found = [_provider(row) for row in connection.execute(query)]
    return [each for each in found if not each.domains or domain in each.domains]


def keep_words(connection: sa.Connection, provider_id: str, words: ProviderWords) -> None:
    """Keep what an identity provider said of itself, for when it does not answer."""
    connection.execute(
        sa.update(identity_provider)
        .where(identity_provider.c.id == provider_id)
        .values(metadata=words.metadata, keys=words.keys, fetched_at=words.fetched_at)
    )


def note_tested(connection: sa.Connection, provider_id: str, at: datetime | None) -> None:
    """Note when a test sign-in succeeded; None: what was tested is no longer so."""
    testing = sa.update(identity_provider).where(identity_provider.c.id == provider_id)
    connection.execute(testing.values(tested_at=at))


def update_secret(connection: sa.Connection, provider_id: str, sealed_client_secret: str | None) -> None:
    """Replace the secret with which the bridge shows who it is; what was tested has to be tested again."""
    changing = sa.update(identity_provider).where(identity_provider.c.id == provider_id)
    connection.execute(changing.values(sealed_client_secret=sealed_client_secret, tested_at=None))


def remove_provider(connection: sa.Connection, change: Change, provider_id: str) -> None:
    """Take an identity provider away, and its secret with it; the row stays for history."""
    removing = sa.update(identity_provider).where(identity_provider.c.id == provider_id)
    connection.execute(removing.values(removed_at=change.at, sealed_client_secret=None))


def member_who_joined(connection: sa.Connection, provider_id: str, subject: str) -> MemberId | None:
    """Return who joined by signing in as this subject, removed or not."""
    query = sa.select(login_subject.c.member_id).where(
        login_subject.c.identity_provider_id == provider_id, login_subject.c.subject == subject
    )
    found = connection.execute(query).scalar_one_or_none()
    return None if found is None else MemberId(found)


def insert_joined(
    connection: sa.Connection, change: Change, provider_id: str, subject: str, member_id: MemberId
) -> None:
    """Note that a member joined by signing in as this subject; nobody else ever is that subject."""
    connection.execute(
        sa.insert(login_subject).values(
            id=new_id(),
            organization_id=change.organization_id,
            identity_provider_id=provider_id,
            subject=subject,
            member_id=member_id,
            created_at=change.at,
        )
    )


def first_seen(connection: sa.Connection, provider_id: str, digest: str, at: datetime, before: datetime) -> bool:
    """Note a sign-out token and tell whether it is new; those of before a moment are forgotten."""
    connection.execute(sa.delete(logout_token).where(logout_token.c.seen_at < before))
    known = sa.select(logout_token.c.digest).where(
        logout_token.c.identity_provider_id == provider_id, logout_token.c.digest == digest
    )
    if connection.execute(known).first() is not None:
        return False
    try:
        connection.execute(sa.insert(logout_token).values(identity_provider_id=provider_id, digest=digest, seen_at=at))
    except IntegrityError:
        # The same token came to another process in this moment.
        return False
    return True


def _opened(row: sa.Row[Any]) -> OpenedProvider:
    words = ProviderWords(row.metadata, row.keys, row.fetched_at)
    return OpenedProvider(_provider(row), row.slug, row.sealed_client_secret, words)


def _provider(row: sa.Row[Any]) -> IdentityProvider:
    return IdentityProvider(
        row.id,
        OrganizationId(row.organization_id),
        DirectoryId(row.directory_id),
        row.name,
        row.issuer,
        row.client_id,
        tuple(orjson.loads(row.scopes)),
        tuple(orjson.loads(row.domains)),
        row.subject_claim,
        row.subject_attribute,
        row.groups_claim,
        row.groups_attribute,
        GroupSync(row.group_sync),
        JoinAtLogin(row.join_at_login),
        row.created_at,
        row.tested_at,
    )
