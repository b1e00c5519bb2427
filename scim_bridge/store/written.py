"""What was written to clusters, for the audit: which object, and who came in and went out, by their ids."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from scim_bridge.domain.actors import Actor, ActorKind
from scim_bridge.domain.bindings import BindingKey, SubjectKind
from scim_bridge.domain.people import MemberId
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import new_change
from scim_bridge.store.listing import as_list, listed
from scim_bridge.store.schema import applied_binding, applied_subject

PASS = Actor(ActorKind.SCHEDULER, "reconciler")
REMOVALS = Actor(ActorKind.SCHEDULER, "removals")

_RECORDED = (
    sa.select(applied_binding.c.key, applied_binding.c.name, applied_subject.c.subject, applied_subject.c.member_id)
    .outerjoin(applied_subject, applied_subject.c.binding_id == applied_binding.c.id)
    .where(applied_binding.c.cluster_id == sa.bindparam("cluster"), applied_binding.c.key.in_(listed("keys")))
)


@dataclass(frozen=True, slots=True)
class Written:
    """One write that a cluster confirmed: subjects that came in and went out; ``is_gone``: the object was deleted."""

    key: BindingKey
    added: Collection[str] = ()
    removed: Collection[str] = ()
    is_gone: bool = False
    name: str = ""


@dataclass(frozen=True, slots=True)
class Recorded:
    """An object as it was on record before a write: its name, and whom its subjects stand for."""

    name: str
    members: Mapping[str, MemberId | None]


def recorded(connection: sa.Connection, keys: Sequence[BindingKey]) -> dict[BindingKey, Recorded]:
    """Return what is on record of objects of one cluster; read it before the record changes."""
    if not keys:
        return {}
    by_text = {key.canonical: key for key in keys}
    found: dict[BindingKey, tuple[str, dict[str, MemberId | None]]] = {}
    for text, name, subject, member_id in connection.execute(
        _RECORDED, {"cluster": keys[0].cluster_id, "keys": as_list(by_text)}
    ):
        members = found.setdefault(by_text[text], (name, {}))[1]
        if subject is not None:
            members[subject] = member_id
    return {key: Recorded(name, members) for key, (name, members) in found.items()}


def audit_written(
    connection: sa.Connection,
    written: Sequence[Written],
    before: Mapping[BindingKey, Recorded],
    members: Mapping[str, MemberId],
    at: datetime,
    actor: Actor = PASS,
) -> None:
    """
    Write an audit entry for each object, in the transaction that records it.

    People stand there by their ids, which are nobody's personal value; a subject that stands for nobody here, by its
    text.
    """
    if not written:
        return
    change = new_change(written[0].key.organization_id, actor, "bindings.written", at)
    for each in written:
        known = before.get(each.key, Recorded("", {}))
        gone = known.members.keys() if each.is_gone else each.removed
        # A group may be called as a person is.
        here: Mapping[str, MemberId] = {} if each.key.family.subject_kind is SubjectKind.GROUP else members
        detail = {
            "binding": each.name or known.name,
            "namespace": each.key.family.namespace,
            "role": each.key.family.role.value,
            "added": _people(each.added, here),
            "removed": _people(gone, {**known.members, **here}),
        }
        action = "binding.deleted" if each.is_gone else "binding.written"
        add_audit(connection, change, action, "binding", each.key.cluster_id, detail)


def _people(subjects: Collection[str], members: Mapping[str, MemberId | None]) -> list[str]:
    return sorted(members.get(subject) or f"subject {subject}" for subject in subjects)
