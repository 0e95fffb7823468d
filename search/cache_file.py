"""Cache of one encoder: one large, rebuildable file, with the library's stamp that it corresponds to.

Problems never raise: they are logged and mean "no cache".
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import IO, TypeVar

from db.records import Stamp
from files.stamped import DamagedFile, StampedFiles

logger = logging.getLogger(__name__)

FORMAT = 1

Content = TypeVar("Content")


def cache_name(encoder_id: str) -> str:
    """Return a file name for an encoder: readable, safe on every system, and different for different encoders."""
    readable = re.sub(r"[^A-Za-z0-9._-]+", "-", encoder_id).strip("-.")[:60]
    digest = hashlib.blake2b(encoder_id.encode("utf-8", "surrogateescape"), digest_size=5).hexdigest()
    return f"{readable or 'encoder'}-{digest}"


class CacheFile:
    """The cache of one encoder in one folder. The constructor does not access the disk."""

    def __init__(self, directory: Path, encoder_id: str, suffix: str) -> None:
        """Create the cache of an encoder.

        Args:
            directory: The folder. It is created on the first save.
            encoder_id: The encoder that the content depends on.
            suffix: The end of the large file's name, such as `.npz`.
        """
        self._files = StampedFiles(directory, cache_name(encoder_id))
        self._suffix = suffix

    def load(self, read: Callable[[Path], Content]) -> tuple[Stamp, Content] | None:
        """Return the saved content, or None if it is missing or damaged.

        Args:
            read: Reads the large file. May raise OSError, ValueError, KeyError, TypeError or RuntimeError for an
                unusable file.

        Returns:
            The stamp that the content was saved with, and the result of `read`.
        """
        try:
            record = self._files.load()
            if record is None or record["format"] != FORMAT:
                return None
            stamp = Stamp(**record["stamp"])
            return stamp, read(self._files.verified(record))
        except FileNotFoundError:
            return None
        except (DamagedFile, OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            # All but the first two: a foreign stamp, or a file that `read` rejects.
            logger.warning("the cache %s cannot be used (%s) and will be made again", self._files.stamp_path, error)
            return None

    def save(self, stamp: Stamp, write: Callable[[IO[bytes]], None]) -> bool:
        """Replace the cached content.

        Args:
            stamp: The library's stamp that the content corresponds to.
            write: Writes the content to the large file, which is open.

        Returns:
            True; or False if it could not be written, in which case the old content stays.
        """
        try:
            self._files.save({"format": FORMAT, "stamp": asdict(stamp)} | self._files.write(self._suffix, write))
        except (OSError, RuntimeError) as error:
            self._files.discard_unsaved()
            logger.warning("no cache could be written to %s (%s)", self._files.directory, error)
            return False
        return True
