"""After a removal the cluster itself is asked, and what it says is kept, told and asked again."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from scim_bridge.clusters.gateway import Answered, Giver
from scim_bridge.domain.people import MemberId
from scim_bridge.domain.proofs import Verdict
from scim_bridge.errors import ClusterUnreachable
from scim_bridge.store.change_queue import DueCluster
from scim_bridge.store.proofs import Proof, clusters_to_ask, proofs_of_member
from scim_bridge.store.removal_queue import spread_removals
from scim_bridge.store.schema import audit_entry, cluster
from scim_bridge.sync.dispatch.threads import Dispatcher
from scim_bridge.sync.proving import ASK_AGAIN, ATTEMPTS, prove_removals
from scim_bridge.sync.revocations import carry_out_removals
from tests.sync.clockwork import eventually
from tests.sync.worlds import World, team


def by_hand(subject: str, kind: str = "User", namespace: str | None = None, role: str = "view") -> Giver:
    bound = "RoleBinding" if namespace else "ClusterRoleBinding"
    return Giver(bound, namespace, "by-hand", "ClusterRole", role, ((kind, "", subject),))


def place(world: World) -> DueCluster:
    return DueCluster(world.cluster_id, world.organization_id)


def remove(world: World) -> None:
    world.at += timedelta(seconds=1)
    with world.database.write() as connection:
        spread_removals(connection, world.at)
    carry_out_removals(world.database, world.cluster, place(world), lambda: world.at, lambda: True)


def prove(world: World, after: float = 1) -> int:
    world.at += timedelta(seconds=after)
    return prove_removals(world.database, world.cluster, place(world), lambda: world.at, lambda: True)


def proof(world: World, member_id: str) -> Proof:
    with world.database.read() as connection:
        [found] = proofs_of_member(connection, MemberId(member_id))
    return found


@pytest.fixture
def leaver(world: World) -> str:
    """Take somebody out who had edit in the whole cluster and view in a namespace."""
    group, people = team(world, 3)
    world.give_namespace("view", group, "shop")
    world.reconcile()
    world.deactivate(people[0])
    remove(world)
    return people[0]


def test_a_leaver_whom_nobody_else_let_in_is_gone(world: World, leaver: str) -> None:
    done = prove(world)

    found = proof(world, leaver)
    asked = {(each["question"], each["namespace"]) for each in found.document["questions"]}
    assert (done, found.verdict, found.document["subjects"]) == (1, Verdict.GONE, ["team-00"])
    assert {("create pods/exec", None), ("get secrets", None), ("list pods", "shop")} <= asked
    assert all(each.groups == ("system:authenticated",) for each in world.cluster.questions)
    assert any("exec" in each for each in found.document["cannot_see"])


def test_whom_somebody_else_bound_still_has_access_and_the_binding_is_named(world: World, leaver: str) -> None:
    world.cluster.givers = [by_hand("team-00")]

    prove(world)
    world.reconcile()

    found = proof(world, leaver)
    allowed = [each for each in found.document["questions"] if each["allowed"]]
    assert found.verdict is Verdict.STILL
    assert {(each["by"], each["ours"]) for each in allowed} == {
        ('ClusterRoleBinding by-hand, view to User "team-00"', False)
    }
    assert world.conditions() == ["AccessRemains"]


def test_access_that_remains_is_audited_once_and_asked_again_until_it_is_gone(world: World, leaver: str) -> None:
    world.cluster.givers = [by_hand("team-00")]
    prove(world)
    too_early = prove(world)
    again = prove(world, ASK_AGAIN.total_seconds())
    world.cluster.givers = []
    prove(world, ASK_AGAIN.total_seconds())
    world.reconcile()

    with world.database.read() as connection:
        query = sa.select(audit_entry.c.object_id).where(audit_entry.c.action == "removal.access_remains")
        audited = connection.execute(query).scalars().all()
    assert (too_early, again) == (0, 1)
    assert (proof(world, leaver).verdict, audited, world.conditions()) == (Verdict.GONE, [leaver], [])


def test_a_group_is_asked_with_where_the_cluster_names_groups(world: World) -> None:
    _, people = team(world, 2, name="platform")
    with world.database.write() as connection:
        connection.execute(sa.update(cluster).values(group_template="oidc:{group}"))
    world.reconcile()
    world.deactivate(people[0])
    remove(world)
    world.cluster.givers = [by_hand("oidc:platform", "Group")]

    prove(world)

    assert world.cluster.questions[0].groups == ("oidc:platform", "system:authenticated")
    assert proof(world, people[0]).verdict is Verdict.STILL


def test_who_only_has_another_role_now_is_not_told_of(world: World) -> None:
    group, people = team(world, 3)
    view, _ = team(world, 2, "view", "viewers")
    world.join(view, people[0])
    world.give_namespace("edit", view, "shop")
    world.reconcile()
    world.leave(group, people[0])
    from scim_bridge.store.removals import request_removals

    with world.database.write() as connection:
        request_removals(connection, world.change(connection), [MemberId(people[0])], "membership")
    remove(world)

    world.reconcile()
    prove(world)

    assert proof(world, people[0]).verdict is Verdict.GONE


def test_a_binding_of_ours_that_still_lets_a_leaver_in_is_told(world: World, leaver: str) -> None:
    world.cluster.let_in("team-00")

    prove(world)

    found = proof(world, leaver)
    assert found.verdict is Verdict.STILL
    assert any(each["ours"] for each in found.document["questions"] if each["allowed"])


def test_what_the_cluster_does_not_answer_is_asked_later(world: World, leaver: str) -> None:
    world.cluster.break_ask = ClusterUnreachable("timed out")
    first = prove(world)
    during = proof(world, leaver)
    world.cluster.break_ask = None
    too_early = prove(world, 0)
    second = prove(world, 60)

    assert (first, during.verdict, during.attempts) == (0, Verdict.PENDING, 1)
    assert (too_early, second, proof(world, leaver).verdict) == (0, 1, Verdict.GONE)


def test_a_cluster_that_never_answers_leaves_it_unknown(world: World, leaver: str) -> None:
    world.cluster.break_ask = ClusterUnreachable("timed out")

    for _ in range(ATTEMPTS):
        prove(world, 3600)

    found = proof(world, leaver)
    assert found.verdict is Verdict.UNKNOWN
    assert "timed out" in found.document["cannot_see"][0]


def test_a_target_that_cannot_be_asked_says_so(world: World, leaver: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world.cluster, "ask", lambda question: None)

    prove(world)

    found = proof(world, leaver)
    assert found.verdict is Verdict.UNKNOWN
    assert "folder" in found.document["cannot_see"][0]


def test_an_answer_without_a_reason_is_access_all_the_same(world: World, leaver: str) -> None:
    world.cluster.answers = lambda question: Answered(True)

    prove(world)

    found = proof(world, leaver)
    assert found.verdict is Verdict.STILL
    assert found.document["questions"][0]["by"] == "something that gives no reason"


def test_a_leaver_whom_a_pass_took_out_first_is_proven_by_their_name(world: World) -> None:
    _, people = team(world, 3)
    world.reconcile()
    world.deactivate(people[0])
    with world.database.write() as connection:
        spread_removals(connection, world.at)
    world.reconcile()

    remove(world)
    prove(world)

    assert proof(world, people[0]).verdict is Verdict.GONE
    assert {each.user for each in world.cluster.questions} == {"team-00"}


def test_the_dispatcher_has_removals_proven_by_itself(world: World) -> None:
    from scim_bridge.settings import Settings
    from scim_bridge.sync.scheduler import carried_out

    _, people = team(world, 2)
    world.reconcile()
    world.deactivate(people[0])
    dispatcher = Dispatcher(world.database, world, Settings(), carried_out)

    def proven() -> bool:
        dispatcher.tick()
        with world.database.read() as connection:
            found = proofs_of_member(connection, MemberId(people[0]))
        return [each.verdict for each in found] == [Verdict.GONE]

    assert eventually(proven)
    assert dispatcher.stop(5)
    with world.database.read() as connection:
        assert clusters_to_ask(connection, world.at) == []
