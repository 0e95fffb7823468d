"""Whether a browser can be expected to play a file as it is: by its container, codec and kind of pixels."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from db.records import Video
    from indexer.probe import Source

_MOST = 4096
_PLAYED = frozenset(("h264", "vp8", "vp9", "av1"))  # by every Chromium and Firefox
_MAYBE = frozenset(("theora",))  # by some that are old or new enough
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
        from indexer.errors import UnreadableVideo
        from indexer.probe import open_source

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
    if containers & _FOREIGN or source.codec not in _PLAYED | _MAYBE:
        return False
    if source.codec == "h264" and not _plain(source):
        return False
    if source.codec in _MAYBE or not (extension in _HOME and containers & {"mp4", "mov", "webm"}):
        return None  # Matroska, 3GP, Ogg ...: some browsers do
    # Without its sound it would play too, and nobody would know that there is one.
    return "mp4" not in containers or _sounds(source)


def _plain(source: Source) -> bool:
    """8 bits a channel, 4:2:0."""
    pixels = source.stream.codec_context.format
    return pixels is not None and pixels.name in ("yuv420p", "yuvj420p", "nv12", "gray")


def _sounds(source: Source) -> bool:
    """Whether the sound, if there is any, is of a kind that browsers play out of MP4."""
    audio = source.container.streams.best("audio")
    if audio is None:
        return True
    context = audio.codec_context
    return context is None or context.name in ("aac", "mp3", "mp3float", "opus", "libopus", "flac", "vorbis", "alac")
