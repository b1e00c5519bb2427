"""What an API server lets whom do: signing in, RBAC, and that nobody gives away what they do not have."""

import pytest

from tests.kube.client import CLUSTER_ROLES, CRBS, KubeClient
from tests.kube.server import ALICE, BOB, BRIDGE, STRANGER
from tests.kube.world import (
    API_GROUP,
    READ_PODS,
    Server,
    binding,
    bindings_in,
    can,
    cluster_role,
    eventually,
    give_rules,
    review,
    wait_until,
)

WRITE_BINDINGS = {
    "apiGroups": [API_GROUP],
    "resources": ["clusterrolebindings", "rolebindings"],
    "verbs": ["get", "list", "create", "patch", "update", "delete"],
}


def may_bind(role: str) -> dict[str, list[str]]:
    return {"apiGroups": [API_GROUP], "resources": ["clusterroles"], "verbs": ["bind"], "resourceNames": [role]}


@pytest.fixture
def writer(server: Server, admin: KubeClient, own: str) -> KubeClient:
    """STRANGER, who may write bindings and bind nothing."""
    give_rules(admin, f"writer-{own}", [WRITE_BINDINGS])
    admin.post(CRBS, binding(f"writer-{own}", f"writer-{own}", STRANGER))
    wait_until(lambda: can(server, STRANGER, "create", "clusterrolebindings", group=API_GROUP))
    return server.client(STRANGER)


@pytest.fixture(autouse=True)
def stranger_has_nothing_left(server: Server) -> None:
    admin = server.client()
    for name in admin.get(CRBS).names:
        if name.startswith(("writer-", "given-")):
            admin.delete(f"{CRBS}/{name}")
    wait_until(lambda: not can(server, STRANGER, "create", "clusterrolebindings", group=API_GROUP))


def test_an_unknown_token_is_unauthorized(server: Server) -> None:
    nobody = KubeClient(server.url, "guessed", server.authority or None)

    assert nobody.get(CRBS).status == 401


def test_without_a_token_everybody_is_anonymous_and_may_nothing(server: Server) -> None:
    nobody = KubeClient(server.url, None, server.authority or None)

    read = nobody.get(CRBS)

    assert read.status == 403
    assert "system:anonymous" in read.document["message"]


def test_a_subject_has_what_the_role_gives_and_loses_it_with_the_binding(
    server: Server, admin: KubeClient, own: str, namespace: str
) -> None:
    admin.post(bindings_in(namespace), binding(own, "view", ALICE, namespace=namespace))
    wait_until(lambda: can(server, ALICE, "list", "pods", namespace))

    elsewhere = can(server, ALICE, "list", "pods", "default")
    more = can(server, ALICE, "create", "pods", namespace)
    admin.delete(f"{bindings_in(namespace)}/{own}")

    assert not elsewhere
    assert not more
    wait_until(lambda: not can(server, ALICE, "list", "pods", namespace))


def test_a_name_is_a_subject_only_in_its_own_case(server: Server, admin: KubeClient, own: str, namespace: str) -> None:
    admin.post(bindings_in(namespace), binding(own, "view", ALICE.upper(), BOB, namespace=namespace))
    wait_until(lambda: can(server, BOB, "list", "pods", namespace))

    assert not can(server, ALICE, "list", "pods", namespace)


def test_a_group_gives_its_members_access(server: Server, admin: KubeClient, own: str, namespace: str) -> None:
    document = binding(own, "view", namespace=namespace)
    document["subjects"] = [{"apiGroup": API_GROUP, "kind": "Group", "name": "oidc:platform"}]

    admin.post(bindings_in(namespace), document)

    wait_until(lambda: can(server, BOB, "list", "pods", namespace))
    assert not can(server, ALICE, "list", "pods", namespace)


def test_an_administrator_may_ask_for_others(admin: KubeClient, own: str, namespace: str) -> None:
    admin.post(bindings_in(namespace), binding(own, "view", "oidc:never-signed-in", namespace=namespace))
    attributes = {"verb": "list", "resource": "pods", "namespace": namespace}
    spec = {"user": "oidc:never-signed-in", "resourceAttributes": attributes}

    wait_until(lambda: review(admin, "SubjectAccessReview", spec))

    assert not review(admin, "SubjectAccessReview", spec | {"user": "oidc:somebody-else"})


def test_who_may_not_is_told_who_and_what(server: Server) -> None:
    made = server.client(ALICE).post(CRBS, binding("x", "view", ALICE))

    assert (made.status, made.reason) == (403, "Forbidden")
    assert f'User "{ALICE}" cannot create resource "clusterrolebindings"' in made.document["message"]


def test_writing_bindings_is_not_enough_to_give_a_role(writer: KubeClient, admin: KubeClient, own: str) -> None:
    made = writer.post(CRBS, binding(f"given-{own}", "edit", STRANGER))

    assert (made.status, made.reason) == (403, "Forbidden")
    assert "attempting to grant RBAC permissions not currently held" in made.document["message"]
    assert admin.get(f"{CRBS}/given-{own}").status == 404


def test_whoever_may_bind_a_role_may_give_it(server: Server, writer: KubeClient, admin: KubeClient, own: str) -> None:
    give_rules(admin, f"writer-{own}", [WRITE_BINDINGS, may_bind("view")])

    eventually(lambda: writer.post(CRBS, binding(f"given-{own}", "view", "ana")), 201)

    assert writer.post(CRBS, binding(f"given-2-{own}", "edit", "ana")).status == 403


def test_whoever_has_all_rights_of_a_role_may_give_it(writer: KubeClient, admin: KubeClient, own: str) -> None:
    give_rules(admin, f"writer-{own}", [WRITE_BINDINGS, READ_PODS])

    eventually(lambda: writer.post(CRBS, binding(f"given-{own}", "view", "ana")), 201)

    assert writer.post(CRBS, binding(f"given-2-{own}", "edit", "ana")).status == 403


def test_a_role_that_is_not_there_is_bound_by_who_may_bind_its_name(
    writer: KubeClient, admin: KubeClient, own: str
) -> None:
    without = writer.post(CRBS, binding(f"given-{own}", f"absent-{own}", "ana"))
    give_rules(admin, f"writer-{own}", [WRITE_BINDINGS, may_bind(f"absent-{own}")])

    eventually(lambda: writer.post(CRBS, binding(f"given-{own}", f"absent-{own}", "ana")), 201)

    assert (without.status, without.document["details"]["name"]) == (404, f"absent-{own}")


def test_a_binding_to_no_role_comes_alive_with_the_role(
    server: Server, admin: KubeClient, own: str, namespace: str
) -> None:
    admin.post(bindings_in(namespace), binding(own, f"absent-{own}", ALICE, namespace=namespace))
    before = can(server, ALICE, "list", "pods", namespace)

    admin.post(CLUSTER_ROLES, cluster_role(f"absent-{own}", [READ_PODS]))

    assert not before
    wait_until(lambda: can(server, ALICE, "list", "pods", namespace))


def test_a_dry_run_says_who_may_not_bind(writer: KubeClient, own: str) -> None:
    made = writer.post(CRBS, binding(f"given-{own}", "edit", "ana"), dryRun="All")

    assert made.status == 403


def test_after_bind_is_lost_only_a_delete_takes_access_away(writer: KubeClient, admin: KubeClient, own: str) -> None:
    given = f"given-{own}"
    give_rules(admin, f"writer-{own}", [WRITE_BINDINGS, may_bind("edit")])
    eventually(lambda: writer.apply(f"{CRBS}/{given}", binding(given, "edit", "ana", "bob")), 201)
    give_rules(admin, f"writer-{own}", [WRITE_BINDINGS])
    eventually(lambda: writer.post(CRBS, binding(f"given-2-{own}", "edit", "cid"), dryRun="All"), 403)

    shrunk = writer.apply(f"{CRBS}/{given}", binding(given, "edit", "ana"), force=True)
    labelled = writer.merge(f"{CRBS}/{given}", {"metadata": {"labels": {"a": "b"}}})
    same = writer.apply(f"{CRBS}/{given}", binding(given, "edit", "ana", "bob"))
    deleted = writer.delete(f"{CRBS}/{given}")

    assert [reply.status for reply in (shrunk, labelled, same, deleted)] == [403, 403, 200, 200]


def test_the_bridge_may_bind_edit_and_view_and_nothing_stronger(server: Server, own: str) -> None:
    bridge = server.client(BRIDGE)

    made = [bridge.post(CRBS, binding(f"{own}-{role}", role, "ana")) for role in ("edit", "view", "cluster-admin")]

    assert [reply.status for reply in made] == [201, 201, 403]


def test_nobody_gives_a_role_more_rights_than_they_have(
    server: Server, admin: KubeClient, writer: KubeClient, own: str
) -> None:
    roles = {"apiGroups": [API_GROUP], "resources": ["clusterroles"], "verbs": ["create", "update", "patch"]}
    give_rules(admin, f"writer-{own}", [roles, READ_PODS])
    wait_until(lambda: can(server, STRANGER, "create", "clusterroles", group=API_GROUP))
    more: dict[str, list[str]] = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}

    held = writer.post(CLUSTER_ROLES, cluster_role(f"held-{own}", [READ_PODS]))
    grown = writer.post(CLUSTER_ROLES, cluster_role(f"more-{own}", [more]))

    assert (held.status, grown.status) == (201, 403)
