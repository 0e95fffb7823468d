"""Mounted file systems: on which one a path lies, and whether that is a network drive. Standard library only."""

from __future__ import annotations

import os
import re
import sys
from contextlib import suppress
from dataclasses import dataclass

MOUNTS_FILE = "/proc/self/mountinfo"
_NETWORK = re.compile(
    r"nfs\d*|cifs|smb\d?|smbfs|smbnetfs|afpfs|webdav|davfs\d?|9p|afs|ncpfs|ceph|glusterfs|lustre|gpfs|beegfs|gfs2?|"
    r"ocfs2|orangefs|pvfs2|acfs|virtiofs|vboxsf|prl_fs|vmhgfs|"
    r"(fuse|fuseblk|macfuse|osxfuse)\.(sshfs|curlftpfs|davfs\d?|glusterfs|ceph.*|smbnetfs|rclone|s3fs|gcsfuse|"
    r"vmhgfs.*|goofys|juicefs|seaweedfs|gvfsd-fuse|google-drive.*)"
)
_NUMBERED_ANEW = re.compile(r"vfat|msdos|msdosfs|fat\d*|exfat|fuse\..*|cifs|smb\d?|smbfs|9p|webdav|davfs\d?|afpfs")
_ESCAPED = re.compile(r"\\([0-7]{3})")
_WINDOWS_REMOTE = 4  # DRIVE_REMOTE of GetDriveTypeW


@dataclass(frozen=True, slots=True)
class Mount:
    """A mounted file system."""

    point: str
    kind: str  # as the system names it: ext4, nfs4, fuse.sshfs, apfs
    source: str  # the device, the server with its folder, or a name


def is_network(path: str | os.PathLike[str]) -> bool:
    """Return whether a path lies on a network drive. False if that cannot be known.

    Folders that a virtual machine shares with its host count as network drives: they lack the same guarantees.

    Args:
        path: A file or folder, which need not exist.
    """
    if sys.platform == "win32":
        return _is_remote_on_windows(os.path.abspath(path))
    mount = mount_of(path)
    return mount is not None and is_network_kind(mount.kind)


def is_network_kind(kind: str) -> bool:
    """Return whether file systems of a kind are on a network, such as `nfs4`; see `Mount.kind`."""
    return _NETWORK.fullmatch(kind.lower()) is not None


def keeps_inodes(path: str | os.PathLike[str]) -> bool:
    """Return whether a file keeps its inode number while it exists, also when its drive is mounted again.

    FAT has no such numbers, and some network drives make them up for each mount.
    """
    if sys.platform == "win32":
        return not is_network(path)
    mount = mount_of(path)
    return mount is not None and _NUMBERED_ANEW.fullmatch(mount.kind.lower()) is None


def mount_of(path: str | os.PathLike[str]) -> Mount | None:
    """Return the mount that a path lies on; None if the system does not tell.

    Args:
        path: A file or folder, which need not exist. Links are followed.
    """
    found: Mount | None = None
    real = os.path.realpath(path)
    for mount in mounts():
        below = real == mount.point or real.startswith(mount.point.rstrip("/") + "/")
        if below and (found is None or len(mount.point) >= len(found.point)):  # of several at one place, the last
            found = mount
    return found


def mounts() -> list[Mount]:
    """Return the mounted file systems in the order in which they were mounted; none on Windows."""
    if sys.platform == "win32":
        return []
    if sys.platform == "darwin":
        return _mounts_on_mac()
    found = []
    with suppress(OSError), open(MOUNTS_FILE, encoding="utf-8", errors="surrogateescape") as lines:
        for line in lines:
            before, _, after = line.partition(" - ")
            place, source = before.split(" "), after.split(" ")
            if len(place) >= 5 and len(source) >= 2:
                found.append(Mount(_unescaped(place[4]), source[0], _unescaped(source[1])))
    return found


def _unescaped(text: str) -> str:
    """Return a field of mountinfo, in which white space and backslashes are octal."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 8)), text)


def _mounts_on_mac() -> list[Mount]:
    """Return what `mount` prints: `//me@server/films on /Volumes/films (smbfs, nodev, nosuid)`."""
    import subprocess

    try:
        listing = subprocess.run(["/sbin/mount"], capture_output=True, timeout=5, check=False).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    found = []
    for line in os.fsdecode(listing).splitlines():
        match = re.fullmatch(r"(.*?) on (/.*) \(([^,()]+)[^()]*\)", line)
        if match:
            found.append(Mount(match[2], match[3].strip(), match[1]))
    return found


def _is_remote_on_windows(path: str) -> bool:
    drive = os.path.splitdrive(path)[0]
    if drive.startswith("\\\\") and not drive.startswith(("\\\\?\\", "\\\\.\\")):
        return True
    import ctypes

    with suppress(AttributeError, OSError):
        kind: int = ctypes.windll.kernel32.GetDriveTypeW(drive + "\\")  # type: ignore[attr-defined, unused-ignore]
        return kind == _WINDOWS_REMOTE
    return False
