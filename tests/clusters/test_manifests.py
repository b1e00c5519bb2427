"""A folder of manifests as a cluster."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from scim_bridge.clusters.manifests import MARKER, ManifestFolder, prepare_folder
from scim_bridge.clusters.objects import from_object, to_object
from scim_bridge.domain.bindings import Binding, BindingKey, Family, Shard, SubjectKind
from scim_bridge.domain.organizations import ClusterId, OrganizationId
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.errors import (
    ClusterDenied,
    ClusterRejected,
    ClusterUnreachable,
    ForeignObject,
    Refused,
    StaleBinding,
)

CLUSTER = ClusterId("c1")
GOLDEN = Path(__file__).with_name("golden.yaml").read_text()


def binding(*subjects: str, namespace: str | None = None, cluster: str = CLUSTER, index: int = 0) -> Binding:
    family = Family(namespace, KubernetesRole.EDIT, SubjectKind.USER)
    shard = Shard(6, index) if index else Shard()
    return Binding(BindingKey(OrganizationId("o1"), ClusterId(cluster), family, shard), tuple(sorted(subjects)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "manifests"
    prepare_folder(made, CLUSTER)
    return made


@pytest.fixture
def gateway(folder: Path) -> ManifestFolder:
    return ManifestFolder(folder, "inst", CLUSTER)


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("scimb-*.yaml"))


def test_a_binding_is_one_file_of_these_very_bytes(gateway: ManifestFolder, folder: Path) -> None:
    gateway.apply(binding("björn@example.com", "ana@example.com", namespace="shop"), None)

    [file] = files(folder)
    assert file.parent.name == "shop"
    assert file.read_text() == GOLDEN.replace("{name}", file.stem)


def test_writing_the_same_again_changes_no_byte(gateway: ManifestFolder, folder: Path) -> None:
    first = gateway.apply(binding("ana"), None)
    before = {path: path.read_bytes() for path in folder.rglob("*.yaml")}

    gateway.apply(binding("ana"), first)

    assert {path: path.read_bytes() for path in folder.rglob("*.yaml")} == before


def test_what_was_written_is_read_back_whole(gateway: ManifestFolder) -> None:
    made = [binding("ana", "oidc:béa: #x"), binding("ana", namespace="shop"), binding("bob", namespace="web")]
    for each in made:
        gateway.apply(each, None)

    found = gateway.list_bindings()

    assert sorted((each.binding for each in found), key=repr) == sorted(made, key=repr)
    assert all(each.intact for each in found)


def test_deleting_takes_the_file_and_its_empty_folder(gateway: ManifestFolder, folder: Path) -> None:
    kept = gateway.apply(binding("ana"), None)
    gone = gateway.apply(binding("ana", namespace="shop"), None)

    gateway.delete(gone)
    gateway.delete(gone)

    assert [each.name for each in gateway.list_bindings()] == [kept.name]
    assert not (folder / "shop").exists()
    assert [file.stem for file in files(folder)] == [kept.name]


def test_a_file_that_changed_since_it_was_read_is_not_overwritten(gateway: ManifestFolder, folder: Path) -> None:
    first = gateway.apply(binding("ana"), None)
    second = gateway.apply(binding("ana", "bob"), first)

    with pytest.raises(StaleBinding):
        gateway.apply(binding("cid"), first)
    with pytest.raises(StaleBinding):
        gateway.apply(binding("cid"), None)
    with pytest.raises(StaleBinding):
        gateway.delete(first)

    assert [each.binding for each in gateway.list_bindings()] == [second.binding]


@pytest.mark.parametrize(
    "edit",
    [
        ("name: edit", "name: cluster-admin"),
        ("kind: User", "kind: ServiceAccount"),
        ("scim-bridge.dev/organization: o1", "scim-bridge.dev/organization: o2"),
        ("kind: RoleBinding", "# by hand\nkind: RoleBinding"),
    ],
)
def test_an_edit_by_hand_is_seen(gateway: ManifestFolder, folder: Path, edit: tuple[str, str]) -> None:
    gateway.apply(binding("ana", namespace="shop"), None)
    [file] = files(folder)
    file.write_text(file.read_text().replace(*edit))

    [found] = gateway.list_bindings()

    assert not found.intact
    repaired = gateway.apply(binding("ana", namespace="shop"), found)
    assert gateway.list_bindings() == [repaired]


def test_files_of_others_are_never_read_listed_or_touched(gateway: ManifestFolder, folder: Path) -> None:
    (folder / "shop").mkdir()
    foreign = folder / "shop" / "hand-made.yaml"
    foreign.write_text("kind: RoleBinding\nmetadata: {name: hand-made}\n")

    made = gateway.apply(binding("ana", namespace="shop"), None)
    gateway.delete(made)

    assert foreign.read_text().startswith("kind: RoleBinding")
    assert gateway.list_bindings() == []


def test_a_file_of_our_name_that_is_not_ours_is_left_alone(gateway: ManifestFolder, folder: Path) -> None:
    made = gateway.apply(binding("ana"), None)
    [file] = files(folder)
    file.write_text("kind: ClusterRoleBinding\nmetadata: {name: theirs}\n")

    assert gateway.list_bindings() == []
    with pytest.raises(ForeignObject):
        gateway.apply(binding("bob"), None)
    with pytest.raises(ForeignObject):
        gateway.delete(made)
    assert "theirs" in file.read_text()


@pytest.mark.parametrize("loss", ["folder", "marker", "garbled marker"])
def test_a_folder_that_is_not_there_is_unknown_and_not_empty(folder: Path, loss: str) -> None:
    gateway = ManifestFolder(folder, "inst", CLUSTER)
    gateway.apply(binding("ana"), None)
    if loss == "folder":
        folder.rename(folder.with_name("unmounted"))
    elif loss == "marker":
        (folder / MARKER).unlink()
    else:
        (folder / MARKER).write_text("{")

    with pytest.raises(ClusterUnreachable):
        gateway.list_bindings()
    with pytest.raises(ClusterUnreachable):
        gateway.apply(binding("bob"), None)
    assert [problem.kind for problem in gateway.preflight([])] == ["FolderUnusable"]


def test_a_file_that_cannot_be_read_makes_the_whole_folder_unknown(gateway: ManifestFolder, folder: Path) -> None:
    gateway.apply(binding("ana"), None)
    files(folder)[0].write_text("subjects: [")

    with pytest.raises(ClusterUnreachable, match="cannot be read"):
        gateway.list_bindings()


def test_one_folder_belongs_to_one_cluster(folder: Path) -> None:
    prepare_folder(folder, CLUSTER)
    with pytest.raises(Refused, match="another cluster"):
        prepare_folder(folder, ClusterId("c2"))

    with pytest.raises(ClusterDenied, match="another cluster"):
        ManifestFolder(folder, "inst", ClusterId("c2")).list_bindings()


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(Refused, match="cannot be used"):
        prepare_folder(tmp_path / "file" / "deeper", CLUSTER)


@pytest.mark.parametrize("namespace", ["../../etc", "a/b", ".git"])
def test_a_namespace_cannot_climb_out_of_the_folder(gateway: ManifestFolder, namespace: str) -> None:
    with pytest.raises(ClusterRejected):
        gateway.apply(binding("ana", namespace=namespace), None)


def test_many_writers_at_once_leave_every_file_whole(gateway: ManifestFolder, folder: Path) -> None:
    made = [binding(f"person-{index}", index=index) for index in range(1, 41)]

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda each: gateway.apply(each, None), made))

    assert sorted((each.binding for each in gateway.list_bindings()), key=repr) == sorted(made, key=repr)


def test_an_object_read_back_is_the_binding_it_was_made_of() -> None:
    made = binding("ana", "bob", namespace="shop")

    found = from_object("inst", to_object("inst", made) | {})

    assert (found.binding, found.intact) == (made, True)


def test_an_object_of_another_installation_is_foreign() -> None:
    with pytest.raises(ForeignObject):
        from_object("other", to_object("inst", binding("ana")))
