"""
Use cases of break-glass accounts: owners who get in when the identity provider does not let anybody in.

Such an account is local, has a second factor, belongs to no directory, stands outside of what the organization asks of
others, and alarms whenever it is used.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from scim_bridge.domain.actors import Actor, ActorKind
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import AccountId, MemberId, MemberState
from scim_bridge.domain.sessions import Session
from scim_bridge.errors import Conflict
from scim_bridge.identity.authority import require
from scim_bridge.identity.letters import Letters
from scim_bridge.identity.names import the_member, the_organization
from scim_bridge.log import get_logger
from scim_bridge.store import policies as store
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import add_change, new_change
from scim_bridge.store.clock import now
from scim_bridge.store.credentials import get_account, methods_of
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.mails import cancel_mails
from scim_bridge.store.members import lock_member
from scim_bridge.store.organizations import find_organization
from scim_bridge.store.people import working_owners
from scim_bridge.store.policies import BreakGlass, read_policy

PERMISSION = "break_glass:use"
ACTION = "break_glass.used"
# Who has never tried it will not manage in the night in which it is needed.
DRILL_EVERY = timedelta(days=90)
REMIND_EVERY = timedelta(days=14)
REMINDER = Actor(ActorKind.SCHEDULER, "drills")

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class BreakGlassView:
    """A break-glass account; not ``works``: it would not get in today, and ``lacking`` says why."""

    member_id: MemberId
    user_name: str
    works: bool
    lacking: str
    created_by: str
    created_at: datetime
    last_used_at: datetime | None
    drill_due: bool


def add(
    database: Database, actor: Actor, organization: str, person: str, request_id: str | None = None
) -> BreakGlassView:
    """Make an owner's account a break-glass account; raises Conflict for one that a directory could end."""
    with database.write() as connection:
        owner = the_organization(connection, organization)
        require(connection, actor, owner.id, PERMISSION)
        member = the_member(connection, owner.id, person)
        facts = lock_member(connection, member.id)
        if facts.directory_id is not None:
            raise Conflict(f"{member.user_name} belongs to a directory, which can end the account: make a local one.")
        if member.id not in working_owners(connection, owner.id):
            raise Conflict(f"{member.user_name} is no working owner.")
        change = new_change(owner.id, actor, "break_glass.added", now(), request_id)
        if not store.is_break_glass(connection, member.id):
            add_change(connection, change, member.user_name)
            store.insert_break_glass(connection, change, member.id)
            add_audit(connection, change, "break_glass.added", "member", member.id, {"user_name": member.user_name})
        return _the_view(connection, owner.id, member.id)


def list_all(database: Database, organization: str) -> list[BreakGlassView]:
    """Return an organization's break-glass accounts."""
    with database.read() as connection:
        owner = the_organization(connection, organization)
        return [_view(connection, owner.id, each) for each in store.list_break_glass(connection, owner.id)]


def remove(
    database: Database, actor: Actor, organization: str, person: str, request_id: str | None = None
) -> BreakGlassView:
    """Let an account be like all others; raises Conflict for the last that works while SSO is enforced."""
    with database.write() as connection:
        owner = the_organization(connection, organization)
        require(connection, actor, owner.id, PERMISSION)
        member = the_member(connection, owner.id, person)
        if not store.is_break_glass(connection, member.id):
            raise Conflict(f"{member.user_name} is no break-glass account.")
        view = _the_view(connection, owner.id, member.id)
        change = new_change(owner.id, actor, "break_glass.removed", now(), request_id)
        add_change(connection, change, member.user_name)
        store.remove_break_glass(connection, change, member.id)
        add_audit(connection, change, "break_glass.removed", "member", member.id, {"user_name": member.user_name})
        if read_policy(connection, owner.id).sso_enforced:
            require_working(connection, owner.id)
        return view


def remind(database: Database, letters: Letters) -> int:
    """Write to whoever has not tried their break-glass account for too long; return to how many."""
    at = now()
    untried, told = at - DRILL_EVERY, at - REMIND_EVERY
    with database.read() as connection:
        if not store.untried_break_glass(connection, untried, told):
            return 0
    with database.write() as connection:
        due = store.untried_break_glass(connection, untried, told)
        return sum(_remind(connection, letters, each, at) for each in due)


def _remind(connection: Connection, letters: Letters, found: BreakGlass, at: datetime) -> bool:
    recipient = None if found.account_id is None else get_account(connection, found.account_id).email
    owner = find_organization(connection, found.organization_id)
    if recipient is None or owner is None or not store.note_reminded(connection, found, at - REMIND_EVERY, at):
        return False
    change = new_change(found.organization_id, REMINDER, "break_glass.reminded", at)
    values = {
        "user_name": found.user_name,
        "organization": owner.name,
        "link": f"{letters.base_url}/login",
        "since": f"{found.last_used_at or found.created_at:%Y-%m-%d}",
        "lacking": _lacking(connection, found.organization_id, found) or None,
    }
    cancel_mails(connection, change, found.id)
    letters.write(connection, change, found.id, "drill", recipient, values)
    add_audit(connection, change, change.kind, "member", found.member_id, {"user_name": found.user_name})
    return True


def require_working(connection: Connection, organization_id: OrganizationId) -> None:
    """Raise Conflict unless a break-glass account of the organization would get in today."""
    if not any(_view(connection, organization_id, each).works for each in _all(connection, organization_id)):
        raise Conflict("No break-glass account works: make an owner one, with a password and a second factor.")


def note_use(connection: Connection, account_id: AccountId, begun: Session) -> None:
    """Alarm, in the audit and the log of every organization concerned, that a break-glass account signed in."""
    for each in store.break_glass_of_account(connection, account_id):
        actor = Actor.of_account(each.user_name, account_id, begun.id)
        change = new_change(each.organization_id, actor, ACTION, begun.created_at)
        store.note_break_glass_use(connection, change, each.member_id)
        # Whoever is about to be reminded of trying it has tried it.
        cancel_mails(connection, change, each.id)
        add_audit(connection, change, ACTION, "member", each.member_id, {"address": begun.address or ""})
        log.warning("a break-glass account was used", organization=each.organization_id, member=each.member_id)


def _all(connection: Connection, organization_id: OrganizationId) -> list[BreakGlass]:
    return store.list_break_glass(connection, organization_id)


def _the_view(connection: Connection, organization_id: OrganizationId, member_id: MemberId) -> BreakGlassView:
    found = next(each for each in _all(connection, organization_id) if each.member_id == member_id)
    return _view(connection, organization_id, found)


def _view(connection: Connection, organization_id: OrganizationId, found: BreakGlass) -> BreakGlassView:
    lacking = _lacking(connection, organization_id, found)
    since = found.last_used_at or found.created_at
    return BreakGlassView(
        found.member_id,
        found.user_name,
        not lacking,
        lacking,
        found.created_by,
        found.created_at,
        found.last_used_at,
        since + DRILL_EVERY <= now(),
    )


def _lacking(connection: Connection, organization_id: OrganizationId, found: BreakGlass) -> str:
    if found.state is not MemberState.ACTIVE:
        return f"is {found.state.value}"
    if found.directory_id is not None:
        return "belongs to a directory"
    if found.member_id not in working_owners(connection, organization_id):
        return "is no owner"
    methods = None if found.account_id is None else methods_of(connection, found.account_id)
    if methods is None or not methods.password:
        return "has no password"
    return "" if methods.second_factor else "has no second factor"
