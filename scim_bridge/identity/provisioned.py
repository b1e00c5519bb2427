"""What a directory may read back of what it provisioned."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from scim_bridge.domain.filters import Filter
from scim_bridge.domain.paging import Window
from scim_bridge.domain.people import GroupId, ScimUserId
from scim_bridge.errors import NotFound
from scim_bridge.identity.callers import Caller, accept, authenticate, digest_of
from scim_bridge.store import asking, groups, memberships, users
from scim_bridge.store.clock import now as now
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.groups import StoredGroup as StoredGroup
from scim_bridge.store.memberships import NamedGroup as NamedGroup
from scim_bridge.store.mixed import Asked as Asked
from scim_bridge.store.mixed import find_everything
from scim_bridge.store.paging import Page as Page
from scim_bridge.store.shown_groups import ADDRESS as ADDRESS
from scim_bridge.store.shown_groups import NESTED as NESTED
from scim_bridge.store.users import StoredUser as StoredUser
from scim_bridge.store.users import extensions as extensions

NamedGroups = dict[ScimUserId, list[NamedGroup]]


@dataclass(frozen=True, slots=True)
class Reading:
    """One sealed read on behalf of a directory; every answer is of the same moment, and of that directory only."""

    connection: Connection
    caller: Caller

    def user(self, user_id: str) -> StoredUser:
        """Return a user; raises NotFound."""
        found = users.get_user(self.connection, self.caller.directory_id, user_id)
        return require_user(found, user_id)

    def users(self, filter_: Filter | None, window: Window) -> Page[StoredUser]:
        """Return a page of users."""
        return users.find_users(self.connection, self.caller.directory_id, filter_, window)

    def group(self, group_id: str) -> StoredGroup:
        """Return a group; raises NotFound."""
        found = groups.get_group(self.connection, self.caller.directory_id, group_id)
        if found is None:
            raise NotFound(f"There is no group {group_id!r} in this directory.")
        return found

    def groups(self, filter_: Filter | None, window: Window) -> Page[StoredGroup]:
        """Return a page of groups."""
        return groups.find_groups(self.connection, self.caller.directory_id, filter_, window)

    def everything(self, of_users: Asked, of_groups: Asked, window: Window) -> Page[StoredUser | StoredGroup]:
        """Return a page of users and groups in one list."""
        return find_everything(self.connection, self.caller.directory_id, of_users, of_groups, window)

    def groups_of(self, user_ids: Sequence[ScimUserId]) -> NamedGroups:
        """Return the groups that each of these users is in, directly or by a group in a group."""
        return memberships.named_groups_of(self.connection, self.caller.directory_id, user_ids) if user_ids else {}

    def members_of(self, group_ids: Sequence[GroupId], users_url: str, groups_url: str) -> dict[GroupId, str]:
        """Return the members of these groups as JSON texts."""
        if not group_ids:
            return {}
        return groups.members_of(self.connection, self.caller.directory_id, group_ids, users_url, groups_url)


@contextmanager
def open_reading(database: Database, token: str | None, address: str | None = None) -> Iterator[Reading]:
    """Open a read for whoever the token speaks for; raises NotAuthenticated before anything else is read."""
    with database.read() as connection:
        yield Reading(connection, authenticate(connection, token, address))


@contextmanager
def open_reading_of(database: Database, caller: Caller) -> Iterator[Reading]:
    """Open a read for a directory that is known already."""
    with database.read() as connection:
        yield Reading(connection, caller)


def groups_of(database: Database, caller: Caller, user_ids: Sequence[ScimUserId]) -> NamedGroups:
    """Return the groups that each of these users of a directory is in, directly or by a group in a group."""
    with database.glance() as connection:
        return memberships.named_groups_of(connection, caller.directory_id, user_ids)


def require_user(found: StoredUser | None, user_id: str) -> StoredUser:
    """Return the user that was looked for; raises NotFound."""
    if found is None:
        raise NotFound(f"There is no user {user_id!r} in this directory.")
    return found


def find_user_by_id(
    database: Database, token: str | None, address: str | None, user_id: str
) -> tuple[Caller, StoredUser | None]:
    """Return whoever a token speaks for, and their user of this id; raises NotAuthenticated."""
    return _find(database, token, address, asking.user_by_id, user_id)


def find_user_by_name(
    database: Database, token: str | None, address: str | None, name: str
) -> tuple[Caller, StoredUser | None]:
    """Return whoever a token speaks for, and their user of this userName; raises NotAuthenticated."""
    return _find(database, token, address, asking.user_by_name, name)


def _find(
    database: Database, token: str | None, address: str | None, find: asking.Finding, sought: str
) -> tuple[Caller, StoredUser | None]:
    if not token:
        return accept(None, address), None
    with database.glance() as connection:
        presented, user = find(connection, digest_of(token), sought)
    return accept(presented, address), user


def find_caller(database: Database, token: str | None, address: str | None = None) -> Caller:
    """Return whoever the token speaks for; raises NotAuthenticated."""
    with database.glance() as connection:
        return authenticate(connection, token, address)
