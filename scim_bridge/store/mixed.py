"""Users and groups in one list: their keys are put in order by the database, and only a page of them is read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from scim_bridge.domain.filters import Filter
from scim_bridge.domain.paging import Order, Window
from scim_bridge.domain.people import DirectoryId
from scim_bridge.errors import Invalid
from scim_bridge.store.documents import reader
from scim_bridge.store.filters import GROUP_COLUMNS, USER_COLUMNS
from scim_bridge.store.groups import StoredGroup, groups_of, present_groups
from scim_bridge.store.paging import Listed, Page, find_page, sort_keys
from scim_bridge.store.schema import scim_user, user_group
from scim_bridge.store.users import StoredUser, present_users, users_of

USERS, GROUPS = 1, 2


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of one kind of resource: the same words can mean another attribute in each."""

    filter: Filter | None = None
    order: Order | None = None


def find_everything(
    connection: sa.Connection, directory_id: DirectoryId, of_users: Asked, of_groups: Asked, window: Window
) -> Page[StoredUser | StoredGroup]:
    """Return a page of the directory's present users and groups; without an order, users come first."""
    document = reader(connection, scim_user.c.document)
    user_keys = sort_keys(of_users.order, USER_COLUMNS, document, shared=True)
    users = _keys(scim_user, USERS, user_keys, present_users(connection, directory_id, of_users.filter))
    document = reader(connection, user_group.c.document)
    group_keys = sort_keys(of_groups.order, GROUP_COLUMNS, document, shared=True)
    if [type(key.type) for key in user_keys] != [type(key.type) for key in group_keys]:
        # `urn:…:User:id`: an id for users, and an attribute that no group has.
        raise Invalid("Users and groups have no common order by that; sort them by a name without a URN.", "sortBy")
    groups = _keys(user_group, GROUPS, group_keys, present_groups(connection, directory_id, of_groups.filter))
    rows = sa.union_all(users, groups).subquery("everything")
    *keys, kind_column, id_column = rows.c
    by_id = window.order is not None and not keys
    in_order = [id_column] if by_id else [*keys, kind_column, id_column]
    page = find_page(connection, Listed(rows, (kind_column, id_column), in_order), (), window)
    named = [(int(row[0]), str(row[1])) for row in map(tuple, page.rows)]
    found: dict[int, Mapping[str, StoredUser | StoredGroup]] = {
        USERS: users_of(connection, [id_ for kind, id_ in named if kind == USERS]),
        GROUPS: groups_of(connection, [id_ for kind, id_ in named if kind == GROUPS]),
    }
    return Page(page.total, [found[kind][id_] for kind, id_ in named], page.end)


def _keys(
    table: sa.Table, kind: int, keys: Sequence[sa.ColumnElement[Any]], where: Sequence[sa.ColumnElement[bool]]
) -> sa.Select[Any]:
    named = [key.label(f"by_{number}") for number, key in enumerate(keys)]
    return sa.select(*named, sa.literal(kind, sa.Integer).label("kind"), table.c.id).where(*where)
