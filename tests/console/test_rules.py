"""The room of rules: drafted by forms, previewed to the person, applied with that outcome or not at all."""

import re

from scim_bridge.identity import rule_drafts, rules
from tests.console.world import Console, Scim
from tests.identity import rows
from tests.identity.signing_in import TERMINAL

RULES = "/console/acme/rules"
RULE = {
    "name": "Developers edit",
    "directory": "okta",
    "kind": "group",
    "text": "Developers",
    "scope": "cluster:prod",
    "kubernetes_role": "edit",
    "priority": "100",
}


def _provisioned(console: Console) -> tuple[Scim, str]:
    """Return a directory that has pushed one group with one person in it, and the group's id."""
    from scim_bridge.domain.people import DirectoryKind
    from scim_bridge.identity import directories

    rows.put_cluster(console.database, "prod")
    token = directories.create(console.database, TERMINAL, "acme", "okta", DirectoryKind.OKTA).token
    assert token is not None
    scim = Scim(console.app, token.text)
    ana = scim.user("ana", "Ana")
    return scim, scim.post("Groups", displayName="Developers", members=[{"value": ana}])


def _hash(page: str) -> str:
    found = re.search(r'name="preview" value="([0-9a-f]+)"', page)
    assert found is not None
    return found[1]


def test_a_rule_is_drafted_previewed_to_the_person_and_put_into_force(console: Console) -> None:
    _provisioned(console)
    browser = console.owner()

    drafted = browser.post(RULES + "/drafts/draft/rules/new", RULE)
    page = browser.get(drafted.headers["Location"]).text
    asked = browser.get(RULES + "/drafts/draft/apply").text
    before = rules.in_force(console.database, "acme").rules
    done = browser.post(RULES + "/drafts/draft/apply", {"preview": _hash(asked)})
    after = browser.get(done.headers["Location"]).text

    assert "Nothing of it is in force." in page
    assert "One person gains access." in asked
    assert "ana@acme.example" in asked
    assert "edit in cluster prod" in asked
    assert before == ()
    assert "Version 1 of the rules is in force." in after
    assert "Developers edit" in after
    assert rule_drafts.list_all(console.database, "acme") == []


def test_what_changed_since_the_preview_is_shown_anew_and_nothing_is_applied(console: Console) -> None:
    scim, group = _provisioned(console)
    browser = console.owner()
    browser.post(RULES + "/drafts/draft/rules/new", RULE)
    seen = _hash(browser.get(RULES + "/drafts/draft/apply").text)
    bram = scim.user("bram", "Bram")
    scim._send(
        "PATCH", f"/Groups/{group}", {"Operations": [{"op": "add", "path": "members", "value": [{"value": bram}]}]}
    )

    answer = browser.post(RULES + "/drafts/draft/apply", {"preview": seen})

    assert answer.status_code == 409
    assert "Something has changed since you looked" in answer.text
    assert "bram@acme.example" in answer.text
    assert _hash(answer.text) != seen
    assert rules.in_force(console.database, "acme").rules == ()
    assert browser.post(RULES + "/drafts/draft/apply", {"preview": _hash(answer.text)}).status_code == 303


def test_mistakes_in_a_rule_are_marked_at_their_field(console: Console) -> None:
    _provisioned(console)
    browser = console.owner()
    path = RULES + "/drafts/draft/rules/new"

    answers = [
        browser.post(path, {**RULE, "name": ""}),
        browser.post(path, {**RULE, "kubernetes_role": ""}),
        browser.post(path, {**RULE, "kind": "group_pattern", "text": "team-(", "scope": "organization"}),
        browser.post(path, {**RULE, "priority": "soon"}),
        browser.post(path, {**RULE, "scope": "place:nowhere"}),
    ]

    assert [each.status_code for each in answers] == [422] * 5
    marked = ["name", None, "text", "priority", "scope"]
    assert [name is None or f'id="{name}-wrong"' in each.text for name, each in zip(marked, answers, strict=True)] == [
        True
    ] * 5
    assert all("rules[" not in each.text for each in answers)
    assert rule_drafts.list_all(console.database, "acme") == []


def test_a_rule_is_renamed_and_taken_out_in_a_draft_and_stays_in_force(console: Console) -> None:
    _provisioned(console)
    row = {
        "name": "Old",
        "directory": "okta",
        "group": "Developers",
        "scope": "cluster:prod",
        "kubernetes_role": "edit",
    }
    rules.apply(console.database, TERMINAL, "acme", {"rules": [row]})
    browser = console.owner()

    form = browser.get(RULES + "/drafts/draft/rules/Old").text
    browser.post(RULES + "/drafts/draft/rules/Old", {**RULE, "name": "New"})
    draft = browser.get(RULES + "/drafts/draft").text
    browser.post(RULES + "/drafts/draft/rules/New/remove")
    asked = browser.get(RULES + "/drafts/draft/apply").text

    assert 'value="Developers"' in form
    assert ("<b>New</b>" in draft, "<b>Old</b>" in draft) == (True, True)
    assert "One person loses access" in asked
    assert [each.name for each in rules.in_force(console.database, "acme").rules] == ["Old"]


def test_an_older_version_comes_back_as_a_new_one(console: Console) -> None:
    _provisioned(console)
    row = {
        "name": "Old",
        "directory": "okta",
        "group": "Developers",
        "scope": "cluster:prod",
        "kubernetes_role": "edit",
    }
    rules.apply(console.database, TERMINAL, "acme", {"rules": [row]})
    rules.apply(console.database, TERMINAL, "acme", {"rules": []})
    browser = console.owner()

    shown = browser.get(RULES + "/versions/1").text
    asked = browser.get(RULES + "/versions/1/restore").text
    done = browser.post(RULES + "/versions/1/restore", {"preview": _hash(asked)})

    assert "What going back to it would change" in shown
    assert "One person gains access." in asked
    assert "The rules of version 1 are in force again, as version 3." in browser.get(done.headers["Location"]).text
    assert "Version 3" in browser.get(RULES + "/versions").text


def test_what_if_names_every_rule_that_was_tried_and_why(full_console: Console) -> None:
    browser = full_console.owner()
    ana = "ana.garc%C3%ADa@acme.example"

    inside = browser.get(f"{RULES}/what-if?person={ana}").text
    outside = browser.get(f"{RULES}/what-if?person={ana}&without=Payments+developers&draft=draft").text
    nobody = browser.get(f"{RULES}/what-if?person=zed@nowhere.example")

    assert "Payments edit" in inside
    assert "stands" in inside
    assert ("Nobody" in inside, "Nobody" in outside) == (True, False)
    assert nobody.status_code == 422


def test_the_list_says_what_is_wrong_with_a_rule(full_console: Console) -> None:
    page = full_console.owner().get(RULES).text

    assert "no such group" in page
    assert "No such group" in page


def test_nobody_writes_a_rule_that_gives_what_they_do_not_hold(console: Console) -> None:
    from scim_bridge.identity import roles

    _provisioned(console)
    allowed = ["members:read", "org:read", "organization:rules:write", "organization:directories:read"]
    roles.put(console.database, TERMINAL, "acme", "ruler", allowed)
    browser = console.browser(console.person("rula", "ruler"))
    browser.get("/console/acme")

    drafted = {**RULE, "kubernetes_role": "cluster-admin", "allow_privileged": "y"}
    browser.post(RULES + "/drafts/draft/rules/new", drafted)

    assert browser.get(RULES + "/drafts/draft/apply").status_code == 403
    assert browser.post(RULES + "/drafts/draft/apply", {"preview": "0" * 64}).status_code == 403
    assert rules.in_force(console.database, "acme").rules == ()
