"""Members as provisioning makes and changes them."""

from dataclasses import dataclass

import sqlalchemy as sa

from scim_bridge.domain.keys import fold
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import DirectoryId, MemberId, MemberSource, MemberState
from scim_bridge.domain.provisioning import UserRecord
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
    user_name: str
    email: str | None
    external_id: str | None
    display_name: str | None

    def is_named_like(self, record: UserRecord) -> bool:
        """Say whether every name that a subject may be rendered from is the record's."""
        return (self.user_name, self.email, self.external_id) == (record.user_name, record.email, record.external_id)

    def is_called_like(self, record: UserRecord) -> bool:
        """Say whether names and display name are the record's."""
        return self.is_named_like(record) and self.display_name == record.display_name


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
    return MemberFacts(row[0], MemberState(row[1]), *row[2:])


def count_active(connection: sa.Connection, organization_id: OrganizationId) -> int:
    """Return how many people of an organization have access at all."""
    query = (
        sa.select(sa.func.count())
        .select_from(member)
        .where(member.c.organization_id == organization_id, member.c.state == MemberState.ACTIVE.value)
    )
    return int(connection.execute(query).scalar_one())


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
    connection.execute(_INSERT, values | _names(record))
    start_fact(connection, change, "member", made, "state", state.value)
    return made


def rename_member(connection: sa.Connection, member_id: MemberId, record: UserRecord) -> None:
    """Take over the names that the authoritative directory gives a member."""
    connection.execute(_UPDATE, {"member": member_id, **_names(record)})


def set_state(connection: sa.Connection, change: Change, member_id: MemberId, state: MemberState) -> None:
    """Change a member's state, and keep since when."""
    connection.execute(_UPDATE, {"member": member_id, "state": state.value})
    record_fact(connection, change, "member", member_id, "state", state.value)


def set_directory(connection: sa.Connection, member_id: MemberId, directory_id: DirectoryId) -> None:
    """Make a directory authoritative for a member."""
    connection.execute(_UPDATE, {"member": member_id, "directory_id": directory_id})


def copy_names(connection: sa.Connection, source: MemberFacts, member_id: MemberId) -> None:
    """Call a member what another one is called."""
    names = {
        "user_name": source.user_name,
        "email": source.email,
        "email_key": None if source.email is None else fold(source.email),
        "external_id": source.external_id,
        "display_name": source.display_name,
    }
    connection.execute(_UPDATE, {"member": member_id, **names})


def _names(record: UserRecord) -> dict[str, str | None]:
    return {
        "user_name": record.user_name,
        "email": record.email,
        "email_key": record.email_key,
        "external_id": record.external_id,
        "display_name": record.display_name,
    }
