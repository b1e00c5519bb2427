"""What a pass would stumble over, found before it."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from scim_bridge.clusters.gateway import PreflightProblem
from scim_bridge.clusters.kubernetes import KubernetesCluster
from scim_bridge.domain.roles import KubernetesRole
from tests.contracts.targets import KubeTarget
from tests.fakes.kube_api import FakeKubeApi
from tests.kube.client import CLUSTER_ROLES, CRBS
from tests.kube.server import ALICE, STRANGER
from tests.kube.world import (
    API_GROUP,
    Rule,
    binding,
    give_rules,
    kubeconfig,
)

ROLES = [KubernetesRole.EDIT, KubernetesRole.VIEW]


def kinds(problems: list[PreflightProblem]) -> list[str]:
    return [problem.kind for problem in problems]


@contextmanager
def as_user(target: KubeTarget, user: str) -> Iterator[KubernetesCluster]:
    gateway = target.open(credential=kubeconfig(target.server, user))
    yield gateway
    gateway.close()


@contextmanager
def with_rules(api: FakeKubeApi, own: str, *rules: Rule) -> Iterator[KubernetesCluster]:
    """A gateway of somebody who has just these rights."""
    give_rules(api.client(), "odd", list(rules))
    api.client().post(CRBS, binding("odd", "odd", STRANGER))
    with as_user(KubeTarget(own, api), STRANGER) as gateway:
        yield gateway


def rule(resources: list[str], verbs: list[str], names: list[str] | None = None) -> Rule:
    found = {"apiGroups": [API_GROUP], "resources": resources, "verbs": verbs}
    return found | ({"resourceNames": names} if names else {})


ALL_VERBS = ["get", "list", "create", "patch", "delete"]
BINDINGS = ["clusterrolebindings", "rolebindings"]


def test_the_bridges_own_identity_has_no_problem(target: KubeTarget) -> None:
    assert target.gateway.preflight(ROLES) == []


def test_a_role_that_may_not_be_bound_is_named(target: KubeTarget) -> None:
    [problem] = target.gateway.preflight([*ROLES, KubernetesRole.CLUSTER_ADMIN])

    assert problem.kind == "BindDenied"
    assert "cluster-admin" in problem.message


def test_no_role_and_the_role_none_need_nothing(target: KubeTarget) -> None:
    assert target.gateway.preflight([]) == target.gateway.preflight([KubernetesRole.NONE]) == []


def test_somebody_without_any_right_is_told_everything(target: KubeTarget) -> None:
    with as_user(target, ALICE) as gateway:
        problems = gateway.preflight([KubernetesRole.VIEW])

    assert kinds(problems) == ["ListDenied", "WriteDenied"] * 2 + ["BindDenied"]
    assert "get, create, patch, delete clusterrolebindings" in problems[1].message


def test_preflight_changes_nothing(api: FakeKubeApi, own: str) -> None:
    target = KubeTarget(own, api)
    before = api.client().get(CRBS).body
    api.requests.clear()

    target.gateway.preflight([*ROLES, KubernetesRole.CLUSTER_ADMIN])

    written = [
        each.query.get("dryRun") for each in api.requests if each.method != "GET" and "accessreviews" not in each.path
    ]
    assert written == ["All"] * len(ROLES)
    assert api.client().get(CRBS).body == before


def test_what_admission_says_against_a_binding_is_told_by_a_dry_run(api: FakeKubeApi, own: str) -> None:
    target = KubeTarget(own, api)
    api.faults.fail("create", "clusterrolebindings", 400, reason="BadRequest", message="our webhook forbids it")

    problems = target.gateway.preflight(ROLES)

    assert kinds(problems) == ["DryRunRefused", "DryRunRefused"]
    assert "view" in problems[0].message
    assert "our webhook forbids it" in problems[0].message


def test_a_dry_run_that_is_not_answered_is_no_answer(faulty: KubeTarget, api: FakeKubeApi) -> None:
    api.faults.fail("create", "clusterrolebindings", 503, reason="ServiceUnavailable")

    assert kinds(faulty.gateway.preflight(ROLES)) == ["ClusterUnreachable"]


def test_a_missing_role_is_told_though_binding_it_would_work(api: FakeKubeApi, own: str) -> None:
    target = KubeTarget(own, api)
    api.client().delete(f"{CLUSTER_ROLES}/view")

    [problem] = target.gateway.preflight(ROLES)

    assert problem.kind == "RoleMissing"
    assert "view" in problem.message


def test_who_may_not_look_at_roles_is_given_the_benefit_of_the_doubt(api: FakeKubeApi, own: str) -> None:
    bind = rule(["clusterroles"], ["bind"], ["edit", "view"])
    with with_rules(api, own, rule(BINDINGS, ALL_VERBS), bind) as gateway:
        problems = gateway.preflight(ROLES)

    assert problems == []


def test_one_missing_verb_is_named(api: FakeKubeApi, own: str) -> None:
    without_delete = [verb for verb in ALL_VERBS if verb != "delete"]
    bind = rule(["clusterroles"], ["bind", "get"], ["edit", "view"])
    with with_rules(api, own, rule(BINDINGS, without_delete), bind) as gateway:
        problems = gateway.preflight(ROLES)

    assert kinds(problems) == ["WriteDenied", "WriteDenied"]
    assert [problem.message for problem in problems] == [
        f"The credential may not delete {resource}." for resource in BINDINGS
    ]


def test_listing_alone_denied_is_no_denied_write(api: FakeKubeApi, own: str) -> None:
    without_list = [verb for verb in ALL_VERBS if verb != "list"]
    bind = rule(["clusterroles"], ["bind", "get"], ["edit", "view"])
    with with_rules(api, own, rule(BINDINGS, without_list), bind) as gateway:
        assert kinds(gateway.preflight(ROLES)) == ["ListDenied", "ListDenied"]


def test_what_was_found_before_the_cluster_went_silent_is_told_too(faulty: KubeTarget, api: FakeKubeApi) -> None:
    api.faults.latency(0, times=5)
    api.faults.fail(status=503)
    with as_user(faulty, ALICE) as gateway:
        problems = gateway.preflight(ROLES)

    assert kinds(problems) == ["ListDenied", "WriteDenied", "ClusterUnreachable"]


@pytest.mark.parametrize(
    "status",
    [{}, {"allowed": None}, {"allowed": "true"}, {"allowed": 1}, {"denied": True}],
)
def test_only_a_plain_yes_is_a_yes(api: FakeKubeApi, own: str, status: dict[str, object]) -> None:
    target = KubeTarget(own, api)
    api.faults.document({"kind": "SelfSubjectAccessReview", "status": status}, "create", "accessreviews")

    assert "ListDenied" in kinds(target.gateway.preflight([]))


def test_a_token_that_is_not_known_ends_the_search(target: KubeTarget) -> None:
    gateway = target.open(credential=kubeconfig(target.server, token="guessed"))

    problems = gateway.preflight(ROLES)

    assert kinds(problems) == ["ClusterDenied"]
    gateway.close()
