"""Directories and the people and groups they, or hands, bring."""

from typing import Any

import sqlalchemy as sa

from scim_bridge.domain.keys import fold
from scim_bridge.domain.people import DirectoryKind, DirectoryState, MemberSource, MemberState
from scim_bridge.store.schema.columns import (
    ID_LENGTH,
    by_code_points,
    id_column,
    metadata,
    moment,
    of_organization,
    one_of,
    period,
    reference,
)


def _folded_user_name(context: Any) -> str:
    return fold(str(context.get_current_parameters()["user_name"]))


directory = sa.Table(
    "directory",
    metadata,
    id_column(),
    of_organization(),
    sa.Column("name", sa.String(63), nullable=False),
    one_of("kind", *(kind.value for kind in DirectoryKind)),
    one_of("state", *(state.value for state in DirectoryState)),
    sa.Column("settings", sa.Text, nullable=False, server_default="{}"),
    # What the directory's mapping in force defines itself; NULL: nothing. The versions are rows of their own.
    sa.Column("mapping", sa.Text, nullable=True),
    moment("created_at"),
    sa.UniqueConstraint("organization_id", "name"),
)

directory_mapping = sa.Table(
    "directory_mapping",
    metadata,
    id_column(),
    of_organization(),
    reference("directory_id", "directory"),
    sa.Column("version", sa.Integer, nullable=False),
    # NULL: what every directory has that defines nothing itself.
    sa.Column("document", sa.Text, nullable=True),
    sa.Column("author", sa.String(320), nullable=False),
    *period(),
    sa.UniqueConstraint("directory_id", "version"),
)

directory_token = sa.Table(
    "directory_token",
    metadata,
    id_column(),
    of_organization(),
    reference("directory_id", "directory", index=True),
    sa.Column("prefix", sa.String(16), nullable=False),
    # SHA-256 of a 256-bit random token, hex: nothing to brute-force, one indexed look-up a request.
    sa.Column("digest", sa.String(64), nullable=False, unique=True),
    sa.Column("name", sa.String(63), nullable=False, server_default=""),
    sa.Column("ip_ranges", sa.Text, nullable=False, server_default="[]"),
    # The token of this directory that ends when this one is used for the first time; NULL from then on.
    sa.Column("replaces_id", sa.String(ID_LENGTH), nullable=True),
    moment("created_at"),
    moment("expires_at", nullable=True),
    moment("revoked_at", nullable=True),
    moment("last_used_at", nullable=True),
    sa.Column("last_address", sa.String(64), nullable=True),
    sa.Column("last_user_agent", sa.String(255), nullable=True),
)

directory_silence = sa.Table(
    "directory_silence",
    metadata,
    id_column(),
    of_organization(),
    reference("directory_id", "directory"),
    # From one noted use of a token to the next, where that was an hour or more.
    moment("ended_at"),
    sa.Column("seconds", sa.Integer, nullable=False),
    sa.Index("ix_directory_silence_directory_id_ended_at", "directory_id", "ended_at"),
)

directory_condition = sa.Table(
    "directory_condition",
    metadata,
    id_column(),
    of_organization(),
    reference("directory_id", "directory"),
    sa.Column("kind", sa.String(63), nullable=False),
    sa.Column("about", sa.String(255), nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    moment("since"),
    sa.UniqueConstraint("directory_id", "kind", "about"),
)

account = sa.Table(
    "account",
    metadata,
    id_column(),
    sa.Column("email", sa.String(320), nullable=True),
    sa.Column("email_key", sa.String(320), nullable=True, index=True),
    sa.Column("display_name", sa.String(255), nullable=True),
    sa.Column("two_factor", sa.Boolean, nullable=False, server_default=sa.false()),
    moment("created_at"),
    moment("last_active_at", nullable=True),
)

api_token = sa.Table(
    "api_token",
    metadata,
    id_column(),
    reference("account_id", "account", index=True),
    # NULL: opens every organization of the account; else that one only.
    reference("organization_id", "organization", nullable=True, index=True),
    sa.Column("name", sa.String(63), nullable=False),
    sa.Column("prefix", sa.String(16), nullable=False),
    # Hex SHA-256 of the token's text: the text itself is shown once and never stored.
    sa.Column("digest", sa.String(64), nullable=False, unique=True),
    # JSON list of the permissions it is limited to; NULL: whatever its account may do.
    sa.Column("permissions", sa.Text, nullable=True),
    sa.Column("ip_ranges", sa.Text, nullable=False, server_default="[]"),
    sa.Column("created_by", sa.String(320), nullable=False),
    # How whoever made it had signed in; NULL at the installation's terminal and with another token.
    sa.Column("made_by_method", sa.String(32), nullable=True),
    moment("created_at"),
    moment("expires_at", nullable=True),
    moment("revoked_at", nullable=True),
    moment("last_used_at", nullable=True),
    sa.Column("last_address", sa.String(64), nullable=True),
    sa.Column("last_user_agent", sa.String(255), nullable=True),
    sa.Index("ix_api_token_prefix", "prefix"),
)

member = sa.Table(
    "member",
    metadata,
    id_column(),
    of_organization(),
    reference("account_id", "account", nullable=True, index=True),
    # The one directory whose active=false deactivates this person.
    reference("directory_id", "directory", nullable=True, index=True),
    sa.Column("user_name", sa.String(1024), nullable=False),
    # What lists are ordered by.
    sa.Column("user_name_key", by_code_points(1024), nullable=False, server_default="", default=_folded_user_name),
    sa.Column("email", sa.String(1024), nullable=True),
    sa.Column("email_key", sa.String(1024), nullable=True),
    sa.Column("external_id", sa.String(1024), nullable=True),
    sa.Column("display_name", sa.String(1024), nullable=True),
    one_of("state", *(state.value for state in MemberState)),
    one_of("source", *(source.value for source in MemberSource)),
    moment("created_at"),
    moment("last_active_at", nullable=True),
    # No session that began before opens this organization: those of an account that is elsewhere too go on there.
    moment("sessions_ended_at", nullable=True),
    # Somebody here said "deactivated": it stays so whatever the directory says, until somebody here says otherwise.
    moment("blocked_at", nullable=True),
    sa.Index("ix_member_organization_id_user_name_key_id", "organization_id", "user_name_key", "id"),
    sa.Index("ix_member_organization_id_email_key", "organization_id", "email_key"),
    sa.Index("ix_member_organization_id_state", "organization_id", "state"),
    sa.Index("ix_member_organization_id_source", "organization_id", "source"),
    sa.Index("ix_member_organization_id_last_active_at", "organization_id", "last_active_at"),
)

member_word = sa.Table(
    "member_word",
    metadata,
    of_organization(),
    # Folded: a word of somebody's names, or a whole name that has several. Searches look for its beginning.
    sa.Column("word", by_code_points(100), nullable=False),
    sa.Column(
        "member_id",
        sa.String(ID_LENGTH),
        sa.ForeignKey("member.id", ondelete="CASCADE"),
        nullable=False,
    ),
    sa.PrimaryKeyConstraint("organization_id", "word", "member_id"),
    sa.Index("ix_member_word_member_id_word", "member_id", "word"),
)

adoption_conflict = sa.Table(
    "adoption_conflict",
    metadata,
    id_column(),
    of_organization(),
    reference("directory_id", "directory"),
    # Whom the directory brought, and who was here before and may be the same.
    reference("waiting_id", "member", index=True),
    reference("candidate_id", "member"),
    sa.Column("reason", sa.Text, nullable=False),
    one_of("state", "open", "claimed", "dismissed"),
    moment("created_at"),
    moment("closed_at", nullable=True),
    sa.Index("ix_adoption_conflict_organization_id_state", "organization_id", "state"),
)

scim_user = sa.Table(
    "scim_user",
    metadata,
    id_column(),
    of_organization(),
    reference("directory_id", "directory"),
    reference("member_id", "member", index=True),
    sa.Column("user_name", sa.String(1024), nullable=False),
    sa.Column("user_name_key", sa.String(1024), nullable=False),
    sa.Column("external_id", sa.String(1024), nullable=True),
    # Of the document's e-mail addresses one; with `more_emails` there are others, and the document must be asked.
    sa.Column("email_key", sa.String(1024), nullable=True),
    sa.Column("more_emails", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("display_name", sa.String(1024), nullable=True),
    sa.Column("active", sa.Boolean, nullable=False),
    # The names of its schema extensions as a JSON list; NULL: look into the document.
    sa.Column("extensions", sa.Text, nullable=True),
    # Canonical JSON of what the IdP sent, less what the server owns (id, meta, groups) and any password.
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    # What the directory's own mapping makes of the document, as JSON; NULL where it has none.
    sa.Column("mapped", sa.Text, nullable=True),
    # The required fields of that mapping that the document has no value for, by name.
    sa.Column("lacks", sa.Text, nullable=True),
    moment("created_at"),
    moment("updated_at"),
    moment("removed_at", nullable=True),
    sa.Index("ix_scim_user_directory_id_external_id", "directory_id", "external_id"),
    sa.Index("ix_scim_user_directory_id_email_key", "directory_id", "email_key"),
    # Counting and paging a directory never reads a document that is not answered.
    sa.Index("ix_scim_user_directory_id_id_removed_at", "directory_id", "id", "removed_at"),
)
sa.Index(
    "uq_scim_user_directory_id_user_name_key",
    scim_user.c.directory_id,
    scim_user.c.user_name_key,
    unique=True,
    sqlite_where=scim_user.c.removed_at.is_(None),
    postgresql_where=scim_user.c.removed_at.is_(None),
)
sa.Index(
    "ix_scim_user_more_emails",
    scim_user.c.directory_id,
    sqlite_where=scim_user.c.more_emails.is_(sa.true()),
    postgresql_where=scim_user.c.more_emails.is_(sa.true()),
)
sa.Index(
    "ix_scim_user_lacks",
    scim_user.c.directory_id,
    sqlite_where=scim_user.c.lacks.is_not(None),
    postgresql_where=scim_user.c.lacks.is_not(None),
)
# A person who comes back is known again by the name of the user that was removed.
sa.Index(
    "ix_scim_user_removed",
    scim_user.c.directory_id,
    scim_user.c.user_name_key,
    sqlite_where=scim_user.c.removed_at.is_not(None),
    postgresql_where=scim_user.c.removed_at.is_not(None),
)

user_group = sa.Table(
    "user_group",
    metadata,
    id_column(),
    of_organization(index=True),
    # NULL: made by hand. Groups of a directory never clash with hand-made ones.
    reference("directory_id", "directory", nullable=True),
    sa.Column("display_name", sa.String(1024), nullable=False),
    sa.Column("display_name_key", sa.String(1024), nullable=False),
    sa.Column("external_id", sa.String(1024), nullable=True),
    sa.Column("description", sa.Text, nullable=True),
    sa.Column("document", sa.Text, nullable=False, server_default="{}"),
    sa.Column("version", sa.Integer, nullable=False),
    moment("created_at"),
    moment("updated_at"),
    moment("removed_at", nullable=True),
    sa.Index("ix_user_group_directory_id_external_id", "directory_id", "external_id"),
    sa.Index("ix_user_group_directory_id_id", "directory_id", "id"),
    sa.Index("ix_user_group_directory_id_display_name_key", "directory_id", "display_name_key"),
)
sa.Index(
    "uq_user_group_directory_id_display_name_key",
    user_group.c.organization_id,
    sa.func.coalesce(user_group.c.directory_id, ""),
    user_group.c.display_name_key,
    unique=True,
    sqlite_where=user_group.c.removed_at.is_(None),
    postgresql_where=user_group.c.removed_at.is_(None),
)

membership = sa.Table(
    "membership",
    metadata,
    id_column(),
    of_organization(),
    reference("group_id", "user_group"),
    reference("member_id", "member"),
    # The SCIM resource that the directory named; NULL for a membership made by hand or at login.
    reference("scim_user_id", "scim_user", nullable=True, index=True),
    one_of("origin", "scim", "manual", "invitation", "login"),
    # What the IdP sees: a held row is gone for its directory and still in force for access (domain.holds).
    sa.Column("held", sa.Boolean, nullable=False, server_default=sa.false()),
    moment("held_since", nullable=True),
    # It ended because a new list left it out, not because somebody named it: the brake counts these.
    sa.Column("inferred", sa.Boolean, nullable=False, server_default=sa.false()),
    moment("expires_at", nullable=True),
    *period(),
    sa.Index("ix_membership_group_id_valid_from", "group_id", "valid_from"),
    sa.Index("ix_membership_organization_id_valid_to", "organization_id", "valid_to"),
)
sa.Index(
    "ix_membership_expiring",
    membership.c.expires_at,
    sqlite_where=sa.and_(membership.c.expires_at.is_not(None), membership.c.valid_to.is_(None)),
    postgresql_where=sa.and_(membership.c.expires_at.is_not(None), membership.c.valid_to.is_(None)),
)
# All that a member list is made of: the list of a large group is read from here alone.
sa.Index(
    "ix_membership_listed",
    membership.c.group_id,
    membership.c.scim_user_id,
    membership.c.origin,
    membership.c.held,
    membership.c.valid_to,
    sqlite_where=membership.c.valid_to.is_(None),
    postgresql_where=membership.c.valid_to.is_(None),
)
sa.Index(
    "uq_membership_group_id_member_id_origin",
    membership.c.group_id,
    membership.c.member_id,
    membership.c.origin,
    unique=True,
    sqlite_where=membership.c.valid_to.is_(None),
    postgresql_where=membership.c.valid_to.is_(None),
)
# Those in force first, and what is explained of the past behind them.
sa.Index("ix_membership_member_id_valid_to", membership.c.member_id, membership.c.valid_to)

nesting = sa.Table(
    "nesting",
    metadata,
    id_column(),
    of_organization(index=True),
    reference("parent_id", "user_group"),
    reference("child_id", "user_group", index=True),
    one_of("origin", "scim", "manual"),
    # As for memberships.
    sa.Column("held", sa.Boolean, nullable=False, server_default=sa.false()),
    moment("held_since", nullable=True),
    sa.Column("inferred", sa.Boolean, nullable=False, server_default=sa.false()),
    *period(),
)
sa.Index(
    "uq_nesting_parent_id_child_id_origin",
    nesting.c.parent_id,
    nesting.c.child_id,
    nesting.c.origin,
    unique=True,
    sqlite_where=nesting.c.valid_to.is_(None),
    postgresql_where=nesting.c.valid_to.is_(None),
)

parked_member = sa.Table(
    "parked_member",
    metadata,
    id_column(),
    of_organization(),
    reference("group_id", "user_group"),
    # A member id that the IdP named before (or without ever) creating it; attached when it appears.
    sa.Column("value", sa.String(255), nullable=False),
    *period(),
)
sa.Index(
    "uq_parked_member_group_id_value",
    parked_member.c.group_id,
    parked_member.c.value,
    unique=True,
    sqlite_where=parked_member.c.valid_to.is_(None),
    postgresql_where=parked_member.c.valid_to.is_(None),
)
sa.Index(
    "ix_parked_member_organization_id_value",
    parked_member.c.organization_id,
    parked_member.c.value,
    sqlite_where=parked_member.c.valid_to.is_(None),
    postgresql_where=parked_member.c.valid_to.is_(None),
)
sa.Index(
    "ix_membership_held",
    membership.c.organization_id,
    sqlite_where=membership.c.held.is_(sa.true()),
    postgresql_where=membership.c.held.is_(sa.true()),
)
