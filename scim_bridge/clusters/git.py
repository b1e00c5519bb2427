"""
A folder of manifests that is a git working tree: one commit a pass, of our files alone, and a push where one is wanted.

The repository itself says what is wanted: ``git config scim-bridge.commit true``, and ``git config scim-bridge.push
REMOTE``. Hooks of the repository are not run, and nobody is asked for a password.
"""

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

from scim_bridge.errors import ClusterRejected, ClusterUnreachable, Refused

SECONDS = 60.0
NAME, ADDRESS = "SCIM Bridge", "noreply@scim-bridge.invalid"
_QUIET = ("-c", "core.hooksPath=/dev/null", "-c", "commit.gpgSign=false", "-c", "core.fsmonitor=false")


class WorkingTree:
    """The git working tree that a folder lies in, if it lies in one and wants commits."""

    def __init__(self, folder: Path) -> None:
        """Name the folder; git is not asked yet."""
        self._folder = folder

    @property
    def wants_commits(self) -> bool:
        """Tell whether the repository says that passes commit."""
        return self._setting("scim-bridge.commit") in ("true", "yes", "on", "1")

    def publish(self, patterns: Iterable[str], message: str) -> None:
        """
        Commit what changed in the files of these patterns, and push; quick when there is nothing.

        What somebody else has staged or edited stays as it is. Raises ClusterUnreachable when git or the remote does
        not work, ClusterRejected when others' commits cannot be put under ours.
        """
        changed = self._changed(patterns)
        if changed:
            given = b"\0".join(changed)
            self._git("add", "-A", "--pathspec-from-file=-", "--pathspec-file-nul", given=given)
            self._git(
                "commit", "--only", "--quiet", "-m", message, "--pathspec-from-file=-", "--pathspec-file-nul",
                given=given,
            )  # fmt: skip
        remote = self._setting("scim-bridge.push")
        if remote:
            self._push(remote)

    def _push(self, remote: str) -> None:
        branch = self._git("symbolic-ref", "--short", "HEAD").strip()
        known = self._git("ls-remote", "--heads", remote, f"refs/heads/{branch}").split()
        if known[:1] == [self._git("rev-parse", "HEAD").strip()]:
            return
        if known:
            try:
                self._git("pull", "--quiet", "--rebase", "--autostash", remote, branch)
            except ClusterUnreachable as error:
                self._abort_rebase(error)
        self._git("push", "--quiet", remote, f"HEAD:refs/heads/{branch}")

    def _abort_rebase(self, error: ClusterUnreachable) -> None:
        try:
            self._git("rebase", "--abort")
        except ClusterUnreachable:
            # There was none: the remote does not answer.
            raise error from None
        raise ClusterRejected(f"Others' commits cannot be put under ours: {error}") from None

    def _changed(self, patterns: Iterable[str]) -> list[bytes]:
        """Return our files that are not as they were committed; a file that a rule ignores is nobody's here."""
        specs = [f":(glob){each}" for each in patterns]
        found = self._git("ls-files", "-z", "--others", "--modified", "--deleted", "--exclude-standard", "--", *specs)
        staged = self._git("diff", "--cached", "--name-only", "-z", "--relative", "--no-renames", "--", *specs)
        return sorted({each.encode() for each in (found + staged).split("\0") if each})

    def _setting(self, name: str) -> str:
        try:
            return self._git("config", "--get", name).strip()
        except ClusterUnreachable:
            # Not set, no repository, or no git at all: then there is nothing to be done either.
            return ""

    def _git(self, *words: str, given: bytes | None = None) -> str:
        names = ("AUTHOR", "COMMITTER")
        who = {f"GIT_{n}_NAME": NAME for n in names} | {f"GIT_{n}_EMAIL": ADDRESS for n in names}
        command = ["git", *_QUIET, "-C", str(self._folder), *words]
        environment = {**os.environ, **who, "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C.UTF-8"}
        try:
            # The words are ours, and a list: no shell reads them, and names of files come by standard input.
            done = subprocess.run(command, input=given, capture_output=True, timeout=SECONDS, env=environment)  # noqa: S603
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ClusterUnreachable(f"git {words[0]} in {self._folder} did not end: {error}.") from error
        if done.returncode != 0:
            said = (done.stderr or done.stdout).decode(errors="replace").strip().replace("\n", " ")[:300]
            raise ClusterUnreachable(f"git {words[0]} in {self._folder} failed: {said or done.returncode}.")
        return done.stdout.decode(errors="surrogateescape")


def want_commits(folder: Path, remote: str | None) -> None:
    """Let passes commit in a folder, which becomes a repository if it lies in none; raises Refused without git."""
    tree = WorkingTree(folder)
    try:
        try:
            tree._git("rev-parse", "--is-inside-work-tree")
        except ClusterUnreachable:
            tree._git("init", "--quiet")
        tree._git("config", "scim-bridge.commit", "true")
        if remote:
            tree._git("config", "scim-bridge.push", remote)
    except ClusterUnreachable as error:
        raise Refused(f"The folder {folder} cannot be a git working tree: {error}") from error
