"""
The tables, split by noun.

Everything that access is derived from is kept as rows with ``valid_from`` and ``valid_to`` (NULL: in force). Scalar
facts (a state, a placement) are rows of ``fact``; the entity's own row caches the current value for fast reads.
"""

from scim_bridge.store.schema.access import (
    api_role,
    fact,
    grant,
    grant_origin,
    rule,
    rule_set,
)
from scim_bridge.store.schema.clusters import (
    applied_binding,
    applied_subject,
    cluster_condition,
    cluster_sync,
    inferred_removal,
    plan,
    sync_pass,
)
from scim_bridge.store.schema.columns import metadata
from scim_bridge.store.schema.organizations import (
    cluster,
    installation,
    organization,
    organization_domain,
    project,
    project_cluster,
    project_namespace,
    service,
    unit,
)
from scim_bridge.store.schema.people import (
    account,
    adoption_conflict,
    api_token,
    directory,
    directory_condition,
    directory_silence,
    directory_token,
    member,
    membership,
    nesting,
    parked_member,
    scim_user,
    user_group,
)
from scim_bridge.store.schema.records import (
    audit_entry,
    change_row,
    idempotent_request,
    lease,
    provisioning_log,
    removal_request,
    removal_request_cluster,
)
from scim_bridge.store.schema.safety import cluster_safety, freeze, removal_proof

__all__ = [
    "account",
    "adoption_conflict",
    "api_role",
    "api_token",
    "applied_binding",
    "applied_subject",
    "audit_entry",
    "change_row",
    "cluster",
    "cluster_condition",
    "cluster_safety",
    "cluster_sync",
    "directory",
    "directory_condition",
    "directory_silence",
    "directory_token",
    "fact",
    "freeze",
    "grant",
    "grant_origin",
    "idempotent_request",
    "inferred_removal",
    "installation",
    "lease",
    "member",
    "membership",
    "metadata",
    "nesting",
    "organization",
    "organization_domain",
    "parked_member",
    "plan",
    "project",
    "project_cluster",
    "project_namespace",
    "provisioning_log",
    "removal_proof",
    "removal_request",
    "removal_request_cluster",
    "rule",
    "rule_set",
    "scim_user",
    "service",
    "sync_pass",
    "unit",
    "user_group",
]
