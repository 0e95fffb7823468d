"""The one place where media files are opened with FFmpeg: only regular files, and no other file than the one named.

A list of other files is refused by its first bytes, before FFmpeg sees it. The names of FFmpeg's protocols and formats
that are allowed see to the rest: whatever a file says, nothing else is opened, and never the network. Links inside
media, such as QuickTime's data references, are not followed.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import av
import av.error

from files.regular import NotRegularFile, open_regular
from indexer.media.errors import UnreadableVideo
from indexer.media.formats import MEDIA_FORMATS, PROTOCOLS
from indexer.media.lists import HEAD_BYTES, is_list

if TYPE_CHECKING:
    from io import BytesIO

    from av.container import InputContainer, OutputContainer

_OPTIONS = {"protocol_whitelist": PROTOCOLS, "format_whitelist": MEDIA_FORMATS}
_MLV = b"MLVI"
_MLV_PARTS = 100  # FFmpeg opens NAME.M00, NAME.M01 ... beside NAME.MLV


def open_media(path: str, *, device: str | None = None, plain_edits: bool = False) -> InputContainer:
    """Open a media file for reading; a context manager.

    Args:
        path: Path of the file.
        device: The device to decode on if it can, see `hardware.choose_device`; None for the CPU.
        plain_edits: Whether the times of an MP4 or QuickTime file are only moved by its first edit, and nothing is cut
            off. FFmpeg cuts whole packets off, and so misplaces those of subtitles, which are long.

    Raises:
        UnreadableVideo: It is a playlist, or not a regular file.
        OSError: It cannot be read.
        FFmpegError: No format that is allowed fits.
    """
    try:
        with open_regular(path) as file:
            head = file.read(HEAD_BYTES)
    except NotRegularFile:
        raise UnreadableVideo(path, "not_video", "This is not a regular file, but a pipe or a device.") from None
    if is_list(head):
        raise UnreadableVideo(path, "not_video", "The file is a list of other files, not a video.")
    if head.startswith(_MLV):
        _check_parts(path)
    name = f"file:{path}"  # or FFmpeg would read a name with a colon or a percent sign as a protocol or a pattern
    if device is not None:
        from indexer.media.hardware import hardware_acceleration

        with suppress(av.error.FFmpegError):  # error of the device or the file: opening it again shows which
            return av.open(name, options=_OPTIONS, metadata_errors="replace", hwaccel=hardware_acceleration(device))
    options = {**_OPTIONS, "advanced_editlist": "0"} if plain_edits else _OPTIONS
    return av.open(name, options=options, metadata_errors="replace")


def create_media(target: Path | BytesIO, format_name: str, options: dict[str, str]) -> OutputContainer:
    """Create a media file, replacing an existing one; a context manager.

    Args:
        target: The file, on disk or in memory.
        format_name: FFmpeg's name of the container.
        options: Options of the container.
    """
    file = f"file:{target}" if isinstance(target, Path) else target
    return av.open(file, "w", format=format_name, options=options)


def _check_parts(path: str) -> None:
    """Raise UnreadableVideo if a part of a recording in Magic Lantern's format is not a regular file."""
    for number in range(_MLV_PARTS):
        try:
            info = os.stat(f"{path[:-2]}{number:02}")
        except OSError:
            return
        if not stat.S_ISREG(info.st_mode):
            raise UnreadableVideo(path, "not_video", "A part of this recording is not a regular file.")
