"""Create the tables of records: changes, removals, audit, the provisioning log, leases."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

MOMENT = sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")


def upgrade() -> None:
    """Bring the tables up."""
    _create_lease()
    _create_audit_entry()
    _create_change_row()
    _create_provisioning_log()
    _create_removal_request()
    _create_removal_request_cluster()


def downgrade() -> None:
    """Take them down again."""
    for table in (
        "removal_request_cluster",
        "removal_request",
        "provisioning_log",
        "change_row",
        "audit_entry",
        "lease",
    ):
        op.drop_table(table)


def _create_lease() -> None:
    op.create_table(
        "lease",
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("holder", sa.String(128), nullable=True),
        sa.Column("until", MOMENT, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_lease"),
    )


def _create_audit_entry() -> None:
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("organization_id", sa.String(36), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("actor_kind", sa.String(32), nullable=False),
        sa.Column("actor_id", sa.String(36), nullable=True),
        sa.Column("actor_name", sa.String(320), nullable=False),
        sa.Column("action", sa.String(63), nullable=False),
        sa.Column("noun", sa.String(32), nullable=False),
        sa.Column("object_id", sa.String(36), nullable=False),
        sa.Column("request_id", sa.String(64), nullable=True),
        sa.Column("change_id", sa.String(36), nullable=True),
        sa.Column("detail", sa.Text, nullable=True),
        sa.Column("salt", sa.String(32), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=True),
        sa.Column("previous_hash", sa.String(64), nullable=True),
        sa.Column("hash", sa.String(64), nullable=True),
        sa.Column("sealed_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name="fk_audit_entry_organization_id_organization"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_audit_entry"),
        sa.UniqueConstraint("organization_id", "sequence", name="uq_audit_entry_organization_id_sequence"),
    )
    op.create_index("ix_audit_entry_object_id", "audit_entry", ["object_id"], unique=False)
    op.create_index("ix_audit_entry_organization_id_at", "audit_entry", ["organization_id", "at"], unique=False)
    op.create_index(
        "ix_audit_entry_unsealed",
        "audit_entry",
        ["organization_id", "id"],
        unique=False,
        sqlite_where=sa.text("sequence IS NULL"),
        postgresql_where=sa.text("sequence IS NULL"),
    )


def _create_change_row() -> None:
    op.create_table(
        "change_row",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("organization_id", sa.String(36), nullable=False),
        sa.Column("kind", sa.String(63), nullable=False),
        sa.Column("about", sa.Text, nullable=False, server_default=""),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("dispatched_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name="fk_change_row_organization_id_organization"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_change_row"),
    )
    op.create_index("ix_change_row_organization_id_id", "change_row", ["organization_id", "id"], unique=False)
    op.create_index(
        "ix_change_row_waiting",
        "change_row",
        ["id"],
        unique=False,
        sqlite_where=sa.text("dispatched_at IS NULL"),
        postgresql_where=sa.text("dispatched_at IS NULL"),
    )


def _create_provisioning_log() -> None:
    op.create_table(
        "provisioning_log",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("organization_id", sa.String(36), nullable=True),
        sa.Column("directory_id", sa.String(36), nullable=True),
        sa.Column("token_id", sa.String(36), nullable=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("method", sa.String(8), nullable=False),
        sa.Column("target", sa.String(2048), nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("scim_type", sa.String(32), nullable=True),
        sa.Column("message", sa.Text, nullable=True),
        sa.Column("request_body", sa.Text, nullable=True),
        sa.Column("user_agent", sa.String(255), nullable=True),
        sa.Column("address", sa.String(64), nullable=True),
        sa.Column("noun", sa.String(32), nullable=True),
        sa.Column("object_id", sa.String(36), nullable=True),
        sa.Column("change_id", sa.String(36), nullable=True),
        sa.Column("milliseconds", sa.Integer, nullable=True),
        sa.ForeignKeyConstraint(["change_id"], ["change_row.id"], name="fk_provisioning_log_change_id_change_row"),
        sa.ForeignKeyConstraint(["directory_id"], ["directory.id"], name="fk_provisioning_log_directory_id_directory"),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name="fk_provisioning_log_organization_id_organization"
        ),
        sa.ForeignKeyConstraint(
            ["token_id"], ["directory_token.id"], name="fk_provisioning_log_token_id_directory_token"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_provisioning_log"),
    )
    op.create_index("ix_provisioning_log_directory_id_id", "provisioning_log", ["directory_id", "id"], unique=False)
    op.create_index("ix_provisioning_log_object_id", "provisioning_log", ["object_id"], unique=False)


def _create_removal_request() -> None:
    op.create_table(
        "removal_request",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("organization_id", sa.String(36), nullable=False),
        sa.Column("member_id", sa.String(36), nullable=False),
        sa.Column("change_id", sa.String(36), nullable=True),
        sa.Column("cause", sa.String(32), nullable=False),
        sa.Column("extent", sa.Text, nullable=True),
        sa.Column("actor", sa.String(320), nullable=False),
        sa.Column("requested_at", MOMENT, nullable=False),
        sa.Column("closed_at", MOMENT, nullable=True),
        sa.Column("outcome", sa.String(32), nullable=True),
        sa.Column("dispatched_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["change_id"], ["change_row.id"], name="fk_removal_request_change_id_change_row"),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name="fk_removal_request_member_id_member"),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name="fk_removal_request_organization_id_organization"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_removal_request"),
    )
    op.create_index("ix_removal_request_member_id", "removal_request", ["member_id"], unique=False)
    op.create_index(
        "ix_removal_request_open",
        "removal_request",
        ["id"],
        unique=False,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index("ix_removal_request_organization_id", "removal_request", ["organization_id"], unique=False)


def _create_removal_request_cluster() -> None:
    op.create_table(
        "removal_request_cluster",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("organization_id", sa.String(36), nullable=False),
        sa.Column("removal_request_id", sa.String(36), nullable=False),
        sa.Column("cluster_id", sa.String(36), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("retry_at", MOMENT, nullable=True),
        sa.Column("last_error", sa.Text, nullable=True),
        sa.Column("done_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["cluster_id"], ["cluster.id"], name="fk_removal_request_cluster_cluster_id_cluster"),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name="fk_removal_request_cluster_organization_id_organization"
        ),
        sa.ForeignKeyConstraint(
            ["removal_request_id"],
            ["removal_request.id"],
            name="fk_removal_request_cluster_removal_request_id_removal_request",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_removal_request_cluster"),
        sa.UniqueConstraint(
            "removal_request_id", "cluster_id", name="uq_removal_request_cluster_removal_request_id_cluster_id"
        ),
    )
    op.create_index(
        "ix_removal_request_cluster_open",
        "removal_request_cluster",
        ["cluster_id"],
        unique=False,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index(
        "ix_removal_request_cluster_removal_request_id", "removal_request_cluster", ["removal_request_id"], unique=False
    )
