"""Whatever a cluster answers, or does not: the right error, once, in time, and never "it is empty"."""

import time
from collections.abc import Callable

import pytest

from scim_bridge.clusters.gateway import Gateway
from scim_bridge.domain.bindings import Binding
from scim_bridge.errors import (
    ClusterDenied,
    ClusterError,
    ClusterRejected,
    ClusterThrottled,
    ClusterUnreachable,
    StaleBinding,
)
from tests.contracts.targets import KubeTarget, grant, key_of
from tests.fakes.kube_api import FakeKubeApi
from tests.fakes.kube_faults import Faults

Act = Callable[[KubeTarget], object]


def _create(target: KubeTarget) -> object:
    return target.gateway.apply(grant(target, "ana"), None)


def _replace(target: KubeTarget) -> object:
    made = target.gateway.apply(grant(target, "ana"), None)
    _plan(target)
    return target.gateway.apply(grant(target, "bob"), made)


def _delete(target: KubeTarget) -> object:
    made = target.gateway.apply(grant(target, "ana"), None)
    _plan(target)
    target.gateway.delete(made)
    return None


def _list(target: KubeTarget) -> object:
    _plan(target)
    return target.gateway.list_bindings()


def _get(target: KubeTarget) -> object:
    _plan(target)
    return target.gateway.get(key_of(target))


def _namespaces(target: KubeTarget) -> object:
    _plan(target)
    return target.gateway.namespaces()


def _plan(target: KubeTarget) -> None:
    """Let the faults begin: only now does the request that matters come."""
    assert isinstance(target.server, FakeKubeApi)
    target.server.requests.clear()
    target.server.faults.armed = True


VERBS: dict[str, Act] = {
    "create": _create,
    "replace": _replace,
    "delete": _delete,
    "list": _list,
    "get": _get,
    "namespaces": _namespaces,
}
READS = ("list", "get", "namespaces")


def _attempt(target: KubeTarget, verb: str) -> ClusterError:
    """Do it and return what it raised."""
    assert isinstance(target.server, FakeKubeApi)
    target.server.faults.armed = verb == "create"
    with pytest.raises(ClusterError) as caught:
        VERBS[verb](target)
    return caught.value


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(
    ("status", "reason", "error"),
    [
        (400, "BadRequest", ClusterRejected),
        (401, "Unauthorized", ClusterDenied),
        (403, "Forbidden", ClusterDenied),
        (405, "MethodNotAllowed", ClusterRejected),
        (413, "RequestEntityTooLarge", ClusterRejected),
        (422, "Invalid", ClusterRejected),
        (429, "TooManyRequests", ClusterThrottled),
        (500, "InternalError", ClusterUnreachable),
        (502, "", ClusterUnreachable),
        (503, "ServiceUnavailable", ClusterUnreachable),
        (504, "Timeout", ClusterUnreachable),
    ],
)
def test_a_refusal_is_an_error_of_ours(
    faulty: KubeTarget, api: FakeKubeApi, verb: str, status: int, reason: str, error: type[ClusterError]
) -> None:
    api.faults.fail(status=status, reason=reason, message="as the cluster said")

    raised = _attempt(faulty, verb)

    assert type(raised) is error
    assert "as the cluster said" in str(raised)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_nothing_is_repeated_behind_our_back(faulty: KubeTarget, api: FakeKubeApi, verb: str, status: int) -> None:
    api.faults.fail(status=status, retry_after=30)
    begin = time.monotonic()

    _attempt(faulty, verb)

    assert len(api.requests) == 1
    assert time.monotonic() - begin < 5


@pytest.mark.parametrize("verb", VERBS)
def test_throttling_says_how_long(faulty: KubeTarget, api: FakeKubeApi, verb: str) -> None:
    api.faults.fail(status=429, retry_after=7)

    raised = _attempt(faulty, verb)

    assert isinstance(raised, ClusterThrottled)
    assert raised.retry_after == 7


@pytest.mark.parametrize("verb", VERBS)
def test_a_404_that_kubernetes_did_not_write_says_nothing_about_the_object(
    faulty: KubeTarget, api: FakeKubeApi, verb: str
) -> None:
    api.faults.answer(404, b"404 page not found\n")

    raised = _attempt(faulty, verb)

    assert type(raised) is ClusterUnreachable


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb != "create"])
def test_a_cluster_that_is_down_is_unreachable(faulty: KubeTarget, api: FakeKubeApi, verb: str) -> None:
    made = faulty.gateway.apply(grant(faulty, "ana"), None)
    api.stop()

    with pytest.raises(ClusterUnreachable, match="cannot be reached"):
        _again(faulty.gateway, verb, faulty, made.binding)


def _again(gateway: Gateway, verb: str, target: KubeTarget, binding: Binding) -> object:
    acts: dict[str, Callable[[], object]] = {
        "replace": lambda: gateway.apply(binding, None),
        "delete": lambda: gateway.delete(gateway.list_bindings()[0]),
        "list": gateway.list_bindings,
        "get": lambda: gateway.get(binding.key),
        "namespaces": gateway.namespaces,
    }
    return acts[verb]()


BROKEN: dict[str, Callable[[Faults], object]] = {
    "hang": lambda faults: faults.hang(),
    "reset": lambda faults: faults.reset(),
    "truncated": lambda faults: faults.truncate(),
    "trickle": lambda faults: faults.trickle(0.05),
    "no JSON": lambda faults: faults.garbage(b"<html>Please sign in</html>"),
    "half JSON": lambda faults: faults.garbage(b'{"kind": "ClusterRoleBindingList", "items": ['),
    "empty": lambda faults: faults.garbage(b""),
    "null": lambda faults: faults.garbage(b"null"),
    "a list": lambda faults: faults.garbage(b"[]"),
    "no kind": lambda faults: faults.garbage(b"{}"),
    "another kind": lambda faults: faults.garbage(b'{"kind": "PodList", "metadata": {}, "items": []}'),
    "binary": lambda faults: faults.garbage(b"\xff\xfe\x00"),
}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("broken", BROKEN)
def test_half_an_answer_and_none_are_unreachable_and_in_time(
    faulty: KubeTarget, api: FakeKubeApi, verb: str, broken: str
) -> None:
    BROKEN[broken](api.faults)
    begin = time.monotonic()

    raised = _attempt(faulty, verb)

    assert type(raised) is ClusterUnreachable
    assert len(api.requests) == 1
    assert time.monotonic() - begin < 4


@pytest.mark.parametrize("verb", VERBS)
def test_a_redirect_takes_the_credential_nowhere(faulty: KubeTarget, api: FakeKubeApi, verb: str) -> None:
    with FakeKubeApi() as elsewhere:
        api.faults.redirect(f"{elsewhere.url}/api/v1/namespaces")

        raised = _attempt(faulty, verb)

        assert type(raised) is ClusterUnreachable
        assert "redirected" in str(raised)
        assert elsewhere.requests == []


@pytest.mark.parametrize("broken", ["hang", "reset", "truncated", "no JSON"])
def test_a_gateway_works_again_when_its_cluster_does(faulty: KubeTarget, api: FakeKubeApi, broken: str) -> None:
    BROKEN[broken](api.faults)
    for _ in range(3):
        _attempt(faulty, "list")
    api.faults.clear()

    made = faulty.gateway.apply(grant(faulty, "ana"), None)

    assert faulty.gateway.list_bindings() == [made]


def test_a_slow_answer_is_an_answer(faulty: KubeTarget, api: FakeKubeApi) -> None:
    made = faulty.gateway.apply(grant(faulty, "ana"), None)
    api.faults.latency(0.1)

    assert faulty.gateway.list_bindings() == [made]


def test_a_create_that_was_done_though_its_answer_was_lost_is_found_again(faulty: KubeTarget, api: FakeKubeApi) -> None:
    api.faults.reset("create")
    raised = _attempt(faulty, "create")
    api.faults.clear()

    with pytest.raises(StaleBinding):
        faulty.gateway.apply(grant(faulty, "ana"), None)

    assert isinstance(raised, ClusterUnreachable)
    [found] = faulty.gateway.list_bindings()
    assert found.binding == grant(faulty, "ana")


def test_a_delete_whose_answer_was_lost_is_done_the_second_time(faulty: KubeTarget, api: FakeKubeApi) -> None:
    made = faulty.gateway.apply(grant(faulty, "ana"), None)
    api.faults.reset("delete", times=1)

    with pytest.raises(ClusterUnreachable):
        faulty.gateway.delete(made)
    faulty.gateway.delete(made)

    assert faulty.gateway.list_bindings() == []


def test_a_delete_of_a_cluster_that_speaks_of_another_object_is_not_done(faulty: KubeTarget, api: FakeKubeApi) -> None:
    made = faulty.gateway.apply(grant(faulty, "ana"), None)
    status = b'{"kind":"Status","reason":"NotFound","code":404,"message":"gone","details":{"name":"another"}}'
    api.faults.answer(404, status, "delete")

    with pytest.raises(ClusterError):
        faulty.gateway.delete(made)


def test_a_cluster_that_changes_what_it_takes_is_told_on(faulty: KubeTarget, api: FakeKubeApi) -> None:
    made = faulty.gateway.apply(grant(faulty, "ana"), None)
    body = faulty.read(made.binding.key)
    body["subjects"].append({"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "eve"})
    api.faults.document(body, "patch")

    with pytest.raises(ClusterRejected, match="changed it"):
        faulty.gateway.apply(grant(faulty, "ana"), made)


def test_no_error_tells_the_token(faulty: KubeTarget, api: FakeKubeApi) -> None:
    said = []
    for broken, begin in BROKEN.items():
        api.faults.clear()
        begin(api.faults)
        raised = _attempt(faulty, "list")
        said.append(f"{broken}: {raised!r} {raised.__cause__!r}")

    assert all(api.token_of("bridge") not in each for each in said)


def test_preflight_tells_that_the_cluster_cannot_be_reached(faulty: KubeTarget, api: FakeKubeApi) -> None:
    api.faults.fail(status=503)

    problems = faulty.gateway.preflight([])

    assert [problem.kind for problem in problems] == ["ClusterUnreachable"]
