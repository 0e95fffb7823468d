"""Moments of hits for commands: with a progress line, and a note for each hit whose moment cannot be found."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from app.shell.counted_line import CountedLine
from app.shell.live_line import LiveLine
from app.shell.moment_options import BACKWARDS, Moments
from app.shell.terminal import count_text, display_path, print_note

if TYPE_CHECKING:
    from search.engines import Engine
    from search.moments.moment import Moment
    from search.query import Hit, Query


NO_MOMENTS = "--moments cannot be used with --then, --said, --written or --text: they say when it is already"


def find_moments(engine: Engine, query: Query, hits: Sequence[Hit]) -> tuple[list[Hit], Moments]:
    """Return hits, those of one shot in the order of their moments, and the moments, each found within its shot.

    Args:
        engine: Found the hits; of several encoders, the first one finds the moments.
        query: What they were found by.
        hits: In the order in which they are shown.

    Raises:
        EncoderError, LibraryError: Nothing can be encoded, or read.
    """
    from app.media_workers import MediaWorkers
    from app.moments import open_finder
    from indexer.media.errors import UnreadableVideo
    from search.moments.ranking import by_moments

    found: dict[int, Moment] = {}
    problems: dict[int, str] = {}
    workers, began = MediaWorkers(), time.monotonic()
    try:
        finder = open_finder(engine.first, workers)
        query = query.for_encoder(engine.first.encoder.id)
        with LiveLine() as line:
            counted = CountedLine(line, stage="moments", text="finding moments", unit="hits", total=len(hits))
            for number, hit in enumerate(hits):
                counted.show(number, detail=display_path(hit.video.path))
                try:
                    found[hit.segment.id or 0] = finder.find(hit.segment, hit.video, query)
                except UnreadableVideo as error:
                    problems[hit.segment.id or 0] = error.reason
                except OSError as error:
                    problems[hit.segment.id or 0] = error.strerror or str(error)
                except ValueError as error:  # the file ends earlier than it did
                    problems[hit.segment.id or 0] = str(error)
    finally:
        workers.close()
    ranked = by_moments(hits, found)
    for hit in ranked:
        if (problem := problems.get(hit.segment.id or 0)) is not None:
            print_note(f"no moment of hit {hit.rank}: {problem}")
        moment = found.get(hit.segment.id or 0)
        if moment is not None and moment.may_run_backwards:
            print_note(f"hit {hit.rank} {BACKWARDS}: it answers the question better when it runs backwards")
    if hits:
        print_note(f"{count_text(len(found), 'moment')} in {time.monotonic() - began:.1f} s")
    return ranked, found
