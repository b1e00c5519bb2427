"""Why is this RoleBinding there? From an object on a cluster back to the requests that caused it."""

from dataclasses import dataclass, replace
from datetime import datetime

from scim_bridge.domain.access import Snapshot, Verdict, cluster_role, scope_roles
from scim_bridge.domain.actors import Actor
from scim_bridge.domain.bindings import Family, SubjectKind
from scim_bridge.domain.namespaces import map_namespaces
from scim_bridge.domain.organizations import Cluster
from scim_bridge.domain.people import Member, MemberId
from scim_bridge.errors import NotFound
from scim_bridge.identity.access import SEEING, Explainer, Reason
from scim_bridge.identity.authority import opened_organization
from scim_bridge.identity.names import the_member
from scim_bridge.store.applied_reading import find_binding, subjects_of
from scim_bridge.store.clock import now
from scim_bridge.store.database import Connection, Database
from scim_bridge.store.explain import When
from scim_bridge.store.snapshot import read_members


@dataclass(frozen=True, slots=True)
class SubjectExplained:
    """A subject, whom it stands for, and the grants that give them the role; none: the next pass takes them out."""

    subject: str
    person: Member | None
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class BindingExplained:
    """
    An object on a cluster; ``next`` is the subject after which to go on, None at the end.

    Of ``kind`` Group its subjects are groups, and no person stands beside them.
    """

    cluster: str
    name: str
    namespace: str | None
    role: str
    subject_count: int
    written_at: datetime
    subjects: tuple[SubjectExplained, ...]
    next: str | None = None
    kind: SubjectKind = SubjectKind.USER


@dataclass(frozen=True, slots=True)
class WhichBinding:
    """An object as somebody found it with kubectl; one person of it, or a page."""

    cluster: str
    name: str
    namespace: str | None = None
    person: str | None = None
    after: str = ""
    limit: int = 100


def explain_binding(database: Database, actor: Actor, organization: str, which: WhichBinding) -> BindingExplained:
    """
    Say of every subject of a RoleBinding or ClusterRoleBinding which request, rule and grant put them there.

    Raises NotFound for an object that is not ours, and Refused for who may not see members.
    """
    with database.read() as connection:
        owner, asker = opened_organization(connection, actor, organization)
        asker.require(SEEING)
        cluster = next((c for c in asker.tree.clusters.values() if which.cluster in (c.name, c.id)), None)
        if cluster is None:
            raise NotFound(f"There is no cluster {which.cluster!r} in this organization.")
        found = find_binding(connection, cluster.id, which.name, which.namespace)
        if found is None:
            raise NotFound(f"The bridge has written no binding {which.name!r} to {cluster.name}: it is not ours.")
        only = None if which.person is None else the_member(connection, owner.id, which.person).id
        page = subjects_of(connection, found.id, which.after, which.limit + 1, only)
        members = [member_id for _, member_id in page[: which.limit] if member_id is not None]
        when = When(now())
        snapshot = read_members(connection, owner.id, members, when.at, tree=asker.tree)
        explained = _Explained(connection, snapshot, cluster, found.key.family, when)
        return BindingExplained(
            cluster.name,
            found.name,
            found.key.family.namespace,
            found.key.family.role.value,
            found.subjects,
            found.written_at,
            tuple(explained.subject(*each) for each in page[: which.limit]),
            page[which.limit - 1][0] if len(page) > which.limit else None,
            found.key.family.subject_kind,
        )


@dataclass(frozen=True, slots=True)
class _Explained:
    connection: Connection
    snapshot: Snapshot
    cluster: Cluster
    family: Family
    when: When

    def subject(self, subject: str, member_id: MemberId | None) -> SubjectExplained:
        """Explain one subject."""
        person = None if member_id is None else self.snapshot.members.get(member_id)
        return SubjectExplained(subject, person, () if person is None else tuple(self._reasons(person)))

    def _reasons(self, person: Member) -> list[Reason]:
        grants = self.snapshot.grants_for(person.id)
        tree = self.snapshot.tree
        if self.family.namespace is None:
            steps = cluster_role(tree, self.cluster.id, grants).steps
            giving = [step.grant for step in steps if step.verdict is Verdict.STANDS]
        else:
            mapped = map_namespaces(tree, self.cluster).of_scope
            here = {scope for scope in scope_roles(grants) if self.family.namespace in mapped.get(scope, ())}
            giving = [grant for grant in grants if grant.scope in here]
        explainer = Explainer(self.connection, self.snapshot, person, self.when)
        return [
            explainer.reason(grant, Verdict.STANDS.value)
            for grant in giving
            if grant.kubernetes_role is self.family.role
        ]


def with_cursor(found: BindingExplained, cursor: str | None) -> BindingExplained:
    """Return a page with what leads on in a door's own form."""
    return replace(found, next=cursor)
