"""A cluster in memory that does as it is told: a gateway with faults."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from threading import Lock

from scim_bridge.clusters.gateway import Answered, Giver, ObservedBinding, PreflightProblem, Question
from scim_bridge.domain.bindings import Binding, BindingKey, binding_name
from scim_bridge.domain.notices import Notice
from scim_bridge.domain.planning import Action, Change
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.errors import ClusterError, ForeignObject, StaleBinding


class FakeCluster:
    """
    Holds bindings; each of the ``break_*`` errors is raised by that verb while it is set.

    ``lies_empty`` leaves everything out of the list, ``lies_by_name`` out of reads too; ``before_apply`` and
    ``after_apply`` run around each write.
    """

    def __init__(self, instance: str = "memory") -> None:
        self.instance = instance
        self.objects: dict[BindingKey, ObservedBinding] = {}
        self.foreign: set[BindingKey] = set()
        self.writes = 0
        self.rehearsed = 0
        self.lies_empty = False
        self.lies_by_name = False
        self.before_apply: Callable[[Binding], None] | None = None
        self.after_apply: Callable[[Binding], None] | None = None
        self.break_read: ClusterError | None = None
        self.break_namespaces: ClusterError | None = None
        self.break_list: ClusterError | None = None
        self.break_apply: ClusterError | None = None
        self.break_create: ClusterError | None = None
        self.break_delete: ClusterError | None = None
        self.refused_namespaces: set[str] = set()
        self.break_ask: ClusterError | None = None
        self.break_probe: ClusterError | None = None
        self.break_publish: ClusterError | None = None
        self.ends: datetime | None = None
        self.published: list[str] = []
        self.break_tell: ClusterError | None = None
        self.told: dict[tuple[str, str], Notice] = {}
        self.questions: list[Question] = []
        self.givers: list[Giver] = []
        self.answers: Callable[[Question], Answered] | None = None
        self._version = 0
        self._lock = Lock()

    def describe(self) -> str:
        return "a cluster in memory"

    def list_bindings(self) -> list[ObservedBinding]:
        if self.break_list is not None:
            raise self.break_list
        return [] if self.lies_empty else self._in_order()

    def get(self, key: BindingKey) -> ObservedBinding | None:
        if self.break_read is not None:
            raise self.break_read
        self._require_ours(key)
        return None if self.lies_by_name else self.objects.get(key)

    def apply(self, binding: Binding, observed: ObservedBinding | None) -> ObservedBinding:
        if self.before_apply is not None:
            self.before_apply(binding)
        made = self._apply(binding, observed)
        if self.after_apply is not None:
            self.after_apply(binding)
        return made

    def _apply(self, binding: Binding, observed: ObservedBinding | None) -> ObservedBinding:
        if self.break_apply is not None:
            raise self.break_apply
        if self.break_create is not None and observed is None:
            raise self.break_create
        if binding.key.family.namespace in self.refused_namespaces:
            raise ClusterError(f"namespace {binding.key.family.namespace} not found")
        with self._lock:
            self._require_ours(binding.key)
            self._require_same(binding.key, observed)
            self.writes += 1
            self._version += 1
            uid = observed.uid if observed else f"uid-{self._version}"
            made = ObservedBinding(binding, binding_name(self.instance, binding.key), uid, str(self._version))
            self.objects[binding.key] = made
            return made

    def delete(self, observed: ObservedBinding) -> None:
        if self.break_delete is not None:
            raise self.break_delete
        with self._lock:
            if observed.binding.key not in self.objects:
                return
            self._require_same(observed.binding.key, observed)
            self.writes += 1
            del self.objects[observed.binding.key]

    def rehearse(self, change: Change, observed: ObservedBinding | None) -> None:
        fault = self.break_delete if change.action is Action.DELETE else self.break_apply
        if fault is not None:
            raise fault
        self.rehearsed += 1
        self._require_ours(change.binding.key)
        self._require_same(change.binding.key, observed)

    def namespaces(self) -> Mapping[str, Mapping[str, str]]:
        if self.break_namespaces is not None:
            raise self.break_namespaces
        return {}

    def preflight(self, roles: Iterable[KubernetesRole]) -> list[PreflightProblem]:
        return []

    def ask(self, question: Question) -> Answered | None:
        """Answer as the real server does: from our bindings first, then from everybody else's."""
        if self.break_ask is not None:
            raise self.break_ask
        self.questions.append(question)
        if self.answers is not None:
            return self.answers(question)
        for each in self.everybody():
            names = {name for kind, _, name in each.subjects if kind == "User"}
            groups = {name for kind, _, name in each.subjects if kind == "Group"}
            here = each.namespace is None or each.namespace == question.namespace
            if here and (question.user in names or groups & set(question.groups)):
                place = f"{each.name}/{each.namespace}" if each.namespace else each.name
                who = f'User "{question.user}"' if question.user in names else "Group"
                return Answered(True, f'RBAC: allowed by {each.kind} "{place}" of ClusterRole "{each.role}" to {who}')
        return Answered(False)

    def everybody(self) -> list[Giver]:
        if self.break_list is not None:
            raise self.break_list
        ours = [
            Giver(
                "RoleBinding" if key.family.namespace else "ClusterRoleBinding",
                key.family.namespace,
                each.name,
                "ClusterRole",
                key.family.role.value,
                tuple((key.family.subject_kind.value, "", name) for name in each.binding.subjects),
                key,
                claims=True,
            )
            for key, each in self.objects.items()
        ]
        return [*ours, *self.givers]

    def take_away(self, giver: Giver) -> None:
        if self.break_delete is not None:
            raise self.break_delete
        if giver not in self.givers:
            raise StaleBinding("it changed since it was read")
        self.givers.remove(giver)

    def credential_ends(self) -> datetime | None:
        return self.ends

    def publish(self, message: str) -> None:
        if self.break_publish is not None:
            raise self.break_publish
        self.published.append(message)

    def tell(self, namespace: str, notice: Notice, at: datetime) -> None:
        if self.break_tell is not None:
            raise self.break_tell
        self.told.setdefault((namespace, notice.name), notice)

    def probe(self) -> None:
        if self.break_probe is not None:
            raise self.break_probe

    def close(self) -> None:
        pass

    def _in_order(self) -> list[ObservedBinding]:
        return sorted(self.objects.values(), key=lambda each: each.binding.key.sort_key)

    def _require_ours(self, key: BindingKey) -> None:
        if key in self.foreign:
            raise ForeignObject("it is not ours")

    def _require_same(self, key: BindingKey, observed: ObservedBinding | None) -> None:
        present = self.objects.get(key)
        if (present.resource_version if present else None) != (observed.resource_version if observed else None):
            raise StaleBinding("it changed since it was read")

    def let_in(self, subject: str) -> None:
        """Add somebody to every binding by hand, behind the bridge's back."""
        for key, seen in self.objects.items():
            self._version += 1
            binding = replace(seen.binding, subjects=tuple(sorted({*seen.binding.subjects, subject})))
            self.objects[key] = replace(seen, binding=binding, resource_version=str(self._version))

    @property
    def access(self) -> dict[tuple[str | None, str], set[str]]:
        """Return who holds what: (namespace, role) to subjects."""
        found: dict[tuple[str | None, str], set[str]] = {}
        for key, seen in self.objects.items():
            found.setdefault((key.family.namespace, key.family.role.value), set()).update(seen.binding.subjects)
        return found
