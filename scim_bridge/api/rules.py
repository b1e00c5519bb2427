"""Mapping rules: what is in force, what a change of it does, and doing that."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import Field, model_validator

from scim_bridge.api.operations import Call, Entrance, Fields, Paged, operation
from scim_bridge.domain.brakes import BrakeLimits
from scim_bridge.domain.mapping import RuleChanges
from scim_bridge.domain.rule_lint import Finding
from scim_bridge.identity import rule_changes, rule_drafts, rule_lint, rule_versions, rules
from scim_bridge.identity import what_if as questions
from scim_bridge.identity.mapping import UnmappedGroup
from scim_bridge.identity.rule_changes import RuleChange, RulePreview, Wish
from scim_bridge.identity.rule_versions import VersionView
from scim_bridge.identity.what_if import Asked, WhatIf
from scim_bridge.web.paging import Page

TAG = "rules"
WRITE = "organization:rules:write"
READ = "members:read"
# Each row is read by the rules' own reader, which says what is wrong in its words.
Rows = list[Any]


class RulesNamed(Fields):
    """Rules: written out, those of a draft, or those of a version; exactly one of them."""

    rules: Rows | None = Field(default=None, max_length=5000, description="As in a rule file.")
    draft: str | None = Field(default=None, max_length=63)
    version: int | None = Field(default=None, ge=0, description="0: none, as before the first.")

    @model_validator(mode="after")
    def _one(self) -> "RulesNamed":
        if sum(each is not None for each in (self.rules, self.draft, self.version)) != 1:
            raise ValueError("name exactly one of rules, draft and version")
        return self

    @property
    def wish(self) -> Wish:
        """Return what the use case takes."""
        if self.draft is not None:
            return rule_drafts.of_draft(self.draft)
        if self.version is not None:
            return rule_versions.of_version(self.version)
        return rule_changes.of_document({"rules": self.rules})


class RulesPreviewed(RulesNamed):
    """Rules to look at."""

    most: int = Field(default=1000, ge=0, le=1_000_000, description="How many of each kind of thing to list at most.")


class RulesWanted(RulesNamed):
    """Rules to put into force."""

    preview: str | None = Field(default=None, max_length=64, description="The hash of the preview that you have read.")


class RulesLooked(RulesNamed):
    """Rules to look over; those in force if none are named."""

    @model_validator(mode="after")
    def _one(self) -> "RulesLooked":
        if sum(each is not None for each in (self.rules, self.draft, self.version)) > 1:
            raise ValueError("name at most one of rules, draft and version")
        return self

    @property
    def wish_if_any(self) -> Wish | None:
        """Return what the use case takes: None for the rules in force."""
        named = any(each is not None for each in (self.rules, self.draft, self.version))
        return self.wish if named else None


class Question(RulesLooked):
    """Whom to hold rules against: a person with changes, or somebody of a directory who is made up."""

    person: str | None = Field(default=None, max_length=1024)
    directory: str | None = Field(default=None, max_length=63)
    groups: list[str] = Field(default_factory=list, max_length=1000)
    without: list[str] = Field(default_factory=list, max_length=1000)
    attributes: dict[str, str] = Field(default_factory=dict, max_length=100)


class VersionsCompared(Fields):
    """Two versions; without a new one the old one is compared with the rules in force."""

    old: int = Field(ge=0)
    new: int | None = Field(default=None, ge=0)


@dataclass(frozen=True, slots=True)
class RulesView:
    """The rules in force; version 0 before the first. ``unmapped`` are matched and can be given nothing."""

    version: int
    author: str | None
    applied_at: datetime | None
    rules: tuple[Mapping[str, Any], ...]
    unmapped: tuple[UnmappedGroup, ...]


@dataclass(frozen=True, slots=True)
class VersionContent:
    """The rules of one version."""

    version: int
    rules: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class LintReport:
    """What is wrong with rules; nothing where all of them do something."""

    findings: tuple[Finding, ...]


@operation("GET", "/rules", tag=TAG, permission=READ, answers=RulesView)
def show(call: Call) -> RulesView:
    """Return the rules in force, and whom they match and can give nothing to."""
    found = rules.in_force(call.database, call.organization)
    version = found.version
    return RulesView(
        version.version if version else 0,
        version.author if version else None,
        version.applied_at if version else None,
        tuple(each.definition for each in found.rules),
        found.unmapped,
    )


@operation(
    "POST",
    "/rules/preview",
    tag=TAG,
    permission=WRITE,
    entrance=Entrance.SOMEWHERE,
    body=RulesPreviewed,
    answers=RulePreview,
)
def preview(call: Call) -> RulePreview:
    """Say exactly who would gain and lose what, down to the subjects of bindings; nothing is written."""
    given = call.given(RulesPreviewed)
    found = rule_changes.preview(call.database, call.actor, call.organization, given.wish, limits(call))
    return found.at_most(given.most)


@operation(
    "POST",
    "/rules/apply",
    tag=TAG,
    permission=WRITE,
    entrance=Entrance.SOMEWHERE,
    body=RulesWanted,
    answers=RuleChange,
)
def apply(call: Call) -> RuleChange:
    """
    Put rules into force: with exactly the outcome of a preview that is named, or 409 with the new one.

    Without a preview, a change that reaches too far becomes the draft `held` and waits: `applied` says which it was.
    """
    given = call.given(RulesWanted)
    asked = (call.database, call.actor, call.organization)
    if given.preview is None:
        done = rule_changes.apply_unseen(*asked, given.wish, limits(call), call.request_id)
        return RuleChange(done.preview.at_most(rule_changes.MOST_TOLD), done.applied, done.draft)
    if given.draft is not None:
        made = rule_drafts.apply(*asked, given.draft, given.preview, limits(call), call.request_id)
    else:
        made = rule_changes.apply_seen(*asked, given.wish, given.preview, limits(call), call.request_id)
    return RuleChange(made.at_most(rule_changes.MOST_TOLD), applied=True)


@operation("POST", "/rules/what-if", tag=TAG, permission=READ, body=Question, answers=WhatIf)
def what_if(call: Call) -> WhatIf:
    """Hold rules against one person: every rule that was tried, and what would come of it."""
    given = call.given(Question)
    asked = Asked(given.person, given.directory, tuple(given.groups), tuple(given.without), given.attributes)
    return questions.what_if(call.database, call.organization, asked, given.wish_if_any)


@operation("POST", "/rules/lint", tag=TAG, permission=READ, body=RulesLooked, answers=LintReport)
def lint(call: Call) -> LintReport:
    """Name the rules that do nothing, or not what was meant."""
    given = call.given(RulesLooked)
    flawed = None if given.rules is None else rule_lint.of_flawed_document({"rules": given.rules})
    wish = flawed or given.wish_if_any
    return LintReport(tuple(rule_lint.look_over(call.database, call.organization, wish)))


@operation("GET", "/rules/versions", tag=TAG, permission=READ, query=Paged, answers=Page[VersionView])
def versions(call: Call) -> Page[VersionView]:
    """List every version of the rules, the newest first."""
    found = rule_versions.list_all(call.database, call.organization)
    return call.page(found, lambda each: (f"{10**9 - each.version:010}",))


@operation("GET", "/rules/versions/<version>", tag=TAG, permission=READ, answers=VersionContent)
def version_(call: Call, version: str) -> VersionContent:
    """Return the rules of one version, as they were written."""
    number = rule_versions.number_of(version)
    found = rule_versions.content(call.database, call.organization, number)
    return VersionContent(number, tuple(each.definition for each in found.rules))


@operation("GET", "/rules/diff", tag=TAG, permission=READ, query=VersionsCompared, answers=RuleChanges)
def diff(call: Call) -> RuleChanges:
    """Say which rules differ between two versions."""
    asked = call.asked(VersionsCompared)
    new = asked.new
    if new is None:
        present = rules.in_force(call.database, call.organization).version
        new = present.version if present else 0
    return rule_versions.diff(call.database, call.organization, asked.old, new).document


def limits(call: Call) -> BrakeLimits:
    """Return how far a change may reach that nobody has seen."""
    settings = call.runtime.settings
    return BrakeLimits(settings.brake_subjects, settings.brake_percent)
