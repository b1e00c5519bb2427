"""What an identity provider says about a person or a group, as the rules see it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from scim_bridge.domain.attributes import Derived
from scim_bridge.domain.keys import fold
from scim_bridge.errors import Invalid

Document = dict[str, Any]
"""A resource as it was sent, less what the server owns (id, meta, groups, members) and less any password."""


@dataclass(frozen=True, slots=True)
class Names:
    """What a member is called."""

    user_name: str
    email: str | None = None
    external_id: str | None = None
    display_name: str | None = None

    @property
    def email_key(self) -> str | None:
        """Return the form in which the e-mail address is compared."""
        return None if self.email is None else fold(self.email)

    @property
    def user_name_key(self) -> str:
        """Return the form in which the name is looked up."""
        return fold(self.user_name)

    @property
    def words(self) -> tuple[str | None, ...]:
        """Return what a search finds the member by."""
        return (self.user_name, self.email, self.display_name)

    @property
    def in_subjects(self) -> tuple[str | None, ...]:
        """Return what a cluster's subject may be rendered from."""
        return (self.user_name, self.email, self.external_id)


@dataclass(frozen=True, slots=True)
class UserRecord:
    """
    A user as it should be stored: the document, and what rules and look-ups need of it.

    ``mapped`` is what the directory's own mapping makes of the document; None where it has none.
    """

    user_name: str
    active: bool
    document: Document
    external_id: str | None = None
    email: str | None = None
    display_name: str | None = None
    mapped: Derived | None = None

    @property
    def names(self) -> Names:
        """Return what the member is called if this directory has a say about them."""
        if self.mapped is None:
            return Names(self.user_name, self.email, self.external_id, self.display_name)
        return names_of(self.mapped)

    @property
    def user_name_key(self) -> str:
        """Return the form in which userName is unique."""
        return fold(self.user_name)


def names_of(derived: Derived) -> Names:
    """Return what a member is called by what a mapping has made of them."""
    known = derived.values
    return Names(known["user_name"], known.get("email"), known.get("external_id"), known.get("display_name"))


@dataclass(frozen=True, slots=True)
class GroupRecord:
    """A group as it should be stored, without its members."""

    display_name: str
    document: Document
    external_id: str | None = None

    @property
    def display_name_key(self) -> str:
        """Return the form in which displayName is unique."""
        return fold(self.display_name)


LONGEST_NAME = 1024
"""Bytes of the names that are looked up by index."""


def require_storable(record: UserRecord | GroupRecord) -> None:
    """Raise Invalid for names that no index can hold, and for NUL, which no text of PostgreSQL can."""
    email = record.email if isinstance(record, UserRecord) else None
    name = record.user_name if isinstance(record, UserRecord) else record.display_name
    shown = "userName" if isinstance(record, UserRecord) else "displayName"
    display_name = record.display_name if isinstance(record, UserRecord) else None
    named = ((shown, name), ("externalId", record.external_id), ("emails", email), ("displayName", display_name))
    for field_name, text in named:
        if text is not None and max(len(text.encode()), len(fold(text).encode())) > LONGEST_NAME:
            raise Invalid(f"{field_name} is longer than {LONGEST_NAME} bytes.", field_name)
    if not name:
        raise Invalid(f"{shown} must not be empty.", shown)
    if _holds_nul(record.document):
        raise Invalid("A text cannot hold the character NUL.", scim_type="invalidValue")


def _holds_nul(value: object) -> bool:
    match value:
        case str():
            return "\x00" in value
        case Mapping():
            return any(_holds_nul(key) or _holds_nul(each) for key, each in value.items())
        case list():
            return any(map(_holds_nul, value))
        case _:
            return False


@dataclass(frozen=True, slots=True)
class MemberChange:
    """
    What becomes of a group's member list, without the list.

    ``remove`` are asked-for removals by name. With ``replace`` the list becomes exactly ``add``; whoever is missing
    from it without having been named in ``remove`` is an inferred removal.
    """

    add: Mapping[str, None] = field(default_factory=dict)
    remove: Mapping[str, None] = field(default_factory=dict)
    replace: bool = False

    def then_add(self, ids: Mapping[str, None]) -> "MemberChange":
        """Return this change followed by an addition."""
        kept = {value: None for value in self.remove if value not in ids}
        return MemberChange({**self.add, **ids}, kept, self.replace)

    def then_remove(self, ids: Mapping[str, None]) -> "MemberChange":
        """Return this change followed by the removal of these members by name."""
        left = {value: None for value in self.add if value not in ids}
        return MemberChange(left, {**self.remove, **ids}, self.replace)

    def then_replace(self, ids: Mapping[str, None]) -> "MemberChange":
        """Return this change followed by a new list; what was named for removal before stays asked for."""
        named = {value: None for value in self.remove if value not in ids}
        return MemberChange(dict(ids), named, replace=True)

    @property
    def is_empty(self) -> bool:
        """Say whether there is nothing to do."""
        return not (self.add or self.remove or self.replace)
