"""What happened and what is still to be done: changes, removals, audit, the provisioning log, leases."""

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

change_row = sa.Table(
    "change_row",
    metadata,
    id_column(),
    of_organization(),
    sa.Column("kind", sa.String(63), nullable=False),
    # What it was about, for reading only: passes are level-triggered and never act on it.
    sa.Column("about", sa.Text, nullable=False, server_default=""),
    moment("created_at"),
    # Set by the dispatcher, for exactly the rows that it read.
    moment("dispatched_at", nullable=True),
    sa.Index("ix_change_row_organization_id_id", "organization_id", "id"),
)
sa.Index(
    "ix_change_row_waiting",
    change_row.c.id,
    sqlite_where=change_row.c.dispatched_at.is_(None),
    postgresql_where=change_row.c.dispatched_at.is_(None),
)

removal_request = sa.Table(
    "removal_request",
    metadata,
    id_column(),
    of_organization(index=True),
    reference("member_id", "member", index=True),
    reference("change_id", "change_row", nullable=True),
    one_of("cause", "deactivated", "deleted", "membership", "grant", "removed", "renamed", "template"),
    # NULL: everything the member has. Else canonical JSON [[scope kind, scope id], …]: what was taken away.
    sa.Column("extent", sa.Text, nullable=True),
    sa.Column("actor", sa.String(320), nullable=False),
    moment("requested_at"),
    # Set when every cluster that held the subject has confirmed, or the same access was granted again.
    moment("closed_at", nullable=True),
    one_of("outcome", "done", "void", nullable=True),
    # Set by the dispatcher once the clusters concerned are known.
    moment("dispatched_at", nullable=True),
)
sa.Index(
    "ix_removal_request_open",
    removal_request.c.id,
    sqlite_where=removal_request.c.closed_at.is_(None),
    postgresql_where=removal_request.c.closed_at.is_(None),
)

removal_request_cluster = sa.Table(
    "removal_request_cluster",
    metadata,
    id_column(),
    of_organization(),
    reference("removal_request_id", "removal_request", index=True),
    reference("cluster_id", "cluster"),
    one_of("state", "open", "done", "void"),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    moment("retry_at", nullable=True),
    sa.Column("last_error", sa.Text, nullable=True),
    moment("done_at", nullable=True),
    # The groups through which tokens that were given before let the person in, as JSON, and until when.
    sa.Column("lingers", sa.Text, nullable=True),
    moment("lingers_until", nullable=True),
    sa.UniqueConstraint("removal_request_id", "cluster_id"),
    sa.Index("ix_removal_request_cluster_cluster_id_done_at", "cluster_id", "done_at"),
)
sa.Index(
    "ix_removal_request_cluster_open",
    removal_request_cluster.c.cluster_id,
    sqlite_where=removal_request_cluster.c.state == "open",
    postgresql_where=removal_request_cluster.c.state == "open",
)

audit_entry = sa.Table(
    "audit_entry",
    metadata,
    id_column(),
    of_organization(),
    moment("at"),
    one_of("actor_kind", "person", "token", "directory", "scheduler", "cli", "system"),
    sa.Column("actor_id", sa.String(ID_LENGTH), nullable=True),
    sa.Column("actor_name", sa.String(320), nullable=False),
    sa.Column("action", sa.String(63), nullable=False),
    sa.Column("noun", sa.String(32), nullable=False),
    sa.Column("object_id", sa.String(ID_LENGTH), nullable=False),
    sa.Column("request_id", sa.String(64), nullable=True),
    sa.Column("change_id", sa.String(ID_LENGTH), nullable=True),
    # Personal values (old and new), erasable at purge; the chain holds only their salted digest.
    sa.Column("detail", sa.Text, nullable=True),
    sa.Column("salt", sa.String(32), nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    # Set by the sealer: the position in the organization's chain and the hash over the one before.
    sa.Column("sequence", sa.BigInteger, nullable=True),
    sa.Column("previous_hash", sa.String(64), nullable=True),
    sa.Column("hash", sa.String(64), nullable=True),
    moment("sealed_at", nullable=True),
    sa.UniqueConstraint("organization_id", "sequence"),
    sa.Index("ix_audit_entry_organization_id_at", "organization_id", "at"),
    sa.Index("ix_audit_entry_object_id", "object_id"),
    sa.Index("ix_audit_entry_actor_id", "actor_id"),
)
sa.Index(
    "ix_audit_entry_unsealed",
    audit_entry.c.organization_id,
    audit_entry.c.id,
    sqlite_where=audit_entry.c.sequence.is_(None),
    postgresql_where=audit_entry.c.sequence.is_(None),
)

audit_chain = sa.Table(
    "audit_chain",
    metadata,
    sa.Column("organization_id", sa.String(ID_LENGTH), sa.ForeignKey("organization.id"), primary_key=True),
    # The last entry that retention took away: the chain goes on from its hash.
    sa.Column("cut_sequence", sa.BigInteger, nullable=False),
    sa.Column("cut_hash", sa.String(64), nullable=False),
    # The newest sealed entry: without it nobody would miss entries taken off the end.
    sa.Column("head_sequence", sa.BigInteger, nullable=False),
    sa.Column("head_hash", sa.String(64), nullable=False),
    # From when on history is whole; NULL: nothing of it was ever taken away.
    moment("history_since", nullable=True),
    # All of the above, sealed with the installation's keys: whoever has the database alone cannot write it anew.
    sa.Column("signature", sa.Text, nullable=False),
)

provisioning_log = sa.Table(
    "provisioning_log",
    metadata,
    id_column(),
    # NULL for a request whose credential is not one of ours.
    reference("organization_id", "organization", nullable=True),
    reference("directory_id", "directory", nullable=True),
    reference("token_id", "directory_token", nullable=True),
    moment("at"),
    sa.Column("request_id", sa.String(64), nullable=False),
    sa.Column("method", sa.String(8), nullable=False),
    sa.Column("target", sa.String(2048), nullable=False),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("scim_type", sa.String(32), nullable=True),
    sa.Column("message", sa.Text, nullable=True),
    # Masked: no password, no token.
    sa.Column("request_body", sa.Text, nullable=True),
    sa.Column("user_agent", sa.String(255), nullable=True),
    sa.Column("address", sa.String(64), nullable=True),
    sa.Column("noun", sa.String(32), nullable=True),
    sa.Column("object_id", sa.String(ID_LENGTH), nullable=True),
    reference("change_id", "change_row", nullable=True),
    sa.Column("milliseconds", sa.Integer, nullable=True),
    sa.Index("ix_provisioning_log_directory_id_id", "directory_id", "id"),
    sa.Index("ix_provisioning_log_object_id", "object_id"),
)

lease = sa.Table(
    "lease",
    metadata,
    sa.Column("name", sa.String(128), primary_key=True),
    sa.Column("holder", sa.String(128), nullable=True),
    moment("until"),
    # Grows by one with every new holder: writes carry it, so a holder that woke up late cannot write.
    sa.Column("epoch", sa.BigInteger, nullable=False),
)

idempotent_request = sa.Table(
    "idempotent_request",
    metadata,
    # Hex SHA-256 of who asked and the key they gave.
    sa.Column("id", sa.String(64), primary_key=True),
    # Hex SHA-256 of what was asked: the same key for something else is refused.
    sa.Column("fingerprint", sa.String(64), nullable=False),
    # NULL while it is being carried out.
    sa.Column("status", sa.Integer, nullable=True),
    # Sealed: an answer may show a secret once.
    sa.Column("answer", sa.LargeBinary, nullable=True),
    moment("created_at"),
    sa.Index("ix_idempotent_request_created_at", "created_at"),
)
"""What a client that never saw its answer may send again without doing it twice."""
