"""What an API server's lists promise: one state over all pages, selectors, and what happens when a state is gone."""

import pytest

from tests.kube.client import CRBS, NAMESPACES, RBAC, KubeClient, Reply
from tests.kube.world import Server, binding, bindings_in, create_namespace


@pytest.fixture
def five(admin: KubeClient, own: str) -> list[str]:
    """Five bindings of this test's own label, by name."""
    names = [f"b{number}-{own}" for number in range(5)]
    for name in names:
        admin.post(CRBS, binding(name, "view", "ana", labels={"test": own}))
    return names


def pages_of(admin: KubeClient, own: str, limit: int) -> list[Reply]:
    replies = [admin.get(CRBS, labelSelector=f"test={own}", limit=limit)]
    while token := replies[-1].document["metadata"].get("continue"):
        replies.append(admin.get(CRBS, labelSelector=f"test={own}", limit=limit, **{"continue": token}))
    return replies


def test_pages_are_in_the_order_of_names_and_of_one_version(admin: KubeClient, own: str, five: list[str]) -> None:
    pages = pages_of(admin, own, 2)

    assert [name for page in pages for name in page.names] == five
    assert [len(page.names) for page in pages] == [2, 2, 1]
    assert len({page.version for page in pages}) == 1


def test_what_changes_during_a_walk_does_not_show_in_it(admin: KubeClient, own: str, five: list[str]) -> None:
    first = admin.get(CRBS, labelSelector=f"test={own}", limit=2)
    admin.post(CRBS, binding(f"b9-{own}", "view", "eve", labels={"test": own}))
    admin.delete(f"{CRBS}/{five[4]}")
    admin.merge(f"{CRBS}/{five[3]}", {"subjects": None})

    token = first.document["metadata"]["continue"]
    rest = admin.get(CRBS, labelSelector=f"test={own}", limit=10, **{"continue": token})

    assert rest.names == five[2:]
    assert rest.document["items"][1]["subjects"][0]["name"] == "ana"
    assert rest.version == first.version


def test_a_walk_whose_state_is_compacted_away_is_expired(
    server: Server, admin: KubeClient, own: str, five: list[str]
) -> None:
    first = admin.get(CRBS, labelSelector=f"test={own}", limit=2)
    admin.delete(f"{CRBS}/{five[4]}")
    server.compact()

    token = first.document["metadata"]["continue"]
    rest = admin.get(CRBS, labelSelector=f"test={own}", limit=10, **{"continue": token})

    assert (rest.status, rest.reason) == (410, "Expired")


def test_an_expired_walk_may_go_on_in_another_state(
    server: Server, admin: KubeClient, own: str, five: list[str]
) -> None:
    first = admin.get(CRBS, labelSelector=f"test={own}", limit=2)
    admin.delete(f"{CRBS}/{five[4]}")
    server.compact()
    token = first.document["metadata"]["continue"]
    expired = admin.get(CRBS, labelSelector=f"test={own}", limit=10, **{"continue": token})

    other = expired.document["metadata"]["continue"]
    rest = admin.get(CRBS, labelSelector=f"test={own}", limit=10, **{"continue": other})

    assert rest.status == 200
    assert rest.names == five[2:4]
    assert rest.version != first.version


def test_a_token_that_is_none_is_a_bad_request(admin: KubeClient) -> None:
    read = admin.get(CRBS, limit=2, **{"continue": "nonsense"})

    assert (read.status, read.reason) == (400, "BadRequest")


def test_a_list_from_the_cache_knows_no_limit(admin: KubeClient, own: str, five: list[str]) -> None:
    # The cache may not know the last of them yet; only that nothing is cut matters here.
    read = admin.get(CRBS, limit=1, resourceVersion="0")

    assert len(read.names) > 1
    assert "continue" not in read.document["metadata"]


def test_a_state_that_is_gone_cannot_be_asked_for(server: Server, admin: KubeClient, five: list[str]) -> None:
    old = admin.get(f"{CRBS}/{five[0]}").version
    server.compact()

    read = admin.get(CRBS, limit=1, resourceVersion=old, resourceVersionMatch="Exact")

    assert (read.status, read.reason) == (410, "Expired")


def test_items_of_a_list_do_not_say_what_they_are(admin: KubeClient, own: str, five: list[str]) -> None:
    read = admin.get(CRBS, labelSelector=f"test={own}")

    assert read.document["kind"] == "ClusterRoleBindingList"
    assert all("kind" not in item and "apiVersion" not in item for item in read.document["items"])


def test_how_many_remain_is_not_said_where_there_is_a_selector(admin: KubeClient, own: str, five: list[str]) -> None:
    read = admin.get(CRBS, labelSelector=f"test={own}", limit=2)

    assert "remainingItemCount" not in read.document["metadata"]


def test_an_empty_list_has_a_version_and_no_items(admin: KubeClient, own: str) -> None:
    read = admin.get(CRBS, labelSelector=f"test={own}", limit=10)

    assert read.status == 200
    assert read.version
    assert not read.document["items"]


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("test={own},color=red", ["a"]),
        ("test={own},color!=red", ["b", "c"]),
        ("test={own},color in (red,blue)", ["a", "b"]),
        ("test={own},color notin (red)", ["b", "c"]),
        ("test={own},color", ["a", "b"]),
        ("test={own},!color", ["c"]),
        ("test=={own},color=none", []),
    ],
)
def test_selectors_choose_by_labels(admin: KubeClient, own: str, selector: str, found: list[str]) -> None:
    for name, labels in (("a", {"color": "red"}), ("b", {"color": "blue"}), ("c", {})):
        admin.post(CRBS, binding(f"{name}-{own}", "view", "ana", labels=labels | {"test": own}))

    read = admin.get(CRBS, labelSelector=selector.format(own=own))

    assert read.names == [f"{name}-{own}" for name in found]


def test_a_selector_that_is_none_is_a_bad_request(admin: KubeClient) -> None:
    read = admin.get(CRBS, labelSelector="a=b=c")

    assert read.status == 400


def test_a_namespaces_list_is_a_part_of_the_whole_list(admin: KubeClient, own: str, namespace: str) -> None:
    other = f"web-{own}"
    create_namespace(admin, other)
    for place in (namespace, other):
        admin.post(bindings_in(place), binding("b", "view", "ana", namespace=place, labels={"test": own}))

    here = admin.get(bindings_in(namespace), labelSelector=f"test={own}")
    everywhere = admin.get(f"{RBAC}/rolebindings", labelSelector=f"test={own}")

    assert [item["metadata"]["namespace"] for item in here.document["items"]] == [namespace]
    assert [item["metadata"]["namespace"] for item in everywhere.document["items"]] == [namespace, other]


def test_pages_of_all_namespaces_lose_nothing(admin: KubeClient, own: str) -> None:
    places = [f"{letter}-{own}" for letter in "abc"]
    for place in places:
        create_namespace(admin, place)
        for name in ("x", "y"):
            admin.post(bindings_in(place), binding(name, "view", "ana", namespace=place, labels={"test": own}))

    found, token = [], ""
    while True:
        page = admin.get(f"{RBAC}/rolebindings", labelSelector=f"test={own}", limit=1, **{"continue": token})
        found += [(item["metadata"]["namespace"], item["metadata"]["name"]) for item in page.document["items"]]
        token = page.document["metadata"].get("continue", "")
        if not token:
            break

    assert found == [(place, name) for place in places for name in ("x", "y")]


def test_namespaces_are_listed_with_labels_and_phase(admin: KubeClient, own: str) -> None:
    create_namespace(admin, own, {"team": own})

    read = admin.get(NAMESPACES, labelSelector=f"team={own}")

    [item] = read.document["items"]
    assert item["metadata"]["labels"]["team"] == own
    assert item["status"]["phase"] == "Active"
