"""People put together in a line, for tests of what becomes of them."""

from datetime import datetime

import sqlalchemy as sa

from scim_bridge.domain.actors import Actor, ActorKind
from scim_bridge.domain.people import GroupId, MemberId
from scim_bridge.identity import organizations
from scim_bridge.identity.names import the_member
from scim_bridge.store import members, people, schema
from scim_bridge.store.database import Database
from tests.identity.rows import begin, organization_id, put_group

HANDS = Actor(ActorKind.CLI, "tests")


def put_person(database: Database, email: str, display_name: str | None = None, slug: str = "acme") -> MemberId:
    """Add an active person by hand."""
    with database.write() as connection:
        change = begin(connection, slug)
        account = people.find_account(connection, email) or people.insert_account(connection, change, email)
        made = people.insert_member(connection, change, account, email)
        if display_name is not None:
            members.set_display_name(connection, members.look_at(connection, made), display_name)
        return made


def put_owner(database: Database, email: str, slug: str = "acme") -> MemberId:
    """Add a person who owns the organization."""
    organizations.create(database, HANDS, slug, owner=email)
    return member_id(database, email, slug)


def member_id(database: Database, named: str, slug: str = "acme") -> MemberId:
    """Return a person's id; raises NotFound."""
    with database.read() as connection:
        return the_member(connection, organization_id(connection, slug), named).id


def as_person(database: Database, email: str, slug: str = "acme") -> Actor:
    """Return somebody who is signed in as themselves."""
    with database.read() as connection:
        account = people.account_of_member(connection, member_id(database, email, slug))
    return Actor(ActorKind.PERSON, email, account_id=account)


def owners(database: Database, slug: str = "acme") -> set[MemberId]:
    """Return the working owners."""
    with database.read() as connection:
        return people.working_owners(connection, organization_id(connection, slug))


def was_active(database: Database, person: MemberId, at: datetime | None, since: datetime | None = None) -> None:
    """Say when a person was last active, and since when they have been here."""
    values: dict[str, datetime | None] = {"last_active_at": at}
    if since is not None:
        values["created_at"] = since
    with database.write() as connection:
        connection.execute(sa.update(schema.member).where(schema.member.c.id == person).values(values))


def hand_group(database: Database, name: str, slug: str = "acme") -> GroupId:
    """Add a group that no directory owns."""
    with database.write() as connection:
        return put_group(connection, begin(connection, slug), name, None)
