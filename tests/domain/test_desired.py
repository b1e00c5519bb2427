"""What a cluster should have."""

import time
from dataclasses import replace

import pytest
from hypothesis import given

from scim_bridge.domain.access import Snapshot
from scim_bridge.domain.bindings import Family
from scim_bridge.domain.desired import desired, desired_families
from scim_bridge.domain.namespaces import checked_exclusions
from scim_bridge.domain.organizations import NamespaceClaim, Project, ProjectId, Tree
from scim_bridge.domain.people import MemberState
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.errors import Invalid
from tests.domain.worlds import (
    ACME,
    BLOG,
    ORGANIZATION,
    PROD,
    PROJECT,
    SERVICE,
    SHOP,
    STAGE,
    grant,
    person,
    snapshot,
    snapshots,
    tree,
)

ADMIN, EDIT, VIEW = KubernetesRole.CLUSTER_ADMIN, KubernetesRole.EDIT, KubernetesRole.VIEW


def families(world: Snapshot, **options: object) -> dict[tuple[str | None, str], tuple[str, ...]]:
    wanted = desired(world, PROD, **options)  # type: ignore[arg-type]
    return {(b.key.family.namespace, b.key.family.role.value): b.subjects for b in wanted.bindings}


def kinds(world: Snapshot) -> list[str]:
    return [condition.kind for condition in desired(world, PROD).conditions]


def with_projects(*projects: Project, allow_label_selectors: bool = False) -> Tree:
    base = tree(allow_label_selectors=allow_label_selectors)
    return Tree(base.organization_id, base.units, {p.id: p for p in projects}, base.services, base.clusters)


def test_groups_and_people_become_one_binding_a_role() -> None:
    world = snapshot(
        [person("ana"), person("bob"), person("cid", MemberState.DEACTIVATED)],
        [grant(ORGANIZATION, EDIT, group="dev"), grant(PROJECT, VIEW, member="bob")],
        {"ana": ("dev",), "cid": ("dev",)},
    )

    assert families(world) == {
        (None, "edit"): ("ana",),
        ("shop", "view"): ("bob",),
        ("shop-web", "view"): ("bob",),
    }


def test_a_service_grant_reaches_its_one_namespace_and_no_other() -> None:
    world = snapshot([person("ana")], [grant(SERVICE, EDIT, member="ana")])

    assert families(world) == {("shop-web", "edit"): ("ana",)}


def test_a_project_without_listed_clusters_reaches_only_those_of_its_own_unit() -> None:
    world = snapshot([person("ana")], [grant(PROJECT, EDIT, member="ana")])

    assert desired(world, STAGE).bindings == ()


def test_in_one_namespace_only_the_strongest_role_is_bound() -> None:
    world = snapshot([person("ana")], [grant(PROJECT, VIEW, member="ana"), grant(SERVICE, EDIT, member="ana")])

    assert families(world) == {("shop", "view"): ("ana",), ("shop-web", "edit"): ("ana",)}


def test_cluster_admin_is_bound_only_where_the_cluster_allows_it() -> None:
    held = [grant(ORGANIZATION, ADMIN, member="ana")]

    refused = snapshot([person("ana")], held)
    allowed = snapshot([person("ana")], held, the_tree=tree(allow_cluster_admin=True))

    assert (families(refused), kinds(refused)) == ({}, ["ClusterAdminNotAllowed"])
    assert families(allowed) == {(None, "cluster-admin"): ("ana",)}


def test_kubernetes_own_namespaces_are_never_a_projects() -> None:
    claims = tuple(NamespaceClaim(name=name) for name in ("kube-system", "default", "scim-bridge", "Not A Name"))
    world = snapshot(
        [person("ana")],
        [grant(PROJECT, EDIT, member="ana")],
        the_tree=with_projects(Project(SHOP, None, "shop", frozenset({PROD}), claims)),
    )

    assert families(world) == {("shop-web", "edit"): ("ana",)}
    assert kinds(world) == ["NamespaceForbidden"] * 4


def test_of_two_projects_that_claim_one_namespace_the_earlier_keeps_it() -> None:
    claim = (NamespaceClaim(name="shared"),)
    world = snapshot(
        [person("ana"), person("bob")],
        [grant(PROJECT, EDIT, member="ana"), grant(PROJECT.__class__(PROJECT.kind, BLOG), EDIT, member="bob")],
        the_tree=with_projects(
            Project(SHOP, None, "shop", frozenset({PROD}), claim),
            Project(BLOG, None, "blog", frozenset({PROD}), claim),
        ),
    )

    assert families(world)[("shared", "edit")] == ("ana",)
    assert "NamespaceConflict" in kinds(world)


def test_labels_select_namespaces_only_where_the_cluster_allows_it() -> None:
    project = Project(SHOP, None, "shop", frozenset({PROD}), (NamespaceClaim(selector="team=shop"),))
    held = [grant(PROJECT, VIEW, member="ana")]
    seen = {"one": {"team": "shop"}, "two": {"team": "blog"}, "kube-system": {"team": "shop"}}

    allowed = snapshot([person("ana")], held, the_tree=with_projects(project, allow_label_selectors=True))
    refused = snapshot([person("ana")], held, the_tree=with_projects(project))

    assert set(families(allowed, namespaces=seen)) == {("one", "view"), ("shop-web", "view")}
    assert set(families(refused, namespaces=seen)) == {("shop-web", "view")}


def test_what_a_cluster_excludes_is_no_projects_by_name_and_not_even_reported_by_label() -> None:
    claims = (NamespaceClaim(name="istio-system"), NamespaceClaim(selector="team=shop"))
    project = Project(SHOP, None, "shop", frozenset({PROD}), claims)
    base = with_projects(project, allow_label_selectors=True)
    policy = replace(base.clusters[PROD], excluded_namespaces="istio-*,monitoring")
    the_tree = replace(base, clusters={**base.clusters, PROD: policy}, services={})
    world = snapshot([person("ana")], [grant(PROJECT, VIEW, member="ana")], the_tree=the_tree)
    seen = {"one": {"team": "shop"}, "monitoring": {"team": "shop"}, "istio-gateway": {"team": "shop"}}

    wanted = desired(world, PROD, namespaces=seen)

    assert {binding.key.family.namespace for binding in wanted.bindings} == {"one"}
    assert [condition.about for condition in wanted.conditions] == ["shop/istio-system"]


@pytest.mark.parametrize("text", ["Not A Name", "a,b c", "*_x", "x" * 2000])
def test_what_excludes_no_namespace_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        checked_exclusions(text)


def test_excluded_namespaces_are_kept_in_one_form() -> None:
    assert checked_exclusions(" monitoring, istio-*,,monitoring ") == "istio-*,monitoring"


def test_of_two_people_who_render_one_subject_the_earlier_keeps_it() -> None:
    world = snapshot(
        [person("m1", user_name="ana"), person("m2", user_name="ana")],
        [grant(ORGANIZATION, EDIT, member="m2")],
    )

    assert families(world) == {}
    assert kinds(world) == ["SubjectCollision"]


def test_a_name_that_belongs_to_kubernetes_is_never_bound() -> None:
    world = snapshot([person("m1", user_name="system:admin")], [grant(ORGANIZATION, EDIT, member="m1")])

    assert families(world) == {}
    assert kinds(world) == ["SubjectUnrenderable"]


@given(snapshots())
def test_one_persons_families_agree_with_the_whole_clusters(world: Snapshot) -> None:
    whole = desired(world, PROD)
    found: dict[str, set[Family]] = {}
    for binding in whole.bindings:
        for subject in binding.subjects:
            found.setdefault(subject, set()).add(binding.key.family)

    for member_id in world.members:
        rendered, wanted = desired_families(world, PROD, member_id)
        assert wanted == (found.get(rendered, set()) if rendered else set())


@given(snapshots())
def test_nobody_inactive_is_ever_bound(world: Snapshot) -> None:
    wanted = desired(world, PROD)

    for member_id in wanted.subjects.values():
        assert world.members[member_id].state is MemberState.ACTIVE


def test_selected_namespaces_that_nobody_could_read_are_unknown_and_not_absent() -> None:
    project = Project(SHOP, None, "shop", frozenset({PROD}), (NamespaceClaim(selector="team=shop"),))
    world = snapshot(
        [person("ana")],
        [grant(PROJECT, VIEW, member="ana")],
        the_tree=with_projects(project, allow_label_selectors=True),
    )

    unread, read = desired(world, PROD), desired(world, PROD, namespaces={})

    assert not unread.complete
    assert [condition.kind for condition in unread.conditions] == ["NamespacesUnknown"]
    assert read.complete


def test_a_broken_selector_costs_only_its_own_namespaces() -> None:
    claims = (NamespaceClaim(selector="team in (a)"), NamespaceClaim(name="shop"))
    project = Project(SHOP, None, "shop", frozenset({PROD}), claims)
    world = snapshot(
        [person("ana")],
        [grant(PROJECT, VIEW, member="ana")],
        the_tree=with_projects(project, allow_label_selectors=True),
    )

    wanted = desired(world, PROD, namespaces={"team": {}})

    assert {b.key.family.namespace for b in wanted.bindings} == {"shop", "shop-web"}
    assert [condition.kind for condition in wanted.conditions] == ["SelectorInvalid"]


def test_three_projects_that_claim_one_namespace_are_two_conditions() -> None:
    claim = (NamespaceClaim(name="shared"),)
    projects = [Project(ProjectId(f"p{n}"), None, f"project-{n}", frozenset({PROD}), claim) for n in range(3)]
    world = snapshot([], [], the_tree=Tree(ACME, {}, {p.id: p for p in projects}, {}, tree().clusters))

    conditions = desired(world, PROD).conditions

    assert [condition.about for condition in conditions] == ["project-1/shared", "project-2/shared"]


def test_a_hundred_thousand_people_in_groups_take_seconds() -> None:
    groups = [f"g{number}" for number in range(500)]
    people = [person(f"m{number}") for number in range(100_000)]
    in_groups: dict[str, tuple[str, ...]] = {
        f"m{n}": (groups[n % 500], groups[n % 7], groups[n % 90]) for n in range(100_000)
    }
    world = snapshot(people, [grant(ORGANIZATION, VIEW, group=group, name=group) for group in groups], in_groups)

    started = time.process_time()
    wanted = desired(world, PROD)

    assert sum(len(binding.subjects) for binding in wanted.bindings) == 100_000
    assert max(len(binding.subjects) for binding in wanted.bindings) <= 1250
    assert time.process_time() - started < 10
