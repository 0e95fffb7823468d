"""Composition of takes: a finder over the rows of one encoder, which reads previews in worker processes; all found."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from app.media_workers import MediaWorkers, ReadMedia

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from db.library import Library
    from db.records import Segment, Video
    from encoder import Encoder
    from search.takes.finding import ReadLook
    from search.takes.stored import SetUps

MOST_READING_SECONDS = 10.0
"""The longest that reading a preview, of some 50 KB, may take."""


def find_takes(
    library: Library,
    encoder: Encoder,
    *,
    on_progress: Callable[[int, int], None],
    cancelled: Callable[[], bool],
    read: ReadMedia | None = None,
) -> int:
    """Look for takes among the shots that were not looked at yet, and keep what is found in the library.

    Args:
        library: The library.
        encoder: Its rows tell which shots are near each other; it encodes nothing.
        on_progress: Receives how many shots are done, and of how many.
        cancelled: Ends the work, and keeps what was found.
        read: Reads media; by default in worker processes.

    Returns:
        The number of shots that were looked at.

    Raises:
        LibraryError: The library cannot be read.
        OSError: What was found could not be stored.
    """
    from app import compose
    from search.take_threshold import near_take
    from search.takes.finding import TakeFinder, pending_shots

    if not len(pending_shots(library, encoder.id)):
        return 0
    workers = None if read is not None else MediaWorkers()
    try:
        space = compose.open_space(library, encoder)
        space.refresh()
        look, near = look_reader(library, read or workers), near_take(library.directory, encoder.id)
        finder = TakeFinder(library, encoder.id, space.index, space.rows_of, look, near=near)
        return finder.find(on_progress=on_progress, cancelled=cancelled)
    finally:
        if workers is not None:
            workers.close()


def look_reader(library: Library, read: ReadMedia | None) -> ReadLook:
    """Return a reader of the small pictures of stored previews."""
    from indexer.media.errors import UnreadableVideo
    from indexer.media.small_pictures import read_small_pictures
    from search.takes.look import HEIGHT, WIDTH

    assert read is not None

    def pictures_of(segment: Segment, video: Video) -> NDArray[np.uint8] | None:
        path = str(library.preview_path(video, segment.number))
        try:
            return read(read_small_pictures, path, HEIGHT, WIDTH, path=path, most_seconds=MOST_READING_SECONDS)
        except (UnreadableVideo, OSError):
            return None

    return pictures_of


def stored_set_ups(library: Library) -> SetUps:
    """Return the set-ups that were found in a library, by segment; its own encoder tells first what shots are.

    Raises:
        LibraryError: The library cannot be read.
    """
    from search.takes.stored import StoredSetUps

    own = [choice.encoder_id for choice in library.encoder_choices()]
    order = {encoder_id: at for at, encoder_id in enumerate(own)}
    rows = [row for row in library.encoders() if row.segments and row.quick_of is None]
    rows.sort(key=lambda row: order.get(row.id, len(own)))
    return StoredSetUps(library.directory, [row.id for row in rows]).current()
