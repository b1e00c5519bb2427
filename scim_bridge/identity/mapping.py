"""Use cases of mapping rules: apply a rule file, and keep the grants that rules give in step with groups and people."""

from collections.abc import Iterable

from scim_bridge.domain.people import GroupId, ScimUserId
from scim_bridge.store.changes import Change
from scim_bridge.store.database import Connection


def groups_changed(connection: Connection, change: Change, group_ids: Iterable[GroupId]) -> None:
    """Give these groups the grants that rules now say, and take away those that none says any more."""


def users_changed(connection: Connection, change: Change, scim_user_ids: Iterable[ScimUserId]) -> None:
    """Give the people behind these SCIM users what attribute rules now say, and take away what none says."""
