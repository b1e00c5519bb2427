"""Scalar facts that access is derived from, as rows with from/to: never overwritten."""

import sqlalchemy as sa

from scim_bridge.store.changes import Change
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.schema import fact


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
    connection.execute(
        sa.insert(fact).values(
            id=new_id(),
            organization_id=change.organization_id,
            noun=noun,
            object_id=object_id,
            attribute=attribute,
            value=value,
            valid_from=change.at,
        )
    )


def end_facts(connection: sa.Connection, change: Change, object_id: str, attribute: str | None = None) -> None:
    """End what is in force about an object: one attribute, or all when the object itself goes."""
    ending = sa.update(fact).where(fact.c.object_id == object_id, fact.c.valid_to.is_(None))
    if attribute is not None:
        ending = ending.where(fact.c.attribute == attribute)
    connection.execute(ending.values(valid_to=change.at))
