"""
Changes of the tree as drafts: what each would do to people's access is shown before it is done.

A draft is carried out in a transaction, compared with what was before, and then kept or undone. So a preview is never
an estimate: it is the thing itself, rolled back. What changes nobody's access needs no preview.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol

from scim_bridge.domain.access import Snapshot
from scim_bridge.domain.actors import Actor
from scim_bridge.domain.desired import desired
from scim_bridge.domain.organizations import ClusterId, OrganizationId, Scope, Tree, UnitId
from scim_bridge.domain.people import MemberId
from scim_bridge.domain.previews import Difference, Shift, difference, shifts_of_groups
from scim_bridge.errors import PreviewOutdated, Refused
from scim_bridge.identity.authority import Authority, authority_of
from scim_bridge.identity.names import scope_text, the_organization, the_scope
from scim_bridge.identity.rules import follow_move, rules_naming
from scim_bridge.store import grants
from scim_bridge.store.audit import add_audit
from scim_bridge.store.changes import Change, add_change, new_change
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.grants import OpenOrigin
from scim_bridge.store.organizations import lock_for_rules
from scim_bridge.store.rehearsal import rehearse
from scim_bridge.store.removals import request_removals
from scim_bridge.store.snapshot import read_organization
from scim_bridge.store.tree import read_tree

SHOWN_IN_A_SENTENCE = 5
SHORTEST_HASH = 8


@dataclass(frozen=True, slots=True)
class TreePreview:
    """
    Exactly what a change of the tree does to people's access; ``hash`` is what carrying it out is held to.

    ``place`` is what it is about, ``becomes`` that place's name afterwards, None where it is gone. ``renamed`` are
    people whom a cluster is told another name of, ``subjects`` says for whom groups stand, and why others do not, where
    that changes. ``unclear`` are clusters on which projects take namespaces by labels.
    """

    change: str
    id: str
    place: str
    becomes: str | None
    changed: bool
    gains: tuple[Shift, ...] = ()
    loses: tuple[Shift, ...] = ()
    renamed: tuple[Shift, ...] = ()
    unclear: tuple[str, ...] = ()
    hash: str = ""
    subjects: tuple[str, ...] = ()

    @property
    def alters_access(self) -> bool:
        """Tell whether somebody has other access afterwards, as far as is known here."""
        return bool(self.gains or self.loses or self.renamed or self.unclear or self.subjects)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a draft did: to which place, and what that is called now; ``changed`` False: it was so already."""

    scope: Scope
    place: str
    becomes: str | None
    changed: bool = True


class TreeDraft(Protocol):
    """A change of the tree that may change somebody's access."""

    @property
    def kind(self) -> str:
        """Return the word of the change, as the audit has it: ``unit.moved``."""
        ...

    def carry_out(self, desk: "Desk") -> Outcome:
        """Do it; raises for what is not there, not possible or not allowed."""
        ...


@dataclass(slots=True)
class Desk:
    """What a draft is carried out with, in the transaction that has the tree for itself."""

    connection: Connection
    change: Change
    tree: Tree
    _begun: bool = field(default=False)
    _authority: Authority | None = field(default=None)

    @property
    def actor(self) -> Actor:
        """Return who does it."""
        return self.change.actor

    def scope(self, text: str) -> Scope:
        """Return the place that a text names; raises NotFound."""
        return the_scope(self.tree, text)

    def begin(self, about: str) -> Change:
        """Write the change row; only once there is something to change."""
        if not self._begun:
            add_change(self.connection, self.change, about)
            self._begun = True
        return self.change

    def audit(self, scope: Scope, detail: Mapping[str, object], action: str | None = None) -> None:
        """Write what happened to a place."""
        add_audit(self.connection, self.change, action or self.change.kind, scope.kind.value, scope.id, detail)

    def reread(self) -> Tree:
        """Read the tree again, as it is after what was written."""
        self.tree = read_tree(self.connection, self.change.organization_id)
        return self.tree

    def follow(self, *moved: tuple[str, str]) -> None:
        """Let mapping rules follow places to their new names, and look at all rules again."""
        follow_move(self.connection, self.change, *moved)

    def refuse_named_by_rules(self, places: Iterable[str]) -> None:
        """Raise Refused while a mapping rule names one of these places: it would give nothing, and nobody saw it."""
        for place in places:
            named = rules_naming(self.connection, self.change.organization_id, place)
            if named:
                raise Refused(f"{place} is named by {', '.join(named)}: change or remove these mapping rules first.")

    @property
    def authority(self) -> Authority:
        """Return what the actor may do in the organization, as it was before the change."""
        if self._authority is None:
            self._authority = authority_of(self.connection, self.actor, self.change.organization_id)
        return self._authority

    def require(self, permission: str, scope: Scope) -> None:
        """Raise Refused unless whoever does this may do it there."""
        self.authority.require(permission, scope)

    def require_inherited(self, scope: Scope, unit_id: UnitId | None, asking: str) -> None:
        """
        Raise Refused unless the actor may grant, at a place, all that it would inherit in another unit.

        ``asking`` is the permission of the move itself, which stands for the one to grant.
        """
        known = set(self.tree.lineage(scope))
        self._require_all([each for each in self.tree.scopes_of_unit(unit_id) if each not in known], scope, asking)

    def require_reach(self, scopes: Iterable[Scope], place: Scope, asking: str) -> None:
        """Raise Refused unless the actor may grant, at a place that they come to reach, what is granted at scopes."""
        for origin in self._origins(scopes):
            self.authority.require_grantable(place, None, origin.key.kubernetes_role, asking=asking)

    def require_taking(self, scopes: Iterable[Scope]) -> None:
        """Raise Refused for grants at these places that the actor could not make: nobody takes more than they give."""
        for origin in self._origins(scopes):
            self.authority.require_grantable(origin.key.scope, origin.key.api_role, origin.key.kubernetes_role)

    def _require_all(self, scopes: Iterable[Scope], place: Scope, asking: str) -> None:
        for origin in self._origins(scopes):
            self.authority.require_grantable(place, origin.key.api_role, origin.key.kubernetes_role, asking=asking)

    def _origins(self, scopes: Iterable[Scope]) -> list[OpenOrigin]:
        if self.actor.is_trusted:
            return []
        return grants.origins_at(self.connection, self.change.organization_id, scopes)

    def end_grants(self, scopes: Iterable[Scope]) -> int:
        """End every grant at these places, with all its origins; return how many there were."""
        origins = grants.origins_at(self.connection, self.change.organization_id, scopes)
        return len(grants.close_origins(self.connection, self.change, origins))


def preview(database: Database, actor: Actor, organization: str, draft: TreeDraft) -> TreePreview:
    """Return who would gain and lose what by a change of the tree; nothing is written."""
    with rehearse(database) as rehearsal, rehearsal.write() as connection:
        return _carry_out(connection, actor, organization, draft)


def carry_out(
    database: Database,
    actor: Actor,
    organization: str,
    draft: TreeDraft,
    seen: str | None = None,
    request_id: str | None = None,
) -> TreePreview:
    """
    Change the tree, with exactly the outcome that a person has ``seen`` (a preview's hash).

    Without one, only what changes nobody's access is done. Raises PreviewOutdated, with what it would be now, for
    everything else; nothing is written then.
    """
    with database.write() as connection:
        made = _carry_out(connection, actor, organization, draft, request_id)
        if made.changed:
            check_seen(made, seen)
        return made


def carry_out_within(
    connection: Connection, actor: Actor, organization_id: OrganizationId, draft: TreeDraft, request_id: str | None
) -> Outcome:
    """Change the tree as a part of something larger, whose outcome is looked at as a whole."""
    change = new_change(organization_id, actor, draft.kind, now(), request_id)
    return draft.carry_out(Desk(connection, change, read_tree(connection, organization_id)))


def check_seen(made: TreePreview, seen: str | None) -> None:
    """Raise PreviewOutdated unless an outcome is the one that somebody has seen, or there is nothing to see."""
    if seen is None and not made.alters_access:
        return
    if seen is None:
        raise PreviewOutdated(f"That changes people's access. {summary(made)}", made)
    if len(seen) < SHORTEST_HASH or not made.hash.startswith(seen):
        raise PreviewOutdated(f"That is not what would happen now. {summary(made)}", made)


def summary(made: TreePreview) -> str:
    """Return an outcome in a sentence or two, with its hash."""
    parts = []
    for verb, shifts in (("gain something", made.gains), ("lose something", made.loses), ("be renamed", made.renamed)):
        if shifts:
            named = "; ".join(f"{each.person} ({', '.join(each.what)})" for each in shifts[:SHOWN_IN_A_SENTENCE])
            more = f" and {len(shifts) - SHOWN_IN_A_SENTENCE} more" if len(shifts) > SHOWN_IN_A_SENTENCE else ""
            parts.append(f"{len(shifts)} would {verb}: {named}{more}.")
    parts += [f"{each}." for each in made.subjects[:SHOWN_IN_A_SENTENCE]]
    if made.unclear:
        parts.append(f"Namespaces chosen by labels on {', '.join(made.unclear)} are not in this.")
    return f"{' '.join(parts) or 'Nobody would gain or lose anything.'} The preview is {made.hash[:12]}."


def _carry_out(
    connection: Connection, actor: Actor, organization: str, draft: TreeDraft, request_id: str | None = None
) -> TreePreview:
    owner = the_organization(connection, organization)
    # Nobody's groups change between the two looks, and no two moves make a cycle that neither sees.
    lock_for_rules(connection, owner.id, exclusive=True)
    at = now()
    before = read_organization(connection, owner.id, at)
    change = new_change(owner.id, actor, draft.kind, at, request_id)
    done = draft.carry_out(Desk(connection, change, before.tree))
    if not done.changed:
        return TreePreview(draft.kind, done.scope.id, done.place, done.becomes, changed=False)
    after = read_organization(connection, owner.id, at)
    return measure(connection, change, (before, after), done)


def measure(connection: Connection, change: Change, looks: tuple[Snapshot, Snapshot], done: Outcome) -> TreePreview:
    """Say what changed between two looks at an organization, and ask for exactly the removals in it."""
    before, after = looks
    told = difference(
        before, called_as(after, before), partial(_text, before, after), [done.scope] if done.becomes else []
    )
    renamed = renamed_subjects(before, after)
    # Whoever agreed to this agreed to the losses in it: no brake holds them up again.
    request_removals(connection, change, [each.member_id for each in told.losses], "membership")
    losing = {each.member_id for each in told.losses}
    request_removals(
        connection, change, [each.member_id for each in renamed if each.member_id not in losing], "template"
    )
    return _preview(change.kind, done, told, renamed, shifts_of_groups(before, after))


def called_as(after: Snapshot, before: Snapshot) -> Snapshot:
    """Return a snapshot whose clusters are called as in the one before: a new name is no gain and no loss."""
    former = before.tree.clusters
    clusters = {
        each.id: replace(each, name=former[each.id].name) if each.id in former else each
        for each in after.tree.clusters.values()
    }
    return replace(after, tree=replace(after.tree, clusters=clusters))


def _text(before: Snapshot, after: Snapshot, scope: Scope) -> str:
    return scope_text(before.tree if before.tree.lineage(scope) else after.tree, scope)


def _preview(
    kind: str, done: Outcome, told: Difference, renamed: tuple[Shift, ...], subjects: tuple[str, ...]
) -> TreePreview:
    names = [f"{each.member_id} {' '.join(each.what)}" for each in renamed]
    hash_ = told.digest(kind, done.scope.id, done.place, str(done.becomes), *names, *subjects)
    sides = (told.gains, told.losses, renamed, told.unclear)
    return TreePreview(kind, done.scope.id, done.place, done.becomes, True, *sides, hash_, subjects)


def renamed_subjects(before: Snapshot, after: Snapshot) -> tuple[Shift, ...]:
    """Return whom clusters know by another name afterwards, of those who have something there before and after."""
    found: dict[MemberId, list[str]] = {}
    for cluster_id, cluster in sorted(after.tree.clusters.items()):
        was = before.tree.clusters.get(cluster_id)
        if was is None or (was.user_template, was.case_rule) == (cluster.user_template, cluster.case_rule):
            continue
        old, new = _names(before, cluster_id), _names(after, cluster_id)
        for member_id in old.keys() & new.keys():
            if old[member_id] != new[member_id]:
                words = f"{old[member_id]} becomes {new[member_id]} on cluster {cluster.name}"
                found.setdefault(member_id, []).append(words)
    return tuple(Shift(each, after.members[each].user_name, tuple(found[each])) for each in sorted(found))


def _names(snapshot: Snapshot, cluster_id: ClusterId) -> dict[MemberId, str]:
    return {member_id: subject for subject, member_id in desired(snapshot, cluster_id).subjects.items()}
