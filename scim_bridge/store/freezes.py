"""What is frozen: rows with a beginning, an end that may come by itself, and who did it."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from scim_bridge.domain.freezes import Freeze, Freezes, parse_place
from scim_bridge.domain.organizations import ClusterId, OrganizationId
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.schema import freeze


def freezes_on(
    connection: sa.Connection, organization_id: OrganizationId, cluster_id: ClusterId, at: datetime
) -> Freezes:
    """Return what is frozen on one cluster now, whoever froze it and however widely."""
    columns = freeze.c
    query = _in_force(at).where(
        sa.or_(columns.organization_id.is_(None), columns.organization_id == organization_id),
        sa.or_(columns.cluster_id.is_(None), columns.cluster_id == cluster_id),
    )
    return Freezes(tuple(_freeze(row) for row in connection.execute(query)))


def list_freezes(connection: sa.Connection, organization_id: OrganizationId | None, at: datetime) -> list[Freeze]:
    """Return the freezes in force that concern an organization, the installation's own among them."""
    columns = freeze.c
    concerned = sa.or_(columns.organization_id.is_(None), columns.organization_id == organization_id)
    return [_freeze(row) for row in connection.execute(_in_force(at).where(concerned))]


def find_freeze(connection: sa.Connection, wanted: Freeze, at: datetime) -> Freeze | None:
    """Return the freeze in force of exactly this place."""
    columns = freeze.c
    query = _in_force(at).where(
        columns.organization_id.is_not_distinct_from(wanted.organization_id),
        columns.cluster_id.is_not_distinct_from(wanted.cluster_id),
        columns.binding.is_not_distinct_from(str(wanted.place) if wanted.place else None),
    )
    row = connection.execute(query.with_for_update()).first()
    return None if row is None else _freeze(row)


def insert_freeze(connection: sa.Connection, wanted: Freeze) -> Freeze:
    """Begin a freeze; its id is made here."""
    made = new_id()
    connection.execute(
        sa.insert(freeze).values(
            id=made,
            organization_id=wanted.organization_id,
            cluster_id=wanted.cluster_id,
            binding=str(wanted.place) if wanted.place else None,
            including_revocations=wanted.including_revocations,
            reason=wanted.reason,
            begun_by=wanted.begun_by[:320],
            begun_at=wanted.begun_at,
            ends_at=wanted.ends_at,
        )
    )
    return _freeze(connection.execute(sa.select(freeze).where(freeze.c.id == made)).one())


def end_freeze(connection: sa.Connection, freeze_id: str, by: str, at: datetime) -> None:
    """End a freeze now."""
    connection.execute(sa.update(freeze).where(freeze.c.id == freeze_id).values(ended_at=at, ended_by=by[:320]))


def _in_force(at: datetime) -> sa.Select[Any]:
    columns = freeze.c
    return (
        sa.select(freeze)
        .where(columns.ended_at.is_(None), sa.or_(columns.ends_at.is_(None), columns.ends_at > at))
        .order_by(columns.id)
    )


def _freeze(row: sa.Row[Any]) -> Freeze:
    return Freeze(
        row.id,
        row.organization_id,
        row.cluster_id,
        parse_place(row.binding) if row.binding else None,
        row.including_revocations,
        row.reason,
        row.begun_by,
        row.begun_at,
        row.ends_at,
    )
