"""Moments for the page: found when a hit is opened, by the first encoder of the engine that pages share, in time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from app.media_workers import ReadMedia
from app.moments import open_finder
from app.search_link import LinkTerm, SearchLink
from app.shell.link_query import query_of
from app.web.http.errors import ApiError, bad_request
from app.web.services.link_examples import clip_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from db.records import Segment, Video
    from search.engines import Engine
    from search.moments.finder import MomentFinder
    from search.moments.moment import Moment

MOST_SECONDS = 60.0
"""The longest that finding one moment may take. On two cores without a GPU, LvT-B takes about ten."""


class Moments:
    """Finds moments of hits. Thread-safe."""

    def __init__(
        self,
        open_engine: Callable[[], Engine],
        read: ReadMedia,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare; the engine is opened when the first moment is asked for.

        Args:
            open_engine: Returns the engine, up to date; the same one until another encoder is chosen.
            read: Calls the functions that read media.
            clock: Returns seconds, for tests.
        """
        self._open_engine = open_engine
        self._read = read
        self._clock = clock
        self._lock = threading.Lock()
        self._opened: tuple[Engine, MomentFinder] | None = None

    def find(
        self, segment: Segment, video: Video, link: SearchLink, gone: Callable[[], bool] = lambda: False
    ) -> Moment:
        """Return the moment of a hit of a link's search.

        Args:
            segment, video: The hit.
            link: The search.
            gone: Asked now and then; True gives it up.

        Raises:
            ApiError: 503, if it takes longer than MOST_SECONDS, or there is no encoder; 400 for a search that cannot
                be used.
            UnreadableVideo, OSError, LibraryError: The file or the library cannot be read.
        """
        from app.compose import WrongSetting
        from encoder import EncoderError

        until = self._clock() + MOST_SECONDS

        def in_time(share: float) -> None:
            if gone():
                raise ApiError(503, "Nobody waits for this moment any more.")
            if self._clock() > until:
                raise ApiError(503, f"Finding the moment takes longer than {MOST_SECONDS:g} s; it was given up.")

        try:
            engine, finder = self._finder()
            with bad_request():
                first = engine.encoder

                def clip(term: LinkTerm) -> NDArray[np.uint8]:
                    return clip_of(engine.library, term, first.clip_spec, self._read)

                query = query_of(link, {first.id: clip})
                return finder.find(segment, video, query, in_time)
        except (EncoderError, WrongSetting) as error:
            raise ApiError(503, str(error)) from error

    def _finder(self) -> tuple[Engine, MomentFinder]:
        with self._lock:
            engine = self._open_engine()
            if self._opened is None or self._opened[0] is not engine:
                self._opened = engine, open_finder(engine.first, self._read)
            return self._opened
