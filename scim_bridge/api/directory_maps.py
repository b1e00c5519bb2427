"""Attribute mappings of directories: shown, tried, previewed and put into force."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import Field

from scim_bridge.api.directories import MANAGING, READING, TAG
from scim_bridge.api.operations import Call, Fields, operation
from scim_bridge.domain.attributes import FieldTrace, Tried
from scim_bridge.errors import Invalid
from scim_bridge.identity import attribute_changes, attribute_mapping
from scim_bridge.identity.attribute_changes import MappingPreview
from scim_bridge.identity.attribute_mapping import Tested
from scim_bridge.web import context

SHOWN_PEOPLE = 1_000


class MappingGiven(Fields):
    """A mapping as in a mapping file: fields by name, each with from, transforms, default and required."""

    version: int = 1
    fields: dict[str, Any] = Field(default_factory=dict, max_length=50)

    @property
    def document(self) -> Mapping[str, object]:
        """Return what the use case reads."""
        return {"version": self.version, "fields": self.fields}


class MappingAgreed(MappingGiven):
    """A mapping and the preview of it that somebody has read."""

    preview: str = Field(min_length=1, max_length=64, description="Its hash, or the first 12 characters of it.")


class MappingTest(Fields):
    """One user to try a mapping on: a stored one, or one as an identity provider sends it."""

    user: str | None = Field(default=None, max_length=1024, description="A SCIM id or a userName.")
    document: dict[str, Any] | None = None
    mapping: MappingGiven | None = Field(default=None, description="One that is not in force; else that in force.")


@dataclass(frozen=True, slots=True)
class VersionItem:
    """One version of a mapping."""

    version: int
    author: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class MappingDocument:
    """How each field is filled; ``own`` are those that the directory itself defines. Version 0 is before the first."""

    directory: str
    version: int
    fields: dict[str, Any]
    own: tuple[str, ...]
    lacking: dict[str, int]
    versions: tuple[VersionItem, ...]


@dataclass(frozen=True, slots=True)
class StepItem:
    """What one transform made of a value."""

    transform: str
    result: str


@dataclass(frozen=True, slots=True)
class TriedItem:
    """One source that was looked at; ``passed_over`` says why it was not taken."""

    source: str
    raw: str | None
    steps: tuple[StepItem, ...]
    passed_over: str | None


@dataclass(frozen=True, slots=True)
class FieldItem:
    """How one field came to its value."""

    field: str
    value: str | None
    origin: str
    error: str | None
    tried: tuple[TriedItem, ...]


@dataclass(frozen=True, slots=True)
class MappingTested:
    """What a mapping makes of one user; ``stored`` is what is known of a stored one now."""

    directory: str
    version: int
    user_name: str
    fields: tuple[FieldItem, ...]
    lacks: tuple[str, ...]
    stored: dict[str, str] | None


@operation("GET", "/directories/<directory>/mapping", tag=TAG, permission=READING, answers=MappingDocument)
def show_mapping(call: Call, directory: str) -> MappingDocument:
    """Show which attributes fill which fields of a person, and how many people lack what is required."""
    found = attribute_mapping.show(call.database, call.organization, directory, context.scim().read_path)
    return MappingDocument(
        found.directory.name,
        found.version,
        {rule.name: rule.definition for rule in found.mapping.fields},
        tuple(sorted(found.mapping.own)),
        dict(found.lacking),
        tuple(VersionItem(each.version, each.author, each.since, each.until) for each in found.versions),
    )


@operation(
    "POST",
    "/directories/<directory>/mapping/test",
    tag=TAG,
    permission=READING,
    body=MappingTest,
    answers=MappingTested,
)
def try_mapping(call: Call, directory: str) -> MappingTested:
    """Say field by field what a mapping makes of one user: what was looked at, and what became of it."""
    given, scim = call.given(MappingTest), context.scim()
    draft = None if given.mapping is None else given.mapping.document
    if (given.user is None) == (given.document is None):
        raise Invalid("Name a stored user, or send a document.", field="user")
    if given.user is not None:
        found = attribute_mapping.try_user(
            call.database, call.organization, directory, scim.read_path, given.user, draft
        )
    else:
        document = scim.read_user(given.document or {})
        found = attribute_mapping.try_document(
            call.database, call.organization, directory, scim.read_path, document, draft
        )
    return _tested(found)


@operation(
    "POST",
    "/directories/<directory>/mapping/preview",
    tag=TAG,
    permission=MANAGING,
    body=MappingGiven,
    answers=MappingPreview,
)
def preview_mapping(call: Call, directory: str) -> MappingPreview:
    """Say exactly whom a mapping would change and how; of more than 1,000 people the first are shown."""
    document, read_path = call.given(MappingGiven).document, context.scim().read_path
    found = attribute_changes.preview(call.database, call.actor, call.organization, directory, read_path, document)
    return found.at_most(SHOWN_PEOPLE)


@operation(
    "PUT",
    "/directories/<directory>/mapping",
    tag=TAG,
    permission=MANAGING,
    body=MappingAgreed,
    answers=MappingPreview,
)
def set_mapping(call: Call, directory: str) -> MappingPreview:
    """Put a mapping into force for everybody of the directory; 409, with what it would do now, if that has changed."""
    given = call.given(MappingAgreed)
    done = attribute_changes.apply(
        call.database,
        call.actor,
        call.organization,
        directory,
        context.scim().read_path,
        given.document,
        given.preview,
        call.request_id,
    )
    return done.at_most(SHOWN_PEOPLE)


def _tested(found: Tested) -> MappingTested:
    return MappingTested(
        found.directory,
        found.version,
        found.user_name,
        tuple(map(_field, found.fields)),
        found.lacks,
        None if found.stored is None else dict(found.stored),
    )


def _field(traced: FieldTrace) -> FieldItem:
    return FieldItem(traced.name, traced.value, traced.origin.value, traced.error, tuple(map(_tried, traced.tried)))


def _tried(tried: Tried) -> TriedItem:
    steps = tuple(StepItem(transform, result) for transform, result in tried.steps)
    return TriedItem(tried.source, tried.raw, steps, tried.passed_over)
