"""What disks, git, editors and other processes do to a folder of manifests."""

import errno
import fcntl
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from scim_bridge.clusters import manifest_files
from scim_bridge.clusters.gateway import ObservedBinding
from scim_bridge.clusters.manifest_files import DRAFTS, MARKER, Owner, prepare_folder
from scim_bridge.clusters.manifests import ManifestFolder
from scim_bridge.domain.bindings import Binding, BindingKey, Family, Shard
from scim_bridge.domain.organizations import ClusterId, OrganizationId
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.errors import ClusterDenied, ClusterRejected, ClusterUnreachable, ForeignObject, Refused, StaleBinding

CLUSTER = ClusterId("c1")


def binding(*subjects: str, namespace: str | None = "shop", index: int = 0) -> Binding:
    shard = Shard(8, index) if index else Shard()
    key = BindingKey(OrganizationId("o1"), CLUSTER, Family(namespace, KubernetesRole.EDIT), shard)
    return Binding(key, tuple(sorted(subjects)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "manifests"
    prepare_folder(made, CLUSTER)
    return made


@pytest.fixture
def gateway(folder: Path) -> ManifestFolder:
    return ManifestFolder(folder, "inst", CLUSTER)


def visible(folder: Path) -> dict[str, bytes]:
    """Everything that git would commit."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and DRAFTS not in path.parts
    }


def drafts(folder: Path) -> list[str]:
    found = folder / DRAFTS
    return sorted(path.name for path in found.iterdir()) if found.exists() else []


@contextmanager
def full_disk() -> Iterator[None]:
    """Let no file grow beyond 100 bytes: a write then really ends in its middle."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_write_touches_no_other_file(gateway: ManifestFolder, folder: Path) -> None:
    for index in range(1, 60):
        gateway.apply(binding("ana", index=index), None)
    before = {path: path.stat().st_ino for path in folder.rglob("*") if path.is_file()}

    made = gateway.apply(binding("bob", index=60), None)

    after = {path: path.stat().st_ino for path in folder.rglob("*") if path.is_file()}
    assert after.items() - before.items() == {
        (folder / "shop" / f"{made.name}.yaml", (folder / "shop" / f"{made.name}.yaml").stat().st_ino)
    }


def test_a_disk_that_is_full_leaves_the_old_file_whole(gateway: ManifestFolder, folder: Path) -> None:
    first = gateway.apply(binding("ana"), None)
    before = visible(folder)

    with full_disk(), pytest.raises(ClusterUnreachable, match="cannot be written: File too large"):
        gateway.apply(binding("ana", "bob"), first)

    assert visible(folder) == before
    assert drafts(folder) == [".gitignore"]
    assert gateway.apply(binding("ana", "bob"), first).binding.subjects == ("ana", "bob")


def test_a_disk_that_is_full_leaves_no_new_file_and_no_empty_folder(gateway: ManifestFolder, folder: Path) -> None:
    gateway.apply(binding("ana", namespace="web"), None)

    with full_disk(), pytest.raises(ClusterUnreachable):
        gateway.apply(binding("ana"), None)

    assert not (folder / "shop").exists()
    assert [each.binding.key.family.namespace for each in gateway.list_bindings()] == ["web"]


@pytest.mark.parametrize("reason", [errno.EROFS, errno.EACCES, errno.EPERM])
def test_a_disk_that_is_read_only_is_a_denial_and_changes_nothing(
    gateway: ManifestFolder, folder: Path, reason: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = gateway.apply(binding("ana"), None)
    before = visible(folder)

    def refuse(*_arguments: object, **_options: object) -> None:
        raise OSError(reason, os.strerror(reason))

    monkeypatch.setattr(Path, "replace", refuse)
    monkeypatch.setattr(Path, "unlink", refuse)

    with pytest.raises(ClusterDenied, match="cannot be written"):
        gateway.apply(binding("bob"), first)
    with pytest.raises(ClusterDenied, match="cannot be written"):
        gateway.delete(first)

    assert visible(folder) == before


def test_a_file_where_a_namespaces_folder_should_be_stops_only_that_namespace(
    gateway: ManifestFolder, folder: Path
) -> None:
    (folder / "shop").write_text("by hand")

    with pytest.raises(ClusterUnreachable):
        gateway.apply(binding("ana"), None)
    gateway.apply(binding("ana", namespace="web"), None)

    assert (folder / "shop").read_text() == "by hand"
    assert len(gateway.list_bindings()) == 1


CRASH = """
import os, sys
from pathlib import Path
from tests.clusters.test_manifest_files import CLUSTER, binding
from scim_bridge.clusters.manifests import ManifestFolder
Path.replace = lambda *_: os._exit(9)
gateway = ManifestFolder(Path(sys.argv[1]), "inst", CLUSTER)
present = gateway.list_bindings()
gateway.apply(binding("ana", "bob"), present[0] if present else None)
"""


@pytest.mark.parametrize("present", [True, False])
def test_a_crash_in_the_middle_of_a_write_leaves_what_was_there(
    gateway: ManifestFolder, folder: Path, present: bool
) -> None:
    first = gateway.apply(binding("ana"), None) if present else None
    before = visible(folder)

    crashed = subprocess.run([sys.executable, "-c", CRASH, str(folder)], timeout=60, capture_output=True, text=True)

    assert crashed.returncode == 9, crashed.stderr
    assert visible(folder) == before
    assert len(drafts(folder)) == 2
    successor = ManifestFolder(folder, "inst", CLUSTER)
    successor.apply(binding("ana", "bob"), first)
    assert drafts(folder) == [".gitignore"]
    assert [each.binding.subjects for each in successor.list_bindings()] == [("ana", "bob")]


def test_of_two_that_write_the_same_version_at_once_one_is_told(gateway: ManifestFolder) -> None:
    # A pass that read before a removal was written must not write the leaver back in.
    present = gateway.apply(binding("leaver", "ana"), None)

    for round_ in range(15):
        left, right = binding("ana", f"left-{round_}"), binding("ana", f"right-{round_}")
        with ThreadPoolExecutor(2) as pool:
            outcomes = list(pool.map(lambda wanted, seen=present: attempt(gateway, wanted, seen), (left, right)))

        assert [type(each) for each in outcomes].count(StaleBinding) == 1
        [won] = [each for each in outcomes if isinstance(each, ObservedBinding)]
        assert gateway.list_bindings() == [won]
        present = won


def attempt(gateway: ManifestFolder, wanted: Binding, seen: ObservedBinding) -> ObservedBinding | StaleBinding:
    try:
        return gateway.apply(wanted, seen)
    except StaleBinding as error:
        return error


def test_another_process_that_hangs_with_the_folder_does_not_hang_this_one(
    gateway: ManifestFolder, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manifest_files, "LOCK_SECONDS", 0.05)
    with (folder / MARKER).open("rb+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)

        with pytest.raises(ClusterUnreachable, match="locked"):
            gateway.apply(binding("ana"), None)

    assert gateway.list_bindings() == []
    assert gateway.apply(binding("ana"), None).binding == binding("ana")


def test_a_copy_in_another_namespaces_folder_is_neither_read_nor_touched(gateway: ManifestFolder, folder: Path) -> None:
    made = gateway.apply(binding("ana"), None)
    original = folder / "shop" / f"{made.name}.yaml"
    copies = [folder / "web" / original.name, folder / "shop" / original.name.replace(".yaml", "-copy.yaml")]
    copies[0].parent.mkdir()
    for copy in copies:
        copy.write_bytes(original.read_bytes())

    gateway.apply(binding("bob"), made)

    assert [each.binding.subjects for each in gateway.list_bindings()] == [("bob",)]
    assert all(b"name: ana" in copy.read_bytes() for copy in copies)
    assert [(each.kind, str(copies[1]) in each.message) for each in gateway.preflight([])] == [
        ("CopyInFolder", True),
        ("CopyInFolder", False),
    ]


def test_a_linked_namespace_folder_is_unknown_and_nothing_is_written_through_it(
    gateway: ManifestFolder, folder: Path, tmp_path: Path
) -> None:
    made = gateway.apply(binding("ana"), None)
    moved = tmp_path / "moved"
    (folder / "shop").rename(moved)
    (folder / "shop").symlink_to(moved)
    before = visible(moved)

    with pytest.raises(ClusterUnreachable, match="is a link"):
        gateway.list_bindings()
    with pytest.raises(ForeignObject, match="is a link"):
        gateway.apply(binding("bob"), made)
    with pytest.raises(ForeignObject, match="is a link"):
        gateway.delete(made)

    assert visible(moved) == before


def test_a_linked_file_is_not_written_through(gateway: ManifestFolder, folder: Path, tmp_path: Path) -> None:
    made = gateway.apply(binding("ana"), None)
    file = folder / "shop" / f"{made.name}.yaml"
    target = tmp_path / "target.yaml"
    file.rename(target)
    file.symlink_to(target)

    with pytest.raises(ClusterUnreachable, match="is a link"):
        gateway.list_bindings()
    with pytest.raises(ForeignObject):
        gateway.apply(binding("bob"), made)

    assert b"name: ana" in target.read_bytes()
    assert file.is_symlink()


def test_links_that_show_nothing_of_ours_do_no_harm(gateway: ManifestFolder, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (folder / "docs").symlink_to(tmp_path / "docs")
    (folder / "nowhere").symlink_to(tmp_path / "gone")
    (folder / "loop").symlink_to(folder / "loop")

    made = gateway.apply(binding("ana"), None)

    assert gateway.list_bindings() == [made]
    with pytest.raises(ForeignObject):
        gateway.apply(binding("ana", namespace="docs"), None)


def test_the_folder_itself_may_be_reached_by_a_link(gateway: ManifestFolder, folder: Path, tmp_path: Path) -> None:
    made = gateway.apply(binding("ana"), None)
    (tmp_path / "link").symlink_to(folder)

    assert ManifestFolder(tmp_path / "link", "inst", CLUSTER).list_bindings() == [made]


def test_windows_line_ends_are_no_edit_and_are_gone_after_the_next_change(
    gateway: ManifestFolder, folder: Path
) -> None:
    made = gateway.apply(binding("ana"), None)
    file = folder / "shop" / f"{made.name}.yaml"
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))

    [found] = gateway.list_bindings()

    assert (found.binding, found.intact) == (binding("ana"), True)
    with pytest.raises(StaleBinding):
        gateway.apply(binding("bob"), made)
    gateway.apply(binding("bob"), found)
    assert b"\r" not in file.read_bytes()


@pytest.mark.parametrize(
    "text",
    [
        "metadata: [1]\n",
        "metadata: {name: x, labels: y, annotations: z}\n",
        "metadata: {annotations: {scim-bridge.dev/key: 5}}\n",
        "5\n",
        "",
    ],
)
def test_nonsense_under_a_name_of_ours_is_foreign(gateway: ManifestFolder, folder: Path, text: str) -> None:
    made = gateway.apply(binding("ana"), None)
    file = folder / "shop" / f"{made.name}.yaml"
    file.write_text(text)

    assert gateway.list_bindings() == []
    with pytest.raises(ForeignObject):
        gateway.get(made.binding.key)
    assert file.read_text() == text


@pytest.mark.parametrize("text", ["a: 2026-13-45\n", "[" * 5000, "a: 1\n---\nb: 2\n", "\x00", "a: &a [*b]\n"])
def test_a_file_of_ours_that_cannot_be_parsed_makes_the_folder_unknown(
    gateway: ManifestFolder, folder: Path, text: str
) -> None:
    made = gateway.apply(binding("ana"), None)
    (folder / "shop" / f"{made.name}.yaml").write_text(text)

    with pytest.raises(ClusterUnreachable, match="cannot be read"):
        gateway.list_bindings()


@pytest.mark.parametrize("subjects", ["[1]", "5", "{a: b}", "[[]]"])
def test_subjects_that_are_none_are_an_edit_by_hand(gateway: ManifestFolder, folder: Path, subjects: str) -> None:
    made = gateway.apply(binding("ana"), None)
    file = folder / "shop" / f"{made.name}.yaml"
    file.write_text(file.read_text().partition("subjects:")[0] + f"subjects: {subjects}\n")

    [found] = gateway.list_bindings()

    assert (found.binding.subjects, found.intact) == ((), False)
    assert gateway.apply(binding("ana"), found).binding.subjects == ("ana",)


def test_a_disk_that_goes_away_while_it_is_read_is_unknown(
    gateway: ManifestFolder, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway.apply(binding("ana"), None)
    there = Path.iterdir

    def unmounted(path: Path) -> Iterator[Path]:
        folder.rename(folder.with_name("unmounted"))
        folder.mkdir()
        return there(path)

    monkeypatch.setattr(Path, "iterdir", unmounted)

    with pytest.raises(ClusterUnreachable):
        gateway.list_bindings()


def test_a_namespace_folder_that_may_not_be_read_makes_the_whole_unknown(
    gateway: ManifestFolder, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway.apply(binding("ana"), None)
    (folder / "lost+found").mkdir()
    gateway.apply(binding("ana", namespace="web"), None)
    there = Path.iterdir

    def denied(path: Path) -> Iterator[Path]:
        if path.name in ("web", "lost+found"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return there(path)

    monkeypatch.setattr(Path, "iterdir", denied)

    with pytest.raises(ClusterUnreachable, match="Permission denied"):
        gateway.list_bindings()


def test_an_index_that_cannot_be_kept_is_told_and_left_alone(gateway: ManifestFolder, folder: Path) -> None:
    (folder / "kustomization.yaml").write_text("resources: [")

    gateway.apply(binding("ana"), None)

    with pytest.raises(ClusterRejected, match="on one line"):
        gateway.publish("ana gains edit")
    assert (folder / "kustomization.yaml").read_text() == "resources: ["


def test_one_clusters_folder_may_not_lie_in_anothers(folder: Path) -> None:
    with pytest.raises(Refused, match="one may not lie in the other"):
        prepare_folder(folder / "prod", ClusterId("c2"))
    with pytest.raises(Refused, match="one may not lie in the other"):
        prepare_folder(folder.parent, ClusterId("c2"))

    assert not (folder.parent / MARKER).exists()
    prepare_folder(folder.with_name("other"), ClusterId("c2"))


def test_of_two_clusters_that_claim_a_folder_at_once_one_gets_it(tmp_path: Path) -> None:
    def claim(name: str) -> str | None:
        try:
            prepare_folder(tmp_path, ClusterId(name))
        except Refused:
            return None
        return name

    with ThreadPoolExecutor(8) as pool:
        won = [each for each in pool.map(claim, [f"c{n}" for n in range(8)]) if each]

    assert len(won) == 1
    ManifestFolder(tmp_path, "inst", ClusterId(won[0])).list_bindings()
    assert [path.name for path in tmp_path.iterdir()] == [MARKER]


def test_a_folder_goes_to_another_cluster_only_when_its_owner_may_be_replaced(folder: Path) -> None:
    prepare_folder(folder, ClusterId("c2"), "inst", may_replace=lambda owner: owner == Owner("c1", ""))

    with pytest.raises(ClusterDenied):
        ManifestFolder(folder, "inst", CLUSTER).list_bindings()
    with pytest.raises(Refused):
        prepare_folder(folder, CLUSTER, may_replace=lambda owner: owner == Owner("c1", ""))
    assert ManifestFolder(folder, "inst", ClusterId("c2")).list_bindings() == []
