"""Vector index of a library on a server that asks the server, and keeps no row on this machine.

Few rows, and those that a narrow filter allows, are all compared there. From GRAPH_ROWS rows on, a graph of the
server (pgvector's HNSW) finds candidates, if it has been made: see `db.server.nearest`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from search.vectors.vector_index import Ids, check_search, least_score

if TYPE_CHECKING:
    from db.library import Library
    from db.server.nearest import ServerRows

GRAPH_ROWS = 200_000
"""From here on, a graph is worth its making: comparing 100,000 rows takes a server about 0.1 s, and misses none."""


class ServerIndex:
    """A VectorIndex, Refreshable, RowStore and Optimizable of one encoder's rows. A search sees the rows of its moment,
    those added since the last refresh included.
    """

    def __init__(self, library: Library, server_rows: ServerRows, encoder_id: str) -> None:
        """Create the index.

        Args:
            library: The library, which the index keeps using.
            server_rows: Its rows on the server: `library.server_rows`.
            encoder_id: The encoder whose rows are searched.
        """
        self._library, self._server_rows, self._encoder_id = library, server_rows, encoder_id
        self._stamp = library.stamp(encoder_id)

    def __len__(self) -> int:
        return self._stamp.count

    def search(self, rows: NDArray[np.float32], k: int, allowed: Ids | None = None) -> tuple[Ids, NDArray[np.float32]]:
        """See `VectorIndex.search`. A graph misses 1 hit in 200 if the query is like a shot, 1 in 20 if a sentence,
        and some of many rows that are equal.
        """
        check_search(rows, k, self._columns())
        return self._server_rows.nearest(self._encoder_id, rows, k, allowed)

    def count(self, row: NDArray[np.float32], threshold: float, allowed: Ids | None = None) -> int:
        """See `VectorIndex.count`: the server compares every allowed row."""
        least = least_score(threshold)
        check_search(np.asarray(row)[None, :], 1, self._columns())
        return self._server_rows.count(self._encoder_id, row, float(least), allowed)

    def rows_of(self, ids: Ids) -> NDArray[np.float32]:
        """See `RowStore.rows_of`."""
        return self._library.embedding_rows(self._encoder_id, np.asarray(ids, np.int64).tolist())

    def refresh(self) -> bool:
        """See `Refreshable.refresh`. Reads no row."""
        before, self._stamp = self._stamp, self._library.stamp(self._encoder_id)
        return self._stamp != before

    def is_due(self) -> bool:
        """See `Optimizable.is_due`: whether there are many rows, and no graph of them."""
        return self._server_rows.graphs.is_due(self._encoder_id, GRAPH_ROWS)

    def optimize(self, on_progress: Callable[[float], None] | None = None) -> bool:
        """See `Optimizable.optimize`. A graph of 100,000 rows of 768 columns takes a server's core some minutes.

        Work that is ended by `on_progress` begins anew.
        """
        return self.is_due() and self._server_rows.graphs.make(self._encoder_id, on_progress or (lambda share: None))

    def _columns(self) -> int | None:
        return self._stamp.dim if self._stamp.count else None
