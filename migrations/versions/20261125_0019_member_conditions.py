"""Let the few members of one source, or active in one time, be found among very many."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_member_organization_id_source", "member", ["organization_id", "source"])
    op.create_index("ix_member_organization_id_last_active_at", "member", ["organization_id", "last_active_at"])


def downgrade() -> None:
    op.drop_index("ix_member_organization_id_last_active_at", "member")
    op.drop_index("ix_member_organization_id_source", "member")
