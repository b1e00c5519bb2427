"""The order in which rows are locked: groups by id, then users, then members; whoever keeps to it never deadlocks."""

import sqlalchemy as sa

from scim_bridge.domain.people import DirectoryId
from scim_bridge.store import groups, memberships, users
from scim_bridge.store.users import StoredUser


def lock_user_with_groups(connection: sa.Connection, directory_id: DirectoryId, user_id: str) -> StoredUser | None:
    """
    Return a directory's present user, locked together with every group that they are in.

    A PATCH of a group holds the group while it waits for its users: locking the user first could wait for ever.
    """
    while True:
        found = users.get_user(connection, directory_id, user_id)
        if found is None:
            return None
        attempt = connection.begin_nested()
        before = memberships.groups_of_user(connection, found.id)
        groups.lock_groups(connection, before)
        locked = users.lock_user(connection, directory_id, user_id)
        if locked is None or set(memberships.groups_of_user(connection, found.id)) <= set(before):
            attempt.commit()
            return locked
        # They joined a group meanwhile: let everything go (a savepoint's locks go with it) and begin again.
        attempt.rollback()
