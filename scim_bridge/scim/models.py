"""
The published schemas: scim2-models' own, relaxed to what identity providers really send.

The class names are published by `/Schemas` and stay exactly User, EnterpriseUser and Group.
"""

from typing import Annotated, ClassVar

import scim2_models
from pydantic import Field
from scim2_models import URN, CaseExact, Reference, Required


class Email(scim2_models.Email):
    """An e-mail address as it was sent: internal domains are addresses too."""

    value: str | None = None


class Photo(scim2_models.Photo):
    """A photo; vendors send addresses that are no URLs."""

    value: str | None = None  # type: ignore[assignment]


class Manager(scim2_models.Manager):
    """A manager by id alone, as Entra sends it."""

    value: Annotated[str | None, CaseExact.true] = None
    ref: Annotated[Reference["User"] | None, Required.false] = Field(  # type: ignore[assignment]
        None, serialization_alias="$ref", validation_alias="$ref"
    )


class EnterpriseUser(scim2_models.EnterpriseUser):
    """The enterprise extension (RFC 7643 §4.3)."""

    manager: Manager | None = None


class User(scim2_models.User):  # type: ignore[type-arg]
    """A user (RFC 7643 §4.1)."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:User")

    profile_url: str | None = None  # type: ignore[assignment]
    emails: list[Email] | None = None  # type: ignore[assignment]
    photos: list[Photo] | None = None  # type: ignore[assignment]


class GroupMember(scim2_models.GroupMember):
    """A member of a group, by the id that this server gave."""


class Group(scim2_models.Group):
    """A group (RFC 7643 §4.2)."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:Group")

    display_name: Annotated[str | None, Required.true, scim2_models.Uniqueness.server] = None
    members: list[GroupMember] | None = None  # type: ignore[assignment]
    Members: ClassVar[type[scim2_models.ComplexAttribute]] = GroupMember
