"""The chain behind a grant: the request that put somebody into a group, the rule's version, what it granted, when."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from scim_bridge.domain.access import Grant, OriginKind, Snapshot
from scim_bridge.domain.organizations import Tree
from scim_bridge.domain.people import GroupId, Member
from scim_bridge.identity.names import scope_text
from scim_bridge.store import explain as store
from scim_bridge.store.causes import authors_at
from scim_bridge.store.database import Connection
from scim_bridge.store.explain import OriginThen, When
from scim_bridge.store.people import names_of_some_groups


@dataclass(frozen=True, slots=True)
class Cause:
    """
    One link of the chain behind a grant: what was said, since when, by whom, in which request.

    ``kind`` is membership, nesting, rule or grant. ``log_entry`` names the identity provider's request in its
    directory's log. Nobody is named where the audit does not go back so far.
    """

    kind: str
    what: str
    since: datetime
    actor_kind: str | None = None
    actor: str | None = None
    request_id: str | None = None
    log_entry: str | None = None


@dataclass(frozen=True, slots=True)
class _Link:
    kind: str
    what: str
    since: datetime
    about: str | None = None


class Chains:
    """The chains behind one person's grants at one moment."""

    def __init__(
        self, connection: Connection, snapshot: Snapshot, person: Member, grants: Iterable[Grant], when: When
    ) -> None:
        """Read what is needed, in a few statements however many grants there are."""
        self._snapshot = snapshot
        self._person = person
        self._direct = snapshot.groups_of.get(person.id, ())
        self._joined = store.memberships_since(connection, person.id, when)
        self._nested = store.nestings_since(connection, snapshot.parents_of, when)
        known = {*self._direct, *(parent for above in snapshot.parents_of.values() for parent in above)}
        self.names = names_of_some_groups(connection, known)
        held = list(grants)
        self._origins = store.origins_then(connection, (grant.id for grant in held), when)
        links = {grant.id: self._links(grant) for grant in held}
        moments = {(link.since, link.about) for chain in links.values() for link in chain}
        self._authors = authors_at(connection, snapshot.organization_id, moments)
        self._chains = {grant_id: tuple(map(self._cause, chain)) for grant_id, chain in links.items()}

    def of(self, grant: Grant) -> tuple[Cause, ...]:
        """Return the chain behind a grant, as the person came to it."""
        return self._chains.get(grant.id, ())

    def since(self, grant: Grant) -> datetime | None:
        """Return since when a grant concerns the person: its oldest origin, or when they came to its group."""
        given = self._origins.get(grant.id, [])
        granted = min((origin.since for origin in given), default=None)
        joined = self._joined.get(grant.group_id) if grant.group_id is not None else None
        return max((moment for moment in (granted, joined) if moment is not None), default=None)

    def path_to(self, group_id: GroupId) -> tuple[GroupId, ...]:
        """Return the groups by which the person is in a group: the one they are in first."""
        paths: list[tuple[GroupId, ...]] = [(each,) for each in self._direct]
        seen: set[GroupId] = set()
        while paths:
            path = paths.pop(0)
            if path[-1] == group_id:
                return path
            if path[-1] not in seen:
                seen.add(path[-1])
                paths += [(*path, parent) for parent in self._snapshot.parents_of.get(path[-1], ())]
        return (group_id,)

    def name(self, group_id: GroupId) -> str:
        """Return what a group is called."""
        return self.names.get(group_id, group_id)

    def _links(self, grant: Grant) -> list[_Link]:
        links = [] if grant.group_id is None else list(self._way(self.path_to(grant.group_id)))
        for origin in self._origins.get(grant.id, []):
            if origin.kind == OriginKind.RULE and origin.rule_since is not None:
                what = f"rule {origin.rule}, in version {origin.version} by {origin.author}"
                links.append(_Link("rule", what, origin.rule_since))
            links.append(_Link("grant", self._granted(grant, origin, self._snapshot.tree), origin.since, grant.id))
        return links

    def _way(self, path: Sequence[GroupId]) -> Iterable[_Link]:
        joined = self._joined.get(path[0])
        if joined is not None:
            yield _Link("membership", f"{self._person.user_name} in group {self.name(path[0])}", joined, path[0])
        for child, parent in pairwise(path):
            nested = self._nested.get((child, parent))
            if nested is not None:
                yield _Link("nesting", f"group {self.name(child)} in group {self.name(parent)}", nested, parent)

    def _granted(self, grant: Grant, origin: OriginThen, tree: Tree) -> str:
        roles = " and ".join(role for role in (grant.api_role, grant.kubernetes_role) if role)
        holder = self._person.user_name if grant.group_id is None else f"group {self.name(grant.group_id)}"
        by = f"rule {origin.rule}" if origin.kind == OriginKind.RULE else origin.kind
        return f"{roles} at {scope_text(tree, grant.scope)} for {holder}, {by}"

    def _cause(self, link: _Link) -> Cause:
        author = self._authors.get((link.since, link.about))
        if author is None:
            return Cause(link.kind, link.what, link.since)
        return Cause(
            link.kind,
            link.what,
            link.since,
            author.actor_kind,
            author.actor,
            author.request_id,
            author.log_entry,
        )
