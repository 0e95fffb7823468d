"""A head applied: the probability of each class for videos, shots, or rows that a library has stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.evaluation.head_scores import probabilities
from app.evaluation.labelled import Stretch

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from app.evaluation.feature_maker import FeatureMaker
    from db.library import Library
    from db.records import Segment, Video
    from encoder.head_files import StoredHead

_ROWS = 8192


@dataclass(frozen=True, slots=True)
class Classified:
    """What a head says of a video or a shot.

    Attributes:
        path: The file.
        probabilities: float64 (classes,): with one label a clip their sum is 1.
        video_id, shot_number: In the library; None for a file of a folder. No shot for a whole video.
        start_seconds, end_seconds: From the first frame shown, end exclusive; None for the whole video.
        parts: How many parts the probabilities are the mean of.
    """

    path: str
    probabilities: NDArray[np.float64]
    video_id: int | None = None
    shot_number: int | None = None
    start_seconds: float | None = None
    end_seconds: float | None = None
    parts: int = 1

    def best(self, count: int) -> list[tuple[int, float]]:
        """Return (position of the class, probability) of the most probable classes."""
        order = (-self.probabilities).argsort(kind="stable")[:count]
        return [(int(at), float(self.probabilities[at])) for at in order]


def classify_stretches(stretches: Sequence[Stretch], stored: StoredHead, maker: FeatureMaker) -> list[Classified]:
    """Classify stretches, in their order; what cannot be read is left out and noted by the maker.

    Raises:
        Cancelled, EncoderError, OSError: As in `FeatureMaker`.
    """
    chances = _chances(stretches, stored, maker)
    return [
        Classified(each.path, chances[each], start_seconds=each.start_seconds, end_seconds=each.end_seconds)
        for each in stretches
        if each in chances
    ]


def classify_rows(library: Library, stored: StoredHead, *, per: str) -> list[Classified]:
    """Classify the shots (or videos) of a library by the rows that it has stored; nothing is decoded.

    Damaged rows, which are not numbers, are left out, as searches leave them out.

    Args:
        library: The library; it has rows of the head's encoder.
        stored: A linear head.
        per: "shot" or "video".

    Raises:
        LibraryError: The library cannot be read.
    """
    import numpy as np

    from db.records import Filters

    facts = stored.facts
    ids = library.segment_ids(Filters(), facts.encoder_id)
    parts: list[tuple[Segment, Video, NDArray[np.float64]]] = []
    for start in range(0, len(ids), _ROWS):
        some = ids[start : start + _ROWS]
        rows = library.embedding_rows(facts.encoder_id, some)
        good = np.isfinite(rows).all(axis=1)
        some = some[good]
        logits = stored.head.logits(rows[good])
        places = library.segments(some.tolist())
        for at, chances in zip(some.tolist(), probabilities(logits, facts.multi_label), strict=True):
            if at in places:  # else it was removed meanwhile
                parts.append((*places[at], chances))
    return _together(parts, per)


def classify_segments(library: Library, stored: StoredHead, maker: FeatureMaker, *, per: str) -> list[Classified]:
    """Classify the shots (or videos) of a library with a head on tokens; their files are read again.

    Raises:
        Cancelled, EncoderError, OSError: As in `FeatureMaker`.
        LibraryError: The library cannot be read.
    """
    from db.records import Filters

    ids = library.segment_ids(Filters(), stored.facts.encoder_id).tolist()
    places = library.segments(ids)
    stretch_of = {
        at: Stretch(video.path, video.seconds(segment.start_pts), video.seconds(segment.end_pts))
        for at, (segment, video) in places.items()
    }
    chances = _chances(list(stretch_of.values()), stored, maker)
    parts = [(*places[at], chances[stretch_of[at]]) for at in ids if at in places and stretch_of[at] in chances]
    return _together(parts, per)


def _chances(
    stretches: Sequence[Stretch], stored: StoredHead, maker: FeatureMaker
) -> dict[Stretch, NDArray[np.float64]]:
    import numpy as np

    if stored.facts.kind == "map":
        places, _, [logits] = maker.scores(stretches, [stored.head])  # type: ignore[list-item]
        chances = probabilities(logits, stored.facts.multi_label)
        return {stretch: chances[at] for stretch, at in places.items()}
    rows = maker.rows(stretches)
    if not rows:
        return {}
    chances = probabilities(stored.head.logits(np.stack(list(rows.values()))), stored.facts.multi_label)
    return dict(zip(rows, chances, strict=True))


def _together(parts: Sequence[tuple[Segment, Video, NDArray[np.float64]]], per: str) -> list[Classified]:
    """Return the mean over the parts of each shot or video, by path and start."""
    import numpy as np

    alike: dict[tuple[int, int], list[tuple[Segment, Video, NDArray[np.float64]]]] = {}
    for segment, video, chances in parts:
        key = (video.id or 0, segment.shot_number if per == "shot" else 0)
        alike.setdefault(key, []).append((segment, video, chances))
    found = []
    for (_, shot), some in alike.items():
        video = some[0][1]
        mean = np.mean([chances for _, _, chances in some], axis=0)
        if per == "video":
            found.append(Classified(video.path, mean, video.id, parts=len(some)))
            continue
        start, end = min(each.start_pts for each, _, _ in some), max(each.end_pts for each, _, _ in some)
        found.append(Classified(video.path, mean, video.id, shot, video.seconds(start), video.seconds(end), len(some)))
    return sorted(found, key=lambda each: (each.path, each.start_seconds or 0.0))
