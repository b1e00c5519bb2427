"""The access explorer and the audit: who has what, why and when, and whether it is what was written."""

from html import unescape

import orjson

from scim_bridge.identity import grants, hand_groups, hand_members
from scim_bridge.identity.grants import GrantWanted
from tests.console.world import Console
from tests.identity import rows
from tests.identity.signing_in import TERMINAL


def _granted(console: Console) -> str:
    person = console.person("ana")
    rows.put_cluster(console.database, "prod-eu")
    groups = hand_groups.create(console.database, TERMINAL, "acme", "On call", None)
    hand_members.add(console.database, TERMINAL, "acme", groups.id, [person.email])
    wanted = GrantWanted("organization", person=person.email, kubernetes_role="edit")
    grants.add(console.database, TERMINAL, "acme", wanted)
    return person.email


def test_a_persons_access_is_a_chain_from_what_was_said_to_the_role(full_console: Console) -> None:
    page = full_console.owner().get("/console/acme/access?person=ana.garc%C3%ADa@acme.example&cluster=prod-eu").text

    chain = page.partition('<ol class="chain">')[2].partition("</ol>")[0]
    assert "membership" in chain
    assert "Platform admins" in chain
    assert "edit" in chain
    assert "staging-eu</h2>" not in page


def test_each_point_of_the_slider_is_what_was_then(console: Console) -> None:
    email, browser = _granted(console), console.owner()
    page = browser.get(f"/console/acme/access?person={email}").text
    stops = [
        unescape(part.partition('"')[0])
        for part in page.partition('class="timeline"')[2].partition("</ol>")[0].split('href="')[1:]
    ]

    roles = [_role_on_prod(browser.get("/console/acme/access" + stop).text) for stop in stops]

    assert "is given edit" in page
    # The grant is the latest thing that happened, and now comes after it.
    assert roles[-2:] == ["edit", "edit"]
    assert set(roles[:-2]) <= {"", "nothing said"}


def _role_on_prod(page: str) -> str:
    card = page.partition("<h2>prod-eu</h2>")[2]
    return card.partition('<span class="badge')[2].partition(">")[2].partition("<")[0]


def test_who_has_a_role_on_a_cluster_is_listed(full_console: Console) -> None:
    browser = full_console.owner()

    found = browser.get("/console/acme/access?cluster=prod-eu&role=edit").text
    nobody = browser.get("/console/acme/access?cluster=prod-eu&role=cluster-admin").text

    assert "Ana García" in found
    assert "Nobody has that" in nobody


def test_a_question_that_makes_no_sense_is_answered_with_a_sentence(full_console: Console) -> None:
    browser = full_console.owner()

    unknown = browser.get("/console/acme/access?person=nobody@nowhere.example")
    undated = browser.get("/console/acme/access?cluster=prod-eu&at=yesteryear")

    assert (unknown.status_code, undated.status_code) == (422, 422)
    assert 'role="alert"' in unknown.text


def test_everybodys_access_is_a_file_for_a_spreadsheet(full_console: Console) -> None:
    answer = full_console.owner().get("/console/acme/access/matrix")

    assert answer.mimetype == "text/csv"
    assert "ana.garcía@acme.example" in answer.text


def test_the_audit_is_found_by_its_address_and_leads_to_the_whole_request(full_console: Console) -> None:
    browser = full_console.owner()

    everything = browser.get("/console/acme/audit").text
    groups = browser.get("/console/acme/audit?action=group.*&actor=directory").text
    nothing = browser.get("/console/acme/audit?action=nothing.such").text

    assert "directory.created" in everything or 'rel="next"' in everything
    assert ("group.created" in groups, "grant." in groups) == (True, False)
    assert "No entry is like that" in nothing


def test_the_audit_is_handed_out_as_it_was_asked_for(full_console: Console) -> None:
    answer = full_console.owner().get("/console/acme/audit/export?action=directory.created")

    lines = [orjson.loads(line) for line in answer.text.splitlines()]
    assert {each["action"] for each in lines} == {"directory.created"}


def test_the_chain_is_verified_and_says_what_to_keep(full_console: Console) -> None:
    browser = full_console.owner()

    good = browser.get("/console/acme/audit/verification").text
    bad = browser.get("/console/acme/audit/verification?expected=99:abc")

    assert "The audit is what was written" in good
    assert "The audit is NOT what was written" in bad.text or bad.status_code == 422
