"""Freezes, the way in that does not depend on the bridge, proofs of removals, and what a pass changed for whom."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

MOMENT = sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")


def upgrade() -> None:
    """Bring the tables and columns up."""
    _add_freezes()
    _add_safety()
    _add_proofs()
    op.add_column("sync_pass", sa.Column("frozen", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("sync_pass", sa.Column("changes", sa.Text, nullable=True))
    op.create_index(
        "ix_removal_request_cluster_cluster_id_done_at", "removal_request_cluster", ["cluster_id", "done_at"]
    )


def downgrade() -> None:
    """Take them down again."""
    op.drop_index("ix_removal_request_cluster_cluster_id_done_at", "removal_request_cluster")
    op.drop_column("sync_pass", "changes")
    op.drop_column("sync_pass", "frozen")
    for name in ("removal_proof", "cluster_safety", "freeze"):
        op.drop_table(name)


def _add_freezes() -> None:
    op.create_table(
        "freeze",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("organization_id", sa.String(36), nullable=True),
        sa.Column("cluster_id", sa.String(36), nullable=True),
        sa.Column("binding", sa.String(128), nullable=True),
        sa.Column("including_revocations", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("reason", sa.Text, nullable=False, server_default=""),
        sa.Column("begun_by", sa.String(320), nullable=False),
        sa.Column("begun_at", MOMENT, nullable=False),
        sa.Column("ends_at", MOMENT, nullable=True),
        sa.Column("ended_by", sa.String(320), nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        *_references("freeze", organization_id="organization", cluster_id="cluster"),
        sa.PrimaryKeyConstraint("id", name="pk_freeze"),
    )
    op.create_index("ix_freeze_organization_id", "freeze", ["organization_id"])


def _add_safety() -> None:
    op.create_table(
        "cluster_safety",
        sa.Column("cluster_id", sa.String(36), nullable=False),
        sa.Column("organization_id", sa.String(36), nullable=False),
        sa.Column("break_glass", sa.String(320), nullable=True),
        sa.Column("break_glass_seen_at", MOMENT, nullable=True),
        sa.Column("break_glass_problem", sa.Text, nullable=True),
        sa.Column("group_template", sa.String(255), nullable=True),
        sa.Column("changed_at", MOMENT, nullable=False),
        *_references("cluster_safety", cluster_id="cluster", organization_id="organization"),
        sa.PrimaryKeyConstraint("cluster_id", name="pk_cluster_safety"),
    )


def _add_proofs() -> None:
    op.create_table(
        "removal_proof",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("organization_id", sa.String(36), nullable=False),
        sa.Column("removal_request_id", sa.String(36), nullable=False),
        sa.Column("cluster_id", sa.String(36), nullable=False),
        sa.Column("member_id", sa.String(36), nullable=False),
        sa.Column("verdict", sa.String(32), nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("asked_for_at", MOMENT, nullable=False),
        sa.Column("retry_at", MOMENT, nullable=True),
        sa.Column("proven_at", MOMENT, nullable=True),
        sa.CheckConstraint("verdict IN ('pending', 'gone', 'still', 'unknown')", name="ck_removal_proof_verdict"),
        *_references(
            "removal_proof",
            organization_id="organization",
            removal_request_id="removal_request",
            cluster_id="cluster",
            member_id="member",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_removal_proof"),
        sa.UniqueConstraint("removal_request_id", "cluster_id", name="uq_removal_proof_removal_request_id_cluster_id"),
    )
    op.create_index("ix_removal_proof_removal_request_id", "removal_proof", ["removal_request_id"])
    op.create_index("ix_removal_proof_member_id", "removal_proof", ["member_id"])
    op.create_index("ix_removal_proof_cluster_id_verdict", "removal_proof", ["cluster_id", "verdict"])


def _references(table: str, **columns: str) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint([column], [f"{target}.id"], name=f"fk_{table}_{column}_{target}")
        for column, target in columns.items()
    ]
