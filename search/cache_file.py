"""A stamped cache file: one large file that can be made again, and a small one beside it that says what it is.

The stamp names the large file, its size and its checksum, and is put in place by a rename after the large file is
safely on the disk. So at any moment there is one whole pair, or none: whatever stops a process, the next one either
finds what fits or makes it again. Nothing here is worth an error; what goes wrong is logged and means "no cache".
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from db.records import Stamp
from search.durable import checksum, flush, flush_directory, remove

logger = logging.getLogger(__name__)

FORMAT = 1
_ORPHAN_SECONDS = 3600.0  # a file without a stamp that is younger than this may be one that another process writes now


@dataclass(frozen=True, slots=True)
class CacheFile:
    """The cache of one encoder in one folder. Making this value touches no disk."""

    directory: Path
    encoder_id: str
    suffix: str = ".faiss"  # of the large file

    @property
    def name(self) -> str:
        """A file name for the encoder: readable, safe on every system, and different for different encoders."""
        readable = re.sub(r"[^A-Za-z0-9._-]+", "-", self.encoder_id).strip("-.")[:60]
        digest = hashlib.blake2b(self.encoder_id.encode("utf-8", "surrogateescape"), digest_size=5).hexdigest()
        return f"{readable or 'encoder'}-{digest}"

    @property
    def stamp_path(self) -> Path:
        """The small file; the large ones are `<name>-<random><suffix>` beside it."""
        return self.directory / f"{self.name}.json"

    def load(self, read: Callable[[str], Any]) -> tuple[Stamp, Any] | None:
        """(stamp, read(path of the large file)), or None where there is no whole and undamaged pair.

        The checksum is CRC-32: it finds damage, which is all that is asked of it, at several GB a second.
        """
        try:
            record = json.loads(self.stamp_path.read_text("utf-8"))
            if record["format"] != FORMAT:
                return None
            stamp, file = Stamp(**record["stamp"]), self.directory / Path(record["file"]).name
            if file.stat().st_size != record["size_bytes"] or checksum(file) != record["crc32"]:
                logger.warning("the vector cache %s is damaged and will be made again", file)
                return None
            return stamp, read(str(file))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            # RuntimeError is what FAISS raises; the others are a stamp that is torn or was written by something else.
            logger.warning("the vector cache %s cannot be used (%s) and will be made again", self.stamp_path, error)
            return None

    def save(self, stamp: Stamp, write: Callable[[str], None]) -> bool:
        """Have `write` make the large file at a path it is given, then put both in place. False: it could not be."""
        file = self.directory / f"{self.name}-{secrets.token_hex(6)}{self.suffix}"
        draft = file.with_suffix(".json.partial")
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            replaced = self._named_file()
            write(str(file))
            flush(file)
            record = {
                "format": FORMAT,
                "stamp": asdict(stamp),
                "file": file.name,
                "size_bytes": file.stat().st_size,
                "crc32": checksum(file),
            }
            draft.write_text(json.dumps(record, indent=1), "utf-8")
            flush(draft)
            os.replace(draft, self.stamp_path)
        except (OSError, RuntimeError) as error:
            logger.warning(
                "the vectors are kept in memory only: no cache could be written to %s (%s)", self.directory, error
            )
            for path in (file, draft):
                remove(path)
            return False
        flush_directory(self.directory)
        if replaced is not None:
            remove(replaced)
        self._sweep_orphans(file)
        return True

    def _named_file(self) -> Path | None:
        """The large file that the stamp in place names, whether it is any good or not."""
        try:
            return self.directory / Path(json.loads(self.stamp_path.read_text("utf-8"))["file"]).name
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _sweep_orphans(self, keep: Path) -> None:
        """Remove what killed processes left: files of ours that no stamp names and that nobody can still be writing."""
        for path in self.directory.glob(f"{self.name}-*"):
            try:
                age_seconds = time.time() - path.stat().st_mtime
            except OSError:
                continue
            if path != keep and age_seconds > _ORPHAN_SECONDS:
                remove(path)
