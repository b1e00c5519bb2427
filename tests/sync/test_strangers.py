"""What else is on a cluster is found and named, is touched by no pass, and taken over only as a plan says."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
import sqlalchemy as sa

from scim_bridge.clusters.gateway import Answered, Giver
from scim_bridge.domain.bindings import BindingKey, Family
from scim_bridge.domain.organizations import ClusterId, TargetKind
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.domain.strangers import Strangeness
from scim_bridge.errors import Conflict, Invalid, NotFound, Refused
from scim_bridge.identity import freezes
from scim_bridge.identity.freezes import FreezeWanted
from scim_bridge.store.cluster_registry import remove_cluster
from scim_bridge.store.schema import audit_entry, cluster
from scim_bridge.sync import approvals
from scim_bridge.sync.adopting import adopt, plan_adoption
from scim_bridge.sync.inspecting import Found, find_strangers, try_subject
from scim_bridge.sync.policies import PassPolicy
from scim_bridge.sync.single import Workshop
from scim_bridge.sync.ways_in import register_safety, show_safety
from tests.sync.worlds import CLI, World, team


def giver(name: str, *subjects: str, role: str = "edit", namespace: str | None = None, **more: object) -> Giver:
    named = tuple(tuple(each.split("|")) if "|" in each else ("User", "", each) for each in subjects)
    kind = "RoleBinding" if namespace else "ClusterRoleBinding"
    made = Giver(kind, namespace, name, "ClusterRole", role, named, uid=f"uid-{name}", resource_version="1")  # type: ignore[arg-type]
    return replace(made, **more)  # type: ignore[arg-type]


def workshop(world: World) -> Workshop:
    return Workshop(world.database, world, PassPolicy(), clock=lambda: world.at)


def found(world: World, only: Strangeness | None = None) -> list[tuple[str, str]]:
    return [(each.what, each.name) for each in find_strangers(workshop(world), "acme", "prod", only=only)]


def one(world: World) -> Found:
    [single] = find_strangers(workshop(world), "acme", "prod")
    return single


def test_what_the_bridge_keeps_and_what_is_kubernetes_own_is_nobodys_business(world: World) -> None:
    team(world, 2)
    world.reconcile()
    world.cluster.givers = [
        giver("cluster-admin", "Group||system:masters", role="cluster-admin"),
        giver("system:kube-scheduler", "eve", role="cluster-admin"),
        giver("bootstrap", "eve", role="cluster-admin", labels=(("kubernetes.io/bootstrapping", "rbac-defaults"),)),
        giver("addon", "ServiceAccount|kube-system|addon", role="cluster-admin"),
        giver("readers", "eve", role="view"),
        giver("own-role", "eve", role="my-role"),
    ]

    assert found(world) == []


@pytest.mark.parametrize("role", ["cluster-admin", "admin", "edit"])
def test_privileges_that_somebody_gave_by_hand_are_found(world: World, role: str) -> None:
    world.cluster.givers = [giver("by-hand", "eve", role=role), giver("in-shop", "eve", role=role, namespace="shop")]

    assert found(world) == [("privileged", "by-hand"), ("privileged", "in-shop")]


def test_a_binding_to_everybody_who_signs_in_is_found(world: World) -> None:
    world.cluster.givers = [giver("oops", "Group||system:authenticated", role="edit")]

    assert found(world) == [("privileged", "oops")]


def test_a_person_is_named_and_it_is_said_that_they_left(world: World) -> None:
    leaver = world.add_member("leaver")
    world.deactivate(leaver)
    world.cluster.givers = [giver("by-hand", "leaver")]

    single = one(world)

    assert [(each.person, each.state) for each in single.subjects] == [("leaver", "deactivated")]
    assert "leaver left the organization" in single.sentence


def test_what_a_removed_cluster_left_is_an_orphan_and_a_living_ones_is_not(world: World) -> None:
    other, gone = world.add_cluster("other"), world.add_cluster("gone")
    with world.database.write() as connection:
        remove_cluster(connection, world.change(connection), gone.cluster_id)

    def of(cluster_id: ClusterId, name: str) -> Giver:
        key = BindingKey(world.organization_id, cluster_id, Family(None, KubernetesRole.VIEW))
        return giver(name, "eve", role="view", key=key, claims=True)

    world.cluster.givers = [of(other.cluster_id, "living"), of(gone.cluster_id, "left")]

    assert found(world) == [("orphan", "left")]
    assert found(world, Strangeness.PRIVILEGED) == []


def test_what_says_it_is_ours_and_is_not_is_a_lookalike(world: World) -> None:
    world.cluster.givers = [giver("scimb-x-view-aaaa", "eve", role="view", claims=True)]

    assert found(world) == [("lookalike", "scimb-x-view-aaaa")]


def test_no_pass_touches_any_of_it(world: World) -> None:
    team(world, 2)
    strangers = [giver("by-hand", "eve"), giver("scimb-x", "eve", claims=True)]
    world.cluster.givers = list(strangers)

    world.reconcile()

    assert world.cluster.givers == strangers


# --- taking over -----------------------------------------------------------------------------------------------------


@pytest.fixture
def by_hand(world: World) -> Giver:
    """Bind by hand whom the bridge binds too, somebody it does not know, and a group."""
    team(world, 1)
    world.reconcile()
    made = giver("by-hand", "team-00", "eve", "Group||ops")
    world.cluster.givers = [made]
    return made


def test_a_plan_says_who_keeps_and_who_loses_and_writes_nothing(world: World, by_hand: Giver) -> None:
    planned = plan_adoption(workshop(world), "acme", "prod", "by-hand")

    assert (planned.keeps, planned.loses, planned.done) == (("team-00",), ("Group ops", "User eve"), False)
    assert world.cluster.givers == [by_hand]


def test_it_is_taken_over_as_the_plan_says_and_audited(world: World, by_hand: Giver) -> None:
    planned = plan_adoption(workshop(world), "acme", "prod", "by-hand")

    done = adopt(workshop(world), CLI, "acme", "prod", "by-hand", None, planned.hash[:12])

    with world.database.read() as connection:
        query = sa.select(audit_entry.c.detail).where(audit_entry.c.action == "binding.adopted")
        [detail] = connection.execute(query).scalars()
    assert (done.done, world.cluster.givers) == (True, [])
    assert '"loses":["Group ops","User eve"]' in detail
    assert world.cluster.access == {(None, "edit"): {"team-00"}}


@pytest.mark.parametrize("what", ["another version", "who kept it would lose it"])
def test_another_plan_by_now_is_a_conflict(world: World, by_hand: Giver, what: str) -> None:
    planned = plan_adoption(workshop(world), "acme", "prod", "by-hand")
    if what == "another version":
        world.cluster.givers = [replace(by_hand, resource_version="2")]
    else:
        world.cluster.objects.clear()

    with pytest.raises(Conflict):
        adopt(workshop(world), CLI, "acme", "prod", "by-hand", None, planned.hash)

    assert len(world.cluster.givers) == 1


def kept_out(world: World) -> Iterable[Giver]:
    yield giver("system:x", "eve")
    yield giver("other-role", "eve", role="my-role")
    yield giver("role", "eve", role_kind="Role")


def test_what_must_not_be_taken_over_is_refused(world: World) -> None:
    world.cluster.givers = list(kept_out(world))

    for each in world.cluster.givers:
        with pytest.raises(Refused):
            plan_adoption(workshop(world), "acme", "prod", each.name)


def test_ours_the_way_in_and_what_is_frozen_stay(world: World, by_hand: Giver) -> None:
    [ours] = [each.name for each in world.cluster.objects.values()]
    register_safety(workshop(world), CLI, "acme", "prod", break_glass="group:ops")
    with pytest.raises(Refused, match="already"):
        plan_adoption(workshop(world), "acme", "prod", ours)
    with pytest.raises(Refused, match="way in"):
        plan_adoption(workshop(world), "acme", "prod", "by-hand")

    register_safety(workshop(world), CLI, "acme", "prod", break_glass="note:a safe")
    freezes.begin(world.database, CLI, "acme", FreezeWanted())

    with pytest.raises(Refused, match="frozen"):
        plan_adoption(workshop(world), "acme", "prod", "by-hand")


def test_what_is_not_there_is_not_found(world: World) -> None:
    with pytest.raises(NotFound):
        plan_adoption(workshop(world), "acme", "prod", "nothing")


def test_before_its_first_plan_is_approved_nothing_is_taken_over(newcomer: World) -> None:
    newcomer.cluster.givers = [giver("by-hand", "eve")]

    with pytest.raises(Refused, match="not approved"):
        plan_adoption(workshop(newcomer), "acme", "prod", "by-hand")


# --- the way in ------------------------------------------------------------------------------------------------------


def of_an_api(world: World) -> World:
    with world.database.write() as connection:
        values = {"target_kind": TargetKind.KUBERNETES.value, "folder": None}
        connection.execute(sa.update(cluster).where(cluster.c.id == world.cluster_id).values(**values))
    return world


def approve(world: World) -> None:
    world.reconcile()
    [waiting] = approvals.waiting(world.database, "acme")
    approvals.approve(world.database, CLI, "acme", "prod", waiting.hash, clock=lambda: world.at)


def test_without_a_way_in_no_kubernetes_api_goes_live(newcomer: World) -> None:
    of_an_api(newcomer)

    with pytest.raises(Refused, match="does not depend on the bridge"):
        approve(newcomer)

    assert newcomer.cluster.writes == 0


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Answered(False), "does not let user:root do everything"),
        (
            Answered(True, 'RBAC: allowed by ClusterRoleBinding "scimb-{}-x" of ClusterRole "x" to User "root"'),
            "it is the bridge itself",
        ),
    ],
)
def test_a_way_in_that_is_none_is_registered_with_what_is_wrong_and_opens_nothing(
    newcomer: World, answer: Answered, told: str
) -> None:
    of_an_api(newcomer)
    reason = answer.reason.replace("{}", newcomer.cluster.instance[:12])
    newcomer.cluster.answers = lambda question: replace(answer, reason=reason)

    made = register_safety(workshop(newcomer), CLI, "acme", "prod", break_glass="user:root")

    assert made.problem is not None
    assert told in made.problem
    with pytest.raises(Refused, match="does not work"):
        approve(newcomer)


@pytest.mark.parametrize("way", ["user:root", "group:system:masters", "note:the certificate in the safe"])
def test_with_a_way_in_it_goes_live(newcomer: World, way: str) -> None:
    of_an_api(newcomer)
    newcomer.cluster.answers = lambda question: Answered(True)

    made = register_safety(workshop(newcomer), CLI, "acme", "prod", break_glass=way, group_template="oidc:{group}")
    approve(newcomer)

    assert (made.break_glass, made.problem, made.group_template) == (way, None, "oidc:{group}")
    assert (made.seen_at is not None) == (not way.startswith("note:"))
    assert newcomer.reconcile().is_ok


def test_what_is_not_said_stays_as_it_was(world: World) -> None:
    register_safety(workshop(world), CLI, "acme", "prod", break_glass="note:x")
    register_safety(workshop(world), CLI, "acme", "prod", group_template="{group}")

    shown = show_safety(workshop(world), "acme", "prod")

    assert (shown.break_glass, shown.group_template) == ("note:x", "{group}")


@pytest.mark.parametrize("way", ["root", "user:", "admin:root", "note: ", "user:a\nb"])
def test_what_is_no_way_in_is_refused(world: World, way: str) -> None:
    with pytest.raises(Invalid):
        register_safety(workshop(world), CLI, "acme", "prod", break_glass=way)


@pytest.mark.parametrize("template", ["oidc:", "{group}{group}", "{user}{group}", "system:{group}"])
def test_what_is_no_group_template_is_refused(world: World, template: str) -> None:
    with pytest.raises(Invalid):
        register_safety(workshop(world), CLI, "acme", "prod", group_template=template)


# --- what a person is called -----------------------------------------------------------------------------------------


def test_a_person_is_shown_as_the_cluster_knows_them_and_what_it_lets_them_do(world: World) -> None:
    team(world, 1)
    world.reconcile()

    tried = try_subject(workshop(world), "acme", "prod", "team-00")

    assert (tried.subject, tried.families, tried.same_as) == ("team-00", ("edit in the whole cluster",), ())
    assert tried.asked
    assert any("create pods/exec in the whole cluster: ClusterRoleBinding" in each for each in tried.may)


def test_another_template_is_tried_and_who_would_be_called_so_too_is_said(world: World) -> None:
    for name in ("ana", "ben"):
        world.add_member(name)

    tried = try_subject(workshop(world), "acme", "prod", "ana", template="oidc:{email}")

    assert (tried.subject, tried.problem is not None, tried.asked) == (None, True, False)
    with pytest.raises(Invalid):
        try_subject(workshop(world), "acme", "prod", "ana", template="{password}")
    with pytest.raises(NotFound):
        try_subject(workshop(world), "acme", "prod", "nobody")
