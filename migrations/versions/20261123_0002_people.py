"""Create the tables of people: directories and the people and groups they, or hands, bring."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

MOMENT = sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")


def upgrade() -> None:
    """Bring the tables up."""
    _create_account()
    _create_directory()
    _create_directory_token()
    _create_member()
    _create_user_group()
    _create_nesting()
    _create_parked_member()
    _create_scim_user()
    _create_membership()


def downgrade() -> None:
    """Take them down again."""
    for table in (
        "membership",
        "scim_user",
        "parked_member",
        "nesting",
        "user_group",
        "member",
        "directory_token",
        "directory",
        "account",
    ):
        op.drop_table(table)


def _create_account() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("email", sa.String(320), nullable=True),
        sa.Column("email_key", sa.String(320), nullable=True),
        sa.Column("display_name", sa.String(255), nullable=True),
        sa.Column("two_factor", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("last_active_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_account"),
    )
    op.create_index("ix_account_email_key", "account", ["email_key"], unique=False)


def _create_directory() -> None:
    op.create_table(
        "directory",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("organization_id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(63), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("settings", sa.Text, nullable=False, server_default="{}"),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name="fk_directory_organization_id_organization"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_directory"),
        sa.UniqueConstraint("organization_id", "name", name="uq_directory_organization_id_name"),
    )


def _create_directory_token() -> None:
    op.create_table(
        "directory_token",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("organization_id", sa.String(36), nullable=False),
        sa.Column("directory_id", sa.String(36), nullable=False),
        sa.Column("prefix", sa.String(16), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("name", sa.String(63), nullable=False, server_default=""),
        sa.Column("ip_ranges", sa.Text, nullable=False, server_default="[]"),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=True),
        sa.Column("revoked_at", MOMENT, nullable=True),
        sa.Column("last_used_at", MOMENT, nullable=True),
        sa.Column("last_address", sa.String(64), nullable=True),
        sa.Column("last_user_agent", sa.String(255), nullable=True),
        sa.ForeignKeyConstraint(["directory_id"], ["directory.id"], name="fk_directory_token_directory_id_directory"),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name="fk_directory_token_organization_id_organization"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_directory_token"),
        sa.UniqueConstraint("digest", name="uq_directory_token_digest"),
    )
    op.create_index("ix_directory_token_directory_id", "directory_token", ["directory_id"], unique=False)


def _create_member() -> None:
    op.create_table(
        "member",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("organization_id", sa.String(36), nullable=False),
        sa.Column("account_id", sa.String(36), nullable=True),
        sa.Column("directory_id", sa.String(36), nullable=True),
        sa.Column("user_name", sa.String(1024), nullable=False),
        sa.Column("email", sa.String(1024), nullable=True),
        sa.Column("email_key", sa.String(1024), nullable=True),
        sa.Column("external_id", sa.String(1024), nullable=True),
        sa.Column("display_name", sa.String(1024), nullable=True),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("source", sa.String(32), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("last_active_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_member_account_id_account"),
        sa.ForeignKeyConstraint(["directory_id"], ["directory.id"], name="fk_member_directory_id_directory"),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name="fk_member_organization_id_organization"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_member"),
    )
    op.create_index("ix_member_account_id", "member", ["account_id"], unique=False)
    op.create_index("ix_member_directory_id", "member", ["directory_id"], unique=False)
    op.create_index("ix_member_organization_id_email_key", "member", ["organization_id", "email_key"], unique=False)
    op.create_index("ix_member_organization_id_state", "member", ["organization_id", "state"], unique=False)


def _create_user_group() -> None:
    op.create_table(
        "user_group",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("organization_id", sa.String(36), nullable=False),
        sa.Column("directory_id", sa.String(36), nullable=True),
        sa.Column("display_name", sa.String(1024), nullable=False),
        sa.Column("display_name_key", sa.String(1024), nullable=False),
        sa.Column("external_id", sa.String(1024), nullable=True),
        sa.Column("description", sa.Text, nullable=True),
        sa.Column("document", sa.Text, nullable=False, server_default="{}"),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("removed_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["directory_id"], ["directory.id"], name="fk_user_group_directory_id_directory"),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name="fk_user_group_organization_id_organization"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_user_group"),
    )
    op.create_index(
        "ix_user_group_directory_id_external_id", "user_group", ["directory_id", "external_id"], unique=False
    )
    op.create_index("ix_user_group_directory_id_id", "user_group", ["directory_id", "id"], unique=False)
    op.create_index("ix_user_group_organization_id", "user_group", ["organization_id"], unique=False)
    op.create_index(
        "uq_user_group_directory_id_display_name_key",
        "user_group",
        ["organization_id", sa.text("coalesce(directory_id, '')"), "display_name_key"],
        unique=True,
        sqlite_where=sa.text("removed_at IS NULL"),
        postgresql_where=sa.text("removed_at IS NULL"),
    )


def _create_nesting() -> None:
    op.create_table(
        "nesting",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("organization_id", sa.String(36), nullable=False),
        sa.Column("parent_id", sa.String(36), nullable=False),
        sa.Column("child_id", sa.String(36), nullable=False),
        sa.Column("origin", sa.String(32), nullable=False),
        sa.Column("held", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("valid_from", MOMENT, nullable=False),
        sa.Column("valid_to", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["child_id"], ["user_group.id"], name="fk_nesting_child_id_user_group"),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name="fk_nesting_organization_id_organization"
        ),
        sa.ForeignKeyConstraint(["parent_id"], ["user_group.id"], name="fk_nesting_parent_id_user_group"),
        sa.PrimaryKeyConstraint("id", name="pk_nesting"),
    )
    op.create_index("ix_nesting_child_id", "nesting", ["child_id"], unique=False)
    op.create_index("ix_nesting_organization_id", "nesting", ["organization_id"], unique=False)
    op.create_index(
        "uq_nesting_parent_id_child_id_origin",
        "nesting",
        ["parent_id", "child_id", "origin"],
        unique=True,
        sqlite_where=sa.text("valid_to IS NULL"),
        postgresql_where=sa.text("valid_to IS NULL"),
    )


def _create_parked_member() -> None:
    op.create_table(
        "parked_member",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("organization_id", sa.String(36), nullable=False),
        sa.Column("group_id", sa.String(36), nullable=False),
        sa.Column("value", sa.String(255), nullable=False),
        sa.Column("valid_from", MOMENT, nullable=False),
        sa.Column("valid_to", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["group_id"], ["user_group.id"], name="fk_parked_member_group_id_user_group"),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name="fk_parked_member_organization_id_organization"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_parked_member"),
    )
    op.create_index(
        "ix_parked_member_organization_id_value",
        "parked_member",
        ["organization_id", "value"],
        unique=False,
        sqlite_where=sa.text("valid_to IS NULL"),
        postgresql_where=sa.text("valid_to IS NULL"),
    )
    op.create_index(
        "uq_parked_member_group_id_value",
        "parked_member",
        ["group_id", "value"],
        unique=True,
        sqlite_where=sa.text("valid_to IS NULL"),
        postgresql_where=sa.text("valid_to IS NULL"),
    )


def _create_scim_user() -> None:
    op.create_table(
        "scim_user",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("organization_id", sa.String(36), nullable=False),
        sa.Column("directory_id", sa.String(36), nullable=False),
        sa.Column("member_id", sa.String(36), nullable=False),
        sa.Column("user_name", sa.String(1024), nullable=False),
        sa.Column("user_name_key", sa.String(1024), nullable=False),
        sa.Column("external_id", sa.String(1024), nullable=True),
        sa.Column("email_key", sa.String(1024), nullable=True),
        sa.Column("display_name", sa.String(1024), nullable=True),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("removed_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["directory_id"], ["directory.id"], name="fk_scim_user_directory_id_directory"),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name="fk_scim_user_member_id_member"),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name="fk_scim_user_organization_id_organization"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_scim_user"),
    )
    op.create_index("ix_scim_user_directory_id_email_key", "scim_user", ["directory_id", "email_key"], unique=False)
    op.create_index("ix_scim_user_directory_id_external_id", "scim_user", ["directory_id", "external_id"], unique=False)
    op.create_index("ix_scim_user_directory_id_id", "scim_user", ["directory_id", "id"], unique=False)
    op.create_index("ix_scim_user_member_id", "scim_user", ["member_id"], unique=False)
    op.create_index(
        "uq_scim_user_directory_id_user_name_key",
        "scim_user",
        ["directory_id", "user_name_key"],
        unique=True,
        sqlite_where=sa.text("removed_at IS NULL"),
        postgresql_where=sa.text("removed_at IS NULL"),
    )


def _create_membership() -> None:
    op.create_table(
        "membership",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("organization_id", sa.String(36), nullable=False),
        sa.Column("group_id", sa.String(36), nullable=False),
        sa.Column("member_id", sa.String(36), nullable=False),
        sa.Column("scim_user_id", sa.String(36), nullable=True),
        sa.Column("origin", sa.String(32), nullable=False),
        sa.Column("held", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("expires_at", MOMENT, nullable=True),
        sa.Column("valid_from", MOMENT, nullable=False),
        sa.Column("valid_to", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["group_id"], ["user_group.id"], name="fk_membership_group_id_user_group"),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name="fk_membership_member_id_member"),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name="fk_membership_organization_id_organization"
        ),
        sa.ForeignKeyConstraint(["scim_user_id"], ["scim_user.id"], name="fk_membership_scim_user_id_scim_user"),
        sa.PrimaryKeyConstraint("id", name="pk_membership"),
    )
    op.create_index("ix_membership_group_id_valid_from", "membership", ["group_id", "valid_from"], unique=False)
    op.create_index(
        "ix_membership_member_id",
        "membership",
        ["member_id"],
        unique=False,
        sqlite_where=sa.text("valid_to IS NULL"),
        postgresql_where=sa.text("valid_to IS NULL"),
    )
    op.create_index(
        "ix_membership_organization_id_valid_to", "membership", ["organization_id", "valid_to"], unique=False
    )
    op.create_index("ix_membership_scim_user_id", "membership", ["scim_user_id"], unique=False)
    op.create_index(
        "uq_membership_group_id_member_id_origin",
        "membership",
        ["group_id", "member_id", "origin"],
        unique=True,
        sqlite_where=sa.text("valid_to IS NULL"),
        postgresql_where=sa.text("valid_to IS NULL"),
    )
