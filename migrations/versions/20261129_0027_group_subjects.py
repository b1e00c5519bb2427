"""Let groups stand for people on clusters: how tokens name them, which group a subject is, what lasts with a token."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

MOMENT = sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")
POLICY = ("group_case", "group_directory", "group_filter", "group_limit", "token_minutes", "excluded_namespaces")
MOVED = (
    "UPDATE {to} SET group_template = (SELECT other.group_template FROM {of} other WHERE other.{key} = {to}.{own}) "
    "WHERE EXISTS (SELECT 1 FROM {of} other WHERE other.{key} = {to}.{own} AND other.group_template IS NOT NULL)"
)


def upgrade() -> None:
    """Add the columns; how a cluster names groups becomes a part of its policy."""
    op.add_column("cluster", sa.Column("group_case", sa.String(32), nullable=False, server_default="keep"))
    op.add_column("cluster", sa.Column("group_directory", sa.String(36), nullable=True))
    op.add_column("cluster", sa.Column("group_filter", sa.String(255), nullable=False, server_default="*"))
    op.add_column("cluster", sa.Column("group_limit", sa.Integer, nullable=False, server_default="200"))
    op.add_column("cluster", sa.Column("token_minutes", sa.Integer, nullable=False, server_default="60"))
    op.add_column("cluster", sa.Column("excluded_namespaces", sa.String(1024), nullable=False, server_default=""))
    op.execute(MOVED.format(to="cluster", of="cluster_safety", key="cluster_id", own="id"))
    op.drop_column("cluster_safety", "group_template")
    op.add_column("applied_subject", sa.Column("group_id", sa.String(36), nullable=True))
    op.create_index(
        "ix_applied_subject_group_id",
        "applied_subject",
        ["group_id"],
        sqlite_where=sa.text("group_id IS NOT NULL"),
        postgresql_where=sa.text("group_id IS NOT NULL"),
    )
    op.add_column("removal_request_cluster", sa.Column("lingers", sa.Text, nullable=True))
    op.add_column("removal_request_cluster", sa.Column("lingers_until", MOMENT, nullable=True))


def downgrade() -> None:
    """Drop them again."""
    op.drop_column("removal_request_cluster", "lingers_until")
    op.drop_column("removal_request_cluster", "lingers")
    op.drop_index("ix_applied_subject_group_id", "applied_subject")
    op.drop_column("applied_subject", "group_id")
    op.add_column("cluster_safety", sa.Column("group_template", sa.String(255), nullable=True))
    op.execute(MOVED.format(to="cluster_safety", of="cluster", key="id", own="cluster_id"))
    for column in reversed(POLICY):
        op.drop_column("cluster", column)
