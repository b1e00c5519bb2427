"""Keep the two ends of every organization's audit chain; find people by name without reading all of them."""

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
    op.create_index("ix_member_organization_id_user_name", "member", ["organization_id", sa.text("lower(user_name)")])


def downgrade() -> None:
    """Take them down again."""
    op.drop_index("ix_member_organization_id_user_name", "member")
    op.drop_index("ix_audit_entry_actor_id", "audit_entry")
    op.drop_table("audit_chain")
