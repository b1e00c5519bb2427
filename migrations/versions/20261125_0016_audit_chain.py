"""Keep the two ends of every organization's audit chain; find the groups that somebody was in by an index."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

MOMENT = sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")


def upgrade() -> None:
    """Bring the tables up."""
    op.create_table(
        "audit_chain",
        sa.Column("organization_id", sa.String(36), nullable=False),
        sa.Column("cut_sequence", sa.BigInteger, nullable=False),
        sa.Column("cut_hash", sa.String(64), nullable=False),
        sa.Column("head_sequence", sa.BigInteger, nullable=False),
        sa.Column("head_hash", sa.String(64), nullable=False),
        sa.Column("history_since", MOMENT, nullable=True),
        sa.Column("signature", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name="fk_audit_chain_organization_id_organization"
        ),
        sa.PrimaryKeyConstraint("organization_id", name="pk_audit_chain"),
    )
    op.create_index("ix_audit_entry_actor_id", "audit_entry", ["actor_id"])
    op.drop_index("ix_membership_member_id", "membership")
    op.create_index("ix_membership_member_id_valid_to", "membership", ["member_id", "valid_to"])


def downgrade() -> None:
    """Take them down again."""
    op.drop_index("ix_membership_member_id_valid_to", "membership")
    op.create_index(
        "ix_membership_member_id",
        "membership",
        ["member_id"],
        sqlite_where=sa.text("valid_to IS NULL"),
        postgresql_where=sa.text("valid_to IS NULL"),
    )
    op.drop_index("ix_audit_entry_actor_id", "audit_entry")
    op.drop_table("audit_chain")
