"""Queries for embeddings and encoders. Every function runs inside the caller's read transaction."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, func, select

from db import rows
from db.errors import LibraryDamaged
from db.records import EncoderRow, Stamp
from db.rows import chunks
from db.schema import embeddings, encoders

UNIT_TOLERANCE = 1e-2
"""Allowed difference of a row's length from 1. float32 stays within 1e-5; bfloat16 on a GPU needs the rest."""


MAX_DIM = 16_384
"""More columns are damage; no table of that size is made."""


def checked_matrix(matrix: NDArray[np.floating], count: int) -> NDArray[np.float32]:
    """Return embeddings as float32 (count, D).

    Raises:
        ValueError: The matrix does not have `count` rows, or a row is not finite or not of unit length.
    """
    if not isinstance(matrix, np.ndarray) or matrix.ndim != 2 or matrix.dtype.kind != "f":
        raise ValueError(f"embeddings must be a float matrix (segments, columns), got {np.shape(matrix)}")
    if matrix.shape[0] != count or matrix.shape[1] == 0:
        raise ValueError(f"{count} segments need {count} embeddings, got a matrix of shape {matrix.shape}")
    whole = matrix.astype(np.float32)
    lengths = np.linalg.norm(whole, axis=1)
    wrong = np.flatnonzero(~(np.abs(lengths - 1.0) <= UNIT_TOLERANCE))  # not(<=), so that NaN is rejected too
    if wrong.size:
        first = int(wrong[0])
        raise ValueError(f"embedding {first} has length {lengths[first]:.4g}; rows must be finite and of unit length")
    return whole


def encoder_rows(connection: Connection) -> list[EncoderRow]:
    """Return the encoders with embeddings, in order of first use."""
    found = connection.execute(select(encoders).order_by(encoders.c.number))
    return [
        EncoderRow(id=row.id, dim=row.dim, segments=row.segments, former_id=row.former_id, quick_of=row.quick_of)
        for row in found
        if type(row.dim) is int and type(row.segments) is int  # else damaged: `stamp` says so where it is used
    ]


def stamp(connection: Connection, library_id: str, encoder_id: str) -> Stamp:
    """Return the state of an encoder's embeddings."""
    row = connection.execute(select(encoders).where(encoders.c.id == encoder_id)).first()
    if row is None:
        return Stamp(library_id=library_id, encoder_id=encoder_id, dim=0, count=0, last_id=0, generation=0)
    if any(type(value) is not int for value in (row.dim, row.segments, row.generation)):
        raise LibraryDamaged(
            f"The counts of embeddings by {encoder_id} are damaged. Put a backup in the library's place, or index "
            "again into a new one."
        )
    last = connection.scalar(select(func.max(embeddings.c.segment_id)).where(embeddings.c.encoder == row.number))
    return Stamp(
        library_id=library_id,
        encoder_id=encoder_id,
        dim=row.dim,
        count=row.segments,
        last_id=last or 0,
        generation=row.generation,
    )


def rows_after(
    connection: Connection, encoder_id: str, after: int, limit: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return ids int64 (n,) and rows float32 (n, D) of at most `limit` segments with ids above `after`, ascending.

    Damaged rows are all NaN.
    """
    number, dim = _number_and_dim(connection, encoder_id)
    found = connection.execute(
        select(embeddings.c.segment_id, embeddings.c.row)
        .where(embeddings.c.encoder == number, embeddings.c.segment_id > after)
        .order_by(embeddings.c.segment_id)
        .limit(limit)
    ).all()
    ids = np.fromiter((row[0] for row in found), dtype=np.int64, count=len(found))
    return ids, matrix_of([row[1] for row in found], dim)


def rows_of(connection: Connection, encoder_id: str, ids: Iterable[int]) -> NDArray[np.float32]:
    """Return float32 (n, D) in the order of `ids`, repeats included; all NaN for damaged rows.

    Raises KeyError for an id without a row.
    """
    wanted = [int(segment_id) for segment_id in ids]
    number, dim = _number_and_dim(connection, encoder_id)
    stored: dict[int, bytes] = {}
    for chunk in chunks(dict.fromkeys(wanted)):
        for segment_id, row in connection.execute(
            select(embeddings.c.segment_id, embeddings.c.row).where(
                embeddings.c.encoder == number, embeddings.c.segment_id.in_(chunk)
            )
        ):
            stored[segment_id] = row
    missing = [segment_id for segment_id in wanted if segment_id not in stored]
    if missing:
        raise KeyError(f"segment {missing[0]} has no embedding by {encoder_id}")
    return matrix_of([stored[segment_id] for segment_id in wanted], dim)


def _number_and_dim(connection: Connection, encoder_id: str) -> tuple[int, int]:
    """Return an encoder's number and D; (0, 0), which no row has, for an unknown one."""
    found = connection.execute(select(encoders.c.number, encoders.c.dim).where(encoders.c.id == encoder_id)).first()
    if found is None:
        return 0, 0
    if type(found.dim) is not int or not 0 < found.dim <= MAX_DIM:
        raise LibraryDamaged(
            f"The library says that embeddings by {encoder_id} have {found.dim!r} columns, so it is damaged. "
            "Put a backup in its place, or index again into a new library."
        )
    return found.number, found.dim


def matrix_of(stored: list[bytes], dim: int) -> NDArray[np.float32]:
    """Return float32 (n, D), all NaN for damaged rows: those of another length, and any but unit vectors."""
    matrix = rows.to_matrix(stored, dim)
    lengths = np.einsum("nd,nd->n", matrix, matrix)
    damaged = ~(np.abs(lengths - 1.0) <= 2 * UNIT_TOLERANCE)  # not(<=), because NaN compares as False
    if damaged.any():
        matrix[damaged] = np.nan
    return matrix
