"""Drafts of rules, and the default role of whom no rule maps."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import AwareDatetime, Field

from scim_bridge.api.operations import Call, Fields, Paged, operation
from scim_bridge.api.rules import READ, TAG, WRITE, Rows, limits
from scim_bridge.domain.default_roles import checked_default
from scim_bridge.identity import default_roles, rule_drafts
from scim_bridge.identity.default_roles import DefaultPreview, DefaultView, DefaultWanted
from scim_bridge.identity.rule_drafts import Draft
from scim_bridge.web.paging import Page


class DraftContent(Fields):
    """All rules of a draft."""

    rules: Rows = Field(max_length=5000, description="As in a rule file.")


class DraftEdit(Fields):
    """Single rules of a draft: those to put in place of the ones of their names, and those to take out."""

    changed: Rows = Field(default_factory=list, max_length=5000)
    removed: list[str] = Field(default_factory=list, max_length=5000)


class DraftSchedule(Fields):
    """When to apply a draft, and the preview that you have read."""

    at: AwareDatetime
    preview: str = Field(max_length=64)


class DefaultGiven(Fields):
    """What the unmapped get: of one directory, or of all that say nothing themselves."""

    directory: str | None = Field(default=None, max_length=63)
    api_role: str | None = Field(default=None, max_length=63)
    kubernetes_role: str | None = Field(default=None, max_length=63)
    unset: bool = Field(default=False, description="Say nothing any more, instead of explicitly nothing.")

    @property
    def wanted(self) -> DefaultWanted:
        """Return what the use case takes."""
        role = None if self.unset else checked_default(self.api_role, self.kubernetes_role)
        return DefaultWanted(role, self.directory)


class DefaultSet(DefaultGiven):
    """The default to set, and the preview that you have read."""

    preview: str | None = Field(default=None, max_length=64)


@dataclass(frozen=True, slots=True)
class DraftView:
    """
    One draft; ``base_version`` was in force when it was written.

    ``held_because`` says why it waits where somebody tried to apply it unseen, ``problem`` why it was not applied at
    its time.
    """

    id: str
    name: str
    author: str
    base_version: int
    created_at: datetime
    updated_at: datetime
    held_because: str
    apply_at: datetime | None
    problem: str | None
    rules: tuple[Mapping[str, Any], ...]


@operation("GET", "/rules/drafts", tag=TAG, permission=READ, query=Paged, answers=Page[DraftView])
def list_drafts(call: Call) -> Page[DraftView]:
    """List the drafts."""
    found = [_view(each) for each in rule_drafts.list_all(call.database, call.organization)]
    return call.page(found, lambda each: (each.name,))


@operation("GET", "/rules/drafts/<draft>", tag=TAG, permission=READ, answers=DraftView)
def show_draft(call: Call, draft: str) -> DraftView:
    """Return a draft."""
    return _view(rule_drafts.find(call.database, call.organization, draft))


@operation(
    "PUT",
    "/rules/drafts/<draft>",
    tag=TAG,
    permission=WRITE,
    body=DraftContent,
    answers=DraftView,
)
def save_draft(call: Call, draft: str) -> DraftView:
    """Write a draft, or all of it anew."""
    document = {"rules": call.given(DraftContent).rules}
    return _view(rule_drafts.save(call.database, call.actor, call.organization, document, draft, call.request_id))


@operation(
    "PATCH",
    "/rules/drafts/<draft>",
    tag=TAG,
    permission=WRITE,
    body=DraftEdit,
    answers=DraftView,
)
def edit_draft(call: Call, draft: str) -> DraftView:
    """Change single rules of a draft; one that is not there begins as the rules in force."""
    given = call.given(DraftEdit)
    return _view(
        rule_drafts.edit(
            call.database, call.actor, call.organization, given.changed, given.removed, draft, call.request_id
        )
    )


@operation("DELETE", "/rules/drafts/<draft>", tag=TAG, permission=WRITE)
def discard_draft(call: Call, draft: str) -> None:
    """Throw a draft away."""
    rule_drafts.discard(call.database, call.actor, call.organization, draft, call.request_id)


@operation(
    "PUT",
    "/rules/drafts/<draft>/schedule",
    tag=TAG,
    permission=WRITE,
    body=DraftSchedule,
    answers=DraftView,
)
def schedule_draft(call: Call, draft: str) -> DraftView:
    """Have a draft applied at a time; 409 with the new preview when its outcome is another one already."""
    given = call.given(DraftSchedule)
    return _view(
        rule_drafts.schedule(
            call.database, call.actor, call.organization, draft, given.at, given.preview, call.request_id
        )
    )


@operation(
    "DELETE",
    "/rules/drafts/<draft>/schedule",
    tag=TAG,
    permission=WRITE,
    answers=DraftView,
)
def unschedule_draft(call: Call, draft: str) -> DraftView:
    """Leave a draft a draft."""
    return _view(rule_drafts.unschedule(call.database, call.actor, call.organization, draft, call.request_id))


@operation("GET", "/rules/defaults", tag=TAG, permission=READ, query=Paged, answers=Page[DefaultView])
def list_defaults(call: Call) -> Page[DefaultView]:
    """List the default roles that are set; none means that the unmapped get nothing."""
    found = default_roles.list_all(call.database, call.organization)
    return call.page(found, lambda each: (each.directory or "",))


@operation("POST", "/rules/defaults/preview", tag=TAG, permission=WRITE, body=DefaultGiven, answers=DefaultPreview)
def preview_default(call: Call) -> DefaultPreview:
    """Say exactly who would gain and lose what by a default role; nothing is written."""
    wanted = call.given(DefaultGiven).wanted
    return default_roles.preview(call.database, call.actor, call.organization, wanted, limits(call))


@operation("PUT", "/rules/defaults", tag=TAG, permission=WRITE, body=DefaultSet, answers=DefaultPreview)
def set_default(call: Call) -> DefaultPreview:
    """Set a default role, with exactly the outcome of the preview that is named; 409 with the new one otherwise."""
    given = call.given(DefaultSet)
    return default_roles.set_default(
        call.database, call.actor, call.organization, given.wanted, given.preview, limits(call), call.request_id
    )


def _view(draft: Draft) -> DraftView:
    return DraftView(
        draft.id,
        draft.name,
        draft.author,
        draft.base_version,
        draft.created_at,
        draft.updated_at,
        draft.held_because,
        draft.apply_at,
        draft.problem,
        tuple(rule.definition for rule in rule_drafts.rules_of(draft).rules),
    )
