"""What the fake API server holds: objects of one global version, and lists that stay as they were when begun."""

import base64
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson

from tests.fakes.kube_fields import Owners, managed_fields
from tests.fakes.kube_rbac import RBAC_GROUP
from tests.fakes.kube_selectors import Selector
from tests.fakes.kube_status import Refusal, bad_request, expired

Key = tuple[str, str]
Document = dict[str, Any]


@dataclass(frozen=True)
class Resource:
    """One kind of object; it is namespaced when ``is_namespaced``."""

    plural: str
    kind: str
    group: str = RBAC_GROUP
    is_namespaced: bool = False

    @property
    def api_version(self) -> str:
        return f"{self.group}/v1" if self.group else "v1"

    @property
    def is_binding(self) -> bool:
        return self.kind.endswith("Binding")


RESOURCES = {
    resource.plural: resource
    for resource in (
        Resource("clusterroles", "ClusterRole"),
        Resource("roles", "Role", is_namespaced=True),
        Resource("clusterrolebindings", "ClusterRoleBinding"),
        Resource("rolebindings", "RoleBinding", is_namespaced=True),
        Resource("namespaces", "Namespace", ""),
    )
}


@dataclass(frozen=True)
class Stored:
    """One version of an object, without kind and apiVersion, as lists carry it; it never changes."""

    document: Document
    owners: Owners
    api_version: str

    @property
    def metadata(self) -> Mapping[str, Any]:
        found = self.document["metadata"]
        assert isinstance(found, dict)
        return found

    @property
    def key(self) -> Key:
        return (self.metadata.get("namespace", ""), self.metadata["name"])

    @cached_property
    def shown(self) -> Document:
        """The object as it is read, with the fields' owners."""
        managed = managed_fields(self.owners, self.api_version)
        return self.document | {"metadata": {**self.metadata, "managedFields": managed}}

    @cached_property
    def encoded(self) -> bytes:
        return orjson.dumps(self.shown)


@dataclass(frozen=True)
class Page:
    """A part of a list: already encoded, because 10,000 objects are listed again and again."""

    version: int
    items: list[Stored]
    token: str | None
    remaining: int | None


class Objects:
    """The store; whoever uses it holds a lock."""

    def __init__(self) -> None:
        self.version = 100
        self._compacted = 0
        self._objects: dict[str, dict[Key, Stored]] = {plural: {} for plural in RESOURCES}
        self._sorted: dict[str, list[Stored]] = {}
        self._begun: dict[tuple[str, int], list[Stored]] = {}

    def find(self, plural: str, key: Key) -> Stored | None:
        return self._objects[plural].get(key)

    def all_of(self, plural: str) -> list[Document]:
        return [stored.document for stored in self._objects[plural].values()]

    def write(self, resource: Resource, document: Document, owners: Owners) -> Stored:
        """Store a document as a new version."""
        self.version += 1
        document = document | {"metadata": document["metadata"] | {"resourceVersion": str(self.version)}}
        stored = Stored(document, owners, resource.api_version)
        self._objects[resource.plural][stored.key] = stored
        self._sorted.pop(resource.plural, None)
        return stored

    def remove(self, plural: str, key: Key) -> None:
        self.version += 1
        del self._objects[plural][key]
        self._sorted.pop(plural, None)

    def compact(self) -> None:
        """Forget all states but the present one."""
        self._compacted = self.version
        self._begun = {place: found for place, found in self._begun.items() if place[1] >= self.version}

    def page(self, plural: str, namespace: str, selector: Selector | None, limit: int, token: str) -> Page:
        """Return a part of the list: of the present state, or of the state that the token was given for."""
        version, after = self._place(plural, token)
        everything = self._begun[plural, version] if token and version != self.version else self._present(plural)
        rest = everything[bisect_right(everything, after, key=lambda stored: stored.key) :] if token else everything
        fitting = [
            stored
            for stored in rest
            if (not namespace or stored.key[0] == namespace)
            and (selector is None or selector(stored.metadata.get("labels") or {}))
        ]
        if not limit or len(fitting) <= limit:
            return Page(version, fitting, None, None)
        self._begun[plural, version] = everything
        remaining = len(fitting) - limit if selector is None else None
        return Page(version, fitting[:limit], _token(version, fitting[limit - 1].key), remaining)

    def require_state(self, wanted: str) -> None:
        """Refuse to list a state that is gone or still to come."""
        if int(wanted) < self._compacted:
            raise expired(None)
        if int(wanted) > self.version:
            raise Refusal(500, "", "etcdserver: mvcc: required revision is a future revision")

    def _present(self, plural: str) -> list[Stored]:
        if plural not in self._sorted:
            self._sorted[plural] = sorted(self._objects[plural].values(), key=lambda stored: stored.key)
        return self._sorted[plural]

    def _place(self, plural: str, token: str) -> tuple[int, Key]:
        if not token:
            return self.version, ("", "")
        try:
            version, namespace, name = orjson.loads(base64.urlsafe_b64decode(token))
        except ValueError as error:
            raise bad_request(f"invalid continue token: continue key is not valid: {error}") from error
        if version == -1:
            return self.version, (namespace, name)
        if version != self.version and (plural, version) not in self._begun:
            # Whoever goes on with this token reads the rest from another state.
            raise expired(_token(-1, (namespace, name)))
        return version, (namespace, name)


def _token(version: int, key: Key) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([version, *key])).decode()
