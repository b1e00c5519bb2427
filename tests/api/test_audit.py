"""The audit over REST: looked up page by page, handed out whole, verified."""

import csv
import io
import json

import pytest

from scim_bridge.identity import grants, tree
from scim_bridge.identity.grants import GrantWanted
from scim_bridge.store.audit import add_audit
from scim_bridge.store.database import Database
from scim_bridge.store.sealing import load_keyring
from scim_bridge.sync.sealer import Sealer
from tests.api.rest import ACTOR, Person, Rest, document, fields, problem
from tests.identity.chains import change_row
from tests.identity.provider import rows
from tests.identity.rows import begin, put_cluster


def seal(rest: Rest) -> None:
    sealer = Sealer(rest.database, load_keyring(rest.settings))
    sealer.seal()
    sealer.close()


def actions(found: list[dict[str, str]]) -> list[str]:
    return [each["action"] for each in found if each["action"] != "access.changed"]


def test_entries_are_listed_the_newest_first_and_page_by_page(rest: Rest, owner: Person) -> None:
    for role in ("view", "edit"):
        grants.add(rest.database, ACTOR, "acme", GrantWanted("organization", person=owner.name, kubernetes_role=role))

    whole = owner.ok("GET", "/audit?limit=1000")["items"]
    page, found = owner.ok("GET", "/audit?limit=3"), []
    while True:
        found += page["items"]
        if page["next_cursor"] is None:
            break
        page = owner.ok("GET", f"/audit?limit=3&cursor={page['next_cursor']}")

    assert found == whole
    assert len(found) == len(rows(rest.database, "audit_entry"))
    assert [each["at"] for each in found] == sorted((each["at"] for each in found), reverse=True)
    assert actions(found)[0] == "grant.added"


def test_an_entry_says_who_did_what_to_what_in_which_request(rest: Rest, owner: Person) -> None:
    body = {"person": owner.name, "kubernetes_role": "view"}
    answer = owner.inside("POST", "/grants", body)

    (entry,) = owner.items("/audit?action=grant.added&actor=person&since=1h")

    assert entry["request_id"] == answer.headers["X-Request-Id"]
    assert entry["actor_name"].startswith(owner.name)
    assert entry["noun"] == "grant"
    assert entry["detail"]["kubernetes_role"] == "view"
    assert entry["object_id"] == document(answer)["id"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("action=grant.*", {"grant.added"}),
        ("action=organization.created", {"organization.created"}),
        ("actor=nobody", set()),
        ("actor=tests&action=member.added", {"member.added"}),
        ("until=2020-01-01", set()),
        ("since=2099-01-01", set()),
        ("request=nothing", set()),
        ("object=person:owner@acme.example", {"grant.added", "member.added"}),
    ],
)
def test_entries_are_found_by_what_is_known_of_them(owner: Person, query: str, expected: set[str]) -> None:
    found = owner.items(f"/audit?limit=1000&{query}")

    assert {each["action"] for each in found} - {"access.changed", "api_token.created"} == expected


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ("since=yesterday", 422, "since"),
        ("object=planet:earth", 422, "object"),
        ("cursor=x", 422, "cursor"),
        ("limit=0", 422, "limit"),
        ("nothing=1", 422, "nothing"),
    ],
)
def test_a_question_that_makes_no_sense_marks_its_field(owner: Person, query: str, status: int, field: str) -> None:
    answer = owner.inside("GET", f"/audit?{query}")

    assert problem(answer)[0] == status
    assert fields(answer) == {field}


def test_an_object_that_is_not_there_is_not_found(owner: Person) -> None:
    assert problem(owner.inside("GET", "/audit?object=cluster:nowhere")) == (404, "not-found")


def test_everything_can_be_handed_out_as_json_lines_and_as_csv(rest: Rest, owner: Person) -> None:
    whole = owner.ok("GET", "/audit?limit=1000")["items"]

    lines = owner.inside("GET", "/audit/export")
    table = owner.inside("GET", "/audit/export?format=csv")

    exported = [json.loads(line) for line in lines.text.splitlines()]
    assert lines.content_type == "application/x-ndjson"
    assert [each["id"] for each in exported] == [each["id"] for each in reversed(whole)]
    assert exported[0]["detail"] == whole[-1]["detail"]
    assert table.content_type.startswith("text/csv")
    assert [each["id"] for each in csv.DictReader(io.StringIO(table.text))] == [each["id"] for each in exported]


def test_a_name_that_is_a_formula_stays_a_name_in_the_csv(rest: Rest, owner: Person) -> None:
    change_row(rest.database, "audit_entry", {"action": "organization.created"}, actor_name='=HYPERLINK("x")')

    table = owner.inside("GET", "/audit/export?format=csv&action=organization.created")

    (row,) = csv.DictReader(io.StringIO(table.text))
    assert row["actor_name"] == '\'=HYPERLINK("x")'


def test_a_form_that_nobody_knows_is_refused(owner: Person) -> None:
    answer = owner.inside("GET", "/audit/export?format=xml")

    assert problem(answer)[0] == 422
    assert fields(answer) == {"format"}


def test_the_audit_verifies_itself_and_names_what_was_changed(rest: Rest, owner: Person) -> None:
    seal(rest)
    sound = owner.ok("GET", "/audit/verification")
    (entry,) = rows(rest.database, "audit_entry", sequence=2)

    change_row(rest.database, "audit_entry", {"id": entry["id"]}, action="nothing.happened")

    broken = owner.ok("GET", "/audit/verification")
    assert (sound["holds"], sound["problem"], sound["unsealed"]) == (True, None, 0)
    assert broken["holds"] is False
    assert (broken["problem"]["sequence"], broken["problem"]["entry"]) == (2, entry["id"])


def test_what_an_earlier_verification_printed_is_compared(rest: Rest, owner: Person) -> None:
    seal(rest)
    last = owner.ok("GET", "/audit/verification")

    same = owner.ok("GET", f"/audit/verification?expected={last['last']}:{last['hash']}")
    other = owner.ok("GET", f"/audit/verification?expected={last['last']}:{'0' * 64}")
    nonsense = owner.inside("GET", "/audit/verification?expected=5")

    assert (same["holds"], other["holds"]) == (True, False)
    assert fields(nonsense) == {"expected"}


def test_the_audit_of_one_cluster_is_for_who_may_see_that_cluster(rest: Rest, owner: Person) -> None:
    tree.create_unit(rest.database, ACTOR, "acme", "prod")
    mine, other = put_cluster(rest.database, "prod-eu", "prod"), put_cluster(rest.database, "lab")
    with_unit = rest.with_role("viewer", scope="unit:prod")
    write(rest.database, mine, other)

    found = with_unit.items("/clusters/prod-eu/audit")

    assert [each["object_id"] for each in found] == [mine]
    assert problem(with_unit.inside("GET", "/clusters/lab/audit")) == (403, "refused")
    assert problem(with_unit.inside("GET", "/audit")) == (403, "refused")
    assert problem(owner.inside("GET", "/clusters/nowhere/audit")) == (404, "not-found")


def write(database: Database, *clusters: str) -> None:
    with database.write() as connection:
        change = begin(connection)
        for each in clusters:
            add_audit(connection, change, "binding.written", "binding", each, {"added": []})


@pytest.mark.parametrize("path", ["/audit", "/audit/export", "/audit/verification"])
def test_viewers_see_the_audit_and_others_do_not(rest: Rest, viewer: Person, path: str) -> None:
    payer, stranger = rest.with_role("billing-admin"), Person(rest.app, "x", "sbp_none", "acme")

    assert viewer.inside("GET", path).status_code == 200
    assert problem(payer.inside("GET", path)) == (403, "refused")
    assert problem(stranger.inside("GET", path)) == (401, "not-authenticated")
