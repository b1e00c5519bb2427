"""What a frozen plan still does, for every kind of change."""

from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest

from scim_bridge.domain.bindings import Binding, BindingKey, Family, shard_family
from scim_bridge.domain.freezes import Freeze, Freezes, frozen_plan, parse_place, thaw_after
from scim_bridge.domain.organizations import ClusterId, OrganizationId
from scim_bridge.domain.planning import Plan, plan_changes
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.errors import Invalid
from tests.domain.sightings import There

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
OWNER, CLUSTER = OrganizationId("acme"), ClusterId("prod")
EDIT = Family(None, KubernetesRole.EDIT)
SHOP = Family("shop", KubernetesRole.VIEW)
PEOPLE = ("ana", "ben", "cleo", "dana")


def bindings(family: Family, *subjects: str, bits: int = 0) -> list[Binding]:
    return shard_family(OWNER, CLUSTER, family, subjects, bits)


def plan_of(desired: list[Binding], observed: list[Binding]) -> Plan:
    return plan_changes(CLUSTER, desired, [There(each) for each in observed])


def frozen(place: str | None = None, *, leavers: bool = False) -> Freezes:
    where = parse_place(place) if place else None
    return Freezes((Freeze("f", OWNER, CLUSTER, where, leavers, "", "ada", NOON),))


def after(plan: Plan, observed: list[Binding]) -> dict[Family, set[str]]:
    """Carry a plan out and return who holds what."""
    objects: dict[BindingKey, tuple[str, ...]] = {each.key: each.subjects for each in observed}
    for change in plan.changes:
        objects[change.binding.key] = () if change.action.value == "delete" else change.binding.subjects
    found: dict[Family, set[str]] = {}
    for key, subjects in objects.items():
        found.setdefault(key.family, set()).update(subjects)
    return found


def test_for_every_change_of_a_frozen_binding_only_leavers_go() -> None:
    sets = [set(each) for size in range(len(PEOPLE) + 1) for each in combinations(PEOPLE, size)]
    for have in sets:
        for want in sets:
            for bits in (0, 1):
                observed = bindings(EDIT, *have)
                plan = plan_of(bindings(EDIT, *want, bits=bits), observed)

                left = frozen_plan(plan, frozen(), lambda removal: removal[1] == "ana")

                gone = {"ana"} - want
                assert after(left, observed).get(EDIT, set()) == have - gone, (have, want, bits)


def test_with_leavers_included_nothing_is_done_at_all() -> None:
    plan = plan_of(bindings(EDIT, "ben"), bindings(EDIT, "ana"))

    left = frozen_plan(plan, frozen(leavers=True), lambda removal: True)

    assert left.changes == ()


def test_another_binding_than_the_frozen_one_is_kept_in_step() -> None:
    observed = [*bindings(EDIT, "ana"), *bindings(SHOP, "ana")]
    plan = plan_of([*bindings(EDIT, "ben"), *bindings(SHOP, "ben")], observed)

    left = frozen_plan(plan, frozen("edit"), lambda removal: False)

    assert after(left, observed) == {EDIT: {"ana"}, SHOP: {"ben"}}


def test_what_is_not_frozen_is_the_plan_itself() -> None:
    plan = plan_of(bindings(EDIT, "ben"), bindings(EDIT, "ana"))

    assert frozen_plan(plan, Freezes(), lambda removal: False) is plan


@pytest.mark.parametrize("text", ["edit", "view@shop", "cluster-admin"])
def test_a_binding_is_named_as_it_is_shown(text: str) -> None:
    assert str(parse_place(text)) == text


@pytest.mark.parametrize("text", ["", "none", "owner", "edit@", "edit@Shop", "edit@a/b"])
def test_what_is_no_binding_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        parse_place(text)


@pytest.mark.parametrize("hours", [None, 24.01, 1000, 0, -1])
def test_leavers_stay_in_for_a_day_at_most(hours: float | None) -> None:
    length = None if hours is None else timedelta(hours=hours)

    with pytest.raises(Invalid):
        thaw_after(NOON, length, including_revocations=True)


def test_a_freeze_that_lets_leavers_go_may_last() -> None:
    assert thaw_after(NOON, None, including_revocations=False) is None
    assert thaw_after(NOON, timedelta(days=30), including_revocations=False) == NOON + timedelta(days=30)
    assert thaw_after(NOON, timedelta(hours=24), including_revocations=True) == NOON + timedelta(hours=24)
