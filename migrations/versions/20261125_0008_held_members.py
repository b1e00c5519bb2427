"""Say since when a member is held and which removals were inferred; find users by any of their e-mail addresses."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

MOMENT = sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")


def upgrade() -> None:
    """Add the columns and their indexes."""
    for table in ("membership", "nesting"):
        op.add_column(table, sa.Column("held_since", MOMENT, nullable=True))
        op.add_column(table, sa.Column("inferred", sa.Boolean(), nullable=False, server_default=sa.false()))
    # Users stored before this may have several addresses: asking their document is always right.
    op.add_column("scim_user", sa.Column("more_emails", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute(sa.text("UPDATE scim_user SET more_emails = TRUE"))
    _partial_index("ix_membership_held", "membership", "organization_id", "held")
    _partial_index("ix_scim_user_more_emails", "scim_user", "directory_id", "more_emails")
    op.create_index("ix_user_group_directory_id_display_name_key", "user_group", ["directory_id", "display_name_key"])


def downgrade() -> None:
    """Take them away again."""
    op.drop_index("ix_user_group_directory_id_display_name_key", "user_group")
    op.drop_index("ix_scim_user_more_emails", "scim_user")
    op.drop_index("ix_membership_held", "membership")
    op.drop_column("scim_user", "more_emails")
    for table in ("nesting", "membership"):
        op.drop_column(table, "inferred")
        op.drop_column(table, "held_since")


def _partial_index(name: str, table: str, column: str, flag: str) -> None:
    only = sa.column(flag).is_(sa.true())
    op.create_index(name, table, [column], sqlite_where=only, postgresql_where=only)
