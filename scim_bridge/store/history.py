"""Scalar facts that access is derived from, as rows with from/to: never overwritten."""

from datetime import datetime

import sqlalchemy as sa

from scim_bridge.store.changes import Change
from scim_bridge.store.effects import note
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.schema import fact
from scim_bridge.store.statements import write_later

_INSERT = sa.insert(fact)
_END_ALL = sa.update(fact).where(fact.c.object_id == sa.bindparam("object"), fact.c.valid_to.is_(None))
_END = _END_ALL.where(fact.c.attribute == sa.bindparam("named"))


def record_fact(
    connection: sa.Connection, change: Change, noun: str, object_id: str, attribute: str, value: str | None
) -> None:
    """Say that ``attribute`` of an object is ``value`` from the change's moment on; the fact before it ends then."""
    end_facts(connection, change, object_id, attribute)
    start_fact(connection, change, noun, object_id, attribute, value)


def start_fact(
    connection: sa.Connection, change: Change, noun: str, object_id: str, attribute: str, value: str | None
) -> None:
    """Say the first fact about an attribute of an object that was made just now."""
    note(connection, change, "fact", noun=noun, object=object_id, attribute=attribute, value=value)
    values = {"noun": noun, "object_id": object_id, "attribute": attribute, "value": value, "valid_from": change.at}
    write_later(connection, _INSERT, {"id": new_id(), "organization_id": change.organization_id, **values})


def end_facts(connection: sa.Connection, change: Change, object_id: str, attribute: str | None = None) -> None:
    """End what is in force about an object: one attribute, or all when the object itself goes."""
    values = {"object": object_id, "valid_to": change.at}
    if attribute is None:
        note(connection, change, "facts.ended", object=object_id)
        write_later(connection, _END_ALL, values)
    else:
        write_later(connection, _END, values | {"named": attribute})


def change_fact(
    connection: sa.Connection,
    change: Change,
    noun: str,
    object_id: str,
    attribute: str,
    value: str | None,
    was: tuple[str | None, datetime],
) -> None:
    """
    Say what an attribute is from now on that nobody recorded while it stayed as it was made.

    ``was``: its value until now, and since when. Most objects never change it, and cost nothing.
    """
    values = {"object": object_id, "valid_to": change.at}
    if connection.execute(_END, values | {"named": attribute}).rowcount == 0:
        before = {"noun": noun, "object_id": object_id, "attribute": attribute, "value": was[0], "valid_from": was[1]}
        ended = {"id": new_id(), "organization_id": change.organization_id, "valid_to": change.at}
        write_later(connection, _INSERT, ended | before)
    start_fact(connection, change, noun, object_id, attribute, value)
