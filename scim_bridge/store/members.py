"""Members as provisioning makes and changes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from scim_bridge.domain.keys import fold
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import AccountId, DirectoryId, MemberId, MemberSource, MemberState
from scim_bridge.domain.provisioning import UserRecord
from scim_bridge.store.changes import Change
from scim_bridge.store.effects import note
from scim_bridge.store.history import change_fact, record_fact, start_fact
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.member_words import add_words, replace_words
from scim_bridge.store.schema import member
from scim_bridge.store.statements import write_later


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
    organization_id: OrganizationId
    account_id: AccountId | None
    blocked_at: datetime | None

    def is_named_like(self, record: UserRecord) -> bool:
        """Say whether every name that a subject may be rendered from is the record's."""
        return (self.user_name, self.email, self.external_id) == record.names.in_subjects

    def is_called_like(self, record: UserRecord) -> bool:
        """Say whether names and display name are the record's."""
        return self.is_named_like(record) and self.display_name == record.names.display_name


_LOOK = sa.select(
    member.c.id,
    member.c.state,
    member.c.directory_id,
    member.c.user_name,
    member.c.email,
    member.c.external_id,
    member.c.display_name,
    member.c.organization_id,
    member.c.account_id,
    member.c.blocked_at,
).where(member.c.id == sa.bindparam("id"))
_LOCK = _LOOK.with_for_update(key_share=True)
DIRECTORY = "directory"
"""The fact about a member: which directory is authoritative for them. Recorded once it changes."""

_DIRECTORY = sa.select(member.c.directory_id, member.c.created_at).where(member.c.id == sa.bindparam("id"))
_INSERT = sa.insert(member)
_UPDATE = sa.update(member).where(member.c.id == sa.bindparam("member"))


def look_at(connection: sa.Connection, member_id: MemberId) -> MemberFacts:
    """Return a member as they are at this moment."""
    row = connection.execute(_LOOK, {"id": member_id}).one()
    return _facts(row)


def lock_member(connection: sa.Connection, member_id: MemberId) -> MemberFacts:
    """Return a member, kept from other writers until the transaction ends."""
    row = connection.execute(_LOCK, {"id": member_id}).one()
    return _facts(row)


def _facts(row: Sequence[Any]) -> MemberFacts:
    return MemberFacts(row[0], MemberState(row[1]), row[2], row[3], row[4], row[5], row[6], row[7], row[8], row[9])


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
    write_later(connection, _INSERT, values | _names(record))
    add_words(connection, change.organization_id, made, record.names.words)
    start_fact(connection, change, "member", made, "state", state.value)
    note(connection, change, "member.began", member=made, directory=directory_id)
    return made


def rename_member(connection: sa.Connection, member_id: MemberId, record: UserRecord) -> None:
    """Take over the names that the authoritative directory gives a member."""
    write_later(connection, _UPDATE, {"member": member_id, **_names(record)})
    replace_words(connection, member_id, record.names.words)


def set_state(connection: sa.Connection, change: Change, member_id: MemberId, state: MemberState) -> None:
    """Change a member's state, and keep since when."""
    write_later(connection, _UPDATE, {"member": member_id, "state": state.value})
    record_fact(connection, change, "member", member_id, "state", state.value)


def set_directory(connection: sa.Connection, change: Change, member_id: MemberId, directory_id: DirectoryId) -> None:
    """Make a directory authoritative for a member, and keep since when."""
    was = connection.execute(_DIRECTORY, {"id": member_id}).one()
    connection.execute(_UPDATE, {"member": member_id, "directory_id": directory_id})
    change_fact(connection, change, "member", member_id, DIRECTORY, directory_id, (was[0], was[1]))


def copy_names(connection: sa.Connection, source: MemberFacts, member_id: MemberId) -> None:
    """Call a member what another one is called."""
    names = {
        "user_name": source.user_name,
        "user_name_key": fold(source.user_name),
        "email": source.email,
        "email_key": None if source.email is None else fold(source.email),
        "external_id": source.external_id,
        "display_name": source.display_name,
    }
    connection.execute(_UPDATE, {"member": member_id, **names})
    replace_words(connection, member_id, (source.user_name, source.email, source.display_name))


def set_display_name(connection: sa.Connection, person: MemberFacts, display_name: str | None) -> None:
    """Show a member under another name."""
    connection.execute(_UPDATE, {"member": person.id, "display_name": display_name})
    replace_words(connection, person.id, (person.user_name, person.email, display_name))


def set_account(connection: sa.Connection, member_id: MemberId, account_id: AccountId) -> None:
    """Say with which account a member signs in."""
    connection.execute(_UPDATE, {"member": member_id, "account_id": account_id})


def set_blocked(connection: sa.Connection, change: Change, member_id: MemberId, *, blocked: bool) -> None:
    """Note that somebody here, not a directory, keeps a member out; or that they no longer do."""
    connection.execute(_UPDATE, {"member": member_id, "blocked_at": change.at if blocked else None})
    record_fact(connection, change, "member", member_id, "blocked", "true" if blocked else None)


def erase_names(connection: sa.Connection, member_id: MemberId) -> None:
    """Forget what a member was called; the id alone stays, for the history of access."""
    gone = {"email": None, "email_key": None, "external_id": None, "display_name": None}
    connection.execute(_UPDATE, {"member": member_id, "user_name": member_id, "user_name_key": member_id, **gone})
    replace_words(connection, member_id, ())


def _names(record: UserRecord) -> dict[str, str | None]:
    names = record.names
    return {
        "user_name": names.user_name,
        "user_name_key": names.user_name_key,
        "email": names.email,
        "email_key": names.email_key,
        "external_id": names.external_id,
        "display_name": names.display_name,
    }
