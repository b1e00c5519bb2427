"""Keep passkeys, and sessions and sign-ins that begin with one."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

MOMENT = sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")


def upgrade() -> None:
    """Make the table, and allow the new words."""
    op.create_table(
        "passkey",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("credential_id", sa.String(length=1400), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("last_used_at", MOMENT, nullable=True),
        sa.Column("suspected_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_passkey_account_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkey")),
        sa.UniqueConstraint("credential_id", name=op.f("uq_passkey_credential_id")),
    )
    op.create_index(op.f("ix_passkey_account_id"), "passkey", ["account_id"], unique=False)
    _allow("session", "method", "oidc", "password", "passkey")
    _allow("sign_in_attempt", "purpose", "sign-in", "test", "second-factor", "passkey", "new-passkey")


def downgrade() -> None:
    """Drop it, and end what began with a passkey."""
    op.execute("DELETE FROM session WHERE method = 'passkey'")
    op.execute("DELETE FROM sign_in_attempt WHERE purpose IN ('passkey', 'new-passkey')")
    _allow("session", "method", "oidc", "password")
    _allow("sign_in_attempt", "purpose", "sign-in", "test", "second-factor")
    op.drop_table("passkey")


def _allow(table: str, column: str, *words: str) -> None:
    name = op.f(f"ck_{table}_{column}")
    with op.batch_alter_table(table) as batch:
        batch.drop_constraint(name, type_="check")
        batch.create_check_constraint(name, sa.column(column).in_(words))
