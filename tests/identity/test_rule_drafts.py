"""Drafts: written whole or rule by rule, seen, applied now or at their time, and never by accident."""

from datetime import timedelta

import pytest

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.brakes import BrakeLimits
from scim_bridge.errors import Invalid, NotFound, PreviewOutdated
from scim_bridge.identity import organizations, rule_drafts, rules
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from tests.identity.provider import actions, rows
from tests.identity.rows import begin, count, directory_id, put_membership, put_user
from tests.identity.rule_worlds import EDIT, VIEW, make_world

SOON = timedelta(hours=1)


@pytest.fixture(autouse=True)
def world(database: Database, actor: Actor) -> None:
    make_world(database, actor)


def draft(database: Database, actor: Actor, *found: dict[str, object], name: str = "draft") -> None:
    rule_drafts.save(database, actor, "acme", {"rules": list(found)}, name)


def names(database: Database, name: str = "draft") -> list[str]:
    return [rule.name for rule in rule_drafts.rules_of(rule_drafts.find(database, "acme", name)).rules]


def in_force(database: Database) -> list[str]:
    return [rule.name for rule in rules.in_force(database, "acme").rules]


def schedule(database: Database, actor: Actor) -> None:
    seen = rule_drafts.preview(database, actor, "acme")
    rule_drafts.schedule(database, actor, "acme", "draft", now() + SOON, seen.hash)


def somebody_joins(database: Database, group: str = "alpha") -> None:
    with database.write() as connection:
        change = begin(connection)
        _, member_id = put_user(connection, change, f"late-{group}@acme.example", directory_id(connection))
        put_membership(connection, change, rows(database, "user_group", display_name=group)[0]["id"], member_id)


def test_a_draft_changes_nothing_and_is_written_down(database: Database, actor: Actor) -> None:
    draft(database, actor, VIEW)

    found = rule_drafts.find(database, "acme")

    assert (found.name, found.base_version, found.author, names(database)) == ("draft", 0, "tests", ["view"])
    assert in_force(database) == []
    assert count(database, "grant_origin") == 1
    assert actions(database)[-1] == "rules.drafted"


def test_single_rules_are_put_in_changed_and_taken_out(database: Database, actor: Actor) -> None:
    rules.apply(database, actor, "acme", {"rules": [VIEW]})

    rule_drafts.edit(database, actor, "acme", [EDIT])
    rule_drafts.edit(database, actor, "acme", [VIEW | {"priority": 7}])
    both = rule_drafts.rules_of(rule_drafts.find(database, "acme")).rules
    rule_drafts.edit(database, actor, "acme", removed=["edit"])

    assert {rule.name: rule.priority for rule in both} == {"edit": 50, "view": 7}
    assert names(database) == ["view"]
    assert in_force(database) == ["view"]


@pytest.mark.parametrize(
    ("changed", "removed", "error"),
    [
        ([{"name": "x"}], [], Invalid),
        ([VIEW | {"name": "other", "kubernetes_role": "edit", "api_role": "viewer"}], [], Invalid),
        ([], ["nothing"], NotFound),
    ],
)
def test_an_edit_that_cannot_be_leaves_the_draft_as_it_is(
    database: Database, actor: Actor, changed: list[dict[str, object]], removed: list[str], error: type[Exception]
) -> None:
    draft(database, actor, VIEW)

    with pytest.raises(error):
        rule_drafts.edit(database, actor, "acme", changed, removed)

    assert names(database) == ["view"]


def test_a_draft_is_applied_with_what_was_seen_and_is_no_draft_then(database: Database, actor: Actor) -> None:
    draft(database, actor, VIEW)
    seen = rule_drafts.preview(database, actor, "acme")

    made = rule_drafts.apply(database, actor, "acme", "draft", seen.hash[:12])

    assert (made, in_force(database), rule_drafts.list_all(database, "acme")) == (seen, ["view"], [])


def test_a_draft_that_would_do_something_else_by_now_stays_one(database: Database, actor: Actor) -> None:
    draft(database, actor, VIEW)
    seen = rule_drafts.preview(database, actor, "acme")
    somebody_joins(database)

    with pytest.raises(PreviewOutdated):
        rule_drafts.apply(database, actor, "acme", "draft", seen.hash)

    assert (in_force(database), names(database)) == ([], ["view"])


def test_drafts_have_names_and_one_does_not_touch_another(database: Database, actor: Actor) -> None:
    draft(database, actor, VIEW, name="mine")
    draft(database, actor, EDIT, name="yours")

    rule_drafts.discard(database, actor, "acme", "mine")

    assert [each.name for each in rule_drafts.list_all(database, "acme")] == ["yours"]
    assert actions(database)[-1] == "rules.draft_discarded"


@pytest.mark.parametrize("name", ["", "a/b", "x" * 64, " "])
def test_a_draft_has_a_name_that_a_person_can_type(database: Database, actor: Actor, name: str) -> None:
    with pytest.raises(Invalid):
        draft(database, actor, VIEW, name=name)


def test_a_draft_that_is_not_there_is_not_found(database: Database, actor: Actor) -> None:
    organizations.create(database, actor, "globex")
    draft(database, actor, VIEW)

    with pytest.raises(NotFound):
        rule_drafts.find(database, "globex")
    with pytest.raises(NotFound):
        rule_drafts.preview(database, actor, "globex")
    with pytest.raises(NotFound):
        rule_drafts.discard(database, actor, "globex")
    with pytest.raises(NotFound):
        rule_drafts.apply(database, actor, "globex", "draft", "0" * 64)
    with pytest.raises(NotFound):
        rule_drafts.unschedule(database, actor, "acme", "other")


def test_a_scheduled_draft_is_applied_at_its_time_and_not_before(database: Database, actor: Actor) -> None:
    rules.apply(database, actor, "acme", {"rules": [VIEW]})
    draft(database, actor)
    schedule(database, actor)

    early = rule_drafts.apply_due(database)
    waiting = in_force(database)
    late = rule_drafts.apply_due(database, at=now() + 2 * SOON)

    assert (early, waiting, late) == (0, ["view"], 1)
    assert (in_force(database), rule_drafts.list_all(database, "acme")) == ([], [])
    assert {row["reason"] for row in rows(database, "plan")} == {"preview"}
    assert rule_drafts.apply_due(database, at=now() + 2 * SOON) == 0


def test_one_whose_outcome_changed_a_little_is_applied_without_an_agreement(database: Database, actor: Actor) -> None:
    rules.apply(database, actor, "acme", {"rules": [VIEW | {"group": "gamma"}]})
    draft(database, actor)
    schedule(database, actor)
    somebody_joins(database, "gamma")

    done = rule_drafts.apply_due(database, at=now() + 2 * SOON)

    assert (done, in_force(database), count(database, "plan")) == (1, [], 0)


def test_one_whose_outcome_changed_and_reaches_far_stays_a_draft_that_says_why(
    database: Database, actor: Actor
) -> None:
    draft(database, actor, VIEW)
    schedule(database, actor)
    somebody_joins(database)

    done = rule_drafts.apply_due(database, BrakeLimits(subjects=2), now() + 2 * SOON)

    found = rule_drafts.find(database, "acme")
    assert (done, in_force(database), found.apply_at) == (0, [], None)
    assert found.problem is not None
    assert "at most 2 of 13 go unseen" in found.problem


def test_one_whose_base_changed_stays_a_draft(database: Database, actor: Actor) -> None:
    draft(database, actor, VIEW)
    schedule(database, actor)
    rules.apply(database, actor, "acme", {"rules": [EDIT]})

    done = rule_drafts.apply_due(database, at=now() + 2 * SOON)

    assert (done, in_force(database)) == (0, ["edit"])
    assert "not those of version 0 any more" in (rule_drafts.find(database, "acme").problem or "")


def test_one_that_cannot_be_applied_does_not_keep_others_from_it(database: Database, actor: Actor) -> None:
    draft(database, actor, VIEW)
    schedule(database, actor)
    with database.write() as connection:
        from scim_bridge.store.schema import rule_draft

        connection.execute(rule_draft.update().values(document='[{"name":"broken"}]'))
    draft(database, actor, VIEW, name="second")
    seen = rule_drafts.preview(database, actor, "acme", "second")
    rule_drafts.schedule(database, actor, "acme", "second", now() + SOON, seen.hash)

    done = rule_drafts.apply_due(database, at=now() + 2 * SOON)

    assert (done, in_force(database)) == (1, ["view"])


def test_writing_a_draft_anew_takes_its_time_away(database: Database, actor: Actor) -> None:
    draft(database, actor, VIEW)
    schedule(database, actor)

    draft(database, actor, EDIT)

    assert rule_drafts.find(database, "acme").apply_at is None


def test_a_time_can_be_taken_back(database: Database, actor: Actor) -> None:
    draft(database, actor, VIEW)
    schedule(database, actor)

    rule_drafts.unschedule(database, actor, "acme", "draft")

    assert rule_drafts.apply_due(database, at=now() + 2 * SOON) == 0
    assert actions(database)[-1] == "rules.unscheduled"


def test_nothing_is_scheduled_unseen_or_for_yesterday(database: Database, actor: Actor) -> None:
    draft(database, actor, VIEW)
    seen = rule_drafts.preview(database, actor, "acme")

    with pytest.raises(PreviewOutdated):
        rule_drafts.schedule(database, actor, "acme", "draft", now() + SOON, "0" * 64)
    with pytest.raises(Invalid):
        rule_drafts.schedule(database, actor, "acme", "draft", now() - SOON, seen.hash)

    assert rule_drafts.find(database, "acme").apply_at is None
