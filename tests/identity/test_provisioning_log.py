"""Looking requests up, telling what they changed and why they failed, and throwing them away in time."""

import gc
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from scim_bridge.domain.people import DirectoryId
from scim_bridge.errors import Invalid, NotFound, StoreError
from scim_bridge.identity import journal, provisioning_log
from scim_bridge.identity.journal import Journal
from scim_bridge.identity.provisioning_log import Wanted
from scim_bridge.settings import Settings
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from scim_bridge.store.identifiers import first_id_at
from scim_bridge.store.provisioning_log import LogEntry, add_entry
from tests.identity.provider import Provider, rows


@pytest.fixture
def okta(database: Database) -> Provider:
    return Provider.connect(database)


def _keep(provider: Provider, status: int, days_ago: float = 0, **told: Any) -> str:
    """Put one entry into a provider's log; it changed nothing."""
    at = now() - timedelta(days=days_ago)
    entry = replace(provider.exchange("PATCH", status).entry(status), **told)
    entry = replace(entry, id=first_id_at(at) + entry.id[14:])
    with provider.database.write() as connection:
        add_entry(connection, entry, at)
    return entry.id


def _found(provider: Provider, directory: str = "okta", **wanted: Any) -> list[str]:
    page = provisioning_log.list_entries(provider.database, "acme", directory, Wanted(**wanted))
    return [each.request.id for each in page.entries]


def _stranger(**told: Any) -> LogEntry:
    return replace(LogEntry(None, None, None, "r", "GET", "/scim/v2/Users", 401, 1), **told)


def test_a_person_is_found_by_every_name_they_have_and_in_what_failed(okta: Provider) -> None:
    ada = okta.post("ada@acme.example", externalId="ext-ada", emails=[{"value": "ada@home.example"}])
    bob = okta.post("bob@acme.example")
    okta.post("lada@acme.example")
    (created, _, _) = rows(okta.database, "provisioning_log")
    failed = _keep(okta, 409, body='{"userName":"Ada@acme.example"}')
    looked_up = _keep(okta, 200, target="/scim/v2/Users?filter=userName%20eq%20%22ada%40acme.example%22")
    grouped = _keep(okta, 204, body=f'{{"Operations":[{{"path":"members[value eq \\"{ada.id}\\"]"}}]}}')
    _keep(okta, 409, body='{"userName":"xada@acme.example"}')

    everything = [grouped, looked_up, failed, created["id"]]
    for name in ("ada@acme.example", "ADA@acme.example", "ada@home.example", "ext-ada", ada.id, ada.member_id):
        assert _found(okta, person=name) == everything, name
    assert bob.id not in repr([_found(okta, person="nobody@acme.example")])
    assert _found(okta, person="nobody@acme.example") == []


def test_a_group_is_found_by_its_names_and_with_a_person_in_it(okta: Provider) -> None:
    ada = okta.post("ada@acme.example")
    group = okta.post_group("Team 100%", ada.id, external_id="g-1")
    okta.post_group("Team 100x")
    created = rows(okta.database, "provisioning_log", object_id=group.id)[0]["id"]
    failed = _keep(okta, 409, body='{"displayName":"team 100%"}')
    both = _keep(okta, 404, noun="group", object_id=group.id, body=f'["{ada.id}"]')

    for name in ("Team 100%", "g-1", group.id):
        assert _found(okta, group=name) == [both, failed, created], name
    assert _found(okta, group="Team 100%", person="ada@acme.example") == [both]


def test_results_times_and_pages(okta: Provider) -> None:
    old = _keep(okta, 200, days_ago=3)
    conflict = _keep(okta, 409, days_ago=1)
    fresh = _keep(okta, 404)

    assert _found(okta) == [fresh, conflict, old]
    assert _found(okta, result="ok") == [old]
    assert _found(okta, result="failed") == [fresh, conflict]
    assert _found(okta, result="409") == [conflict]
    assert _found(okta, since="2d") == [fresh, conflict]
    assert _found(okta, since=(now() - timedelta(hours=2)).isoformat()) == [fresh]
    assert _found(okta, since="7d", until="2h") == [conflict, old]
    first = provisioning_log.list_entries(okta.database, "acme", "okta", Wanted(limit=2))
    second = provisioning_log.list_entries(okta.database, "acme", "okta", Wanted(limit=2, before=first.before))
    assert [each.request.id for each in (*first.entries, *second.entries)] == [fresh, conflict, old]
    assert (first.before, second.before) == (conflict, None)


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ({"since": "yesterday"}, "is no time"),
        ({"until": "9" * 9 + "d"}, "is no time"),
        ({"result": "4xx"}, "no result"),
    ],
)
def test_what_cannot_be_understood_is_refused(okta: Provider, wanted: dict[str, str], sentence: str) -> None:
    with pytest.raises(Invalid, match=sentence):
        _found(okta, **wanted)


def test_one_request_is_told_with_its_changes_its_reason_and_its_remedy(okta: Provider) -> None:
    ada = okta.post("ada@acme.example")
    (created,) = rows(okta.database, "provisioning_log")
    failed = _keep(okta, 404, message="There is no group 'x' in this directory.", body="{}")

    told = provisioning_log.show_entry(okta.database, "acme", "okta", created["request_id"])
    refused = provisioning_log.show_entry(okta.database, "acme", "okta", failed)

    assert told.explained.remedy is None
    assert ("user.created", ada.id) in [(each.action, each.object_id) for each in told.changes]
    assert refused.changes == ()
    assert refused.explained.request.body == "{}"
    assert refused.explained.remedy is not None
    assert "Push Groups" in refused.explained.remedy.fix


def test_two_directories_and_two_organizations_do_not_see_each_others_requests(okta: Provider) -> None:
    other = Provider.connect(okta.database, "entra")
    theirs = Provider.connect(okta.database, "okta", "globex")
    ada = okta.post("ada@acme.example")
    other.post("ada@acme.example")
    theirs.post("ada@acme.example")
    mine = rows(okta.database, "provisioning_log", directory_id=okta.caller.directory_id)[0]["id"]

    assert _found(okta, person="ada@acme.example") == [mine]
    assert _found(okta, "entra", person=ada.id) == []
    assert mine not in _found(okta, "entra")
    with pytest.raises(NotFound):
        provisioning_log.show_entry(okta.database, "globex", "okta", mine)
    with pytest.raises(NotFound):
        provisioning_log.list_entries(okta.database, "globex", "entra", Wanted())
    assert provisioning_log.list_unknown(okta.database, Wanted()).entries == ()


def test_what_is_old_goes_reads_first_and_writes_and_failures_later(okta: Provider) -> None:
    okta.post("ada@acme.example")
    _keep(okta, 500, days_ago=91)
    _keep(okta, 200, days_ago=8)
    kept = {_keep(okta, 409, days_ago=89), _keep(okta, 200, days_ago=6), *_found(okta, result="201")}
    settings = Settings(log_days=90, log_read_days=7)

    purged = provisioning_log.purge_log(okta.database, settings, now())
    again = provisioning_log.purge_log(okta.database, settings, now())

    assert set(_found(okta)) == kept
    assert (purged.old, purged.reads, purged.unknown) == (1, 1, 0)
    assert (again.old, again.reads, again.unknown) == (0, 0, 0)


def test_everything_can_be_purged_though_it_is_more_than_goes_at_once(
    okta: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provisioning_log, "PURGED_AT_ONCE", 2)
    for _ in range(5):
        _keep(okta, 404, days_ago=100)

    assert provisioning_log.purge_log(okta.database, Settings(), now()).old == 5


def test_only_the_newest_unknown_credentials_are_kept(okta: Provider) -> None:
    waiting = Journal(okta.database, unknown_per_minute=100)
    for number in range(5):
        waiting.add_unknown(_stranger(target=f"/scim/v2/{number}"))
    waiting.flush()

    purged = provisioning_log.purge_log(okta.database, Settings(log_unknown_most=2), now())

    assert purged.unknown == 3
    left = provisioning_log.list_unknown(okta.database, Wanted(result="failed")).entries
    assert [each.request.target for each in left] == ["/scim/v2/4", "/scim/v2/3"]
    with pytest.raises(Invalid):
        provisioning_log.list_unknown(okta.database, Wanted(person="ada"))


def test_those_who_knock_too_often_are_counted_and_the_next_one_tells(database: Database) -> None:
    clock = [0.0]
    waiting = Journal(database, unknown_per_minute=2, clock=lambda: clock[0])

    for _ in range(10):
        waiting.add_unknown(_stranger(message="Unknown."))
    clock[0] = 30.0
    waiting.add_unknown(_stranger(message="Unknown."))
    waiting.flush()

    kept = rows(database, "provisioning_log")
    assert [row["message"] for row in kept][:2] == ["Unknown.", "Unknown."]
    assert kept[2]["message"] == "Unknown. Before it, 8 more were refused and not kept."


def test_the_log_of_unknown_credentials_stays_small_where_no_scheduler_runs(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "TRIM_EVERY", 4)
    waiting = Journal(database, unknown_per_minute=1000, unknown_most=3)

    for _ in range(20):
        waiting.add_unknown(_stranger())
    waiting.flush()

    assert len(rows(database, "provisioning_log")) <= 3 + 4


def test_what_waits_is_bounded(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "MOST_WAITING", 3)
    waiting = Journal(database)

    for _ in range(10):
        waiting.add(_stranger())
    waiting.flush()

    assert len(rows(database, "provisioning_log")) == 3


def test_what_waits_is_written_by_itself(database: Database) -> None:
    waiting = Journal(database)

    waiting.add(_stranger())
    timer = waiting._timer
    assert timer is not None
    timer.join(10)

    assert len(rows(database, "provisioning_log")) == 1


def test_what_waits_is_written_when_the_process_lets_go_of_it(database: Database) -> None:
    waiting = Journal(database)
    waiting.add(_stranger())
    timer = waiting._timer
    assert timer is not None
    timer.cancel()
    timer.join(10)

    del waiting, timer
    gc.collect()

    assert len(rows(database, "provisioning_log")) == 1


def test_a_request_of_a_directory_that_has_gone_does_not_hold_up_the_others(okta: Provider) -> None:
    waiting = Journal(okta.database)
    mine = okta.exchange("GET", 200).entry(200)
    waiting.add(replace(mine, directory_id=DirectoryId(mine.request_id), token_id=None))
    waiting.add(mine)

    waiting.flush()

    assert [row["id"] for row in rows(okta.database, "provisioning_log")] == [mine.id]


def test_entries_that_were_not_written_are_written_later_in_their_place(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = Journal(database)
    entries = [_stranger(target=f"/{number}") for number in range(3)]
    for entry in entries:
        waiting.add(entry)

    def away(*_: object) -> None:
        raise StoreError("away")

    with monkeypatch.context() as patch:
        patch.setattr(journal, "add_late_entries", away)
        waiting.flush()
    assert rows(database, "provisioning_log") == []
    waiting.flush()

    assert [row["target"] for row in rows(database, "provisioning_log")] == ["/0", "/1", "/2"]
