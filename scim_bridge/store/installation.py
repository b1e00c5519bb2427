"""Facts about this installation itself."""

import secrets

import sqlalchemy as sa

from scim_bridge.store.schema import installation

INSTANCE = "instance"
SERVES_FROM = "serves_from"
"""The oldest revision whose release still works on the tables as they are."""


def instance_id(connection: sa.Connection) -> str:
    """
    Return the installation's short id, which is in the name and labels of every binding it writes.

    It is made at the first write transaction that asks, and stays for the life of the database.
    """
    found = find_fact(connection, INSTANCE)
    if found is None:
        made = "".join(secrets.choice("abcdefghijkmnpqrstuvwxyz23456789") for _ in range(8))
        put_fact(connection, INSTANCE, made)
        return made
    return found


def find_fact(connection: sa.Connection, name: str) -> str | None:
    """Return a fact about the installation, None where nobody has noted it."""
    query = sa.select(installation.c.value).where(installation.c.name == name)
    return connection.execute(query).scalar_one_or_none()


def put_fact(connection: sa.Connection, name: str, value: str) -> None:
    """Note a fact about the installation, in the place of what was noted before."""
    changed = sa.update(installation).where(installation.c.name == name).values(value=value)
    if connection.execute(changed).rowcount == 0:
        connection.execute(sa.insert(installation).values(name=name, value=value))
