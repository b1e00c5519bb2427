"""Webhooks over REST: who may add which, what is shown and what never is, and what became of what was sent."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.rest import Person, Rest, fields, open_rest, problem
from tests.identity.provider import rows
from tests.outbound.carrying import carry
from tests.outbound.receiver import Receiver, open_receiver

NEW = {"name": "siem", "url": "https://hooks.example/x", "kinds": ["*"]}


@pytest.fixture
def rest(migrated_url: str, tmp_path: Path) -> Iterator[Rest]:
    with open_rest(migrated_url, tmp_path, webhook_networks="127.0.0.0/8") as opened:
        yield opened


@pytest.fixture
def admin(rest: Rest) -> Person:
    return rest.with_role("admin")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with open_receiver() as opened:
        yield opened


def test_a_secret_is_shown_when_it_is_made_and_never_again(rest: Rest, admin: Person) -> None:
    made = admin.ok("POST", "/webhooks", NEW)
    rotated = admin.ok("POST", "/webhooks/siem/rotate", {"overlap_hours": 0})

    secrets = [each["secret"] for each in (made, rotated)]
    assert [secret.startswith("whsec_") for secret in secrets] == [True, True]
    assert secrets[0] != secrets[1]
    assert rotated["webhook"]["old_secret_until"] is None
    kept = admin.inside("GET", "/webhooks").text + str(rows(rest.database, "webhook"))
    kept += str(rows(rest.database, "audit_entry"))
    assert not any(secret.removeprefix("whsec_") in kept for secret in secrets)


def test_a_webhook_is_added_tested_changed_and_removed(rest: Rest, admin: Person, receiver: Receiver) -> None:
    secret = admin.ok("POST", "/webhooks", NEW | {"url": receiver.url, "kinds": ["group.*"]})["secret"]
    admin.ok("POST", "/webhooks/siem/test")
    carry(rest.runtime)
    (delivery,) = admin.items("/webhooks/siem/deliveries")
    again = admin.ok("POST", f"/webhooks/siem/deliveries/{delivery['id']}/redeliver")
    carry(rest.runtime)
    changed = admin.ok("PATCH", "/webhooks/siem", {"kinds": ["alert.*"]})
    paused = admin.ok("POST", "/webhooks/siem/disable")
    refused = problem(admin.inside("POST", "/webhooks/siem/test"))
    resumed = admin.ok("POST", "/webhooks/siem/enable")
    admin.ok("DELETE", "/webhooks/siem")

    assert [each["type"] for each in receiver.verified(secret)] == ["webhook.test"] * 2
    assert len(set(receiver.ids)) == 1
    assert (delivery["state"], delivery["last_status"], delivery["last_answer"]) == ("delivered", 200, "thanks")
    assert (again["queued"], changed["kinds"], paused["state"], resumed["state"]) == (
        1,
        ["alert.*"],
        "disabled",
        "enabled",
    )
    assert (refused, admin.items("/webhooks")) == ((409, "conflict"), [])
    done = [row["action"] for row in rows(rest.database, "audit_entry", noun="webhook")]
    assert done == [
        f"webhook.{word}" for word in ("added", "test", "redelivered", "changed", "disabled", "enabled")
    ] + ["webhook.removed"]


def test_deliveries_are_read_page_by_page_and_by_state(rest: Rest, admin: Person, receiver: Receiver) -> None:
    admin.ok("POST", "/webhooks", NEW | {"url": receiver.url, "kinds": ["webhook.*"]})
    for _ in range(3):
        admin.ok("POST", "/webhooks/siem/test")
    carry(rest.runtime)

    first = admin.ok("GET", "/webhooks/siem/deliveries?limit=2")
    second = admin.ok("GET", f"/webhooks/siem/deliveries?limit=2&cursor={first['next_cursor']}")

    kinds = [each["kind"] for each in (*first["items"], *second["items"])]
    assert (sorted(kinds), second["next_cursor"]) == (["webhook.added", *["webhook.test"] * 3], None)
    assert admin.items("/webhooks/siem/deliveries?state=dead") == []
    assert fields(admin.inside("GET", "/webhooks/siem/deliveries?state=lost")) == {"state"}


def test_only_whoever_configures_and_reads_the_audit_sends_it_out(rest: Rest, admin: Person, viewer: Person) -> None:
    admin.ok("POST", "/webhooks", NEW)

    reading = rest.token_of("admin@acme.example", permissions=("org.integrations:configure",))

    assert problem(viewer.inside("POST", "/webhooks", NEW)) == (403, "refused")
    assert problem(viewer.inside("GET", "/webhooks")) == (403, "refused")
    assert problem(reading.inside("POST", "/webhooks", NEW | {"name": "other"})) == (403, "refused")
    assert problem(reading.inside("PATCH", "/webhooks/siem", {"url": "https://evil.example/"})) == (403, "refused")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"url": "https://10.0.0.1/x"}, "url"),
        ({"url": "http://hooks.example/x"}, "url"),
        ({"kinds": ["nonsense"]}, "kinds"),
        ({"kinds": []}, "kinds"),
        ({"name": "Not A Name"}, "name"),
    ],
)
def test_what_makes_no_sense_is_said_to_where_it_stands(admin: Person, wrong: dict[str, object], field: str) -> None:
    assert fields(admin.inside("POST", "/webhooks", NEW | wrong)) == {field}


def test_one_name_is_given_once_and_an_organization_has_so_many(rest: Rest, admin: Person) -> None:
    admin.ok("POST", "/webhooks", NEW)
    twice = problem(admin.inside("POST", "/webhooks", NEW))
    for number in range(19):
        admin.ok("POST", "/webhooks", NEW | {"name": f"n{number}"})

    assert twice == problem(admin.inside("POST", "/webhooks", NEW | {"name": "more"})) == (409, "conflict")


def test_another_organizations_webhook_is_not_there(rest: Rest, admin: Person) -> None:
    other = rest.with_role("admin", organization="evil")
    theirs = other.ok("POST", "/webhooks", NEW)["webhook"]["id"]

    for method, path in (("GET", "deliveries"), ("POST", "test"), ("POST", "rotate"), ("POST", "redeliver")):
        body = {"since": "1h"} if path == "redeliver" else {} if method == "POST" else None
        assert problem(admin.inside(method, f"/webhooks/{theirs}/{path}", body)) == (404, "not-found")
