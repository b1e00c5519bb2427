"""Lists are whole and of one state, or they are an error."""

import pytest

from scim_bridge.clusters import kubernetes
from scim_bridge.domain.bindings import Binding, Shard
from scim_bridge.errors import ClusterUnreachable
from tests.contracts.targets import KubeTarget, grant, key_of
from tests.fakes.kube_api import FakeKubeApi, Request
from tests.kube.world import create_namespace

LIST = "ClusterRoleBindingList"


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kubernetes, "PAGE", 2)


def add(target: KubeTarget, count: int) -> set[Shard]:
    shards = {Shard(4, index) for index in range(count)}
    for shard in shards:
        target.gateway.apply(Binding(key_of(target, shard=shard), ("ana",)), None)
    return shards


def listed(target: KubeTarget) -> list[Shard]:
    return [each.binding.key.shard for each in target.gateway.list_bindings()]


def lists_of(api: FakeKubeApi) -> list[Request]:
    return [each for each in api.requests if "clusterrolebindings" in each.path and each.method == "GET"]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 7])
def test_all_pages_are_read_however_they_end(target: KubeTarget, count: int) -> None:
    shards = add(target, count)

    found = listed(target)

    assert set(found) == shards
    assert len(found) == count


def test_a_list_asks_for_the_present_state_and_only_for_ours(api: FakeKubeApi, own: str) -> None:
    target = KubeTarget(own, api)
    add(target, 3)
    api.requests.clear()

    listed(target)

    first, second = lists_of(api)
    assert "resourceVersion" not in first.query
    assert first.query["limit"] == second.query["limit"] == "2"
    assert "continue" in second.query
    for part in ("managed-by=scim-bridge", f"organization={target.organization}", f"cluster={target.cluster}"):
        assert part in first.query["labelSelector"]


def _compact_after_first_pages(
    api: FakeKubeApi, target: KubeTarget, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let the state be forgotten between the first page and the second, so often."""
    left = [times]
    send = target.gateway._connection.send

    def sending(*arguments: object, **more: object) -> object:
        answer = send(*arguments, **more)  # type: ignore[arg-type]
        if left[0] and (answer.document or {}).get("metadata", {}).get("continue"):
            left[0] -= 1
            create_namespace(target.admin, f"n{left[0]}")
            api.compact()
        return answer

    monkeypatch.setattr(target.gateway._connection, "send", sending)


@pytest.mark.parametrize("times", [1, 2])
def test_a_walk_whose_state_is_forgotten_begins_anew(
    api: FakeKubeApi, own: str, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    target = KubeTarget(own, api)
    shards = add(target, 5)
    _compact_after_first_pages(api, target, times, monkeypatch)

    found = listed(target)

    assert set(found) == shards
    assert len(found) == 5


def test_a_walk_that_never_ends_in_one_state_is_given_up(
    api: FakeKubeApi, own: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = KubeTarget(own, api)
    add(target, 5)
    _compact_after_first_pages(api, target, 99, monkeypatch)
    api.requests.clear()

    with pytest.raises(ClusterUnreachable, match="expired 3 times"):
        listed(target)

    assert len(lists_of(api)) == 6


def test_an_object_that_is_added_during_a_walk_is_not_half_seen(
    api: FakeKubeApi, own: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = KubeTarget(own, api)
    shards = add(target, 3)
    send = target.gateway._connection.send
    added: list[object] = []

    def sending(*arguments: object, **more: object) -> object:
        answer = send(*arguments, **more)  # type: ignore[arg-type]
        if not added and (answer.document or {}).get("metadata", {}).get("continue"):
            added.append(KubeTarget(own, api).gateway.apply(grant(target, "late"), None))
        return answer

    monkeypatch.setattr(target.gateway._connection, "send", sending)

    assert set(listed(target)) == shards
    assert set(listed(target)) == shards | {Shard()}


def test_a_list_that_is_null_is_empty(api: FakeKubeApi, own: str) -> None:
    target = KubeTarget(own, api)
    api.faults.document(
        {"kind": LIST, "metadata": {"resourceVersion": "7"}, "items": None}, "list", "clusterrolebindings"
    )
    api.faults.document(
        {"kind": "RoleBindingList", "metadata": {"resourceVersion": "7"}, "items": None}, "list", "/rolebindings"
    )

    assert target.gateway.list_bindings() == []


def test_the_second_kind_failing_makes_the_whole_list_unknown(api: FakeKubeApi, own: str) -> None:
    target = KubeTarget(own, api)
    add(target, 1)
    api.faults.fail("list", "/rolebindings", 500)

    with pytest.raises(ClusterUnreachable):
        target.gateway.list_bindings()


def test_the_last_page_failing_makes_the_whole_list_unknown(api: FakeKubeApi, own: str) -> None:
    target = KubeTarget(own, api)
    add(target, 3)
    api.faults.latency(0, "list", "clusterrolebindings", times=1)
    api.faults.fail("list", "clusterrolebindings", 503)

    with pytest.raises(ClusterUnreachable):
        target.gateway.list_bindings()


NO_LISTS: dict[str, dict[str, object]] = {
    "no version": {"kind": LIST, "metadata": {}, "items": []},
    "no metadata": {"kind": LIST, "items": []},
    "no items": {"kind": LIST, "metadata": {"resourceVersion": "7"}},
    "items that are none": {"kind": LIST, "metadata": {"resourceVersion": "7"}, "items": "all"},
    "an item that is no object": {"kind": LIST, "metadata": {"resourceVersion": "7"}, "items": ["x"]},
    "an item that is null": {"kind": LIST, "metadata": {"resourceVersion": "7"}, "items": [None]},
    "metadata that is no object": {"kind": LIST, "metadata": {"resourceVersion": "7"}, "items": [{"metadata": "x"}]},
    "another list": {"kind": "RoleBindingList", "metadata": {"resourceVersion": "7"}, "items": []},
    "a status": {"kind": "Status", "status": "Success", "metadata": {}},
}


@pytest.mark.parametrize("answer", NO_LISTS)
def test_what_only_looks_like_a_list_is_no_empty_list(api: FakeKubeApi, own: str, answer: str) -> None:
    target = KubeTarget(own, api)
    api.faults.document(NO_LISTS[answer], "list", "clusterrolebindings")

    with pytest.raises(ClusterUnreachable):
        target.gateway.list_bindings()


@pytest.mark.parametrize(
    "item",
    [
        {"metadata": {"name": "x"}, "spec": {}},
        {"metadata": {"name": "shop", "labels": None}, "status": {"phase": "Active"}},
        {"metadata": {"name": "shop"}, "status": None},
    ],
)
def test_a_namespace_of_few_words_is_read_or_left_out(api: FakeKubeApi, own: str, item: dict[str, object]) -> None:
    target = KubeTarget(own, api)
    document = {"kind": "NamespaceList", "metadata": {"resourceVersion": "7"}, "items": [item]}
    api.faults.document(document, "list", "namespaces")

    found = target.gateway.namespaces()

    assert all(labels == {} for labels in found.values())


@pytest.mark.parametrize("item", ["x", None, {}, {"metadata": None}, {"status": {"phase": "Active"}}])
def test_a_namespace_that_is_none_makes_them_unknown(api: FakeKubeApi, own: str, item: object) -> None:
    target = KubeTarget(own, api)
    document = {"kind": "NamespaceList", "metadata": {"resourceVersion": "7"}, "items": [item]}
    api.faults.document(document, "list", "namespaces")

    with pytest.raises(ClusterUnreachable):
        target.gateway.namespaces()
