"""Cache of one encoder: one large file that can be made again, with the library's stamp that it is as of.

Nothing here is worth an error: what goes wrong is logged and means "no cache".
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

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
    """The cache of one encoder in one folder. Making this object touches no disk."""

    def __init__(self, directory: Path, encoder_id: str, suffix: str) -> None:
        """
        Args:
            directory: The folder. It is made when something is saved.
            encoder_id: The encoder that the content depends on.
            suffix: The end of the large file's name, such as `.npz`.
        """
        self._files = StampedFiles(directory, cache_name(encoder_id))
        self._suffix = suffix

    def load(self, read: Callable[[Path], Content]) -> tuple[Stamp, Content] | None:
        """Return what was saved, or None where nothing is there or it is damaged.

        Args:
            read: Reads the large file. It may raise OSError, ValueError, KeyError, TypeError or RuntimeError for a file
                that it cannot use.

        Returns:
            The stamp that the content was saved with, and what `read` returned.
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
            # All but the first two: a stamp that was written by something else, or a file that `read` refuses.
            logger.warning("the cache %s cannot be used (%s) and will be made again", self._files.stamp_path, error)
            return None

    def save(self, stamp: Stamp, write: Callable[[Path], None]) -> bool:
        """Replace what is cached.

        Args:
            stamp: The library's stamp that the content is as of.
            write: Writes the large file at the path that it is given.

        Returns:
            True, or False where it could not be written: what was cached before is still there.
        """
        try:
            self._files.save({"format": FORMAT, "stamp": asdict(stamp)} | self._files.write(self._suffix, write))
        except (OSError, RuntimeError) as error:
            logger.warning("no cache could be written to %s (%s)", self._files.directory, error)
            return False
        return True
