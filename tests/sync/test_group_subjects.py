"""Clusters on which groups stand for people: written, switched, counted, and what is told of who leaves."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from scim_bridge.domain.approvals import change_message, plan_document
from scim_bridge.domain.bindings import SubjectKind
from scim_bridge.domain.people import MemberId
from scim_bridge.errors import ClusterDenied
from scim_bridge.store.explain import groups_holding
from scim_bridge.store.proofs import proofs_of_member
from scim_bridge.store.removals import request_removals
from scim_bridge.store.revocations import requests_of_member
from scim_bridge.store.schema import cluster, member, membership, parked_member, scim_user
from scim_bridge.sync.inspecting import try_subject
from scim_bridge.sync.proving import prove_removals
from tests.sync.test_proving import place, remove
from tests.sync.test_strangers import workshop
from tests.sync.worlds import World


def set_mode(world: World, mode: str = "group", **policy: object) -> None:
    with world.database.write() as connection:
        values = {"subject_mode": mode, "group_template": "oidc:{group}"} | policy
        connection.execute(sa.update(cluster).where(cluster.c.id == world.cluster_id).values(values))
        world.change(connection)


def directory_team(world: World, count: int, role: str = "edit", name: str = "dev") -> tuple[str, list[str]]:
    """Make a group that a directory owns, with a role everywhere, whose people the directory brought."""
    owner = world.add_directory("active")
    group = world.add_group(name, owner)
    people = [world.add_member(f"{name}-{number:02}") for number in range(count)]
    for number, each in enumerate(people):
        brought = world.insert(
            scim_user,
            directory_id=owner,
            member_id=each,
            user_name=f"{name}-{number:02}",
            user_name_key=f"{name}-{number:02}",
            active=True,
            document="{}",
            version=1,
            created_at=world.at,
            updated_at=world.at,
        )
        world.join(group, each, scim_user_id=brought)
    world.give(role, group=group)
    set_mode(world, group_directory=owner)
    return group, people


def bound(world: World) -> dict[str, set[str]]:
    """Return whom the cluster's bindings name, by the kind of subject."""
    found: dict[str, set[str]] = {}
    for each in world.cluster.list_bindings():
        found.setdefault(each.binding.key.family.subject_kind.value, set()).update(each.binding.subjects)
    return found


def told(world: World) -> str:
    return "; ".join(each.message for each in world.plan().conditions if each.kind == "GroupExpanded")


def test_one_subject_stands_for_a_group_and_the_pass_after_it_has_nothing_to_do(world: World) -> None:
    directory_team(world, 3)

    first, second = world.reconcile(), world.reconcile()

    assert bound(world) == {"Group": {"oidc:dev"}}
    assert (first.result.created, second.plan.is_empty) == (1, True)


@pytest.mark.parametrize(
    ("table", "values", "reason"),
    [
        (membership, {"expires_at": "later"}, "for a time only"),
        (membership, {"origin": "login"}, "by signing in"),
        (member, {"state": "deactivated"}, "can still sign in"),
        (parked_member, None, "whom it has not brought here"),
    ],
)
def test_who_could_come_in_by_a_token_alone_makes_the_group_stand_for_nobody(
    world: World, table: sa.Table, values: dict[str, object] | None, reason: str
) -> None:
    group, people = directory_team(world, 3)
    if values is None:
        world.insert(parked_member, group_id=group, value="elsewhere", valid_from=world.at)
    else:
        given = {key: world.at + timedelta(days=1) if value == "later" else value for key, value in values.items()}
        which = table.c.id == people[0] if table is member else table.c.member_id == people[0]
        with world.database.write() as connection:
            connection.execute(sa.update(table).where(which).values(given))

    world.reconcile()

    assert "Group" not in bound(world)
    assert reason in told(world)


def test_who_is_held_in_a_group_is_named_beside_it(world: World) -> None:
    group, people = directory_team(world, 3)
    with world.database.write() as connection:
        held = sa.update(membership).where(membership.c.group_id == group, membership.c.member_id == people[0])
        connection.execute(held.values(held=True))

    world.reconcile()

    assert bound(world) == {"Group": {"oidc:dev"}, "User": {"dev-00"}}


def test_another_mode_takes_nothing_from_anybody_and_no_brake_holds_it(world: World) -> None:
    directory_team(world, 30)
    set_mode(world, "user")
    world.reconcile()
    set_mode(world, "group")

    there = world.reconcile()
    by_group = bound(world)
    set_mode(world, "user")
    back = world.reconcile()

    assert by_group == {"Group": {"oidc:dev"}}
    assert bound(world)["User"] == {f"dev-{number:02}" for number in range(30)}
    assert "Group" not in bound(world)
    assert [each.result.subjects_removed for each in (there, back)] == [0, 0]
    assert not there.plan.held
    assert not back.plan.held


@pytest.mark.parametrize(("before", "after"), [("user", "group"), ("group", "user")])
def test_nothing_old_goes_while_what_is_to_come_instead_cannot_be_written(
    world: World, before: str, after: str
) -> None:
    directory_team(world, 3)
    set_mode(world, before)
    world.reconcile()
    had = bound(world)
    set_mode(world, after)
    world.cluster.break_create = ClusterDenied("no")

    world.reconcile()

    assert bound(world) == had


def test_a_group_that_loses_its_role_counts_as_all_for_whom_it_stood(world: World) -> None:
    directory_team(world, 12)
    world.reconcile()
    with world.database.write() as connection:
        connection.execute(sa.text("UPDATE access_grant SET valid_to = :at"), {"at": world.at.isoformat()})
        world.change(connection)

    done = world.reconcile()

    assert bound(world) == {"Group": {"oidc:dev"}}
    assert done.result.held == 12
    assert "RemovalsHeld" in world.conditions()


def test_a_group_that_a_provider_deleted_goes_at_once_since_everybody_in_it_was_named(world: World) -> None:
    group, people = directory_team(world, 12)
    world.reconcile()
    world.at += timedelta(seconds=1)
    world.leave(group, *people)
    with world.database.write() as connection:
        connection.execute(sa.text("UPDATE access_grant SET valid_to = :at"), {"at": world.at.isoformat()})
        request_removals(connection, world.change(connection), map(MemberId, people), "membership")

    done = world.reconcile()

    assert bound(world) == {}
    assert (done.result.held, done.result.inferred_removed) == (0, 0)


def test_a_leaver_whom_a_group_let_in_is_told_until_token_expiry_and_asked_about_without_it(world: World) -> None:
    _, people = directory_team(world, 3)
    world.reconcile()
    with world.database.write() as connection:
        connection.execute(sa.update(scim_user).where(scim_user.c.member_id == people[0]).values(active=False))
    world.deactivate(people[0])

    remove(world)
    world.reconcile()
    prove_removals(world.database, world.cluster, place(world), lambda: world.at, lambda: True)

    with world.database.read() as connection:
        part = requests_of_member(connection, MemberId(people[0]))[0].parts[0]
        proof = proofs_of_member(connection, MemberId(people[0]))[0]
    assert (part.state, part.lingers) == ("done", ("oidc:dev",))
    assert part.lingers_until is not None
    assert part.lingers_until - world.at <= timedelta(minutes=60)
    assert bound(world) == {"Group": {"oidc:dev"}}
    assert {question.user for question in world.cluster.questions} == {"dev-00"}
    assert {question.groups for question in world.cluster.questions} == {("system:authenticated",)}
    assert proof.verdict.value == "gone"


def test_who_leaves_one_group_and_keeps_the_role_by_another_loses_nothing(world: World) -> None:
    group, people = directory_team(world, 2)
    other = world.add_group("others")
    world.join(other, people[0])
    world.give("edit", group=other)
    world.reconcile()
    world.at += timedelta(seconds=1)
    world.leave(group, people[0])
    with world.database.write() as connection:
        request_removals(connection, world.change(connection), [MemberId(people[0])], "membership")

    remove(world)
    world.reconcile()

    with world.database.read() as connection:
        found = requests_of_member(connection, MemberId(people[0]))[0]
    assert [(each.state, each.lingers) for each in found.parts] == [("void", ())]
    assert bound(world) == {"Group": {"oidc:dev"}, "User": {"dev-00"}}


def test_a_plan_says_how_many_are_only_named_otherwise_and_explaining_says_by_which_group(world: World) -> None:
    _, people = directory_team(world, 3)
    set_mode(world, "user")
    world.reconcile()
    set_mode(world, "group")

    document = plan_document(world.plan().settled.plan)
    world.reconcile()

    with world.database.read() as connection:
        (held,) = groups_holding(connection, MemberId(people[0]))
    assert document["moving"] == 3
    assert [each["subjects"] for each in document["gains"]] == [["oidc:dev"]]
    assert document["loses"] == []
    assert change_message(document).splitlines()[-1] == "+ group oidc:dev: edit in the whole cluster"
    assert held.subject == "oidc:dev"


def test_a_person_can_be_tried_with_the_groups_that_their_token_carries(world: World) -> None:
    directory_team(world, 2)
    world.reconcile()

    tried = try_subject(workshop(world), "acme", "prod", "dev-00")
    other = try_subject(workshop(world), "acme", "prod", "dev-00", group_template="{group}")

    assert (tried.subject, tried.groups, tried.through) == ("dev-00", ("oidc:dev",), ("oidc:dev",))
    assert other.groups == ("dev",)
    assert world.cluster.questions[-1].groups == ("dev", "system:authenticated")


def test_a_group_that_is_called_as_a_person_is_is_not_taken_for_them(world: World) -> None:
    _, people = directory_team(world, 2, name="dev")
    set_mode(world, group_template="{group}")
    namesake = world.add_member("dev")
    world.give("view", member_id=namesake)
    world.reconcile()
    world.deactivate(namesake)

    remove(world)
    world.reconcile()

    kinds = {each.binding.key.family.subject_kind for each in world.cluster.list_bindings()}
    assert bound(world) == {"Group": {"dev"}}
    assert kinds == {SubjectKind.GROUP}
    assert len(people) == 2
