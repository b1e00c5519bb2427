"""A cluster's namespaces are listed by the passes that need them, and by no others."""

from dataclasses import replace

import pytest

from scim_bridge.store.schema import project, project_namespace
from tests.sync.clockwork import add_cluster
from tests.sync.worlds import World


def count_lists(world: World, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that grows with every list of namespaces."""
    asked: list[str] = []

    def namespaces() -> dict[str, dict[str, str]]:
        asked.append(world.cluster_id)
        return {}

    monkeypatch.setattr(world.cluster, "namespaces", namespaces)
    return asked


def claim(world: World, **values: object) -> None:
    made = world.insert(project, name="web", created_at=world.at)
    world.insert(project_namespace, project_id=made, valid_from=world.at, **values)


def test_a_project_that_names_its_namespaces_needs_no_list(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    claim(world, namespace="web")
    asked = count_lists(world, monkeypatch)

    world.reconcile()

    assert asked == []


def test_a_selector_that_does_not_count_on_the_cluster_needs_no_list(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim(world, selector="team=web")
    asked = count_lists(world, monkeypatch)

    world.reconcile()

    assert asked == []
    assert world.conditions() == ["SelectorsNotAllowed"]


def test_a_selector_that_counts_is_looked_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    selecting = replace(world, cluster_id=add_cluster(world, "selecting", selectors=True))
    claim(world, selector="team=web")
    asked = count_lists(selecting, monkeypatch)

    selecting.reconcile()

    assert asked == [selecting.cluster_id]
