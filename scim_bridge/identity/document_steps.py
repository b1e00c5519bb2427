"""How each item of an organization's document is brought about: by the use case that a person would use for it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.organization_documents import DocumentChange, Operation, Section
from scim_bridge.domain.organizations import CaseRule, EnvironmentType, OrganizationId
from scim_bridge.errors import Conflict, Invalid, NotFound, Refused
from scim_bridge.identity import clusters, grants, hand_groups, hand_members, organization_changes, roles, rules, tree
from scim_bridge.identity.cluster_changes import ChangeCluster, MoveCluster
from scim_bridge.identity.cluster_targets import TargetNamed, TargetRead, read_target, target_of
from scim_bridge.identity.clusters import ClusterWanted
from scim_bridge.identity.grants import GrantWanted
from scim_bridge.identity.hand_members import MOST_AT_ONCE
from scim_bridge.identity.project_changes import (
    ChangeProject,
    ChangeService,
    DeleteProject,
    DeleteService,
    MoveProject,
)
from scim_bridge.identity.runtime import Runtime
from scim_bridge.identity.tree import NewProject
from scim_bridge.identity.tree_drafts import TreeDraft, carry_out_within
from scim_bridge.identity.unit_changes import DeleteUnit, RetypeUnit

FIXED = ("bridge_namespace", "server", "manifests")
_SAID_WHERE = (Conflict, NotFound, Refused, Invalid)

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Credentials:
    """
    What clusters of a document are reached with, by their names.

    ``kubeconfigs`` are texts that whoever applies the document has read; ``in_cluster`` are those whose pod this is.
    """

    kubeconfigs: Mapping[str, str]
    in_cluster: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Steps:
    """Carries changes out, one after the other, in the transaction that `runtime`'s database is."""

    runtime: Runtime
    actor: Actor
    organization_id: OrganizationId
    credentials: Credentials
    rehearsing: bool
    request_id: str | None

    def carry_out(self, changes: tuple[DocumentChange, ...]) -> None:
        """Bring everything about; raises, naming the item, for what is not possible or not allowed."""
        # Rules are one set: all that comes and goes in it does so at once, before the places go that they name.
        of_rules = [each for each in changes if each.section == Section.RULES]
        for each in changes:
            if each.section != Section.RULES:
                with _naming(each):
                    self._steps[Section(each.section)](self, each)
            elif each is of_rules[0]:
                self._apply_rules(of_rules)

    def _organization(self, change: DocumentChange) -> None:
        values = dict(change.new or {})
        name = values.pop("name", None)
        organization_changes.set_up(
            self.runtime.database,
            self.actor,
            self.organization_id,
            name=name if name is None else str(name),
            settings=values,
            request_id=self.request_id,
        )

    def _role(self, change: DocumentChange) -> None:
        database, name = self.runtime.database, change.key
        if change.operation is Operation.REMOVE:
            roles.delete(database, self.actor, self.organization_id, name, self.request_id)
        else:
            wanted: Values = change.new or {}
            roles.put(database, self.actor, self.organization_id, name, wanted["permissions"], self.request_id)

    def _unit(self, change: DocumentChange) -> None:
        kind = (change.new or {}).get("environment")
        type_ = EnvironmentType(str(kind)) if kind else None
        match change.operation:
            case Operation.ADD:
                database = self.runtime.database
                tree.create_unit(database, self.actor, self.organization_id, change.key, type_, self.request_id)
            case Operation.CHANGE:
                self._draft(RetypeUnit(change.key, type_))
            case Operation.REMOVE:
                self._draft(DeleteUnit(change.key))

    def _project(self, change: DocumentChange) -> None:
        values: Values = change.new or {}
        lists: dict[str, Any] = {
            key: tuple(values[key]) for key in ("namespaces", "selectors", "clusters") if key in values
        }
        match change.operation:
            case Operation.ADD:
                wanted = NewProject(change.key, values["unit"] or None, **lists)
                tree.create_project(self.runtime.database, self.actor, self.organization_id, wanted, self.request_id)
            case Operation.CHANGE:
                if "unit" in values:
                    self._draft(MoveProject(change.key, values["unit"] or None))
                if lists:
                    self._draft(ChangeProject(change.key, **lists))
            case Operation.REMOVE:
                self._draft(DeleteProject(change.key))

    def _service(self, change: DocumentChange) -> None:
        project, _, name = change.key.partition("/")
        values: Values = change.new or {}
        match change.operation:
            case Operation.ADD:
                database, namespace = self.runtime.database, values["namespace"]
                tree.create_service(
                    database, self.actor, self.organization_id, project, name, namespace, self.request_id
                )
            case Operation.CHANGE:
                self._draft(ChangeService(project, name, values["namespace"]))
            case Operation.REMOVE:
                self._draft(DeleteService(project, name))

    def _cluster(self, change: DocumentChange) -> None:
        values: Values = change.new or {}
        match change.operation:
            case Operation.ADD:
                self._add_cluster(change.key, values)
            case Operation.CHANGE:
                fixed = [key for key in FIXED if key in values]
                if fixed:
                    raise Refused(f"{fixed[0]} of a cluster that is registered is not changed by a document.")
                if "unit" in values:
                    self._draft(MoveCluster(change.key, values["unit"] or None))
                self._draft(_policy(change.key, values))
            case Operation.REMOVE:
                clusters.remove(
                    self.runtime.database, self.actor, self.organization_id, change.key, request_id=self.request_id
                )

    def _add_cluster(self, name: str, values: Values) -> None:
        given = self._target(name, values)
        wanted = ClusterWanted(
            name,
            values["unit"] or None,
            user_template=values["user_template"],
            case_rule=CaseRule(values["case"]),
            allow_cluster_admin=values["allow_cluster_admin"],
            allow_label_selectors=values["allow_label_selectors"],
            bridge_namespace=values["bridge_namespace"],
        )
        if values.get("server", given.address) != given.address:
            raise Conflict(f"The document says {values['server']}, and the kubeconfig is for {given.address}.")
        clusters.register(
            self.runtime,
            self.actor,
            self.organization_id,
            wanted,
            given,
            rehearsing=self.rehearsing,
            request_id=self.request_id,
        )

    def _target(self, name: str, values: Values) -> TargetRead:
        if name in self.credentials.kubeconfigs:
            return target_of(self.credentials.kubeconfigs[name])
        if name in self.credentials.in_cluster:
            return read_target(TargetNamed(in_cluster=True))
        if "manifests" in values:
            return read_target(TargetNamed(manifests=Path(values["manifests"])))
        raise Invalid(
            "It is not registered yet: say where its kubeconfig is (file or env), in_cluster or manifests.",
            field="clusters",
        )

    def _group(self, change: DocumentChange) -> None:
        database, name = self.runtime.database, change.key
        old: Values = change.old or {}
        new: Values = change.new or {}
        match change.operation:
            case Operation.ADD:
                description = new["description"] or None
                hand_groups.create(database, self.actor, self.organization_id, name, description, self.request_id)
            case Operation.CHANGE if "description" in new:
                description = new["description"] or None
                hand_groups.change(
                    database,
                    self.actor,
                    self.organization_id,
                    name,
                    description=description,
                    request_id=self.request_id,
                    describing=True,
                )
            case Operation.REMOVE:
                hand_groups.delete(database, self.actor, self.organization_id, name, self.request_id)
                return
        inside, wanted = set(old.get("members", ())), set(new.get("members", old.get("members", ())))
        for some in _some_at_once(wanted - inside):
            hand_members.add(database, self.actor, self.organization_id, name, some, None, self.request_id)
        for some in _some_at_once(inside - wanted):
            hand_members.remove(database, self.actor, self.organization_id, name, some, self.request_id)

    def _grant(self, change: DocumentChange) -> None:
        item: Values = change.new or change.old or {}
        wanted = GrantWanted(
            item["scope"], item.get("person"), item.get("group"), item["api_role"], item["kubernetes_role"]
        )
        step = grants.remove if change.operation is Operation.REMOVE else grants.add
        cast(Callable[..., object], step)(
            self.runtime.database, self.actor, self.organization_id, wanted, self.request_id
        )

    def _apply_rules(self, changes: list[DocumentChange]) -> None:
        present = rules.in_force(self.runtime.database, self.organization_id).rules
        wanted: dict[str, Values] = {rule.name: rule.definition for rule in present}
        for each in changes:
            if each.operation is Operation.REMOVE:
                del wanted[each.key]
            else:
                # What a rule does not say has its default: nothing of the old one is kept.
                wanted[each.key] = each.whole or {}
        document = {"rules": [wanted[name] for name in sorted(wanted)]}
        rules.apply(self.runtime.database, self.actor, self.organization_id, document, self.request_id)

    def _draft(self, draft: TreeDraft) -> None:
        with self.runtime.database.write() as connection:
            carry_out_within(connection, self.actor, self.organization_id, draft, self.request_id)

    @property
    def _steps(self) -> Mapping[Section, "Callable[[Steps, DocumentChange], None]"]:
        return _STEPS


_STEPS: Mapping[Section, Callable[[Steps, DocumentChange], None]] = {
    Section.ORGANIZATION: Steps._organization,
    Section.ROLES: Steps._role,
    Section.UNITS: Steps._unit,
    Section.CLUSTERS: Steps._cluster,
    Section.PROJECTS: Steps._project,
    Section.SERVICES: Steps._service,
    Section.GROUPS: Steps._group,
    Section.GRANTS: Steps._grant,
}


def _some_at_once(people: set[str]) -> Iterator[list[str]]:
    every = sorted(people)
    return (every[start : start + MOST_AT_ONCE] for start in range(0, len(every), MOST_AT_ONCE))


def _policy(name: str, values: Values) -> ChangeCluster:
    case = values.get("case")
    return ChangeCluster(
        name,
        user_template=values.get("user_template"),
        case_rule=CaseRule(case) if case else None,
        allow_cluster_admin=values.get("allow_cluster_admin"),
        allow_label_selectors=values.get("allow_label_selectors"),
    )


@contextmanager
def _naming(change: DocumentChange) -> Iterator[None]:
    """Say in an error which item it is about."""
    try:
        yield
    except _SAID_WHERE as error:
        text = f"{change.section} {change.key}: {error}"
        if type(error) is Invalid:
            raise Invalid(text, field=f"{change.section}.{error.field or ''}".rstrip(".")) from error
        if type(error) in _SAID_WHERE:
            raise type(error)(text) from error
        raise
