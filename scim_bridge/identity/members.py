"""Use cases of people that hands, not directories, bring."""

from scim_bridge.domain.access import OriginKind
from scim_bridge.domain.organizations import OrganizationId, Scope, ScopeKind
from scim_bridge.domain.people import AccountId, MemberId, MemberState
from scim_bridge.domain.roles import ApiRole
from scim_bridge.errors import Conflict, Invalid
from scim_bridge.store import people
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import Change
from scim_bridge.store.database import Connection
from scim_bridge.store.grants import GrantKey, open_origins

LONGEST_EMAIL = 320


def checked_email(text: str) -> str:
    """Return an e-mail address, or raise Invalid for what cannot be one."""
    local, _, domain = text.strip().rpartition("@")
    if not local or not domain or len(text) > LONGEST_EMAIL or not all(map(_may_stand, text.strip())):
        raise Invalid(f"{text!r} is not an e-mail address.", field="email")
    return text.strip()


def _may_stand(letter: str) -> bool:
    # What has a meaning of its own in the header of a mail (RFC 5322 §3.2.3) is in no address that we write to.
    return letter.isprintable() and not letter.isspace() and letter not in '()<>[]:;,\\"'


def is_owner(connection: Connection, organization_id: OrganizationId, email: str) -> bool:
    """Tell whether the person with this e-mail address is a working owner already."""
    found = {each.id for each in people.find_members(connection, organization_id, email)}
    return bool(found & people.working_owners(connection, organization_id))


def make_owner(connection: Connection, change: Change, email: str) -> MemberId:
    """
    Give the person with this e-mail address the owner role, making account and member where they are missing.

    Only for hands at the machine itself: they vouch for the address. Raises Conflict for a deactivated person.
    """
    found = people.find_members(connection, change.organization_id, email)
    if len(found) > 1:
        raise Conflict(f"{email} names {len(found)} people in this organization; grant owner to one by its id.")
    if found and found[0].state is not MemberState.ACTIVE:
        raise Conflict(f"{email} is {found[0].state.value} in this organization and cannot become its owner.")
    member_id = found[0].id if found else _new_member(connection, change, email)
    key = GrantKey(Scope(ScopeKind.ORGANIZATION, change.organization_id), member_id, api_role=ApiRole.OWNER.value)
    open_origins(connection, change, OriginKind.MANUAL, [(key, None)], change.actor.name)
    add_audit(connection, change, "grant.added", "member", member_id, {"api_role": "owner", "email": email})
    return member_id


def own_it(connection: Connection, change: Change, account_id: AccountId, email: str) -> MemberId:
    """Make an account the owner of an organization that it has just made."""
    member_id = people.insert_member(connection, change, account_id, email)
    add_audit(connection, change, "member.added", "member", member_id, {"email": email, "source": "manual"})
    key = GrantKey(Scope(ScopeKind.ORGANIZATION, change.organization_id), member_id, api_role=ApiRole.OWNER.value)
    open_origins(connection, change, OriginKind.MANUAL, [(key, None)], change.actor.name)
    add_audit(connection, change, "grant.added", "member", member_id, {"api_role": "owner", "email": email})
    return member_id


def _new_member(connection: Connection, change: Change, email: str) -> MemberId:
    account_id = people.find_account(connection, email) or people.insert_account(connection, change, email)
    member_id = people.insert_member(connection, change, account_id, email)
    add_audit(connection, change, "member.added", "member", member_id, {"email": email, "source": "manual"})
    return member_id
