"""Every kind of target, with what somebody else may do to it behind the gateway's back."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import yaml

from scim_bridge.clusters.gateway import Gateway, ObservedBinding
from scim_bridge.clusters.kubernetes import KubernetesCluster
from scim_bridge.clusters.manifests import ManifestFolder, prepare_folder
from scim_bridge.clusters.objects import kind_of
from scim_bridge.clusters.open import Target as OpenTarget
from scim_bridge.clusters.open import open_gateway
from scim_bridge.domain.bindings import Binding, BindingKey, Family, Shard, SubjectKind, binding_name
from scim_bridge.domain.organizations import ClusterId, OrganizationId, TargetKind
from scim_bridge.domain.roles import KubernetesRole
from tests.fakes.cluster import FakeCluster
from tests.kube.client import RBAC
from tests.kube.world import Server, binding, create_namespace, kubeconfig

INSTANCE = "inst"


class Target(Protocol):
    """A gateway and the world behind it."""

    organization: str
    cluster: str

    @property
    def gateway(self) -> Gateway: ...

    def add_namespace(self, name: str) -> None: ...

    def add_foreign(self, key: BindingKey) -> None:
        """Put an object of somebody else where this key's would be."""

    def has_foreign(self, key: BindingKey) -> bool:
        """Tell whether that object is as it was."""

    def edit_by_hand(self, observed: ObservedBinding) -> None:
        """Change more than subjects."""


def key_of(
    target: Target,
    namespace: str | None = None,
    role: KubernetesRole = KubernetesRole.EDIT,
    *,
    shard: Shard = Shard(),  # noqa: B008 - it never changes
    kind: SubjectKind = SubjectKind.USER,
) -> BindingKey:
    """Return a key of this target's."""
    family = Family(namespace, role, kind)
    return BindingKey(OrganizationId(target.organization), ClusterId(target.cluster), family, shard)


def grant(target: Target, *subjects: str, namespace: str | None = None) -> Binding:
    """Return a binding of edit to these users."""
    return Binding(key_of(target, namespace), tuple(sorted(subjects)))


class MemoryTarget:
    """The cluster in memory."""

    def __init__(self, own: str) -> None:
        self.organization, self.cluster = f"org-{own}", f"cluster-{own}"
        self.gateway = self.fake = FakeCluster()

    def add_namespace(self, name: str) -> None:
        """Do nothing: every namespace is there."""

    def add_foreign(self, key: BindingKey) -> None:
        self.fake.foreign.add(key)

    def has_foreign(self, key: BindingKey) -> bool:
        return key in self.fake.foreign and key not in self.fake.objects

    def edit_by_hand(self, observed: ObservedBinding) -> None:
        key = observed.binding.key
        self.fake.objects[key] = replace(observed, intact=False, resource_version="edited")


class FolderTarget:
    """A folder of manifests."""

    def __init__(self, own: str, folder: Path) -> None:
        self.organization, self.cluster = f"org-{own}", f"cluster-{own}"
        self._folder = folder
        prepare_folder(folder, ClusterId(self.cluster))
        self.gateway = ManifestFolder(folder, INSTANCE, ClusterId(self.cluster))

    def add_namespace(self, name: str) -> None:
        """Do nothing: a folder is made when it is needed."""

    def add_foreign(self, key: BindingKey) -> None:
        file = self._file(key)
        file.parent.mkdir(exist_ok=True)
        file.write_text(yaml.safe_dump(foreign(key)))

    def has_foreign(self, key: BindingKey) -> bool:
        return self._file(key).read_text() == yaml.safe_dump(foreign(key))

    def edit_by_hand(self, observed: ObservedBinding) -> None:
        file = self._file(observed.binding.key)
        file.write_text(file.read_text().replace("kind: User", "kind: ServiceAccount"))

    def _file(self, key: BindingKey) -> Path:
        return self._folder / (key.family.namespace or "_cluster") / f"{binding_name(INSTANCE, key)}.yaml"


class KubeTarget:
    """An API server, real or fake, written to as the bridge's own least privileged identity."""

    def __init__(self, own: str, server: Server) -> None:
        self.organization, self.cluster = f"org-{own}", f"cluster-{own}"
        self.server, self.admin = server, server.client()
        self.gateway = self.open()

    def open(
        self,
        *,
        cluster: str = "",
        organization: str = "",
        instance: str = INSTANCE,
        credential: str | None = None,
        **limits: Any,
    ) -> KubernetesCluster:
        """Open another gateway to this server."""
        opened = open_gateway(
            OpenTarget(
                TargetKind.KUBERNETES,
                OrganizationId(organization or self.organization),
                ClusterId(cluster or self.cluster),
                instance,
                credential or kubeconfig(self.server),
                **limits,
            )
        )
        assert isinstance(opened, KubernetesCluster)
        return opened

    def add_namespace(self, name: str) -> None:
        create_namespace(self.admin, name)

    def add_foreign(self, key: BindingKey) -> None:
        self.admin.post(self.path(key).rpartition("/")[0], foreign(key))

    def has_foreign(self, key: BindingKey) -> bool:
        found = self.admin.get(self.path(key)).document
        return "labels" not in found["metadata"] and [each["name"] for each in found["subjects"]] == ["eve"]

    def edit_by_hand(self, observed: ObservedBinding) -> None:
        subjects = [{"kind": "ServiceAccount", "name": "robot", "namespace": "default"}]
        self.edit(observed.binding.key, {"subjects": subjects})

    def edit(self, key: BindingKey, change: dict[str, Any]) -> None:
        """Change an object as an administrator with an editor does."""
        reply = self.admin.merge(self.path(key), change, fieldManager="kubectl-edit")
        assert reply.status == 200, reply.body

    def path(self, key: BindingKey) -> str:
        return path_of(key)

    def read(self, key: BindingKey) -> dict[str, Any]:
        return self.admin.get(self.path(key)).document


def path_of(key: BindingKey) -> str:
    """Return where an API server has this key's object."""
    place = f"/namespaces/{key.family.namespace}" if key.family.namespace else ""
    return f"{RBAC}{place}/{kind_of(key).lower()}s/{binding_name(INSTANCE, key)}"


def foreign(key: BindingKey) -> dict[str, Any]:
    """Return an object of somebody else that has this key's name."""
    return binding(binding_name(INSTANCE, key), key.family.role.value, "eve", namespace=key.family.namespace)
