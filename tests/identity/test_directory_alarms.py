"""What is found about directories is logged once, however often and by however many it is looked for."""

from datetime import timedelta
from threading import Thread

import pytest

from scim_bridge.identity import directories
from scim_bridge.identity.callers import note_use
from scim_bridge.identity.directory_alarms import look_over
from scim_bridge.identity.exchanges import Exchange
from scim_bridge.store import schema
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from tests.identity.provider import Provider, rows


@pytest.fixture
def okta(database: Database) -> Provider:
    """Connect acme's identity provider."""
    return Provider.connect(database)


def used(okta: Provider, ago: timedelta) -> None:
    """Let the token have been used so long ago."""
    with okta.database.write() as connection:
        connection.execute(schema.directory_token.update().values(last_used_at=now() - ago))


def conditions(okta: Provider) -> list[str]:
    return [row["kind"] for row in rows(okta.database, "directory_condition")]


def test_a_directory_that_fell_silent_is_told_once_and_forgotten_when_it_comes_back(okta: Provider) -> None:
    used(okta, timedelta(days=4))

    first, second = look_over(okta.database), look_over(okta.database)
    shown = directories.show(okta.database, "acme", "okta").conditions
    stored = conditions(okta)
    note_use(okta.database, okta.caller, None, "Okta")
    look_over(okta.database)

    assert (first, second, stored) == (1, 0, ["Stale"])
    assert [each.kind for each in shown] == ["Stale"]
    assert conditions(okta) == []


def test_silences_of_an_hour_and_more_are_remembered_and_make_the_rhythm(okta: Provider) -> None:
    for ago in (timedelta(minutes=20), timedelta(hours=2), timedelta(days=6)):
        used(okta, ago)
        note_use(okta.database, okta.caller, None, "Okta")
    used(okta, timedelta(days=5))

    assert [row["seconds"] // 3600 for row in rows(okta.database, "directory_silence")] == [2, 144]
    assert look_over(okta.database) == 0


def test_silences_of_long_ago_say_nothing_any_more(okta: Provider) -> None:
    used(okta, timedelta(days=6))
    note_use(okta.database, okta.caller, None, "Okta")
    with okta.database.write() as connection:
        connection.execute(schema.directory_silence.update().values(ended_at=now() - timedelta(days=31)))
    used(okta, timedelta(days=5))

    look_over(okta.database)

    assert (conditions(okta), rows(okta.database, "directory_silence")) == (["Stale"], [])


def test_a_token_near_its_end_is_told_at_every_step_and_at_its_end(okta: Provider) -> None:
    end = now() + timedelta(days=60)
    with okta.database.write() as connection:
        connection.execute(schema.directory_token.update().values(expires_at=end))

    told = [look_over(okta.database, end - timedelta(days=left)) for left in (29, 28, 13, 6, 0.5, -0.5)]

    assert told == [1, 0, 1, 1, 1, 1]
    assert conditions(okta) == ["TokenExpired"]


def test_a_streak_of_refusals_is_told(okta: Provider) -> None:
    exchange: Exchange = okta.exchange("GET", 200)
    for _ in range(20):
        exchange.log_alone(okta.database, okta.exchange("GET", 200).entry(400))

    look_over(okta.database)

    assert conditions(okta) == ["OnlyRefused"]


def test_two_who_look_at_the_same_time_tell_it_once(okta: Provider) -> None:
    used(okta, timedelta(days=4))
    told: list[int] = []
    threads = [Thread(target=lambda: told.append(look_over(okta.database))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(told) == [0, 0, 0, 1]
    assert conditions(okta) == ["Stale"]


def test_what_is_found_about_one_directory_is_not_said_of_another(okta: Provider) -> None:
    used(okta, timedelta(days=4))
    other = Provider.connect(okta.database, "okta", "globex")
    other.post("ana")

    look_over(okta.database)

    [found] = rows(okta.database, "directory_condition")
    assert (found["directory_id"], found["organization_id"]) == (okta.caller.directory_id, okta.caller.organization_id)
    assert directories.show(okta.database, "globex", "okta").conditions == ()
