"""Keep whom a directory brought who may be somebody that is here already; let a domain belong to one organization."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

MOMENT = sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")
NAME = "adoption_conflict"
REFERENCES = (
    ("organization_id", "organization"),
    ("directory_id", "directory"),
    ("waiting_id", "member"),
    ("candidate_id", "member"),
)


def upgrade() -> None:
    """Bring the table and the indexes up."""
    op.create_table(
        NAME,
        sa.Column("id", sa.String(36), nullable=False),
        *(sa.Column(column, sa.String(36), nullable=False) for column, _ in REFERENCES),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("closed_at", MOMENT, nullable=True),
        sa.CheckConstraint("state IN ('open', 'claimed', 'dismissed')", name="ck_adoption_conflict_state"),
        *(
            sa.ForeignKeyConstraint([column], [f"{target}.id"], name=f"fk_{NAME}_{column}_{target}")
            for column, target in REFERENCES
        ),
        sa.PrimaryKeyConstraint("id", name=f"pk_{NAME}"),
    )
    op.create_index("ix_adoption_conflict_organization_id_state", NAME, ["organization_id", "state"])
    op.create_index("ix_adoption_conflict_waiting_id", NAME, ["waiting_id"])
    present = sa.text("state <> 'removed'")
    op.create_index(
        "uq_organization_domain_domain",
        "organization_domain",
        ["domain"],
        unique=True,
        sqlite_where=present,
        postgresql_where=present,
    )


def downgrade() -> None:
    """Take them down again."""
    op.drop_index("uq_organization_domain_domain", "organization_domain")
    op.drop_table(NAME)
