"""An identity provider that lost its assignments sends short lists: what it implies waits for a person."""

from collections.abc import Callable

import pytest

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.brakes import BrakeLimits
from scim_bridge.domain.people import GroupId, MemberId
from scim_bridge.domain.provisioning import MemberChange
from scim_bridge.errors import NotFound
from scim_bridge.identity import grants, holds
from scim_bridge.identity.grants import GrantWanted
from scim_bridge.identity.holds import HoldsApproved, HoldsRejected
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from scim_bridge.store.groups import StoredGroup
from scim_bridge.store.schema import membership
from scim_bridge.store.snapshot import read_organization
from scim_bridge.store.users import StoredUser
from tests.identity.provider import Provider, actions, removals, rows, state_of
from tests.identity.rows import count


@pytest.fixture
def okta(database: Database) -> Provider:
    """Connect acme's identity provider."""
    return Provider.connect(database)


def people(provider: Provider, number: int, prefix: str = "user") -> list[StoredUser]:
    return [provider.post(f"{prefix}{index:02}") for index in range(number)]


def a_group(provider: Provider, actor: Actor, users: list[StoredUser], name: str = "Admins") -> StoredGroup:
    """Make a group that gives edit."""
    group = provider.post_group(name, *(user.id for user in users))
    grants.add(provider.database, actor, "acme", GrantWanted("organization", group=name, kubernetes_role="edit"))
    return group


def in_force(provider: Provider, group: StoredGroup) -> set[MemberId]:
    """Return who has what the group gives."""
    with provider.database.read() as connection:
        read = read_organization(connection, provider.caller.organization_id, now())
    return {member_id for member_id, groups in read.groups_of.items() if GroupId(group.id) in groups}


def ids(users: list[StoredUser]) -> list[str]:
    return [user.id for user in users]


def member_ids(users: list[StoredUser]) -> set[MemberId]:
    return {user.member_id for user in users}


def test_an_emptied_group_of_ten_is_empty_for_its_directory_and_in_force_for_access(
    okta: Provider, actor: Actor
) -> None:
    users = people(okta, 10)
    group = a_group(okta, actor, users)

    changed = okta.replace(group.id, [])

    assert okta.members(group.id) == set()
    assert okta.groups_of(users[0].id) == set()
    assert in_force(okta, group) == member_ids(users)
    assert changed.version == group.version + 1
    assert removals(okta.database) == []


def test_what_is_held_is_written_down_and_can_be_seen(okta: Provider, actor: Actor) -> None:
    users = people(okta, 10)
    group = a_group(okta, actor, users)

    okta.replace(group.id, [])

    assert "group.held" in actions(okta.database)
    assert rows(okta.database, "change_row")[-1]["about"] == "group Admins, 10 members held"
    found = holds.list_held(okta.database, "acme")
    assert [(each.group, each.directory, each.kind, each.name) for each in found] == [
        ("Admins", "okta", "person", user.user_name) for user in users
    ]


def test_the_surplus_of_a_short_list_is_held_and_the_rest_goes(okta: Provider, actor: Actor) -> None:
    users = people(okta, 14)
    group = a_group(okta, actor, users)

    okta.replace(group.id, ids(users[:2]))

    assert okta.members(group.id) == set(ids(users[:2]))
    assert in_force(okta, group) == member_ids(users[:2]) | member_ids(users[12:])


def test_small_lists_in_a_row_are_counted_together(okta: Provider, actor: Actor) -> None:
    users = people(okta, 16)
    first, second = a_group(okta, actor, users[:8]), a_group(okta, actor, users[8:], "Second")
    okta.replace(first.id, ids(users[:1]))

    okta.replace(second.id, ids(users[8:9]))

    assert in_force(okta, first) == member_ids(users[:1])
    assert len(in_force(okta, second)) == 1 + 4


def test_after_an_hour_the_count_begins_anew(okta: Provider, actor: Actor) -> None:
    users = people(okta, 20)
    group = a_group(okta, actor, users)
    okta.replace(group.id, ids(users[10:]))
    long_ago = now().replace(year=2000)
    with okta.database.write() as connection:
        connection.execute(membership.update().where(membership.c.inferred).values(valid_to=long_ago))

    okta.replace(group.id, ids(users[19:]))

    assert in_force(okta, group) == member_ids(users[19:])


def test_a_tenth_of_a_large_organization_may_go(okta: Provider, actor: Actor) -> None:
    users = people(okta, 30)
    group = a_group(okta, actor, users)
    with okta.database.write() as connection:
        connection.execute(membership.update().values(valid_from=now().replace(year=2000)))
    limits = BrakeLimits(subjects=1, percent=20)

    okta.change(group.id, MemberChange(dict.fromkeys(ids(users[:20])), replace=True), limits=limits)

    assert len(in_force(okta, group)) == 20 + 4


def test_the_last_three_of_an_organization_are_held(okta: Provider, actor: Actor) -> None:
    users = people(okta, 3)
    group = a_group(okta, actor, users)

    okta.replace(group.id, [])

    assert in_force(okta, group) == member_ids(users)


def test_a_small_group_may_be_emptied_while_others_are_somewhere(okta: Provider, actor: Actor) -> None:
    users = people(okta, 4)
    group = a_group(okta, actor, users[:3])
    okta.post_group("Others", users[3].id)

    okta.replace(group.id, [])

    assert in_force(okta, group) == set()


def test_a_list_that_swaps_everybody_does_not_empty_the_group(okta: Provider, actor: Actor) -> None:
    users = people(okta, 20)
    group = a_group(okta, actor, users[:10])

    okta.replace(group.id, ids(users[10:]))

    assert in_force(okta, group) == member_ids(users[10:])


def test_people_without_access_do_not_fill_the_allowance_and_are_not_held(okta: Provider, actor: Actor) -> None:
    users = people(okta, 12)
    group = a_group(okta, actor, users)
    for user in users[1:]:
        okta.patch(user.id, active=False)

    okta.replace(group.id, ids(users[:1]))

    assert count(okta.database, "membership") == 12
    assert rows(okta.database, "membership", held=True) == []


def test_members_named_for_removal_are_never_held_whatever_their_number(okta: Provider, actor: Actor) -> None:
    users = people(okta, 12)
    group = a_group(okta, actor, users)

    okta.remove(group.id, *ids(users))

    assert in_force(okta, group) == set()
    assert len(removals(okta.database)) == 12


def test_the_same_short_list_again_changes_nothing(okta: Provider, actor: Actor) -> None:
    group = a_group(okta, actor, people(okta, 10))
    emptied = okta.replace(group.id, [])

    assert okta.replace(group.id, []).version == emptied.version


def test_a_nested_group_is_held_with_all_who_are_in_it(okta: Provider, actor: Actor) -> None:
    users = people(okta, 10)
    inner = okta.post_group("Inner", *ids(users))
    outer = a_group(okta, actor, [], "Outer")
    okta.add(outer.id, inner.id)

    okta.replace(outer.id, [])

    assert okta.members(outer.id) == set()
    assert [(each.kind, each.name) for each in holds.list_held(okta.database, "acme")] == [("group", "Inner")]
    done = holds.approve(okta.database, actor, "acme", "Outer")
    assert (done.people, done.nested_groups) == (0, 1)
    assert {member for member, _, _ in removals(okta.database)} == member_ids(users)


# --- how a hold ends


def test_naming_a_held_member_for_removal_ends_it_as_asked_for(okta: Provider, actor: Actor) -> None:
    users = people(okta, 10)
    group = a_group(okta, actor, users)
    okta.replace(group.id, [])

    okta.remove(group.id, users[0].id)

    assert in_force(okta, group) == member_ids(users[1:])
    assert [member for member, _, _ in removals(okta.database)] == [users[0].member_id]


def test_a_held_member_that_is_put_back_is_simply_in_again(okta: Provider, actor: Actor) -> None:
    users = people(okta, 10)
    group = a_group(okta, actor, users)
    okta.replace(group.id, [])

    okta.add(group.id, users[0].id)

    assert okta.members(group.id) == {users[0].id}
    assert len(rows(okta.database, "membership", member_id=users[0].member_id)) == 1
    assert len(holds.list_held(okta.database, "acme")) == 9


def test_a_leavers_hold_does_not_come_back_with_them(okta: Provider, actor: Actor) -> None:
    users = people(okta, 10)
    group = a_group(okta, actor, users)
    okta.replace(group.id, [])

    okta.patch(users[0].id, active=False)
    okta.patch(users[0].id, active=True)

    assert in_force(okta, group) == member_ids(users[1:])


def test_a_deleted_user_is_held_nowhere(okta: Provider, actor: Actor) -> None:
    users = people(okta, 10)
    group = a_group(okta, actor, users)
    okta.replace(group.id, [])

    okta.delete(users[0].id)

    assert in_force(okta, group) == member_ids(users[1:])
    assert state_of(okta.database, users[0].member_id).value == "deactivated"


def test_an_approval_ends_the_holds_of_a_group_as_asked_for(okta: Provider, actor: Actor) -> None:
    users = people(okta, 20)
    group, other = a_group(okta, actor, users[:10]), a_group(okta, actor, users[10:], "Other")
    okta.replace(group.id, [])
    okta.replace(other.id, [])

    done = holds.approve(okta.database, actor, "acme", "Admins")

    assert done == HoldsApproved(("Admins",), people=10)
    assert (in_force(okta, group), in_force(okta, other)) == (set(), member_ids(users[10:]))
    extent = f'[["organization","{okta.caller.organization_id}"]]'
    assert set(removals(okta.database)) == {(each.member_id, "membership", extent) for each in users[:10]}
    assert "group.hold_approved" in actions(okta.database)
    assert rows(okta.database, "change_row")[-1]["kind"] == "holds.approved"


def test_everything_is_approved_at_once_and_a_second_time_there_is_nothing(okta: Provider, actor: Actor) -> None:
    users = people(okta, 20)
    for name, part in (("Admins", users[:10]), ("Other", users[10:])):
        okta.replace(a_group(okta, actor, part, name).id, [])

    first, second = (holds.approve(okta.database, actor, "acme") for _ in range(2))

    assert (first.groups, first.people) == (("Admins", "Other"), 20)
    assert second == HoldsApproved()
    assert holds.list_held(okta.database, "acme") == []


def test_another_organization_sees_and_approves_none_of_it(okta: Provider, actor: Actor) -> None:
    users = people(okta, 10)
    group = a_group(okta, actor, users)
    Provider.connect(okta.database, "okta", "globex")
    okta.replace(group.id, [])

    assert holds.list_held(okta.database, "globex") == []
    assert holds.approve(okta.database, actor, "globex") == HoldsApproved()
    with pytest.raises(NotFound):
        holds.approve(okta.database, actor, "globex", group.id)
    assert in_force(okta, group) == member_ids(users)


def test_each_hold_says_since_when_and_by_which_request(okta: Provider, actor: Actor) -> None:
    users = people(okta, 10)
    group = a_group(okta, actor, users)

    okta.replace(group.id, [])

    found = holds.list_held(okta.database, "acme")
    entry = rows(okta.database, "audit_entry", action="group.held")[0]
    assert {(each.since, each.request_id) for each in found} == {(entry["at"], entry["request_id"])}
    assert found[0].why == (
        "a new member list of okta left it out together with 9 others: more than an hour may take away unnamed"
    )


def test_some_are_let_go_and_the_others_stay_held(okta: Provider, actor: Actor) -> None:
    users = people(okta, 10)
    group = a_group(okta, actor, users)
    okta.replace(group.id, [])

    done = holds.approve(okta.database, actor, "acme", "Admins", who=["USER00", users[1].member_id])

    assert done == HoldsApproved(("Admins",), 2, 0)
    assert in_force(okta, group) == member_ids(users[2:])
    assert {member_id for member_id, _, _ in removals(okta.database)} == member_ids(users[:2])
    assert len(holds.list_held(okta.database, "acme")) == 8


def test_who_is_kept_is_in_the_group_again_for_the_directory_too(okta: Provider, actor: Actor) -> None:
    users = people(okta, 10)
    group = a_group(okta, actor, users)
    emptied = okta.replace(group.id, [])

    done = holds.reject(okta.database, actor, "acme", "Admins", who=["user03"])

    assert done == HoldsRejected(("Admins",), 1, 0)
    assert okta.members(group.id) == {users[3].id}
    assert in_force(okta, group) == member_ids(users)
    assert rows(okta.database, "user_group", id=group.id)[0]["version"] == emptied.version + 1
    assert actions(okta.database)[-1] == "group.hold_rejected"


def test_the_next_list_decides_anew_about_who_was_kept(okta: Provider, actor: Actor) -> None:
    users = people(okta, 10)
    group = a_group(okta, actor, users)
    okta.replace(group.id, [])
    holds.reject(okta.database, actor, "acme", "Admins")

    okta.replace(group.id, ids(users[:5]))

    assert in_force(okta, group) == member_ids(users[:5])
    assert holds.list_held(okta.database, "acme") == []


def test_a_nested_group_is_kept_or_let_go_like_a_person(okta: Provider, actor: Actor) -> None:
    users = people(okta, 10)
    inner = okta.post_group("Inner", *ids(users))
    group = a_group(okta, actor, [])
    okta.add(group.id, inner.id)
    okta.replace(group.id, [])

    kept = holds.reject(okta.database, actor, "acme", who=["inner"])
    okta.replace(group.id, [])
    gone = holds.approve(okta.database, actor, "acme", who=["Inner"])

    assert (kept.nested_groups, gone.nested_groups) == (1, 1)
    assert {member_id for member_id, _, _ in removals(okta.database)} == member_ids(users)


@pytest.mark.parametrize("decide", [holds.approve, holds.reject])
def test_somebody_who_is_not_held_is_not_found_and_nothing_is_decided(
    okta: Provider, actor: Actor, decide: Callable[..., object]
) -> None:
    users = people(okta, 10)
    group = a_group(okta, actor, users)
    okta.replace(group.id, [])

    with pytest.raises(NotFound, match="'nobody'"):
        decide(okta.database, actor, "acme", "Admins", who=["user00", "nobody"])

    assert len(holds.list_held(okta.database, "acme")) == 10
