"""What is asked beside our own bindings has the same answers from the real server and the fake."""

import pytest

from scim_bridge.clusters.gateway import Question
from scim_bridge.domain.bindings import Binding, SubjectKind
from scim_bridge.domain.proofs import allowed_by
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.errors import ClusterUnreachable, StaleBinding
from tests.contracts.targets import KubeTarget, grant, key_of
from tests.kube.client import CRBS, KubeClient
from tests.kube.world import Server, binding, bindings_in, kubeconfig, wait_until
from tests.mail.post_office import free_port


@pytest.fixture
def target(server: Server, own: str) -> KubeTarget:
    return KubeTarget(own, server)


def person(own: str, **asked: str) -> Question:
    found = {"verb": "create", "resource": "pods"} | asked
    return Question(f"oidc:{own}@example.com", ("system:authenticated",), **found)


def allowed(target: KubeTarget, question: Question) -> bool:
    answer = target.gateway.ask(question)
    assert answer is not None
    return answer.allowed


def test_the_bridges_own_credential_may_ask_about_anybody(target: KubeTarget, own: str) -> None:
    assert not allowed(target, person(own))


def test_the_reason_names_the_binding_that_allows_it(
    target: KubeTarget, admin: KubeClient, own: str, namespace: str
) -> None:
    user = person(own).user
    admin.post(bindings_in(namespace), binding(f"by-hand-{own}", "edit", user, namespace=namespace))
    question = person(own, namespace=namespace)
    wait_until(lambda: allowed(target, question))

    answer = target.gateway.ask(question)

    assert answer is not None
    found = allowed_by(answer.reason)
    assert found is not None
    assert (found.kind, found.namespace, found.name, found.role) == (
        "RoleBinding",
        namespace,
        f"by-hand-{own}",
        "edit",
    )
    assert found.subject == f'User "{user}"'
    assert not allowed(target, person(own, namespace="default"))


def test_the_reason_names_a_binding_of_the_whole_cluster(target: KubeTarget, admin: KubeClient, own: str) -> None:
    document = binding(f"by-group-{own}", "view", namespace=None)
    document["subjects"] = [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": f"team-{own}"}]
    admin.post(CRBS, document)
    question = Question("somebody", (f"team-{own}",), "list", "pods")
    wait_until(lambda: allowed(target, question))

    answer = target.gateway.ask(question)

    assert answer is not None
    found = allowed_by(answer.reason)
    assert found is not None
    assert (found.kind, found.namespace, found.name) == ("ClusterRoleBinding", None, f"by-group-{own}")
    assert found.subject == f'Group "team-{own}"'


def test_a_groups_subject_of_ours_lets_in_who_carries_the_group_and_nobody_who_is_called_so(
    target: KubeTarget, own: str
) -> None:
    group, everybody = f"oidc:team-{own}", "system:authenticated"
    carrying = Question(f"oidc:{own}@example.com", (group, everybody), "create", "pods")
    key = key_of(target, role=KubernetesRole.EDIT, kind=SubjectKind.GROUP)
    made = target.gateway.apply(Binding(key, (group,)), None)
    wait_until(lambda: allowed(target, carrying))

    called_so = Question(group, (everybody,), "create", "pods")

    assert not allowed(target, person(own))
    assert not allowed(target, called_so)
    target.gateway.delete(made)


def test_what_is_part_of_a_resource_is_asked_by_itself(target: KubeTarget, admin: KubeClient, own: str) -> None:
    admin.post(CRBS, binding(f"pods-{own}", "edit", person(own).user))
    wait_until(lambda: allowed(target, person(own)))

    assert not allowed(target, person(own, resource="pods", subresource="exec"))


def test_everybody_is_listed_and_ours_are_told_from_others(target: KubeTarget, admin: KubeClient, own: str) -> None:
    # Somebody of this test's own: what stays on the server must not be anybody's access in another test.
    somebody = person(own).user
    made = target.gateway.apply(grant(target, somebody), None)
    admin.post(CRBS, binding(f"by-hand-{own}", "view", somebody))

    found = {each.name: each for each in target.gateway.everybody()}

    ours, theirs = found[made.name], found[f"by-hand-{own}"]
    assert (ours.key, ours.claims, ours.role) == (made.binding.key, True, "edit")
    assert (theirs.key, theirs.claims, theirs.subjects) == (None, False, (("User", "", somebody),))
    target.gateway.delete(made)


def test_a_server_that_is_there_says_so_and_one_that_is_away_does_not(target: KubeTarget) -> None:
    away = kubeconfig(target.server).replace(target.server.url, f"https://127.0.0.1:{free_port()}")

    target.gateway.probe()

    with pytest.raises(ClusterUnreachable):
        target.open(credential=away).probe()


def test_exactly_the_version_that_was_read_is_taken_away(target: KubeTarget, admin: KubeClient, own: str) -> None:
    admin.post(CRBS, binding(f"by-hand-{own}", "view", person(own).user))
    [read] = [each for each in target.gateway.everybody() if each.name == f"by-hand-{own}"]
    admin.merge(f"{CRBS}/{read.name}", {"metadata": {"labels": {"a": "b"}}})
    [now] = [each for each in target.gateway.everybody() if each.name == read.name]

    with pytest.raises(StaleBinding):
        target.gateway.take_away(read)
    target.gateway.take_away(now)
    target.gateway.take_away(now)

    assert admin.get(f"{CRBS}/{read.name}").status == 404
