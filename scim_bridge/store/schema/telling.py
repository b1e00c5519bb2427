"""What the bridge tells others: webhooks and their deliveries, alerts and who hears of them, and the syslog's place."""

import sqlalchemy as sa

from scim_bridge.store.schema.columns import (
    ID_LENGTH,
    id_column,
    metadata,
    moment,
    of_organization,
    one_of,
    reference,
)

webhook = sa.Table(
    "webhook",
    metadata,
    id_column(),
    of_organization(),
    sa.Column("name", sa.String(63), nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    # JSON list of kinds of events.
    sa.Column("kinds", sa.Text, nullable=False),
    # What deliveries are signed with, encrypted; the old one signs beside the new one until its time is over.
    sa.Column("sealed_secret", sa.Text, nullable=True),
    sa.Column("sealed_old_secret", sa.Text, nullable=True),
    moment("old_secret_until", nullable=True),
    one_of("state", "enabled", "disabled"),
    # Set when the bridge itself gave up on it.
    sa.Column("problem", sa.Text, nullable=True),
    # The last entry of the organization's audit chain of which deliveries were made.
    sa.Column("sequence", sa.BigInteger, nullable=False),
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
    moment("failing_since", nullable=True),
    moment("rests_until", nullable=True),
    moment("last_success_at", nullable=True),
    sa.Column("created_by", sa.String(320), nullable=False),
    moment("created_at"),
    moment("removed_at", nullable=True),
)
sa.Index(
    "uq_webhook_organization_id_name",
    webhook.c.organization_id,
    webhook.c.name,
    unique=True,
    sqlite_where=webhook.c.removed_at.is_(None),
    postgresql_where=webhook.c.removed_at.is_(None),
)

webhook_delivery = sa.Table(
    "webhook_delivery",
    metadata,
    id_column(),
    of_organization(),
    reference("webhook_id", "webhook"),
    # The audit entry that is told of: the text is made of it when it is sent, so that nothing erased is told.
    sa.Column("entry_id", sa.String(ID_LENGTH), nullable=False),
    sa.Column("sequence", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.String(63), nullable=False),
    one_of("state", "queued", "delivered", "dead"),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    moment("created_at"),
    moment("due_at"),
    moment("last_at", nullable=True),
    sa.Column("last_status", sa.Integer, nullable=True),
    # The beginning of what the receiver answered, or why there was no answer.
    sa.Column("last_answer", sa.Text, nullable=True),
    moment("closed_at", nullable=True),
    sa.UniqueConstraint("webhook_id", "entry_id", "kind"),
    sa.Index("ix_webhook_delivery_webhook_id_id", "webhook_id", "id"),
    sa.Index("ix_webhook_delivery_closed_at", "closed_at"),
)
sa.Index(
    "ix_webhook_delivery_queued",
    webhook_delivery.c.webhook_id,
    webhook_delivery.c.due_at,
    sqlite_where=webhook_delivery.c.state == "queued",
    postgresql_where=webhook_delivery.c.state == "queued",
)

alert = sa.Table(
    "alert",
    metadata,
    id_column(),
    of_organization(),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("about", sa.String(255), nullable=False),
    sa.Column("subject", sa.String(320), nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    moment("seen_at"),
    # Told when it has lasted for long enough, and again when it has been gone for long enough.
    moment("opened_at", nullable=True),
    moment("gone_at", nullable=True),
    moment("closed_at", nullable=True),
    # What became of it that mails have not told yet.
    one_of("untold", "opened", "repeated", "closed", nullable=True),
    sa.Index("ix_alert_organization_id_id", "organization_id", "id"),
)
sa.Index(
    "ix_alert_untold",
    alert.c.organization_id,
    sqlite_where=alert.c.untold.is_not(None),
    postgresql_where=alert.c.untold.is_not(None),
)
sa.Index(
    "uq_alert_organization_id_kind_about",
    alert.c.organization_id,
    alert.c.kind,
    alert.c.about,
    unique=True,
    sqlite_where=alert.c.closed_at.is_(None),
    postgresql_where=alert.c.closed_at.is_(None),
)

alert_route = sa.Table(
    "alert_route",
    metadata,
    of_organization(),
    sa.Column("kind", sa.String(32), nullable=False),
    # JSON list of addresses; empty: nobody gets a mail.
    sa.Column("addresses", sa.Text, nullable=False),
    moment("changed_at"),
    sa.PrimaryKeyConstraint("organization_id", "kind"),
)

audit_stream = sa.Table(
    "audit_stream",
    metadata,
    sa.Column("organization_id", sa.String(ID_LENGTH), sa.ForeignKey("organization.id"), primary_key=True),
    # The last entry of the organization's audit chain that syslog was sent.
    sa.Column("sequence", sa.BigInteger, nullable=False),
)
