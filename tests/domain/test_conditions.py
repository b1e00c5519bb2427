"""What failed is named so that a person knows what to do."""

import pytest

from scim_bridge.domain.bindings import Family
from scim_bridge.domain.conditions import of_failed_write, of_unreadable
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.errors import (
    ClusterDenied,
    ClusterError,
    ClusterRejected,
    ClusterThrottled,
    ClusterUnreachable,
    ForeignObject,
    StaleBinding,
)

SHOP = Family("shop", KubernetesRole.EDIT)
EVERYWHERE = Family(None, KubernetesRole.VIEW)


@pytest.mark.parametrize(
    ("family", "error", "kind", "about"),
    [
        (SHOP, ClusterRejected('Creating x: namespaces "shop" not found'), "NamespaceMissing", "shop"),
        (SHOP, ClusterRejected("namespace shop because it is being terminated"), "NamespaceMissing", "shop"),
        (SHOP, ClusterRejected('clusterroles.rbac "edit" not found'), "RoleMissing", "edit"),
        (SHOP, ClusterRejected("etcdserver: request is too large"), "WriteRefused", "edit in namespace shop"),
        (EVERYWHERE, ClusterRejected('namespaces "x" not found'), "WriteRefused", "view in the whole cluster"),
        (EVERYWHERE, ClusterDenied("user may not bind"), "BindDenied", "view in the whole cluster"),
        (SHOP, ForeignObject("not ours"), "ForeignConflict", "edit in namespace shop"),
        (SHOP, ClusterUnreachable("timed out"), "Unreachable", ""),
        (SHOP, ClusterThrottled("later", 5), "Throttled", ""),
    ],
)
def test_a_failed_write_has_the_condition_that_explains_it(
    family: Family, error: ClusterError, kind: str, about: str
) -> None:
    found = of_failed_write(family, error)

    assert found is not None
    assert (found.kind, found.about, found.message) == (kind, about, str(error))


def test_what_the_next_pass_mends_is_nobodys_concern() -> None:
    assert of_failed_write(SHOP, StaleBinding("it changed")) is None


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ClusterUnreachable("no route"), "Unreachable"),
        (ClusterThrottled("later"), "Throttled"),
        (ClusterDenied("401"), "AccessDenied"),
    ],
)
def test_a_cluster_that_cannot_be_read_says_why(error: ClusterError, kind: str) -> None:
    assert of_unreadable(error).kind == kind
