"""What somebody agreed to by applying a preview is carried out by every cluster, and nothing beside it."""

import pytest
import sqlalchemy as sa

from scim_bridge.errors import ClusterUnreachable
from scim_bridge.identity import rule_changes, rules
from scim_bridge.identity.rule_changes import RulePreview, of_document
from scim_bridge.store.clock import now
from scim_bridge.store.schema import plan
from tests.sync.worlds import CLI, World

EDIT = (None, "edit")
RULE = {
    "name": "team",
    "directory": "active-one",
    "group": "team",
    "scope": "organization",
    "kubernetes_role": "edit",
    "allow_privileged": True,
}


@pytest.fixture
def people(world: World) -> list[str]:
    """Put forty people on the cluster by a rule."""
    world.at = now()
    group = world.add_group("team", world.add_directory("active"))
    made = [world.add_member(f"team-{number:02}") for number in range(40)]
    world.join(group, *made)
    rules.apply(world.database, CLI, "acme", {"rules": [RULE]})
    world.reconcile()
    return made


def apply_seen(world: World, *rows: dict[str, object]) -> RulePreview:
    wish = of_document({"rules": list(rows)})
    seen = rule_changes.preview(world.database, CLI, "acme", wish)
    return rule_changes.apply_seen(world.database, CLI, "acme", wish, seen.hash)


def agreed(world: World) -> list[tuple[str, str]]:
    with world.database.read() as connection:
        return [tuple(row) for row in connection.execute(sa.select(plan.c.reason, plan.c.state).order_by(plan.c.id))]


def test_a_previewed_change_of_everybody_is_approved_once(world: World, people: list[str]) -> None:
    made = apply_seen(world, RULE | {"kubernetes_role": "view"})

    report = world.reconcile()

    assert (len(made.effects.losses.bindings), report.result.held) == (40, 0)
    assert EDIT not in world.cluster.access
    assert len(world.cluster.access[None, "view"]) == 40
    assert agreed(world) == [("preview", "applied")]


def test_the_same_change_without_a_preview_waits_at_the_cluster(world: World, people: list[str]) -> None:
    rules.apply(world.database, CLI, "acme", {"rules": []})

    report = world.reconcile()

    assert report.result.held == 40
    assert len(world.cluster.access[EDIT]) == 40


def test_it_is_no_permission_for_anything_else(world: World, people: list[str]) -> None:
    others = world.add_group("others")
    more = [world.add_member(f"others-{number:02}") for number in range(30)]
    world.join(others, *more)
    world.give("edit", group=others)
    world.reconcile()
    apply_seen(world)
    world.leave(others, *more)

    world.reconcile()

    assert world.cluster.access[EDIT] == {f"others-{number:02}" for number in range(30)}


def test_a_pass_that_had_read_before_does_not_use_it_up(world: World, people: list[str]) -> None:
    done: list[RulePreview] = []

    def between() -> bool:
        # Asked for the first time after the pass has read the store and the cluster.
        if not done:
            done.append(apply_seen(world))
        return True

    first = world.reconcile(goes_on=between)
    waiting = agreed(world)
    second = world.reconcile()

    assert (first.result.held, waiting) == (0, [("preview", "approved")])
    assert (second.result.held, agreed(world)) == (0, [("preview", "applied")])
    assert EDIT not in world.cluster.access


def test_a_cluster_that_is_away_carries_it_out_when_it_is_back(world: World, people: list[str]) -> None:
    world.cluster.break_list = ClusterUnreachable("timed out")
    apply_seen(world)
    world.reconcile()

    world.cluster.break_list = None
    report = world.reconcile()

    assert report.result.held == 0
    assert EDIT not in world.cluster.access
