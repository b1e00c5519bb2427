"""What was written to clusters, and how their passes went."""

import sqlalchemy as sa

from scim_bridge.domain.approvals import Reason
from scim_bridge.store.schema.columns import (
    ID_LENGTH,
    id_column,
    metadata,
    moment,
    of_organization,
    one_of,
    reference,
)

applied_binding = sa.Table(
    "applied_binding",
    metadata,
    id_column(),
    of_organization(),
    reference("cluster_id", "cluster"),
    sa.Column("name", sa.String(63), nullable=False),
    sa.Column("namespace", sa.String(63), nullable=False, server_default=""),
    # Canonical JSON of the binding's key, as domain.bindings writes and reads it.
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("uid", sa.String(64), nullable=False),
    sa.Column("resource_version", sa.String(128), nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("subject_count", sa.Integer, nullable=False),
    moment("applied_at"),
    sa.UniqueConstraint("cluster_id", "namespace", "name"),
)

applied_subject = sa.Table(
    "applied_subject",
    metadata,
    reference("cluster_id", "cluster"),
    sa.Column("subject", sa.String(1024), nullable=False),
    sa.Column(
        "binding_id",
        sa.String(ID_LENGTH),
        sa.ForeignKey("applied_binding.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    # Whom the subject was rendered for; NULL when it was found on the cluster and nobody here renders it.
    reference("member_id", "member", nullable=True, index=True),
    sa.PrimaryKeyConstraint("cluster_id", "subject", "binding_id"),
)
"""Which shards hold a subject: what an asked-for removal reads instead of listing the cluster."""

cluster_sync = sa.Table(
    "cluster_sync",
    metadata,
    sa.Column("cluster_id", sa.String(ID_LENGTH), sa.ForeignKey("cluster.id"), primary_key=True),
    of_organization(index=True),
    # The dispatcher adds one for changes; a pass whose snapshot saw it sets done_generation.
    sa.Column("generation", sa.BigInteger, nullable=False, server_default="1"),
    sa.Column("done_generation", sa.BigInteger, nullable=False, server_default="0"),
    moment("due_since", nullable=True),
    moment("next_pass_at", nullable=True),
    moment("retry_at", nullable=True),
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
    moment("last_success_at", nullable=True),
    moment("last_attempt_at", nullable=True),
    sa.Column("last_revision", sa.String(ID_LENGTH), nullable=True),
    sa.Column("last_error", sa.Text, nullable=True),
    one_of("health", "unknown", "ok", "degraded", "failing", default="unknown"),
)

cluster_condition = sa.Table(
    "cluster_condition",
    metadata,
    id_column(),
    of_organization(),
    reference("cluster_id", "cluster"),
    sa.Column("kind", sa.String(63), nullable=False),
    sa.Column("about", sa.String(255), nullable=False, server_default=""),
    sa.Column("message", sa.Text, nullable=False),
    moment("since"),
    sa.UniqueConstraint("cluster_id", "kind", "about"),
)

sync_pass = sa.Table(
    "sync_pass",
    metadata,
    id_column(),
    of_organization(),
    reference("cluster_id", "cluster"),
    one_of("kind", "full", "revocation"),
    one_of("state", "running", "ok", "degraded", "failed", "abandoned"),
    moment("started_at"),
    moment("finished_at", nullable=True),
    sa.Column("revision", sa.String(ID_LENGTH), nullable=True),
    sa.Column("epoch", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("plan_hash", sa.String(64), nullable=True),
    sa.Column("created", sa.Integer, nullable=False, server_default="0"),
    sa.Column("updated", sa.Integer, nullable=False, server_default="0"),
    sa.Column("deleted", sa.Integer, nullable=False, server_default="0"),
    sa.Column("subjects_added", sa.Integer, nullable=False, server_default="0"),
    sa.Column("subjects_removed", sa.Integer, nullable=False, server_default="0"),
    # Of subjects_removed, those nobody asked for by name or approved.
    sa.Column("inferred_removed", sa.Integer, nullable=False, server_default="0"),
    sa.Column("held", sa.Integer, nullable=False, server_default="0"),
    sa.Column("failed", sa.Integer, nullable=False, server_default="0"),
    sa.Column("message", sa.Text, nullable=True),
    # How many subjects the cluster, and people the organization, had before it; NULL where it had nothing to write.
    sa.Column("subjects_before", sa.Integer, nullable=True),
    sa.Column("people_before", sa.Integer, nullable=True),
    # Something was left undone because somebody froze it.
    sa.Column("frozen", sa.Boolean, nullable=False, server_default=sa.false()),
    # JSON of who gained and lost what; NULL where nothing changed.
    sa.Column("changes", sa.Text, nullable=True),
    sa.Index("ix_sync_pass_cluster_id_id", "cluster_id", "id"),
    sa.Index("ix_sync_pass_organization_id_started_at", "organization_id", "started_at"),
)

inferred_removal = sa.Table(
    "inferred_removal",
    metadata,
    id_column(),
    of_organization(),
    reference("cluster_id", "cluster"),
    reference("pass_id", "sync_pass", index=True),
    sa.Column("subject", sa.String(1024), nullable=False),
    # Whom it stands for, or the subject again where nobody here renders it: the organization counts people.
    sa.Column("person", sa.String(1024), nullable=False),
    moment("removed_at"),
    sa.Index("ix_inferred_removal_organization_id_removed_at", "organization_id", "removed_at"),
)
"""Who lost something unasked: the brakes' hour. Written before the removal, taken back if that fails."""

plan = sa.Table(
    "plan",
    metadata,
    id_column(),
    of_organization(),
    reference("cluster_id", "cluster", index=True),
    sa.Column("hash", sa.String(64), nullable=False),
    one_of("state", "waiting", "approved", "applied", "superseded", "expired"),
    one_of("reason", *(reason.value for reason in Reason)),
    # The plan as JSON: what a person reads before approving.
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("removals", sa.Integer, nullable=False),
    moment("created_at"),
    sa.Column("approved_by", sa.String(320), nullable=True),
    moment("approved_at", nullable=True),
    moment("expires_at", nullable=True),
)

cluster_sign_in = sa.Table(
    "cluster_sign_in",
    metadata,
    sa.Column("cluster_id", sa.String(ID_LENGTH), sa.ForeignKey("cluster.id"), nullable=False),
    of_organization(),
    # Where people reach the API, which may be another address than the bridge's, and who vouches for it: PEM.
    sa.Column("server", sa.String(1024), nullable=False),
    sa.Column("authority", sa.Text, nullable=True),
    # As the API server's own flags have them.
    sa.Column("issuer", sa.String(1024), nullable=False),
    sa.Column("client_id", sa.String(255), nullable=False),
    # A JSON list.
    sa.Column("scopes", sa.Text, nullable=False),
    moment("updated_at"),
    sa.PrimaryKeyConstraint("cluster_id"),
    sa.Index("ix_cluster_sign_in_organization_id", "organization_id"),
)
"""How people sign in to a cluster themselves: what their kubeconfig says. Nothing of it is secret."""
