"""
A Kubernetes API as a cluster: plain dicts over HTTP, our own objects only.

Lists are consistent reads (no ``resourceVersion=0``); creates are POSTs, so that an object of somebody else makes them
fail; later writes are server-side applies that name the version they replace; deletes name version and uid.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from scim_bridge.clusters.connection import APPLY, Connection
from scim_bridge.clusters.errors import Answer, from_answer
from scim_bridge.clusters.events import event_document
from scim_bridge.clusters.gateway import Answered, Giver, ObservedBinding, PreflightProblem, Question
from scim_bridge.clusters.objects import API_GROUP, from_object, kind_of, to_object
from scim_bridge.clusters.preflight import find_problems
from scim_bridge.clusters.questions import ask, givers_in
from scim_bridge.domain.bindings import (
    CLUSTER_LABEL,
    INSTANCE_LABEL,
    MANAGED_BY,
    MANAGED_BY_LABEL,
    MAX_SHARD_BITS,
    ORGANIZATION_LABEL,
    Binding,
    BindingKey,
    Family,
    Shard,
    binding_name,
)
from scim_bridge.domain.namespaces import is_namespace_name
from scim_bridge.domain.notices import Notice
from scim_bridge.domain.organizations import ClusterId, OrganizationId
from scim_bridge.domain.planning import Action, Change
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.errors import ClusterRejected, ClusterUnreachable, ForeignObject, StaleBinding

RBAC = f"/apis/{API_GROUP}/v1"
FIELD_MANAGER = "scim-bridge"
PAGE = 1000
LIST_ATTEMPTS = 3
KINDS = ("ClusterRoleBinding", "RoleBinding")
NOTHING_MORE: Mapping[str, object] = MappingProxyType({})
DRY_RUN: Mapping[str, object] = MappingProxyType({"dryRun": "All"})
"""Rights, admission, versions and validity are checked as for any write, and nothing is stored."""
NOBODY = "scim-bridge-preflight"


class KubernetesCluster:
    """The gateway of one Kubernetes API, for one organization's cluster."""

    def __init__(
        self,
        connection: Connection,
        instance: str,
        organization_id: OrganizationId,
        cluster_id: ClusterId,
        ends: datetime | None = None,
    ) -> None:
        """Take an open connection; nothing is read yet."""
        self._connection = connection
        self._instance = instance
        self._organization_id = organization_id
        self._cluster_id = cluster_id
        self._ends = ends

    def describe(self) -> str:
        """Return the API server's address."""
        return self._connection.server

    def list_bindings(self) -> list[ObservedBinding]:
        """Return all our bindings; each kind is one consistent walk over its pages."""
        found = []
        for kind in KINDS:
            for item in self._list(f"{RBAC}/{kind.lower()}s", f"{kind}List", {"labelSelector": self._selector()}):
                observed = self._observe(item, kind)
                if observed is not None:
                    found.append(observed)
        return sorted(found, key=lambda each: each.binding.key.sort_key)

    def get(self, key: BindingKey) -> ObservedBinding | None:
        """Return one binding, None only when Kubernetes itself says that it is not there."""
        name = binding_name(self._instance, key)
        answer = self._connection.send("GET", self._path(key, name))
        if answer.says_gone(name):
            return None
        observed = self._observe(answer.of_kind(kind_of(key), f"Reading {name}"), kind_of(key))
        if observed is None or observed.binding.key != key:
            raise ForeignObject(f"{kind_of(key)} {name} is not this installation's; it is left alone.")
        return observed

    def apply(self, binding: Binding, observed: ObservedBinding | None) -> ObservedBinding:
        """Create a binding, or replace exactly the observed version of it."""
        return self._create(binding) if observed is None else self._replace(binding, observed)

    def delete(self, observed: ObservedBinding) -> None:
        """Delete exactly the observed version; one that is gone already is done."""
        key, name = observed.binding.key, observed.name
        options = _delete_options(observed.uid, observed.resource_version)
        self._delete(self._path(key, name), name, kind_of(key), options)

    def rehearse(self, change: Change, observed: ObservedBinding | None) -> None:
        """Send one change as a server-side dry run."""
        key = change.binding.key
        if change.action is Action.DELETE:
            if observed is not None:
                self._rehearse_delete(observed)
        elif observed is None:
            answer = self._post(change.binding, DRY_RUN)
            if answer.reason == "AlreadyExists":
                self.get(key)
            self._written(answer, change.binding, f"Creating {binding_name(self._instance, key)}")
        else:
            answer = self._patch(change.binding, observed, DRY_RUN)
            if _names_another_role(answer):
                # It would be deleted and made anew; that it is there still is all that a dry run of this would say.
                self._rehearse_delete(observed)
            else:
                self._written(answer, change.binding, f"Writing {observed.name}")

    def _rehearse_delete(self, observed: ObservedBinding) -> None:
        # In the options, for a body is all that the server looks at; in the query too, for who only logs that.
        options = _delete_options(observed.uid, observed.resource_version) | {"dryRun": ["All"]}
        key = observed.binding.key
        self._delete(self._path(key, observed.name), observed.name, kind_of(key), options, DRY_RUN)

    def _delete(
        self, path: str, name: str, kind: str, options: dict[str, Any], query: Mapping[str, object] | None = None
    ) -> None:
        answer = self._connection.send("DELETE", path, query, options)
        if answer.says_gone(name):
            return
        if not answer.is_ok:
            raise from_answer(answer, f"Deleting {name}")
        left = answer.document or {}
        if left.get("kind") not in ("Status", kind):
            raise ClusterUnreachable(f"Deleting {name}: the cluster answered with something that says nothing.")
        if (left.get("metadata") or {}).get("finalizers"):
            # It is marked, and goes on giving access until whoever put the finalizer there takes it away.
            raise ClusterRejected(f"Deleting {name}: a finalizer that somebody added keeps it alive.")

    def namespaces(self) -> Mapping[str, Mapping[str, str]]:
        """Return the labels of every active namespace; one that is being deleted takes no bindings."""
        return {
            item["metadata"]["name"]: item["metadata"].get("labels") or {}
            for item in self._list("/api/v1/namespaces", "NamespaceList", {})
            if (item.get("status") or {}).get("phase") == "Active"
        }

    def preflight(self, roles: Iterable[KubernetesRole]) -> list[PreflightProblem]:
        """Return what would keep these roles from being bound; an unreachable cluster is a problem too."""
        return find_problems(self._connection, roles, self._try_role)

    def _try_role(self, role: KubernetesRole) -> Answer:
        """Ask for a binding of a role to nobody, which no family ever has, as a dry run."""
        key = BindingKey(self._organization_id, self._cluster_id, Family(None, role), Shard(MAX_SHARD_BITS, 0))
        return self._post(Binding(key, (NOBODY,)), DRY_RUN)

    def ask(self, question: Question) -> Answered | None:
        """Send a SubjectAccessReview."""
        return ask(self._connection, question)

    def everybody(self) -> list[Giver]:
        """Return every binding of both kinds; each kind is one consistent walk over its pages."""
        return [
            each
            for kind in KINDS
            for each in givers_in(self._instance, kind, self._list(f"{RBAC}/{kind.lower()}s", f"{kind}List", {}))
        ]

    def take_away(self, giver: Giver) -> None:
        """Delete exactly this version of somebody else's binding."""
        place = f"/namespaces/{giver.namespace}" if giver.namespace else ""
        path = f"{RBAC}{place}/{giver.kind.lower()}s/{quote(giver.name, safe='')}"
        self._delete(path, giver.name, giver.kind, _delete_options(giver.uid, giver.resource_version))

    def credential_ends(self) -> datetime | None:
        """Return when the token or the client certificate ends."""
        return self._ends

    def publish(self, message: str) -> None:
        """Do nothing: what an API has taken is in force."""

    def tell(self, namespace: str, notice: Notice, at: datetime) -> None:
        """Create an Event; one of that name is there already within the hour."""
        path = f"/api/v1/namespaces/{quote(namespace, safe='')}/events"
        answer = self._connection.send("POST", path, None, event_document(namespace, notice, at))
        if not answer.is_ok and answer.reason != "AlreadyExists":
            raise from_answer(answer, f"Writing an Event into {namespace}")

    def probe(self) -> None:
        """Ask /readyz; a server that forbids the question is there."""
        answer = self._connection.send("GET", "/readyz")
        if not answer.is_ok and answer.status not in (401, 403, 404):
            raise from_answer(answer, "Asking whether it is ready")

    def close(self) -> None:
        """Close the connections and delete the key's file."""
        self._connection.close()

    def _create(self, binding: Binding) -> ObservedBinding:
        name = binding_name(self._instance, binding.key)
        answer = self._post(binding)
        if answer.reason == "AlreadyExists":
            self._refuse_to_take_over(binding.key, name)
        return self._written(answer, binding, f"Creating {name}")

    def _post(self, binding: Binding, more: Mapping[str, object] = NOTHING_MORE) -> Answer:
        query = {"fieldManager": FIELD_MANAGER, **more}
        return self._connection.send("POST", self._path(binding.key), query, to_object(self._instance, binding))

    def _refuse_to_take_over(self, key: BindingKey, name: str) -> None:
        """Raise what an object in our way means; one of ours that lost labels gets them back, so that lists show it."""
        present = self.get(key)
        if present is not None and not present.intact:
            self._replace(present.binding, present)
        raise StaleBinding(f"{name} exists already: it was not there when the cluster was read.")

    def _replace(self, binding: Binding, observed: ObservedBinding) -> ObservedBinding:
        answer = self._patch(binding, observed)
        if _names_another_role(answer):
            # Our name with another role was put there by somebody. roleRef cannot be changed, so it has to go first.
            self.delete(observed)
            return self._create(binding)
        return self._written(answer, binding, f"Writing {observed.name}")

    def _patch(self, binding: Binding, observed: ObservedBinding, more: Mapping[str, object] = NOTHING_MORE) -> Answer:
        document = to_object(self._instance, binding)
        # Both: an apply that names only the version creates the object anew when it is gone.
        document["metadata"] |= {"uid": observed.uid, "resourceVersion": observed.resource_version}
        # Force is safe: the object was read and is ours, and this very version of it is named.
        query = {"fieldManager": FIELD_MANAGER, "force": True, **more}
        return self._connection.send("PATCH", self._path(binding.key, observed.name), query, document, APPLY)

    def _written(self, answer: Answer, binding: Binding, about: str) -> ObservedBinding:
        kind = kind_of(binding.key)
        observed = self._observe(answer.of_kind(kind, about), kind)
        if observed is None or observed.binding != binding:
            raise ClusterRejected(f"{about}: the cluster changed it while taking it (an admission webhook?).")
        return observed

    def _observe(self, item: Mapping[str, Any], kind: str) -> ObservedBinding | None:
        """Read an object, None when it is not ours: not this organization's, or not where its key says."""
        try:
            observed = from_object(self._instance, item)
        except ForeignObject:
            return None
        except (AttributeError, KeyError, TypeError) as error:
            raise ClusterUnreachable(f"The cluster answered with something that is no {kind}.") from error
        key = observed.binding.key
        # A copy of our object in another namespace has our labels, our annotation and a fitting name.
        is_here = item["metadata"].get("namespace") == key.family.namespace and kind == kind_of(key)
        is_theirs = key.organization_id != self._organization_id or key.cluster_id != self._cluster_id
        return observed if is_here and not is_theirs else None

    def _list(self, path: str, kind: str, query: Mapping[str, object]) -> list[dict[str, Any]]:
        about = f"Listing {path.rpartition('/')[2]}"
        for _ in range(LIST_ATTEMPTS):
            try:
                return list(_walk(lambda page: self._connection.send("GET", path, {**query, **page}), kind, about))
            except _SnapshotGone:
                # The rest could be read from a later state, but a list of two states proves nothing absent.
                continue
        raise ClusterUnreachable(f"{about}: the pages expired {LIST_ATTEMPTS} times before the last was read.")

    def _selector(self) -> str:
        labels = {
            MANAGED_BY_LABEL: MANAGED_BY,
            INSTANCE_LABEL: self._instance,
            ORGANIZATION_LABEL: self._organization_id,
            CLUSTER_LABEL: self._cluster_id,
        }
        return ",".join(f"{key}={value}" for key, value in labels.items())

    def _path(self, key: BindingKey, name: str | None = None) -> str:
        namespace = key.family.namespace
        if namespace is not None and not is_namespace_name(namespace):
            raise ClusterRejected(f"{namespace!r} is not the name of a namespace.")
        place = "" if namespace is None else f"/namespaces/{namespace}"
        return f"{RBAC}{place}/{kind_of(key).lower()}s" + (f"/{name}" if name else "")


class _SnapshotGone(Exception):
    """The state that the first page was read from is compacted away (410 Expired)."""


def _walk(send: Callable[[Mapping[str, object]], Answer], kind: str, about: str) -> Iterator[dict[str, Any]]:
    """Yield the items of all pages of one state."""
    page: dict[str, object] = {"limit": PAGE}
    version = None
    while True:
        metadata, items = _read_page(send(page), kind, about)
        version = version or metadata["resourceVersion"]
        if metadata["resourceVersion"] != version:
            raise _SnapshotGone
        yield from items
        if not metadata.get("continue"):
            return
        page = {"limit": PAGE, "continue": metadata["continue"]}


def _read_page(answer: Answer, kind: str, about: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return a page's metadata and items; raises rather than take anything else for a list that ends there."""
    if answer.status == 410:
        raise _SnapshotGone
    document = answer.of_kind(kind, about)
    metadata, items = document.get("metadata"), document.get("items", "")
    # Go writes an empty list as null where nobody made one.
    items = [] if items is None else items
    is_list = isinstance(items, list) and all(_is_object(item) for item in items)
    if not is_list or not isinstance(metadata, dict) or not metadata.get("resourceVersion"):
        raise ClusterUnreachable(f"{about}: the cluster answered with something that is not a whole list.")
    return metadata, items


def _names_another_role(answer: Answer) -> bool:
    return answer.status == 422 and any(cause.get("field") == "roleRef" for cause in answer.causes)


def _is_object(item: Any) -> bool:
    metadata = item.get("metadata") if isinstance(item, dict) else None
    return isinstance(metadata, dict) and isinstance(metadata.get("name"), str)


def _delete_options(uid: str, version: str) -> dict[str, Any]:
    preconditions = {"uid": uid, "resourceVersion": version}
    return {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": preconditions}
