"""What keeps passes from acting, the way in that does not depend on them, and what clusters said after a removal."""

import sqlalchemy as sa

from scim_bridge.store.schema.columns import ID_LENGTH, id_column, metadata, moment, of_organization, one_of, reference

freeze = sa.Table(
    "freeze",
    metadata,
    id_column(),
    # NULL: the whole installation.
    reference("organization_id", "organization", nullable=True, index=True),
    # NULL: all clusters.
    reference("cluster_id", "cluster", nullable=True),
    # NULL: all bindings; else a role, or role@namespace.
    sa.Column("binding", sa.String(128), nullable=True),
    sa.Column("including_revocations", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    sa.Column("begun_by", sa.String(320), nullable=False),
    moment("begun_at"),
    moment("ends_at", nullable=True),
    sa.Column("ended_by", sa.String(320), nullable=True),
    moment("ended_at", nullable=True),
)
"""In force while it has not ended and its time is not over."""

cluster_safety = sa.Table(
    "cluster_safety",
    metadata,
    sa.Column("cluster_id", sa.String(ID_LENGTH), sa.ForeignKey("cluster.id"), primary_key=True),
    of_organization(),
    # user:NAME or group:NAME, asked of the cluster; or note:TEXT, which only people can check.
    sa.Column("break_glass", sa.String(320), nullable=True),
    moment("break_glass_seen_at", nullable=True),
    sa.Column("break_glass_problem", sa.Text, nullable=True),
    # How the cluster names a group: {group} in a text. NULL: its tokens carry none.
    sa.Column("group_template", sa.String(255), nullable=True),
    # Whether what is worth a person's attention is an Event there too.
    sa.Column("events", sa.Boolean, nullable=False, server_default=sa.false()),
    moment("changed_at"),
)

removal_proof = sa.Table(
    "removal_proof",
    metadata,
    id_column(),
    of_organization(),
    reference("removal_request_id", "removal_request", index=True),
    reference("cluster_id", "cluster"),
    reference("member_id", "member", index=True),
    one_of("verdict", "pending", "gone", "still", "unknown"),
    # Canonical JSON: which subjects were taken out of which families, and once it was asked, every answer.
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    moment("asked_for_at"),
    moment("retry_at", nullable=True),
    moment("proven_at", nullable=True),
    sa.UniqueConstraint("removal_request_id", "cluster_id"),
    sa.Index("ix_removal_proof_cluster_id_verdict", "cluster_id", "verdict"),
)
"""After a confirmed removal: what the cluster itself answers about who was removed."""
