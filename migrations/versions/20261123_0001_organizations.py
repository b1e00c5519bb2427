"""Create the tables of organizations: the organization and its tree."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

MOMENT = sa.String(27).with_variant(sa.DateTime(timezone=True), "postgresql")


def upgrade() -> None:
    """Bring the tables up."""
    _create_installation()
    _create_organization()
    _create_organization_domain()
    _create_unit()
    _create_cluster()
    _create_project()
    _create_project_cluster()
    _create_project_namespace()
    _create_service()


def downgrade() -> None:
    """Take them down again."""
    for table in (
        "service",
        "project_namespace",
        "project_cluster",
        "project",
        "cluster",
        "unit",
        "organization_domain",
        "organization",
        "installation",
    ):
        op.drop_table(table)


def _create_installation() -> None:
    op.create_table(
        "installation",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_installation"),
    )


def _create_organization() -> None:
    op.create_table(
        "organization",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("slug", sa.String(63), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("settings", sa.Text, nullable=False, server_default="{}"),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("removed_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_organization"),
        sa.UniqueConstraint("slug", name="uq_organization_slug"),
    )


def _create_organization_domain() -> None:
    op.create_table(
        "organization_domain",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("organization_id", sa.String(36), nullable=False),
        sa.Column("domain", sa.String(253), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name="fk_organization_domain_organization_id_organization"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_organization_domain"),
    )
    op.create_index("ix_organization_domain_organization_id", "organization_domain", ["organization_id"], unique=False)


def _create_unit() -> None:
    op.create_table(
        "unit",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("organization_id", sa.String(36), nullable=False),
        sa.Column("parent_id", sa.String(36), nullable=True),
        sa.Column("name", sa.String(63), nullable=False),
        sa.Column("environment_type", sa.String(32), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("removed_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["organization_id"], ["organization.id"], name="fk_unit_organization_id_organization"),
        sa.ForeignKeyConstraint(["parent_id"], ["unit.id"], name="fk_unit_parent_id_unit"),
        sa.PrimaryKeyConstraint("id", name="pk_unit"),
    )
    op.create_index("ix_unit_organization_id", "unit", ["organization_id"], unique=False)
    op.create_index("ix_unit_parent_id", "unit", ["parent_id"], unique=False)
    op.create_index(
        "uq_unit_organization_id_parent_id_name",
        "unit",
        ["organization_id", sa.text("coalesce(parent_id, '')"), "name"],
        unique=True,
        sqlite_where=sa.text("removed_at IS NULL"),
        postgresql_where=sa.text("removed_at IS NULL"),
    )


def _create_cluster() -> None:
    op.create_table(
        "cluster",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("organization_id", sa.String(36), nullable=False),
        sa.Column("unit_id", sa.String(36), nullable=True),
        sa.Column("name", sa.String(63), nullable=False),
        sa.Column("target_kind", sa.String(32), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("sealed_credential", sa.Text, nullable=True),
        sa.Column("folder", sa.Text, nullable=True),
        sa.Column("address", sa.Text, nullable=False, server_default=""),
        sa.Column("user_template", sa.String(255), nullable=False),
        sa.Column("group_template", sa.String(255), nullable=True),
        sa.Column("case_rule", sa.String(32), nullable=False, server_default="keep"),
        sa.Column("subject_mode", sa.String(32), nullable=False, server_default="user"),
        sa.Column("allow_cluster_admin", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("allow_label_selectors", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("bridge_namespace", sa.String(63), nullable=False, server_default="scim-bridge"),
        sa.Column("approved_first_plan", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("removed_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name="fk_cluster_organization_id_organization"
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name="fk_cluster_unit_id_unit"),
        sa.PrimaryKeyConstraint("id", name="pk_cluster"),
    )
    op.create_index("ix_cluster_unit_id", "cluster", ["unit_id"], unique=False)
    op.create_index(
        "uq_cluster_organization_id_name",
        "cluster",
        ["organization_id", "name"],
        unique=True,
        sqlite_where=sa.text("removed_at IS NULL"),
        postgresql_where=sa.text("removed_at IS NULL"),
    )


def _create_project() -> None:
    op.create_table(
        "project",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("organization_id", sa.String(36), nullable=False),
        sa.Column("unit_id", sa.String(36), nullable=True),
        sa.Column("name", sa.String(63), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("removed_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name="fk_project_organization_id_organization"
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name="fk_project_unit_id_unit"),
        sa.PrimaryKeyConstraint("id", name="pk_project"),
    )
    op.create_index("ix_project_unit_id", "project", ["unit_id"], unique=False)
    op.create_index(
        "uq_project_organization_id_name",
        "project",
        ["organization_id", "name"],
        unique=True,
        sqlite_where=sa.text("removed_at IS NULL"),
        postgresql_where=sa.text("removed_at IS NULL"),
    )


def _create_project_cluster() -> None:
    op.create_table(
        "project_cluster",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("organization_id", sa.String(36), nullable=False),
        sa.Column("project_id", sa.String(36), nullable=False),
        sa.Column("cluster_id", sa.String(36), nullable=False),
        sa.Column("valid_from", MOMENT, nullable=False),
        sa.Column("valid_to", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["cluster_id"], ["cluster.id"], name="fk_project_cluster_cluster_id_cluster"),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name="fk_project_cluster_organization_id_organization"
        ),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name="fk_project_cluster_project_id_project"),
        sa.PrimaryKeyConstraint("id", name="pk_project_cluster"),
    )
    op.create_index("ix_project_cluster_cluster_id", "project_cluster", ["cluster_id"], unique=False)
    op.create_index("ix_project_cluster_organization_id", "project_cluster", ["organization_id"], unique=False)
    op.create_index("ix_project_cluster_project_id", "project_cluster", ["project_id"], unique=False)


def _create_project_namespace() -> None:
    op.create_table(
        "project_namespace",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("organization_id", sa.String(36), nullable=False),
        sa.Column("project_id", sa.String(36), nullable=False),
        sa.Column("cluster_id", sa.String(36), nullable=True),
        sa.Column("namespace", sa.String(63), nullable=True),
        sa.Column("selector", sa.String(512), nullable=True),
        sa.Column("valid_from", MOMENT, nullable=False),
        sa.Column("valid_to", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["cluster_id"], ["cluster.id"], name="fk_project_namespace_cluster_id_cluster"),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name="fk_project_namespace_organization_id_organization"
        ),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name="fk_project_namespace_project_id_project"),
        sa.PrimaryKeyConstraint("id", name="pk_project_namespace"),
    )
    op.create_index("ix_project_namespace_organization_id", "project_namespace", ["organization_id"], unique=False)
    op.create_index("ix_project_namespace_project_id", "project_namespace", ["project_id"], unique=False)


def _create_service() -> None:
    op.create_table(
        "service",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("organization_id", sa.String(36), nullable=False),
        sa.Column("project_id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(63), nullable=False),
        sa.Column("namespace", sa.String(63), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("removed_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name="fk_service_organization_id_organization"
        ),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name="fk_service_project_id_project"),
        sa.PrimaryKeyConstraint("id", name="pk_service"),
    )
    op.create_index("ix_service_organization_id", "service", ["organization_id"], unique=False)
    op.create_index(
        "uq_service_project_id_name",
        "service",
        ["project_id", "name"],
        unique=True,
        sqlite_where=sa.text("removed_at IS NULL"),
        postgresql_where=sa.text("removed_at IS NULL"),
    )
