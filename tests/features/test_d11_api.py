"""D11, the REST API and the command line: one test a row, named after it."""

import click
import orjson
import pytest

from scim_bridge.api import door
from scim_bridge.api.operations import OPERATIONS
from scim_bridge.cli.main import main
from tests.api.rest import Person, Rest, document, fields, open_rest, problem

assert door.PREFIX


VERBS = {
    "organization": {"create", "list", "show"},
    "directory": {"create", "list", "show", "doctor", "log", "replay"},
    "token": {"create", "list", "revoke"},
    "rule": {"apply", "list"},
    "sync": {"plan", "approve", "run", "status"},
}


def test_openapi_describes_the_rest_api(rest: Rest) -> None:
    found = document(rest.app.test_client().get("/api/v1/openapi.json"))

    operations = [each for path in found["paths"].values() for each in path.values()]
    assert found["openapi"].startswith("3.1")
    assert len(operations) == len(OPERATIONS)
    assert all(each["summary"] for each in operations)
    assert len({each["operationId"] for each in operations}) == len(operations)


@pytest.mark.parametrize("verb", VERBS)
def test_cli_orgs_members_groups_directories_tokens_rules_reconcile_doctor(verb: str) -> None:
    group = main.commands[verb]

    assert isinstance(group, click.Group)
    assert set(group.commands) >= VERBS[verb]
    assert "doctor" in main.commands


def test_idempotency_keys_pagination_rate_limits_field_level_errors(
    owner: Person, rest: Rest, tmp_path_factory: pytest.TempPathFactory
) -> None:
    headers = {"Idempotency-Key": "one"}
    first = owner.request("POST", "/organizations/acme/application-users", {"name": "ci"}, headers)
    again = owner.request("POST", "/organizations/acme/application-users", {"name": "ci"}, headers)
    page = owner.ok("GET", "/roles?limit=1")
    wrong = owner.inside("POST", "/application-users", {"name": 7, "colour": "red"})

    assert first.data == again.data
    assert (len(page["items"]), page["next_cursor"] is None) == (1, False)
    assert problem(wrong) == (422, "invalid")
    assert fields(wrong) == {"name", "colour"}


def test_a_token_that_asks_too_much_is_told_when_to_go_on(
    migrated_url: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with open_rest(
        migrated_url, tmp_path_factory.mktemp("limits"), requests_per_second=0.1, requests_burst=3
    ) as opened:
        owner = opened.token_of("owner@acme.example")
        answers = [owner.inside("GET", "") for _ in range(4)]

    assert [each.status_code for each in answers] == [200, 200, 200, 429]
    assert problem(answers[3]) == (429, "too-many-requests")
    assert int(answers[3].headers["Retry-After"]) >= 1
    assert orjson.loads(answers[3].data)["request_id"] == answers[3].headers["X-Request-Id"]
