"""
A folder of manifests as a cluster: one YAML file a binding, stable bytes, safe to commit to git.

The folder carries a marker with the cluster's id. Without it the folder is unknown, not empty: an unmounted disk
looks exactly like one where everything was deleted.

No file is made that lists the others (a kustomization.yaml): each pass would rewrite it, and each merge conflict in
it. Flux, Argo CD and `kubectl apply --recursive` read folders. One that somebody made is kept up to date.
"""

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from scim_bridge.clusters.gateway import Answered, Giver, ObservedBinding, PreflightProblem, Question
from scim_bridge.clusters.git import WorkingTree
from scim_bridge.clusters.kustomization import find_index, with_resources
from scim_bridge.clusters.manifest_files import MARKER as MARKER
from scim_bridge.clusters.manifest_files import FolderWriter, require_owner
from scim_bridge.clusters.manifest_files import prepare_folder as prepare_folder
from scim_bridge.clusters.objects import from_object, to_object
from scim_bridge.domain.bindings import Binding, BindingKey, binding_name
from scim_bridge.domain.namespaces import is_namespace_name
from scim_bridge.domain.notices import Notice
from scim_bridge.domain.organizations import ClusterId
from scim_bridge.domain.planning import Change
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.errors import ClusterError, ClusterRejected, ClusterUnreachable, ForeignObject, StaleBinding

CLUSTER_WIDE = "_cluster"


class ManifestFolder:
    """The gateway of a folder; files that are not ours are never touched."""

    def __init__(self, folder: Path, instance: str, cluster_id: ClusterId) -> None:
        """Name the folder; nothing is read yet."""
        self._folder = folder
        self._instance = instance
        self._cluster_id = cluster_id
        self._writer = FolderWriter(folder)

    def describe(self) -> str:
        """Return the folder's path."""
        return str(self._folder)

    def list_bindings(self) -> list[ObservedBinding]:
        """Return our bindings; a file of ours that cannot be read makes the whole folder unknown."""
        require_owner(self._folder, self._cluster_id)
        found = [each for file in self._files() if (each := self._ours(file)) is not None]
        # Again: a disk that went away in the middle looks empty from there on.
        require_owner(self._folder, self._cluster_id)
        return sorted(found, key=lambda each: each.binding.key.sort_key)

    def get(self, key: BindingKey) -> ObservedBinding | None:
        """Return one binding, None when there is no such file; raises ForeignObject when it is not ours."""
        require_owner(self._folder, self._cluster_id)
        file = self._file(key)
        for each in (file.parent, file):
            if each.is_symlink():
                raise ForeignObject(f"{each} is a link, which the bridge does not follow; it is left alone.")
        content = _content(file)
        if content is None:
            return None
        found = self._read(file, content)
        if found is None or found.binding.key != key:
            raise ForeignObject(f"{file} is not this installation's; it is left alone.")
        return found

    def apply(self, binding: Binding, observed: ObservedBinding | None) -> ObservedBinding:
        """Write one file, whole or not at all."""
        content = render(to_object(self._instance, binding))
        file = self._file(binding.key)
        with self._same(binding.key, observed):
            self._writer.write(file, content)
        return ObservedBinding(binding, file.stem, file.stem, _version(content))

    def delete(self, observed: ObservedBinding) -> None:
        """Delete one file; one that is gone already is done."""
        key = observed.binding.key
        if self.get(key) is None:
            return
        with self._same(key, observed):
            self._writer.remove(self._file(key))

    def rehearse(self, change: Change, observed: ObservedBinding | None) -> None:
        """Look whether the file is what it was; what the cluster would say of it, a folder cannot know."""
        if not os.access(self._folder, os.W_OK):
            raise ClusterRejected(f"{self._folder} cannot be written.")
        with self._same(change.binding.key, observed):
            pass

    def namespaces(self) -> Mapping[str, Mapping[str, str]]:
        """Return nothing: a folder knows no labels, so selectors grant nothing here."""
        return {}

    def preflight(self, roles: Iterable[KubernetesRole]) -> list[PreflightProblem]:
        """Return what keeps the folder from being written or read whole; roles cannot be checked in a folder."""
        try:
            require_owner(self._folder, self._cluster_id)
            if not os.access(self._folder, os.W_OK):
                return [PreflightProblem("FolderUnusable", f"{self._folder} cannot be written.")]
            return list(self._misplaced())
        except ClusterError as error:
            return [PreflightProblem("FolderUnusable", str(error))]

    def ask(self, question: Question) -> Answered | None:
        """Return nothing: a folder answers no questions; the cluster that it is applied to does."""
        return None

    def everybody(self) -> list[Giver]:
        """Return our own bindings: what else is in the folder is nobody's business here."""
        return [
            Giver(
                "RoleBinding" if each.binding.key.family.namespace else "ClusterRoleBinding",
                each.binding.key.family.namespace,
                each.name,
                "ClusterRole",
                each.binding.key.family.role.value,
                tuple((each.binding.key.family.subject_kind.value, "", name) for name in each.binding.subjects),
                each.binding.key,
                claims=True,
            )
            for each in self.list_bindings()
        ]

    def take_away(self, giver: Giver) -> None:
        """Refuse: whatever else is in a folder is a file of somebody's."""
        raise ClusterRejected("Take the file out of the folder yourself: the bridge deletes nobody else's files.")

    def credential_ends(self) -> datetime | None:
        """Return nothing: a folder needs no credential."""
        return None

    def publish(self, message: str) -> None:
        """Keep our files in the kustomization that somebody made, and commit them where the repository wants that."""
        require_owner(self._folder, self._cluster_id)
        index = find_index(self._folder)
        with self._writer.exclusively():
            if index is not None:
                self._keep_in(index)
            tree = WorkingTree(self._folder)
            if tree.wants_commits:
                indexed = () if index is None else (index.name,)
                tree.publish((f"*/scimb-{self._instance[:12]}-*.yaml", MARKER, *indexed), message)

    def _keep_in(self, index: Path) -> None:
        content = _content(index)
        if content is None:
            return
        files = [str(each.relative_to(self._folder)) for each in self._files() if self._ours(each) is not None]
        ours = re.compile(rf"[^/]+/scimb-{re.escape(self._instance[:12])}-[^/]+\.yaml")
        wanted = with_resources(content.decode(errors="surrogateescape"), ours, files)
        if wanted.encode(errors="surrogateescape") != content:
            self._writer.write(index, wanted.encode(errors="surrogateescape"))

    def tell(self, namespace: str, notice: Notice, at: datetime) -> None:
        """Do nothing: a folder has no Events."""

    def probe(self) -> None:
        """Look whether the folder is there and the cluster's."""
        require_owner(self._folder, self._cluster_id)

    def close(self) -> None:
        """Do nothing: no file is kept open."""

    def _file(self, key: BindingKey) -> Path:
        place = CLUSTER_WIDE if key.family.namespace is None else key.family.namespace
        # Namespaces are checked when they are claimed; a key that was not ours could still climb out of the folder.
        if key.family.namespace is not None and not is_namespace_name(place):
            raise ClusterRejected(f"{place!r} is not the name of a namespace.")
        return self._folder / place / f"{binding_name(self._instance, key)}.yaml"

    def _files(self) -> Iterator[Path]:
        """Yield the files that bear our names; raises ClusterUnreachable when one is only seen through a link."""
        try:
            for place in sorted(self._folder.iterdir()):
                if (place.name == CLUSTER_WIDE or is_namespace_name(place.name)) and place.is_dir():
                    # Not glob(): it passes over what it may not read, and a part would look like the whole.
                    for file in sorted(each for each in place.iterdir() if self._is_name_of_ours(each.name)):
                        _refuse_link(place, file)
                        yield file
        except OSError as error:
            raise ClusterUnreachable(f"The folder {self._folder} cannot be read: {error.strerror}.") from error

    def _ours(self, file: Path) -> ObservedBinding | None:
        """Read a file that bears our name, or None: it is another's, or a copy that lies where no pass put it."""
        content = _content(file)
        found = None if content is None else self._read(file, content)
        if found is None or found.binding.key.cluster_id != self._cluster_id:
            return None
        return found if _is_in_place(file, found) else None

    def _is_name_of_ours(self, name: str) -> bool:
        return name.startswith(f"scimb-{self._instance[:12]}-") and name.endswith(".yaml")

    def _read(self, file: Path, content: bytes) -> ObservedBinding | None:
        """Return what a file says, None when it is not ours; raises ClusterUnreachable when it says nothing whole."""
        try:
            loaded = yaml.load(content, Loader=_LOADER)  # noqa: S506 - both loaders are the safe one
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            raise ClusterUnreachable(f"{file} cannot be read: {error}.") from error
        try:
            found = from_object(self._instance, loaded if isinstance(loaded, dict) else {})
        except ForeignObject:
            return None
        # Git on Windows writes other line ends; a pass must not undo them each time.
        same = content.replace(b"\r\n", b"\n") == render(to_object(self._instance, found.binding))
        return ObservedBinding(found.binding, found.name, found.name, _version(content), found.intact and same)

    @contextmanager
    def _same(self, key: BindingKey, observed: ObservedBinding | None) -> Iterator[None]:
        """Hold the folder while a binding is what it was when it was read; raises StaleBinding when it is not."""
        # Said before the lock is asked for: without its marker there is nothing to lock.
        require_owner(self._folder, self._cluster_id)
        with self._writer.exclusively():
            present = self.get(key)
            before = observed.resource_version if observed else None
            if (present.resource_version if present else None) != before:
                raise StaleBinding(f"{self._file(key)} changed since it was read.")
            yield

    def _misplaced(self) -> Iterator[PreflightProblem]:
        for file in self._files():
            content = _content(file)
            found = None if content is None else self._read(file, content)
            is_other = found is not None and found.binding.key.cluster_id != self._cluster_id
            if found is not None and (is_other or not _is_in_place(file, found)):
                message = f"{file} is a copy or another cluster's, and is left alone: what it grants stays granted."
                yield PreflightProblem("CopyInFolder", message)


def render(document: Mapping[str, Any]) -> bytes:
    """Return YAML of stable bytes: keys in a fixed order, block style, one newline at the end."""
    return yaml.dump(
        dict(document), Dumper=_DUMPER, sort_keys=True, default_flow_style=False, allow_unicode=True, width=1000
    ).encode()


# The C versions are ten times as fast, and a wheel without them is still right.
_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _content(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ClusterUnreachable(f"{file} cannot be read: {error.strerror}.") from error


def _is_in_place(file: Path, found: ObservedBinding) -> bool:
    """Tell whether a file is where a pass puts it: a copy elsewhere is nobody's but its maker's."""
    namespace = found.binding.key.family.namespace
    if namespace is not None and not is_namespace_name(namespace):
        return False
    return (file.parent.name, file.stem) == (namespace or CLUSTER_WIDE, found.name)


def _refuse_link(*places: Path) -> None:
    for each in places:
        if each.is_symlink():
            raise ClusterUnreachable(
                f"{each} is a link, and a binding of ours is seen through it: the folder's state is unknown."
            )


def _version(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
