"""Create the tables of access: grants, their origins, mapping rules, custom roles, and the history of scalar facts."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

MOMENT = sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")


def upgrade() -> None:
    """Bring the tables up."""
    _create_api_role()
    _create_fact()
    _create_rule_set()
    _create_mapping_rule()
    _create_access_grant()
    _create_grant_origin()


def downgrade() -> None:
    """Take them down again."""
    for table in ("grant_origin", "access_grant", "mapping_rule", "rule_set", "fact", "api_role"):
        op.drop_table(table)


def _create_api_role() -> None:
    op.create_table(
        "api_role",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("organization_id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(63), nullable=False),
        sa.Column("permissions", sa.Text, nullable=False),
        sa.Column("valid_from", MOMENT, nullable=False),
        sa.Column("valid_to", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name="fk_api_role_organization_id_organization"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_api_role"),
    )
    op.create_index("ix_api_role_organization_id", "api_role", ["organization_id"], unique=False)
    op.create_index(
        "uq_api_role_organization_id_name",
        "api_role",
        ["organization_id", "name"],
        unique=True,
        sqlite_where=sa.text("valid_to IS NULL"),
        postgresql_where=sa.text("valid_to IS NULL"),
    )


def _create_fact() -> None:
    op.create_table(
        "fact",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("organization_id", sa.String(36), nullable=False),
        sa.Column("noun", sa.String(32), nullable=False),
        sa.Column("object_id", sa.String(36), nullable=False),
        sa.Column("attribute", sa.String(63), nullable=False),
        sa.Column("value", sa.Text, nullable=True),
        sa.Column("valid_from", MOMENT, nullable=False),
        sa.Column("valid_to", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["organization_id"], ["organization.id"], name="fk_fact_organization_id_organization"),
        sa.PrimaryKeyConstraint("id", name="pk_fact"),
    )
    op.create_index(
        "ix_fact_object_id_attribute_valid_from", "fact", ["object_id", "attribute", "valid_from"], unique=False
    )
    op.create_index(
        "ix_fact_organization_id_noun_attribute", "fact", ["organization_id", "noun", "attribute"], unique=False
    )
    op.create_index(
        "uq_fact_object_id_attribute",
        "fact",
        ["object_id", "attribute"],
        unique=True,
        sqlite_where=sa.text("valid_to IS NULL"),
        postgresql_where=sa.text("valid_to IS NULL"),
    )


def _create_rule_set() -> None:
    op.create_table(
        "rule_set",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("organization_id", sa.String(36), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("author", sa.String(320), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("applied_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name="fk_rule_set_organization_id_organization"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_rule_set"),
        sa.UniqueConstraint("organization_id", "version", name="uq_rule_set_organization_id_version"),
    )


def _create_mapping_rule() -> None:
    op.create_table(
        "mapping_rule",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("organization_id", sa.String(36), nullable=False),
        sa.Column("rule_set_id", sa.String(36), nullable=False),
        sa.Column("directory_id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(63), nullable=False),
        sa.Column("match_kind", sa.String(32), nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("definition", sa.Text, nullable=False),
        sa.Column("valid_from", MOMENT, nullable=False),
        sa.Column("valid_to", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["directory_id"], ["directory.id"], name="fk_mapping_rule_directory_id_directory"),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name="fk_mapping_rule_organization_id_organization"
        ),
        sa.ForeignKeyConstraint(["rule_set_id"], ["rule_set.id"], name="fk_mapping_rule_rule_set_id_rule_set"),
        sa.PrimaryKeyConstraint("id", name="pk_mapping_rule"),
    )
    op.create_index("ix_mapping_rule_directory_id", "mapping_rule", ["directory_id"], unique=False)
    op.create_index("ix_mapping_rule_organization_id", "mapping_rule", ["organization_id"], unique=False)
    op.create_index(
        "uq_mapping_rule_organization_id_name",
        "mapping_rule",
        ["organization_id", "name"],
        unique=True,
        sqlite_where=sa.text("valid_to IS NULL"),
        postgresql_where=sa.text("valid_to IS NULL"),
    )


def _create_access_grant() -> None:
    op.create_table(
        "access_grant",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("organization_id", sa.String(36), nullable=False),
        sa.Column("member_id", sa.String(36), nullable=True),
        sa.Column("group_id", sa.String(36), nullable=True),
        sa.Column("scope_kind", sa.String(32), nullable=False),
        sa.Column("scope_id", sa.String(36), nullable=False),
        sa.Column("api_role", sa.String(63), nullable=True),
        sa.Column("kubernetes_role", sa.String(32), nullable=True),
        sa.Column("valid_from", MOMENT, nullable=False),
        sa.Column("valid_to", MOMENT, nullable=True),
        sa.CheckConstraint("(member_id IS NULL) <> (group_id IS NULL)", name=op.f("ck_access_grant_one_holder")),
        sa.CheckConstraint(
            "api_role IS NOT NULL OR kubernetes_role IS NOT NULL", name=op.f("ck_access_grant_some_role")
        ),
        sa.ForeignKeyConstraint(["group_id"], ["user_group.id"], name="fk_access_grant_group_id_user_group"),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name="fk_access_grant_member_id_member"),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name="fk_access_grant_organization_id_organization"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_access_grant"),
    )
    op.create_index("ix_access_grant_group_id", "access_grant", ["group_id"], unique=False)
    op.create_index("ix_access_grant_member_id", "access_grant", ["member_id"], unique=False)
    op.create_index("ix_access_grant_organization_id", "access_grant", ["organization_id"], unique=False)
    op.create_index("ix_access_grant_scope_id", "access_grant", ["scope_id"], unique=False)
    op.create_index(
        "uq_access_grant_holder_scope_roles",
        "access_grant",
        [
            "organization_id",
            sa.text("coalesce(member_id, '')"),
            sa.text("coalesce(group_id, '')"),
            "scope_kind",
            "scope_id",
            sa.text("coalesce(api_role, '')"),
            sa.text("coalesce(kubernetes_role, '')"),
        ],
        unique=True,
        sqlite_where=sa.text("valid_to IS NULL"),
        postgresql_where=sa.text("valid_to IS NULL"),
    )


def _create_grant_origin() -> None:
    op.create_table(
        "grant_origin",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("organization_id", sa.String(36), nullable=False),
        sa.Column("grant_id", sa.String(36), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("rule_id", sa.String(36), nullable=True),
        sa.Column("reference", sa.String(320), nullable=False, server_default=""),
        sa.Column("expires_at", MOMENT, nullable=True),
        sa.Column("valid_from", MOMENT, nullable=False),
        sa.Column("valid_to", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["grant_id"], ["access_grant.id"], name="fk_grant_origin_grant_id_access_grant"),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name="fk_grant_origin_organization_id_organization"
        ),
        sa.ForeignKeyConstraint(["rule_id"], ["mapping_rule.id"], name="fk_grant_origin_rule_id_mapping_rule"),
        sa.PrimaryKeyConstraint("id", name="pk_grant_origin"),
    )
    op.create_index("ix_grant_origin_grant_id", "grant_origin", ["grant_id"], unique=False)
    op.create_index("ix_grant_origin_organization_id", "grant_origin", ["organization_id"], unique=False)
    op.create_index("ix_grant_origin_rule_id", "grant_origin", ["rule_id"], unique=False)
    op.create_index(
        "uq_grant_origin_grant_id_kind_rule_id",
        "grant_origin",
        ["grant_id", "kind", sa.text("coalesce(rule_id, '')")],
        unique=True,
        sqlite_where=sa.text("valid_to IS NULL"),
        postgresql_where=sa.text("valid_to IS NULL"),
    )
