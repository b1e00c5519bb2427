"""May this person do this here? The question that other services ask the bridge on every request of theirs."""

from collections.abc import Iterable
from dataclasses import dataclass

from scim_bridge.domain.access import Grant, Snapshot, api_roles
from scim_bridge.domain.actors import Actor
from scim_bridge.domain.organizations import OrganizationId, Scope
from scim_bridge.domain.people import Member, MemberId, MemberState
from scim_bridge.domain.permissions import Catalogue, permissions
from scim_bridge.errors import Conflict, Invalid, NotFound
from scim_bridge.identity.authority import authority_in, the_member_of
from scim_bridge.identity.catalogue import catalogue_of
from scim_bridge.identity.names import scope_text, the_member, the_scope
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.organizations import Organization, find_organization
from scim_bridge.store.people import names_of_some_groups
from scim_bridge.store.snapshot import read_members

ASKING = "access:authorize"


@dataclass(frozen=True, slots=True)
class Check:
    """One question, whether a person or an application user may do something at a scope."""

    person: str
    permission: str
    scope: str = "organization"


@dataclass(frozen=True, slots=True)
class Because:
    """One grant that allows it: which role, where it sits, and through which group."""

    role: str
    scope: str
    group: str | None
    origins: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to one question, with a sentence that says why."""

    person: str
    permission: str
    scope: str
    allowed: bool
    reason: str
    because: tuple[Because, ...] = ()


def decide(database: Database, actor: Actor, organization: str, checks: Iterable[Check]) -> list[Decision]:
    """
    Answer each question from one sealed read.

    What does not exist is answered with no, and never with an error: a caller's typing error must not look like a
    failing bridge.
    """
    asked = list(checks)
    with database.read() as connection:
        owner = _organization(connection, actor, organization)
        asker = None if actor.is_trusted else _asker(connection, actor, owner)
        found = {name: _find(connection, owner.id, name) for name in {check.person for check in asked}}
        looked_at = {each.id for each in found.values() if isinstance(each, Member)} | ({asker} if asker else set())
        snapshot = read_members(connection, owner.id, looked_at, now())
        catalogue = catalogue_of(connection, owner.id)
        if asker is not None:
            authority_in(snapshot, catalogue, actor, asker).require(ASKING)
        judge = _Judge(connection, snapshot, catalogue)
        return [judge.decide(check, found[check.person]) for check in asked]


def _organization(connection: Connection, actor: Actor, named: str) -> Organization:
    found = find_organization(connection, named)
    if found is None or actor.organization_id not in (None, found.id):
        raise _nothing(named)
    return found


def _asker(connection: Connection, actor: Actor, owner: Organization) -> MemberId:
    try:
        return the_member_of(connection, actor, owner.id)
    except NotFound:
        raise _nothing(owner.slug) from None


def _nothing(named: str) -> NotFound:
    # In the same words for an organization that is not there and one that is somebody else's.
    return NotFound(f"There is no organization {named!r}.")


def _find(connection: Connection, organization_id: OrganizationId, named: str) -> Member | str:
    try:
        return the_member(connection, organization_id, named)
    except (NotFound, Conflict) as error:
        return str(error)


class _Judge:
    def __init__(self, connection: Connection, snapshot: Snapshot, catalogue: Catalogue) -> None:
        self._connection = connection
        self._snapshot = snapshot
        self._catalogue = catalogue

    def decide(self, check: Check, found: Member | str) -> Decision:
        """Answer one question."""
        if isinstance(found, str):
            return self._no(check, found)
        if found.state is not MemberState.ACTIVE:
            return self._no(check, f"{found.user_name} is {found.state.value}.")
        if check.permission not in self._catalogue.descriptions:
            return self._no(check, f"There is no permission {check.permission!r}.")
        try:
            scope = the_scope(self._snapshot.tree, check.scope)
        except (NotFound, Invalid) as error:
            return self._no(check, str(error))
        return self._weigh(check, found, scope)

    def _weigh(self, check: Check, member: Member, scope: Scope) -> Decision:
        grants = self._snapshot.grants_for(member.id)
        held = api_roles(self._snapshot.tree, scope, grants)
        giving = {role for role in held if check.permission in permissions(self._catalogue, [role])}
        if not giving:
            roles = ", ".join(sorted(held)) or "no role"
            return self._no(check, f"{member.user_name} has {roles} there, which does not allow it.")
        above = set(self._snapshot.tree.lineage(scope))
        standing = [each for each in grants if each.scope in above and each.api_role in giving]
        because = self._because(standing)
        first = because[0]
        through = f" through the group {first.group}" if first.group else ""
        reason = f"{member.user_name} is {first.role} at {first.scope}{through}."
        return Decision(check.person, check.permission, check.scope, True, reason, because)

    def _because(self, grants: list[Grant]) -> tuple[Because, ...]:
        names = names_of_some_groups(self._connection, {each.group_id for each in grants if each.group_id is not None})
        return tuple(
            Because(
                each.api_role or "",
                scope_text(self._snapshot.tree, each.scope),
                None if each.group_id is None else names.get(each.group_id, each.group_id),
                tuple(f"rule {o.rule}" if o.rule else o.kind.value for o in each.origins),
            )
            for each in grants
        )

    @staticmethod
    def _no(check: Check, reason: str) -> Decision:
        return Decision(check.person, check.permission, check.scope, False, reason)
