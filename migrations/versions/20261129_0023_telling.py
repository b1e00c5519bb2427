"""Webhooks and their deliveries, alerts and who hears of them, and how far syslog was told the audit."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

MOMENT = sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")


def upgrade() -> None:
    """Bring the tables up."""
    _add_webhooks()
    _add_deliveries()
    _add_alerts()
    op.create_table(
        "audit_stream",
        sa.Column("organization_id", sa.String(36), nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        *_references("audit_stream", organization_id="organization"),
        sa.PrimaryKeyConstraint("organization_id", name="pk_audit_stream"),
    )


def downgrade() -> None:
    """Take them down again."""
    for name in ("audit_stream", "alert_route", "alert", "webhook_delivery", "webhook"):
        op.drop_table(name)


def _add_webhooks() -> None:
    op.create_table(
        "webhook",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("organization_id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(63), nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("kinds", sa.Text, nullable=False),
        sa.Column("sealed_secret", sa.Text, nullable=True),
        sa.Column("sealed_old_secret", sa.Text, nullable=True),
        sa.Column("old_secret_until", MOMENT, nullable=True),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("problem", sa.Text, nullable=True),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
        sa.Column("failing_since", MOMENT, nullable=True),
        sa.Column("rests_until", MOMENT, nullable=True),
        sa.Column("last_success_at", MOMENT, nullable=True),
        sa.Column("created_by", sa.String(320), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("removed_at", MOMENT, nullable=True),
        sa.CheckConstraint("state IN ('enabled', 'disabled')", name="ck_webhook_state"),
        *_references("webhook", organization_id="organization"),
        sa.PrimaryKeyConstraint("id", name="pk_webhook"),
    )
    _index("uq_webhook_organization_id_name", "webhook", ["organization_id", "name"], "removed_at IS NULL", unique=True)


def _add_deliveries() -> None:
    table = "webhook_delivery"
    op.create_table(
        table,
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("organization_id", sa.String(36), nullable=False),
        sa.Column("webhook_id", sa.String(36), nullable=False),
        sa.Column("entry_id", sa.String(36), nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.String(63), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("last_at", MOMENT, nullable=True),
        sa.Column("last_status", sa.Integer, nullable=True),
        sa.Column("last_answer", sa.Text, nullable=True),
        sa.Column("closed_at", MOMENT, nullable=True),
        sa.CheckConstraint("state IN ('queued', 'delivered', 'dead')", name=f"ck_{table}_state"),
        *_references(table, organization_id="organization", webhook_id="webhook"),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        sa.UniqueConstraint("webhook_id", "entry_id", "kind", name=f"uq_{table}_webhook_id_entry_id_kind"),
    )
    op.create_index(f"ix_{table}_webhook_id_id", table, ["webhook_id", "id"])
    op.create_index(f"ix_{table}_closed_at", table, ["closed_at"])
    _index(f"ix_{table}_queued", table, ["webhook_id", "due_at"], "state = 'queued'")


def _add_alerts() -> None:
    op.create_table(
        "alert",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("organization_id", sa.String(36), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("about", sa.String(255), nullable=False),
        sa.Column("subject", sa.String(320), nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.Column("opened_at", MOMENT, nullable=True),
        sa.Column("gone_at", MOMENT, nullable=True),
        sa.Column("closed_at", MOMENT, nullable=True),
        sa.Column("untold", sa.String(32), nullable=True),
        sa.CheckConstraint("untold IN ('opened', 'repeated', 'closed')", name="ck_alert_untold"),
        *_references("alert", organization_id="organization"),
        sa.PrimaryKeyConstraint("id", name="pk_alert"),
    )
    op.create_index("ix_alert_organization_id_id", "alert", ["organization_id", "id"])
    _index("ix_alert_untold", "alert", ["organization_id"], "untold IS NOT NULL")
    columns = ["organization_id", "kind", "about"]
    _index("uq_alert_organization_id_kind_about", "alert", columns, "closed_at IS NULL", unique=True)
    op.create_table(
        "alert_route",
        sa.Column("organization_id", sa.String(36), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("addresses", sa.Text, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        *_references("alert_route", organization_id="organization"),
        sa.PrimaryKeyConstraint("organization_id", "kind", name="pk_alert_route"),
    )


def _index(name: str, table: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    part = sa.text(where)
    op.create_index(name, table, columns, unique=unique, sqlite_where=part, postgresql_where=part)


def _references(table: str, **columns: str) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint([column], [f"{target}.id"], name=f"fk_{table}_{column}_{target}")
        for column, target in columns.items()
    ]
