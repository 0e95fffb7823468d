"""Prediction of whether browsers can play a file directly, from its container, codecs and pixel format."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from app.media_workers import ReadMedia, read_here
from indexer.media.containers import extension_of

if TYPE_CHECKING:
    from db.records import Video
    from indexer.media.probe import Source

_MAX_RESULTS = 4096
# Tested in Chromium 156: these play with picture and sound; ALAC and AC-3 were silent, HEVC and Theora black.
_VIDEO_CODECS = frozenset(("h264", "vp8", "vp9", "av1"))
_AUDIO_CODECS = frozenset(("aac", "mp3", "mp3float", "opus", "libopus", "flac", "vorbis"))
_PLAYED_EXTENSIONS = frozenset(("mp4", "mov", "m4v", "webm"))
_UNPLAYED_CONTAINERS = frozenset(
    ("avi", "mxf", "mpegts", "mpeg", "flv", "asf", "rm", "gif", "h264", "hevc", "dv", "wtv", "mpegvideo")
)


class Playability:
    """Caches results by the content and extension of a file. Thread-safe.

    Args:
        read: Calls the function that opens files.
    """

    def __init__(self, read: ReadMedia = read_here) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._results: OrderedDict[tuple[str, str], bool | None] = OrderedDict()

    def of(self, video: Video) -> bool | None:
        """Return True if browsers can play the video, False if it needs a proxy, None if only trying will tell.

        Opens the file at most once.
        """
        if "interlaced" in video.kinds:
            return False  # browsers would play it with combs
        if video.clock_jumps:
            return False  # browsers go by the file's own times
        extension = extension_of(video.path)
        key = (video.content_hash or video.fingerprint, extension)
        with self._lock:
            if key in self._results:
                return self._results[key]
        from indexer.media.errors import UnreadableVideo

        try:
            playable = self._read(_probe, video.path, extension, path=video.path)
        except UnreadableVideo:
            return None  # not cached: it may become readable again
        with self._lock:
            self._results[key] = playable
            while len(self._results) > _MAX_RESULTS:
                self._results.popitem(last=False)
        return playable


def _probe(path: str, extension: str) -> bool | None:
    from indexer.media.probe import open_source

    with open_source(path, threads=1) as source:
        return _playable(source, extension)


def _playable(source: Source, extension: str) -> bool | None:
    containers = set(source.container.format.name.split(","))
    if containers & _UNPLAYED_CONTAINERS or source.codec not in _VIDEO_CODECS:
        return False
    if "mp4" in containers and not _audio_is_played(source):
        return False  # it would play silently, hiding that it has sound
    if source.codec == "h264" and not _is_8bit_420(source):
        return None  # some browsers play it; those that leave it to the system's decoder do not
    # Some browsers play Matroska, 3GP, Ogg ...
    return True if extension in _PLAYED_EXTENSIONS and containers & {"mp4", "mov", "webm"} else None


def _is_8bit_420(source: Source) -> bool:
    pixels = source.stream.codec_context.format
    return pixels is not None and pixels.name in ("yuv420p", "yuvj420p", "nv12", "gray")


def _audio_is_played(source: Source) -> bool:
    """Return whether browsers play the audio in MP4; True without audio."""
    audio = source.container.streams.best("audio")
    if audio is None:
        return True
    name = audio.codec_context.name if audio.codec_context is not None else ""
    return name in _AUDIO_CODECS or name.startswith("pcm_")
