"""Whether a browser can be expected to play a file as it is: by its container, codec and kind of pixels."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from db.records import Video
    from indexer.media.probe import Source

_MOST = 4096
# Tried in Chromium 156: what is listed here was seen and heard; ALAC and AC-3 were silent, HEVC and Theora dark.
_PLAYED = frozenset(("h264", "vp8", "vp9", "av1"))
_HEARD = frozenset(("aac", "mp3", "mp3float", "opus", "libopus", "flac", "vorbis"))
_HOME = frozenset(("mp4", "mov", "m4v", "webm"))
_FOREIGN = frozenset(
    ("avi", "mxf", "mpegts", "mpeg", "flv", "asf", "rm", "gif", "h264", "hevc", "dv", "wtv", "mpegvideo")
)


class Playability:
    """Remembers what opening a file told, by its content and the end of its name. Safe from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[str, str], bool | None] = OrderedDict()

    def of(self, video: Video) -> bool | None:
        """True: it plays; False: a proxy is needed; None: let the browser try. Opens the file at most once."""
        extension = os.path.splitext(video.path)[1][1:].strip().lower()
        key = (video.fingerprint, extension)
        with self._lock:
            if key in self._known:
                return self._known[key]
        from indexer.media.errors import UnreadableVideo
        from indexer.media.probe import open_source

        try:
            with open_source(video.path, threads=1) as source:
                answer = _playable(source, extension)
        except UnreadableVideo:
            return None  # not kept: it may be readable again
        with self._lock:
            self._known[key] = answer
            while len(self._known) > _MOST:
                self._known.popitem(last=False)
        return answer


def _playable(source: Source, extension: str) -> bool | None:
    containers = set(source.container.format.name.split(","))
    if containers & _FOREIGN or source.codec not in _PLAYED:
        return False
    if "mp4" in containers and not _sounds(source):
        return False  # it would play without its sound, and nobody would know that there is one
    if source.codec == "h264" and not _plain(source):
        return None  # some browsers do, those that leave it to the system's decoder do not
    # Matroska, 3GP, Ogg ...: some do
    return True if extension in _HOME and containers & {"mp4", "mov", "webm"} else None


def _plain(source: Source) -> bool:
    """8 bits a channel, 4:2:0."""
    pixels = source.stream.codec_context.format
    return pixels is not None and pixels.name in ("yuv420p", "yuvj420p", "nv12", "gray")


def _sounds(source: Source) -> bool:
    """Whether the sound, if there is any, is of a kind that browsers play out of MP4."""
    audio = source.container.streams.best("audio")
    if audio is None:
        return True
    name = audio.codec_context.name if audio.codec_context is not None else ""
    return name in _HEARD or name.startswith("pcm_")
