"""Find removed users by their name: whoever comes back is the same person."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the index up."""
    op.create_index(
        "ix_scim_user_removed",
        "scim_user",
        ["directory_id", "user_name_key"],
        unique=False,
        sqlite_where=sa.text("removed_at IS NOT NULL"),
        postgresql_where=sa.text("removed_at IS NOT NULL"),
    )


def downgrade() -> None:
    """Take it down again."""
    op.drop_index("ix_scim_user_removed", "scim_user")
