"""Members as provisioning makes and changes them."""

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from scim_bridge.domain.people import DirectoryId, MemberId, MemberSource, MemberState
from scim_bridge.domain.provisioning import Names, UserRecord
from scim_bridge.store.changes import Change
from scim_bridge.store.history import record_fact, start_fact
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.schema import member


@dataclass(frozen=True, slots=True)
class MemberFacts:
    """What provisioning compares of a member."""

    id: MemberId
    state: MemberState
    directory_id: DirectoryId | None
    names: Names


_LOCK = (
    sa.select(
        member.c.id,
        member.c.state,
        member.c.directory_id,
        member.c.user_name,
        member.c.email,
        member.c.external_id,
        member.c.display_name,
    )
    .where(member.c.id == sa.bindparam("id"))
    .with_for_update(key_share=True)
)
_INSERT = sa.insert(member)
_UPDATE = sa.update(member).where(member.c.id == sa.bindparam("member"))


def lock_member(connection: sa.Connection, member_id: MemberId) -> MemberFacts:
    """Return a member, kept from other writers until the transaction ends."""
    row = connection.execute(_LOCK, {"id": member_id}).one()
    return MemberFacts(row[0], MemberState(row[1]), row[2], Names(*row[3:]))


def insert_provisioned(
    connection: sa.Connection, change: Change, directory_id: DirectoryId, record: UserRecord
) -> MemberId:
    """Add the person that a directory provisions; the directory is authoritative for them."""
    made = MemberId(new_id())
    state = MemberState.ACTIVE if record.active else MemberState.DEACTIVATED
    values = {
        "id": made,
        "organization_id": change.organization_id,
        "directory_id": directory_id,
        "state": state.value,
        "source": MemberSource.SCIM.value,
        "created_at": change.at,
    }
    connection.execute(_INSERT, values | _named(record.names))
    start_fact(connection, change, "member", made, "state", state.value)
    return made


def rename_member(connection: sa.Connection, member_id: MemberId, names: Names) -> None:
    """Call a member as the authoritative directory, or whom they turned out to be, is called."""
    connection.execute(_UPDATE, {"member": member_id, **_named(names)})


def rename_members(connection: sa.Connection, named: Mapping[MemberId, Names]) -> None:
    """Call these members otherwise."""
    rows = [{"member": member_id, **_named(names)} for member_id, names in sorted(named.items())]
    if rows:
        connection.execute(_UPDATE, rows)


def set_state(connection: sa.Connection, change: Change, member_id: MemberId, state: MemberState) -> None:
    """Change a member's state, and keep since when."""
    connection.execute(_UPDATE, {"member": member_id, "state": state.value})
    record_fact(connection, change, "member", member_id, "state", state.value)


def set_directory(connection: sa.Connection, member_id: MemberId, directory_id: DirectoryId) -> None:
    """Make a directory authoritative for a member."""
    connection.execute(_UPDATE, {"member": member_id, "directory_id": directory_id})


def _named(names: Names) -> dict[str, str | None]:
    return {
        "user_name": names.user_name,
        "email": names.email,
        "email_key": names.email_key,
        "external_id": names.external_id,
        "display_name": names.display_name,
    }
