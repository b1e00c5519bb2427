"""Keep beside each user's document which schema extensions it holds, so that an answer need not look for them."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; users from before have none until they are written again."""
    op.add_column("scim_user", sa.Column("extensions", sa.Text, nullable=True))


def downgrade() -> None:
    """Take it away again."""
    op.drop_column("scim_user", "extensions")
