"""Network drives are recognised by what the system says of its mounts, wherever they are mounted."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from files import filesystems
from files.filesystems import Mount, is_network, keeps_inodes, mount_of

MOUNTS = r"""21 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw
40 21 0:40 / /net\040films rw - nfs4 server:/export/my\040films rw,vers=4.2
41 21 0:41 / /net\040films/local rw - ext4 /dev/sdb1 rw
42 21 0:42 / /shares rw shared:7 master:2 - cifs //nas/films rw
43 21 0:43 / /remote rw - fuse.sshfs me@host: rw
44 21 0:44 / /usb rw - fuseblk /dev/sdc1 rw
48 21 0:48 / /card rw - exfat /dev/sde1 rw
45 21 0:45 / /host rw - 9p hostshare rw
46 21 0:46 / /twice rw - ext4 /dev/sdd1 rw
47 21 0:47 / /twice rw - nfs server:/over rw
broken line
"""


@pytest.fixture
def linux_mounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listing = tmp_path / "mountinfo"
    listing.write_text(MOUNTS)
    monkeypatch.setattr(filesystems, "MOUNTS_FILE", str(listing))
    monkeypatch.setattr(sys, "platform", "linux")


@pytest.mark.usefixtures("linux_mounts")
@pytest.mark.parametrize(
    ("path", "network"),
    [("/", False), ("/home/a.mp4", False), ("/net films", True), ("/net films/2024/a.mp4", True),
     ("/net films/local/a.mp4", False), ("/net filmstrip", False), ("/shares/x", True), ("/remote/x", True),
     ("/usb/x", False), ("/host/x", True), ("/twice/x", True)],
)  # fmt: skip
def test_the_innermost_and_latest_mount_tells(path: str, network: bool) -> None:
    assert is_network(path) is network


@pytest.mark.usefixtures("linux_mounts")
def test_inodes_of_cards_and_of_some_network_drives_tell_nothing() -> None:
    kept = {path: keeps_inodes(path) for path in ("/a", "/net films/a", "/usb/a", "/card/a", "/remote/a", "/shares/a")}
    assert [path for path, keeps in kept.items() if keeps] == ["/a", "/net films/a", "/usb/a"]


@pytest.mark.usefixtures("linux_mounts")
def test_a_mount_is_named_with_its_source() -> None:
    assert mount_of("/net films/x/y") == Mount("/net films", "nfs4", "server:/export/my films")


@pytest.mark.usefixtures("linux_mounts")
def test_a_link_to_a_network_drive_is_followed(tmp_path: Path) -> None:
    (tmp_path / "films").symlink_to("/shares/films")
    assert is_network(tmp_path / "films")


def test_mounts_of_a_mac(monkeypatch: pytest.MonkeyPatch) -> None:
    listing = (
        b"/dev/disk3s1s1 on / (apfs, sealed, local, read-only, journaled)\n"
        b"//me@nas._smb._tcp.local/films on /Volumes/films (old) (smbfs, nodev, nosuid, mounted by me)\n"
    )
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(
        subprocess, "run", lambda *args, **options: subprocess.CompletedProcess(args, 0, stdout=listing)
    )
    assert is_network("/Volumes/films (old)/a.mp4")
    assert not is_network("/Users/me/a.mp4")


def test_a_system_that_tells_nothing_has_no_network_drive(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(filesystems, "MOUNTS_FILE", str(tmp_path / "none"))
    assert mount_of(tmp_path) is None
    assert not is_network(tmp_path)
