"""Building of the vector index of a large library, in a process of its own, so that searches need not wait."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from search.vectors.vector_index import Optimizable

logger = logging.getLogger(__name__)

_PAUSE_SECONDS = 600.0  # between two starts: a build that fails, as on a full disk, would probably fail again
_ROOT = str(Path(__file__).resolve().parents[3])
# The folder of our packages: already on the path of an installation, but not in a checkout.
_CODE = """\
import sys
root, directory, encoder_id = sys.argv[1:]
if root not in sys.path:
    sys.path.insert(0, root)
from app.compose import settings_from
from app.vector_indexes import open_index
from db.library import Library
with Library.open(directory, create=False) as library:
    open_index(library, encoder_id, settings_from().vector_index).optimize()
"""


class VectorUpkeep:
    """Keeps the vector files of one encoder up to date. Thread-safe."""

    def __init__(self, place: str | Path, encoder_id: str) -> None:
        self._arguments = [str(place), encoder_id]
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._earliest = 0.0  # monotonic time from which on another process may be started

    def start_if_due(self, index: Optimizable) -> bool:
        """Start a build if one is due and none is running. The next `index.refresh` after its end uses the result.

        Returns:
            True if a process was started.
        """
        with self._lock:
            running = self._process is not None and self._process.poll() is None
            if running or time.monotonic() < self._earliest or not index.is_due():
                return False
            self._earliest = time.monotonic() + _PAUSE_SECONDS
            try:
                self._process = subprocess.Popen(
                    [
                        sys.executable,
                        "-P",
                        "-c",
                        _CODE,
                        _ROOT,
                        *self._arguments,
                    ],  # -P: not from the current folder
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    env={**os.environ, "OMP_NUM_THREADS": "1"},  # the other cores are for searches
                )
            except OSError as error:
                logger.warning("the vector files of %s could not be updated: %s", self._arguments[1], error)
                return False
            return True
