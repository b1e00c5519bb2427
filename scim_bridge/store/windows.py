"""The past hour as the brakes count it: subjects on a cluster, people in an organization."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from scim_bridge.domain.brakes import Window
from scim_bridge.domain.organizations import ClusterId, OrganizationId
from scim_bridge.domain.people import MemberId
from scim_bridge.store.group_subjects import more_by_groups
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.schema import applied_subject, cluster_sync, inferred_removal, sync_pass

HOUR = timedelta(hours=1)
_CHUNK = 400


@dataclass(frozen=True, slots=True)
class Present:
    """How many subjects the cluster, and people its organization, have by the record."""

    subjects: int
    people: int


def lock_brakes(connection: sa.Connection, organization_id: OrganizationId) -> None:
    """
    Settle the passes of one organization one after the other: they share one limit.

    An advisory lock: the rows of all its clusters would be locked in another order by whoever wakes them.
    """
    if connection.dialect.name == "postgresql":
        name = sa.func.hashtextextended(f"brakes:{organization_id}", 0)
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(name)))


def count_present(connection: sa.Connection, organization_id: OrganizationId, cluster_id: ClusterId) -> Present:
    """Count who is on a cluster, and in its organization on any cluster, by what was last seen or written."""
    subjects = sa.select(sa.func.count(sa.distinct(applied_subject.c.subject)))
    people = sa.select(sa.func.count(sa.distinct(_person()))).where(
        applied_subject.c.cluster_id.in_(_clusters(organization_id))
    )
    on_cluster = connection.execute(subjects.where(applied_subject.c.cluster_id == cluster_id)).scalar_one()
    here = sa.select(cluster_sync.c.cluster_id).where(cluster_sync.c.cluster_id == cluster_id)
    return Present(
        int(on_cluster) + more_by_groups(connection, here),
        int(connection.execute(people).scalar_one()) + more_by_groups(connection, _clusters(organization_id)),
    )


def read_windows(
    connection: sa.Connection,
    organization_id: OrganizationId,
    cluster_id: ClusterId,
    at: datetime,
    *,
    present: Present,
    left: int,
    losing: Mapping[str, str],
) -> tuple[Window, Window]:
    """
    Return the hour of the cluster and the hour of its organization.

    ``left`` is how many subjects the cluster is to have, ``losing`` whom each subject that loses something is.
    """
    since = at - HOUR
    of_cluster: Any = (sync_pass.c.cluster_id == cluster_id,)
    of_all: Any = (sync_pass.c.organization_id == organization_id,)
    removed = sa.select(inferred_removal.c.cluster_id, inferred_removal.c.subject, inferred_removal.c.person).where(
        inferred_removal.c.organization_id == organization_id, inferred_removal.c.removed_at > since
    )
    rows = connection.execute(removed.distinct()).all()
    here = frozenset(subject for place, subject, _ in rows if place == cluster_id)
    everywhere = frozenset(person for _, _, person in rows)
    start, most = _start_and_most(connection, sync_pass.c.subjects_before, of_cluster, since, present.subjects)
    start_of_all, most_of_all = _start_and_most(connection, sync_pass.c.people_before, of_all, since, present.people)
    left_of_all = left or int(_is_anybody_elsewhere(connection, organization_id, cluster_id))
    return (
        Window(start, most, left, here),
        Window(start_of_all, most_of_all, left_of_all, everywhere, dict(losing)),
    )


def persons_of(
    connection: sa.Connection, cluster_id: ClusterId, subjects: Iterable[str], wanted: Mapping[str, MemberId]
) -> dict[str, str]:
    """Return whom each subject stands for: by the record, else by what is wanted, else the subject itself."""
    sought = list(subjects)
    found: dict[str, str] = {subject: str(wanted.get(subject, subject)) for subject in sought}
    for start in range(0, len(sought), _CHUNK):
        query = sa.select(applied_subject.c.subject, applied_subject.c.member_id).where(
            applied_subject.c.cluster_id == cluster_id,
            applied_subject.c.subject.in_(sought[start : start + _CHUNK]),
            applied_subject.c.member_id.is_not(None),
        )
        found |= dict(connection.execute(query).all())
    return found


def note_removals(
    connection: sa.Connection,
    pass_id: str,
    organization_id: OrganizationId,
    cluster_id: ClusterId,
    losing: Mapping[str, str],
    at: datetime,
) -> None:
    """
    Count these subjects as taken away unasked, before they are: passes of two clusters share one limit.

    What is older than the hour is forgotten here.
    """
    connection.execute(
        sa.delete(inferred_removal).where(
            inferred_removal.c.organization_id == organization_id, inferred_removal.c.removed_at <= at - HOUR
        )
    )
    rows = [
        {
            "id": new_id(),
            "organization_id": organization_id,
            "cluster_id": cluster_id,
            "pass_id": pass_id,
            "subject": subject,
            "person": person,
            "removed_at": at,
        }
        for subject, person in losing.items()
    ]
    if rows:
        connection.execute(sa.insert(inferred_removal), rows)


def take_back_removals(connection: sa.Connection, pass_id: str, still_there: Iterable[str]) -> None:
    """Count no longer whom a pass was to take away and could not."""
    subjects = list(still_there)
    for start in range(0, len(subjects), _CHUNK):
        connection.execute(
            sa.delete(inferred_removal).where(
                inferred_removal.c.pass_id == pass_id,
                inferred_removal.c.subject.in_(subjects[start : start + _CHUNK]),
            )
        )


def _person() -> sa.ColumnElement[str]:
    return sa.func.coalesce(applied_subject.c.member_id, applied_subject.c.subject)


def _clusters(organization_id: OrganizationId) -> sa.Select[Any]:
    return sa.select(cluster_sync.c.cluster_id).where(cluster_sync.c.organization_id == organization_id)


def _start_and_most(
    connection: sa.Connection, column: Any, where: Any, since: datetime, present: int
) -> tuple[int, int]:
    """Return how many the first pass of the hour that wrote anything found, and the most that any did."""
    query = (
        sa.select(column)
        .where(*where, sync_pass.c.started_at > since, column.is_not(None))
        .order_by(sync_pass.c.started_at, sync_pass.c.id)
    )
    found = [int(each) for each in connection.execute(query).scalars()]
    # Without one, nothing has changed since the hour began.
    return (found[0] if found else present), max([present, *found])


def _is_anybody_elsewhere(connection: sa.Connection, organization_id: OrganizationId, cluster_id: ClusterId) -> bool:
    query = (
        sa.select(applied_subject.c.subject)
        .where(applied_subject.c.cluster_id.in_(_clusters(organization_id)), applied_subject.c.cluster_id != cluster_id)
        .limit(1)
    )
    return connection.execute(query).first() is not None
