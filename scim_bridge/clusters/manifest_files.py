"""
The files of a manifest folder: whose the folder is, and writes that are there whole or not at all.

Drafts lie in a hidden folder that tells git to ignore it: what a crash leaves behind is never committed, and never
looks like a manifest.
"""

import errno
import fcntl
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import orjson

from scim_bridge.domain.organizations import ClusterId
from scim_bridge.errors import ClusterDenied, ClusterUnreachable, Refused

MARKER = ".scim-bridge.json"
DRAFTS = ".scim-bridge-drafts"
# A write takes milliseconds: who waits longer waits for a process that hangs.
LOCK_SECONDS = 10.0
LOCK_POLL_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose a folder is; ``instance`` is the installation that registered the cluster, "" where it is not known."""

    cluster: str
    instance: str = ""


def prepare_folder(
    folder: Path, cluster_id: ClusterId, instance: str = "", may_replace: Callable[[Owner], bool] = lambda _owner: False
) -> None:
    """
    Make a folder a cluster's; once it is, nothing happens.

    Raises Refused when it is another's (unless ``may_replace`` that owner), lies in or around another's, or cannot be
    written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _refuse_nesting(folder)
        _claim(folder, Owner(cluster_id, instance), may_replace)
    except (OSError, ValueError) as error:
        raise Refused(f"The folder {folder} cannot be used for manifests: {error}.") from error


def require_owner(folder: Path, cluster_id: ClusterId) -> None:
    """Raise ClusterUnreachable when a folder does not say whose it is, ClusterDenied when it is another cluster's."""
    try:
        owner = _read_owner(folder)
    except (OSError, ValueError) as error:
        raise ClusterUnreachable(
            f"The folder {folder} is not there or has lost its {MARKER}: its state is unknown."
        ) from error
    if owner.cluster != cluster_id:
        raise ClusterDenied(f"The folder {folder} holds the manifests of another cluster ({owner.cluster}).")


class FolderWriter:
    """Writes and removes a folder's files; one writer at a time, in this process and in all others of this host."""

    def __init__(self, folder: Path) -> None:
        """Name the folder; nothing is opened yet."""
        self._folder = folder
        self._lock = Lock()
        self._swept = False

    @contextmanager
    def exclusively(self) -> Iterator[None]:
        """Hold the folder while the block looks and then writes: nobody writes in between."""
        with self._lock, as_cluster_errors(self._folder), (self._folder / MARKER).open("rb+") as marker:
            self._wait_for(marker.fileno())
            yield

    def write(self, file: Path, content: bytes) -> None:
        """Put a file into place, on the disk before this returns."""
        draft = self._drafts() / f"{file.stem}.{secrets.token_hex(8)}"
        place = file.parent
        is_new = not place.exists()
        try:
            with draft.open("xb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            place.mkdir(exist_ok=True)
            draft.replace(file)
        except OSError:
            self._remove_if_empty(place)
            raise
        finally:
            # Gone already when all went well.
            with suppress(OSError):
                draft.unlink(missing_ok=True)
        _sync(place)
        if is_new:
            _sync(self._folder)

    def remove(self, file: Path) -> None:
        """Take a file away, and its folder when nothing else is in it."""
        file.unlink(missing_ok=True)
        _sync(file.parent)
        self._remove_if_empty(file.parent)

    def _drafts(self) -> Path:
        drafts = self._folder / DRAFTS
        drafts.mkdir(exist_ok=True)
        ignore = drafts / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")
        if not self._swept:
            # The folder is held: nobody else's draft is in use.
            for left in drafts.iterdir():
                if left != ignore:
                    left.unlink(missing_ok=True)
            self._swept = True
        return drafts

    def _remove_if_empty(self, place: Path) -> None:
        if place != self._folder:
            # It holds something else, or was never made.
            with suppress(OSError):
                place.rmdir()

    def _wait_for(self, descriptor: int) -> None:
        deadline = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise ClusterUnreachable(f"Another process keeps the folder {self._folder} locked.") from None
                time.sleep(LOCK_POLL_SECONDS)


@contextmanager
def as_cluster_errors(folder: Path) -> Iterator[None]:
    """Turn what the file system says into our own errors."""
    try:
        yield
    except OSError as error:
        sentence = f"The folder {folder} cannot be written: {error.strerror}."
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise ClusterDenied(sentence) from error
        raise ClusterUnreachable(sentence) from error


def _claim(folder: Path, wanted: Owner, may_replace: Callable[[Owner], bool]) -> None:
    marker = folder / MARKER
    content = orjson.dumps({"cluster": wanted.cluster, "instance": wanted.instance}) + b"\n"
    draft = folder / f"{MARKER}.{secrets.token_hex(8)}"
    try:
        with draft.open("xb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        try:
            # A link fails where a rename would overwrite: of two that claim at once, one gets the folder.
            os.link(draft, marker)
        except FileExistsError:
            owner = _read_owner(folder)
            if owner.cluster == wanted.cluster:
                return
            if not may_replace(owner):
                raise Refused(
                    f"The folder {folder} already holds the manifests of another cluster ({owner.cluster})."
                ) from None
            draft.replace(marker)
        _sync(folder)
    finally:
        draft.unlink(missing_ok=True)


def _refuse_nesting(folder: Path) -> None:
    """Raise Refused where one cluster's folder would lie in another's: GitOps tools read folders with all below."""
    above = (each / MARKER for each in folder.absolute().parents)
    below = (each for pattern in ("*", "*/*") for each in folder.glob(f"{pattern}/{MARKER}"))
    for marker in (*above, *below):
        if marker.exists():
            raise Refused(
                f"The folder {folder} cannot be used: {marker.parent} is another cluster's, and one may not lie in the "
                "other."
            )


def _read_owner(folder: Path) -> Owner:
    """Return what the marker says; raises OSError or ValueError where there is none that can be read."""
    found = orjson.loads((folder / MARKER).read_bytes())
    if not isinstance(found, dict) or not isinstance(found.get("cluster"), str):
        raise ValueError(f"{MARKER} does not say whose it is")
    return Owner(found["cluster"], str(found.get("instance", "")))


def _sync(folder: Path) -> None:
    """Put a folder's own entries on the disk: a rename is only in memory until then."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
