"""Use cases of a directory's attribute mapping that change nothing: show it, and try it on a document or a user."""

from collections.abc import Mapping
from dataclasses import dataclass

from scim_bridge.domain.attribute_files import parse_mapping, read_mapping
from scim_bridge.domain.attributes import AttributeMapping, FieldTrace, ReadPath, derive, trace
from scim_bridge.domain.provisioning import Document
from scim_bridge.errors import NotFound
from scim_bridge.identity.names import the_directory
from scim_bridge.store import attribute_mappings as store
from scim_bridge.store.attribute_mappings import MappedUser
from scim_bridge.store.attribute_mappings import MappingVersion as MappingVersion
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.directories import Directory

NEVER_CHANGED = 0


@dataclass(frozen=True, slots=True)
class MappingShown:
    """A directory's mapping in force, its versions (newest first), and how many users lack a required field."""

    directory: Directory
    mapping: AttributeMapping
    versions: tuple[MappingVersion, ...]
    lacking: Mapping[str, int]

    @property
    def version(self) -> int:
        """Return the number of the version in force, 0 before the first."""
        return self.versions[0].version if self.versions else NEVER_CHANGED


@dataclass(frozen=True, slots=True)
class Tested:
    """What a mapping makes of one document, field by field; ``stored`` is what is known of that user now."""

    directory: str
    version: int
    user_name: str
    fields: tuple[FieldTrace, ...]
    lacks: tuple[str, ...]
    stored: Mapping[str, str] | None


def show(database: Database, organization: str, name: str, read_path: ReadPath) -> MappingShown:
    """Return a directory's mapping in force."""
    with database.read() as connection:
        found = the_directory(connection, organization, name)
        in_force = read_mapping(store.mapping_in_force(connection, found.id), read_path)
        versions = tuple(store.list_versions(connection, found.id))
        return MappingShown(found, in_force, versions, store.count_lacking(connection, found.id))


def try_document(
    database: Database,
    organization: str,
    name: str,
    read_path: ReadPath,
    document: Document,
    draft: Mapping[str, object] | None = None,
) -> Tested:
    """Return what the mapping in force, or a draft of another, makes of a document; nothing is written."""
    with database.read() as connection:
        found = the_directory(connection, organization, name)
        chosen, version = _chosen(connection, found, read_path, draft)
        return _tested(found, chosen, version, document, None)


def try_user(
    database: Database,
    organization: str,
    name: str,
    read_path: ReadPath,
    user: str,
    draft: Mapping[str, object] | None = None,
) -> Tested:
    """Return what a mapping makes of a stored user, named by SCIM id or userName; raises NotFound."""
    with database.read() as connection:
        found = the_directory(connection, organization, name)
        stored = store.user_to_map(connection, found.id, user)
        if stored is None:
            raise NotFound(f"There is no user {user!r} in the directory {found.name}.")
        chosen, version = _chosen(connection, found, read_path, draft)
        in_force = read_mapping(store.mapping_in_force(connection, found.id), read_path)
        return _tested(found, chosen, version, stored.read_document(), values_now(stored, in_force))


def values_now(user: MappedUser, in_force: AttributeMapping) -> Mapping[str, str]:
    """Return what is known of a stored user now, field by field."""
    mapped = user.read_mapped()
    return derive(in_force, user.read_document()).values if mapped is None else mapped


def _chosen(
    connection: Connection, found: Directory, read_path: ReadPath, draft: Mapping[str, object] | None
) -> tuple[AttributeMapping, int]:
    if draft is not None:
        return parse_mapping(draft, read_path), NEVER_CHANGED
    versions = store.list_versions(connection, found.id)
    in_force = read_mapping(store.mapping_in_force(connection, found.id), read_path)
    return in_force, versions[0].version if versions else NEVER_CHANGED


def _tested(
    found: Directory,
    chosen: AttributeMapping,
    version: int,
    document: Document,
    stored: Mapping[str, str] | None,
) -> Tested:
    lacks = derive(chosen, document).lacks
    return Tested(found.name, version, str(document.get("userName", "")), trace(chosen, document), lacks, stored)
