"""Mapping rules at the REST door: seen, applied with what was seen, and never by whoever does not hold it."""

from typing import Any

import pytest

from scim_bridge.domain.people import DirectoryKind
from scim_bridge.identity import directories, tree
from tests.api.rest import ACTOR, Person, Rest, document, fields, problem
from tests.identity.provider import Provider, rows
from tests.identity.rows import put_cluster

RULE: dict[str, Any] = {
    "name": "devs",
    "directory": "okta",
    "group": "devs",
    "scope": "unit:production",
    "kubernetes_role": "edit",
    "api_role": "developer",
}


@pytest.fixture
def okta(rest: Rest) -> Provider:
    """Give acme a unit with a cluster, and a directory with a group of three."""
    tree.create_unit(rest.database, ACTOR, "acme", "production")
    tree.create_unit(rest.database, ACTOR, "acme", "staging")
    put_cluster(rest.database, "prod", "production")
    provider = Provider.connect(rest.database)
    provider.post_group("devs", *(provider.post(name).id for name in ("ana", "bob", "cem")))
    return provider


def previewed(person: Person, **named: Any) -> dict[str, Any]:
    found = person.ok("POST", "/rules/preview", named)
    assert isinstance(found, dict)
    return found


def names(person: Person) -> list[str]:
    return [rule["name"] for rule in person.ok("GET", "/rules")["rules"]]


def test_a_preview_lists_rules_people_grants_and_subjects(owner: Person, okta: Provider) -> None:
    found = previewed(owner, rules=[RULE])

    assert (found["base_version"], found["version"], found["people"], found["waits"]) == (0, 1, 3, [])
    assert [rule["name"] for rule in found["rules"]["added"]] == ["devs"]
    gains = found["effects"]["gains"]
    assert [(each["subject"], each["cluster"], each["role"]) for each in gains["bindings"]] == [
        (name, "prod", "edit") for name in ("ana", "bob", "cem")
    ]
    assert [(each["holder"], each["origin"]) for each in gains["grants"]] == [("devs", "rule devs")]
    assert names(owner) == []


def test_what_was_seen_is_applied_and_anything_else_is_a_conflict_with_the_new_preview(
    owner: Person, okta: Provider
) -> None:
    seen = previewed(owner, rules=[RULE])
    okta.add(rows(okta.database, "user_group", display_name="devs")[0]["id"], okta.post("eve").id)

    refused = owner.inside("POST", "/rules/apply", {"rules": [RULE], "preview": seen["hash"]})
    again = document(refused)["preview"]
    done = owner.ok("POST", "/rules/apply", {"rules": [RULE], "preview": again["hash"]})

    assert problem(refused) == (409, "conflict")
    assert [each["subject"] for each in again["effects"]["gains"]["bindings"]] == ["ana", "bob", "cem", "eve"]
    assert (done["applied"], done["preview"]) == (True, again)
    assert names(owner) == ["devs"]


def test_what_reaches_far_and_nobody_saw_waits_as_a_draft_until_somebody_did(owner: Person, okta: Provider) -> None:
    rule = RULE | {"api_role": "admin", "allow_privileged": True}

    held = owner.ok("POST", "/rules/apply", {"rules": [rule]})
    (draft,) = owner.items("/rules/drafts")
    seen = previewed(owner, draft="held")
    owner.ok("POST", "/rules/apply", {"draft": "held", "preview": seen["hash"]})

    assert (held["applied"], held["draft"]) == (False, "held")
    assert draft["held_because"] == "3 people gain admin rights."
    assert (names(owner), owner.items("/rules/drafts")) == (["devs"], [])


def test_a_long_preview_can_be_cut(owner: Person, okta: Provider) -> None:
    found = previewed(owner, rules=[RULE], most=1)

    assert (found["people"], len(found["effects"]["gains"]["bindings"])) == (3, 1)
    assert found["hash"] == previewed(owner, rules=[RULE])["hash"]


def test_drafts_are_written_edited_scheduled_and_thrown_away(owner: Person, okta: Provider) -> None:
    owner.ok("PUT", "/rules/drafts/mine", {"rules": [RULE]})
    edited = owner.ok("PATCH", "/rules/drafts/mine", {"changed": [RULE | {"name": "more"}], "removed": ["devs"]})
    seen = previewed(owner, draft="mine")
    set_ = owner.ok("PUT", "/rules/drafts/mine/schedule", {"at": "2999-01-01T00:00:00Z", "preview": seen["hash"]})
    unset = owner.ok("DELETE", "/rules/drafts/mine/schedule")
    owner.ok("DELETE", "/rules/drafts/mine")

    assert [rule["name"] for rule in edited["rules"]] == ["more"]
    assert (set_["apply_at"], unset["apply_at"]) == ("2999-01-01T00:00:00Z", None)
    assert problem(owner.inside("GET", "/rules/drafts/mine")) == (404, "not-found")


def test_versions_are_listed_compared_and_gone_back_to(owner: Person, okta: Provider) -> None:
    owner.ok("POST", "/rules/apply", {"rules": [RULE]})
    owner.ok("POST", "/rules/apply", {"rules": []})

    listed = owner.items("/rules/versions")
    differ = owner.ok("GET", "/rules/diff?old=1")
    seen = previewed(owner, version=1)
    owner.ok("POST", "/rules/apply", {"version": 1, "preview": seen["hash"]})

    assert [(each["version"], each["rules"], each["is_in_force"]) for each in listed] == [(2, 0, True), (1, 1, False)]
    assert [rule["name"] for rule in differ["removed"]] == ["devs"]
    assert owner.ok("GET", "/rules/versions/3")["rules"] == owner.ok("GET", "/rules/versions/1")["rules"]


@pytest.mark.parametrize("version", ["9", "x", "-1", "99999999999"])
def test_a_version_that_is_not_there_is_not_found(owner: Person, version: str) -> None:
    assert problem(owner.inside("GET", f"/rules/versions/{version}")) == (404, "not-found")


def test_what_if_answers_for_somebody_who_is_made_up(owner: Person, okta: Provider) -> None:
    owner.ok("POST", "/rules/apply", {"rules": [RULE]})

    found = owner.ok("POST", "/rules/what-if", {"directory": "okta", "groups": ["devs"]})

    assert [(each["rule"], each["matched"], each["through"]) for each in found["tried"]] == [
        ("devs", True, "group devs")
    ]
    assert (found["api_roles"], found["clusters"][0]["role"]) == ({"unit:production": ["developer"]}, "edit")


def test_lint_names_what_does_nothing_in_force_or_not(owner: Person, okta: Provider) -> None:
    flawed = RULE | {"group": "nobody", "scope": "organization"}

    found = owner.ok("POST", "/rules/lint", {"rules": [flawed]})["findings"]

    assert [each["flaw"] for each in found] == ["no_such_group", "privileged"]
    assert owner.ok("POST", "/rules/lint", {})["findings"] == []


def test_a_default_role_is_seen_and_then_set(owner: Person, okta: Provider) -> None:
    seen = owner.ok("POST", "/rules/defaults/preview", {"api_role": "viewer"})
    owner.ok("PUT", "/rules/defaults", {"api_role": "viewer", "preview": seen["hash"]})
    listed = owner.items("/rules/defaults")
    owner.ok("PUT", "/rules/defaults", {"unset": True})

    assert {each["person"] for each in seen["effects"]["gains"]["api_roles"]} == {"ana", "bob", "cem"}
    assert listed == [{"directory": None, "api_role": "viewer", "kubernetes_role": None}]
    assert owner.items("/rules/defaults") == []


@pytest.mark.parametrize(
    ("path", "body", "marked"),
    [
        ("/rules/preview", {}, "body"),
        ("/rules/preview", {"rules": [], "version": 1}, "body"),
        ("/rules/preview", {"rules": [{"name": "x"}]}, "rules[0]"),
        ("/rules/preview", {"rules": [RULE | {"scope": "unit:nowhere"}]}, "scope"),
        ("/rules/preview", {"rules": [RULE | {"name": ["x"]}]}, "rules[0].name"),
        ("/rules/preview", {"rules": [RULE], "preview": "x"}, "preview"),
        ("/rules/apply", {"rules": 7}, "rules"),
        ("/rules/what-if", {}, "directory"),
        ("/rules/what-if", {"person": "ana", "groups": [7]}, "groups.0"),
        ("/rules/lint", {"version": -1}, "version"),
        ("/rules/defaults/preview", {"api_role": "owner"}, "api_role"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_field_marked(
    owner: Person, okta: Provider, path: str, body: dict[str, Any], marked: str
) -> None:
    answer = owner.inside("POST", path, body)

    assert problem(answer) == (422, "invalid")
    assert marked in fields(answer)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "/rules/drafts/mine", {"changed": [{"name": ["x"]}]}),
        ("PUT", "/rules/drafts/mine/schedule", {"at": "tomorrow", "preview": "x"}),
        ("GET", "/rules/diff?old=x", None),
        ("GET", "/rules/versions?cursor=x", None),
    ],
)
def test_other_nonsense_is_refused_too(owner: Person, method: str, path: str, body: Any) -> None:
    assert problem(owner.inside(method, path, body)) == (422, "invalid")


@pytest.mark.parametrize(
    "body",
    [
        {"person": "a\x00b"},
        {"directory": "okta", "groups": ["a\x00b"]},
        {"directory": "\x00"},
        {"draft": "\x00", "person": "ana"},
    ],
)
def test_names_that_no_database_can_hold_are_no_failure(owner: Person, okta: Provider, body: Any) -> None:
    assert owner.inside("POST", "/rules/what-if", body).status_code in (200, 404, 422)


def test_whoever_may_write_rules_in_one_unit_gives_nothing_beyond_it(rest: Rest, okta: Provider) -> None:
    lead = rest.with_role("admin", scope="unit:production")

    seen = lead.ok("POST", "/rules/preview", {"rules": [RULE]})
    lead.ok("POST", "/rules/apply", {"rules": [RULE], "preview": seen["hash"]})
    beyond = lead.inside("POST", "/rules/preview", {"rules": [RULE, RULE | {"name": "b", "scope": "unit:staging"}]})
    unseen = lead.inside("POST", "/rules/apply", {"rules": [RULE, RULE | {"name": "b", "scope": "unit:staging"}]})
    drafts = lead.inside("PUT", "/rules/drafts/mine", {"rules": []})

    assert [problem(each) for each in (beyond, unseen, drafts)] == [(403, "refused")] * 3
    assert names(rest.token_of("owner@acme.example")) == ["devs"]


def test_a_pattern_reaches_as_far_as_its_parent_and_so_must_its_writer(rest: Rest, okta: Provider) -> None:
    lead = rest.with_role("admin", scope="unit:production")
    anywhere = {**RULE, "group_pattern": "(?P<unit>.+)", "scope": "unit:{unit}", "allow_privileged": True}
    del anywhere["group"]
    below = anywhere | {"scope": "unit:production/{unit}", "parent": "unit:production"}

    assert problem(lead.inside("POST", "/rules/preview", {"rules": [anywhere]})) == (403, "refused")
    assert lead.inside("POST", "/rules/preview", {"rules": [below]}).status_code == 200


def test_a_rule_that_somebody_else_wrote_is_not_taken_away_by_whoever_could_not_write_it(
    rest: Rest, owner: Person, okta: Provider
) -> None:
    lead = rest.with_role("admin", scope="unit:production")
    owner.ok("POST", "/rules/apply", {"rules": [RULE | {"scope": "unit:staging"}]})

    assert problem(lead.inside("POST", "/rules/apply", {"rules": []})) == (403, "refused")
    assert names(owner) == ["devs"]


def test_a_viewer_reads_rules_and_changes_none(viewer: Person, okta: Provider) -> None:
    read = [viewer.inside("GET", path).status_code for path in ("/rules", "/rules/versions", "/rules/drafts")]
    written = [
        viewer.inside("POST", "/rules/preview", {"rules": []}),
        viewer.inside("POST", "/rules/apply", {"rules": []}),
        viewer.inside("PUT", "/rules/drafts/mine", {"rules": []}),
        viewer.inside("PUT", "/rules/defaults", {"unset": True}),
    ]

    assert read == [200, 200, 200]
    assert [problem(each) for each in written] == [(403, "refused")] * 4


def test_another_organizations_draft_is_not_there(rest: Rest, owner: Person, okta: Provider) -> None:
    directories.create(rest.database, ACTOR, "acme", "other", DirectoryKind.OKTA)
    stranger = rest.person("eve", organization="evil")
    rest.grant(stranger, "owner")
    owner.ok("PUT", "/rules/drafts/mine", {"rules": [RULE]})
    draft = owner.ok("GET", "/rules/drafts/mine")["id"]

    assert problem(stranger.inside("GET", f"/rules/drafts/{draft}")) == (404, "not-found")
    assert problem(stranger.inside("POST", "/rules/preview", {"draft": draft})) == (404, "not-found")
