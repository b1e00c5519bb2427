"""Create the tables of clusters: what was written to clusters, and how their passes went."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

MOMENT = sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")


def upgrade() -> None:
    """Bring the tables up."""
    _create_applied_binding()
    _create_cluster_condition()
    _create_cluster_sync()
    _create_plan()
    _create_sync_pass()
    _create_applied_subject()


def downgrade() -> None:
    """Take them down again."""
    for table in ("applied_subject", "sync_pass", "plan", "cluster_sync", "cluster_condition", "applied_binding"):
        op.drop_table(table)


def _create_applied_binding() -> None:
    op.create_table(
        "applied_binding",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("organization_id", sa.String(36), nullable=False),
        sa.Column("cluster_id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(63), nullable=False),
        sa.Column("namespace", sa.String(63), nullable=False, server_default=""),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("uid", sa.String(64), nullable=False),
        sa.Column("resource_version", sa.String(128), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("subject_count", sa.Integer, nullable=False),
        sa.Column("applied_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["cluster_id"], ["cluster.id"], name="fk_applied_binding_cluster_id_cluster"),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name="fk_applied_binding_organization_id_organization"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_applied_binding"),
        sa.UniqueConstraint("cluster_id", "namespace", "name", name="uq_applied_binding_cluster_id_namespace_name"),
    )


def _create_cluster_condition() -> None:
    op.create_table(
        "cluster_condition",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("organization_id", sa.String(36), nullable=False),
        sa.Column("cluster_id", sa.String(36), nullable=False),
        sa.Column("kind", sa.String(63), nullable=False),
        sa.Column("about", sa.String(255), nullable=False, server_default=""),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["cluster_id"], ["cluster.id"], name="fk_cluster_condition_cluster_id_cluster"),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name="fk_cluster_condition_organization_id_organization"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_cluster_condition"),
        sa.UniqueConstraint("cluster_id", "kind", "about", name="uq_cluster_condition_cluster_id_kind_about"),
    )


def _create_cluster_sync() -> None:
    op.create_table(
        "cluster_sync",
        sa.Column("cluster_id", sa.String(36), nullable=False),
        sa.Column("organization_id", sa.String(36), nullable=False),
        sa.Column("generation", sa.BigInteger, nullable=False, server_default="1"),
        sa.Column("done_generation", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("due_since", MOMENT, nullable=True),
        sa.Column("next_pass_at", MOMENT, nullable=True),
        sa.Column("retry_at", MOMENT, nullable=True),
        sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
        sa.Column("last_success_at", MOMENT, nullable=True),
        sa.Column("last_attempt_at", MOMENT, nullable=True),
        sa.Column("last_revision", sa.String(36), nullable=True),
        sa.Column("last_error", sa.Text, nullable=True),
        sa.Column("health", sa.String(32), nullable=False, server_default="unknown"),
        sa.ForeignKeyConstraint(["cluster_id"], ["cluster.id"], name="fk_cluster_sync_cluster_id_cluster"),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name="fk_cluster_sync_organization_id_organization"
        ),
        sa.PrimaryKeyConstraint("cluster_id", name="pk_cluster_sync"),
    )
    op.create_index("ix_cluster_sync_organization_id", "cluster_sync", ["organization_id"], unique=False)


def _create_plan() -> None:
    op.create_table(
        "plan",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("organization_id", sa.String(36), nullable=False),
        sa.Column("cluster_id", sa.String(36), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("removals", sa.Integer, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("approved_by", sa.String(320), nullable=True),
        sa.Column("approved_at", MOMENT, nullable=True),
        sa.Column("expires_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["cluster_id"], ["cluster.id"], name="fk_plan_cluster_id_cluster"),
        sa.ForeignKeyConstraint(["organization_id"], ["organization.id"], name="fk_plan_organization_id_organization"),
        sa.PrimaryKeyConstraint("id", name="pk_plan"),
    )
    op.create_index("ix_plan_cluster_id", "plan", ["cluster_id"], unique=False)


def _create_sync_pass() -> None:
    op.create_table(
        "sync_pass",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("organization_id", sa.String(36), nullable=False),
        sa.Column("cluster_id", sa.String(36), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("finished_at", MOMENT, nullable=True),
        sa.Column("revision", sa.String(36), nullable=True),
        sa.Column("epoch", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("plan_hash", sa.String(64), nullable=True),
        sa.Column("created", sa.Integer, nullable=False, server_default="0"),
        sa.Column("updated", sa.Integer, nullable=False, server_default="0"),
        sa.Column("deleted", sa.Integer, nullable=False, server_default="0"),
        sa.Column("subjects_added", sa.Integer, nullable=False, server_default="0"),
        sa.Column("subjects_removed", sa.Integer, nullable=False, server_default="0"),
        sa.Column("inferred_removed", sa.Integer, nullable=False, server_default="0"),
        sa.Column("held", sa.Integer, nullable=False, server_default="0"),
        sa.Column("failed", sa.Integer, nullable=False, server_default="0"),
        sa.Column("message", sa.Text, nullable=True),
        sa.ForeignKeyConstraint(["cluster_id"], ["cluster.id"], name="fk_sync_pass_cluster_id_cluster"),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name="fk_sync_pass_organization_id_organization"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_sync_pass"),
    )
    op.create_index("ix_sync_pass_cluster_id_id", "sync_pass", ["cluster_id", "id"], unique=False)
    op.create_index(
        "ix_sync_pass_organization_id_started_at", "sync_pass", ["organization_id", "started_at"], unique=False
    )


def _create_applied_subject() -> None:
    op.create_table(
        "applied_subject",
        sa.Column("cluster_id", sa.String(36), nullable=False),
        sa.Column("subject", sa.String(1024), nullable=False),
        sa.Column("binding_id", sa.String(36), nullable=False),
        sa.Column("member_id", sa.String(36), nullable=True),
        sa.ForeignKeyConstraint(
            ["binding_id"],
            ["applied_binding.id"],
            name="fk_applied_subject_binding_id_applied_binding",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["cluster_id"], ["cluster.id"], name="fk_applied_subject_cluster_id_cluster"),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name="fk_applied_subject_member_id_member"),
        sa.PrimaryKeyConstraint("cluster_id", "subject", "binding_id", name="pk_applied_subject"),
    )
    op.create_index("ix_applied_subject_binding_id", "applied_subject", ["binding_id"], unique=False)
    op.create_index("ix_applied_subject_member_id", "applied_subject", ["member_id"], unique=False)
