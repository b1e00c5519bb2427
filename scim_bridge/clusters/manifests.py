"""
A folder of manifests as a cluster: one YAML file a binding, stable bytes, safe to commit to git.

The folder carries a marker with the cluster's id. Without it the folder is unknown, not empty: an unmounted disk
looks exactly like one where everything was deleted.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

import orjson
import yaml

from scim_bridge.clusters.gateway import ObservedBinding, PreflightProblem
from scim_bridge.clusters.objects import from_object, to_object
from scim_bridge.domain.bindings import Binding, BindingKey, binding_name
from scim_bridge.domain.organizations import ClusterId
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.errors import (
    ClusterDenied,
    ClusterError,
    ClusterRejected,
    ClusterUnreachable,
    ForeignObject,
    Refused,
    StaleBinding,
)

MARKER = ".scim-bridge.json"
KUSTOMIZATION = "kustomization.yaml"
CLUSTER_WIDE = "_cluster"


def prepare_folder(folder: Path, cluster_id: ClusterId) -> None:
    """Make a folder a cluster's, once; raises Refused when it is another's or cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        marker = folder / MARKER
        if marker.exists():
            owner = orjson.loads(marker.read_bytes()).get("cluster")
            if owner != cluster_id:
                raise Refused(f"The folder {folder} already holds the manifests of another cluster ({owner}).")
            return
        _write(marker, orjson.dumps({"cluster": cluster_id}) + b"\n")
    except (OSError, ValueError, AttributeError) as error:
        raise Refused(f"The folder {folder} cannot be used for manifests: {error}.") from error


class ManifestFolder:
    """The gateway of a folder; files that are not ours are never touched."""

    def __init__(self, folder: Path, instance: str, cluster_id: ClusterId) -> None:
        """Name the folder; nothing is read yet."""
        self._folder = folder
        self._instance = instance
        self._cluster_id = cluster_id
        # A pass writes from several threads; the kustomization lists what all of them wrote.
        self._writing = Lock()

    def describe(self) -> str:
        """Return the folder's path."""
        return str(self._folder)

    def list_bindings(self) -> list[ObservedBinding]:
        """Return our bindings; a file of ours that cannot be read makes the whole folder unknown."""
        self._require_marker()
        found = [self._read(file) for file in self._files()]
        ours = [each for each in found if each is not None and each.binding.key.cluster_id == self._cluster_id]
        return sorted(ours, key=lambda each: each.binding.key.sort_key)

    def get(self, key: BindingKey) -> ObservedBinding | None:
        """Return one binding, None when there is no such file; raises ForeignObject when it is not ours."""
        self._require_marker()
        file = self._file(key)
        if not file.exists():
            return None
        found = self._read(file)
        if found is None or found.binding.key != key:
            raise ForeignObject(f"{file} is not this installation's; it is left alone.")
        return found

    def apply(self, binding: Binding, observed: ObservedBinding | None) -> ObservedBinding:
        """Write one file, whole or not at all."""
        self._require_same(binding.key, observed)
        content = render(to_object(self._instance, binding))
        file = self._file(binding.key)
        with self._writing, _as_cluster_errors(file):
            file.parent.mkdir(exist_ok=True)
            _write(file, content)
            self._update_kustomization()
        return ObservedBinding(binding, file.stem, file.stem, _version(content))

    def delete(self, observed: ObservedBinding) -> None:
        """Delete one file; one that is gone already is done."""
        key = observed.binding.key
        if self.get(key) is None:
            return
        self._require_same(key, observed)
        file = self._file(key)
        with self._writing, _as_cluster_errors(file):
            file.unlink(missing_ok=True)
            self._update_kustomization()
            if file.parent != self._folder and not any(file.parent.iterdir()):
                file.parent.rmdir()

    def namespaces(self) -> Mapping[str, Mapping[str, str]]:
        """Return nothing: a folder knows no labels, so selectors grant nothing here."""
        return {}

    def preflight(self, roles: Iterable[KubernetesRole]) -> list[PreflightProblem]:
        """Return what keeps the folder from being written; roles cannot be checked in a folder."""
        try:
            self._require_marker()
        except ClusterError as error:
            return [PreflightProblem("FolderUnusable", str(error))]
        if not os.access(self._folder, os.W_OK):
            return [PreflightProblem("FolderUnusable", f"{self._folder} cannot be written.")]
        return []

    def close(self) -> None:
        """Do nothing: no file is kept open."""

    def _file(self, key: BindingKey) -> Path:
        # Namespaces are RFC 1123 labels (checked when they are claimed): none can climb out of the folder.
        place = key.family.namespace or CLUSTER_WIDE
        if "/" in place or place.startswith("."):
            raise ClusterRejected(f"{place!r} is not the name of a namespace.")
        return self._folder / place / f"{binding_name(self._instance, key)}.yaml"

    def _files(self) -> list[Path]:
        try:
            places = sorted(path for path in self._folder.iterdir() if path.is_dir() and path.name[0] != ".")
            return [file for place in places for file in sorted(place.glob(f"scimb-{self._instance[:12]}-*.yaml"))]
        except OSError as error:
            raise ClusterUnreachable(f"The folder {self._folder} cannot be read: {error.strerror}.") from error

    def _read(self, file: Path) -> ObservedBinding | None:
        try:
            content = file.read_bytes()
            loaded = yaml.load(content, Loader=_LOADER)  # noqa: S506 - both loaders are the safe one
        except FileNotFoundError:
            return None
        except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
            raise ClusterUnreachable(f"{file} cannot be read: {error}.") from error
        try:
            found = from_object(self._instance, loaded if isinstance(loaded, dict) else {})
        except ForeignObject:
            return None
        intact = found.intact and content == render(to_object(self._instance, found.binding))
        return ObservedBinding(found.binding, file.stem, file.stem, _version(content), intact)

    def _require_same(self, key: BindingKey, observed: ObservedBinding | None) -> None:
        present = self.get(key)
        before = observed.resource_version if observed else None
        if (present.resource_version if present else None) != before:
            raise StaleBinding(f"{self._file(key)} changed since it was read.")

    def _require_marker(self) -> None:
        try:
            owner = orjson.loads((self._folder / MARKER).read_bytes()).get("cluster")
        except (OSError, ValueError, AttributeError) as error:
            raise ClusterUnreachable(
                f"The folder {self._folder} is not there or has lost its {MARKER}: its state is unknown."
            ) from error
        if owner != self._cluster_id:
            raise ClusterDenied(f"The folder {self._folder} holds the manifests of another cluster ({owner}).")

    def _update_kustomization(self) -> None:
        """Keep our files listed for `kubectl apply -k`; entries of others stay."""
        file = self._folder / KUSTOMIZATION
        kept: dict[str, Any] = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
        if file.exists():
            loaded = yaml.safe_load(file.read_bytes())
            kept |= loaded if isinstance(loaded, dict) else {}
        ours = [path.relative_to(self._folder).as_posix() for path in self._files()]
        prefix = f"/scimb-{self._instance[:12]}-"
        foreign = [entry for entry in kept.get("resources") or [] if prefix not in f"/{entry}"]
        kept["resources"] = [*foreign, *ours]
        content = render(kept)
        if not file.exists() or file.read_bytes() != content:
            _write(file, content)


def render(document: Mapping[str, Any]) -> bytes:
    """Return YAML of stable bytes: keys in a fixed order, block style, one newline at the end."""
    return yaml.dump(
        dict(document), Dumper=_DUMPER, sort_keys=True, default_flow_style=False, allow_unicode=True, width=1000
    ).encode()


# The C versions are ten times as fast, and a wheel without them is still right.
_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _version(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _write(file: Path, content: bytes) -> None:
    draft = file.with_name(f".{file.name}.{os.getpid()}.draft")
    with draft.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(file)


@contextmanager
def _as_cluster_errors(file: Path) -> Iterator[None]:
    """Turn what the file system says into our own errors."""
    try:
        yield
    except PermissionError as error:
        raise ClusterDenied(f"{file} cannot be written: {error.strerror}.") from error
    except OSError as error:
        raise ClusterUnreachable(f"{file} cannot be written: {error.strerror}.") from error
