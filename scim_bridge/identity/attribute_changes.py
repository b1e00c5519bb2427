"""
Use cases that change a directory's attribute mapping, with exactly the outcome that was previewed.

A change is carried out in a transaction, compared with what was before, and then kept or undone, as with
`directory_states`.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.attribute_files import canonical, parse_mapping, read_mapping
from scim_bridge.domain.attributes import AttributeMapping, Derived, ReadPath, derive
from scim_bridge.domain.people import DirectoryState, MemberId, ScimUserId
from scim_bridge.domain.previews import Difference, Shift, SubjectShift, difference, subject_shifts
from scim_bridge.domain.provisioning import Names, UserRecord, names_of
from scim_bridge.errors import Conflict, PreviewOutdated
from scim_bridge.identity import mapping as rules
from scim_bridge.identity.attribute_mapping import NEVER_CHANGED, values_now
from scim_bridge.identity.authority import MANAGING_DIRECTORIES, require
from scim_bridge.identity.names import scope_text, the_directory
from scim_bridge.store import attribute_mappings as store
from scim_bridge.store import directories, members
from scim_bridge.store.attribute_mappings import MappedUser
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import Change, add_change, new_change
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.directories import Directory
from scim_bridge.store.organizations import lock_for_rules
from scim_bridge.store.rehearsal import rehearse
from scim_bridge.store.removals import request_removals
from scim_bridge.store.snapshot import read_organization

SHORTEST_HASH = 8
MOST_TOLD = 100


@dataclass(frozen=True, slots=True)
class FieldShift:
    """One field of a person before and after; None: no value."""

    field: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class PersonShift:
    """What a mapping changes about one person: fields, and how clusters' bindings name them."""

    user_id: ScimUserId
    member_id: MemberId
    person: str
    fields: tuple[FieldShift, ...]
    subjects: tuple[SubjectShift, ...] = ()


@dataclass(frozen=True, slots=True)
class MappingPreview:
    """
    Exactly what another mapping would do to everybody of a directory; applying it is held to ``hash``.

    ``changed`` is how many people it changes; ``changes`` may show the first of them only.
    """

    directory: str
    version: int
    users: int
    changed: int
    changes: tuple[PersonShift, ...]
    lacking: Mapping[str, int]
    gains: tuple[Shift, ...]
    loses: tuple[Shift, ...]
    unclear: tuple[str, ...]
    hash: str

    def at_most(self, people: int) -> "MappingPreview":
        """Return this with only so many of the changed people shown."""
        return replace(self, changes=self.changes[:people])


def preview(
    database: Database,
    actor: Actor,
    organization: str,
    name: str,
    read_path: ReadPath,
    document: Mapping[str, object],
) -> MappingPreview:
    """Return whom another mapping would change and how; nothing is written. Raises Invalid with the place."""
    wanted = parse_mapping(document, read_path)
    with rehearse(database) as rehearsal, rehearsal.write() as connection:
        return _carry_out(connection, actor, organization, name, _Draft(wanted, read_path))


def apply(
    database: Database,
    actor: Actor,
    organization: str,
    name: str,
    read_path: ReadPath,
    document: Mapping[str, object],
    seen: str,
    request_id: str | None = None,
) -> MappingPreview:
    """
    Put another mapping into force for everybody of a directory, with exactly the outcome that a person has ``seen``.

    ``{}`` takes everything back to the defaults. Raises PreviewOutdated when that has changed;
    the mapping that is in force already writes nothing.
    """
    wanted = parse_mapping(document, read_path)
    with database.write() as connection:
        made = _carry_out(connection, actor, organization, name, _Draft(wanted, read_path), request_id)
        if len(seen) < SHORTEST_HASH or not made.hash.startswith(seen):
            raise PreviewOutdated(
                f"That is not what would happen now: {made.changed} of {made.users} people would change, "
                f"{len(made.gains)} would gain and {len(made.loses)} lose something. Look at the preview again: "
                f"{made.hash[:12]}.",
                made.at_most(MOST_TOLD),
            )
        return made


@dataclass(frozen=True, slots=True)
class _Draft:
    wanted: AttributeMapping
    read_path: ReadPath


@dataclass(frozen=True, slots=True)
class _Derived:
    """One user as another mapping makes them."""

    user: MappedUser
    derived: Derived
    fields: tuple[FieldShift, ...]

    @property
    def names(self) -> Names:
        return names_of(self.derived)

    @property
    def record(self) -> UserRecord:
        return UserRecord(self.user.user_name, active=True, document={}, mapped=self.derived)


def _carry_out(
    connection: Connection, actor: Actor, organization: str, name: str, draft: _Draft, request_id: str | None = None
) -> MappingPreview:
    found = the_directory(connection, organization, name)
    require(connection, actor, found.organization_id, MANAGING_DIRECTORIES)
    # Nobody is written by the mapping before while everybody is written by the new one.
    lock_for_rules(connection, found.organization_id, exclusive=True)
    found = directories.lock_directory(connection, found.id)
    if found.state is DirectoryState.DETACHED:
        raise Conflict(f"The directory {found.name} is detached: nothing of it follows a mapping any more.")
    in_force, text = store.mapping_in_force(connection, found.id), canonical(draft.wanted)
    before = read_organization(connection, found.organization_id, now())
    made = list(_derive_all(connection, found, read_mapping(in_force, draft.read_path), draft.wanted))
    renamed: set[MemberId] = set()
    told = Difference()
    if text != in_force:
        change = new_change(found.organization_id, actor, "directory.mapped", now(), request_id)
        add_change(connection, change, found.name)
        renamed = _write_all(connection, change, made, has_mapping=text is not None)
        _put_into_force(connection, change, found, (in_force, text), made)
        after = read_organization(connection, found.organization_id, change.at)
        told = difference(before, after, lambda scope: scope_text(before.tree, scope))
        subjects = subject_shifts(before, after, renamed)
        # Whoever agreed to this agreed to the losses in it: no brake holds them up again.
        losing = [each.member_id for each in told.losses if each.member_id not in renamed]
        request_removals(connection, change, losing, "membership")
    else:
        subjects = {}
    return _preview(connection, found, made, subjects, told, text)


def _derive_all(
    connection: Connection, found: Directory, old: AttributeMapping, new: AttributeMapping
) -> Iterable[_Derived]:
    for user in store.users_to_map(connection, found.id):
        was = values_now(user, old)
        derived = derive(new, user.read_document()).keeping(was)
        yield _Derived(user, derived, _shifts(was, derived.values))


def _shifts(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[FieldShift, ...]:
    names = sorted({*before, *after})
    return tuple(
        FieldShift(name, before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)
    )


def _write_all(connection: Connection, change: Change, made: list[_Derived], *, has_mapping: bool) -> set[MemberId]:
    """Store what the new mapping makes of everybody, and return whom clusters may know by another name now."""
    store.write_mapped(
        connection, [(each.user.id, each.names.display_name, each.derived if has_mapping else None) for each in made]
    )
    renamed: set[MemberId] = set()
    for each in made:
        was = each.user.names
        if was is None or was == each.names:
            # The member follows another directory, or is called so already.
            continue
        members.rename_member(connection, each.user.member_id, each.record)
        if was.in_subjects != each.names.in_subjects:
            renamed.add(each.user.member_id)
    request_removals(connection, change, sorted(renamed), "renamed")
    rules.users_changed(connection, change, [each.user.id for each in made if each.fields], locked=True)
    return renamed


def _put_into_force(
    connection: Connection,
    change: Change,
    found: Directory,
    texts: tuple[str | None, str | None],
    made: list[_Derived],
) -> None:
    old, new = texts
    version = store.insert_version(connection, change, found.id, new)
    detail = {
        "name": found.name,
        "version": version.version,
        "from": _fields(old),
        "to": _fields(new),
        "changed": sum(bool(each.fields) for each in made),
    }
    add_audit(connection, change, "directory.mapped", "directory", found.id, detail)


def _fields(text: str | None) -> object:
    return {} if text is None else json.loads(text)["fields"]


def _preview(
    connection: Connection,
    found: Directory,
    made: list[_Derived],
    subjects: Mapping[MemberId, tuple[SubjectShift, ...]],
    told: Difference,
    text: str | None,
) -> MappingPreview:
    changes = tuple(
        PersonShift(
            each.user.id,
            each.user.member_id,
            each.user.user_name,
            each.fields,
            () if each.user.names is None else subjects.get(each.user.member_id, ()),
        )
        for each in made
        if each.fields
    )
    versions = store.list_versions(connection, found.id)
    lacking: dict[str, int] = {}
    for each in made:
        for name in each.derived.lacks:
            lacking[name] = lacking.get(name, 0) + 1
    return MappingPreview(
        found.name,
        versions[0].version if versions else NEVER_CHANGED,
        len(made),
        len(changes),
        changes,
        lacking,
        told.gains,
        told.losses,
        told.unclear,
        _hash(found, changes, told, text),
    )


def _hash(found: Directory, changes: tuple[PersonShift, ...], told: Difference, text: str | None) -> str:
    shifts = [[each.user_id, [[shift.field, shift.before, shift.after] for shift in each.fields]] for each in changes]
    people = hashlib.sha256(json.dumps(shifts).encode()).hexdigest()
    return told.digest("mapping", found.id, text or "", people)
