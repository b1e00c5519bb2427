"""Keep the silences of directories, which tell their rhythm, and what was found about them."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

MOMENT = sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")


def upgrade() -> None:
    """Bring the tables up."""
    _table(
        "directory_silence",
        sa.Column("ended_at", MOMENT, nullable=False),
        sa.Column("seconds", sa.Integer, nullable=False),
    )
    op.create_index("ix_directory_silence_directory_id_ended_at", "directory_silence", ["directory_id", "ended_at"])
    _table(
        "directory_condition",
        sa.Column("kind", sa.String(63), nullable=False),
        sa.Column("about", sa.String(255), nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.UniqueConstraint("directory_id", "kind", "about", name="uq_directory_condition_directory_id_kind_about"),
    )


def downgrade() -> None:
    """Take them down again."""
    op.drop_table("directory_condition")
    op.drop_table("directory_silence")


def _table(name: str, *columns: sa.Column[Any] | sa.UniqueConstraint) -> None:
    op.create_table(
        name,
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("organization_id", sa.String(36), nullable=False),
        sa.Column("directory_id", sa.String(36), nullable=False),
        *columns,
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=f"fk_{name}_organization_id_organization"
        ),
        sa.ForeignKeyConstraint(["directory_id"], ["directory.id"], name=f"fk_{name}_directory_id_directory"),
        sa.PrimaryKeyConstraint("id", name=f"pk_{name}"),
    )
