"""Keep how people sign in: identity providers, accounts' methods, sessions, policies, and proofs of domains."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

MOMENT = sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")
TABLES = (
    "break_glass",
    "account_link",
    "recovery_code",
    "account_totp",
    "account_password",
    "authentication_policy",
    "session",
    "logout_token",
    "sign_in_attempt",
    "login_subject",
    "identity_provider",
)
COLUMNS = (
    ("api_token", "made_by_method"),
    ("member", "sessions_ended_at"),
    ("organization_domain", "challenge"),
    ("organization_domain", "proof"),
    ("organization_domain", "verified_at"),
    ("organization_domain", "checked_at"),
    ("organization_domain", "missing_since"),
)


def upgrade() -> None:
    """Make the tables and columns."""
    _accounts()
    _policies()
    _identity_providers()
    _subjects()
    _sessions()
    _attempts()
    _columns()


def downgrade() -> None:
    """Drop them."""
    for table, column in reversed(COLUMNS):
        op.drop_column(table, column)
    for table in TABLES:
        op.drop_table(table)


def _accounts() -> None:
    op.create_table(
        "account_link",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("used_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_account_link_account_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_link")),
        sa.UniqueConstraint("digest", name=op.f("uq_account_link_digest")),
    )
    op.create_index(op.f("ix_account_link_account_id"), "account_link", ["account_id"], unique=False)
    op.create_table(
        "account_password",
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("hash", sa.String(length=255), nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_account_password_account_id_account")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_account_password")),
    )
    op.create_table(
        "account_totp",
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("sealed_secret", sa.Text(), nullable=False),
        sa.Column("confirmed_at", MOMENT, nullable=True),
        sa.Column("last_step", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_account_totp_account_id_account")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_account_totp")),
    )
    op.create_table(
        "recovery_code",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("used_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_recovery_code_account_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_code")),
    )
    op.create_index(op.f("ix_recovery_code_account_id"), "recovery_code", ["account_id"], unique=False)


def _policies() -> None:
    op.create_table(
        "authentication_policy",
        sa.Column("organization_id", sa.String(length=36), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_authentication_policy_organization_id_organization")
        ),
        sa.PrimaryKeyConstraint("organization_id", name=op.f("pk_authentication_policy")),
    )
    op.create_table(
        "break_glass",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("organization_id", sa.String(length=36), nullable=False),
        sa.Column("member_id", sa.String(length=36), nullable=False),
        sa.Column("created_by", sa.String(length=320), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("last_used_at", MOMENT, nullable=True),
        sa.Column("removed_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_break_glass_member_id_member")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_break_glass_organization_id_organization")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_break_glass")),
    )
    op.create_index(op.f("ix_break_glass_member_id"), "break_glass", ["member_id"], unique=False)
    op.create_index("ix_break_glass_organization_id", "break_glass", ["organization_id"], unique=False)


def _identity_providers() -> None:
    op.create_table(
        "identity_provider",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("organization_id", sa.String(length=36), nullable=False),
        sa.Column("directory_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("issuer", sa.String(length=1024), nullable=False),
        sa.Column("client_id", sa.String(length=255), nullable=False),
        sa.Column("sealed_client_secret", sa.Text(), nullable=True),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("domains", sa.Text(), server_default="[]", nullable=False),
        sa.Column("subject_claim", sa.String(length=63), nullable=False),
        sa.Column("subject_attribute", sa.String(length=63), nullable=False),
        sa.Column("groups_claim", sa.String(length=63), nullable=False),
        sa.Column("groups_attribute", sa.String(length=63), nullable=False),
        sa.Column("group_sync", sa.String(length=32), nullable=False),
        sa.Column("join_at_login", sa.String(length=32), nullable=False),
        sa.Column("metadata", sa.Text(), nullable=True),
        sa.Column("keys", sa.Text(), nullable=True),
        sa.Column("fetched_at", MOMENT, nullable=True),
        sa.Column("tested_at", MOMENT, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("removed_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["directory_id"], ["directory.id"], name=op.f("fk_identity_provider_directory_id_directory")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_identity_provider_organization_id_organization")
        ),
        sa.CheckConstraint(
            "group_sync IN ('off', 'add-only', 'authoritative')", name=op.f("ck_identity_provider_group_sync")
        ),
        sa.CheckConstraint(
            "join_at_login IN ('off', 'pending', 'allowed')", name=op.f("ck_identity_provider_join_at_login")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_provider")),
    )
    op.create_index(op.f("ix_identity_provider_directory_id"), "identity_provider", ["directory_id"], unique=False)
    op.create_index(
        "uq_identity_provider_organization_id_name",
        "identity_provider",
        ["organization_id", "name"],
        unique=True,
        sqlite_where=sa.text("removed_at IS NULL"),
        postgresql_where=sa.text("removed_at IS NULL"),
    )


def _subjects() -> None:
    op.create_table(
        "login_subject",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("organization_id", sa.String(length=36), nullable=False),
        sa.Column("identity_provider_id", sa.String(length=36), nullable=False),
        sa.Column("subject", sa.String(length=1024), nullable=False),
        sa.Column("member_id", sa.String(length=36), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["identity_provider_id"],
            ["identity_provider.id"],
            name=op.f("fk_login_subject_identity_provider_id_identity_provider"),
        ),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_login_subject_member_id_member")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_login_subject_organization_id_organization")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_subject")),
        sa.UniqueConstraint(
            "identity_provider_id", "subject", name=op.f("uq_login_subject_identity_provider_id_subject")
        ),
    )
    op.create_index(op.f("ix_login_subject_member_id"), "login_subject", ["member_id"], unique=False)
    op.create_table(
        "logout_token",
        sa.Column("identity_provider_id", sa.String(length=36), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["identity_provider_id"],
            ["identity_provider.id"],
            name=op.f("fk_logout_token_identity_provider_id_identity_provider"),
        ),
        sa.PrimaryKeyConstraint("identity_provider_id", "digest", name=op.f("pk_logout_token")),
    )


def _sessions() -> None:
    op.create_table(
        "session",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("organization_id", sa.String(length=36), nullable=True),
        sa.Column("method", sa.String(length=32), nullable=False),
        sa.Column("second_factor", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("identity_provider_id", sa.String(length=36), nullable=True),
        sa.Column("provider_session", sa.String(length=255), nullable=True),
        sa.Column("provider_subject", sa.String(length=255), nullable=True),
        sa.Column("sealed_id_token", sa.Text(), nullable=True),
        sa.Column("address", sa.String(length=64), nullable=True),
        sa.Column("user_agent", sa.String(length=255), server_default="", nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("last_seen_at", MOMENT, nullable=False),
        sa.Column("longest_idle_seconds", sa.Integer(), server_default="0", nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("ended_because", sa.String(length=63), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_session_account_id_account")),
        sa.ForeignKeyConstraint(
            ["identity_provider_id"],
            ["identity_provider.id"],
            name=op.f("fk_session_identity_provider_id_identity_provider"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_session_organization_id_organization")
        ),
        sa.CheckConstraint("method IN ('oidc', 'password')", name=op.f("ck_session_method")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session")),
        sa.UniqueConstraint("digest", name=op.f("uq_session_digest")),
    )
    op.create_index(op.f("ix_session_account_id"), "session", ["account_id"], unique=False)
    op.create_index(op.f("ix_session_organization_id"), "session", ["organization_id"], unique=False)
    op.create_index(
        "ix_session_provider_session", "session", ["identity_provider_id", "provider_session"], unique=False
    )


def _attempts() -> None:
    op.create_table(
        "sign_in_attempt",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("purpose", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("visitor_digest", sa.String(length=64), nullable=True),
        sa.Column("identity_provider_id", sa.String(length=36), nullable=True),
        sa.Column("account_id", sa.String(length=36), nullable=True),
        sa.Column("sealed", sa.Text(), nullable=True),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_sign_in_attempt_account_id_account")),
        sa.ForeignKeyConstraint(
            ["identity_provider_id"],
            ["identity_provider.id"],
            name=op.f("fk_sign_in_attempt_identity_provider_id_identity_provider"),
        ),
        sa.CheckConstraint("purpose IN ('sign-in', 'test', 'second-factor')", name=op.f("ck_sign_in_attempt_purpose")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_attempt")),
        sa.UniqueConstraint("digest", name=op.f("uq_sign_in_attempt_digest")),
    )
    op.create_index("ix_sign_in_attempt_expires_at", "sign_in_attempt", ["expires_at"], unique=False)


def _columns() -> None:
    op.add_column("api_token", sa.Column("made_by_method", sa.String(length=32), nullable=True))
    op.add_column("member", sa.Column("sessions_ended_at", MOMENT, nullable=True))
    op.add_column(
        "organization_domain", sa.Column("challenge", sa.String(length=64), server_default="", nullable=False)
    )
    op.add_column("organization_domain", sa.Column("proof", sa.String(length=8), nullable=True))
    op.add_column("organization_domain", sa.Column("verified_at", MOMENT, nullable=True))
    op.add_column("organization_domain", sa.Column("checked_at", MOMENT, nullable=True))
    op.add_column("organization_domain", sa.Column("missing_since", MOMENT, nullable=True))
