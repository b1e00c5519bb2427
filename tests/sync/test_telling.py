"""What others are told of an audit entry, and by which headers a receiver knows it for ours."""

from dataclasses import replace
from datetime import UTC, datetime

import orjson
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from scim_bridge.domain.audit_chain import Entry
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.outbound.signing import new_secret, signed_headers
from scim_bridge.store.clock import now
from scim_bridge.sync.telling import LONGEST_BODY, message_of

ACME = OrganizationId("acme-id")
ENTRY = Entry(
    "entry-1",
    "acme-id",
    datetime(2026, 11, 29, 14, 0, 0, 5, UTC),
    "person",
    "session-1",
    "ana@acme.example",
    "group.changed",
    "group",
    "group-1",
    "request-1",
    "change-1",
    '{"name":["old","new"]}',
    "salt",
    "digest",
    7,
    "hash-6",
    "hash-7",
    datetime(2026, 11, 29, 14, 0, 1, tzinfo=UTC),
)


def data_of(entry: Entry, kind: str = "group.changed") -> dict[str, object]:
    found = orjson.loads(message_of(ACME, kind, entry)[1])["data"]
    assert isinstance(found, dict)
    return found


def test_an_event_is_the_entry_as_the_export_has_it_without_what_only_the_chain_needs() -> None:
    message_id, body = message_of(ACME, "group.changed", ENTRY)

    assert message_id == "evt_entry-1"
    assert orjson.loads(body) == {
        "type": "group.changed",
        "timestamp": "2026-11-29T14:00:00.000005Z",
        "data": {
            "organization_id": "acme-id",
            "sequence": 7,
            "id": "entry-1",
            "at": "2026-11-29T14:00:00.000005Z",
            "actor_kind": "person",
            "actor_id": "session-1",
            "actor_name": "ana@acme.example",
            "action": "group.changed",
            "noun": "group",
            "object_id": "group-1",
            "request_id": "request-1",
            "change_id": "change-1",
            "hash": "hash-7",
            "detail": {"name": ["old", "new"]},
        },
    }


def test_one_entry_under_two_kinds_is_two_messages_and_the_same_each_time() -> None:
    as_event, as_line = message_of(ACME, "group.changed", ENTRY), message_of(ACME, "audit.entry", ENTRY)

    assert (as_event[0], as_line[0]) == ("evt_entry-1", "aud_entry-1")
    assert as_event == message_of(ACME, "group.changed", ENTRY)
    assert data_of(ENTRY) == data_of(ENTRY, "audit.entry")


def test_what_was_erased_or_is_too_long_is_left_out() -> None:
    erased = data_of(replace(ENTRY, detail=None, actor_name=""))
    long = data_of(replace(ENTRY, detail=orjson.dumps({"name": "x" * LONGEST_BODY}).decode()))

    assert (erased["detail"], erased["actor_name"], long["detail"]) == (None, None, None)
    assert len(message_of(ACME, "a.b", replace(ENTRY, detail='{"a":"' + "x" * 1000 + '"}'))[1]) > 1000


def test_a_message_is_believed_with_the_right_secret_the_right_text_and_in_its_time() -> None:
    secret, other = new_secret(), new_secret()
    headers = signed_headers("evt_1", now(), '{"a":1}', [secret])
    old = signed_headers("evt_1", datetime(2020, 1, 1, tzinfo=UTC), '{"a":1}', [secret])

    assert Webhook(secret).verify('{"a":1}', headers) == {"a": 1}
    for wrong_secret, text, wrong in (
        (other, '{"a":1}', headers),
        (secret, '{"a":2}', headers),
        (secret, '{"a":1}', old),
        (secret, '{"a":1}', headers | {"webhook-id": "evt_2"}),
    ):
        with pytest.raises(WebhookVerificationError):
            Webhook(wrong_secret).verify(text, wrong)


def test_every_live_secret_signs_and_each_secret_is_another() -> None:
    secrets = [new_secret() for _ in range(3)]

    headers = signed_headers("evt_1", now(), "{}", secrets)

    assert len(set(secrets)) == 3
    assert all(Webhook(secret).verify("{}", headers) == {} for secret in secrets)
