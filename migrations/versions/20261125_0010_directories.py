"""Let a token take over from another: the old one ends when the new one is used."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("directory_token", sa.Column("replaces_id", sa.String(36), nullable=True))


def downgrade() -> None:
    """Take it away again."""
    op.drop_column("directory_token", "replaces_id")
