"""A number that was measured for one encoder of a library, in a small file: a cosine from which shots count as near."""

from __future__ import annotations

import logging
from pathlib import Path

from files.stamped import StampedFiles
from search.cache_file import cache_name
from search.calibration.folder import calibration_folder

logger = logging.getLogger(__name__)


class MeasuredCosine:
    """The measured cosine of one kind. The constructor does not access the disk."""

    def __init__(self, library_directory: Path, encoder_id: str, prefix: str, bounds: tuple[float, float]) -> None:
        """Create the file's reader.

        Args:
            library_directory: The folder of the library.
            encoder_id: The encoder.
            prefix: The kind, one of `folder.MEASURED_PREFIXES`.
            bounds: The least and the largest cosine that is believed.
        """
        # The encoder's name comes last, because the files of other caches of this folder begin with it.
        self._files = StampedFiles(calibration_folder(library_directory), prefix + cache_name(encoder_id))
        self._encoder_id, self._bounds = encoder_id, bounds

    def load(self) -> float | None:
        """Return the stored cosine; None if none was measured, or the file is damaged."""
        least, most = self._bounds
        try:
            record = self._files.load()
            if record is None or record.get("encoder") != self._encoder_id:
                return None
            value = float(record["threshold"])
            if not least <= value <= most:
                raise ValueError(f"{value} is no threshold")
        except (OSError, ValueError, KeyError, TypeError, OverflowError) as error:
            logger.warning("a measured threshold cannot be read (%s): %s", self._files.name, error)
            return None
        return value

    def keep(self, value: float, copies: int) -> float:
        """Store a cosine that was measured on a number of copies, and return it as stored.

        Raises:
            OSError: It could not be stored.
        """
        threshold = round(value, 6)
        self._files.save({"encoder": self._encoder_id, "threshold": threshold, "copies": copies})
        return threshold
