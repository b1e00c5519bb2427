"""Keep drafts of rule sets."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

MOMENT = sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")
NAME = "rule_draft"


def upgrade() -> None:
    """Bring the table up."""
    op.create_table(
        NAME,
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("organization_id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(63), nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("base_version", sa.Integer, nullable=False),
        sa.Column("author", sa.String(320), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("held_because", sa.Text, nullable=False, server_default=""),
        sa.Column("apply_at", MOMENT, nullable=True),
        sa.Column("agreed_hash", sa.String(64), nullable=True),
        sa.Column("problem", sa.Text, nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=f"fk_{NAME}_organization_id_organization"
        ),
        sa.PrimaryKeyConstraint("id", name=f"pk_{NAME}"),
        sa.UniqueConstraint("organization_id", "name", name=f"uq_{NAME}_organization_id_name"),
    )


def downgrade() -> None:
    """Take it down; an approval that came from a preview goes with it, and what it let go waits like other removals."""
    op.execute(sa.text("DELETE FROM plan WHERE reason = 'preview'"))
    op.drop_table(NAME)
