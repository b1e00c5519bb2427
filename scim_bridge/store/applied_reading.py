"""One object on a cluster, as the record has it, for people who found it there and ask why it is."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from scim_bridge.domain.bindings import BindingKey, parse_key
from scim_bridge.domain.organizations import ClusterId
from scim_bridge.domain.people import MemberId
from scim_bridge.store.schema import applied_binding, applied_subject


@dataclass(frozen=True, slots=True)
class RecordedBinding:
    """An object that was written to a cluster, or is about to be; ``written_at`` is its last confirmed write."""

    id: str
    name: str
    key: BindingKey
    subjects: int
    written_at: datetime


def find_binding(
    connection: sa.Connection, cluster_id: ClusterId, name: str, namespace: str | None
) -> RecordedBinding | None:
    """Return the object with this name; its name says which namespace it is in, so that need not be named."""
    columns = applied_binding.c
    query = sa.select(columns.id, columns.name, columns.key, columns.subject_count, columns.applied_at).where(
        columns.cluster_id == cluster_id, columns.name == name
    )
    if namespace is not None:
        query = query.where(columns.namespace == namespace)
    row = connection.execute(query.order_by(columns.namespace).limit(1)).one_or_none()
    return None if row is None else RecordedBinding(row.id, row.name, parse_key(row.key), row[3], row.applied_at)


def subjects_of(
    connection: sa.Connection, binding_id: str, after: str, count: int, member_id: MemberId | None = None
) -> list[tuple[str, MemberId | None]]:
    """Return a page of an object's subjects, by their text, with whom each stands for."""
    columns = applied_subject.c
    query = sa.select(columns.subject, columns.member_id).where(
        columns.binding_id == binding_id, columns.subject > after
    )
    if member_id is not None:
        query = query.where(columns.member_id == member_id)
    rows = connection.execute(query.order_by(columns.subject).limit(count))
    return [(subject, None if member is None else MemberId(member)) for subject, member in rows]
