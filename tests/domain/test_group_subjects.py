"""Groups that stand for their members, where that gives nobody more than they have."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scim_bridge.domain.access import Grant, GrantId, Snapshot
from scim_bridge.domain.bindings import Binding, SubjectKind, render_subject
from scim_bridge.domain.brakes import BrakeLimits, Window, brake
from scim_bridge.domain.desired import Desired, desired
from scim_bridge.domain.group_subjects import checked_group_template, render_group
from scim_bridge.domain.organizations import CaseRule, Cluster, SubjectMode
from scim_bridge.domain.people import DirectoryId, GroupFacts, GroupId, MemberId, MemberState
from scim_bridge.domain.planning import Action, GroupSubjects, Plan, after_failures, people_losing, plan_changes
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.errors import Invalid
from tests.domain.sightings import There
from tests.domain.worlds import CLUSTER, ORGANIZATION, PROD, PROJECT, grant, grants, person, snapshot, tree

EDIT, VIEW = KubernetesRole.EDIT, KubernetesRole.VIEW
OKTA = "d1"
GROUPS = ("ga", "gb", "gc")


def in_mode(world: Snapshot, mode: SubjectMode, *facts: GroupFacts, **policy: object) -> Snapshot:
    """Return a world whose cluster prod names groups as "g:NAME" and is told these facts of them."""
    values = {"subject_mode": mode, "group_template": "g:{group}", "group_directory": OKTA} | policy
    clusters = {id_: replace(each, **values) for id_, each in world.tree.clusters.items()}  # type: ignore[arg-type]
    return replace(world, tree=replace(world.tree, clusters=clusters), groups={each.id: each for each in facts})


def sent(name: str, /, **values: object) -> GroupFacts:
    return replace(GroupFacts(GroupId(name), name, f"id-{name}", DirectoryId(OKTA)), **values)  # type: ignore[arg-type]


def team(*extra: object, **policy: object) -> Snapshot:
    """Return ana, bob and cid in the group dev, which has edit everywhere."""
    people = [person("ana"), person("bob"), person("cid")]
    held = [grant(ORGANIZATION, EDIT, group="dev"), *extra]
    made = snapshot(people, held, {each.id: ("dev",) for each in people})  # type: ignore[arg-type]
    mode = policy.pop("mode", SubjectMode.GROUP)
    facts = policy.pop("facts", sent("dev"))
    return in_mode(made, mode, facts, **policy)  # type: ignore[arg-type]


def named(wanted: Desired) -> dict[str, tuple[str, ...]]:
    """Return who is named in the whole cluster, by kind and role."""
    found = {}
    for each in wanted.bindings:
        family = each.key.family
        if family.namespace is None:
            found[f"{family.subject_kind.value} {family.role.value}"] = each.subjects
    return found


def why(world: Snapshot) -> str:
    return "; ".join(each.message for each in desired(world, PROD).conditions if each.kind == "GroupExpanded")


def test_a_group_whose_members_all_have_the_role_stands_for_them() -> None:
    wanted = desired(team(), PROD)

    assert named(wanted) == {"Group edit": ("g:dev",)}
    assert set(wanted.subjects) == {"ana", "bob", "cid"}
    assert not wanted.conditions


def test_one_member_who_may_have_less_makes_the_group_stand_for_nobody() -> None:
    world = team(grant(CLUSTER, VIEW, member="bob"))

    assert named(desired(world, PROD)) == {"User edit": ("ana", "cid"), "User view": ("bob",)}
    assert "bob in it may have less than edit" in why(world)


def test_a_member_with_a_stronger_role_is_named_beside_the_group() -> None:
    world = team(grant(CLUSTER, VIEW, group="dev", name="v"), grant(CLUSTER, EDIT, member="bob", name="e"))

    assert named(desired(world, PROD)) == {"Group view": ("g:dev",), "User edit": ("bob",)}


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"facts": sent("dev", directory_id=None)}, "kept by hand"),
        ({"group_directory": "d2"}, "groups of another directory"),
        ({"group_filter": "k8s-*"}, "only groups named k8s-*"),
        ({"facts": sent("dev", doubts=("it has groups in it",))}, "it has groups in it"),
        ({"group_template": ""}, "nobody has said how"),
        ({"group_template": "{external_id}", "facts": sent("dev", external_id=None)}, "no value for it"),
        ({"group_template": "{group}", "facts": sent("dev", name="system:masters")}, "reserved"),
        (
            {"group_template": "{group}", "group_case": CaseRule.LOWER, "facts": sent("dev", name="System:x")},
            "reserved",
        ),
    ],
)
def test_what_the_bridge_cannot_answer_for_is_expanded_and_says_why(values: dict[str, object], reason: str) -> None:
    world = team(**values)

    assert named(desired(world, PROD)) == {"User edit": ("ana", "bob", "cid")}
    assert reason in why(world)


def test_who_has_no_name_of_their_own_on_a_cluster_makes_the_group_stand_for_nobody() -> None:
    world = team()
    twin = replace(world, members={**world.members, MemberId("zoe"): person("zoe", user_name="ana")})
    twin = replace(twin, groups_of={**twin.groups_of, MemberId("zoe"): (GroupId("dev"),)})

    assert named(desired(twin, PROD)) == {"User edit": ("ana", "bob", "cid")}
    assert "ana in it may have less" in why(twin)


def test_who_is_held_in_a_group_is_named_since_no_token_carries_it_any_more() -> None:
    world = team(facts=sent("dev", held=frozenset({MemberId("cid")})))

    assert named(desired(world, PROD)) == {"Group edit": ("g:dev",), "User edit": ("cid",)}


def test_auto_also_names_who_is_in_too_many_groups_for_a_token() -> None:
    world = team(mode=SubjectMode.AUTO, group_limit=1)
    many = replace(world, groups_of={**world.groups_of, MemberId("ana"): (GroupId("dev"), GroupId("other"))})

    assert named(desired(many, PROD)) == {"Group edit": ("g:dev",), "User edit": ("ana",)}


@pytest.mark.parametrize(
    "text", ["dev", "{group}{group}", "{user}", "system:{group}", "a{b", " {group}", "{external_id}\n"]
)
def test_what_is_no_group_template_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        checked_group_template(text)


def test_in_mode_group_who_is_in_too_many_groups_is_told_of() -> None:
    world = team(group_limit=1)
    many = replace(world, groups_of={**world.groups_of, MemberId("ana"): (GroupId("dev"), GroupId("other"))})

    wanted = desired(many, PROD)

    assert named(wanted) == {"Group edit": ("g:dev",)}
    assert [each.kind for each in wanted.conditions] == ["TokenWithoutGroups"]
    assert "none in a token: ana (1 in all)" in wanted.conditions[0].message


@pytest.mark.parametrize(("template", "kind"), [("g:{group}", "User"), ("{external_id}", "Group")])
def test_cluster_admin_is_given_to_a_group_by_its_id_only(template: str, kind: str) -> None:
    held = [grant(ORGANIZATION, KubernetesRole.CLUSTER_ADMIN, group="dev")]
    made = snapshot([person("ana")], held, {"ana": ("dev",)}, the_tree=tree(allow_cluster_admin=True))
    world = in_mode(made, SubjectMode.GROUP, sent("dev"), group_template=template)

    assert list(named(desired(world, PROD))) == [f"{kind} cluster-admin"]


def test_groups_are_named_by_what_the_provider_calls_them_in_the_case_that_the_cluster_sees() -> None:
    cluster = Cluster(PROD, None, "prod", group_template="oidc:{group}", group_case=CaseRule.LOWER)

    assert render_group(cluster, "Platform Team", "00g1") == "oidc:platform team"
    assert render_group(replace(cluster, group_template="{external_id}"), "x", "00G1") == "00g1"


def let_in(bindings: tuple[Binding, ...], user: str, groups: set[str]) -> dict[str | None, int]:
    """Return how strong a role the API server would give a token in each place."""
    found: dict[str | None, int] = {}
    for each in bindings:
        family = each.key.family
        claims = {user} if family.subject_kind is SubjectKind.USER else groups
        if claims & set(each.subjects):
            found[family.namespace] = max(found.get(family.namespace, 0), family.role.strength)
    return found


def token_of(world: Snapshot, cluster: Cluster, member_id: MemberId) -> set[str]:
    """Return the groups that a member's token carries."""
    groups = world.groups_of.get(member_id, ())
    if len(groups) > cluster.group_limit:
        return set()
    known = [world.groups[each] for each in groups if each in world.groups]
    return {
        f"g:{each.name}"
        for each in known
        if each.directory_id == cluster.group_directory and member_id not in each.held
    }


@st.composite
def worlds(draw: st.DrawFn) -> Snapshot:
    """Draw people of whom some share a name, in groups of two directories, few of them doubted."""
    names = [f"m{index}" for index in range(draw(st.integers(2, 6)))]
    states = st.sampled_from([MemberState.ACTIVE] * 4 + [MemberState.DEACTIVATED])
    called = st.sampled_from(["ann", *[None] * 7])
    members = [person(name, draw(states), draw(called)) for name in names]
    made = [draw(grants()) for _ in range(draw(st.integers(1, 6)))]
    holders = st.sampled_from([*GROUPS, *GROUPS, *GROUPS, *names])
    held = [_given_to(each, draw(holders), number) for number, each in enumerate(made)]
    in_groups = {name: draw(st.lists(st.sampled_from(GROUPS), unique=True, min_size=1).map(tuple)) for name in names}
    nested: dict[str, tuple[str, ...]] = draw(st.sampled_from([{}, {}, {}, {"ga": ("gb",)}]))
    the_tree = tree(allow_cluster_admin=draw(st.booleans()))
    facts = []
    for name in GROUPS:
        # No directory tells its tokens of groups in groups, so those are always doubted.
        doubts = ("nested",) if ("gb" in name and nested) or not draw(st.integers(0, 5)) else ()
        absent = frozenset(map(MemberId, draw(st.sampled_from([[], [], *([name] for name in names)]))))
        owner = DirectoryId(draw(st.sampled_from([OKTA, OKTA, OKTA, "d2"])))
        facts.append(GroupFacts(GroupId(name), name, name, owner, doubts, absent))
    world = snapshot(members, held, in_groups, nested, the_tree)
    return in_mode(world, SubjectMode.USER, *facts, group_limit=draw(st.sampled_from([1, 2, 5])))


def _given_to(made: Grant, holder: str, number: int) -> Grant:
    is_group = holder in GROUPS
    return replace(
        made,
        id=GrantId(f"g{number}"),
        group_id=GroupId(holder) if is_group else None,
        member_id=None if is_group else MemberId(holder),
    )


@given(worlds())
def test_in_every_mode_each_active_member_is_let_in_exactly_where_they_should_be(world: Snapshot) -> None:
    by_user = desired(world, PROD)
    names = {member_id: subject for subject, member_id in by_user.subjects.items()}

    for mode in SubjectMode:
        policy = {"group_limit": 99} if mode is SubjectMode.GROUP else {}
        other = in_mode(world, mode, *world.groups.values(), **policy)
        cluster = other.tree.clusters[PROD]
        wanted = desired(other, PROD)

        assert set(wanted.everybody()) == set(by_user.everybody())
        for member_id, member in world.members.items():
            if member.state is not MemberState.ACTIVE:
                continue
            # Two of one name are one to the API server: of the later one only the groups are looked at.
            own = names.get(member_id) or render_subject(cluster, member)
            called = own if by_user.subjects.get(own, member_id) == member_id else ""
            should = let_in(by_user.bindings, called, set())
            assert let_in(wanted.bindings, called, token_of(other, cluster, member_id)) == should, (mode, member_id)


@given(worlds())
def test_a_leaver_is_out_at_once_in_user_mode_and_by_name_in_every_mode(world: Snapshot) -> None:
    leaver = sorted(world.members)[0]
    left = {**world.members, leaver: replace(world.members[leaver], state=MemberState.DEACTIVATED)}

    for mode in SubjectMode:
        wanted = desired(in_mode(replace(world, members=left), mode, *world.groups.values()), PROD)
        own = render_subject(world.tree.clusters[PROD], world.members[leaver])
        others = {render_subject(world.tree.clusters[PROD], each) for each in left.values() if each.is_active}

        if own not in others:
            assert let_in(wanted.bindings, own, set()) == {}


def plan_between(before: Snapshot, after: Snapshot, until_now: frozenset[str] | None = None) -> Plan:
    """Return the plan of a cluster that is as one world says, and should be as another does."""
    has, wants = desired(before, PROD), desired(after, PROD)
    seen = [There(each) for each in has.bindings]
    stood = {subject: people if until_now is None else until_now for (_, subject), people in has.through.items()}
    return plan_changes(PROD, wants.bindings, seen, GroupSubjects(wants.through, stood))


def test_another_mode_is_written_before_the_old_goes_and_nobody_loses_anything() -> None:
    users, groups = team(mode=SubjectMode.USER), team()

    there, back = plan_between(users, groups), plan_between(groups, users)

    assert [each.action for each in there.changes] == [Action.CREATE, Action.DELETE]
    assert [each.action for each in back.changes] == [Action.CREATE, Action.DELETE]
    assert not there.removals
    assert not back.removals


@pytest.mark.parametrize("there", [True, False])
def test_nobody_goes_before_what_stands_for_them_is_written(there: bool) -> None:
    worlds = (team(mode=SubjectMode.USER), team())
    plan = plan_between(*(worlds if there else reversed(worlds)))

    left = after_failures(plan.of(Action.SHRINK, Action.DELETE), plan.of(Action.CREATE, Action.GROW))

    assert left == ()


def test_a_groups_last_need_takes_from_as_many_people_as_it_stood_for() -> None:
    world = team()
    nothing = replace(world, grants_of_group={})

    plan = plan_between(world, nothing)

    assert people_losing(plan.changes) == {"ana", "bob", "cid"}
    few = Window(at_start=3, most=30, left=9)
    assert brake(plan, [few], BrakeLimits(subjects=2)).changes == ()
    assert brake(plan, [few], BrakeLimits(subjects=3)).held == ()


def test_of_a_group_that_is_expanded_only_who_loses_by_it_counts() -> None:
    plan = plan_between(team(), team(grant(CLUSTER, VIEW, member="bob")))

    assert people_losing(plan.changes) == {"bob"}
    assert [subject for _, subject in plan.removals] == ["g:dev"]


def test_a_group_in_a_project_stands_for_its_members_in_each_namespace() -> None:
    people = [person("ana"), person("bob")]
    made = snapshot(people, [grant(PROJECT, EDIT, group="dev")], {each.id: ("dev",) for each in people})
    world = in_mode(made, SubjectMode.GROUP, sent("dev"))

    found = {each.key.family.namespace: each.subjects for each in desired(world, PROD).bindings}

    assert found == {"shop": ("g:dev",), "shop-web": ("g:dev",)}


def after_each(plan: Plan, before: Desired, failing: set[int]) -> list[list[Binding]]:
    """Return the bindings after each write of a plan, of which some creates and grows fail."""
    has = {each.key: each for each in before.bindings}
    steps = []
    adding = plan.of(Action.CREATE, Action.GROW)
    failed = [each for number, each in enumerate(adding) if number in failing]
    taking = after_failures(plan.of(Action.SHRINK, Action.DELETE), failed)
    for change in [*(each for each in adding if each not in failed), *taking]:
        has[change.binding.key] = change.binding
        if change.action is Action.DELETE:
            del has[change.binding.key]
        steps.append(list(has.values()))
    return steps


@given(worlds(), st.data())
def test_on_the_way_from_any_mode_and_sharding_to_any_other_nobody_is_out_for_a_moment(
    world: Snapshot, data: st.DataObject
) -> None:
    user, auto = SubjectMode.USER, SubjectMode.AUTO
    modes = data.draw(st.sampled_from([(user, auto), (auto, user), (auto, auto)]))
    one, other = (in_mode(world, mode, *world.groups.values(), group_limit=2) for mode in modes)
    before, after = (desired(each, PROD, per_binding=data.draw(st.integers(1, 4))) for each in (one, other))
    stood = {subject: people for (_, subject), people in before.through.items()}
    seen = [There(each) for each in before.bindings]
    plan = plan_changes(PROD, after.bindings, seen, GroupSubjects(after.through, stood))
    failing = data.draw(st.sampled_from([set(), {0}, {1}, set(range(99))]))

    steps = after_each(plan, before, failing)

    cluster = one.tree.clusters[PROD]
    assert not plan.removals
    for subject, member_id in after.subjects.items():
        should = let_in(desired(in_mode(world, SubjectMode.USER), PROD).bindings, subject, set())
        for bindings in steps:
            assert let_in(tuple(bindings), subject, token_of(one, cluster, member_id)) == should
