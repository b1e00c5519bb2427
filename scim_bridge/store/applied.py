"""What was last seen on, or written to, a cluster: which shards there are and whom they hold."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa

from scim_bridge.domain.bindings import Binding, BindingKey, Family, SubjectKind, parse_key
from scim_bridge.domain.organizations import ClusterId
from scim_bridge.domain.people import GroupId, MemberId
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.schema import applied_binding, applied_subject

_CHUNK = 400

Holder = tuple[MemberId | None, GroupId | None]
"""Whom a subject stands for: a member, a group, or nobody that is known here."""
NOBODY: Holder = (None, None)

_RENEW = (
    sa.update(applied_binding)
    .where(applied_binding.c.id == sa.bindparam("renewed"))
    .values({name: sa.bindparam(name) for name in ("uid", "resource_version", "digest", "subject_count", "applied_at")})
)
_ADD = sa.insert(applied_binding)
_HOLD = sa.insert(applied_subject)
_TAKE = sa.delete(applied_subject).where(
    applied_subject.c.binding_id == sa.bindparam("taken_from"), applied_subject.c.subject == sa.bindparam("taken")
)


@dataclass(frozen=True, slots=True)
class Applied:
    """One object as the cluster confirmed it."""

    binding: Binding
    name: str
    uid: str
    resource_version: str

    @property
    def key_text(self) -> str:
        """Return the key as the record has it."""
        return self.binding.key.canonical


def bits_of(keys: Iterable[BindingKey]) -> dict[Family, int]:
    """Return how each family of recorded objects is split: the finest split that an object of it has."""
    bits: dict[Family, int] = {}
    for key in keys:
        bits[key.family] = max(bits.get(key.family, 0), key.shard.bits)
    return bits


def applied_digests(connection: sa.Connection, cluster_id: ClusterId) -> dict[str, tuple[str, str, str]]:
    """Return each recorded object's (digest, uid, resourceVersion) by its key's canonical text."""
    columns = applied_binding.c
    query = sa.select(columns.key, columns.digest, columns.uid, columns.resource_version)
    rows = connection.execute(query.where(columns.cluster_id == cluster_id))
    return {key: (digest, uid, version) for key, digest, uid, version in rows}


def recorded_keys(digests: Mapping[str, tuple[str, str, str]]) -> frozenset[BindingKey]:
    """Return the keys of what `applied_digests` found."""
    return frozenset(parse_key(text) for text in digests)


def keys_holding(connection: sa.Connection, cluster_id: ClusterId, member_id: MemberId) -> list[tuple[str, BindingKey]]:
    """Return every (subject, shard) on a cluster that was rendered for a member, old subjects included."""
    query = (
        sa.select(applied_subject.c.subject, applied_binding.c.key)
        .join(applied_binding, applied_binding.c.id == applied_subject.c.binding_id)
        .where(applied_subject.c.cluster_id == cluster_id, applied_subject.c.member_id == member_id)
        .order_by(applied_binding.c.id, applied_subject.c.subject)
    )
    return [(subject, parse_key(key)) for subject, key in connection.execute(query)]


def clusters_holding(connection: sa.Connection, member_id: MemberId) -> list[ClusterId]:
    """Return the clusters that hold a subject of a member: one indexed look-up, however many clusters there are."""
    query = sa.select(applied_subject.c.cluster_id).where(applied_subject.c.member_id == member_id).distinct()
    return [ClusterId(each) for each in connection.execute(query.order_by(applied_subject.c.cluster_id)).scalars()]


@dataclass(frozen=True, slots=True)
class Whom:
    """Whom the subjects of a cluster stand for: members by users' subjects, groups by groups' own."""

    members: Mapping[str, MemberId] = field(default_factory=dict)
    groups: Mapping[str, GroupId] = field(default_factory=dict)

    def of(self, key: BindingKey, subject: str, known: Holder = NOBODY) -> Holder:
        """Return the member or the group of a subject in one object; ``known`` is what the record says so far."""
        if key.family.subject_kind is SubjectKind.GROUP:
            return (None, self.groups.get(subject, known[1]))
        return (self.members.get(subject, known[0]), None)


def record_applied(connection: sa.Connection, applied: Sequence[Applied], whom: Whom, at: datetime) -> None:
    """Record confirmed objects of one cluster; of their subjects only what changed is written."""
    ids = _upsert(connection, applied, at)
    there = _held(connection, ids.values())
    gone: list[dict[str, object]] = []
    rows: list[dict[str, object]] = []
    for each in applied:
        key = each.binding.key
        binding_id = ids[key.canonical]
        held = there.get(binding_id, {})
        wanted = {subject: whom.of(key, subject, held.get(subject, NOBODY)) for subject in each.binding.subjects}
        gone += [
            {"taken_from": binding_id, "taken": subject}
            for subject in held
            if subject not in wanted or held[subject] != wanted[subject]
        ]
        rows += [
            {
                "cluster_id": key.cluster_id,
                "subject": subject,
                "binding_id": binding_id,
                "member_id": holder[0],
                "group_id": holder[1],
            }
            for subject, holder in wanted.items()
            if subject not in held or held[subject] != holder
        ]
    if gone:
        connection.execute(_TAKE, gone)
    if rows:
        connection.execute(_HOLD, rows)


def record_taken(
    connection: sa.Connection, key: BindingKey, subjects: Iterable[str], left: Applied | None, at: datetime
) -> None:
    """
    Record that these subjects are out of one object; ``left`` is what it is now, None when it is gone.

    Every other subject stays on record, even one that the object does not hold: a pass may be about to write it.
    """
    columns = applied_binding.c
    here = (columns.cluster_id == key.cluster_id, columns.key == key.canonical)
    found = connection.execute(sa.select(columns.id, columns.digest).where(*here).with_for_update()).one_or_none()
    if found is None:
        return
    held = applied_subject.c
    for chunk in _chunks(subjects):
        connection.execute(sa.delete(applied_subject).where(held.binding_id == found.id, held.subject.in_(chunk)))
    if left is not None:
        _upsert(connection, [left], at)
    elif connection.execute(sa.select(held.subject).where(held.binding_id == found.id).limit(1)).first() is None:
        connection.execute(sa.delete(applied_binding).where(columns.id == found.id))
    if left is None or not found.digest:
        # Whoever else is on record here is not confirmed: the next pass puts that right from what it reads.
        unconfirmed = {"digest": ""} if left is not None else {"digest": "", "uid": "", "resource_version": ""}
        connection.execute(sa.update(applied_binding).where(columns.id == found.id).values(**unconfirmed))


def keys_held_by(
    connection: sa.Connection, cluster_id: ClusterId, members: Iterable[MemberId]
) -> dict[MemberId, list[tuple[str, BindingKey]]]:
    """Return every (subject, shard) on a cluster that was rendered for these members, old subjects included."""
    found: dict[MemberId, list[tuple[str, BindingKey]]] = {}
    for chunk in _chunks(members):
        query = (
            sa.select(applied_subject.c.member_id, applied_subject.c.subject, applied_binding.c.key)
            .join(applied_binding, applied_binding.c.id == applied_subject.c.binding_id)
            .where(applied_subject.c.cluster_id == cluster_id, applied_subject.c.member_id.in_(chunk))
            .order_by(applied_binding.c.id, applied_subject.c.subject)
        )
        for member_id, subject, key in connection.execute(query):
            found.setdefault(member_id, []).append((subject, parse_key(key)))
    return found


def forget_applied(connection: sa.Connection, key: BindingKey) -> None:
    """
    Forget one object that is gone from its cluster; its subjects go with it.

    Only for one whose deletion was confirmed, or that a read by its own name did not find: a list may leave it out.
    """
    connection.execute(
        sa.delete(applied_binding).where(
            applied_binding.c.cluster_id == key.cluster_id, applied_binding.c.key == key.canonical
        )
    )


def _upsert(connection: sa.Connection, applied: Sequence[Applied], at: datetime) -> dict[str, str]:
    """Write the objects' own rows and return the id of each by its key's canonical text."""
    known: dict[str, str] = {}
    clusters = {each.binding.key.cluster_id for each in applied}
    columns = applied_binding.c
    for chunk in _chunks(each.key_text for each in applied):
        # In one order: two writers that lock the same rows wait for each other, and not for ever.
        query = sa.select(columns.key, columns.id).where(columns.cluster_id.in_(clusters), columns.key.in_(chunk))
        known |= dict(connection.execute(query.order_by(columns.id).with_for_update()).all())
    ids = {each.key_text: known.get(each.key_text) or new_id() for each in applied}
    old = [_as_written(each, at, renewed=known[each.key_text]) for each in applied if each.key_text in known]
    new = [
        {
            **_as_written(each, at, id=ids[each.key_text]),
            "organization_id": each.binding.key.organization_id,
            "cluster_id": each.binding.key.cluster_id,
            "name": each.name,
            "namespace": each.binding.key.family.namespace or "",
            "key": each.key_text,
        }
        for each in applied
        if each.key_text not in known
    ]
    if old:
        connection.execute(_RENEW, old)
    if new:
        connection.execute(_ADD, new)
    return ids


def _as_written(applied: Applied, at: datetime, **which: str) -> dict[str, object]:
    return {
        **which,
        "uid": applied.uid,
        "resource_version": applied.resource_version,
        "digest": applied.binding.digest,
        "subject_count": len(applied.binding.subjects),
        "applied_at": at,
    }


def _held(connection: sa.Connection, binding_ids: Iterable[str]) -> dict[str, dict[str, Holder]]:
    found: dict[str, dict[str, Holder]] = {}
    columns = applied_subject.c
    wanted = (columns.binding_id, columns.subject, columns.member_id, columns.group_id)
    for chunk in _chunks(binding_ids):
        for row in connection.execute(sa.select(*wanted).where(columns.binding_id.in_(chunk))):
            found.setdefault(row.binding_id, {})[row.subject] = (row.member_id, row.group_id)
    return found


def _chunks(values: Iterable[str]) -> Iterable[list[str]]:
    found = list(values)
    return (found[start : start + _CHUNK] for start in range(0, len(found), _CHUNK))
