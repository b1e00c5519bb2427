"""
The attributes that the schemas know, looked up as RFC 7643 §2.1 wants it: without regard to case.

Built once from the models; requests are read with these tables, not with pydantic.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from scim2_models import Resource

from scim_bridge.scim.models import EnterpriseUser, Group, User

PRE_RFC_URNS = ("urn:scim:schemas:core:2.0", "urn:scim:schemas:core:1.0")
ENTERPRISE_URN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PRE_RFC_ENTERPRISE_URNS = (
    "urn:scim:schemas:extension:enterprise:2.0",
    "urn:scim:schemas:extension:enterprise:1.0",
)


@dataclass(frozen=True, slots=True)
class AttributeType:
    """One attribute as its schema declares it; ``parts`` are its sub-attributes by lower-case name."""

    name: str
    kind: str
    many: bool = False
    exact: bool = False
    read_only: bool = False
    parts: "Mapping[str, AttributeType]" = field(default_factory=dict)

    @property
    def is_complex(self) -> bool:
        """Say whether values are objects."""
        return self.kind == "complex"


Types = Mapping[str, AttributeType]

ID = AttributeType("id", "string", exact=True, read_only=True)
EXTERNAL_ID = AttributeType("externalId", "string", exact=True)
META = AttributeType(
    "meta",
    "complex",
    read_only=True,
    parts={
        "resourcetype": AttributeType("resourceType", "string", exact=True, read_only=True),
        "created": AttributeType("created", "dateTime", read_only=True),
        "lastmodified": AttributeType("lastModified", "dateTime", read_only=True),
        "location": AttributeType("location", "reference", exact=True, read_only=True),
        "version": AttributeType("version", "string", exact=True, read_only=True),
    },
)


@dataclass(frozen=True, slots=True, eq=False)
class ResourceSchema:
    """A resource type: its core schema, its attributes by lower-case name, and its extensions by lower-case URN."""

    name: str
    urn: str
    types: Types
    extensions: Mapping[str, tuple[str, Types]] = field(default_factory=dict)

    def find(self, name: str) -> AttributeType | None:
        """Return the core attribute of this name."""
        return self.types.get(name.lower())

    def extension(self, urn: str) -> tuple[str, Types] | None:
        """Return an extension's own spelling of its URN and its attributes, by URN or by a pre-RFC one (OneLogin)."""
        lowered = urn.lower()
        if lowered in PRE_RFC_ENTERPRISE_URNS:
            lowered = ENTERPRISE_URN.lower()
        return self.extensions.get(lowered)

    def is_core(self, urn: str) -> bool:
        """Say whether a URN means the core schema, pre-RFC ones included."""
        return urn.lower() == self.urn.lower() or urn.lower() in PRE_RFC_URNS


def _types(model: type[Any]) -> Types:
    schema = model.to_schema().model_dump()
    return {attribute["name"].lower(): _type(attribute) for attribute in schema["attributes"]}


def _type(attribute: Mapping[str, Any]) -> AttributeType:
    parts = {part["name"].lower(): _type(part) for part in attribute.get("subAttributes") or ()}
    return AttributeType(
        attribute["name"],
        attribute["type"],
        bool(attribute.get("multiValued")),
        bool(attribute.get("caseExact")),
        attribute.get("mutability") == "readOnly",
        parts,
    )


def _schema(model: type[Resource[Any]], **extensions: type[Any]) -> ResourceSchema:
    common = {"id": ID, "externalid": EXTERNAL_ID, "meta": META}
    return ResourceSchema(
        model.__name__,
        str(model.__schema__),
        {**_types(model), **common},
        {str(each.__schema__).lower(): (str(each.__schema__), _types(each)) for each in extensions.values()},
    )


USER = _schema(User, enterprise=EnterpriseUser)
GROUP = _schema(Group)
