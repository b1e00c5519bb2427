"""Mapping rules: those in force with what is wrong with them, and what they do for one person."""

from typing import Any

import wtforms
from flask import Response

from scim_bridge.console.fields import several, words
from scim_bridge.console.forms import Form, submit
from scim_bridge.console.pages import page
from scim_bridge.console.screens import Visit, screen
from scim_bridge.domain.mapping import MatchKind, Rule
from scim_bridge.domain.rule_lint import Finding
from scim_bridge.identity import default_roles, rule_drafts, rule_lint, rules
from scim_bridge.identity import what_if as questions
from scim_bridge.identity.what_if import Asked

READ = "members:read"
WRITE = "organization:rules:write"
CONDITIONS = {
    MatchKind.GROUP_ID: "group with the id",
    MatchKind.GROUP: "group",
    MatchKind.GROUP_PREFIX: "groups that begin with",
    MatchKind.GROUP_PATTERN: "groups like",
    MatchKind.ATTRIBUTE: "people whose",
}


class QuestionForm(Form):
    """Whom to hold rules against; sent as a query, so that a question can be sent to somebody."""

    person = wtforms.StringField("Person", description="A user name or an e-mail address.")
    groups = wtforms.StringField("Also in the groups", description="Separated by commas; nothing is written.")
    without = wtforms.StringField("Not in the groups")
    draft = wtforms.SelectField("By the rules", default="")


@screen("GET", "/rules", title="Rules", permission=READ, in_menu=True)
def list_(visit: Visit) -> Response:
    """Show the rules in force by their priority, what is wrong with them, and the drafts."""
    found = rules.in_force(visit.database, visit.organization)
    return page(
        visit,
        "rules",
        version=found.version,
        rules=sorted(found.rules, key=lambda each: (each.priority, each.name)),
        findings=by_rule(rule_lint.look_over(visit.database, visit.organization)),
        unmapped=found.unmapped,
        drafts=rule_drafts.list_all(visit.database, visit.organization),
        defaults=default_roles.list_all(visit.database, visit.organization),
        condition=condition,
    )


@screen("GET", "/rules/what-if", title="What if?", permission=READ)
def what_if(visit: Visit) -> Response:
    """Hold rules against one person: every rule that was tried, and what would come of it."""
    drafts = [each.name for each in rule_drafts.list_all(visit.database, visit.organization)]
    names = ("person", "groups", "without", "draft")
    values: dict[str, Any] = {name: visit.asked(name) or "" for name in names}
    form = QuestionForm(data=values)
    form.draft.choices = [("", "in force"), *((name, f"of the draft {name}") for name in drafts)]
    person = form.text("person")
    if person is None:
        return page(visit, "what_if", form=form, answer=None)
    draft = form.text("draft")
    asked = Asked(person, None, tuple(several(form.text("groups"))), tuple(several(form.text("without"))))
    wish = None if draft is None else rule_drafts.of_draft(draft)
    answer = submit(form, lambda: questions.what_if(visit.database, visit.organization, asked, wish), typed=True)
    return page(visit, "what_if", 200 if answer else 422, form=form, answer=answer)


def condition(rule: Rule) -> str:
    """Return whom a rule matches, in words."""
    match = rule.match
    if match.kind is MatchKind.ATTRIBUTE:
        return f"{CONDITIONS[match.kind]} {match.text} is {' or '.join(match.values)}"
    return f"{CONDITIONS[match.kind]} {match.text}"


def by_rule(findings: list[Finding]) -> dict[str, list[Finding]]:
    """Return what is wrong, by the rule that it is about."""
    found: dict[str, list[Finding]] = {}
    for each in findings:
        found.setdefault(each.rule, []).append(each)
    return found


def kinds() -> list[tuple[str, str]]:
    """Return what a rule may look at, to choose from."""
    told = {
        "group": "A group by its name",
        "group_id": "A group by its id",
        "group_prefix": "Groups by the beginning of their name",
        "group_pattern": "Groups by a pattern",
        "attribute": "People by an attribute",
    }
    return [(value, told[value]) for value, _ in sorted(words(MatchKind), key=lambda each: list(told).index(each[0]))]
