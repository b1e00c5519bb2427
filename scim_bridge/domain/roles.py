"""API roles and Kubernetes roles."""

from enum import StrEnum


class KubernetesRole(StrEnum):
    """
    A ClusterRole of Kubernetes' own four user-facing ones, or explicitly nothing.

    ``inherit`` (nothing said here) is the absence of a value, never a value.
    """

    CLUSTER_ADMIN = "cluster-admin"
    EDIT = "edit"
    VIEW = "view"
    NONE = "none"

    @property
    def strength(self) -> int:
        """Return 0 for none up to 3 for cluster-admin."""
        return _STRENGTH[self]


_STRENGTH = {
    KubernetesRole.NONE: 0,
    KubernetesRole.VIEW: 1,
    KubernetesRole.EDIT: 2,
    KubernetesRole.CLUSTER_ADMIN: 3,
}


class ApiRole(StrEnum):
    """
    The built-in API roles; custom roles are names of their own (`config/roles.toml` says what each may do).

    At a project or service ``developer`` means the project's developer, above it the organization's.
    """

    OWNER = "owner"
    ADMIN = "admin"
    DEVELOPER = "developer"
    VIEWER = "viewer"
    BILLING_ADMIN = "billing-admin"
    CONSOLE_VIEWER = "console-viewer"
    PROJECT_ADMIN = "project_admin"
    OPERATOR = "operator"
    READ_ONLY = "read_only"


API_ROLE_ORDER: tuple[str, ...] = (
    ApiRole.OWNER,
    ApiRole.ADMIN,
    ApiRole.PROJECT_ADMIN,
    ApiRole.DEVELOPER,
    ApiRole.OPERATOR,
    ApiRole.BILLING_ADMIN,
    ApiRole.VIEWER,
    ApiRole.READ_ONLY,
    ApiRole.CONSOLE_VIEWER,
)
"""Strongest first: only for picking among rules of equal priority; permissions are always the union."""


def api_role_strength(name: str) -> int:
    """Return how strong an API role is among its peers; a custom role is weaker than every built-in one."""
    if name in API_ROLE_ORDER:
        return len(API_ROLE_ORDER) - API_ROLE_ORDER.index(name)
    return 0
