"""
Documents to records on the way in, stored rows to resources on the way out.

Lenient in, strict out: whatever the dialect of a request was, an answer has one form. Reads build no model objects.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from scim_bridge.domain.attribute_files import read_mapping
from scim_bridge.domain.provisioning import Document, GroupRecord, UserRecord
from scim_bridge.errors import Invalid
from scim_bridge.identity.provisioned import ADDRESS, NESTED, NamedGroup, StoredGroup, StoredUser, extensions
from scim_bridge.scim.attributes import GROUP, USER, ResourceSchema
from scim_bridge.scim.filters import attribute_path
from scim_bridge.scim.projection import Projection
from scim_bridge.scim.versions import etag

LONGEST_NAME = 1024

Resource = Document | orjson.Fragment
"""A resource as it is answered: to be read further, or as JSON already."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where resources are; ``root`` is the SCIM base URL."""

    root: str

    @property
    def users(self) -> str:
        """Return what a user's id is put behind."""
        return f"{self.root}/Users/"

    @property
    def groups(self) -> str:
        """Return what a group's id is put behind."""
        return f"{self.root}/Groups/"


def user_record(document: Document, *, active: bool) -> UserRecord:
    """Return the record of a document; ``active`` is what holds if it does not say. Raises Invalid."""
    said = document.get("active", active)
    return UserRecord(
        user_name=_required(document, "userName"),
        active=said,
        document=document,
        external_id=_short(document, "externalId"),
        email=_checked("emails", _usual("email", document)),
        display_name=_checked("displayName", _usual("display_name", document)),
    )


def group_record(document: Document) -> GroupRecord:
    """Return the record of a document; raises Invalid."""
    return GroupRecord(_required(document, "displayName"), document, _short(document, "externalId"))


def user_resource(user: StoredUser, groups: str, addresses: Addresses, projection: Projection) -> Resource:
    """Return a user as it is answered; ``groups`` is the JSON of those it is in, one behind the other."""
    if projection.is_whole:
        return orjson.Fragment(_user_text(user, groups, addresses.users + user.id))
    resource = _resource(user, USER, addresses.users)
    if groups:
        resource["groups"] = orjson.loads(f"[{groups}]")
    return projection.apply(resource)


def groups_text(user: StoredUser, addresses: Addresses) -> str | None:
    """Return the JSON of the groups that were read with a user; None where that is not all that there is to say."""
    read = user.groups
    return None if read is None or read.startswith(NESTED) else read.replace(ADDRESS, addresses.groups)


def named_groups_text(groups: Sequence[NamedGroup], addresses: Addresses) -> str:
    """Return the JSON of groups, one behind the other."""
    entries = [
        {
            "value": group.id,
            "$ref": addresses.groups + group.id,
            "display": group.name,
            "type": "direct" if group.is_direct else "indirect",
        }
        for group in groups
    ]
    return orjson.dumps(entries).decode()[1:-1]


def group_resource(group: StoredGroup, members: str, addresses: Addresses, projection: Projection) -> Document:
    """Return a group as it is answered; ``members`` is the JSON of the list, which becomes no objects here."""
    resource = _resource(group, GROUP, addresses.groups)
    if projection.wants("members"):
        resource["members"] = orjson.Fragment(members) if projection.wants_whole("members") else orjson.loads(members)
    return projection.apply(resource)


def _user_text(user: StoredUser, groups: str, location: str) -> str:
    # The document is JSON already, and sound: it is put between the rest as it is, and not read.
    kept = user.extensions or orjson.dumps(extensions(user.read_document())).decode()
    created = _time(user.created_at)
    modified = created if user.updated_at == user.created_at else _time(user.updated_at)
    schemas = f'"{USER.urn}"' + (f",{kept[1:-1]}" if len(kept) > 2 else "")
    rest = f',"groups":[{groups}]}}' if groups else "}"
    return (
        f'{{"schemas":[{schemas}],"id":"{user.id}",{user.document[1:-1]},"meta":{{"resourceType":"User",'
        f'"created":"{created}","lastModified":"{modified}","location":"{location}",'
        f'"version":"W/\\"{user.version}\\""}}{rest}'
    )


def _resource(stored: StoredUser | StoredGroup, schema: ResourceSchema, address: str) -> Document:
    document = stored.read_document()
    return {
        "schemas": [schema.urn, *extensions(document)],
        "id": stored.id,
        **document,
        "meta": {
            "resourceType": schema.name,
            "created": _time(stored.created_at),
            "lastModified": _time(stored.updated_at),
            "location": address + stored.id,
            "version": etag(stored.version),
        },
    }


def _time(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _required(document: Document, name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str) or not value.strip():
        raise Invalid(f"{name} is required.", name)
    checked = _checked(name, value)
    assert checked is not None
    return checked


def _short(document: Document, name: str) -> str | None:
    return _checked(name, document.get(name) or None)


def _checked(name: str, value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise Invalid(f"{name} must be a text.", name)
    if len(value) > LONGEST_NAME:
        raise Invalid(f"{name} is longer than {LONGEST_NAME} characters.", name)
    return value


def _usual(name: str, document: Document) -> str | None:
    """Return a field as it is filled where a directory's mapping says nothing of it."""
    found = (source.raw(document) for source in read_mapping(None, attribute_path).rule_of(name).sources)
    return next((value for value in found if value is not None), None)
