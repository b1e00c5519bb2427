"""How many removals that nobody asked for may flow."""

from hypothesis import given, settings
from hypothesis import strategies as st

from scim_bridge.domain.bindings import Binding, Family, shard_family
from scim_bridge.domain.brakes import BrakeLimits, Window, brake, hold_everything_inferred
from scim_bridge.domain.organizations import ClusterId, OrganizationId
from scim_bridge.domain.planning import Plan, Removal, plan_changes
from scim_bridge.domain.roles import KubernetesRole
from tests.domain.sightings import There

ACME, PROD = OrganizationId("acme"), ClusterId("prod")
EDIT = Family(None, KubernetesRole.EDIT)


def names(count: int, start: int = 0) -> list[str]:
    return [f"person-{number:03}" for number in range(start, start + count)]


def bindings(family: Family, subjects: list[str]) -> list[Binding]:
    return shard_family(ACME, PROD, family, subjects, 0)


def planned(before: list[Binding], after: list[Binding]) -> Plan:
    return plan_changes(PROD, after, [There(each) for each in before])


def leaving(before: int, after: int) -> Plan:
    return planned(bindings(EDIT, names(before)), bindings(EDIT, names(before)[:after]))


def hour(at_start: int, left: int, removed: list[str] | None = None, most: int | None = None) -> Window:
    return Window(at_start, at_start if most is None else most, left, frozenset(removed or ()))


def braked(before: int, after: int, removed: list[str] | None = None, **options: object) -> Plan:
    window = hour(before + len(removed or ()), after, removed)
    return brake(leaving(before, after), [window], BrakeLimits(), **options)  # type: ignore[arg-type]


def going(plan: Plan) -> set[str]:
    return {subject for change in plan.changes for subject in change.lost}


def held(plan: Plan) -> set[str]:
    return {subject for change in plan.held for subject in change.lost}


def test_a_few_removals_flow_and_a_mass_removal_waits_beyond_the_limit() -> None:
    few, many, large = braked(50, 40), braked(50, 20), braked(1000, 800)

    assert (len(going(few)), len(held(few))) == (10, 0)
    assert (len(going(many)), len(held(many))) == (10, 20)
    assert len(going(large)) == 100


def test_the_hour_that_passed_counts() -> None:
    plan = braked(50, 45, removed=names(8, start=500))

    assert (len(going(plan)), len(held(plan))) == (2, 3)


def test_a_cluster_never_falls_to_nobody_unasked() -> None:
    assert going(braked(3, 0)) == set()
    assert len(going(braked(2, 0))) == 2


def test_who_came_within_the_hour_is_somebody_too() -> None:
    plan = brake(leaving(5, 0), [hour(0, 0, most=5)], BrakeLimits())

    assert going(plan) == set()


def test_nor_does_it_fall_to_nobody_two_by_two() -> None:
    plan = brake(leaving(2, 0), [hour(0, 0, names(2, start=500), most=4)], BrakeLimits())

    assert going(plan) == set()


def test_an_organization_is_emptied_by_its_last_cluster_only() -> None:
    cluster = hour(2, 0)
    others, nobody = (Window(4, 4, left) for left in (2, 0))

    assert len(going(brake(leaving(2, 0), [cluster, others], BrakeLimits()))) == 2
    assert going(brake(leaving(2, 0), [cluster, nobody], BrakeLimits())) == set()


def test_an_approval_lets_exactly_what_it_listed_go() -> None:
    listed = frozenset(leaving(50, 30).removals)

    plan = braked(50, 0, ceiling=listed)

    assert going(plan) == {subject for _, subject in listed}
    assert len(held(plan)) == 30


def test_an_approved_removal_takes_nobody_elses_place_under_the_limit() -> None:
    listed = frozenset(leaving(50, 30).removals)

    plan = braked(50, 25, ceiling=listed)

    assert (len(going(plan)), held(plan)) == (25, set())


def test_asked_for_removals_are_never_counted_or_held() -> None:
    plan = braked(50, 0, is_asked_for=lambda _: True)

    assert len(going(plan)) == 50


def test_what_waits_goes_on_waiting_though_the_hour_has_room() -> None:
    waiting = frozenset(leaving(50, 45).removals)

    plan = braked(50, 40, waiting=waiting)

    assert held(plan) == {subject for _, subject in waiting}
    assert len(going(plan)) == 5


def test_what_waited_and_is_granted_again_is_in_no_plan() -> None:
    waiting = frozenset(leaving(50, 45).removals)

    plan = braked(50, 50, waiting=waiting)

    assert plan.is_empty


def test_who_waited_goes_when_somebody_asks_for_it_by_name() -> None:
    waiting = frozenset(leaving(50, 45).removals)

    plan = braked(50, 45, waiting=waiting, is_asked_for=lambda removal: removal[1] == "person-045")

    assert going(plan) == {"person-045"}


def test_when_one_side_is_unknown_only_asked_for_removals_go() -> None:
    plan = planned(bindings(EDIT, ["ana", "bob"]), bindings(EDIT, ["new"]))

    stopped = hold_everything_inferred(plan, lambda removal: removal[1] == "bob")

    assert going(stopped) == {"bob"}
    assert [change.added for change in stopped.changes if change.added] == [("new",)]


def test_a_person_with_many_roles_counts_once_in_a_brake() -> None:
    families = [Family(f"shop-{number}", KubernetesRole.EDIT) for number in range(20)]
    before = [each for family in families for each in bindings(family, names(12))]
    after = [each for family in families for each in bindings(family, names(12)[2:])]

    plan = brake(planned(before, after), [hour(12, 10)], BrakeLimits())

    assert sum(len(change.lost) for change in plan.changes) == 2 * 20
    assert plan.held == ()


def test_who_lost_something_within_the_hour_may_lose_more_and_counts_no_more() -> None:
    plan = braked(50, 40, removed=names(10, start=40))

    assert going(plan) == set(names(10, start=40))


def test_a_person_who_left_on_another_cluster_counts_once_in_the_organization() -> None:
    persons = {subject: f"member-of-{subject}" for subject in names(50)}
    gone = frozenset(f"member-of-{subject}" for subject in names(10, start=40))
    organization = Window(50, 50, 40, gone, persons)

    same = brake(leaving(50, 40), [hour(50, 40), organization], BrakeLimits())
    other = brake(leaving(45, 39), [hour(45, 39), organization], BrakeLimits())

    assert (len(going(same)), held(same)) == (10, set())
    assert going(other) == set(names(5, start=40))


def test_of_two_windows_the_tighter_one_counts() -> None:
    wide, tight = hour(1000, 80), hour(100, 80, names(4, start=500))

    plan = brake(leaving(100, 80), [wide, tight], BrakeLimits())

    assert len(going(plan)) == 6


def test_who_waits_is_the_same_every_time() -> None:
    first, second = braked(50, 20), braked(50, 20)

    assert first.held == second.held
    assert first.held_hash == second.held_hash
    assert first.held_hash != braked(50, 21).held_hash


@settings(max_examples=50)
@given(st.integers(0, 60), st.data())
def test_no_more_flow_than_an_hour_may_take_and_nobody_is_forgotten(before: int, data: st.DataObject) -> None:
    after = data.draw(st.integers(0, before))
    earlier = names(data.draw(st.integers(0, 12)), start=500)
    plan = leaving(before, after)
    asked: set[Removal] = {each for each in plan.removals if data.draw(st.booleans())}

    done = brake(plan, [hour(before + len(earlier), after, earlier)], BrakeLimits(), is_asked_for=asked.__contains__)

    assert {subject for _, subject in asked} <= going(done)
    assert len(going(done) - {subject for _, subject in asked}) <= max(0, 10 - len(earlier))
    assert going(done) | held(done) == {subject for _, subject in plan.removals}
    assert done.hash == plan.hash
