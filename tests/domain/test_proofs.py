"""What a cluster's answers amount to."""

import itertools

import pytest

from scim_bridge.domain.bindings import Family
from scim_bridge.domain.proofs import (
    MOST_PLACES,
    PROBES,
    Asked,
    Probe,
    Verdict,
    allowed_by,
    places_of,
    proof_document,
    verdict_of,
)
from scim_bridge.domain.roles import KubernetesRole

READ = Probe("list", "pods")


def answered(*, allowed: bool, ours: bool = False) -> Asked:
    return Asked("ana", READ, None, allowed, "x" if allowed else "", ours)


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        (
            'RBAC: allowed by ClusterRoleBinding "by-hand" of ClusterRole "view" to User "ana"',
            'ClusterRoleBinding by-hand, view to User "ana"',
        ),
        (
            'RBAC: allowed by RoleBinding "by/hand/shop" of Role "pods" to Group "oidc:team"',
            'RoleBinding by/hand in shop, pods to Group "oidc:team"',
        ),
        (
            'RBAC: allowed by ClusterRoleBinding "a" of ClusterRole "b" to ServiceAccount "c/d"',
            'ClusterRoleBinding a, b to ServiceAccount "c/d"',
        ),
    ],
)
def test_the_binding_is_read_out_of_the_reason(reason: str, text: str) -> None:
    assert str(allowed_by(reason)) == text


@pytest.mark.parametrize("reason", ["", "because", 'RBAC: allowed by Webhook "x"', "allowed by webhook"])
def test_other_words_name_no_binding(reason: str) -> None:
    assert allowed_by(reason) is None


@pytest.mark.parametrize(
    ("answers", "is_active", "verdict"),
    [
        ([], False, Verdict.GONE),
        ([answered(allowed=False)], False, Verdict.GONE),
        ([answered(allowed=False), answered(allowed=True)], False, Verdict.STILL),
        ([answered(allowed=True, ours=True)], True, Verdict.GONE),
        ([answered(allowed=True, ours=True)], False, Verdict.STILL),
        ([answered(allowed=True)], True, Verdict.STILL),
    ],
)
def test_one_yes_that_is_not_meant_is_access(answers: list[Asked], is_active: bool, verdict: Verdict) -> None:
    assert verdict_of(answers, is_active=is_active) is verdict


def test_a_stronger_role_is_asked_about_whatever_a_weaker_one_is() -> None:
    strongest_first = sorted(PROBES, key=lambda role: -role.strength)

    for stronger, weaker in itertools.pairwise(strongest_first):
        assert set(PROBES[weaker]) < set(PROBES[stronger])


def test_with_too_many_places_the_strongest_are_asked_about_and_the_rest_is_said() -> None:
    families = [Family(f"shop-{number:02}", KubernetesRole.VIEW) for number in range(MOST_PLACES + 3)]

    places, left_out = places_of([*families, Family(None, KubernetesRole.EDIT)])
    document = proof_document(["ana"], [], [], left_out=left_out)

    assert (places[0], len(places), left_out) == ((KubernetesRole.EDIT, None), MOST_PLACES, 4)
    assert document["cannot_see"][0] == "4 more places were not asked about"
