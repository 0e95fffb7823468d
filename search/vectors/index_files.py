"""Files of a vector index: parts of rows, codes, tombstones, and the stamp that names them (see files.stamped).

Problems never raise: they are logged, and mean that the library is read again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import faiss as _faiss
import numpy as np
from numpy.typing import NDArray

from db.records import Stamp
from files.stamped import DamagedFile, StampedFiles
from search.cache_file import cache_name
from search.vectors.codes import Codes
from search.vectors.row_parts import DamagedRows, Part, PartRecord

logger = logging.getLogger(__name__)
faiss: Any = _faiss

FORMAT = 2


@dataclass(frozen=True, slots=True)
class Saved:
    """Saved contents of an index. See search.vectors.sync.Contents for the attributes."""

    stamp: Stamp
    parts: tuple[Part, ...]
    tombstones: NDArray[np.int64]
    codes: Codes | None
    left_out: int


class IndexFiles:
    """Files of one encoder's index in one folder. The constructor does not access the disk."""

    def __init__(self, directory: Path, encoder_id: str) -> None:
        self._files = StampedFiles(directory, cache_name(encoder_id))
        self._written: dict[int, tuple[object, dict[str, Any]]] = {}  # entries of codes and tombstones in files

    def new_path(self, suffix: str) -> Path:
        """Return a unique path for a data file."""
        return self._files.new_path(suffix)

    def changed_by_others(self) -> bool:
        """Return whether another process has saved since this one last loaded or saved."""
        return self._files.changed_by_others()

    def load(self) -> Saved | None:
        """Return the saved contents, or None if missing or damaged. Rows are checked later, when they are read."""
        try:
            record = self._files.load()
            if record is None or record["format"] != FORMAT:
                return None
            parts = tuple(Part.mapped(self._files.directory, PartRecord(**_inside(part))) for part in record["parts"])
            tombstones = self._read(record["dead"], lambda path: np.fromfile(path, dtype="<i8"))
            empty = np.empty(0, dtype=np.int64)
            return Saved(
                stamp=Stamp(**record["stamp"]),
                parts=parts,
                tombstones=empty if tombstones is None else tombstones,
                codes=self._codes(record["codes"]),
                left_out=int(record["left_out"]),
            )
        except (OSError, ValueError, KeyError, TypeError, DamagedFile, DamagedRows) as error:
            logger.warning("the vector cache %s is damaged (%s) and will be made again", self._files.stamp_path, error)
            return None

    def save(
        self, stamp: Stamp, parts: tuple[Part, ...], tombstones: NDArray[np.int64], codes: Codes | None, left_out: int
    ) -> bool:
        """Save the contents, writing only missing files. Every part must be in a file. Return False on failure."""
        try:
            record = {
                "format": FORMAT,
                "stamp": asdict(stamp),
                "parts": [asdict(part.record) for part in parts if part.record is not None],
                "codes": self._write(codes, ".codes", lambda path: faiss.write_index(codes and codes.index, str(path))),
                "dead": self._write(
                    tombstones if tombstones.size else None, ".dead", lambda path: tombstones.tofile(path)
                ),
                "left_out": left_out,
            }
            self._files.save(record)
        except (OSError, RuntimeError) as error:
            logger.warning(
                "the vectors are kept in memory only: no cache could be written to %s (%s)",
                self._files.directory,
                error,
            )
            return False
        return True

    def forget(self) -> None:
        """Remove all saved files, because some are damaged."""
        self._files.forget()

    def _codes(self, record: dict[str, Any] | None) -> Codes | None:
        """Load the codes. Damaged ones are rebuilt from the rows, without reading the library."""
        try:
            index = self._read(record, lambda path: faiss.read_index(str(path)))
            if index is None:
                return None
            codes = Codes(index)
        except (OSError, RuntimeError, DamagedFile, DamagedRows) as error:
            logger.warning("the codes of %s cannot be used (%s) and will be made again", self._files.stamp_path, error)
            return None
        assert record is not None
        self._written[id(codes)] = codes, record
        return codes

    def _read(self, record: dict[str, Any] | None, read: Callable[[Path], Any]) -> Any:
        return None if record is None else read(self._files.verified(record))

    def _write(self, what: object | None, suffix: str, write: Callable[[Path], Any]) -> dict[str, Any] | None:
        """Return the entry of a file with this content, and write the file unless it exists already."""
        if what is None:
            return None
        known = self._written.get(id(what))
        if known is not None and known[0] is what and self._files.path_of(known[1]).exists():
            return known[1]
        record = self._files.write(suffix, write)
        self._written = {key: value for key, value in self._written.items() if type(value[0]) is not type(what)}
        self._written[id(what)] = what, record
        return record


def _inside(part: dict[str, Any]) -> dict[str, Any]:
    """Return the record with its file name restricted to the folder of the index."""
    return part | {"file": Path(part["file"]).name}
