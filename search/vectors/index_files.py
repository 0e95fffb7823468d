"""Files of a vector index's base: rows, ids with checksums, codes, and the stamp that names them (see files.stamped).

Files are only ever replaced by others under new names. Problems with them never raise: they are logged, and mean that
the library is read again, or that rows are kept in memory.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from db.records import Stamp
from files.stamped import DamagedFile, StampedFiles
from search.cache_file import cache_name
from search.vectors import vector_index
from search.vectors.base import Base, build_codes
from search.vectors.row_file import STORED, DamagedRows, RowFile
from search.vectors.rows import Batch, Rows, faiss, row_sums

logger = logging.getLogger(__name__)

FORMAT = 3


class IndexFiles:
    """Files of one encoder's index in one folder. The constructor does not access the disk."""

    def __init__(self, directory: Path, encoder_id: str) -> None:
        self._files = StampedFiles(directory, cache_name(encoder_id))
        self.changed_by_others = self._files.changed_by_others
        self.forget = self._files.forget

    def load(self) -> tuple[Stamp, Base] | None:
        """Return the saved base and its stamp; None if missing or damaged. Rows are checked later, when read."""
        try:
            record = self._files.load()
            if record is None or record["format"] != FORMAT:
                return None
            return (stamp := Stamp(**record["stamp"])), self._opened(record, stamp.dim)
        except (OSError, RuntimeError, ValueError, KeyError, TypeError, DamagedFile, DamagedRows) as error:
            logger.warning("the vector cache %s is damaged (%s) and will be rebuilt", self._files.stamp_path, error)
            return None

    def build(self, batches: Callable[[], Iterable[Batch]], stamp: Callable[[], Stamp]) -> Base:
        """Build a base and save it; if that fails, keep it in memory.

        Args:
            batches: Returns the rows by ascending id. Called once, or again if files cannot be written.
            stamp: Returns the library's stamp that the rows correspond to, after all have been read.
        """
        dim = stamp().dim
        try:
            record = self._write_rows(batches())
            base = self._opened(record, dim)
            if len(base.rows) >= vector_index.CODED_ROWS:
                codes, writer = build_codes(base.rows), faiss.PyCallbackIOWriter
                record["codes"] = self._files.write(".codes", lambda file: faiss.write_index(codes, writer(file.write)))
                base = Base(base.rows, codes)
            self._files.save({"format": FORMAT, "stamp": asdict(stamp()), **record})
            return base
        except (OSError, RuntimeError, ValueError, DamagedFile, DamagedRows) as error:
            logger.warning("the vectors are kept in memory only: %s cannot be used (%s)", self._files.directory, error)
        finally:
            self._files.discard_unsaved()
        rows = Rows.of(batches(), dim)
        return Base(rows, build_codes(rows) if len(rows) >= vector_index.CODED_ROWS else None)

    def _write_rows(self, batches: Iterable[Batch]) -> dict[str, Any]:
        """Write rows to one file, and their ids and checksums to another; return the entries of both."""
        known: list[NDArray[np.int64]] = [np.empty((2, 0), np.int64)]

        def write_matrix(file: IO[bytes]) -> None:
            for ids, matrix in batches:
                stored = np.ascontiguousarray(matrix, STORED)
                file.write(stored.data)
                known.append(np.stack([ids, row_sums(stored).view(np.int64)]))

        rows = self._files.write(".rows", write_matrix)
        return {"rows": rows, "ids": self._files.write(".npy", lambda file: np.save(file, np.hstack(known)))}

    def _opened(self, record: dict[str, Any], dim: int) -> Base:
        """Open files. Raise OSError, RuntimeError, ValueError, KeyError, TypeError, DamagedFile or DamagedRows."""
        ids, sums = np.load(self._files.verified(record["ids"]), allow_pickle=False)
        file = self._files.path_of(record["rows"]).open("rb", buffering=0)
        rows, codes = Rows(ids, RowFile(file, len(ids), dim), sums.view(np.uint64)), None
        if "codes" in record:
            with self._files.verified(record["codes"]).open("rb") as content:  # (of any name: FAISS opens UTF-8 alone)
                codes = faiss.read_index(faiss.PyCallbackIOReader(content.read, 1 << 24))
            if (type(codes), codes.ntotal, codes.d) != (faiss.IndexIVFPQFastScan, len(ids), dim):
                raise DamagedRows("the codes are of other rows")
        return Base(rows, codes)
