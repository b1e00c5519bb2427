"""What a sign-in may change: memberships of its own origin, and who is a member at all."""

from typing import Any

import pytest
import sqlalchemy as sa

from scim_bridge.domain.people import MemberId
from scim_bridge.errors import Conflict
from scim_bridge.identity import joiners, member_states
from scim_bridge.identity.invitations import InvitationWanted, invite
from scim_bridge.identity.letters import Letters
from scim_bridge.store import schema
from tests.identity import rows
from tests.login.world import Browser, Login


def claims(login: Login, **extra: Any) -> None:
    login.provider.person = {"sub": "00u1", **extra}


def again(login: Login, view: Any) -> Browser:
    browser = login.browser()
    assert login.come(browser, view).status_code == 303
    return browser


@pytest.fixture
def ana(login: Login) -> MemberId:
    """Bring Ana, who is in one group by SCIM, and two groups that she is not in."""
    ana = login.person()
    admins = login.group("Admins")
    login.group("Readers", "g-readers")
    login.group("Writers", "g-writers")
    with login.database.write() as connection:
        rows.put_membership(connection, rows.begin(connection), admins, ana)
    return ana


def test_with_groups_off_a_sign_in_changes_no_membership(login: Login, ana: MemberId) -> None:
    claims(login, groups=["Readers"])

    again(login, login.add())

    assert login.groups_of(ana) == {"Admins": "scim"}


def test_groups_that_are_only_added_stay_when_the_claim_no_longer_lists_them(login: Login, ana: MemberId) -> None:
    view = login.add(group_sync="add-only")
    claims(login, groups=["readers", "nobody knows this one"])
    again(login, view)
    claims(login, groups=[])

    again(login, view)

    # Names are compared as the directory's are; groups that it has not brought are not made.
    assert login.groups_of(ana) == {"Admins": "scim", "Readers": "login"}
    assert "nobody knows this one" in login.audit("member.groups_at_login")[0]


def test_an_authoritative_sign_in_takes_back_what_sign_ins_gave_and_nothing_else(login: Login, ana: MemberId) -> None:
    view = login.add(group_sync="authoritative")
    claims(login, groups=["Readers", "Writers"])
    again(login, view)
    first = login.groups_of(ana)
    claims(login, groups=["Writers"])

    again(login, view)

    assert first == {"Admins": "scim", "Readers": "login", "Writers": "login"}
    assert login.groups_of(ana) == {"Admins": "scim", "Writers": "login"}


def test_what_a_sign_in_no_longer_lists_counts_as_inferred_for_the_brakes(login: Login, ana: MemberId) -> None:
    view = login.add(group_sync="authoritative")
    claims(login, groups=["Readers"])
    again(login, view)
    claims(login, groups=[])

    again(login, view)

    with login.database.read() as connection:
        ended = connection.execute(
            sa.select(schema.membership.c.inferred).where(schema.membership.c.valid_to.is_not(None))
        ).scalars()
        assert list(ended) == [True]
        assert connection.execute(sa.select(schema.removal_request.c.id)).all() == []


@pytest.mark.parametrize(
    "later",
    [
        {},
        {"groups": None},
        {"groups": {"not": "a list"}},
        {"groups": [1, 2]},
        {"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": "https://graph.example"}}},
        {"hasgroups": True},
        {"groups": [f"g{number}" for number in range(2001)]},
    ],
    ids=["absent", "null", "object", "numbers", "pointer", "hasgroups", "too many"],
)
def test_an_absent_claim_is_not_an_empty_one(login: Login, ana: MemberId, later: dict[str, Any]) -> None:
    view = login.add(group_sync="authoritative")
    claims(login, groups=["Readers"])
    again(login, view)
    claims(login, **later)

    again(login, view)

    assert login.groups_of(ana) == {"Admins": "scim", "Readers": "login"}
    assert len(login.audit("member.groups_unknown_at_login")) == 1


def test_groups_may_be_listed_by_the_id_that_the_provider_gave_them(login: Login, ana: MemberId) -> None:
    view = login.add(group_sync="add-only", groups_attribute="externalId")
    claims(login, groups=["g-writers"])

    again(login, view)

    assert login.groups_of(ana) == {"Admins": "scim", "Writers": "login"}


def test_a_group_change_at_login_wakes_the_passes(login: Login, ana: MemberId) -> None:
    view = login.add(group_sync="add-only")
    before = rows.count(login.database, "change_row")
    claims(login, groups=["Readers"])

    again(login, view)
    after = rows.count(login.database, "change_row")
    again(login, view)

    assert (after - before, rows.count(login.database, "change_row") - after) == (1, 0)


def states(login: Login) -> dict[str, str]:
    with login.database.read() as connection:
        member = schema.member.c
        query = sa.select(member.email, member.state).where(member.source == "login")
        return {str(email): str(state) for email, state in connection.execute(query)}


def test_nobody_joins_by_signing_in_unless_it_is_allowed(login: Login) -> None:
    claims(login, email="new@acme.example")

    back = login.come(login.browser(), login.add())

    assert back.status_code == 403
    assert states(login) == {}


def test_who_may_join_is_a_member_without_any_role(login: Login) -> None:
    claims(login, email="new@acme.example")
    view = login.add(join_at_login="allowed")

    browser = again(login, view)
    again(login, view)

    assert browser.is_signed_in()
    assert states(login) == {"new@acme.example": "active"}
    assert rows.count(login.database, schema.grant.name) == 0


def test_who_has_to_wait_waits_and_does_not_join_twice(login: Login) -> None:
    claims(login, email="new@acme.example")
    view = login.add(join_at_login="pending")

    answers = [login.come(login.browser(), view).status_code for _ in range(2)]

    assert answers == [403, 403]
    assert states(login) == {"new@acme.example": "invited"}


def test_who_waits_is_approved_and_is_in_at_the_next_sign_in_without_any_role(login: Login) -> None:
    claims(login, email="new@acme.example")
    view = login.add(join_at_login="pending")
    login.come(login.browser(), view)
    [waiting] = joiners.list_all(login.database, "acme")

    joiners.approve(login.database, rows.ACTOR, "acme", "new@acme.example")

    assert (waiting.user_name, waiting.identity_provider, waiting.subject) == ("new@acme.example", "okta", "00u1")
    assert again(login, view).is_signed_in()
    assert joiners.list_all(login.database, "acme") == []
    assert rows.count(login.database, schema.grant.name) == 0
    assert '"subject":"00u1"' in login.audit("member.approved")[0]


def test_who_waited_and_was_refused_does_not_wait_again_but_may_be_invited(login: Login) -> None:
    claims(login, email="new@acme.example")
    view = login.add(join_at_login="pending")
    login.come(login.browser(), view)

    joiners.refuse(login.database, rows.ACTOR, "acme", "new@acme.example")

    same = login.come(login.browser(), view)
    claims(login, sub="00u2", email="new@acme.example")
    other_subject = login.come(login.browser(), view)
    invite(login.database, Letters.of(login.runtime), rows.ACTOR, "acme", InvitationWanted("new@acme.example"))
    assert (same.status_code, other_subject.status_code) == (403, 403)
    assert joiners.list_all(login.database, "acme") == []
    assert states(login) == {"new@acme.example": "removed"}
    assert len(login.audit("member.refused")) == 1


def test_only_who_waits_is_approved_or_refused_and_nothing_else_is_done_with_them(login: Login) -> None:
    login.person()
    claims(login, sub="00u9", email="new@acme.example")
    login.come(login.browser(), login.add(join_at_login="pending"))
    waits, letters = "new@acme.example", Letters.of(login.runtime)

    for decide in (joiners.approve, joiners.refuse):
        with pytest.raises(Conflict, match="does not wait"):
            decide(login.database, rows.ACTOR, "acme", "ana@acme.example")
    for move in (member_states.deactivate, member_states.reactivate):
        with pytest.raises(Conflict, match="approve or refuse"):
            move(login.database, rows.ACTOR, "acme", waits)
    with pytest.raises(Conflict, match="approve or refuse"):
        invite(login.database, letters, rows.ACTOR, "acme", InvitationWanted(waits))


def test_who_was_removed_does_not_come_back_by_signing_in(login: Login) -> None:
    claims(login, email="new@acme.example")
    view = login.add(join_at_login="allowed")
    browser = again(login, view)
    with login.database.write() as connection:
        connection.execute(sa.update(schema.member).values(state="removed"))

    same = login.come(login.browser(), view)
    claims(login, sub="00u2", email="new@acme.example")
    other_subject = login.come(login.browser(), view)

    assert (same.status_code, other_subject.status_code) == (403, 403)
    assert states(login) == {"new@acme.example": "removed"}
    assert browser.cookie("session") is not None


def test_who_joins_needs_an_address(login: Login) -> None:
    claims(login)

    back = login.come(login.browser(), login.add(join_at_login="allowed"))

    assert back.status_code == 403
    assert states(login) == {}


def test_a_directory_that_brings_who_joined_takes_them_over_and_they_sign_in_as_before(login: Login) -> None:
    claims(login, email="new@acme.example")
    view = login.add(join_at_login="allowed")
    again(login, view)
    with login.database.write() as connection:
        change = rows.begin(connection)
        directory = rows.directory_id(connection)
        user_id, extra = rows.put_user(connection, change, "new@acme.example", directory)
        joined = connection.execute(sa.select(schema.member.c.id).where(schema.member.c.source == "login")).scalar_one()
        taking = sa.update(schema.scim_user).where(schema.scim_user.c.id == user_id)
        connection.execute(taking.values(external_id="00u1", member_id=joined))
        connection.execute(sa.update(schema.member).where(schema.member.c.id == extra).values(state="removed"))

    browser = again(login, view)

    assert browser.is_signed_in()
