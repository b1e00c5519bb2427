"""Invitations: what is offered, to whom, and every way in which one ends."""

from collections.abc import Callable
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import orjson
import pytest
import time_machine

from scim_bridge.domain.actors import Actor, ActorKind
from scim_bridge.domain.people import MemberState
from scim_bridge.errors import Conflict, Invalid, NotFound, Refused
from scim_bridge.identity import (
    access,
    domains,
    grants,
    group_lists,
    hand_groups,
    hand_members,
    invitation_answers,
    invitations,
    member_states,
    organizations,
)
from scim_bridge.identity.grants import GrantWanted
from scim_bridge.identity.invitation_answers import accept, decline, look_at
from scim_bridge.identity.invitation_ends import end_expired_invitations
from scim_bridge.identity.invitations import InvitationView, InvitationWanted
from scim_bridge.identity.letters import Letters
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from scim_bridge.store.mails import open_values
from scim_bridge.store.sealing import Keyring
from tests.identity.people import HANDS, as_person, member_id, owners, put_owner, put_person
from tests.identity.provider import Provider, actions, rows, state_of
from tests.identity.rows import count

KEY = "2G8sWYJ0mYz8nCk2j9mB3nJ5yqv8xv0mX3o1n4n2q0E="
LETTERS = Letters(Keyring((KEY,)), "https://bridge.example", 7)
BOB = "bob@x.example"


def _invite(database: Database, email: str = BOB, slug: str = "acme", **wanted: Any) -> InvitationView:
    return invitations.invite(database, LETTERS, HANDS, slug, InvitationWanted(email, **wanted))


def _secrets(database: Database) -> list[str]:
    """Return the secrets in the mails that wait, the oldest first."""
    sealed = [row["sealed"] for row in rows(database, "mail") if row["sealed"] is not None]
    return [str(open_values(LETTERS.keyring, each)["link"]).rpartition("/")[2] for each in sealed]


def _secret(database: Database) -> str:
    return _secrets(database)[-1]


def _state(database: Database, named: str = BOB) -> str:
    return invitations.show(database, "acme", named).state.value


def test_an_invited_person_is_a_member_without_access_until_they_accept(database: Database) -> None:
    hand_groups.create(database, HANDS, "acme", "Team")
    made = _invite(database, api_role="developer", kubernetes_role="edit", groups=("Team",))
    before = state_of(database, made.member_id)

    joined = accept(database, _secret(database), "Bob Stone")

    found = {(g.api_role, g.kubernetes_role): g.origins for g in grants.list_all(database, "acme")}
    assert (before, state_of(database, joined.member_id)) == ("invited", "active")
    assert (made.member_id, joined.signed_up, joined.organization) == (joined.member_id, True, "acme")
    assert found == {
        ("developer", None): (f"invitation by {made.id}",),
        (None, "edit"): (f"invitation by {made.id}",),
    }
    (member,) = group_lists.members_page(database, "acme", "Team").members
    assert (member.display_name, [each.origin for each in member.origins]) == ("Bob Stone", ["invitation"])
    assert _state(database) == "accepted"


def test_nothing_is_granted_before_the_answer(database: Database) -> None:
    _invite(database, api_role="admin")

    assert grants.list_all(database, "acme") == []
    assert access.explain(database, HANDS, "acme", BOB).api_roles == ()


def test_the_secret_is_nowhere_readable(database: Database) -> None:
    _invite(database)
    secret = _secret(database)

    stored = {table: str(rows(database, table)) for table in ("invitation", "mail", "audit_entry", "change_row")}

    assert {table for table, text in stored.items() if secret in text} == set()
    assert secret not in repr(invitations.show(database, "acme", BOB))


def test_somebody_registered_sees_the_organization_at_once(database: Database) -> None:
    organizations.create(database, HANDS, "globex")
    put_person(database, BOB, slug="globex")
    bob = as_person(database, BOB, "globex")
    assert bob.account_id is not None

    made = _invite(database)

    found = [(each.slug, state) for each, state in organizations.list_mine(database, bob)]
    assert found == [("acme", "invited"), ("globex", "active")]
    assert made.state == "pending"
    assert look_at(database, _secret(database)).registered is True


def test_somebody_registered_accepts_without_the_link_and_stays_the_same_account(database: Database) -> None:
    organizations.create(database, HANDS, "globex")
    put_person(database, BOB, slug="globex")
    bob = as_person(database, BOB, "globex")
    _invite(database, api_role="viewer")

    joined = invitation_answers.accept_signed_in(database, bob, "acme")

    assert (joined.account_id, joined.signed_up) == (bob.account_id, False)
    assert access.explain(database, HANDS, "acme", BOB).api_roles == ("viewer",)
    assert count(database, "account") == 1


def test_somebody_unregistered_signs_up_by_accepting_and_then_sees_it(database: Database) -> None:
    _invite(database)
    offered = look_at(database, _secret(database))

    joined = accept(database, _secret(database), "Bob Stone")

    assert (offered.registered, offered.email, offered.organization) == (False, BOB, "acme")
    bob = Actor(ActorKind.PERSON, BOB, account_id=joined.account_id)
    assert [each.slug for each, _ in organizations.list_mine(database, bob)] == ["acme"]
    assert [row["display_name"] for row in rows(database, "account")] == ["Bob Stone"]


def test_whoever_signs_up_says_how_they_are_called(database: Database) -> None:
    _invite(database)

    with pytest.raises(Invalid) as raised:
        accept(database, _secret(database))

    assert raised.value.field == "display_name"
    assert (_state(database), count(database, "account")) == ("pending", 0)


def test_another_account_cannot_answer_and_sees_nothing(database: Database) -> None:
    organizations.create(database, HANDS, "globex")
    put_person(database, "eve@x.example", slug="globex")
    eve = as_person(database, "eve@x.example", "globex")
    _invite(database)

    for answer in (invitation_answers.accept_signed_in, invitation_answers.decline_signed_in):
        with pytest.raises(NotFound):
            answer(database, eve, "acme")

    assert _state(database) == "pending"


def test_a_declined_invitation_leaves_no_member(database: Database) -> None:
    made = _invite(database)
    secret = _secret(database)

    decline(database, secret)

    assert (_state(database), state_of(database, made.member_id)) == ("declined", "removed")
    with pytest.raises(Conflict, match="has been declined"):
        accept(database, secret, "Bob")


def test_what_an_invited_person_was_given_beside_goes_with_the_invitation(database: Database) -> None:
    hand_groups.create(database, HANDS, "acme", "Team")
    made = _invite(database)
    hand_members.add(database, HANDS, "acme", "Team", [BOB])
    grants.add(database, HANDS, "acme", GrantWanted("organization", person=BOB, api_role="viewer"))

    decline(database, _secret(database))

    assert grants.list_all(database, "acme") == []
    assert [row["valid_to"] is None for row in rows(database, "membership", member_id=made.member_id)] == [False]


@pytest.mark.parametrize("other", ["remove", "revoke", "resend", "decline"])
def test_an_answer_and_something_else_at_once_end_in_one_of_the_two(database: Database, other: str) -> None:
    _invite(database, api_role="viewer")
    secret = _secret(database)
    together = Barrier(2)
    failed: list[str] = []

    def go(work: Callable[[Database], object]) -> None:
        own = Database(database.url.render_as_string(hide_password=False))
        together.wait()
        try:
            work(own)
        except (Conflict, NotFound) as error:
            failed.append(str(error))
        own.dispose()

    others: dict[str, Callable[[Database], object]] = {
        "remove": lambda own: member_states.remove(own, HANDS, "acme", BOB),
        "revoke": lambda own: invitations.revoke(own, HANDS, "acme", BOB),
        "resend": lambda own: invitations.resend(own, LETTERS, HANDS, "acme", BOB),
        "decline": lambda own: decline(own, secret),
    }
    works = (lambda own: accept(own, secret, "Bob"), others[other])
    threads = [Thread(target=go, args=(work,)) for work in works]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    (member,) = rows(database, "member", email=BOB)
    held = [row["api_role"] for row in rows(database, "access_grant", valid_to=None)]
    assert (member["state"], held) in [("active", ["viewer"]), ("removed", []), ("invited", [])]
    assert len(failed) <= 1


def test_sending_again_makes_a_new_link_and_the_old_one_opens_nothing(database: Database) -> None:
    _invite(database, api_role="viewer")
    old = _secret(database)

    again = invitations.resend(database, LETTERS, HANDS, "acme", BOB)
    new = _secret(database)

    assert (old != new, _secrets(database)) == (True, [new])
    assert again.mail is not None
    assert (again.state, again.mail.state) == ("pending", "queued")
    with pytest.raises(NotFound, match="opens nothing"):
        accept(database, old, "Bob")
    assert accept(database, new, "Bob").organization == "acme"


def test_an_invitation_that_runs_out_is_over_before_anybody_marks_it(database: Database) -> None:
    made = _invite(database, api_role="viewer")
    secret = _secret(database)

    with time_machine.travel(now() + timedelta(days=8)):
        seen = _state(database)
        with pytest.raises(Conflict, match="has run out"):
            accept(database, secret, "Bob")
        listed = [each.email for each in invitations.list_page(database, "acme", "expired").invitations]
        pending = invitations.list_page(database, "acme", "pending").invitations
        ended, again = end_expired_invitations(database), end_expired_invitations(database)

    assert (seen, listed, pending, ended, again) == ("expired", [BOB], (), 1, 0)
    assert state_of(database, made.member_id) is MemberState.REMOVED


@pytest.mark.parametrize("marked", [True, False])
def test_what_has_run_out_can_be_sent_again_or_made_anew(database: Database, *, marked: bool) -> None:
    made = _invite(database)
    _invite(database, "eve@x.example")

    with time_machine.travel(now() + timedelta(days=8)):
        if marked:
            end_expired_invitations(database)
        again = invitations.resend(database, LETTERS, HANDS, "acme", made.id)
        anew = _invite(database, "eve@x.example")
        joined = accept(database, _secrets(database)[-1], "Eve")

    assert (again.id, again.state, again.member_id) == (made.id, "pending", made.member_id)
    assert state_of(database, made.member_id) is MemberState.INVITED
    assert joined.member_id == anew.member_id


def test_a_revoked_invitation_opens_nothing_and_sends_nothing(database: Database) -> None:
    made = _invite(database)
    secret = _secret(database)

    taken = invitations.revoke(database, HANDS, "acme", made.id)

    assert (taken.state, state_of(database, made.member_id), _secrets(database)) == ("revoked", "removed", [])
    assert [row["state"] for row in rows(database, "mail")] == ["cancelled"]
    with pytest.raises(Conflict, match="taken back"):
        accept(database, secret, "Bob")
    with pytest.raises(Conflict, match="revoked already"):
        invitations.revoke(database, HANDS, "acme", made.id)


def test_nobody_is_invited_twice_or_while_they_are_a_member(database: Database) -> None:
    _invite(database)
    put_person(database, "ana@x.example")

    with pytest.raises(Conflict, match="invited already"):
        _invite(database, "BOB@x.example")
    with pytest.raises(Conflict, match="a member already"):
        _invite(database, "ana@x.example")

    assert count(database, "invitation") == 1


@pytest.mark.parametrize("last", ["decline", "revoke", "accept and remove"])
def test_somebody_can_be_invited_again_once_it_is_over(database: Database, last: str) -> None:
    _invite(database)
    if last == "decline":
        decline(database, _secret(database))
    elif last == "revoke":
        invitations.revoke(database, HANDS, "acme", BOB)
    else:
        accept(database, _secret(database), "Bob")
        member_states.remove(database, HANDS, "acme", BOB)

    _invite(database, api_role="viewer")

    assert accept(database, _secret(database), "Bob").organization == "acme"
    assert access.explain(database, HANDS, "acme", BOB).api_roles == ("viewer",)


def test_of_many_each_is_invited_wholly_or_not_at_all(database: Database) -> None:
    put_person(database, "ana@x.example")
    wanted = [
        InvitationWanted("one@x.example", "viewer"),
        InvitationWanted("no address"),
        InvitationWanted("ana@x.example"),
        InvitationWanted("two@x.example", "king"),
        InvitationWanted("three@x.example", groups=("Nowhere",)),
        InvitationWanted("one@x.example"),
        InvitationWanted("four@x.example", kubernetes_role="view"),
    ]

    lines = invitations.invite_many(database, LETTERS, HANDS, "acme", wanted)

    made = [line.number for line in lines if line.invitation is not None]
    assert (made, [line.number for line in lines if line.error]) == ([1, 7], [2, 3, 4, 5, 6])
    assert (count(database, "invitation"), count(database, "mail"), count(database, "member")) == (2, 2, 3)


@pytest.mark.parametrize(
    "email", ["", "bob", "@x.example", "bob@", "b ob@x.example", "bob@x.example\nBcc: e@x.example", "<b@x>", "a,b@x.y"]
)
def test_what_is_no_address_is_not_invited(database: Database, email: str) -> None:
    with pytest.raises(Invalid) as raised:
        _invite(database, email)

    assert raised.value.field == "email"
    assert count(database, "member") == 0


def test_a_directorys_group_is_not_offered(database: Database) -> None:
    okta = Provider.connect(database)
    okta.post_group("Pushed")

    with pytest.raises(Refused, match="belongs to the directory okta"):
        _invite(database, groups=("Pushed",))

    assert count(database, "invitation") == 0


def test_a_group_that_is_gone_by_then_is_left_out(database: Database) -> None:
    hand_groups.create(database, HANDS, "acme", "Team")
    _invite(database, api_role="viewer", groups=("Team",))
    hand_groups.delete(database, HANDS, "acme", "Team")

    joined = accept(database, _secret(database), "Bob")

    assert state_of(database, joined.member_id) is MemberState.ACTIVE
    detail = orjson.loads(rows(database, "audit_entry", action="invitation.accepted")[0]["detail"])
    assert len(detail["groups_gone"]) == 1


def test_nobody_offers_what_they_do_not_hold(database: Database) -> None:
    put_owner(database, "owner@x.example")
    put_person(database, "ana@x.example")
    grants.add(database, HANDS, "acme", GrantWanted("organization", person="ana@x.example", api_role="admin"))
    hand_groups.create(database, HANDS, "acme", "Bosses")
    ana, bob = as_person(database, "ana@x.example"), as_person(database, "owner@x.example")

    def offer(actor: Actor, **wanted: Any) -> InvitationView:
        return invitations.invite(database, LETTERS, actor, "acme", InvitationWanted(**wanted))

    with pytest.raises(Refused):
        offer(ana, email="one@x.example", api_role="owner")
    assert offer(ana, email="two@x.example", api_role="admin", groups=("Bosses",)).api_role == "admin"
    assert offer(bob, email="three@x.example", api_role="owner").api_role == "owner"


@pytest.mark.parametrize("role", ["viewer", "developer", "billing-admin"])
def test_only_who_may_invite_invites(database: Database, role: str) -> None:
    put_person(database, "ana@x.example")
    grants.add(database, HANDS, "acme", GrantWanted("organization", person="ana@x.example", api_role=role))
    ana = as_person(database, "ana@x.example")

    with pytest.raises(Refused, match="members:invite"):
        invitations.invite(database, LETTERS, ana, "acme", InvitationWanted(BOB))
    for verb in (invitations.revoke,):
        _invite(database)
        with pytest.raises(Refused, match="invitations:manage"):
            verb(database, ana, "acme", BOB)
    with pytest.raises(Refused, match="invitations:manage"):
        invitations.resend(database, LETTERS, ana, "acme", BOB)

    assert _state(database) == "pending"


def test_an_owner_who_accepts_works_as_one(database: Database) -> None:
    _invite(database, api_role="owner")
    before = owners(database)

    joined = accept(database, _secret(database), "Bob")

    assert (before, owners(database)) == (set(), {joined.member_id})


def test_a_directory_that_brings_the_person_supersedes_the_invitation(database: Database) -> None:
    hand_groups.create(database, HANDS, "acme", "Team")
    domains.add(database, HANDS, "acme", "x.example")
    made = _invite(database, api_role="developer", kubernetes_role="edit", groups=("Team",))
    secret = _secret(database)
    okta = Provider.connect(database)

    user = okta.post(BOB)

    assert (user.member_id, state_of(database, user.member_id)) == (made.member_id, "active")
    assert (_state(database), _secrets(database)) == ("superseded", [])
    origins = {origin for each in grants.list_all(database, "acme") for origin in each.origins}
    assert origins == {f"invitation by {made.id}"}
    assert [each.user_name for each in group_lists.members_page(database, "acme", "Team").members] == [BOB]
    with pytest.raises(Conflict, match="directory has brought you in"):
        accept(database, secret, "Bob")


@pytest.mark.parametrize(("domain", "role"), [("elsewhere.example", "viewer"), ("x.example", "admin")])
def test_a_directory_does_not_answer_for_a_strange_domain_or_an_admin(
    database: Database, domain: str, role: str
) -> None:
    domains.add(database, HANDS, "acme", domain)
    made = _invite(database, api_role=role)
    okta = Provider.connect(database)

    user = okta.post(BOB)

    assert user.member_id != made.member_id
    assert (state_of(database, user.member_id), _state(database, made.id)) == ("deactivated", "pending")
    assert grants.list_all(database, "acme") == []


def test_a_claim_supersedes_the_invitation_too(database: Database) -> None:
    from scim_bridge.identity import adoption

    _invite(database, api_role="admin")
    okta = Provider.connect(database)
    okta.post(BOB)
    (waiting,) = adoption.list_waiting(database, "acme")

    adoption.claim(database, HANDS, "acme", waiting.id)

    assert _state(database) == "superseded"
    assert access.explain(database, HANDS, "acme", member_id(database, BOB)).api_roles == ("admin",)


def test_an_invitation_that_had_run_out_gives_a_directorys_person_nothing(database: Database) -> None:
    domains.add(database, HANDS, "acme", "x.example")
    okta = Provider.connect(database)
    _invite(database, api_role="developer")

    with time_machine.travel(now() + timedelta(days=8)):
        okta.post(BOB)

    assert (_state(database), grants.list_all(database, "acme")) == ("expired", [])
    assert state_of(database, member_id(database, BOB)) is MemberState.ACTIVE


def test_invitations_are_read_page_by_page_the_newest_first_and_by_state(database: Database) -> None:
    for number in range(5):
        _invite(database, f"p{number}@x.example")
    invitations.revoke(database, HANDS, "acme", "p3@x.example")

    first = invitations.list_page(database, "acme", count=3)
    second = invitations.list_page(database, "acme", count=3, after=first.after)
    pending = invitations.list_page(database, "acme", "pending")

    assert [each.email[:2] for each in (*first.invitations, *second.invitations)] == ["p4", "p3", "p2", "p1", "p0"]
    assert (second.after, len(pending.invitations)) == (None, 4)
    with pytest.raises(Invalid):
        invitations.list_page(database, "acme", "lost")


def test_another_organizations_invitations_are_not_there(database: Database) -> None:
    organizations.create(database, HANDS, "globex")
    theirs = _invite(database, slug="globex")

    with pytest.raises(NotFound):
        invitations.show(database, "acme", theirs.id)
    with pytest.raises(NotFound):
        invitations.revoke(database, HANDS, "acme", theirs.id)
    with pytest.raises(NotFound):
        invitations.resend(database, LETTERS, HANDS, "acme", theirs.id)

    assert invitations.list_page(database, "acme").invitations == ()


def test_every_step_is_in_the_audit(database: Database) -> None:
    _invite(database)
    invitations.resend(database, LETTERS, HANDS, "acme", BOB)
    accept(database, _secret(database), "Bob")

    done = [each for each in actions(database) if each.startswith(("invitation", "member"))]

    assert done == ["invitation.created", "invitation.resent", "invitation.accepted", "member.joined"]
