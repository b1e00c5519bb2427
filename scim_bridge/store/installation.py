"""Facts about this installation itself."""

import secrets

import sqlalchemy as sa

from scim_bridge.store.schema import installation

INSTANCE = "instance"


def instance_id(connection: sa.Connection) -> str:
    """
    Return the installation's short id, which is in the name and labels of every binding it writes.

    It is made at the first write transaction that asks, and stays for the life of the database.
    """
    query = sa.select(installation.c.value).where(installation.c.name == INSTANCE)
    found = connection.execute(query).scalar_one_or_none()
    if found is None:
        made = "".join(secrets.choice("abcdefghijkmnpqrstuvwxyz23456789") for _ in range(8))
        connection.execute(sa.insert(installation).values(name=INSTANCE, value=made))
        return made
    return str(found)
