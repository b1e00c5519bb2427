"""Use cases of what a person should know about directories: found when somebody looks, and told once by the clock."""

from datetime import datetime

from scim_bridge.domain.directory_alarms import RHYTHM, STREAK, DirectoryCondition, Sighting, TokenSeen, conditions_of
from scim_bridge.log import get_logger
from scim_bridge.store import attribute_mappings, directories, organizations
from scim_bridge.store import directory_signs as signs
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.directories import Directory
from scim_bridge.store.holds import count_held

log = get_logger(__name__)


def look_at(connection: Connection, directory: Directory, at: datetime) -> tuple[DirectoryCondition, ...]:
    """Return what a person should know about a directory."""
    tokens = directories.list_tokens(connection, directory.id)
    seen = Sighting(
        directory.state,
        [TokenSeen(each.prefix, each.expires_at) for each in tokens if each.revoked_at is None],
        max((each.last_used_at for each in tokens if each.last_used_at is not None), default=None),
        signs.silences_since(connection, directory.id, at - RHYTHM),
        signs.newest_answers(connection, directory.id, STREAK),
        attribute_mappings.count_lacking(connection, directory.id),
        count_held(connection, directory.id),
    )
    return conditions_of(seen, at)


def look_over(database: Database, at: datetime | None = None) -> int:
    """Look at every directory, keep what is found, and log what is new; return how much that was."""
    moment = at or now()
    with database.read() as connection:
        owners = organizations.list_organizations(connection)
        found = [
            (owner.slug, each, look_at(connection, each, moment))
            for owner in owners
            for each in directories.list_directories(connection, owner.id)
        ]
    told = 0
    with database.write() as connection:
        signs.forget_silences(connection, moment - RHYTHM)
        for slug, each, conditions in found:
            for new in signs.keep_conditions(connection, each.organization_id, each.id, conditions, moment):
                told += 1
                log.warning(new.message, organization=slug, directory=each.name, condition=new.kind)
    return told
