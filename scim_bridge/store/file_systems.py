"""On which kind of file system a path lies, as Linux tells; elsewhere nobody knows, and nothing is refused."""

from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")
NETWORK = frozenset(
    {
        "9p",
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "fuse.gcsfuse",
        "fuse.glusterfs",
        "fuse.rclone",
        "fuse.s3fs",
        "fuse.sshfs",
        "gfs2",
        "gpfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "ocfs2",
        "smb2",
        "smb3",
        "smbfs",
    }
)
"""Where locks, or memory that processes share, do not do what SQLite needs of them."""


def network_file_system(path: Path) -> str | None:
    """Return the name of the network file system that a path lies on, None for one of this machine."""
    kind = kind_of(path.absolute())
    return kind if kind in NETWORK else None


def kind_of(path: Path) -> str | None:
    """Return the kind of the file system on which a path lies, or would; None where that cannot be known."""
    try:
        lines = MOUNTS.read_text(errors="replace").splitlines()
    except OSError:
        return None
    mounted = {place: kind for place, kind in map(_mount, lines) if place}
    # A path that leads elsewhere lies elsewhere.
    real = path.resolve()
    return next((mounted[str(each)] for each in (real, *real.parents) if str(each) in mounted), None)


def _mount(line: str) -> tuple[str, str]:
    """Read one line: `36 35 98:0 /root /place rw,noatime - ext3 /dev/root rw` (proc(5))."""
    before, _, after = line.partition(" - ")
    fields, kinds = before.split(), after.split()
    if len(fields) < 5 or not kinds:
        return "", ""
    # Blanks in a place are written in octal.
    return fields[4].encode().decode("unicode_escape"), kinds[0]
