"""Maps of the library, built one at a time in a background thread; the latest of each encoder is kept."""

from __future__ import annotations

import hashlib
import logging
import threading
from dataclasses import astuple, dataclass, field
from typing import TYPE_CHECKING

from app.encoder_choice import MAPS
from db.errors import LibraryError

if TYPE_CHECKING:
    from db.library import Library
    from search.projection import Projection, ProjectionStore

logger = logging.getLogger(__name__)


def map_version(projection: Projection) -> str:
    """Return a digest of a map. Each map has its own, so browsers may cache the points of a version forever."""
    content = (astuple(projection.stamp), projection.made_from, projection.landmarks.tobytes(), len(projection.ids))
    return hashlib.blake2b(repr(content).encode(), digest_size=8).hexdigest()


@dataclass
class MapState:
    """The map of one encoder and the progress of building it; modified only by the MapMaker."""

    projection: Projection | None = None
    version: str = ""
    making: bool = False
    share: float = 0.0  # done, 0 to 1
    text: str = ""
    error: str = ""
    file_read: bool = field(default=False, repr=False)


class MapMaker:
    """Builds maps in threads that end with the process; an unfinished map is rebuilt. Thread-safe."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._states: dict[str, MapState] = {}
        self._lock = threading.Lock()
        self._making = threading.Lock()  # two maps at once would only compete for the processor

    def state(self, encoder_id: str) -> MapState:
        """Return the current state. The first call for an encoder reads the map's file."""
        with self._lock:
            state = self._states.setdefault(encoder_id, MapState())
            if state.file_read or state.making:
                return state
            state.file_read = True
        kept = self._store(encoder_id).load_saved()
        if kept is not None:
            with self._lock:
                if state.projection is None:
                    state.projection, state.version = kept, map_version(kept)
        return state

    def start(self, encoder_id: str) -> MapState:
        """Start to build or update the map, unless already in progress, and return the state."""
        state = self.state(encoder_id)
        with self._lock:
            if state.making:
                return state
            state.making, state.share, state.text, state.error = True, 0.0, "Waiting", ""
        threading.Thread(target=self._make, args=(encoder_id, state), name="map", daemon=True).start()
        return state

    def _make(self, encoder_id: str, state: MapState) -> None:
        def on_progress(share: float, text: str) -> None:
            with self._lock:
                state.share, state.text = share, text

        try:
            with self._making:
                made = self._store(encoder_id).update(progress=on_progress)
            with self._lock:
                state.projection, state.version = made, map_version(made)
        except LibraryError as error:
            state.error = str(error)
        except Exception as error:
            logger.error("the map could not be made", exc_info=error)
            state.error = (
                f"The map could not be made ({type(error).__name__}); prismsearch's terminal shows the details."
            )
        finally:
            with self._lock:
                state.making = False

    def _store(self, encoder_id: str) -> ProjectionStore:
        from search.projection import ProjectionStore

        return ProjectionStore(self._library, encoder_id, self._library.directory / MAPS)
