"""Rotation: both tokens work until the new one is used, and then the old one has ended by itself."""

from datetime import timedelta

import pytest

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.people import DirectoryState
from scim_bridge.errors import Conflict, NotAuthenticated, NotFound
from scim_bridge.identity import directory_tokens
from scim_bridge.identity.callers import Caller, authenticate, note_use
from scim_bridge.identity.directory_tokens import TokenWanted
from scim_bridge.store import schema
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from tests.identity.provider import HANDS, Provider, actions, rows


@pytest.fixture
def okta(database: Database) -> Provider:
    """Connect acme's identity provider."""
    return Provider.connect(database)


def caller_of(okta: Provider, token: str, address: str | None = None) -> Caller:
    with okta.database.read() as connection:
        return authenticate(connection, token, address)


def use(okta: Provider, token: str) -> None:
    """Ask something with a token, as the door does: the use is noted once the answer is out."""
    caller = caller_of(okta, token)
    if caller.use_due:
        note_use(okta.database, caller, "192.0.2.1", "Okta")


def rotate(okta: Provider, named: str | None = None, actor: Actor = HANDS) -> directory_tokens.ShownToken:
    return directory_tokens.rotate(okta.database, actor, "acme", "okta", named)


def set_tokens(okta: Provider, token_id: str, **values: object) -> None:
    table = schema.directory_token
    with okta.database.write() as connection:
        connection.execute(table.update().where(table.c.id == token_id).values(**values))


def test_both_tokens_work_until_the_new_one_is_used(okta: Provider) -> None:
    made = rotate(okta)

    use(okta, okta.token)
    before = [row["revoked_at"] for row in rows(okta.database, "directory_token")]
    use(okta, made.text)

    assert before == [None, None]
    with pytest.raises(NotAuthenticated):
        caller_of(okta, okta.token)
    assert caller_of(okta, made.text).replaces_token is None


def test_the_end_of_the_old_token_is_audited_once_and_in_the_directorys_name(okta: Provider) -> None:
    made = rotate(okta)

    for _ in range(3):
        note_use(okta.database, caller_of(okta, made.text), None, "Okta")

    ended = [row for row in rows(okta.database, "audit_entry") if row["action"] == "directory_token.rotated"]
    assert [(row["actor_kind"], row["actor_name"]) for row in ended] == [("directory", "okta")]
    assert okta.token not in ended[0]["detail"]
    assert made.text not in ended[0]["detail"]


def test_a_use_of_the_old_token_ends_nothing(okta: Provider) -> None:
    rotate(okta)

    for _ in range(3):
        use(okta, okta.token)

    assert "directory_token.rotated" not in actions(okta.database)
    assert caller_of(okta, okta.token).directory_name == "okta"


def test_two_requests_at_once_with_the_new_token_end_the_old_one_once(okta: Provider) -> None:
    made = rotate(okta)
    first, second = caller_of(okta, made.text), caller_of(okta, made.text)

    note_use(okta.database, first, None, "Okta")
    note_use(okta.database, second, None, "Okta")

    assert actions(okta.database).count("directory_token.rotated") == 1


def test_never_more_than_two_are_live_in_a_rotation(okta: Provider) -> None:
    made = rotate(okta)

    for named in (None, "first", made.prefix):
        with pytest.raises(Conflict):
            rotate(okta, named)

    assert len(rows(okta.database, "directory_token")) == 2


def test_a_rotation_that_was_given_up_can_begin_again(okta: Provider) -> None:
    lost = rotate(okta)
    directory_tokens.revoke(okta.database, HANDS, "acme", lost.prefix)

    made = rotate(okta)

    assert made.replaces == lost.replaces
    with pytest.raises(NotAuthenticated):
        caller_of(okta, lost.text)


def test_a_new_token_whose_old_one_has_ended_already_can_be_rotated(okta: Provider) -> None:
    made = rotate(okta)
    directory_tokens.revoke(okta.database, HANDS, "acme", str(made.replaces))

    again = rotate(okta)

    assert again.replaces == made.prefix


def test_an_old_token_that_ended_meanwhile_stays_as_it_ended(okta: Provider) -> None:
    made = rotate(okta)
    ended = directory_tokens.revoke(okta.database, HANDS, "acme", str(made.replaces))

    use(okta, made.text)

    [old] = rows(okta.database, "directory_token", id=ended.id)
    assert old["revoked_at"] == ended.revoked_at
    assert "directory_token.rotated" not in actions(okta.database)


def test_of_several_tokens_the_one_to_rotate_is_named(okta: Provider) -> None:
    directory_tokens.create(okta.database, HANDS, "acme", "okta", TokenWanted("second", ip_ranges=("10.0.0.0/8",)))

    with pytest.raises(Conflict, match="--token"):
        rotate(okta)
    made = rotate(okta, "second")

    assert (made.name, made.ip_ranges) == ("second", ("10.0.0.0/8",))


def test_only_a_live_token_is_rotated(okta: Provider) -> None:
    [token] = rows(okta.database, "directory_token")
    set_tokens(okta, token["id"], expires_at=now() - timedelta(seconds=1))

    with pytest.raises(NotFound):
        rotate(okta)


def test_a_detached_directory_gets_no_token(okta: Provider) -> None:
    with okta.database.write() as connection:
        connection.execute(schema.directory.update().values(state=DirectoryState.DETACHED.value))

    with pytest.raises(Conflict):
        rotate(okta)
    with pytest.raises(Conflict):
        directory_tokens.create(okta.database, HANDS, "acme", "okta")


def test_a_token_works_from_its_ranges_only_and_the_refusal_says_nothing_of_it(okta: Provider) -> None:
    made = directory_tokens.create(okta.database, HANDS, "acme", "okta", TokenWanted(ip_ranges=("203.0.113.0/24",)))

    assert caller_of(okta, made.text, "203.0.113.9").token_id == made.id
    for elsewhere in ("198.51.100.1", None, "garbage"):
        with pytest.raises(NotAuthenticated) as caught:
            caller_of(okta, made.text, elsewhere)
        assert str(caught.value) == "The bearer token is missing, unknown, expired or revoked."
        assert "does not work from" in str(caught.value.reason)


def test_every_refusal_has_its_own_reason_for_the_log(okta: Provider) -> None:
    [token] = rows(okta.database, "directory_token")
    reasons = []
    for values in ({"expires_at": now() - timedelta(seconds=1)}, {"revoked_at": now()}):
        set_tokens(okta, token["id"], **values)
        with pytest.raises(NotAuthenticated) as caught:
            caller_of(okta, okta.token)
        reasons.append(caught.value.reason)

    assert reasons == ["The token has expired.", "The token was revoked."]
