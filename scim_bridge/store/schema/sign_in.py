"""How people sign in: identity providers, accounts' methods, sessions, and what an organization accepts."""

import sqlalchemy as sa

from scim_bridge.domain.identity_providers import GroupSync, JoinAtLogin
from scim_bridge.domain.sessions import SignInMethod
from scim_bridge.store.schema.columns import (
    id_column,
    metadata,
    moment,
    of_organization,
    one_of,
    reference,
)

identity_provider = sa.Table(
    "identity_provider",
    metadata,
    id_column(),
    of_organization(),
    # Whose people sign in by it.
    reference("directory_id", "directory", index=True),
    sa.Column("name", sa.String(63), nullable=False),
    sa.Column("issuer", sa.String(1024), nullable=False),
    sa.Column("client_id", sa.String(255), nullable=False),
    # Encrypted with the installation's keys; NULL for a public client.
    sa.Column("sealed_client_secret", sa.Text, nullable=True),
    # JSON lists: what is asked for, and whose addresses are sent here.
    sa.Column("scopes", sa.Text, nullable=False),
    sa.Column("domains", sa.Text, nullable=False, server_default="[]"),
    sa.Column("subject_claim", sa.String(63), nullable=False),
    sa.Column("subject_attribute", sa.String(63), nullable=False),
    sa.Column("groups_claim", sa.String(63), nullable=False),
    sa.Column("groups_attribute", sa.String(63), nullable=False),
    one_of("group_sync", *(each.value for each in GroupSync)),
    one_of("join_at_login", *(each.value for each in JoinAtLogin)),
    # The provider's own words, kept for when it does not answer: discovery document and keys.
    sa.Column("metadata", sa.Text, nullable=True),
    sa.Column("keys", sa.Text, nullable=True),
    moment("fetched_at", nullable=True),
    # The last test sign-in that succeeded with the configuration as it is.
    moment("tested_at", nullable=True),
    moment("created_at"),
    moment("removed_at", nullable=True),
)
sa.Index(
    "uq_identity_provider_organization_id_name",
    identity_provider.c.organization_id,
    identity_provider.c.name,
    unique=True,
    sqlite_where=identity_provider.c.removed_at.is_(None),
    postgresql_where=identity_provider.c.removed_at.is_(None),
)

login_subject = sa.Table(
    "login_subject",
    metadata,
    id_column(),
    of_organization(),
    reference("identity_provider_id", "identity_provider"),
    # Somebody who joined by signing in; whom a directory brings is found by the declared attribute instead.
    sa.Column("subject", sa.String(1024), nullable=False),
    reference("member_id", "member", index=True),
    moment("created_at"),
    sa.UniqueConstraint("identity_provider_id", "subject"),
)

sign_in_attempt = sa.Table(
    "sign_in_attempt",
    metadata,
    id_column(),
    one_of("purpose", "sign-in", "test", "second-factor", "passkey", "new-passkey"),
    # Hex SHA-256 of the state that travels, and of the browser's own cookie: neither opens anything from here.
    sa.Column("digest", sa.String(64), nullable=False, unique=True),
    sa.Column("visitor_digest", sa.String(64), nullable=True),
    reference("identity_provider_id", "identity_provider", nullable=True),
    reference("account_id", "account", nullable=True),
    # Encrypted: nonce, PKCE verifier, where to go afterwards.
    sa.Column("sealed", sa.Text, nullable=True),
    sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
    moment("created_at"),
    moment("expires_at"),
    sa.Index("ix_sign_in_attempt_expires_at", "expires_at"),
)

logout_token = sa.Table(
    "logout_token",
    metadata,
    reference("identity_provider_id", "identity_provider"),
    # Hex SHA-256 of the token's jti: one is accepted once.
    sa.Column("digest", sa.String(64), nullable=False),
    moment("seen_at"),
    sa.PrimaryKeyConstraint("identity_provider_id", "digest"),
)

session = sa.Table(
    "session",
    metadata,
    id_column(),
    # Hex SHA-256 of the cookie's value.
    sa.Column("digest", sa.String(64), nullable=False, unique=True),
    reference("account_id", "account", index=True),
    # The one organization that it opens; NULL: every one of the account whose policy accepts the method.
    reference("organization_id", "organization", nullable=True, index=True),
    one_of("method", *(each.value for each in SignInMethod)),
    sa.Column("second_factor", sa.Boolean, nullable=False, server_default=sa.false()),
    reference("identity_provider_id", "identity_provider", nullable=True),
    # What the identity provider calls this session and this person, for its own sign-out.
    sa.Column("provider_session", sa.String(255), nullable=True),
    sa.Column("provider_subject", sa.String(255), nullable=True),
    sa.Column("sealed_id_token", sa.Text, nullable=True),
    sa.Column("address", sa.String(64), nullable=True),
    sa.Column("user_agent", sa.String(255), nullable=False, server_default=""),
    moment("created_at"),
    moment("last_seen_at"),
    # The longest it was not used: an organization that lets nobody be idle so long does not take it back afterwards.
    sa.Column("longest_idle_seconds", sa.Integer, nullable=False, server_default="0"),
    moment("ended_at", nullable=True),
    sa.Column("ended_because", sa.String(63), nullable=True),
    sa.Index("ix_session_provider_session", "identity_provider_id", "provider_session"),
)

authentication_policy = sa.Table(
    "authentication_policy",
    metadata,
    sa.Column("organization_id", sa.String(36), sa.ForeignKey("organization.id"), nullable=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    moment("updated_at"),
    sa.PrimaryKeyConstraint("organization_id"),
)

account_password = sa.Table(
    "account_password",
    metadata,
    sa.Column("account_id", sa.String(36), sa.ForeignKey("account.id"), nullable=False),
    sa.Column("hash", sa.String(255), nullable=False),
    moment("changed_at"),
    sa.PrimaryKeyConstraint("account_id"),
)

account_totp = sa.Table(
    "account_totp",
    metadata,
    sa.Column("account_id", sa.String(36), sa.ForeignKey("account.id"), nullable=False),
    sa.Column("sealed_secret", sa.Text, nullable=False),
    # NULL until the first code was typed: before that it protects nobody.
    moment("confirmed_at", nullable=True),
    # The time step of the last accepted code: none is accepted twice.
    sa.Column("last_step", sa.Integer, nullable=False, server_default="0"),
    moment("created_at"),
    sa.PrimaryKeyConstraint("account_id"),
)

recovery_code = sa.Table(
    "recovery_code",
    metadata,
    id_column(),
    reference("account_id", "account", index=True),
    sa.Column("digest", sa.String(64), nullable=False),
    moment("created_at"),
    moment("used_at", nullable=True),
)

passkey = sa.Table(
    "passkey",
    metadata,
    id_column(),
    reference("account_id", "account", index=True),
    # As browsers write it: base64url of up to 1,023 bytes (WebAuthn §4).
    sa.Column("credential_id", sa.String(1400), nullable=False, unique=True),
    # Base64url of the COSE key; it is public.
    sa.Column("public_key", sa.Text, nullable=False),
    sa.Column("name", sa.String(63), nullable=False),
    sa.Column("sign_count", sa.BigInteger, nullable=False, server_default="0"),
    moment("created_at"),
    moment("last_used_at", nullable=True),
    # When it counted backwards, as a copy of it would: it opens nothing since then.
    moment("suspected_at", nullable=True),
)

account_link = sa.Table(
    "account_link",
    metadata,
    id_column(),
    reference("account_id", "account", index=True),
    # Hex SHA-256 of the secret in a link with which a password is set, once.
    sa.Column("digest", sa.String(64), nullable=False, unique=True),
    moment("created_at"),
    moment("expires_at"),
    moment("used_at", nullable=True),
)

break_glass = sa.Table(
    "break_glass",
    metadata,
    id_column(),
    of_organization(),
    reference("member_id", "member", index=True),
    sa.Column("created_by", sa.String(320), nullable=False),
    moment("created_at"),
    moment("last_used_at", nullable=True),
    # When its owner was written to last, as they had not tried it for too long.
    moment("reminded_at", nullable=True),
    moment("removed_at", nullable=True),
    sa.Index("ix_break_glass_organization_id", "organization_id"),
)
