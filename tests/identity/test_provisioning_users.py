"""What becomes of people when a directory creates, changes, deactivates and deletes its users."""

from typing import Any

import pytest

from scim_bridge.domain.access import Snapshot
from scim_bridge.domain.actors import Actor
from scim_bridge.domain.people import DirectoryState, MemberId, MemberState
from scim_bridge.errors import Invalid, NotFound, NotUnique, PreconditionFailed
from scim_bridge.identity import grants, organizations
from scim_bridge.identity.grants import GrantWanted
from scim_bridge.identity.provisioning_users import change_user, delete_user
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from scim_bridge.store.schema import directory, scim_user
from scim_bridge.store.snapshot import read_organization
from tests.identity.provider import Provider, actions, removals, rows, state_of, user_record
from tests.identity.rows import count


@pytest.fixture
def okta(database: Database) -> Provider:
    """Connect acme's identity provider."""
    return Provider.connect(database)


def snapshot(provider: Provider) -> Snapshot:
    with provider.database.read() as connection:
        return read_organization(connection, provider.caller.organization_id, now())


def group_roles(provider: Provider, member_id: str) -> int:
    """Return how many grants a person has, their own and those of groups."""
    return len(snapshot(provider).grants_for(MemberId(member_id)))


def grant_to_group(provider: Provider, actor: Actor, name: str) -> None:
    wanted = GrantWanted("organization", group=name, kubernetes_role="edit")
    grants.add(provider.database, actor, "acme", wanted)


# --- create


def test_a_posted_user_is_an_active_member_and_the_change_is_written_with_it(okta: Provider) -> None:
    ann = okta.post("ann@acme.example", externalId="e1", emails=[{"value": "ann@acme.example"}])

    (member,) = rows(okta.database, "member", id=ann.member_id)
    assert (member["state"], member["source"], member["directory_id"]) == ("active", "scim", okta.caller.directory_id)
    assert (member["user_name"], member["email"], member["external_id"]) == (
        "ann@acme.example",
        "ann@acme.example",
        "e1",
    )
    (change,) = rows(okta.database, "change_row", kind="user.created")
    (entry,) = rows(okta.database, "provisioning_log")
    assert (entry["change_id"], entry["object_id"], entry["status"]) == (change["id"], ann.id, 201)
    assert actions(okta.database)[-1] == "user.created"


def test_a_user_created_inactive_is_a_member_without_access(okta: Provider) -> None:
    ann = okta.post("ann", active=False)

    assert state_of(okta.database, ann.member_id) is MemberState.DEACTIVATED


def test_a_second_user_of_that_name_in_other_letters_is_refused_and_leaves_nothing(okta: Provider) -> None:
    okta.post("Ann@Acme.example")
    before = [count(okta.database, table) for table in ("member", "scim_user", "change_row", "provisioning_log")]

    with pytest.raises(NotUnique, match=r"Ann@Acme\.example"):
        okta.post("ANN@acme.EXAMPLE")

    after = [count(okta.database, table) for table in ("member", "scim_user", "change_row", "provisioning_log")]
    assert after == before


@pytest.mark.parametrize("active", [True, False])
def test_a_post_of_an_active_user_is_refused_whatever_it_says_of_active(okta: Provider, active: bool) -> None:
    okta.post("ann")

    with pytest.raises(NotUnique):
        okta.post("ann", active=active)


def test_two_people_may_share_an_external_id_and_an_address(okta: Provider) -> None:
    shared: dict[str, Any] = {"externalId": "same", "emails": [{"value": "team@acme.example"}]}

    first, second = okta.post("ann", **shared), okta.post("bob", **shared)

    assert first.member_id != second.member_id


@pytest.mark.parametrize(
    "attributes",
    [
        {"displayName": "a\x00b"},
        {"name": {"givenName": "\x00"}},
        {"emails": [{"value": "a\x00@x"}]},
        {"externalId": "x" * 1025},
        {"emails": [{"value": "é" * 600}]},
    ],
)
def test_what_no_database_can_hold_is_one_sentence_and_not_an_error_of_ours(
    okta: Provider, attributes: dict[str, Any]
) -> None:
    with pytest.raises(Invalid):
        okta.post("ann", **attributes)

    assert count(okta.database, "scim_user") == 0


def test_the_longest_names_that_are_allowed_fit_into_the_indexes(okta: Provider) -> None:
    # As little alike as can be: an index entry is compressed.
    name = "".join(chr(0x4E00 + (number * 7919) % 20000) for number in range(341))

    ann = okta.post(name, externalId=name[::-1], emails=[{"value": name[1:]}])

    assert okta.user(ann.id).user_name == name


# --- revive


def test_a_post_that_names_an_inactive_user_revives_it_with_all_it_had(okta: Provider, actor: Actor) -> None:
    ann = okta.post("ann")
    group = okta.post_group("admins", ann.id)
    grant_to_group(okta, actor, "admins")
    okta.patch(ann.id, active=False)

    again = okta.post("ANN", externalId="new")

    assert (again.id, again.member_id, again.active, again.external_id) == (ann.id, ann.member_id, True, "new")
    assert okta.members(group.id) == {ann.id}
    assert group_roles(okta, ann.member_id) == 1


def test_a_post_of_an_inactive_user_that_says_inactive_itself_updates_it(okta: Provider) -> None:
    ann = okta.post("ann", active=False)

    again = okta.post("ann", active=False, title="gone")

    assert (again.id, again.active) == (ann.id, False)
    assert okta.user(ann.id).read_document()["title"] == "gone"
    assert state_of(okta.database, ann.member_id) is MemberState.DEACTIVATED


def test_the_very_same_inactive_post_twice_writes_nothing_the_second_time(okta: Provider) -> None:
    ann = okta.post("ann", active=False)

    again = okta.post("ann", active=False)

    assert (again.id, again.version) == (ann.id, ann.version)


def test_a_person_renamed_while_inactive_is_revived_by_the_external_id(okta: Provider) -> None:
    ann = okta.post("ann.miller", externalId="e1")
    okta.patch(ann.id, active=False)

    again = okta.post("ann.smith", externalId="e1")

    assert (again.id, again.user_name) == (ann.id, "ann.smith")
    assert state_of(okta.database, ann.member_id) is MemberState.ACTIVE


def test_an_external_id_that_two_carry_revives_nobody(okta: Provider) -> None:
    for user in [okta.post(name, externalId="shared") for name in ("ann", "bob")]:
        okta.patch(user.id, active=False)

    made = okta.post("cid", externalId="shared")

    assert made.version == 1
    assert count(okta.database, "scim_user") == 3


def test_an_external_id_of_somebody_active_revives_nobody(okta: Provider) -> None:
    ann = okta.post("ann", externalId="e1")

    other = okta.post("bob", externalId="e1")

    assert other.id != ann.id
    assert okta.user(ann.id).user_name == "ann"


def test_an_empty_external_id_names_nobody(okta: Provider) -> None:
    ann = okta.post("ann", externalId="")
    okta.patch(ann.id, active=False)

    assert okta.post("bob", externalId="").id != ann.id


# --- change


def test_a_change_to_what_is_stored_already_writes_nothing(okta: Provider) -> None:
    ann = okta.post("ann", title="x")
    before = count(okta.database, "change_row")

    again = okta.patch(ann.id, title="x")

    assert again.version == ann.version
    assert count(okta.database, "change_row") == before


def test_a_new_user_name_keeps_the_person_and_asks_once_for_the_old_subject(okta: Provider) -> None:
    ann = okta.post("ann@old.example", emails=[{"value": "ann@old.example"}])

    okta.patch(ann.id, userName="ann@new.example", emails=[{"value": "ann@new.example"}])

    (member,) = rows(okta.database, "member", id=ann.member_id)
    assert (member["user_name"], member["email"]) == ("ann@new.example", "ann@new.example")
    assert removals(okta.database) == [(ann.member_id, "renamed", None)]


def test_another_display_name_asks_for_no_removal(okta: Provider) -> None:
    ann = okta.post("ann")

    okta.patch(ann.id, displayName="Ann")

    assert removals(okta.database) == []
    assert rows(okta.database, "member", id=ann.member_id)[0]["display_name"] == "Ann"


def test_a_user_name_that_another_has_is_refused_and_nothing_changes(okta: Provider) -> None:
    okta.post("ann")
    bob = okta.post("bob")

    with pytest.raises(NotUnique, match="ANN"):
        okta.patch(bob.id, userName="ANN")

    assert okta.user(bob.id).user_name == "bob"


def test_a_version_that_is_not_the_stored_one_is_refused(okta: Provider) -> None:
    ann = okta.post("ann")
    stale = frozenset({ann.version + 1})

    with pytest.raises(PreconditionFailed):
        change_user(okta.database, okta.exchange(), ann.id, lambda user: user_record({"userName": "x"}), stale)
    with pytest.raises(PreconditionFailed):
        delete_user(okta.database, okta.exchange(), ann.id, stale)

    assert okta.user(ann.id).user_name == "ann"


@pytest.mark.parametrize("named", ["", "nobody", "x" * 3000, "a\x00b", "' OR 1=1 --"])
def test_an_id_that_is_nobodys_is_not_found_whatever_it_looks_like(okta: Provider, named: str) -> None:
    with pytest.raises(NotFound):
        okta.user(named)
    with pytest.raises(NotFound):
        okta.patch(named, active=False)
    with pytest.raises(NotFound):
        okta.delete(named)


# --- deactivate


def test_a_leaver_keeps_memberships_and_grants_and_has_no_access(okta: Provider, actor: Actor) -> None:
    ann = okta.post("ann")
    group = okta.post_group("admins", ann.id)
    grant_to_group(okta, actor, "admins")

    okta.patch(ann.id, active=False)

    assert okta.members(group.id) == {ann.id}
    assert group_roles(okta, ann.member_id) == 0
    assert state_of(okta.database, ann.member_id) is MemberState.DEACTIVATED
    assert removals(okta.database) == [(ann.member_id, "deactivated", None)]


def test_a_leaver_who_returns_has_everything_again_without_being_put_into_groups(okta: Provider, actor: Actor) -> None:
    ann = okta.post("ann")
    okta.post_group("admins", ann.id)
    grant_to_group(okta, actor, "admins")
    okta.patch(ann.id, active=False)

    okta.patch(ann.id, active=True)

    assert group_roles(okta, ann.member_id) == 1
    facts = rows(okta.database, "fact", object_id=ann.member_id, attribute="state")
    assert [(row["value"], row["valid_to"] is None) for row in facts] == [
        ("active", False),
        ("deactivated", False),
        ("active", True),
    ]


def test_deactivating_twice_asks_once(okta: Provider) -> None:
    ann = okta.post("ann")
    okta.patch(ann.id, active=False)

    okta.patch(ann.id, active=False)

    assert len(removals(okta.database)) == 1


# --- delete


def test_a_deleted_user_is_gone_with_memberships_and_the_member_deactivated(okta: Provider) -> None:
    ann, bob = okta.post("ann"), okta.post("bob")
    group = okta.post_group("admins", ann.id, bob.id)

    okta.delete(ann.id)

    with pytest.raises(NotFound):
        okta.user(ann.id)
    with pytest.raises(NotFound):
        okta.delete(ann.id)
    assert okta.members(group.id) == {bob.id}
    assert state_of(okta.database, ann.member_id) is MemberState.DEACTIVATED
    assert (ann.member_id, "deleted", None) in removals(okta.database)
    assert rows(okta.database, "user_group", id=group.id)[0]["version"] == group.version + 1


def test_a_deleted_user_may_be_posted_again_as_the_same_person_with_another_id(okta: Provider, actor: Actor) -> None:
    ann = okta.post("ann", externalId="e1")
    grants.add(okta.database, actor, "acme", GrantWanted("organization", person="ann", kubernetes_role="view"))
    okta.delete(ann.id)

    again = okta.post("ann", externalId="e1")

    assert again.member_id == ann.member_id
    assert again.id != ann.id
    assert group_roles(okta, ann.member_id) == 1
    assert okta.groups_of(again.id) == set()


def test_a_person_renamed_while_deleted_is_known_by_the_external_id(okta: Provider) -> None:
    ann = okta.post("ann.miller", externalId="e1")
    okta.delete(ann.id)

    assert okta.post("ann.smith", externalId="e1").member_id == ann.member_id


def test_a_user_name_that_was_handed_on_is_not_the_person_who_had_it(okta: Provider, actor: Actor) -> None:
    first = okta.post("john.smith", externalId="e1")
    wanted = GrantWanted("organization", person="john.smith", kubernetes_role="edit")
    grants.add(okta.database, actor, "acme", wanted)
    okta.delete(first.id)

    second = okta.post("john.smith", externalId="e2")

    assert second.member_id != first.member_id
    assert group_roles(okta, second.member_id) == 0


def test_somebody_who_is_here_under_another_name_is_not_made_two_of(okta: Provider) -> None:
    ann = okta.post("ann", externalId="e1")
    okta.delete(ann.id)
    back = okta.post("ann", externalId="e1")

    other = okta.post("ann2", externalId="e1")

    assert back.member_id == ann.member_id
    assert other.member_id != ann.member_id


# --- another directory


def second_directory(okta: Provider, ann: Any) -> tuple[Provider, Any]:
    """Let a second directory of acme carry the same person."""
    entra = Provider.connect(okta.database, "entra")
    other = entra.post("ann@entra")
    with okta.database.write() as connection:
        update = scim_user.update().where(scim_user.c.id == other.id).values(member_id=ann.member_id)
        connection.execute(update)
    return entra, entra.user(other.id)


def test_only_the_authoritative_directory_deactivates_the_member(okta: Provider, actor: Actor) -> None:
    ann = okta.post("ann")
    okta.post_group("mine", ann.id)
    entra, other = second_directory(okta, ann)
    theirs = entra.post_group("theirs", other.id)
    for name in ("mine", "theirs"):
        grant_to_group(okta, actor, name)

    entra.patch(other.id, active=False)

    assert state_of(okta.database, ann.member_id) is MemberState.ACTIVE
    assert group_roles(okta, ann.member_id) == 1
    assert entra.members(theirs.id) == {other.id}
    extent = f'[["organization","{okta.caller.organization_id}"]]'
    assert removals(okta.database) == [(ann.member_id, "membership", extent)]


def test_what_another_directory_brought_counts_again_when_it_says_active(okta: Provider, actor: Actor) -> None:
    ann = okta.post("ann")
    entra, other = second_directory(okta, ann)
    entra.post_group("theirs", other.id)
    grant_to_group(okta, actor, "theirs")
    entra.patch(other.id, active=False)

    entra.patch(other.id, active=True)

    assert group_roles(okta, ann.member_id) == 1


def test_another_directory_does_not_wake_whom_the_authoritative_one_sent_away(okta: Provider) -> None:
    ann = okta.post("ann")
    entra, other = second_directory(okta, ann)
    okta.patch(ann.id, active=False)
    entra.patch(other.id, active=False)

    entra.patch(other.id, active=True)

    assert state_of(okta.database, ann.member_id) is MemberState.DEACTIVATED


def test_another_directorys_name_and_deletion_leave_the_person_alone(okta: Provider) -> None:
    ann = okta.post("ann")
    entra, other = second_directory(okta, ann)
    entra.patch(other.id, userName="somebody")

    entra.delete(other.id)

    (member,) = rows(okta.database, "member", id=ann.member_id)
    assert (member["user_name"], member["state"]) == ("ann", "active")
    assert removals(okta.database, cause="renamed") == []


@pytest.mark.parametrize(
    ("state", "roles"),
    [(DirectoryState.PENDING, 0), (DirectoryState.ACTIVE, 1), (DirectoryState.PAUSED, 1), (DirectoryState.DETACHED, 1)],
)
def test_groups_of_a_directory_give_access_in_every_state_but_pending(
    okta: Provider, actor: Actor, state: DirectoryState, roles: int
) -> None:
    ann = okta.post("ann")
    okta.post_group("admins", ann.id)
    grant_to_group(okta, actor, "admins")

    with okta.database.write() as connection:
        connection.execute(directory.update().values(state=state.value))

    assert group_roles(okta, ann.member_id) == roles


# --- owners


def test_an_owner_whom_the_directory_deactivates_keeps_the_grant_and_it_is_noted(
    database: Database, actor: Actor
) -> None:
    okta = Provider.connect(database)
    ann = okta.post("ann@acme.example", emails=[{"value": "ann@acme.example"}])
    organizations.create(database, actor, "acme", owner="ann@acme.example")

    okta.patch(ann.id, active=False)

    assert state_of(database, ann.member_id) is MemberState.DEACTIVATED
    assert [view.api_role for view in grants.list_all(database, "acme")] == ["owner"]
    assert "organization.without_owner" in actions(database)
    assert removals(database) == [(ann.member_id, "deactivated", None)]


def test_an_owner_who_leaves_another_behind_is_nothing_to_note(database: Database, actor: Actor) -> None:
    okta = Provider.connect(database)
    ann = okta.post("ann@acme.example", emails=[{"value": "ann@acme.example"}])
    organizations.create(database, actor, "acme", owner="ann@acme.example")
    organizations.create(database, actor, "acme", owner="boss@acme.example")

    okta.delete(ann.id)

    assert "organization.without_owner" not in actions(database)


def test_nobody_becomes_an_owner_by_carrying_an_owners_address(database: Database, actor: Actor) -> None:
    organizations.create(database, actor, "acme", owner="boss@acme.example")
    okta = Provider.connect(database)

    mallory = okta.post("boss@acme.example", emails=[{"value": "boss@acme.example"}])

    assert group_roles(okta, mallory.member_id) == 0
    assert count(database, "member") == 2


# --- tenants


def test_a_user_of_another_directory_or_organization_is_not_found_and_not_named(okta: Provider) -> None:
    entra, globex = Provider.connect(okta.database, "entra"), Provider.connect(okta.database, "okta", "globex")
    ann = okta.post("ann")

    for stranger in (entra, globex):
        with pytest.raises(NotFound):
            stranger.user(ann.id)
        with pytest.raises(NotFound):
            stranger.patch(ann.id, active=False)
        with pytest.raises(NotFound):
            stranger.delete(ann.id)
        assert stranger.post("ann").member_id != ann.member_id
    assert okta.user(ann.id).active
    assert ann.member_id not in snapshot(globex).members
