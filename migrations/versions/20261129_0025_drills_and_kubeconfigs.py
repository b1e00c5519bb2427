"""Keep who was reminded to try a break-glass account, and how people sign in to each cluster."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

MOMENT = sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")


def upgrade() -> None:
    """Make the column and the table."""
    op.add_column("break_glass", sa.Column("reminded_at", MOMENT, nullable=True))
    op.create_table(
        "cluster_sign_in",
        sa.Column("cluster_id", sa.String(length=36), nullable=False),
        sa.Column("organization_id", sa.String(length=36), nullable=False),
        sa.Column("server", sa.String(length=1024), nullable=False),
        sa.Column("authority", sa.Text(), nullable=True),
        sa.Column("issuer", sa.String(length=1024), nullable=False),
        sa.Column("client_id", sa.String(length=255), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["cluster_id"], ["cluster.id"], name=op.f("fk_cluster_sign_in_cluster_id_cluster")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_cluster_sign_in_organization_id_organization")
        ),
        sa.PrimaryKeyConstraint("cluster_id", name=op.f("pk_cluster_sign_in")),
    )
    op.create_index("ix_cluster_sign_in_organization_id", "cluster_sign_in", ["organization_id"], unique=False)


def downgrade() -> None:
    """Drop them."""
    op.drop_table("cluster_sign_in")
    op.drop_column("break_glass", "reminded_at")
