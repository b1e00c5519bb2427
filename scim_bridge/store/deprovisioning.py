"""What a directory's rule for leavers is, whose grace is over, and how a purged person is forgotten."""

from datetime import datetime

import orjson
import sqlalchemy as sa

from scim_bridge.domain.deprovisioning import DeprovisionPolicy
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import DirectoryId, MemberId, MemberState
from scim_bridge.store.members import erase_names
from scim_bridge.store.schema import adoption_conflict, directory, fact, invitation, mail, member, scim_user

KEY = "deprovision"


def get_policy(connection: sa.Connection, directory_id: DirectoryId) -> DeprovisionPolicy:
    """Return a directory's rule; nobody is purged where none is set."""
    return _policy(
        connection.execute(sa.select(directory.c.settings).where(directory.c.id == directory_id)).scalar_one()
    )


def set_policy(connection: sa.Connection, directory_id: DirectoryId, policy: DeprovisionPolicy) -> None:
    """Give a directory a rule."""
    this = directory.c.id == directory_id
    settings = orjson.loads(connection.execute(sa.select(directory.c.settings).where(this)).scalar_one())
    settings[KEY] = {"grace_days": policy.grace_days, "delete_suspends": policy.delete_suspends}
    text = orjson.dumps(settings, option=orjson.OPT_SORT_KEYS).decode()
    connection.execute(sa.update(directory).where(this).values(settings=text))


def policies(connection: sa.Connection) -> list[tuple[OrganizationId, DirectoryId, DeprovisionPolicy]]:
    """Return the rules of all directories that purge at all, in every organization."""
    query = sa.select(directory.c.organization_id, directory.c.id, directory.c.settings).where(
        directory.c.settings.contains(KEY)
    )
    found = [(OrganizationId(row[0]), DirectoryId(row[1]), _policy(row[2])) for row in connection.execute(query)]
    return [each for each in found if each[2].grace_days is not None]


def grace_over(
    connection: sa.Connection, organization_id: OrganizationId, directory_id: DirectoryId, before: datetime, most: int
) -> list[MemberId]:
    """Return whom a directory let go of before a moment and whom nothing else holds: no directory has them any more."""
    present = sa.exists().where(scim_user.c.member_id == member.c.id, scim_user.c.removed_at.is_(None))
    asked = sa.exists().where(
        sa.or_(adoption_conflict.c.waiting_id == member.c.id, adoption_conflict.c.candidate_id == member.c.id),
        adoption_conflict.c.organization_id == organization_id,
        adoption_conflict.c.state == "open",
    )
    query = (
        sa.select(member.c.id)
        .join(fact, sa.and_(fact.c.object_id == member.c.id, fact.c.attribute == "state", fact.c.valid_to.is_(None)))
        .where(
            member.c.organization_id == organization_id,
            member.c.state == MemberState.DEACTIVATED.value,
            member.c.directory_id == directory_id,
            fact.c.valid_from <= before,
            ~present,
            ~asked,
        )
        .order_by(member.c.id)
        .limit(most)
    )
    return [MemberId(each) for each in connection.execute(query).scalars()]


def forget(connection: sa.Connection, member_id: MemberId) -> None:
    """
    Forget what a purged person was called.

    Ids stay, so that who had access when can be told still, but not who that was.
    """
    erase_names(connection, member_id)
    users = list(connection.execute(sa.select(scim_user.c.id).where(scim_user.c.member_id == member_id)).scalars())
    gone = {"user_name": scim_user.c.id, "user_name_key": scim_user.c.id, "document": "{}"}
    nothing = {"external_id": None, "email_key": None, "more_emails": False, "display_name": None}
    connection.execute(sa.update(scim_user).where(scim_user.c.id.in_(users)).values(gone | nothing))
    asked = sa.select(invitation.c.id).where(invitation.c.member_id == member_id)
    connection.execute(sa.update(mail).where(mail.c.about_id.in_(asked)).values(recipient=""))
    invited = sa.update(invitation).where(invitation.c.member_id == member_id)
    connection.execute(invited.values(email="", email_key=invitation.c.id))


def _policy(text: str) -> DeprovisionPolicy:
    said = orjson.loads(text).get(KEY) or {}
    return DeprovisionPolicy(said.get("grace_days"), bool(said.get("delete_suspends")))
