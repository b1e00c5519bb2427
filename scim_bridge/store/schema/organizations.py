"""The organization and its tree."""

import sqlalchemy as sa

from scim_bridge.domain.organizations import CaseRule, EnvironmentType, SubjectMode, TargetKind
from scim_bridge.store.schema.columns import (
    ID_LENGTH,
    id_column,
    metadata,
    moment,
    of_organization,
    one_of,
    period,
    reference,
)

installation = sa.Table(
    "installation",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
"""Facts about this installation itself, e.g. ``instance``: the short id in the names of its bindings."""

organization = sa.Table(
    "organization",
    metadata,
    id_column(),
    sa.Column("slug", sa.String(63), nullable=False, unique=True),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("settings", sa.Text, nullable=False, server_default="{}"),
    moment("created_at"),
    moment("removed_at", nullable=True),
)

organization_domain = sa.Table(
    "organization_domain",
    metadata,
    id_column(),
    of_organization(index=True),
    sa.Column("domain", sa.String(253), nullable=False),
    one_of("state", "asserted", "verified", "removed"),
    # What the domain's owner is asked to publish; nothing secret.
    sa.Column("challenge", sa.String(64), nullable=False, server_default=""),
    # dns or file: where it was found last.
    sa.Column("proof", sa.String(8), nullable=True),
    moment("created_at"),
    moment("verified_at", nullable=True),
    moment("checked_at", nullable=True),
    # Since when the proof is no longer found; what was verified stays so for a while.
    moment("missing_since", nullable=True),
)
sa.Index(
    "uq_organization_domain_domain",
    organization_domain.c.domain,
    unique=True,
    sqlite_where=organization_domain.c.state != "removed",
    postgresql_where=organization_domain.c.state != "removed",
)

unit = sa.Table(
    "unit",
    metadata,
    id_column(),
    of_organization(index=True),
    reference("parent_id", "unit", nullable=True, index=True),
    sa.Column("name", sa.String(63), nullable=False),
    one_of("environment_type", *(kind.value for kind in EnvironmentType), nullable=True),
    moment("created_at"),
    moment("removed_at", nullable=True),
)
sa.Index(
    "uq_unit_organization_id_parent_id_name",
    unit.c.organization_id,
    sa.func.coalesce(unit.c.parent_id, ""),
    unit.c.name,
    unique=True,
    sqlite_where=unit.c.removed_at.is_(None),
    postgresql_where=unit.c.removed_at.is_(None),
)

project = sa.Table(
    "project",
    metadata,
    id_column(),
    of_organization(),
    reference("unit_id", "unit", nullable=True, index=True),
    sa.Column("name", sa.String(63), nullable=False),
    moment("created_at"),
    moment("removed_at", nullable=True),
)
sa.Index(
    "uq_project_organization_id_name",
    project.c.organization_id,
    project.c.name,
    unique=True,
    sqlite_where=project.c.removed_at.is_(None),
    postgresql_where=project.c.removed_at.is_(None),
)

service = sa.Table(
    "service",
    metadata,
    id_column(),
    of_organization(index=True),
    reference("project_id", "project"),
    sa.Column("name", sa.String(63), nullable=False),
    sa.Column("namespace", sa.String(63), nullable=False),
    moment("created_at"),
    moment("removed_at", nullable=True),
)
sa.Index(
    "uq_service_project_id_name",
    service.c.project_id,
    service.c.name,
    unique=True,
    sqlite_where=service.c.removed_at.is_(None),
    postgresql_where=service.c.removed_at.is_(None),
)

cluster = sa.Table(
    "cluster",
    metadata,
    id_column(),
    of_organization(),
    reference("unit_id", "unit", nullable=True, index=True),
    sa.Column("name", sa.String(63), nullable=False),
    one_of("target_kind", *(kind.value for kind in TargetKind)),
    one_of("state", "unapproved", "active", "removed"),
    # Encrypted with the installation's keys (MultiFernet); never returned, never logged.
    sa.Column("sealed_credential", sa.Text, nullable=True),
    sa.Column("folder", sa.Text, nullable=True),
    sa.Column("address", sa.Text, nullable=False, server_default=""),
    sa.Column("user_template", sa.String(255), nullable=False),
    sa.Column("group_template", sa.String(255), nullable=True),
    one_of("case_rule", *(rule.value for rule in CaseRule), default=CaseRule.KEEP.value),
    one_of("subject_mode", *(mode.value for mode in SubjectMode), default="user"),
    sa.Column("group_case", sa.String(32), nullable=False, server_default=CaseRule.KEEP.value),
    # The directory whose groups its tokens carry.
    sa.Column("group_directory", sa.String(ID_LENGTH), nullable=True),
    sa.Column("group_filter", sa.String(255), nullable=False, server_default="*"),
    sa.Column("group_limit", sa.Integer, nullable=False, server_default="200"),
    sa.Column("token_minutes", sa.Integer, nullable=False, server_default="60"),
    sa.Column("excluded_namespaces", sa.String(1024), nullable=False, server_default=""),
    sa.Column("allow_cluster_admin", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("allow_label_selectors", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("bridge_namespace", sa.String(63), nullable=False, server_default="scim-bridge"),
    sa.Column("approved_first_plan", sa.Boolean, nullable=False, server_default=sa.false()),
    moment("created_at"),
    moment("removed_at", nullable=True),
)
sa.Index(
    "uq_cluster_organization_id_name",
    cluster.c.organization_id,
    cluster.c.name,
    unique=True,
    sqlite_where=cluster.c.removed_at.is_(None),
    postgresql_where=cluster.c.removed_at.is_(None),
)

project_cluster = sa.Table(
    "project_cluster",
    metadata,
    id_column(),
    of_organization(index=True),
    reference("project_id", "project", index=True),
    reference("cluster_id", "cluster", index=True),
    *period(),
)

project_namespace = sa.Table(
    "project_namespace",
    metadata,
    id_column(),
    of_organization(index=True),
    reference("project_id", "project", index=True),
    reference("cluster_id", "cluster", nullable=True),
    sa.Column("namespace", sa.String(63), nullable=True),
    sa.Column("selector", sa.String(512), nullable=True),
    *period(),
)

organization_document = sa.Table(
    "organization_document",
    metadata,
    id_column(),
    of_organization(),
    # Canonical JSON of what was applied, as domain.organization_documents writes and reads it; never a credential.
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("author", sa.String(320), nullable=False),
    moment("applied_at"),
    sa.Index("ix_organization_document_organization_id_id", "organization_id", "id"),
)
"""Documents that were applied to an organization: the newest says what of it is a document's business."""
