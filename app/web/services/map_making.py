"""Making maps of the library beside everything else: one at a time, in a thread; the newest of each encoder is kept."""

from __future__ import annotations

import hashlib
import logging
import threading
from dataclasses import astuple, dataclass, field
from typing import TYPE_CHECKING

from db.errors import LibraryError

if TYPE_CHECKING:
    from db.library import Library
    from db.records import Stamp
    from search.projection import Projection

FOLDER = "map"  # of the library, where maps are kept

logger = logging.getLogger(__name__)


def map_version(made: Projection) -> str:
    """Another map has another version; so its points may be kept by browsers for ever."""
    what = repr((astuple(made.stamp), made.made_from, made.landmarks.tobytes(), len(made.ids)))
    return hashlib.blake2b(what.encode(), digest_size=8).hexdigest()


@dataclass
class MapState:
    """How far one encoder's map is; changed by the maker only."""

    made: Projection | None = None
    version: str = ""
    making: bool = False
    share: float = 0.0
    text: str = ""
    error: str = ""
    looked: bool = field(default=False, repr=False)  # whether the kept file was looked at


class MapMaker:
    """Safe from several threads. Threads end with the process; a map that is not finished is made again."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._states: dict[str, MapState] = {}
        self._lock = threading.Lock()
        self._one = threading.Lock()  # two at once would only share the processor

    def state(self, encoder_id: str) -> MapState:
        """What there is now. The first time, the kept file is looked at."""
        with self._lock:
            state = self._states.setdefault(encoder_id, MapState())
            if state.looked or state.making:
                return state
            state.looked = True
        kept = self._store(encoder_id).kept()
        if kept is not None:
            with self._lock:
                if state.made is None:
                    state.made, state.version = kept, map_version(kept)
        return state

    def fits(self, encoder_id: str, stamp: Stamp) -> bool:
        """Whether the map shows the library of this stamp."""
        made = self.state(encoder_id).made
        return made is not None and made.stamp == stamp

    def start(self, encoder_id: str) -> MapState:
        """Have the map made, or brought up to date, unless that is going on."""
        state = self.state(encoder_id)
        with self._lock:
            if state.making:
                return state
            state.making, state.share, state.text, state.error = True, 0.0, "Waiting", ""
        threading.Thread(target=self._make, args=(encoder_id, state), name="map", daemon=True).start()
        return state

    def _make(self, encoder_id: str, state: MapState) -> None:
        def tell(share: float, text: str) -> None:
            with self._lock:
                state.share, state.text = share, text

        try:
            with self._one:
                made = self._store(encoder_id).update(progress=tell)
            with self._lock:
                state.made, state.version = made, map_version(made)
        except LibraryError as error:
            state.error = str(error)
        except Exception as error:
            logger.error("the map could not be made", exc_info=error)
            state.error = f"The map could not be made ({type(error).__name__}); the terminal of prismsearch shows more."
        finally:
            with self._lock:
                state.making = False

    def _store(self, encoder_id: str) -> Store:
        from search.projection import ProjectionStore

        return ProjectionStore(self._library, encoder_id, self._library.directory / FOLDER)


if TYPE_CHECKING:
    from search.projection import ProjectionStore as Store
