"""Sessions on the server: what opens what, for how long, and that they end with the person."""

from datetime import timedelta

import pytest

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.sessions import PolicyWanted, SignInMethod
from scim_bridge.errors import NotFound, Refused, SignInNotAccepted
from scim_bridge.identity import admission, api_tokens, policies, sessions
from scim_bridge.identity.api_tokens import ApiTokenWanted
from scim_bridge.identity.deactivation import deactivate, reactivate
from scim_bridge.store import sessions as store
from scim_bridge.store.database import Connection, Database
from tests.identity.rows import begin, count
from tests.identity.signing_in import ADDRESS, TERMINAL, Person, age, id_of, put_person, sign_in, visitor


def enters(database: Database, actor: Actor, organization: str = "acme") -> str | None:
    """Return why somebody is not let into an organization; None if they are."""
    try:
        admission.admit(database, actor, organization, None)
    except (SignInNotAccepted, NotFound) as error:
        return str(error)
    return None


def leave(database: Database, person: Person, organization: str = "acme") -> None:
    with database.write() as connection:
        assert deactivate(connection, begin(connection, organization), person.member_id)


def deactivate_and_fail(connection: Connection, person: Person) -> None:
    assert deactivate(connection, begin(connection), person.member_id)
    raise Refused("After all not.")


def test_a_session_is_known_by_its_value_alone(database: Database) -> None:
    ana = put_person(database)

    begun = sign_in(database, ana)

    assert visitor(database, begun).actor.account_id == ana.account_id
    assert sessions.resume(database, begun.session.id, ADDRESS) is None
    assert sessions.resume(database, begun.text[:-1], ADDRESS) is None
    assert sessions.resume(database, None, ADDRESS) is None
    assert begun.text not in repr(begun)


def test_two_sessions_never_share_a_value(database: Database) -> None:
    ana = put_person(database)

    texts = {sign_in(database, ana).text for _ in range(5)}

    assert len(texts) == 5


def test_who_is_deactivated_is_out_at_the_next_click_and_their_sessions_are_over(database: Database) -> None:
    ana = put_person(database)
    begun = sign_in(database, ana, SignInMethod.OIDC, only=id_of(database))
    before = enters(database, visitor(database, begun).actor)

    leave(database, ana)

    assert before is None
    assert sessions.resume(database, begun.text, ADDRESS) is None


def test_a_session_of_before_a_deactivation_does_not_come_back_with_the_person(database: Database) -> None:
    ana = put_person(database)
    begun = sign_in(database, ana)
    leave(database, ana)
    with database.write() as connection:
        reactivate(connection, begin(connection), ana.member_id)

    reason = enters(database, visitor(database, begun).actor)

    assert reason == "Your session has ended; sign in again."
    assert enters(database, visitor(database, sign_in(database, ana)).actor) is None


def test_a_deactivation_ends_nothing_in_another_organization(database: Database) -> None:
    ana = put_person(database)
    put_person(database, organization="beta")
    begun = sign_in(database, ana)

    leave(database, ana)

    actor = visitor(database, begun).actor
    assert enters(database, actor) == "There is no organization 'acme'."
    assert enters(database, actor, "beta") is None


def test_a_deactivation_that_is_taken_back_ends_no_session(database: Database) -> None:
    ana = put_person(database)
    begun = sign_in(database, ana, only=id_of(database))

    with pytest.raises(Refused), database.write() as connection:
        deactivate_and_fail(connection, ana)

    assert enters(database, visitor(database, begun).actor) is None


def test_one_organizations_sign_in_opens_that_organization_only(database: Database) -> None:
    ana = put_person(database)
    put_person(database, organization="beta")

    begun = sign_in(database, ana, SignInMethod.OIDC, only=id_of(database))

    actor = visitor(database, begun).actor
    assert enters(database, actor) is None
    assert enters(database, actor, "beta") == "There is no organization 'beta'."


def test_a_session_ends_when_it_is_too_old_for_the_organization(database: Database) -> None:
    ana = put_person(database)
    begun = sign_in(database, ana)
    policies.change(database, TERMINAL, "acme", PolicyWanted(session_hours=2))

    age(database, begun, timedelta(hours=1, minutes=59))
    young = enters(database, visitor(database, begun).actor)
    age(database, begun, timedelta(hours=2))

    assert young is None
    assert enters(database, visitor(database, begun).actor) == (
        "Your session is older than this organization allows; sign in again."
    )


def test_a_session_that_was_idle_too_long_stays_shut_though_it_is_used_again(database: Database) -> None:
    ana = put_person(database)
    put_person(database, organization="beta")
    policies.change(database, TERMINAL, "beta", PolicyWanted(idle_minutes=600))
    begun = sign_in(database, ana)
    age(database, begun, timedelta(hours=3), used=timedelta(hours=2))

    first = visitor(database, begun)
    sessions.note_use(database, first)
    second = visitor(database, begun)

    assert first.use_due
    assert not second.use_due
    for each in (first, second):
        assert "idle" in (enters(database, each.actor) or "")
        assert enters(database, each.actor, "beta") is None


def test_no_organization_can_keep_a_session_for_longer_than_the_bridge_does(database: Database) -> None:
    ana = put_person(database)
    begun = sign_in(database, ana)

    age(database, begun, timedelta(days=31))

    assert sessions.resume(database, begun.text, ADDRESS) is None


@pytest.mark.parametrize(
    ("wanted", "method", "second_factor", "address", "word"),
    [
        (PolicyWanted(methods=("oidc",)), SignInMethod.PASSWORD, False, ADDRESS, "password"),
        (PolicyWanted(two_factor_required=True), SignInMethod.PASSWORD, False, ADDRESS, "second factor"),
        (PolicyWanted(ip_ranges=("192.0.2.0/24",)), SignInMethod.PASSWORD, True, ADDRESS, "address"),
    ],
)
def test_an_organization_says_what_is_missing(
    database: Database, wanted: PolicyWanted, method: SignInMethod, second_factor: bool, address: str, word: str
) -> None:
    begun = sign_in(database, put_person(database), method, second_factor=second_factor)
    policies.change(database, TERMINAL, "acme", wanted)

    reason = enters(database, visitor(database, begun, address).actor)

    assert word in (reason or "")


def test_what_an_organization_asks_for_lets_in_who_does_it(database: Database) -> None:
    wanted = PolicyWanted(methods=("password",), two_factor_required=True, ip_ranges=("203.0.113.0/24",))
    policies.change(database, TERMINAL, "acme", wanted)

    begun = sign_in(database, put_person(database), second_factor=True)

    assert enters(database, visitor(database, begun).actor) is None


def test_a_stranger_learns_nothing_of_an_organizations_policy(database: Database) -> None:
    policies.change(database, TERMINAL, "acme", PolicyWanted(methods=("oidc",)))
    stranger = put_person(database, "eve", "evil")

    actor = visitor(database, sign_in(database, stranger)).actor

    assert enters(database, actor) == "There is no organization 'acme'."


def test_a_personal_token_is_bound_to_what_the_organization_accepts(database: Database) -> None:
    ana = put_person(database)
    signed_in = visitor(database, sign_in(database, ana)).actor
    by_password = api_tokens.create(database, signed_in, "acme", "me").text
    at_terminal = api_tokens.create(database, TERMINAL, "acme", ana.email).text
    # A token made with a token is as good as the one that made it.
    actor = api_tokens.authenticate(database, by_password, ADDRESS).actor
    child = api_tokens.create(database, actor, "acme", "me", ApiTokenWanted("child")).text

    policies.change(database, TERMINAL, "acme", PolicyWanted(methods=("oidc",)))

    reasons = [
        enters(database, api_tokens.authenticate(database, text, ADDRESS).actor)
        for text in (by_password, child, at_terminal)
    ]
    assert ["password" in (each or "") for each in reasons] == [True, True, False]
    assert reasons[2] is None


def test_an_organization_may_accept_no_personal_tokens_or_none_that_are_old(database: Database) -> None:
    ana = put_person(database)
    text = api_tokens.create(database, TERMINAL, "acme", ana.email).text
    actor = api_tokens.authenticate(database, text, ADDRESS).actor

    before = enters(database, actor)
    policies.change(database, TERMINAL, "acme", PolicyWanted(personal_tokens=False))

    assert before is None
    assert enters(database, actor) == "This organization accepts no personal tokens."


def test_people_see_and_end_their_own_sessions(database: Database) -> None:
    ana = put_person(database)
    first, second = sign_in(database, ana), sign_in(database, ana)
    actor = visitor(database, second).actor

    listed = sessions.list_all(database, actor, "acme")
    ended = sessions.revoke(database, actor, "acme", first.session.id)

    assert [each.id for each in listed] == [second.session.id, first.session.id]
    assert ended.ended_because == "revoked"
    assert sessions.resume(database, first.text, ADDRESS) is None
    assert sessions.resume(database, second.text, ADDRESS) is not None
    assert count(database, "audit_entry") >= 1


def test_nobody_sees_or_ends_other_peoples_sessions_without_the_permission(database: Database) -> None:
    ana, bob = put_person(database), put_person(database, "bob")
    of_ana, of_bob = sign_in(database, ana), sign_in(database, bob)
    actor = visitor(database, of_bob).actor

    with pytest.raises(Refused):
        sessions.list_all(database, actor, "acme", ana.email)
    with pytest.raises(Refused):
        sessions.revoke(database, actor, "acme", of_ana.session.id)

    assert enters(database, visitor(database, of_ana).actor) is None


def test_another_organizations_session_is_not_there(database: Database) -> None:
    ana, eve = put_person(database), put_person(database, "eve", "evil")
    begun = sign_in(database, ana)
    assert eve

    with pytest.raises(NotFound):
        sessions.revoke(database, TERMINAL, "evil", begun.session.id)


def test_an_admin_ends_what_opens_the_organization_and_nothing_elsewhere(database: Database) -> None:
    ana = put_person(database)
    put_person(database, organization="beta")
    begun = sign_in(database, ana)

    sessions.revoke(database, TERMINAL, "acme", begun.session.id)

    actor = visitor(database, begun).actor
    assert enters(database, actor) == "Your session has ended; sign in again."
    assert enters(database, actor, "beta") is None


def test_signing_out_ends_the_session_and_may_be_repeated(database: Database) -> None:
    begun = sign_in(database, put_person(database))

    first, second = sessions.sign_out(database, begun.text), sessions.sign_out(database, begun.text)

    assert first is not None
    assert second is None
    assert sessions.resume(database, begun.text, ADDRESS) is None


def test_sessions_that_are_long_over_are_thrown_away(database: Database) -> None:
    ana = put_person(database)
    old, young = sign_in(database, ana), sign_in(database, ana)
    age(database, old, timedelta(days=60), used=timedelta(days=30))

    assert sessions.purge(database) == 1

    with database.read() as connection:
        left = store.sessions_of_member(connection, ana.member_id, id_of(database))
    assert [each.id for each in left] == [young.session.id]
