"""Invitations, the mails that wait to be sent, and reviews of who is dormant."""

import sqlalchemy as sa

from scim_bridge.domain.invitations import InvitationState
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.store.schema.columns import (
    ID_LENGTH,
    id_column,
    metadata,
    moment,
    of_organization,
    one_of,
    reference,
)

invitation = sa.Table(
    "invitation",
    metadata,
    id_column(),
    of_organization(),
    reference("member_id", "member", index=True),
    sa.Column("email", sa.String(320), nullable=False),
    sa.Column("email_key", sa.String(320), nullable=False),
    sa.Column("api_role", sa.String(63), nullable=True),
    one_of("kubernetes_role", *(role.value for role in KubernetesRole), nullable=True),
    # JSON list of the ids of groups made by hand.
    sa.Column("groups", sa.Text, nullable=False, server_default="[]"),
    one_of("state", *(state.value for state in InvitationState)),
    # SHA-256 of the secret in the link, hex; another one with each resend.
    sa.Column("digest", sa.String(64), nullable=False, unique=True),
    sa.Column("invited_by", sa.String(320), nullable=False),
    moment("created_at"),
    moment("sent_at"),
    moment("expires_at"),
    moment("closed_at", nullable=True),
    sa.Index("ix_invitation_organization_id_id", "organization_id", "id"),
)
sa.Index(
    "uq_invitation_organization_id_email_key",
    invitation.c.organization_id,
    invitation.c.email_key,
    unique=True,
    sqlite_where=invitation.c.state == InvitationState.PENDING.value,
    postgresql_where=invitation.c.state == InvitationState.PENDING.value,
)
sa.Index(
    "ix_invitation_expiring",
    invitation.c.expires_at,
    sqlite_where=invitation.c.state == InvitationState.PENDING.value,
    postgresql_where=invitation.c.state == InvitationState.PENDING.value,
)

mail = sa.Table(
    "mail",
    metadata,
    id_column(),
    of_organization(index=True),
    # What it is about: an invitation's id.
    sa.Column("about_id", sa.String(ID_LENGTH), nullable=False, index=True),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("recipient", sa.String(320), nullable=False),
    # What its template is filled with, encrypted: it holds a link that opens something. Gone once nobody needs it.
    sa.Column("sealed", sa.Text, nullable=True),
    one_of("state", "queued", "sent", "given_up", "cancelled"),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("last_error", sa.Text, nullable=True),
    moment("created_at"),
    moment("due_at"),
    moment("closed_at", nullable=True),
)
sa.Index(
    "ix_mail_queued",
    mail.c.due_at,
    sqlite_where=mail.c.state == "queued",
    postgresql_where=mail.c.state == "queued",
)

review = sa.Table(
    "review",
    metadata,
    id_column(),
    of_organization(index=True),
    sa.Column("name", sa.String(128), nullable=False),
    sa.Column("dormant_days", sa.Integer, nullable=False),
    sa.Column("opened_by", sa.String(320), nullable=False),
    moment("opened_at"),
    moment("deadline"),
    moment("closed_at", nullable=True),
)

review_item = sa.Table(
    "review_item",
    metadata,
    reference("review_id", "review"),
    sa.Column(
        "member_id",
        sa.String(ID_LENGTH),
        sa.ForeignKey("member.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    of_organization(),
    one_of("decision", "keep", "deactivate", nullable=True),
    sa.Column("decided_by", sa.String(320), nullable=True),
    moment("decided_at", nullable=True),
    sa.PrimaryKeyConstraint("review_id", "member_id"),
)
