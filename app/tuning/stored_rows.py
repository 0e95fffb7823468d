"""Captions of stretches whose shots a library has: their stored rows, for training that leaves the video side alone."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.tuning.captions_file import Captioned
from app.tuning.examples import Example, LeftOut

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from db.library import Library
    from db.records import Video

_ENOUGH = 0.5
"""Share of a segment that lies in a stretch, or of a stretch in a segment, from which one stands for the other."""

MOST_OTHERS = 16_384
"""Rows of other shots that are kept: of the base encoder, 50 MB."""


@dataclass(frozen=True, slots=True)
class StoredRows:
    """Segments of a library that answer captions.

    Attributes:
        examples: One for each segment.
        rows: Its stored row, float32 (n, D).
        left_out: Stretches that no segment answers, and why.
        others: Rows of other segments of videos that no caption names, float32 (m, D), evenly drawn.
    """

    examples: list[Example]
    rows: NDArray[np.float32]
    left_out: list[LeftOut]
    others: NDArray[np.float32]


def stored_rows(library: Library, encoder_id: str, captioned: Iterable[Captioned]) -> StoredRows:
    """Find the segments that answer captions, and copy their rows.

    A segment answers a stretch if at least half of it lies within; if there is none, the segment that at least half of
    the stretch lies in. So a caption of a whole video holds for all of its shots. A segment that answers several
    stretches has the sentences of all. Videos are found by path, else by content.

    Args:
        library: The library; it is only read.
        encoder_id: Whose rows.
        captioned: The captions.

    Raises:
        LibraryError: The library cannot be read.
    """
    import numpy as np

    finder = _Finder(library, encoder_id)
    captions: dict[int, list[Captioned]] = {}
    places: dict[int, tuple[Video, float, float]] = {}
    left_out = []
    for each in captioned:
        try:
            for segment, place in finder.answering(each).items():
                captions.setdefault(segment, []).append(each)
                places[segment] = place
        except LookupError as error:
            left_out.append(LeftOut(each.path, each.start_seconds, each.end_seconds, str(error.args[0])))
    examples = []
    for segment, said in captions.items():
        video, start, end = places[segment]
        splits = {each.split for each in said}
        examples.append(
            Example(
                path=video.path,
                start_seconds=start,
                end_seconds=end,
                captions=tuple(dict.fromkeys(text for each in said for text in each.captions)),
                content=video.fingerprint,
                split=next((side for side in ("test", "validation", "train") if side in splits), ""),
                group=next((each.group for each in said if each.group), ""),
            )
        )
    rows = library.embedding_rows(encoder_id, captions) if captions else np.zeros((0, 0), np.float32)
    sound: NDArray[np.bool_] = np.asarray(np.isfinite(rows).all(axis=1))
    left_out += [
        LeftOut(each.path, each.start_seconds, each.end_seconds, "its stored row is damaged; index the video again")
        for each, right in zip(examples, sound, strict=True)
        if not right
    ]
    kept = [each for each, right in zip(examples, sound, strict=True) if right]
    return StoredRows(kept, rows[sound], left_out, finder.others())


class _Finder:
    """Finds the segments of stretches, looking at each video once."""

    def __init__(self, library: Library, encoder_id: str) -> None:
        self._library, self._encoder_id = library, encoder_id
        self._videos: dict[str, Video | None] = {}
        self._segments: dict[int, dict[int, tuple[float, float]]] = {}
        ids, owners = library.owners(encoder_id)
        self._embedded = set(ids.tolist())
        self._with_rows = set(owners.tolist())

    def answering(self, each: Captioned) -> dict[int, tuple[Video, float, float]]:
        """Return the segments that answer a stretch, with video, start and end. LookupError says why there is none."""
        video = self._video(each.path)
        if video is None or video.id is None:
            raise LookupError("the library does not have this video; index it first")
        if video.id not in self._with_rows:
            raise LookupError("the library has no rows of this encoder for it; index it with this encoder first")
        segments = self._times(video)
        start = each.start_seconds or 0.0
        end = video.duration_seconds if each.end_seconds is None else each.end_seconds
        if start >= video.duration_seconds:
            raise LookupError(f"the video has only {video.duration_seconds:.1f} s")
        shared = {key: min(end, last) - max(start, first) for key, (first, last) in segments.items()}
        found = [key for key, (first, last) in segments.items() if shared[key] >= _ENOUGH * (last - first)]
        if not found and shared:
            best = max(shared, key=lambda key: shared[key])
            found = [best] if shared[best] >= _ENOUGH * (min(end, video.duration_seconds) - start) else []
        if not found:
            raise LookupError("no shot of the library covers it")
        return {key: (video, *segments[key]) for key in found}

    def others(self) -> NDArray[np.float32]:
        """Return rows of segments of videos that were not looked at."""
        import numpy as np

        named = {video.fingerprint for video in self._videos.values() if video is not None}
        own = {video.id for video in self._library.videos() if video.fingerprint in named} if named else set()
        ids, owners = self._library.owners(self._encoder_id)
        free = ids[~np.isin(owners, sorted(each for each in own if each is not None))]
        chosen = free[np.unique(np.linspace(0, len(free) - 1, min(MOST_OTHERS, len(free))).round().astype(np.int64))]
        if not len(chosen):
            return np.zeros((0, 0), np.float32)
        rows = self._library.embedding_rows(self._encoder_id, chosen.tolist())
        return rows[np.isfinite(rows).all(axis=1)]

    def _video(self, path: str) -> Video | None:
        """Return the video of a file: the one at its path, else one of its content that has rows."""
        if path not in self._videos:
            real = os.path.realpath(path)
            self._videos[path] = self._library.video_at(path) or self._library.video_at(real) or self._alike(real)
        return self._videos[path]

    def _alike(self, path: str) -> Video | None:
        from indexer.fingerprint import fingerprint

        try:
            found = self._library.videos_with_fingerprint(fingerprint(path))
        except OSError:
            return None
        return next((video for video in found if video.id in self._with_rows), next(iter(found), None))

    def _times(self, video: Video) -> dict[int, tuple[float, float]]:
        """Return start and end, in seconds, of the segments of a video that have rows."""
        assert video.id is not None
        if video.id not in self._segments:
            self._segments[video.id] = {
                each.id: (video.seconds(each.start_pts), video.seconds(each.end_pts))
                for each in self._library.segments_of(video.id)
                if each.id is not None and each.id in self._embedded
            }
        return self._segments[video.id]
