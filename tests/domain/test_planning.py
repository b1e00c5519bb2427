"""Plans: applied, they give what is desired, and nobody who keeps a role is ever without it on the way."""

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from scim_bridge.domain.bindings import Binding, BindingKey, Family, Shard, shard_family
from scim_bridge.domain.brakes import BrakeLimits, Window, brake, hold_everything_inferred
from scim_bridge.domain.planning import Action, Change, Plan, after_failures, hold, plan_changes
from scim_bridge.domain.roles import KubernetesRole
from tests.domain.worlds import ACME, PROD

EDIT = Family(None, KubernetesRole.EDIT)
VIEW = Family("shop", KubernetesRole.VIEW)
World = dict[BindingKey, frozenset[str]]


@dataclass(frozen=True)
class There:
    """A binding as the cluster has it."""

    binding: Binding
    intact: bool = True
    uid: str = "uid"
    resource_version: str = "1"


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


def names(count: int) -> list[str]:
    return [f"person-{number:03}" for number in range(count)]


def braked(before: int, after: int, removed: int = 0, ceiling: bool = False) -> Plan:
    plan = planned(bindings(EDIT, names(after)), bindings(EDIT, names(before)))
    allowed = frozenset(plan.removals) if ceiling else frozenset()
    window = Window(before + removed, removed)
    return brake(plan, [window], BrakeLimits(), subjects_left=after, ceiling=allowed)


def going(plan: Plan) -> int:
    return sum(len(change.lost) for change in plan.changes)


def test_a_few_removals_flow_and_a_mass_removal_waits_beyond_the_limit() -> None:
    few, many, large = braked(50, 40), braked(50, 20), braked(1000, 800)

    assert (going(few), len(few.held)) == (10, 0)
    assert (going(many), len(many.held[0].lost)) == (10, 20)
    assert going(large) == 100


def test_the_hour_that_passed_counts() -> None:
    plan = braked(50, 45, removed=8)

    assert (going(plan), len(plan.held[0].lost)) == (2, 3)


def test_a_cluster_never_falls_to_nobody_unasked() -> None:
    assert going(braked(3, 0)) == 0
    assert going(braked(2, 0)) == 2


def test_an_approval_lets_exactly_what_it_listed_go() -> None:
    assert going(braked(50, 0, ceiling=True)) == 50


def test_asked_for_removals_are_never_counted_or_held() -> None:
    plan = planned([], bindings(EDIT, names(50)))

    flowing = brake(plan, [Window(50)], BrakeLimits(), subjects_left=0, is_asked_for=lambda _: True)

    assert going(flowing) == 50


def test_when_one_side_is_unknown_only_asked_for_removals_go() -> None:
    plan = planned(bindings(EDIT, ["new"]), bindings(EDIT, ["ana", "bob"]))

    held = hold_everything_inferred(plan, lambda removal: removal[1] == "bob")

    assert going(held) == 1
    assert [change.added for change in held.changes if change.added] == [("new",)]


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


def test_a_person_with_many_roles_counts_once_in_a_brake() -> None:
    namespaces = [Family(f"shop-{number}", KubernetesRole.EDIT) for number in range(20)]
    observed = [each for family in namespaces for each in bindings(family, names(12))]
    desired = [each for family in namespaces for each in bindings(family, names(12)[2:])]

    plan = brake(planned(desired, observed), [Window(12)], BrakeLimits(), subjects_left=10)

    assert going(plan) == 2 * 20
    assert plan.held == ()


def test_of_two_windows_the_tighter_one_counts() -> None:
    plan = planned(bindings(EDIT, names(80)), bindings(EDIT, names(100)))

    held = brake(plan, [Window(1000), Window(100, removed=4)], BrakeLimits(), subjects_left=80)

    assert going(held) == 6


def test_who_waits_is_the_same_every_time() -> None:
    first, second = braked(50, 20), braked(50, 20)

    assert first.held == second.held
    assert first.held_hash == second.held_hash
    assert first.held_hash != braked(50, 21).held_hash
