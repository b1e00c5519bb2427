"""Plans: applied, they give what is desired, and nobody who keeps a role is ever without it on the way."""

from collections.abc import Iterable
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from scim_bridge.domain.bindings import Binding, BindingKey, Family, Shard, shard_family
from scim_bridge.domain.planning import (
    Action,
    Change,
    Plan,
    after_failures,
    hold,
    hold_everything,
    plan_changes,
    without_additions,
)
from scim_bridge.domain.roles import KubernetesRole
from tests.domain.sightings import There
from tests.domain.worlds import ACME, PROD

EDIT = Family(None, KubernetesRole.EDIT)
VIEW = Family("shop", KubernetesRole.VIEW)
World = dict[BindingKey, frozenset[str]]


def bindings(family: Family, subjects: Iterable[str], bits: int = 0) -> list[Binding]:
    return shard_family(ACME, PROD, family, subjects, bits)


def planned(desired: list[Binding], observed: list[Binding]) -> Plan:
    return plan_changes(PROD, desired, [There(binding) for binding in observed])


def world_of(found: Iterable[Binding]) -> World:
    return {binding.key: frozenset(binding.subjects) for binding in found}


def apply(world: World, change: Change) -> World:
    after = dict(world)
    if change.action is Action.DELETE:
        del after[change.binding.key]
    else:
        after[change.binding.key] = frozenset(change.binding.subjects)
    return after


def holders(world: World) -> set[tuple[Family, str]]:
    return {(key.family, subject) for key, subjects in world.items() for subject in subjects}


people = st.sets(st.sampled_from([f"person-{number}" for number in range(30)]))


@st.composite
def binding_lists(draw: st.DrawFn) -> list[Binding]:
    made = []
    for family in (EDIT, VIEW):
        made += bindings(family, draw(people), draw(st.integers(0, 3)))
    return made


@given(binding_lists(), binding_lists())
def test_a_plan_applied_gives_what_is_desired(desired: list[Binding], observed: list[Binding]) -> None:
    world = world_of(observed)

    for change in planned(desired, observed).changes:
        world = apply(world, change)

    assert world == world_of(desired)


@given(binding_lists(), binding_lists())
def test_nobody_who_keeps_a_role_is_without_it_at_any_step(desired: list[Binding], observed: list[Binding]) -> None:
    world = world_of(observed)
    throughout = holders(world) & holders(world_of(desired))

    for change in planned(desired, observed).changes:
        world = apply(world, change)
        assert throughout <= holders(world)


@given(binding_lists(), binding_lists())
def test_removals_are_exactly_the_roles_that_people_lose(desired: list[Binding], observed: list[Binding]) -> None:
    lost = holders(world_of(observed)) - holders(world_of(desired))

    assert set(planned(desired, observed).removals) == lost


@given(binding_lists(), binding_lists(), st.data())
def test_held_people_stay_and_all_others_go(
    desired: list[Binding], observed: list[Binding], data: st.DataObject
) -> None:
    plan = planned(desired, observed)
    kept = [removal for removal in plan.removals if data.draw(st.booleans())]
    world = world_of(observed)

    held = hold(plan, kept)
    for change in held.changes:
        world = apply(world, change)

    assert holders(world) == holders(world_of(desired)) | set(kept)
    assert set(held.removals) == set(plan.removals)


@given(binding_lists(), binding_lists(), st.randoms(use_true_random=False))
def test_the_hash_does_not_depend_on_the_order_of_reading(
    desired: list[Binding], observed: list[Binding], order: Random
) -> None:
    shuffled = list(observed)
    order.shuffle(shuffled)

    assert planned(desired, shuffled).hash == planned(desired, observed).hash


def test_nothing_to_do_is_an_empty_plan() -> None:
    same = bindings(EDIT, ["ana", "bob"])

    assert planned(same, same).is_empty


def test_a_foreign_edit_is_written_over_though_the_subjects_are_right() -> None:
    found = bindings(EDIT, ["ana"])

    plan = plan_changes(PROD, found, [There(found[0], intact=False)])

    assert [(change.action, change.removed) for change in plan.changes] == [(Action.GROW, ())]


def test_a_mixed_update_grows_before_it_shrinks() -> None:
    plan = planned(bindings(EDIT, ["ana", "new"]), bindings(EDIT, ["ana", "old"]))

    assert [(change.action, change.binding.subjects) for change in plan.changes] == [
        (Action.GROW, ("ana", "new", "old")),
        (Action.SHRINK, ("ana", "new")),
    ]


def test_splitting_a_family_anew_takes_nobody_away() -> None:
    everybody = [f"person-{number}" for number in range(40)]

    plan = planned(bindings(EDIT, everybody, 2), bindings(EDIT, everybody, 0))

    assert plan.removals == ()
    assert [change.action for change in plan.changes] == [Action.CREATE] * 4 + [Action.DELETE]
    assert plan.changes[-1].binding.key.shard == Shard(0, 0)


@given(binding_lists(), binding_lists(), st.data())
def test_the_hash_is_the_same_whatever_a_brake_holds_back(
    desired: list[Binding], observed: list[Binding], data: st.DataObject
) -> None:
    plan = planned(desired, observed)
    kept = [removal for removal in plan.removals if data.draw(st.booleans())]

    assert hold(plan, kept).hash == plan.hash


@given(binding_lists(), binding_lists(), st.data())
def test_a_hold_that_was_carried_out_leaves_the_same_removals_waiting(
    desired: list[Binding], observed: list[Binding], data: st.DataObject
) -> None:
    plan = planned(desired, observed)
    kept = [removal for removal in plan.removals if data.draw(st.booleans())]
    held = hold(plan, kept)
    world = world_of(observed)
    for change in held.changes:
        world = apply(world, change)

    again = planned(desired, [Binding(key, tuple(sorted(subjects))) for key, subjects in world.items()])

    assert set(again.removals) == set(kept)
    assert hold(again, kept).changes == ()


def test_different_plans_have_different_hashes() -> None:
    plans = [
        planned(bindings(EDIT, ["ana"]), []),
        planned([], bindings(EDIT, ["ana"])),
        planned(bindings(VIEW, ["ana"]), []),
        planned(bindings(EDIT, ["ana"]), bindings(EDIT, ["bob"])),
        planned([], []),
    ]

    assert len({plan.hash for plan in plans}) == len(plans)


def test_a_change_names_the_object_that_was_read_and_the_hash_does_not() -> None:
    found = bindings(EDIT, ["ana", "bob"])

    early, late = (
        plan_changes(PROD, bindings(EDIT, ["ana"]), [There(found[0], resource_version=version)]) for version in "12"
    )

    assert [(change.uid, change.resource_version) for change in late.changes] == [("uid", "2")]
    assert early.hash == late.hash


@given(binding_lists(), binding_lists(), st.data())
def test_whatever_fails_to_be_written_nobody_who_keeps_a_role_loses_it(
    desired: list[Binding], observed: list[Binding], data: st.DataObject
) -> None:
    plan = planned(desired, observed)
    world = world_of(observed)
    throughout = holders(world) & holders(world_of(desired))
    failed = []
    for change in plan.of(Action.CREATE, Action.GROW):
        if data.draw(st.booleans()):
            failed.append(change)
        else:
            world = apply(world, change)

    for change in after_failures(plan.of(Action.SHRINK, Action.DELETE), failed):
        world = apply(world, change)

    assert throughout <= holders(world)
    assert not set(plan.removals) & holders(world)


def test_a_first_plan_waits_whole_and_says_the_same_by_its_hash() -> None:
    plan = planned(bindings(EDIT, ["ana"]), bindings(VIEW, ["bob"]))

    waiting = hold_everything(plan)

    assert (waiting.changes, len(waiting.held)) == ((), 2)
    assert waiting.held_hash == waiting.hash == plan.hash


@given(binding_lists(), binding_lists(), people)
def test_who_may_not_be_added_is_added_nowhere_and_keeps_what_they_had(
    desired: list[Binding], observed: list[Binding], refused: set[str]
) -> None:
    before, wanted = holders(world_of(observed)), holders(world_of(desired))
    world = world_of(observed)

    for change in without_additions(planned(desired, observed), refused).changes:
        world = apply(world, change)

    assert holders(world) == {pair for pair in wanted if pair in before or pair[1] not in refused}
    assert all(subjects for subjects in world.values())


def test_a_plan_that_adds_none_of_them_stays_as_it_is() -> None:
    plan = planned(bindings(EDIT, ["ana", "new"]), bindings(EDIT, ["ana", "old"]))

    assert without_additions(plan, {"ana", "old"}) is plan
