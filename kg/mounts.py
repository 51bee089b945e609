"""Tells folders on network file systems, where locks and memory maps cannot be trusted."""

from __future__ import annotations

from pathlib import Path

from kg.errors import StoreUnavailableError

__all__ = ["file_system_of", "refuse_network_mount"]

NETWORK = frozenset(
    {"9p", "afs", "beegfs", "ceph", "cifs", "gfs2", "glusterfs", "lustre", "ncpfs", "nfs", "nfs4",
     "ocfs2", "smb3", "smbfs", "fuse.cephfs", "fuse.gcsfuse", "fuse.glusterfs", "fuse.rclone",
     "fuse.s3fs", "fuse.sshfs"}
)  # fmt: skip


def file_system_of(folder: Path, mounts: str) -> str | None:
    r"""Return the type of the file system that a folder lies (or would lie) on.

    Args:
        folder: An absolute path; it need not exist.
        mounts: The text of ``/proc/mounts``.

    Example:
        >>> file_system_of(Path("/data/graph"), "disk / ext4 rw 0 0\nserver:/x /data nfs4 rw 0 0")
        'nfs4'
    """
    best, kind = -1, None
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        # the kernel writes spaces and the like as octal escapes
        point = Path(fields[1].encode("latin-1", "replace").decode("unicode_escape"))
        if folder.is_relative_to(point) and len(point.parts) >= best:
            best, kind = len(point.parts), fields[2]
    return kind


def refuse_network_mount(folder: Path, *, mounts: Path = Path("/proc/mounts")) -> None:
    """Raise if a folder lies on a network file system.

    Raises:
        StoreUnavailableError: It does; two machines would break each other's files there.
    """
    try:
        text = mounts.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    kind = file_system_of(folder.resolve(), text)
    if kind in NETWORK:
        raise StoreUnavailableError(
            f"the graph's folder lies on a network file system ({kind})",
            where=str(folder),
            hint="choose a folder on a local disk, or use a Neo4j server by its bolt:// address",
        )
