"""Let indexes alone count and page a directory's users, and list a group's members."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Replace the index of users, and add the one of members."""
    op.drop_index("ix_scim_user_directory_id_id", "scim_user")
    op.create_index("ix_scim_user_directory_id_id_removed_at", "scim_user", ["directory_id", "id", "removed_at"])
    in_force = sa.column("valid_to").is_(None)
    op.create_index(
        "ix_membership_listed",
        "membership",
        ["group_id", "scim_user_id", "origin", "held", "valid_to"],
        sqlite_where=in_force,
        postgresql_where=in_force,
    )


def downgrade() -> None:
    """Take it away again."""
    op.drop_index("ix_membership_listed", "membership")
    op.drop_index("ix_scim_user_directory_id_id_removed_at", "scim_user")
    op.create_index("ix_scim_user_directory_id_id", "scim_user", ["directory_id", "id"])
