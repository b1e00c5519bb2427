"""What is over and done with, and told of elsewhere: taken away once nobody is promised it any more."""

from datetime import datetime

import sqlalchemy as sa

from scim_bridge.store.identifiers import first_id_at
from scim_bridge.store.schema import (
    account_link,
    alert,
    change_row,
    mail,
    provisioning_log,
    removal_proof,
    removal_request,
    removal_request_cluster,
)

AT_ONCE = 500


def forget_some(connection: sa.Connection, before: datetime) -> int:
    """
    Take away some of what ended before a moment, the oldest first, and return how many rows; 0: nothing is left of it.

    Removals with their proofs, changes that every pass has seen and no log names, mails that were sent or given up,
    links that can no longer be used, and alerts that are over.
    """
    return (
        _forget_removals(connection, before)
        + _forget_changes(connection, before)
        + _forget(connection, mail, mail.c.closed_at < before)
        + _forget(connection, account_link, account_link.c.expires_at < before)
        + _forget(connection, alert, alert.c.closed_at < before)
    )


def _forget_removals(connection: sa.Connection, before: datetime) -> int:
    # Ids grow with time: no older request is looked at twice.
    over = sa.and_(removal_request.c.closed_at < before, removal_request.c.id < first_id_at(before))
    ids = _ids(connection, removal_request, over)
    for table in (removal_proof, removal_request_cluster):
        connection.execute(sa.delete(table).where(table.c.removal_request_id.in_(ids)))
    connection.execute(sa.delete(removal_request).where(removal_request.c.id.in_(ids)))
    return len(ids)


def _forget_changes(connection: sa.Connection, before: datetime) -> int:
    named = [~sa.exists().where(table.c.change_id == change_row.c.id) for table in (provisioning_log, removal_request)]
    return _forget(
        connection,
        change_row,
        sa.and_(change_row.c.id < first_id_at(before), change_row.c.dispatched_at.is_not(None), *named),
    )


def _forget(connection: sa.Connection, table: sa.Table, over: sa.ColumnElement[bool]) -> int:
    ids = _ids(connection, table, over)
    connection.execute(sa.delete(table).where(table.c.id.in_(ids)))
    return len(ids)


def _ids(connection: sa.Connection, table: sa.Table, over: sa.ColumnElement[bool]) -> list[str]:
    return list(connection.execute(sa.select(table.c.id).where(over).order_by(table.c.id).limit(AT_ONCE)).scalars())
