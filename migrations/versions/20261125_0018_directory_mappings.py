"""Let a directory say how its documents become people: versions of its mapping, and what it makes of each user."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

MOMENT = sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")
NAME = "directory_mapping"
REFERENCES = (("organization_id", "organization"), ("directory_id", "directory"))


def upgrade() -> None:
    """Bring the table, the columns and the index up."""
    op.create_table(
        NAME,
        sa.Column("id", sa.String(36), nullable=False),
        *(sa.Column(column, sa.String(36), nullable=False) for column, _ in REFERENCES),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("document", sa.Text, nullable=True),
        sa.Column("author", sa.String(320), nullable=False),
        sa.Column("valid_from", MOMENT, nullable=False),
        sa.Column("valid_to", MOMENT, nullable=True),
        *(
            sa.ForeignKeyConstraint([column], [f"{target}.id"], name=f"fk_{NAME}_{column}_{target}")
            for column, target in REFERENCES
        ),
        sa.PrimaryKeyConstraint("id", name=f"pk_{NAME}"),
        sa.UniqueConstraint("directory_id", "version", name=f"uq_{NAME}_directory_id_version"),
    )
    op.add_column("directory", sa.Column("mapping", sa.Text, nullable=True))
    op.add_column("scim_user", sa.Column("mapped", sa.Text, nullable=True))
    op.add_column("scim_user", sa.Column("lacks", sa.Text, nullable=True))
    some = sa.text("lacks IS NOT NULL")
    op.create_index("ix_scim_user_lacks", "scim_user", ["directory_id"], sqlite_where=some, postgresql_where=some)


def downgrade() -> None:
    """Take them down again."""
    op.drop_index("ix_scim_user_lacks", "scim_user")
    op.drop_column("scim_user", "lacks")
    op.drop_column("scim_user", "mapped")
    op.drop_column("directory", "mapping")
    op.drop_table(NAME)
