"""People who are here before a directory brings them: adopted where the domain vouches, else waiting with nothing."""

import pytest

from scim_bridge.domain.directory_states import Step
from scim_bridge.domain.people import DirectoryKind, MemberState
from scim_bridge.errors import Conflict, NotFound
from scim_bridge.identity import access, adoption, directories, directory_states, domains, grants, organizations
from scim_bridge.identity.adoption import StoredConflict, list_waiting
from scim_bridge.identity.callers import authenticate
from scim_bridge.identity.grants import GrantWanted
from scim_bridge.store import people, schema
from scim_bridge.store.database import Database
from tests.identity.provider import HANDS, Provider, actions, removals, rows, state_of
from tests.identity.rows import begin, put_cluster

ANA = "ana@acme.example"


@pytest.fixture
def okta(database: Database) -> Provider:
    """Connect acme's identity provider; acme has a domain and a cluster."""
    put_cluster(database, "prod")
    domains.add(database, HANDS, "acme", "acme.example")
    return Provider.connect(database)


def add_by_hand(okta: Provider, email: str = ANA, slug: str = "acme", state: str = "active") -> str:
    """Add somebody by hand, and let them edit on every cluster."""
    with okta.database.write() as connection:
        change = begin(connection, slug)
        account = people.insert_account(connection, change, email)
        member_id = people.insert_member(connection, change, account, email)
        connection.execute(
            schema.member.update().where(schema.member.c.id == member_id).values(state=state, source="manual")
        )
    return member_id


def bring(okta: Provider, email: str = ANA, user_name: str | None = None) -> str:
    """Let the directory bring somebody with this address, and return the member behind them."""
    return okta.post(user_name or email, emails=[{"value": email}]).member_id


def waiting(okta: Provider) -> list[StoredConflict]:
    return list_waiting(okta.database, "acme")


def roles(okta: Provider, named: str) -> set[str | None]:
    return {each.role for each in access.explain(okta.database, HANDS, "acme", named).clusters}


def grant(okta: Provider, **wanted: str) -> None:
    grants.add(okta.database, HANDS, "acme", GrantWanted("organization", **wanted))


def test_somebody_added_by_hand_is_adopted_on_a_domain_of_the_organization(okta: Provider) -> None:
    member_id = add_by_hand(okta)
    grant(okta, person=ANA, kubernetes_role="edit")

    adopted = bring(okta)

    [member] = rows(okta.database, "member")
    assert adopted == member_id
    assert (member["directory_id"], member["state"]) == (okta.caller.directory_id, "active")
    assert roles(okta, ANA) == {"edit"}
    assert waiting(okta) == []
    assert "member.adopted" in actions(okta.database)


def test_who_was_adopted_follows_the_directory_from_then_on(okta: Provider) -> None:
    member_id = add_by_hand(okta)
    user = okta.post(ANA, emails=[{"value": ANA}])

    okta.patch(user.id, active=False)

    assert state_of(okta.database, member_id) is MemberState.DEACTIVATED
    assert [whose for whose, _, _ in removals(okta.database)] == [member_id]


def test_an_invitation_is_accepted_by_being_brought(okta: Provider) -> None:
    member_id = add_by_hand(okta, state="invited")

    assert bring(okta) == member_id
    assert state_of(okta.database, member_id) is MemberState.ACTIVE


@pytest.mark.parametrize(
    ("email", "role", "state", "reason"),
    [
        ("ana@elsewhere.example", None, "active", "no domain"),
        (ANA, "owner", "active", "only ever claimed"),
        (ANA, "admin", "active", "only ever claimed"),
        (ANA, None, "deactivated", "deactivated"),
    ],
)
def test_whoever_may_not_be_adopted_waits_with_nothing_and_loses_nothing(
    okta: Provider, email: str, role: str | None, state: str, reason: str
) -> None:
    member_id = add_by_hand(okta, email)
    if role:
        grant(okta, person=email, api_role=role)
    with okta.database.write() as connection:
        connection.execute(schema.member.update().values(state=state))
    grant_group = okta.post_group("team")
    grant(okta, group="team", kubernetes_role="edit")

    user = okta.post(email, emails=[{"value": email}])
    okta.add(grant_group.id, user.id)

    assert user.active
    assert user.member_id != member_id
    [found] = waiting(okta)
    assert (found.candidate_id, found.waiting_id) == (member_id, user.member_id)
    assert reason in found.reason
    assert roles(okta, user.member_id) <= {None}
    assert state_of(okta.database, member_id).value == state
    assert rows(okta.database, "member", id=member_id)[0]["directory_id"] is None


def test_whoever_waits_is_not_let_in_by_the_back_door(okta: Provider) -> None:
    add_by_hand(okta)
    grant(okta, person=ANA, api_role="owner")
    user = okta.post(ANA, emails=[{"value": ANA}])

    okta.patch(user.id, active=False)
    okta.patch(user.id, active=True)
    toggled = state_of(okta.database, user.member_id)
    okta.delete(user.id)
    again = okta.post(ANA, emails=[{"value": ANA}])

    assert toggled is MemberState.DEACTIVATED
    assert state_of(okta.database, again.member_id) is MemberState.DEACTIVATED
    assert [each.user_id for each in waiting(okta)] == [again.id]


def test_whoever_waits_does_not_make_the_name_of_the_other_ambiguous(okta: Provider) -> None:
    member_id = add_by_hand(okta)
    grant(okta, person=ANA, api_role="owner")
    bring(okta)

    grant(okta, person=ANA, kubernetes_role="view")

    assert [row["member_id"] for row in rows(okta.database, "access_grant", kubernetes_role="view")] == [member_id]


def test_a_claim_makes_them_one_with_all_that_both_had(okta: Provider) -> None:
    member_id = add_by_hand(okta)
    grant(okta, person=ANA, api_role="owner")
    user = okta.post(ANA, emails=[{"value": ANA}])
    group = okta.post_group("team", user.id)
    grant(okta, group="team", kubernetes_role="edit")

    adoption.claim(okta.database, HANDS, "acme", waiting(okta)[0].id)

    assert waiting(okta) == []
    assert roles(okta, ANA) == {"edit"}
    assert okta.user(user.id).member_id == member_id
    assert okta.members(group.id) == {user.id}
    assert state_of(okta.database, user.member_id) is MemberState.REMOVED
    [owned] = rows(okta.database, "access_grant", api_role="owner")
    assert (owned["member_id"], owned["valid_to"]) == (member_id, None)
    okta.patch(user.id, active=False)
    assert state_of(okta.database, member_id) is MemberState.DEACTIVATED


def test_a_claim_renames_the_subject_and_asks_the_old_one_away(okta: Provider) -> None:
    member_id = add_by_hand(okta)
    grant(okta, person=ANA, api_role="admin")
    okta.post("ana.adams", emails=[{"value": ANA}])

    adoption.claim(okta.database, HANDS, "acme", waiting(okta)[0].id)

    assert rows(okta.database, "member", id=member_id)[0]["user_name"] == "ana.adams"
    assert (member_id, "renamed", None) in removals(okta.database)


def test_two_people_who_are_told_apart_each_have_their_own(okta: Provider) -> None:
    member_id = add_by_hand(okta)
    grant(okta, person=ANA, api_role="admin")
    user = okta.post("ana2", emails=[{"value": ANA}])
    okta.post_group("team", user.id)
    grant(okta, group="team", kubernetes_role="edit")

    adoption.dismiss(okta.database, HANDS, "acme", waiting(okta)[0].id)

    assert waiting(okta) == []
    assert state_of(okta.database, user.member_id) is MemberState.ACTIVE
    assert roles(okta, user.member_id) == {"edit"}
    assert roles(okta, member_id) <= {None}


def test_of_several_who_could_be_meant_all_must_be_told_apart(okta: Provider) -> None:
    add_by_hand(okta)
    add_by_hand(okta)
    user = okta.post(ANA, emails=[{"value": ANA}])
    first, second = waiting(okta)

    adoption.dismiss(okta.database, HANDS, "acme", first.id)
    between = state_of(okta.database, user.member_id)
    adoption.dismiss(okta.database, HANDS, "acme", second.id)

    assert between is MemberState.DEACTIVATED
    assert state_of(okta.database, user.member_id) is MemberState.ACTIVE


def test_whoever_is_inactive_or_taken_meanwhile_cannot_be_claimed(okta: Provider) -> None:
    member_id = add_by_hand(okta)
    grant(okta, person=ANA, api_role="admin")
    user = okta.post(ANA, emails=[{"value": ANA}])
    [found] = waiting(okta)
    okta.patch(user.id, active=False)
    with pytest.raises(Conflict):
        adoption.claim(okta.database, HANDS, "acme", found.id)
    okta.patch(user.id, active=True)
    entra = Provider.connect(okta.database, "entra")
    entra.post(ANA, emails=[{"value": ANA}])
    adoption.claim(okta.database, HANDS, "acme", waiting(okta)[1].id)

    with pytest.raises(Conflict, match="another directory"):
        adoption.claim(okta.database, HANDS, "acme", found.id)

    assert rows(okta.database, "member", id=member_id)[0]["directory_id"] == entra.caller.directory_id


def test_people_of_a_detached_directory_are_taken_over_by_the_next(okta: Provider) -> None:
    old = okta.post("ana", emails=[{"value": ANA}])
    step = Step.DETACH
    seen = directory_states.preview(okta.database, HANDS, "acme", "okta", step).hash
    directory_states.carry_out(okta.database, HANDS, "acme", "okta", step, seen)
    entra = Provider.connect(okta.database, "entra")

    by_address = entra.post("ana.adams", emails=[{"value": ANA}])

    assert by_address.member_id == old.member_id
    assert rows(okta.database, "member", id=old.member_id)[0]["directory_id"] == entra.caller.directory_id


def test_people_of_a_directory_that_works_are_never_taken(okta: Provider) -> None:
    mine = bring(okta)
    entra = Provider.connect(okta.database, "entra")

    theirs = bring(entra)

    assert theirs != mine
    assert waiting(okta) == []
    assert rows(okta.database, "member", id=mine)[0]["directory_id"] == okta.caller.directory_id


def test_a_pending_directory_takes_nobody_over(okta: Provider) -> None:
    member_id = add_by_hand(okta)
    made = directories.create(okta.database, HANDS, "acme", "entra", DirectoryKind.ENTRA, pending=True)
    assert made.token is not None
    with okta.database.read() as connection:
        entra = Provider(okta.database, authenticate(connection, made.token.text), made.token.text)

    user = entra.post(ANA, emails=[{"value": ANA}])
    entra.patch(user.id, active=False)

    assert state_of(okta.database, member_id) is MemberState.ACTIVE
    assert user.member_id != member_id


def test_nothing_crosses_organizations(okta: Provider) -> None:
    organizations.create(okta.database, HANDS, "globex")
    theirs = add_by_hand(okta, slug="globex")
    add_by_hand(okta, "bob@acme.example")
    grant(okta, person="bob@acme.example", api_role="admin")

    mine = bring(okta)
    bring(okta, "bob@acme.example")

    assert mine != theirs
    assert list_waiting(okta.database, "globex") == []
    with pytest.raises(NotFound):
        adoption.claim(okta.database, HANDS, "globex", waiting(okta)[0].id)
    with pytest.raises(Conflict):
        domains.add(okta.database, HANDS, "globex", "ACME.example")


def test_a_domain_that_was_given_up_vouches_for_nobody_and_may_be_anothers(okta: Provider) -> None:
    member_id = add_by_hand(okta)
    organizations.create(okta.database, HANDS, "globex")

    domains.remove(okta.database, HANDS, "acme", "acme.example")
    domains.add(okta.database, HANDS, "globex", "acme.example")

    assert bring(okta) != member_id
    assert len(waiting(okta)) == 1
    with pytest.raises(NotFound):
        domains.remove(okta.database, HANDS, "acme", "acme.example")
