"""The files of a vector index: parts of rows, codes, the dead, and one stamp that names them all.

Every file but the stamp is written once under a name of its own and never changed. The stamp is put in place by a
rename after all that it names is safely on the disk. So whatever stops a process, the stamp in place names whole files;
and processes that save at the same time each leave a whole set, of which the last one counts. Nothing here is worth an
error: what goes wrong is logged and means that the library is read again.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import faiss as _faiss
import numpy as np
from numpy.typing import NDArray

from db.records import Stamp
from search.cache_file import CacheFile
from search.durable import checksum, flush, flush_directory, remove
from search.vectors.codes import Codes
from search.vectors.row_parts import DamagedRows, Part, PartRecord

logger = logging.getLogger(__name__)
faiss: Any = _faiss

FORMAT = 2
_ORPHAN_SECONDS = 3600.0  # a file that no stamp names and that is younger may be one that another process writes now


@dataclass(frozen=True, slots=True)
class Saved:
    """What a stamp in place says: the stamp, the parts, the dead, the codes, and how many rows were left out."""

    stamp: Stamp
    parts: tuple[Part, ...]
    dead: NDArray[np.int64]
    codes: Codes | None
    left_out: int


class IndexFiles:
    """The files of one encoder's index in one folder. Making this value touches no disk."""

    def __init__(self, directory: Path, encoder_id: str) -> None:
        self.directory = directory
        names = CacheFile(directory, encoder_id)
        self._name, self._stamp_path = names.name, names.stamp_path
        self._seen: str | None = None  # the stamp file as we last read or wrote it
        self._written: dict[int, tuple[object, dict[str, Any]]] = {}  # records of codes and dead that are in files

    def new_path(self, suffix: str) -> Path:
        """A path that nobody else writes to."""
        return self.directory / f"{self._name}-{secrets.token_hex(6)}{suffix}"

    def changed_by_others(self) -> bool:
        """Whether the stamp in place is another than the one that was read or written here."""
        return self._text() not in (self._seen, None)

    def load(self) -> Saved | None:
        """What is in place, or None where that is not whole. Rows themselves are checked when they are read."""
        text = self._seen = self._text()
        if text is None:
            return None
        try:
            record = json.loads(text)
            if record["format"] != FORMAT:
                return None
            parts = tuple(Part.mapped(self.directory, PartRecord(**_inside(part))) for part in record["parts"])
            dead = self._read(record["dead"], lambda path: np.fromfile(path, dtype="<i8"))
            empty = np.empty(0, dtype=np.int64)
            return Saved(
                stamp=Stamp(**record["stamp"]),
                parts=parts,
                dead=empty if dead is None else dead,
                codes=self._codes(record["codes"]),
                left_out=int(record["left_out"]),
            )
        except (OSError, ValueError, KeyError, TypeError, DamagedRows) as error:
            logger.warning("the vector cache %s is damaged (%s) and will be made again", self._stamp_path, error)
            return None

    def save(
        self, stamp: Stamp, parts: tuple[Part, ...], dead: NDArray[np.int64], codes: Codes | None, left_out: int
    ) -> bool:
        """Put the stamp in place, with the files that are not yet written. parts: all in files. False: it failed."""
        draft = self.new_path(".json.partial")
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            record = {
                "format": FORMAT,
                "stamp": asdict(stamp),
                "parts": [asdict(part.record) for part in parts if part.record is not None],
                "codes": self._write(codes, ".codes", lambda path: faiss.write_index(codes and codes.index, str(path))),
                "dead": self._write(dead if dead.size else None, ".dead", lambda path: dead.tofile(path)),
                "left_out": left_out,
            }
            text = json.dumps(record, indent=1)
            draft.write_text(text, "utf-8")
            flush(draft)
            replaced = _named(self._text())
            os.replace(draft, self._stamp_path)
        except (OSError, RuntimeError) as error:
            logger.warning(
                "the vectors are kept in memory only: no cache could be written to %s (%s)", self.directory, error
            )
            remove(draft)
            return False
        self._seen = text
        flush_directory(self.directory)
        kept = _named(text)
        for name in replaced - kept:
            remove(self.directory / name)
        self._sweep_orphans(kept)
        return True

    def forget(self) -> None:
        """Remove everything in place, because some of it was found to be damaged."""
        self._seen, named = None, _named(self._text())
        for path in (self._stamp_path, *(self.directory / name for name in named)):
            remove(path)

    def _text(self) -> str | None:
        try:
            return self._stamp_path.read_text("utf-8", errors="replace")
        except OSError:
            return None

    def _codes(self, record: dict[str, Any] | None) -> Codes | None:
        """Damaged codes cost their making, not the reading of the rows."""
        try:
            index = self._read(record, lambda path: faiss.read_index(str(path)))
            if index is None:
                return None
            codes = Codes(index)
        except (OSError, RuntimeError, DamagedRows) as error:
            logger.warning("the codes of %s cannot be used (%s) and will be made again", self._stamp_path, error)
            return None
        assert record is not None
        self._written[id(codes)] = codes, record
        return codes

    def _read(self, record: dict[str, Any] | None, read: Callable[[Path], Any]) -> Any:
        if record is None:
            return None
        path = self.directory / Path(record["file"]).name
        if path.stat().st_size != record["size_bytes"] or checksum(path) != record["crc32"]:
            raise DamagedRows(f"{path.name} is not what was written")
        return read(path)

    def _write(self, what: object | None, suffix: str, write: Callable[[Path], Any]) -> dict[str, Any] | None:
        """The record of a file with this content, written now unless it is there already."""
        if what is None:
            return None
        known = self._written.get(id(what))
        if known is not None and known[0] is what and (self.directory / known[1]["file"]).exists():
            return known[1]
        path = self.new_path(suffix)
        try:
            write(path)
            flush(path)
            record = {"file": path.name, "size_bytes": path.stat().st_size, "crc32": checksum(path)}
        except (OSError, RuntimeError):
            remove(path)
            raise
        self._written = {key: value for key, value in self._written.items() if type(value[0]) is not type(what)}
        self._written[id(what)] = what, record
        return record

    def _sweep_orphans(self, kept: set[str]) -> None:
        """Remove what killed processes left: files of ours that no stamp names and that nobody can still be writing."""
        for path in self.directory.glob(f"{self._name}-*"):
            try:
                age_seconds = time.time() - path.stat().st_mtime
            except OSError:
                continue
            if path.name not in kept and age_seconds > _ORPHAN_SECONDS:
                remove(path)


def _inside(part: dict[str, Any]) -> dict[str, Any]:
    """The record with a file name that is in our folder, whatever it says."""
    return part | {"file": Path(part["file"]).name}


def _named(text: str | None) -> set[str]:
    """Names of the files that a stamp names, of any format, whether it is any good or not."""
    try:
        record = json.loads(text or "{}")
        entries = [record, *record.get("parts", []), record.get("codes"), record.get("dead")]
        return {Path(entry["file"]).name for entry in entries if isinstance(entry, dict) and "file" in entry}
    except (ValueError, TypeError, AttributeError):
        return set()
