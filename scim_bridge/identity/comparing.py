"""
What a change of grants, rules or default roles does, seen inside its own transaction.

Whoever changes looks before, writes, and looks again. Only the people concerned are read, and those who may share a
subject with one of them: the cost follows the change, not the organization.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from scim_bridge.domain.access import Snapshot
from scim_bridge.domain.approvals import agreed_document
from scim_bridge.domain.bindings import Family
from scim_bridge.domain.effects import Effects, Names, Standing, effects, standing
from scim_bridge.domain.organizations import OrganizationId
from scim_bridge.domain.people import GroupId, MemberId
from scim_bridge.domain.planning import Removal
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.identity.names import scope_text
from scim_bridge.store import people
from scim_bridge.store.changes import Change
from scim_bridge.store.database import Connection
from scim_bridge.store.namesakes import namesakes_of
from scim_bridge.store.plans import insert_approved
from scim_bridge.store.snapshot import read_members, read_organization, reread_grants
from scim_bridge.store.tree import read_tree

EVERYBODY_FROM = 5000
"""For more people than this, reading all at once is quicker than asking for each."""
AGREED_FOR = timedelta(days=7)
"""So long a cluster that does not answer may take until removals that somebody agreed to are held like others."""


@dataclass(frozen=True, slots=True)
class Before:
    """How things stood for the people and groups concerned; None concerns everybody."""

    snapshot: Snapshot
    read: Collection[MemberId] | None
    concerned: Collection[MemberId] | None
    groups: Collection[GroupId]
    names: Names
    stood: Standing
    at: datetime

    def effects(self, connection: Connection) -> Effects:
        """Return what has changed since, by grants, rules and default roles alone."""
        after = reread_grants(connection, self.snapshot, self.at, self.read, self.groups)
        return effects(self.stood, standing(after, self.names, self.concerned))


def look_before(
    connection: Connection,
    organization_id: OrganizationId,
    concerned: Collection[MemberId] | None,
    groups: Collection[GroupId],
    at: datetime,
) -> Before:
    """Look at how things stand; the caller keeps everybody else from changing rules and groups meanwhile."""
    read: Collection[MemberId] | None = concerned
    if concerned is not None:
        clusters = read_tree(connection, organization_id).clusters.values()
        read = namesakes_of(connection, organization_id, concerned, clusters)
    if read is None or len(read) > EVERYBODY_FROM:
        read = None
        snapshot = read_organization(connection, organization_id, at)
    else:
        people_read = read_members(connection, organization_id, read, at)
        # The grants of groups that nobody is in are part of what changes.
        snapshot = reread_grants(connection, people_read, at, read, groups)
    group_names = {key: each.name for key, each in people.names_of_groups(connection, organization_id).items()}
    names = Names(cache(lambda scope: scope_text(snapshot.tree, scope)), group_names)
    return Before(snapshot, read, concerned, groups, names, standing(snapshot, names, concerned), at)


def agree(connection: Connection, change: Change, before: Before, told: Effects, preview_hash: str) -> None:
    """
    Let every cluster carry out exactly the removals that somebody has read: no brake holds them up again.

    A pass consumes it once it has seen the change; what else is to be taken away passes the brakes as always.
    """
    lost: dict[str, set[Removal]] = {}
    for each in told.losses.bindings:
        family = Family(each.namespace or None, KubernetesRole(each.role))
        lost.setdefault(each.cluster, set()).add((family, each.subject))
    for cluster in before.snapshot.tree.clusters.values():
        if cluster.name in lost:
            document = agreed_document(lost[cluster.name])
            insert_approved(connection, change, cluster.id, preview_hash, document, change.at + AGREED_FOR)
