"""Rows of clips, kept in a file from one run to the next: a run that was stopped goes on where it was."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from files.regular import open_regular

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from encoder import Encoder


def rows_file(work: Path, encoder_id: str, precision: str, former_id: str | None = None) -> Path:
    """Return the file of the rows of an encoder, `work/rows/ENCODER-PRECISION-HASH.jsonl`.

    Args:
        work: The folder of evaluations.
        encoder_id: `Encoder.id`, which may hold any character.
        precision: Of the video tower. Rows of different precisions differ a little, and figures must not mix them.
        former_id: The id in earlier versions, if it was another: their file gets the present name.
    """
    path = _rows_file(work, encoder_id, precision)
    if former_id is not None and not path.exists():
        with suppress(OSError):  # usually, there is none
            _rows_file(work, former_id, precision).rename(path)
    return path


def names_file(work: Path, encoder: Encoder) -> Path:
    """Return the file of the rows of names and sentences, which another text tower makes otherwise."""
    return _rows_file(work, f"{encoder.id} {encoder.text_id}", "names")


def _rows_file(work: Path, encoder_id: str, precision: str) -> Path:
    name = f"{re.sub('[^A-Za-z0-9]+', '-', encoder_id).strip('-')[:60]}-{precision}"
    digest = hashlib.blake2b(f"{encoder_id} {precision}".encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
    return work / "rows" / f"{name}-{digest}.jsonl"


class RowStore:
    """Rows by key, in a file of one JSON line each, which only grows. A context manager.

    A line that a kill or a full disk cut short is skipped, and its row made again. Two processes may add to one file;
    neither sees what the other adds meanwhile.
    """

    def __init__(self, path: Path, dim: int) -> None:
        """Open a store, or make it.

        Args:
            path: The file. Its name is to tell whatever shapes a row and is not part of the keys, such as the id of
                the encoder.
            dim: D, the number of columns.

        Raises:
            OSError: The file cannot be read or made.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        self._dim = dim
        self._rows: dict[str, NDArray[np.float32]] = {}
        self._path = path
        odd = getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)  # a pipe in its place is not waited for
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | odd, 0o600)
        with open_regular(path) as known:
            last = b"\n"
            for line in known:
                last = line
                self._read(line)
        if not last.endswith(b"\n"):
            os.write(self._file, b"\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __contains__(self, key: str) -> bool:
        return key in self._rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, key: str) -> NDArray[np.float32]:
        return self._rows[key]

    def add(self, key: str, row: NDArray[np.float32]) -> None:
        """Keep a row, float32 (D,). Another one under the same key is replaced.

        Raises:
            ValueError: The row has another shape.
            OSError: It could not be written, for example because the disk is full.
        """
        import numpy as np

        row = np.array(row, np.float32)
        if row.shape != (self._dim,):
            raise ValueError(f"a row of {self._dim} numbers is needed, got one of shape {row.shape}")
        content = base64.b64encode(row.astype("<f4").tobytes()).decode()
        try:
            os.write(self._file, json.dumps({"key": key, "row": content}).encode() + b"\n")
        except OSError as error:
            error.filename = os.fspath(self._path)  # whoever reads "No space left on device" asks where
            raise
        self._rows[key] = row

    def close(self) -> None:
        """Close the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _read(self, line: bytes) -> None:
        import numpy as np

        try:
            record = json.loads(line)
            key, row = record["key"], np.frombuffer(base64.b64decode(record["row"], validate=True), "<f4")
        except (ValueError, KeyError, TypeError, RecursionError):  # RecursionError: nested without end
            return
        if isinstance(key, str) and row.shape == (self._dim,) and np.isfinite(row).all():
            self._rows[key] = row.astype(np.float32)
