"""The nearest embeddings, found by the server: by comparing every row, or by pgvector's graph (HNSW) of an encoder.

The graph compares rows rounded as they are stored, and may miss some; what it finds is compared again with the question
as it was asked. Where it cannot be relied on (few rows, a narrow filter, equal rows where the hits end), every row is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from db.server.adapters import IdList
from db.server.connection import ServerDatabase
from db.server.graphs import Graphs, graph_name

Ids = NDArray[np.int64]

FEW_ROWS = 20_000
"""Up to so many allowed rows are all compared: 30 ms of 768 columns."""

_NARROW = 0.02  # share of allowed rows up to which they are: a graph would be walked through for those that are allowed
_MORE = 64  # rows than hits, because the server compares them as they are stored first: half the time
_WALKED = 2000  # candidates of a graph: with fewer, many of the shots that answer a sentence are missed

_SPACE = (
    "SELECT number, dim, segments, coalesce((SELECT indisvalid FROM pg_index WHERE indexrelid ="
    " to_regclass(quote_ident(current_schema()) || '.{0}' || number)), false) FROM encoders WHERE id = %s"
)
_SCORE = '-("row"::vector <#> CAST(%s AS vector))'
_BY_GRAPH = {
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "enable_sort": "off",
    "jit": "off",
    "hnsw.ef_search": "1000",  # the most that pgvector takes; the scan goes on from there
    "hnsw.iterative_scan": "relaxed_order",
    "hnsw.max_scan_tuples": "100000",
}
_BY_COMPARING = {"enable_seqscan": "on", "enable_bitmapscan": "on", "enable_sort": "on", "jit": "off"}


@dataclass(frozen=True, slots=True)
class _Space:
    """The rows of an encoder: its number (0, which no row has, for an unknown one), columns, rows, and graph."""

    number: int = 0
    dim: int = 0
    rows: int = 0
    has_graph: bool = False


class ServerRows:
    """The embeddings of a library on a server: `library.server_rows`. Each call is one read transaction.

    Attributes:
        graphs: What makes searches among many rows fast.
    """

    def __init__(self, database: ServerDatabase) -> None:
        self._database = database
        self.graphs = Graphs(database)

    def nearest(
        self, encoder_id: str, rows: NDArray[np.float32], k: int, allowed: Ids | None
    ) -> tuple[Ids, NDArray[np.float32]]:
        """Return the k best rows for each question, as `VectorIndex.search` does.

        Args:
            encoder_id: Whose rows are searched; those of an unknown encoder are none.
            rows: float32 (Q, D), finite.
            k: 1 or more.
            allowed: The ids of the allowed rows; None allows all.
        """
        with self._database.reading() as connection:
            space = _space(connection, encoder_id)
            found = [_search(connection, space, row, k, allowed) for row in rows]
            count = len(found[0]) if found else min(k, _count(connection, space, allowed))
        ids, scores = np.empty((len(rows), count), np.int64), np.empty((len(rows), count), np.float32)
        for at, hits in enumerate(found):
            ids[at], scores[at] = [hit[0] for hit in hits], [hit[1] for hit in hits]
        return ids, scores

    def count(self, encoder_id: str, row: NDArray[np.float32], least: float, allowed: Ids | None) -> int:
        """Return the number of allowed rows with a score of at least `least`; every row is compared."""
        with self._database.reading() as connection:
            space = _space(connection, encoder_id)
            if least == -np.inf:
                return _count(connection, space, allowed)
            among, values = _among(space, allowed)
            _configure(connection, _BY_COMPARING)
            asked = f"SELECT count(*) {among} AND {_SCORE} >= CAST(%s AS float8)"
            return int(connection.exec_driver_sql(asked, (*values, _written(row), float(least))).scalar_one())


def _search(
    connection: Connection, space: _Space, row: NDArray[np.float32], k: int, allowed: Ids | None
) -> Sequence[Any]:
    """Return (id, score, ...) of the best rows."""
    most, error = space.rows if allowed is None else len(allowed), _rounding(row)
    if space.has_graph and np.isfinite(error) and most > max(FEW_ROWS, _NARROW * space.rows, 4 * k):
        _configure(connection, _BY_GRAPH)
        half = f"halfvec({space.dim})"
        hits = _candidates(connection, space, row, max(_WALKED, 2 * k), k + _MORE, allowed, half)
        # Of equal rows where the hits end, those with the lowest ids are wanted, and the graph has returned any.
        if len(hits) > k and hits[-1][1] < hits[k - 1][1]:
            return hits[:k]
    _configure(connection, _BY_COMPARING)
    if np.isfinite(error):  # else its numbers are too large for float16
        hits = _candidates(connection, space, row, k + _MORE, k + _MORE, allowed, "halfvec")
        if len(hits) < k + _MORE or hits[k - 1][1] > hits[0][2] + error:
            return hits[:k]
    among, values = _among(space, allowed)
    asked = f"SELECT segment_id, {_SCORE} AS score {among} ORDER BY score DESC, segment_id LIMIT {int(k)}"
    return connection.exec_driver_sql(asked, (_written(row), *values)).all()


def _candidates(
    connection: Connection,
    space: _Space,
    row: NDArray[np.float32],
    count: int,
    returned: int,
    allowed: Ids | None,
    kind: str,
) -> Sequence[Any]:
    """Return (id, score, least rounded score) of the best candidates, best first.

    Candidates are the rows with the best scores for the question rounded as rows are; the last value is that of the
    last candidate, the same in each row.

    Args:
        connection, space, row, allowed: As for `_search`.
        count: The number of candidates.
        returned: How many of them are returned.
        kind: The type that rows are compared as: with a number of columns, it is that of the graph.
    """
    among, values = _among(space, allowed)
    rounded = f'"row"::{kind} <#> CAST(%s AS {kind})'
    near = f'SELECT segment_id, "row", {rounded} AS near {among} ORDER BY {rounded} LIMIT {int(count)}'
    asked = (
        f"SELECT segment_id, {_SCORE} AS score, min(-near) OVER () FROM ({near}) AS candidates"
        f" ORDER BY score DESC, segment_id LIMIT {int(returned)}"
    )
    written = _written(row)
    return connection.exec_driver_sql(asked, (written, written, *values, written)).all()


def _rounding(row: NDArray[np.float32]) -> float:
    """Return by how much the score of a row, which has length 1, can differ if the question is rounded to float16."""
    with np.errstate(over="ignore"):
        rounded = row.astype(np.float16).astype(np.float32)
    return 1.02 * float(np.linalg.norm(row - rounded)) + 1e-6


def _count(connection: Connection, space: _Space, allowed: Ids | None) -> int:
    """Return how many allowed rows there are."""
    if allowed is None:
        return space.rows
    among, values = _among(space, allowed)
    return int(connection.exec_driver_sql(f"SELECT count(*) {among}", values).scalar_one())


def _space(connection: Connection, encoder_id: str) -> _Space:
    found = connection.exec_driver_sql(_SPACE.format(graph_name("")), (encoder_id,)).first()
    return _Space() if found is None else _Space(*found)


def _among(space: _Space, allowed: Ids | None) -> tuple[str, tuple[Any, ...]]:
    """Return the rows that are searched, as SQL; the number stands in it, as in the condition of the graph."""
    among = f"FROM embeddings WHERE encoder = {int(space.number)}"
    return (among, ()) if allowed is None else (f"{among} AND segment_id = ANY(%s)", (IdList(allowed),))


def _configure(connection: Connection, values: dict[str, str]) -> None:
    """Set how the server searches, to the end of this transaction."""
    calls = ", ".join("set_config(%s, %s, true)" for _ in values)
    connection.exec_driver_sql(f"SELECT {calls}", tuple(each for pair in values.items() for each in pair))


def _written(row: NDArray[np.float32]) -> str:
    """Return a vector as the server reads it, exactly."""
    return "[" + ",".join(map(repr, row.tolist())) + "]"
