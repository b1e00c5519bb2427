"""Grants, their origins, mapping rules, custom roles, and the history of scalar facts."""

import sqlalchemy as sa

from scim_bridge.domain.access import OriginKind
from scim_bridge.domain.organizations import ScopeKind
from scim_bridge.domain.roles import KubernetesRole
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

grant = sa.Table(
    "access_grant",
    metadata,
    id_column(),
    of_organization(index=True),
    reference("member_id", "member", nullable=True, index=True),
    reference("group_id", "user_group", nullable=True, index=True),
    one_of("scope_kind", *(kind.value for kind in ScopeKind)),
    sa.Column("scope_id", sa.String(ID_LENGTH), nullable=False, index=True),
    sa.Column("api_role", sa.String(63), nullable=True),
    one_of("kubernetes_role", *(role.value for role in KubernetesRole), nullable=True),
    *period(),
    sa.CheckConstraint("(member_id IS NULL) <> (group_id IS NULL)", name="one_holder"),
    sa.CheckConstraint("api_role IS NOT NULL OR kubernetes_role IS NOT NULL", name="some_role"),
)
"""``grant`` is a reserved word of SQL: the table is called access_grant."""

sa.Index(
    "uq_access_grant_holder_scope_roles",
    grant.c.organization_id,
    sa.func.coalesce(grant.c.member_id, ""),
    sa.func.coalesce(grant.c.group_id, ""),
    grant.c.scope_kind,
    grant.c.scope_id,
    sa.func.coalesce(grant.c.api_role, ""),
    sa.func.coalesce(grant.c.kubernetes_role, ""),
    unique=True,
    sqlite_where=grant.c.valid_to.is_(None),
    postgresql_where=grant.c.valid_to.is_(None),
)

rule_set = sa.Table(
    "rule_set",
    metadata,
    id_column(),
    of_organization(),
    sa.Column("version", sa.Integer, nullable=False),
    one_of("state", "draft", "applied", "superseded", "discarded"),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("author", sa.String(320), nullable=False),
    moment("created_at"),
    moment("applied_at", nullable=True),
    sa.UniqueConstraint("organization_id", "version"),
)

rule_draft = sa.Table(
    "rule_draft",
    metadata,
    id_column(),
    of_organization(),
    sa.Column("name", sa.String(63), nullable=False),
    # Canonical JSON of the whole set, as a version's.
    sa.Column("document", sa.Text, nullable=False),
    # The version that was in force when the draft was begun; 0 before the first.
    sa.Column("base_version", sa.Integer, nullable=False),
    sa.Column("author", sa.String(320), nullable=False),
    moment("created_at"),
    moment("updated_at"),
    # Why it was not applied at once, where somebody tried without a preview.
    sa.Column("held_because", sa.Text, nullable=False, server_default=""),
    moment("apply_at", nullable=True),
    # The preview that somebody agreed to when they scheduled it.
    sa.Column("agreed_hash", sa.String(64), nullable=True),
    sa.Column("problem", sa.Text, nullable=True),
    sa.UniqueConstraint("organization_id", "name"),
)
"""What may become the next version. It is nobody's history: once applied or discarded only the audit knows of it."""

rule = sa.Table(
    "mapping_rule",
    metadata,
    id_column(),
    of_organization(index=True),
    reference("rule_set_id", "rule_set"),
    reference("directory_id", "directory", index=True),
    sa.Column("name", sa.String(63), nullable=False),
    one_of("match_kind", "group_id", "group", "group_prefix", "group_pattern", "attribute"),
    sa.Column("priority", sa.Integer, nullable=False),
    # Canonical JSON of the whole rule, as domain.mapping reads it.
    sa.Column("definition", sa.Text, nullable=False),
    *period(),
)
sa.Index(
    "uq_mapping_rule_organization_id_name",
    rule.c.organization_id,
    rule.c.name,
    unique=True,
    sqlite_where=rule.c.valid_to.is_(None),
    postgresql_where=rule.c.valid_to.is_(None),
)

grant_origin = sa.Table(
    "grant_origin",
    metadata,
    id_column(),
    of_organization(index=True),
    reference("grant_id", "access_grant", index=True),
    one_of("kind", *(kind.value for kind in OriginKind)),
    reference("rule_id", "mapping_rule", nullable=True, index=True),
    # Who or what asked for it, in words a person understands: an actor's name, an invitation's id.
    sa.Column("reference", sa.String(320), nullable=False, server_default=""),
    moment("expires_at", nullable=True),
    *period(),
)
sa.Index(
    "uq_grant_origin_grant_id_kind_rule_id",
    grant_origin.c.grant_id,
    grant_origin.c.kind,
    sa.func.coalesce(grant_origin.c.rule_id, ""),
    unique=True,
    sqlite_where=grant_origin.c.valid_to.is_(None),
    postgresql_where=grant_origin.c.valid_to.is_(None),
)

api_role = sa.Table(
    "api_role",
    metadata,
    id_column(),
    of_organization(index=True),
    sa.Column("name", sa.String(63), nullable=False),
    sa.Column("permissions", sa.Text, nullable=False),
    *period(),
)
sa.Index(
    "uq_api_role_organization_id_name",
    api_role.c.organization_id,
    api_role.c.name,
    unique=True,
    sqlite_where=api_role.c.valid_to.is_(None),
    postgresql_where=api_role.c.valid_to.is_(None),
)

fact = sa.Table(
    "fact",
    metadata,
    id_column(),
    of_organization(),
    one_of("noun", "organization", "unit", "project", "service", "cluster", "directory", "member", "user_group"),
    sa.Column("object_id", sa.String(ID_LENGTH), nullable=False),
    sa.Column("attribute", sa.String(63), nullable=False),
    sa.Column("value", sa.Text, nullable=True),
    *period(),
    sa.Index("ix_fact_object_id_attribute_valid_from", "object_id", "attribute", "valid_from"),
    sa.Index("ix_fact_organization_id_noun_attribute", "organization_id", "noun", "attribute"),
)
"""``attribute`` of an object had ``value`` from/to: a unit's parent, a member's state, a cluster's unit …"""

sa.Index(
    "uq_fact_object_id_attribute",
    fact.c.object_id,
    fact.c.attribute,
    unique=True,
    sqlite_where=fact.c.valid_to.is_(None),
    postgresql_where=fact.c.valid_to.is_(None),
)
