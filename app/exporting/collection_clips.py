"""The clips of an export of a collection: its subclips, ranked by their places in it."""

from __future__ import annotations

from collections.abc import Collection as Container
from collections.abc import Sequence
from typing import TYPE_CHECKING

from app.exporting.request import ClipRequest
from app.exporting.source_facts import SourceFacts
from app.exporting.sources import with_copies
from indexer.identity import Identity

if TYPE_CHECKING:
    from db.library import Library
    from db.records import Collection, Subclip, Video


def collection_clips(
    library: Library, collection: Collection, subclips: Sequence[Subclip], ids: Container[int] | None
) -> list[ClipRequest]:
    """Return the clips to export.

    Args:
        library: The library of the collection.
        collection: The collection.
        subclips: All its subclips, in order.
        ids: The subclips to export; None for all.
    """
    wanted = [(rank, each) for rank, each in enumerate(subclips, 1) if ids is None or each.id in ids]
    used = {each.video_id for _, each in wanted if each.video_id is not None}
    videos = {video_id: library.video(video_id) for video_id in used}
    return with_copies(
        library,
        [
            ClipRequest(
                path=each.path,
                start_seconds=(each.start_pts - each.video_start_pts) * each.time_base,
                end_seconds=(each.end_pts - each.video_start_pts) * each.time_base,
                rank=rank,
                name_hint=each.name,
                score=each.score,
                collection=collection.name,
                identity=_identity(each, None if each.video_id is None else videos[each.video_id]),
                note=each.note,
                facts=SourceFacts.of_subclip(each),
                clock_jumps=None if each.video_id is None else videos[each.video_id].clock_jumps,
            )
            for rank, each in wanted
        ],
    )


def _identity(subclip: Subclip, video: Video | None) -> Identity:
    """Return the identity of the content that a subclip is from: of its video now, or of before that was removed."""
    if video is not None:
        return Identity.of(video)
    return Identity(fingerprint=subclip.fingerprint, content_hash=subclip.content_hash)
