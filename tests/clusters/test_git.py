"""A folder of manifests in a git working tree: one commit a pass, of our files, and nobody else's work is touched."""

import os
import subprocess
from pathlib import Path

import pytest

from scim_bridge.clusters.git import want_commits
from scim_bridge.clusters.manifest_files import prepare_folder
from scim_bridge.clusters.manifests import ManifestFolder
from scim_bridge.errors import ClusterRejected, ClusterUnreachable
from tests.clusters.test_manifest_files import CLUSTER, binding

SOMEBODY = {
    "GIT_AUTHOR_NAME": "somebody",
    "GIT_AUTHOR_EMAIL": "somebody@acme.example",
    "GIT_COMMITTER_NAME": "somebody",
    "GIT_COMMITTER_EMAIL": "somebody@acme.example",
}


def git(place: Path, *words: str) -> str:
    environment = {**os.environ, **SOMEBODY, "GIT_CONFIG_GLOBAL": os.devnull}
    done = subprocess.run(["git", "-C", str(place), *words], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    made = tmp_path / "remote.git"
    made.mkdir()
    git(made, "init", "--quiet", "--bare", "--initial-branch=main")
    return made


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Make a repository with a file of somebody's in it, and the bridge's folder."""
    made = tmp_path / "gitops"
    made.mkdir()
    git(made, "init", "--quiet", "--initial-branch=main")
    (made / "README").write_text("ours\n")
    git(made, "add", "README")
    git(made, "commit", "--quiet", "-m", "begin")
    prepare_folder(made / "prod", CLUSTER)
    return made


@pytest.fixture
def gateway(tree: Path) -> ManifestFolder:
    want_commits(tree / "prod", None)
    return ManifestFolder(tree / "prod", "inst", CLUSTER)


def log(place: Path) -> list[str]:
    return git(place, "log", "--format=%an: %s").splitlines()


def committed(place: Path) -> list[str]:
    return git(place, "show", "--name-only", "--format=").split()


def test_what_a_pass_wrote_is_one_commit_of_the_bridges_own(tree: Path, gateway: ManifestFolder) -> None:
    gateway.apply(binding("ana"), None)
    gateway.apply(binding("ben", namespace=None), None)

    gateway.publish("Update access: 2 gain, 0 lose\n\n+ ana: edit in shop")

    assert log(tree) == ["SCIM Bridge: Update access: 2 gain, 0 lose", "somebody: begin"]
    assert "+ ana: edit in shop" in git(tree, "log", "-1", "--format=%B")
    assert len(committed(tree)) == 3
    assert git(tree, "status", "--porcelain") == ""


def test_a_pass_that_changed_nothing_makes_no_commit(tree: Path, gateway: ManifestFolder) -> None:
    gateway.apply(binding("ana"), None)
    gateway.publish("first")

    gateway.publish("second")

    assert log(tree)[0] == "SCIM Bridge: first"


def test_a_deletion_is_committed_too(tree: Path, gateway: ManifestFolder) -> None:
    made = gateway.apply(binding("ana"), None)
    gateway.publish("first")
    gateway.delete(made)

    gateway.publish("second")

    assert (len(committed(tree)), git(tree, "status", "--porcelain")) == (1, "")


def test_what_a_crash_left_uncommitted_is_in_the_next_commit(tree: Path, gateway: ManifestFolder) -> None:
    gateway.apply(binding("ana"), None)

    ManifestFolder(tree / "prod", "inst", CLUSTER).publish("after the crash")

    assert log(tree)[0] == "SCIM Bridge: after the crash"


def test_what_somebody_staged_and_edited_stays_theirs(tree: Path, gateway: ManifestFolder) -> None:
    (tree / "README").write_text("edited\n")
    (tree / "prod" / "notes").write_text("mine\n")
    git(tree, "add", "prod/notes")
    gateway.apply(binding("ana"), None)

    gateway.publish("ours")

    assert not {"README", "prod/notes"} & set(committed(tree))
    assert git(tree, "status", "--porcelain").splitlines() == [" M README", "A  prod/notes"]


def test_equal_access_gives_equal_trees_whatever_the_way(tmp_path: Path) -> None:
    trees = []
    for number, order in enumerate((("ana", "ben"), ("ben", "ana"))):
        place = tmp_path / str(number)
        prepare_folder(place, CLUSTER)
        want_commits(place, None)
        folder = ManifestFolder(place, "inst", CLUSTER)
        made = folder.apply(binding(order[0]), None)
        folder.apply(binding(*order), made)
        folder.publish("x")
        trees.append(git(place, "rev-parse", "HEAD^{tree}"))

    assert trees[0] == trees[1]


def test_a_repository_that_does_not_ask_for_it_gets_no_commit(tree: Path) -> None:
    gateway = ManifestFolder(tree / "prod", "inst", CLUSTER)
    gateway.apply(binding("ana"), None)

    gateway.publish("no")

    assert log(tree) == ["somebody: begin"]


def test_a_hook_of_the_repository_is_not_run(tree: Path, gateway: ManifestFolder, tmp_path: Path) -> None:
    hook = tree / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    gateway.apply(binding("ana"), None)

    gateway.publish("quiet")

    assert (log(tree)[0], (tmp_path / "ran").exists()) == ("SCIM Bridge: quiet", False)


def test_commits_are_pushed_on_top_of_others(tree: Path, gateway: ManifestFolder, remote: Path, tmp_path: Path) -> None:
    git(tree, "remote", "add", "origin", str(remote))
    git(tree, "push", "--quiet", "origin", "main")
    want_commits(tree / "prod", "origin")
    other = tmp_path / "other"
    git(tmp_path, "clone", "--quiet", str(remote), str(other))
    (other / "theirs").write_text("x\n")
    git(other, "add", "theirs")
    git(other, "commit", "--quiet", "-m", "theirs")
    git(other, "push", "--quiet", "origin", "HEAD:main")
    gateway.apply(binding("ana"), None)

    gateway.publish("ours")

    assert log(remote)[:2] == ["SCIM Bridge: ours", "somebody: theirs"]


def test_a_commit_that_could_not_be_pushed_is_pushed_later(tree: Path, gateway: ManifestFolder, remote: Path) -> None:
    git(tree, "remote", "add", "origin", str(remote.with_name("away")))
    want_commits(tree / "prod", "origin")
    gateway.apply(binding("ana"), None)
    with pytest.raises(ClusterUnreachable):
        gateway.publish("ours")

    git(tree, "remote", "set-url", "origin", str(remote))
    gateway.publish("nothing new")

    assert log(remote) == ["SCIM Bridge: ours", "somebody: begin"]


def test_a_conflict_with_others_is_told_and_leaves_no_rebase_behind(
    tree: Path, gateway: ManifestFolder, remote: Path, tmp_path: Path
) -> None:
    made = gateway.apply(binding("ana"), None)
    gateway.publish("first")
    git(tree, "remote", "add", "origin", str(remote))
    git(tree, "push", "--quiet", "origin", "main")
    want_commits(tree / "prod", "origin")
    other = tmp_path / "other"
    git(tmp_path, "clone", "--quiet", str(remote), str(other))
    [file] = other.glob("prod/shop/*.yaml")
    file.write_text("edited: true\n")
    git(other, "commit", "--quiet", "-am", "theirs")
    git(other, "push", "--quiet", "origin", "HEAD:main")
    gateway.apply(binding("ana", "ben"), made)

    with pytest.raises(ClusterRejected, match="cannot be put under ours"):
        gateway.publish("second")

    assert not (tree / ".git" / "rebase-merge").exists()
    assert log(tree)[0] == "SCIM Bridge: second"
