"""A whole life, played against the double: what it reports, that it repeats, and how it bears failure."""

from typing import Any

import orjson
import pytest

from scim_bridge.errors import Invalid, SimulatorError
from scim_bridge.simulator import Client, Company, Entra, Okta, Progress, play, provider_for
from scim_bridge.simulator.life import Kind
from scim_bridge.simulator.report import Report, percentile
from scim_bridge.simulator.wire import Dialect
from tests.simulator.scim_double import ScimDouble

every_dialect = pytest.mark.parametrize(
    ("kind", "dialect"), [("okta", "okta"), ("okta", "okta-aiw"), ("entra", "entra"), ("entra", "entra-flag")]
)


def _play(double: ScimDouble, kind: Kind = "okta", **options: Any) -> Report:
    return play(kind, double.base_url, "right", **({"users": 20, "groups": 4} | options))


@every_dialect
def test_a_life_is_played_without_a_failure(double: ScimDouble, kind: Kind, dialect: Dialect) -> None:
    report = _play(double, kind, dialect=dialect)

    assert report.failures == ()
    assert report.dialect == dialect
    assert report.events["user"] == 20
    assert report.events["group"] == 4
    assert {"hire", "move", "hand-over", "rename", "rename group", "leave", "rehire"} <= report.events.keys()
    assert report.requests == len(double.seen)
    assert 0 < report.p50 <= report.p95 <= report.seconds


@every_dialect
def test_who_left_and_did_not_return_is_inactive_or_gone(double: ScimDouble, kind: Kind, dialect: Dialect) -> None:
    report = _play(double, kind, dialect=dialect)

    active = {leaver.user_name for leaver in report.leavers if double.users.get(leaver.id, {}).get("active")}

    assert len(report.leavers) == 3
    assert len(active) == report.events["rehire"] == 1


def test_only_entra_deletes_people(double: ScimDouble) -> None:
    report = _play(double, "entra")

    assert report.events["purge"] == 1
    assert len(double.requests("DELETE")) == 1


@every_dialect
def test_the_same_seed_plays_the_same_life(kind: Kind, dialect: Dialect, double: ScimDouble) -> None:
    report = _play(double, kind, dialect=dialect, seed=3)
    first, double.seen = double.seen, []
    double.users.clear()
    double.groups.clear()

    again = _play(double, kind, dialect=dialect, seed=3)

    assert [(method, path, body) for method, path, _, body in double.seen] == [
        (method, path, body) for method, path, _, body in first
    ]
    assert again.events == report.events


@every_dialect
def test_a_life_can_be_played_again_against_what_is_there(kind: Kind, dialect: Dialect, double: ScimDouble) -> None:
    _play(double, kind, dialect=dialect)

    again = _play(double, kind, dialect=dialect)

    assert again.failures == ()


def test_both_kinds_can_be_played_for_one_organization(double: ScimDouble) -> None:
    _play(double, "okta")
    okta = {user["userName"] for user in double.users.values()}
    double.users.clear()
    double.groups.clear()

    _play(double, "entra")

    assert okta.isdisjoint(user["userName"] for user in double.users.values())


def test_progress_counts_up_to_the_end(double: ScimDouble) -> None:
    told: list[Progress] = []

    _play(double, "entra", events=told.append)

    assert [progress.done for progress in told] == list(range(1, len(told) + 1))
    assert {progress.total for progress in told} == {len(told)}


@pytest.mark.parametrize(("users", "groups"), [(0, 0), (1, 0), (0, 2), (1, 1), (3, 1)])
def test_the_smallest_companies_have_a_life_too(double: ScimDouble, users: int, groups: int) -> None:
    told: list[Progress] = []

    report = _play(double, "entra", users=users, groups=groups, events=told.append)

    assert report.failures == ()
    assert [progress.done for progress in told] == list(range(1, len(told) + 1))


def test_a_failed_request_is_reported_and_the_life_goes_on(double: ScimDouble) -> None:
    double.answer_once("POST", "/Users", 400, document={"detail": "No more people."})
    double.answer_once("POST", "/Groups", 409, document={"detail": "Taken."})

    report = _play(double)

    assert [(failure.event, failure.status, failure.detail) for failure in report.failures] == [
        ("user", 400, "No more people."),
        ("group", 409, "Taken."),
    ]
    assert not report.ok
    assert report.events["user"] == 19
    assert len(report.leavers) == 3


def test_a_life_in_which_nobody_can_be_created_ends_all_the_same(double: ScimDouble) -> None:
    double.answer_once("POST", "/", 500, times=1000)

    report = _play(double, users=3, groups=2)

    assert {failure.event for failure in report.failures} == {"user", "group", "hire"}
    assert report.leavers == ()


def test_a_wrong_token_ends_the_life_before_it_begins(double: ScimDouble) -> None:
    with pytest.raises(SimulatorError, match=r"connection test at .* failed: .* 401: This token is not one of ours\."):
        play("entra", double.base_url, "wrong", users=1, groups=0)

    assert double.users == {}


def test_nobody_at_the_address_is_said_in_a_sentence() -> None:
    with pytest.raises(SimulatorError, match=r"Nobody answers at http://127\.0\.0\.1:9/scim/v2"):
        play("okta", "http://127.0.0.1:9/scim/v2", "right", users=1, groups=0)


def test_a_server_that_goes_away_for_good_ends_the_life(double: ScimDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    def move_away(progress: Progress) -> None:
        if progress.done == 5:
            monkeypatch.setattr("scim_bridge.simulator.client.Client._headers", _to_nobody)

    with pytest.raises(SimulatorError, match="stopped answering"):
        _play(double, events=move_away)

    assert len(double.users) == 5


def test_a_told_wait_is_waited_with_the_sleep_that_was_given(double: ScimDouble) -> None:
    naps: list[float] = []
    double.answer_once("POST", "/Users", 429, headers={"Retry-After": "2"})

    report = _play(double, sleep=naps.append)

    assert naps == [2]
    assert report.ok


def test_the_flag_behind_the_address_chooses_entras_dialect(double: ScimDouble) -> None:
    report = play("entra", f"{double.base_url}?aadOptscim062020", "right", users=1, groups=0)

    assert report.dialect == "entra-flag"


def test_a_dialect_of_the_other_kind_is_refused(double: ScimDouble) -> None:
    with pytest.raises(Invalid, match="okta does not speak entra-flag"):
        _play(double, "okta", dialect="entra-flag")


def test_a_provider_is_made_by_its_kind() -> None:
    client = Client("http://127.0.0.1:9", "right")

    assert isinstance(provider_for("okta", client, Company()), Okta)
    assert isinstance(provider_for("entra", client, Company()), Entra)


def test_a_report_can_be_written_as_json(double: ScimDouble) -> None:
    report = _play(double, users=3, groups=1)

    document = orjson.loads(orjson.dumps(report.as_document()))

    assert document["ok"] is True
    assert document["leavers"][0].keys() == {"user_name", "id", "answered_at", "seconds"}


def test_a_percentile_is_a_value_that_was_measured() -> None:
    values = [5.0, 1.0, 3.0, 2.0, 4.0]

    assert [percentile(values, share) for share in (0.0, 0.5, 0.95, 1.0)] == [1.0, 3.0, 5.0, 5.0]
    assert percentile([], 0.5) == 0.0


def _to_nobody(*_: object) -> dict[str, str]:
    from urllib3.exceptions import ProtocolError

    raise ProtocolError("Connection aborted.")
