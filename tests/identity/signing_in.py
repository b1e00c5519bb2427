"""People who sign in, for tests of what they then may do."""

from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa

from scim_bridge.domain.actors import Actor, ActorKind
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import AccountId, MemberId
from scim_bridge.domain.sessions import SignInMethod
from scim_bridge.identity import organizations, sessions
from scim_bridge.identity.sessions import Proof, SessionBegun, Visit, Visitor
from scim_bridge.store import schema
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from scim_bridge.store.people import find_account, insert_account, insert_member
from tests.identity.rows import begin, organization_id

TERMINAL = Actor(ActorKind.CLI, "tests")
ADDRESS = "203.0.113.7"


@dataclass(frozen=True)
class Person:
    """Somebody with an account who is a member of organizations."""

    account_id: AccountId
    member_id: MemberId
    email: str


def put_person(database: Database, name: str = "ana", organization: str = "acme") -> Person:
    """Make an active member, of the account with this name if there is one."""
    email = f"{name}@example.com"
    organizations.create(database, TERMINAL, organization)
    with database.write() as connection:
        change = begin(connection, organization)
        account = find_account(connection, email) or insert_account(connection, change, email)
        return Person(account, insert_member(connection, change, account, email), email)


def sign_in(
    database: Database,
    person: Person,
    method: SignInMethod = SignInMethod.PASSWORD,
    *,
    second_factor: bool = False,
    only: OrganizationId | None = None,
) -> SessionBegun:
    """Begin a session of somebody whose proof nobody asks for."""
    with database.write() as connection:
        proof = Proof(person.account_id, method, second_factor, only)
        return sessions.begin(connection, proof, Visit(ADDRESS, "tests"), now())


def visitor(database: Database, begun: SessionBegun, address: str = ADDRESS) -> Visitor:
    """Return who is signed in at the next click."""
    found = sessions.resume(database, begun.text, address)
    assert found is not None
    return found


def id_of(database: Database, slug: str = "acme") -> OrganizationId:
    """Return an organization's id."""
    with database.read() as connection:
        return organization_id(connection, slug)


def age(database: Database, begun: SessionBegun, by: timedelta, *, used: timedelta = timedelta(0)) -> None:
    """Let a session have begun so long ago, and have been used last so long ago."""
    values = {"created_at": now() - by, "last_seen_at": now() - used}
    with database.write() as connection:
        connection.execute(sa.update(schema.session).where(schema.session.c.id == begun.session.id).values(**values))
