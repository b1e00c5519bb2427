"""Use case: all that an organization knows of one of its people; and what they may say of themselves."""

from contextlib import suppress
from dataclasses import dataclass

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.people import DirectoryState, Member, MemberId, MemberState
from scim_bridge.domain.sessions import Session
from scim_bridge.errors import Invalid, NotFound, Refused
from scim_bridge.identity import access, api_tokens, sessions
from scim_bridge.identity.access import Explanation
from scim_bridge.identity.api_tokens import ApiToken
from scim_bridge.identity.authority import authority_of
from scim_bridge.identity.member_lists import ListedMember, is_managed
from scim_bridge.identity.member_states import USERS, require_over
from scim_bridge.identity.names import the_member, the_organization
from scim_bridge.store import directories, members
from scim_bridge.store import member_history as history
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import Change, add_change, new_change
from scim_bridge.store.clock import now
from scim_bridge.store.credentials import methods_of
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.domains import list_domains
from scim_bridge.store.explain import When
from scim_bridge.store.member_history import AccountFacts as AccountFacts
from scim_bridge.store.member_history import GroupOfMember as GroupOfMember
from scim_bridge.store.member_history import StateSpan as StateSpan
from scim_bridge.store.member_lists import one_member
from scim_bridge.store.people import account_of_member

LONGEST_DISPLAY_NAME = 255


@dataclass(frozen=True, slots=True)
class Profile:
    """
    One person.

    ``managed``: their address lies in a domain of the organization. ``may_edit`` says whether they may change how they
    are called themselves, ``notes`` why not, and what else a reader should know. ``sign_in`` are the ways in which
    they can sign in: by their directory, with a password of their own, and with a passkey.
    """

    member: ListedMember
    external_id: str | None
    account: AccountFacts | None
    sign_in: tuple[str, ...]
    managed: bool
    may_edit: bool
    groups: tuple[GroupOfMember, ...]
    states: tuple[StateSpan, ...]
    access: Explanation
    notes: tuple[str, ...]


def show(database: Database, organization: str, person: str) -> Profile:
    """Return one person's profile; raises NotFound, and Conflict for a name that several people have."""
    with database.read() as connection:
        owner = the_organization(connection, organization)
        found = the_member(connection, owner.id, person)
        listed = one_member(connection, found.id)
        managed = is_managed(found.email, {each.domain for each in list_domains(connection, owner.id)})
        directory_state = _directory_state(connection, members.look_at(connection, found.id))
        reason = _why_not_edit(listed, directory_state, managed=managed)
        return Profile(
            listed,
            found.external_id,
            history.account_of(connection, found.id),
            _ways_in(connection, found.id, None if directory_state is None else listed.directory),
            managed,
            reason is None,
            tuple(history.groups_of_member(connection, found.id)),
            tuple(history.states_of(connection, found.id)),
            access.explain_member(connection, owner, found, When(now())),
            tuple(_notes(listed, reason)),
        )


def own_id(database: Database, actor: Actor, organization: str) -> MemberId:
    """Return who an actor is in an organization; raises NotFound for whoever is nobody there."""
    with database.read() as connection:
        found = authority_of(connection, actor, the_organization(connection, organization).id).member_id
    if found is None:
        raise NotFound("Whoever works at the installation itself is no member: name a person.")
    return found


def visible_sessions(database: Database, actor: Actor, organization: str, member_id: MemberId) -> list[Session]:
    """Return a member's sessions that may open the organization, none where whoever asks may not see them."""
    with suppress(Refused, NotFound):
        return sessions.list_all(database, actor, organization, member_id)
    return []


def visible_tokens(database: Database, actor: Actor, organization: str, member_id: MemberId) -> list[ApiToken]:
    """Return a member's tokens without their secrets, none where whoever asks may not see them."""
    with suppress(Refused, NotFound):
        return api_tokens.list_all(database, actor, organization, member_id)
    return []


def rename(
    database: Database, actor: Actor, organization: str, person: str, display_name: str, request_id: str | None = None
) -> ListedMember:
    """
    Change the name under which a person is shown.

    Raises Refused for a directory's people, whose names come from there.
    """
    name = checked_display_name(display_name)
    with database.write() as connection:
        owner = the_organization(connection, organization)
        found = the_member(connection, owner.id, person)
        require_over(connection, actor, owner.id, found.id, USERS)
        change = new_change(owner.id, actor, "member.renamed", now(), request_id)
        return _rename(connection, change, found, name, managed=False)


def rename_oneself(
    database: Database, actor: Actor, organization: str, display_name: str, request_id: str | None = None
) -> ListedMember:
    """Change the name under which one is shown; raises Refused for people whom the organization manages too."""
    name = checked_display_name(display_name)
    member_id = own_id(database, actor, organization)
    with database.write() as connection:
        owner = the_organization(connection, organization)
        found = the_member(connection, owner.id, member_id)
        managed = is_managed(found.email, {each.domain for each in list_domains(connection, owner.id)})
        change = new_change(owner.id, actor, "member.renamed", now(), request_id)
        return _rename(connection, change, found, name, managed=managed)


def checked_display_name(text: str) -> str:
    """Return what somebody may be called, or raise Invalid."""
    name = text.strip()
    if not name or len(name) > LONGEST_DISPLAY_NAME or not name.isprintable():
        raise Invalid(f"A name has 1 to {LONGEST_DISPLAY_NAME} printable characters.", field="display_name")
    return name


def _ways_in(connection: Connection, member_id: MemberId, directory: str | None) -> tuple[str, ...]:
    account_id = account_of_member(connection, member_id)
    methods = None if account_id is None else methods_of(connection, account_id)
    found = {
        f"directory {directory}": directory is not None,
        "password": methods is not None and methods.password,
        "passkey": methods is not None and methods.passkeys > 0,
    }
    return tuple(way for way, has_it in found.items() if has_it)


def _rename(connection: Connection, change: Change, found: Member, name: str, *, managed: bool) -> ListedMember:
    facts = members.lock_member(connection, found.id)
    listed = one_member(connection, found.id)
    reason = _why_not_edit(listed, _directory_state(connection, facts), managed=managed)
    if reason is not None:
        raise Refused(reason)
    if facts.display_name == name:
        return listed
    add_change(connection, change, found.user_name)
    members.set_display_name(connection, facts, name)
    detail = {"displayName": {"from": facts.display_name, "to": name}}
    add_audit(connection, change, "member.renamed", "member", found.id, detail)
    return one_member(connection, found.id)


def _directory_state(connection: Connection, facts: members.MemberFacts) -> DirectoryState | None:
    """Return the state of the directory that has the say; None where none has, or it is over."""
    if facts.directory_id is None:
        return None
    state = directories.get_directory(connection, facts.directory_id).state
    return None if state is DirectoryState.DETACHED else state


def _why_not_edit(listed: ListedMember, directory: DirectoryState | None, *, managed: bool) -> str | None:
    if directory is not None:
        return f"The names of {listed.user_name} come from the directory {listed.directory}: change them there."
    if managed:
        return f"{listed.user_name} is managed by the organization, as their address lies in one of its domains."
    return None


def _notes(listed: ListedMember, reason: str | None) -> list[str]:
    found = [] if reason is None else [reason]
    if listed.blocked_at is not None and listed.state is MemberState.DEACTIVATED:
        found.append("Deactivated here: stays so whatever the directory says, until somebody reactivates them here.")
    return found
