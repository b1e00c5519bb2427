"""A kustomization that somebody made lists our files, and is otherwise as they wrote it."""

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from scim_bridge.clusters.kustomization import with_resources
from scim_bridge.clusters.manifest_files import prepare_folder
from scim_bridge.clusters.manifests import ManifestFolder
from scim_bridge.errors import ClusterRejected
from tests.clusters.test_manifest_files import CLUSTER, binding

OURS = re.compile(r"[^/]+/scimb-inst-[^/]+\.yaml")
ONE, TWO = "_cluster/scimb-inst-edit-aaaa.yaml", "shop/scimb-inst-view-bbbb.yaml"

FILES: dict[str, str] = {
    "plain": "resources:\n- ../base\n",
    "indented": "resources:\n  - ../base # theirs\n  - other.yaml\nnamespace: x\n",
    "without": "namePrefix: x-\n",
    "empty": "resources: []\nnamespace: x\n",
    "in the middle": "# a comment\nnamespace: x\nresources:\n# theirs\n- a.yaml\n\nimages:\n- name: x\n  newTag: y\n",
    "nothing": "",
}


def listed(text: str) -> list[str]:
    return list((yaml.safe_load(text) or {}).get("resources") or [])


@pytest.mark.parametrize("name", FILES)
def test_our_files_come_in_and_everything_else_stays(name: str) -> None:
    text = FILES[name]

    made = with_resources(text, OURS, [TWO, ONE])

    before, after = yaml.safe_load(text) or {}, yaml.safe_load(made)
    assert listed(made) == [*listed(text), ONE, TWO]
    assert {k: v for k, v in after.items() if k != "resources"} == {k: v for k, v in before.items() if k != "resources"}
    assert [line for line in text.splitlines() if "#" in line] == [line for line in made.splitlines() if "#" in line]


@pytest.mark.parametrize("name", FILES)
def test_twice_is_once_and_taking_them_out_gives_back_what_was_listed(name: str) -> None:
    made = with_resources(FILES[name], OURS, [ONE, TWO])

    assert with_resources(made, OURS, [TWO, ONE]) == made
    assert listed(with_resources(made, OURS, [])) == listed(FILES[name])


@given(st.lists(st.sets(st.sampled_from([ONE, TWO, "a/scimb-inst-x-c.yaml", "b/scimb-inst-x-d.yaml"])), max_size=5))
def test_whatever_the_way_the_last_set_is_what_is_listed(steps: list[set[str]]) -> None:
    text = FILES["in the middle"]

    for files in steps:
        text = with_resources(text, OURS, files)

    assert listed(text) == ["a.yaml", *sorted(steps[-1] if steps else ())]


@pytest.mark.parametrize("text", ["resources: [a.yaml]\n", "resources:\n- a\n b: [\n", "- a\n- b\n"])
def test_a_file_that_cannot_be_edited_as_lines_is_left_alone(text: str) -> None:
    with pytest.raises(ClusterRejected):
        with_resources(text, OURS, [ONE])


def test_a_folder_keeps_the_file_that_somebody_made_and_makes_none(tmp_path: Path) -> None:
    prepare_folder(tmp_path / "a", CLUSTER)
    gateway = ManifestFolder(tmp_path / "a", "inst", CLUSTER)
    made = gateway.apply(binding("ana"), None)
    gateway.publish("x")
    none = list((tmp_path / "a").glob("kustomization*"))
    index = tmp_path / "a" / "kustomization.yaml"
    index.write_text("resources:\n- ../base\n")

    gateway.publish("x")
    with_ours = listed(index.read_text())
    gateway.delete(made)
    gateway.publish("x")

    assert none == []
    assert with_ours == ["../base", f"shop/{made.name}.yaml"]
    assert listed(index.read_text()) == ["../base"]
