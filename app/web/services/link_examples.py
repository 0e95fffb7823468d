"""Examples of a search link as clips: a range of an indexed video, a file that was dropped into the page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from app.media_workers import ReadMedia, read_here
from app.search_link import LinkTerm
from app.web.services.examples import find_example

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from db.library import Library
    from encoder import ClipSpec


def clip_of(library: Library, term: LinkTerm, spec: ClipSpec, read: ReadMedia = read_here) -> NDArray[np.uint8]:
    """Return the example of a `range` or `file` term as a clip for the encoder.

    Args:
        library: Has the video of the range, and the dropped files beside it.
        term: Of one of these kinds.
        spec: The encoder's.
        read: Calls the function that reads the file.

    Raises:
        UnreadableVideo: The file cannot be read.
        FileNotFoundError, KeyError: It is not there (any more).
        ValueError: The range is not valid for this video.
    """
    from indexer.media.clip import read_clip, read_image

    if term.kind == "range":
        from app.exporting.sources import require_indexed

        segment_id, start_pts, end_pts = term.range
        video = require_indexed(library, library.segments([segment_id])[segment_id][1])
        start, end = video.seconds(start_pts), video.seconds(end_pts)
        return read(read_clip, video.path, spec, start_seconds=start, end_seconds=end, path=video.path)
    example = find_example(library.directory, term.value)
    if example is None:
        raise FileNotFoundError(term.value)
    path: Path = example.path
    return read(read_image if example.kind == "image" else read_clip, str(path), spec, path=str(path))
