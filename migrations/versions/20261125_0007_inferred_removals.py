"""Count who lost something unasked within the hour, by person: a number for each pass counts some people twice."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

MOMENT = sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")


def upgrade() -> None:
    """Bring the table and the columns up."""
    op.create_table(
        "inferred_removal",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("organization_id", sa.String(36), nullable=False),
        sa.Column("cluster_id", sa.String(36), nullable=False),
        sa.Column("pass_id", sa.String(36), nullable=False),
        sa.Column("subject", sa.String(1024), nullable=False),
        sa.Column("person", sa.String(1024), nullable=False),
        sa.Column("removed_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["cluster_id"], ["cluster.id"], name="fk_inferred_removal_cluster_id_cluster"),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name="fk_inferred_removal_organization_id_organization"
        ),
        sa.ForeignKeyConstraint(["pass_id"], ["sync_pass.id"], name="fk_inferred_removal_pass_id_sync_pass"),
        sa.PrimaryKeyConstraint("id", name="pk_inferred_removal"),
    )
    op.create_index("ix_inferred_removal_pass_id", "inferred_removal", ["pass_id"])
    op.create_index(
        "ix_inferred_removal_organization_id_removed_at", "inferred_removal", ["organization_id", "removed_at"]
    )
    op.add_column("sync_pass", sa.Column("subjects_before", sa.Integer, nullable=True))
    op.add_column("sync_pass", sa.Column("people_before", sa.Integer, nullable=True))


def downgrade() -> None:
    """Take them down again."""
    op.drop_column("sync_pass", "people_before")
    op.drop_column("sync_pass", "subjects_before")
    op.drop_table("inferred_removal")
