"""The identity of the volume that holds a file: the UUID of its file system, so that another card at the same mount
point is not taken for the one before. Standard library only.

No answer is better than a wrong one: where nothing tells two volumes apart for certain, the identity is "".
"""

from __future__ import annotations

import ctypes
import os
import sys
import uuid
from contextlib import suppress

from files.filesystems import is_network, mount_of

_BY_UUID = "/dev/disk/by-uuid"
_FSID_OF_UUID = frozenset({"ext2", "ext3", "ext4", "btrfs", "f2fs", "zfs", "bcachefs"})
"""File systems whose f_fsid is derived from their UUID. That of others, such as FAT and XFS, is a device number."""
_DARWIN_BIT_MAP_COUNT = 5
_DARWIN_VOLUME_UUID = 0x80000000 | 0x00040000  # ATTR_VOL_INFO | ATTR_VOL_UUID


class Volumes:
    """Identities of volumes, each looked up once. For one run: a volume may be exchanged between runs."""

    def __init__(self) -> None:
        self._known: dict[int, str] = {}  # by device number

    def identity(self, path: str) -> str:
        """Return the identity of the volume that holds an existing file or folder; "" if it is not known."""
        try:
            device = os.stat(path).st_dev
        except (OSError, ValueError):
            return ""
        if device not in self._known:
            self._known[device] = _identity(path, device)
        return self._known[device]


def _identity(path: str, device: int) -> str:
    if sys.platform == "win32":
        return f"serial:{device:x}"  # st_dev is the volume's serial number there
    if sys.platform == "darwin":
        return _darwin_identity(path)
    return _linux_identity(path)


def _linux_identity(path: str) -> str:
    mount = mount_of(path)
    if mount is None:
        return ""
    if is_network(path):
        return f"{mount.kind}:{mount.source}"
    with suppress(OSError):
        device = os.path.realpath(mount.source)
        for name in os.listdir(_BY_UUID):
            if os.path.realpath(os.path.join(_BY_UUID, name)) == device:
                return f"uuid:{name}"
    if mount.kind in _FSID_OF_UUID:
        with suppress(OSError):
            return f"fsid:{os.statvfs(path).f_fsid:x}"
    return ""


class _AttributeList(ctypes.Structure):
    _fields_ = (
        ("bitmapcount", ctypes.c_uint16),
        ("reserved", ctypes.c_uint16),
        ("commonattr", ctypes.c_uint32),
        ("volattr", ctypes.c_uint32),
        ("dirattr", ctypes.c_uint32),
        ("fileattr", ctypes.c_uint32),
        ("forkattr", ctypes.c_uint32),
    )


class _UuidAnswer(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint32), ("uuid", ctypes.c_ubyte * 16))


def _darwin_identity(path: str) -> str:
    """Return the UUID that getattrlist gives. The mount point is asked, as only it has attributes of a volume."""
    point = os.path.realpath(path)
    while not os.path.ismount(point):
        point = os.path.dirname(point)
    wanted = _AttributeList(bitmapcount=_DARWIN_BIT_MAP_COUNT, volattr=_DARWIN_VOLUME_UUID)
    answer = _UuidAnswer()
    with suppress(OSError, AttributeError):
        call = ctypes.CDLL(None, use_errno=True).getattrlist
        if call(os.fsencode(point), ctypes.byref(wanted), ctypes.byref(answer), ctypes.sizeof(answer), 0) == 0:
            return f"uuid:{uuid.UUID(bytes=bytes(answer.uuid))}" if any(answer.uuid) else ""
    return ""
