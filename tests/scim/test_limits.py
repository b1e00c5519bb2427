"""A directory that storms is told when to come again; nobody else notices, and nothing is lost."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scim.doors import World, open_world, refusal


@pytest.fixture
def narrow(migrated_url: str, tmp_path: Path) -> Iterator[World]:
    """Open the application with limits that a test can reach."""
    with open_world(migrated_url, tmp_path, requests_per_second=0.01, requests_burst=3, refused_per_minute=2) as opened:
        yield opened


def test_a_storm_is_answered_with_429_and_whole_seconds(narrow: World) -> None:
    okta = narrow.connect("acme", "okta")

    answers = [okta.get("/Users") for _ in range(5)]

    assert [each.status_code for each in answers] == [200, 200, 200, 429, 429]
    assert refusal(answers[-1]) == (429, None)
    assert answers[-1].headers["Retry-After"].isdigit()
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 100


def test_what_was_refused_so_was_not_done_and_is_in_the_log_of_the_directory(narrow: World) -> None:
    okta = narrow.connect("acme", "okta")
    for _ in range(3):
        okta.get("/Users")

    okta.post("/Users", {"userName": "ana"})

    assert narrow.rows("scim_user") == []
    refused = [row for row in narrow.log() if row["status"] == 429]
    assert [row["directory_id"] for row in refused] == [narrow.rows("directory")[0]["id"]]


def test_one_directory_does_not_use_up_what_another_may_ask(narrow: World) -> None:
    okta, entra = narrow.connect("acme", "okta"), narrow.connect("acme", "entra")
    for _ in range(10):
        okta.get("/Users")

    assert [entra.get("/Users").status_code for _ in range(3)] == [200, 200, 200]


def test_a_request_is_counted_once_however_often_it_looks(narrow: World) -> None:
    okta = narrow.connect("acme", "okta")

    user_id = okta.create_user("ana")
    okta.put(f"/Users/{user_id}", {"userName": "ana", "active": True})

    assert okta.get("/Users").status_code == 200
    assert okta.get("/Users").status_code == 429


def test_guessing_is_slow_and_a_good_token_is_not_shut_out_by_it(narrow: World) -> None:
    okta = narrow.connect("acme", "okta")
    assert okta.get("/Users").status_code == 200
    good, answers = okta.token, []

    for number in range(4):
        okta.token = f"scimb_aaaaaaaa_{number}"
        answers.append(okta.get("/Users"))
    okta.token = good

    assert [each.status_code for each in answers] == [401, 401, 429, 429]
    assert int(answers[-1].headers["Retry-After"]) <= 30
    assert okta.get("/Users").status_code == 200


def test_whoever_guesses_learns_nothing_of_a_token_by_the_answer(narrow: World) -> None:
    unseen = narrow.connect("acme", "okta")
    guess = narrow.connect("acme", "entra")
    guess.token = "wrong"
    for _ in range(2):
        guess.get("/Users")

    right, wrong = unseen.get("/Users"), guess.get("/Users")

    assert (right.status_code, right.data) == (wrong.status_code, wrong.data)
    assert right.status_code == 429
