"""Building of new vector files for a large library in a process of its own, so that no search has to wait."""

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
    from search.vectors.faiss_index import FaissIndex

logger = logging.getLogger(__name__)

_PAUSE_SECONDS = 600.0  # between two attempts, because one that fails, as on a full disk, would fail again
_ROOT = str(Path(__file__).resolve().parents[3])
_CODE = """\
import sys
root, directory, encoder_id = sys.argv[1:]
if root not in sys.path:
    sys.path.insert(0, root)
from app.compose import order_vectors
from db.library import Library
with Library.open(directory) as library:
    order_vectors(library, encoder_id)
"""


class VectorUpkeep:
    """Keeps the vector files of one encoder in order. Thread-safe."""

    def __init__(self, directory: Path, encoder_id: str) -> None:
        self._arguments = [str(directory.absolute()), encoder_id]
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._earliest = 0.0  # monotonic time of the next attempt

    def tend(self, index: FaissIndex) -> bool:
        """Start building if it is due and nothing is being built. The next `index.refresh` takes the result over.

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
                    [sys.executable, "-P", "-c", _CODE, _ROOT, *self._arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    env={**os.environ, "OMP_NUM_THREADS": "1"},  # the other cores are for those who search
                )
            except OSError as error:
                logger.warning("the vectors of %s could not be put in order: %s", self._arguments[1], error)
                return False
            return True
