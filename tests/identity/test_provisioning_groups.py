"""Groups of a directory: names, members as deltas, nested groups, and member ids that name nobody yet."""

import pytest

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.provisioning import MemberChange
from scim_bridge.errors import Invalid, NotFound, NotUnique, PreconditionFailed
from scim_bridge.identity import grants
from scim_bridge.identity.grants import GrantWanted
from scim_bridge.identity.provisioning_groups import GroupChange, change_group, create_group
from scim_bridge.store.database import Database
from tests.identity.provider import Provider, actions, group_record, removals, rows
from tests.identity.rows import count


@pytest.fixture
def okta(database: Database) -> Provider:
    """Connect acme's identity provider."""
    return Provider.connect(database)


def give(provider: Provider, actor: Actor, group: str) -> str:
    """Grant edit in the organization to a group; return the extent that its removals have."""
    grants.add(provider.database, actor, "acme", GrantWanted("organization", group=group, kubernetes_role="edit"))
    return f'[["organization","{provider.caller.organization_id}"]]'


def test_a_group_is_created_with_its_members_in_one_change(okta: Provider) -> None:
    ann, bob = okta.post("ann"), okta.post("bob")
    before = count(okta.database, "change_row")

    group = okta.post_group("Admins", ann.id, bob.id, external_id="g1")

    assert okta.members(group.id) == {ann.id, bob.id}
    assert okta.groups_of(ann.id) == {"Admins"}
    assert count(okta.database, "change_row") == before + 1
    assert rows(okta.database, "provisioning_log", noun="group")[0]["object_id"] == group.id


def test_two_groups_of_a_directory_cannot_have_one_name_in_other_letters(okta: Provider) -> None:
    okta.post_group("Admins")
    other = okta.post_group("Others")

    with pytest.raises(NotUnique, match="ADMINS"):
        okta.post_group("ADMINS")
    with pytest.raises(NotUnique, match="ADMINS"):
        okta.rename_group(other.id, "ADMINS")

    assert count(okta.database, "user_group") == 2


def test_a_deleted_groups_name_is_free_again(okta: Provider) -> None:
    first = okta.post_group("Admins")
    okta.delete_group(first.id)

    second = okta.post_group("Admins")

    assert second.id != first.id


@pytest.mark.parametrize("name", ["", "x" * 1025, "a\x00b"])
def test_a_name_that_no_database_can_hold_is_refused(okta: Provider, name: str) -> None:
    group = okta.post_group("Admins")

    with pytest.raises(Invalid):
        create_group(okta.database, okta.exchange(), group_record(name), {})
    with pytest.raises(Invalid):
        okta.rename_group(group.id, name)


def test_a_rename_keeps_members_and_asks_for_nothing(okta: Provider, actor: Actor) -> None:
    ann = okta.post("ann")
    group = okta.post_group("Admins", ann.id)
    give(okta, actor, "Admins")

    renamed = okta.rename_group(group.id, "Masters")

    assert (renamed.display_name, renamed.version) == ("Masters", group.version + 1)
    assert okta.members(group.id) == {ann.id}
    assert removals(okta.database) == []


# --- deltas


def test_adding_who_is_in_and_removing_who_is_not_changes_nothing(okta: Provider) -> None:
    ann, bob = okta.post("ann"), okta.post("bob")
    group = okta.post_group("Admins", ann.id)
    before = count(okta.database, "change_row")

    okta.add(group.id, ann.id)
    again = okta.remove(group.id, bob.id)

    assert again.version == group.version
    assert count(okta.database, "change_row") == before


def test_a_member_named_for_removal_is_asked_for_where_the_group_gave_something(okta: Provider, actor: Actor) -> None:
    ann, bob = okta.post("ann"), okta.post("bob")
    group = okta.post_group("Admins", ann.id, bob.id)
    extent = give(okta, actor, "Admins")

    okta.remove(group.id, ann.id)

    assert okta.members(group.id) == {bob.id}
    assert removals(okta.database) == [(ann.member_id, "membership", extent)]


def test_a_group_that_gives_nothing_asks_for_nothing(okta: Provider) -> None:
    ann = okta.post("ann")
    group = okta.post_group("Admins", ann.id)

    okta.remove(group.id, ann.id)

    assert removals(okta.database) == []


def test_an_addition_and_a_removal_in_one_request_are_one_change(okta: Provider) -> None:
    ann, bob = okta.post("ann"), okta.post("bob")
    group = okta.post_group("Admins", ann.id)

    changed = okta.change(group.id, MemberChange(add={bob.id: None}, remove={ann.id: None}))

    assert okta.members(group.id) == {bob.id}
    assert changed.version == group.version + 1
    assert actions(okta.database).count("group.changed") == 1


def test_a_member_who_left_and_came_back_has_two_periods(okta: Provider) -> None:
    ann = okta.post("ann")
    group = okta.post_group("Admins", ann.id)

    okta.remove(group.id, ann.id)
    okta.add(group.id, ann.id)

    found = rows(okta.database, "membership", group_id=group.id)
    assert [row["valid_to"] is None for row in found] == [False, True]


def test_whom_a_new_list_leaves_out_is_not_asked_for(okta: Provider, actor: Actor) -> None:
    ann, bob, cid = okta.post("ann"), okta.post("bob"), okta.post("cid")
    group = okta.post_group("Admins", ann.id, bob.id)
    give(okta, actor, "Admins")

    okta.replace(group.id, [bob.id, cid.id])

    assert okta.members(group.id) == {bob.id, cid.id}
    assert removals(okta.database) == []
    left = rows(okta.database, "membership", member_id=ann.member_id)
    assert [(row["inferred"], row["valid_to"] is None) for row in left] == [(True, False)]


def test_the_same_list_again_changes_nothing(okta: Provider) -> None:
    ann = okta.post("ann")
    group = okta.post_group("Admins", ann.id)

    assert okta.replace(group.id, [ann.id]).version == group.version


def test_a_version_that_is_not_the_stored_one_is_refused(okta: Provider) -> None:
    group = okta.post_group("Admins")
    stale = frozenset({group.version + 1})
    wanted = GroupChange(naming=lambda _: group_record("Other"))

    with pytest.raises(PreconditionFailed):
        change_group(okta.database, okta.exchange(), group.id, wanted, stale)


def test_a_change_that_fails_half_way_leaves_nothing(okta: Provider) -> None:
    ann = okta.post("ann")
    okta.post_group("Taken")
    group = okta.post_group("Admins")
    wanted = GroupChange(MemberChange(add={ann.id: None}), lambda _: group_record("taken"))

    with pytest.raises(NotUnique):
        change_group(okta.database, okta.exchange(), group.id, wanted)

    assert okta.members(group.id) == set()


# --- groups in groups


def test_a_group_may_be_in_a_group_and_both_kinds_are_shown(okta: Provider) -> None:
    ann = okta.post("ann")
    inner = okta.post_group("Inner", ann.id)

    outer = okta.post_group("Outer", inner.id, ann.id)

    assert okta.members(outer.id) == {inner.id, ann.id}
    assert okta.groups_of(ann.id) == {"Inner", "Outer"}


def test_taking_a_group_out_of_a_group_is_asked_for_for_all_below_it(okta: Provider, actor: Actor) -> None:
    ann = okta.post("ann")
    inner = okta.post_group("Inner", ann.id)
    outer = okta.post_group("Outer", inner.id)
    extent = give(okta, actor, "Outer")

    okta.remove(outer.id, inner.id)

    assert okta.members(outer.id) == set()
    assert removals(okta.database) == [(ann.member_id, "membership", extent)]


def test_groups_that_contain_one_another_hang_nothing(okta: Provider, actor: Actor) -> None:
    ann = okta.post("ann")
    first = okta.post_group("First", ann.id)
    second = okta.post_group("Second", first.id)
    okta.add(first.id, second.id)
    extent = give(okta, actor, "First")

    okta.remove(first.id, second.id)

    assert removals(okta.database) == [(ann.member_id, "membership", extent)]
    okta.delete_group(second.id)
    assert okta.members(first.id) == {ann.id}


def test_a_deleted_group_takes_from_everybody_below_it_what_it_gave(okta: Provider, actor: Actor) -> None:
    ann, bob = okta.post("ann"), okta.post("bob")
    inner = okta.post_group("Inner", bob.id)
    outer = okta.post_group("Outer", inner.id, ann.id)
    above = okta.post_group("Above", outer.id)
    extent = give(okta, actor, "Outer")

    okta.delete_group(outer.id)

    assert sorted(removals(okta.database)) == sorted(
        [(each.member_id, "membership", extent) for each in (ann, bob)],
    )
    assert okta.members(above.id) == set()
    assert okta.members(inner.id) == {bob.id}
    assert rows(okta.database, "user_group", id=above.id)[0]["version"] == above.version + 1
    with pytest.raises(NotFound):
        okta.add(outer.id, ann.id)
    assert grants.list_all(okta.database, "acme") == []


# --- ids that name nobody yet


def test_an_unknown_member_does_not_lose_the_push_and_is_kept(okta: Provider) -> None:
    ann = okta.post("ann")

    group = okta.post_group("Admins", "stale-id", ann.id)

    assert okta.members(group.id) == {ann.id}
    assert [row["value"] for row in rows(okta.database, "parked_member")] == ["stale-id"]


def test_an_unknown_member_is_kept_once_and_goes_when_named_or_left_out(okta: Provider) -> None:
    group = okta.post_group("Admins", "one", "two")

    okta.add(group.id, "one")
    okta.remove(group.id, "one")
    okta.replace(group.id, [])

    found = rows(okta.database, "parked_member")
    assert sorted(row["value"] for row in found) == ["one", "two"]
    assert all(row["valid_to"] is not None for row in found)


def test_an_id_that_cannot_be_anybodys_is_not_kept(okta: Provider) -> None:
    group = okta.post_group("Admins", "x" * 256)

    assert count(okta.database, "parked_member") == 0
    with pytest.raises(Invalid, match="NUL"):
        okta.add(group.id, "a\x00b")


def test_a_person_who_comes_back_joins_the_groups_that_still_name_the_old_id(okta: Provider) -> None:
    ann = okta.post("ann")
    okta.delete(ann.id)
    group = okta.post_group("Admins", ann.id)

    again = okta.post("ann")

    assert okta.members(group.id) == {again.id}
    assert all(row["valid_to"] is not None for row in rows(okta.database, "parked_member"))
    assert rows(okta.database, "user_group", id=group.id)[0]["version"] == group.version + 1


def test_an_old_id_names_the_person_who_is_back_for_good_and_for_bad(okta: Provider) -> None:
    ann = okta.post("ann")
    okta.delete(ann.id)
    again = okta.post("ann")
    group = okta.post_group("Admins", ann.id)

    assert okta.members(group.id) == {again.id}
    assert count(okta.database, "parked_member") == 0

    okta.remove(group.id, ann.id)

    assert okta.members(group.id) == set()


def test_old_and_new_id_in_one_list_are_one_person(okta: Provider) -> None:
    ann = okta.post("ann")
    okta.delete(ann.id)
    again = okta.post("ann")

    group = okta.post_group("Admins", ann.id, again.id)

    assert len(rows(okta.database, "membership", group_id=group.id)) == 1


def test_a_name_or_an_external_id_is_not_taken_for_a_member_id(okta: Provider) -> None:
    okta.post("ann", externalId="e1")

    group = okta.post_group("Admins", "ann", "e1")

    assert okta.members(group.id) == set()


def test_a_parked_id_waits_in_vain_in_a_group_that_is_gone(okta: Provider) -> None:
    ann = okta.post("ann")
    okta.delete(ann.id)
    group = okta.post_group("Admins", ann.id)
    okta.delete_group(group.id)

    okta.post("ann")

    assert rows(okta.database, "membership") == []


# --- tenants


def test_members_of_another_directory_or_organization_never_resolve(okta: Provider) -> None:
    entra, globex = Provider.connect(okta.database, "entra"), Provider.connect(okta.database, "okta", "globex")
    ann, inner = okta.post("ann"), okta.post_group("Inner")

    for stranger in (entra, globex):
        group = stranger.post_group("Admins", ann.id, inner.id)
        stranger.replace(group.id, [ann.id, inner.id])
        assert stranger.members(group.id) == set()

    okta.delete(ann.id)
    again = okta.post("ann")
    assert [row["group_id"] for row in rows(okta.database, "membership", member_id=again.member_id)] == []


def test_a_group_of_another_directory_or_organization_is_not_found(okta: Provider) -> None:
    entra, globex = Provider.connect(okta.database, "entra"), Provider.connect(okta.database, "okta", "globex")
    ann = okta.post("ann")
    group = okta.post_group("Admins", ann.id)

    for stranger in (entra, globex):
        with pytest.raises(NotFound):
            stranger.replace(group.id, [])
        with pytest.raises(NotFound):
            stranger.delete_group(group.id)
        assert stranger.members(group.id) == set()
        assert stranger.groups_of(ann.id) == set()
        stranger.post_group("Admins")
    assert okta.members(group.id) == {ann.id}
