"""Pretend videos: small files that name their colours, and what reads them as the decoder reads real ones.

`from pretend import put_video, Reader`. They make the tests of the pipeline quick, and let them look into its middle.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from fakes import COLOURS

from db.library import Library
from db.records import Segment, Shot, Video
from encoder import ClipSpec
from indexer.content_hash import content_hash
from indexer.fingerprint import spans
from indexer.media.errors import Cancelled, UnreadableVideo
from indexer.video_pass import SegmentClip


def put_video(path: str | os.PathLike[str], colours: Sequence[str], *, note: str = "", damaged: int = 0) -> str:
    """A pretend video with a shot for each colour; `note` makes its content another."""
    Path(os.fsdecode(path)).parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"colours": list(colours), "note": note, "damaged": damaged}, file)
    return os.fsdecode(path)


def put_constant_size(path: str | os.PathLike[str], colours: Sequence[str]) -> str:
    """A pretend video of 2 MiB in a codec of constant frame size: all such have one size and one fingerprint."""
    size = 2 << 20
    (start, length), (after, _) = list(spans(size))[3:5]
    text = json.dumps({"colours": list(colours), "damaged": 0}).encode()
    assert len(text) <= after - start - length
    content = bytearray(b" " * size)
    content[start + length : start + length + len(text)] = text
    Path(os.fsdecode(path)).parent.mkdir(parents=True, exist_ok=True)
    Path(os.fsdecode(path)).write_bytes(content)
    return os.fsdecode(path)


class PretendReading:
    """One pass over a pretend video, as VideoPass is one over a real one."""

    def __init__(
        self, reader: Reader, path: str, fingerprint: str, specs: Sequence[ClipSpec], cancelled: Callable[[], bool]
    ) -> None:
        self.seconds_done = 0.0
        self.seconds_expected: float | None = None
        self.seconds_hashing = 0.0
        self.fell_back = False
        self.notes: tuple[str, ...] = ()
        self.shots: list[Shot] = []
        self.segments: list[Segment] = []
        self._reader, self._path, self._fingerprint, self._cancelled = reader, path, fingerprint, cancelled
        self._specs = specs

    def __iter__(self) -> Iterator[SegmentClip]:
        self._reader.opened.append(self._path)
        try:
            with open(self._path, encoding="utf-8") as file:
                content = json.load(file)
        except ValueError:
            raise UnreadableVideo(self._path, "broken", "There is nothing in it that could be decoded.") from None
        colours = content["colours"]
        self.seconds_expected = float(len(colours))
        for number, colour in enumerate(colours):
            if self._cancelled():
                raise Cancelled(self._path)
            self._reader.before_clip(self._path, number)
            segment = Segment(number=number, shot_number=number, start_pts=number * 10, end_pts=number * 10 + 10)
            self.segments.append(segment)
            self.shots.append(Shot(number=number, start_pts=number * 10, end_pts=number * 10 + 10))
            clips = tuple(np.full(spec.shape, COLOURS[colour], np.uint8) for spec in self._specs)
            with self._reader.lock:
                self._reader.given += 1
            yield SegmentClip(
                segment=segment, clips=clips, poster=colour.encode(), preview=b"moving " + colour.encode()
            )
            self.seconds_done = number + 1.0
        status = os.stat(self._path)
        self._video = Video(
            path=self._path,
            fingerprint=self._fingerprint,
            size_bytes=status.st_size,
            modified_ns=status.st_mtime_ns,
            time_base=Fraction(1, 10),
            start_pts=0,
            end_pts=len(colours) * 10,
            frame_rate=Fraction(10),
            frames=len(colours) * 10,
            width=16,
            height=16,
            codec="pretend",
            damaged=content["damaged"],
            content_hash=content_hash(self._path),
        )

    @property
    def video(self) -> Video:
        return self._video


class Reader:
    """Opens pretend videos, for `index_folders(open_video=...)`.

    `opened` says which, `asked` for the clips of which shapes, `given` counts segments.
    """

    def __init__(self, before_clip: Callable[[str, int], None] = lambda path, number: None) -> None:
        self.before_clip = before_clip
        self.opened: list[str] = []
        self.asked: list[tuple[ClipSpec, ...]] = []
        self.given = 0
        self.lock = threading.Lock()

    def __call__(
        self, path: str, fingerprint: str, specs: Sequence[ClipSpec], cancelled: Callable[[], bool]
    ) -> PretendReading:
        with self.lock:
            self.asked.append(tuple(specs))
        return PretendReading(self, path, fingerprint, specs, cancelled)


def snapshot(library: Library, encoder_id: str) -> dict[str, object]:
    """By path: everything the library knows but its own ids; equal for equal libraries."""
    known = library.known_files(encoder_id)
    result: dict[str, object] = {}
    for video in library.videos():
        assert video.id is not None
        segments = library.segments_of(video.id)
        rows = library.embedding_rows(encoder_id, [segment.id for segment in segments if segment.id is not None])
        result[video.path] = (
            video.fingerprint,
            (
                video.size_bytes,
                video.modified_ns,
                video.frames,
                video.width,
                video.height,
                video.start_pts,
                video.end_pts,
            ),
            [(shot.number, shot.start_pts, shot.end_pts) for shot in library.shots(video.id)],
            [(part.number, part.shot_number, part.start_pts, part.end_pts) for part in segments],
            rows.tobytes(),
            known[video.path].recipe,
            [library.poster_path(video, part.number).read_bytes() for part in segments],
            # Not its bytes: one in several hundred comes out of x264 otherwise when several threads encode.
            [library.preview_path(video, part.number).stat().st_size > 0 for part in segments],
        )
    return result
