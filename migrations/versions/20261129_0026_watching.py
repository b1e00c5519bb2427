"""Keep counters of clusters, what the nightly look at them found, and whether they want Events."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

MOMENT = sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")


def upgrade() -> None:
    """Make the tables and the column."""
    op.create_table(
        "cluster_counter",
        sa.Column("cluster_id", sa.String(36), nullable=False),
        sa.Column("organization_id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("label", sa.String(64), nullable=False),
        sa.Column("amount", sa.Float, nullable=False, server_default="0"),
        *_references("cluster_counter"),
        sa.PrimaryKeyConstraint("cluster_id", "name", "label", name="pk_cluster_counter"),
    )
    op.create_table(
        "cluster_scan",
        sa.Column("cluster_id", sa.String(36), nullable=False),
        sa.Column("organization_id", sa.String(36), nullable=False),
        sa.Column("next_at", MOMENT, nullable=False),
        sa.Column("scanned_at", MOMENT, nullable=True),
        sa.Column("problem", sa.Text, nullable=True),
        sa.Column("document", sa.Text, nullable=False, server_default="{}"),
        *_references("cluster_scan"),
        sa.PrimaryKeyConstraint("cluster_id", name="pk_cluster_scan"),
    )
    op.add_column("cluster_safety", sa.Column("events", sa.Boolean, nullable=False, server_default=sa.false()))


def downgrade() -> None:
    """Take them down again."""
    op.drop_column("cluster_safety", "events")
    op.drop_table("cluster_scan")
    op.drop_table("cluster_counter")


def _references(table: str) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint([f"{target}_id"], [f"{target}.id"], name=f"fk_{table}_{target}_id_{target}")
        for target in ("cluster", "organization")
    ]
