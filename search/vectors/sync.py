"""Synchronisation of a vector index with the library: new contents, reading as few rows as is safe.

`append` adds new rows, `mark_deleted` sets tombstones without reading a row, `compare_all` reads every row, and
`compact` drops rows with tombstones.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from db.records import Filters, Stamp
from search.vectors.codes import Codes
from search.vectors.row_parts import STORED, Part, PartWriter
from search.vectors.snapshot import Snapshot

if TYPE_CHECKING:
    from db.library import Library

logger = logging.getLogger(__name__)

_SMALL_PART = 8192  # rows; shorter parts in memory are joined, so that there are few
_BATCH = 8192


@dataclass(frozen=True, slots=True, eq=False)
class Contents:
    """Contents of a vector index.

    Attributes:
        stamp: The library's stamp that the contents correspond to.
        parts: Rows; positions are counted through all parts.
        tombstones: int64, ascending: positions of rows that were deleted.
        codes: Codes of the first rows, if there are any.
        left_out: Number of rows that are not finite. The stamp counts them, but the parts omit them.
        snapshot: The same contents for searches, if there is a snapshot.
        moved: Whether positions of rows have changed.
    """

    stamp: Stamp
    parts: tuple[Part, ...]
    tombstones: NDArray[np.int64]
    codes: Codes | None
    left_out: int
    snapshot: Snapshot | None = None
    moved: bool = False


def append(now: Contents, ids: NDArray[np.int64], rows: NDArray[np.float32]) -> Contents:
    """Return the contents with appended rows, whose ids are above the last one."""
    good = _finite(now.stamp.encoder_id, ids, rows)
    parts = now.parts
    if good.any():
        parts = _joined((*parts, Part(ids[good], rows[good].astype(STORED))))
    held = replace(now.stamp, count=now.stamp.count + len(ids), last_id=int(ids[-1]))
    return replace(now, stamp=held, parts=parts, left_out=now.left_out + int((~good).sum()))


def mark_deleted(library: Library, stamp: Stamp, now: Contents) -> Contents | None:
    """Return the contents with a tombstone for every row that the library no longer has.

    Removing or changing a row, or adding one below the last id, increments the generation once per row. So if the
    generation rose by the number of missing rows, nothing else happened to the rows of the index.

    Returns:
        None if anything else changed, or may have.
    """
    bumps, snapshot = stamp.generation - now.stamp.generation, now.snapshot
    if snapshot is None or bumps < 1 or now.left_out:
        return None
    ids, known = library.segment_ids(Filters(), stamp.encoder_id), snapshot.sorted_ids()
    kept = np.isin(known, ids, assume_unique=True)
    gone, remaining = known[~kept], known[kept]
    came_between = np.count_nonzero(ids <= now.stamp.last_id) - remaining.size
    if gone.size != bumps or came_between or remaining.size == 0:
        return None
    tombstones = np.sort(np.concatenate([now.tombstones, snapshot.positions_of(gone)]))
    return replace(now, stamp=replace(stamp, count=remaining.size, last_id=int(remaining[-1])), tombstones=tombstones)


def compare_all(library: Library, stamp: Stamp, old: Snapshot | None, path: Path) -> Contents:
    """Read every row of the library, and add those that are new or differ. Rows not found get tombstones.

    Args:
        library: The library to read.
        stamp: Its stamp now.
        old: The current contents, of the same library and dimension; None for none.
        path: The file for added rows.

    Raises:
        DamagedRows: The current contents are damaged.
        LibraryError: The library cannot be read.
    """
    met = np.zeros(0 if old is None else old.rows, dtype=np.bool_)
    writer = PartWriter(path, stamp.dim)
    count, last_id, left_out = 0, 0, 0
    try:
        for ids, rows in library.embeddings(stamp.encoder_id):
            if rows.shape[1] != stamp.dim:
                break  # the library was emptied and filled since the stamp was read: its next stamp differs
            count, last_id = count + len(ids), int(ids[-1])
            good = _finite(stamp.encoder_id, ids, rows)
            left_out += int((~good).sum())
            ids, stored = ids[good], rows[good].astype(STORED)
            if old is not None:
                positions = old.positions_of(ids)
                known = np.flatnonzero(positions >= 0)
                same = (old.take(positions[known]).view(np.uint16) == stored[known].view(np.uint16)).all(axis=1)
                met[positions[known[same]]] = True
                fresh = np.ones(len(ids), dtype=np.bool_)
                fresh[known[same]] = False
                ids, stored = ids[fresh], stored[fresh]
            if ids.size:
                writer.add(ids, stored)
        part = writer.finish()
    except BaseException:
        writer.discard()
        raise
    # The rows may be newer than the stamp, so count and last_id are those of the rows. The library's next stamp shows
    # whether they are consistent with an unchanged generation.
    held = replace(stamp, count=count, last_id=last_id)
    new = () if part is None else (part,)
    if old is None or not met.any():
        return Contents(held, new, np.empty(0, dtype=np.int64), None, left_out, moved=True)
    return Contents(held, (*old.parts, *new), np.flatnonzero(~met), old.codes, left_out)


def compact(now: Contents, path: Path) -> Contents:
    """Return the contents without tombstones: the live rows in one part, without codes. Raise DamagedRows."""
    assert now.snapshot is not None, "rows are what is copied"
    live = np.setdiff1d(np.arange(now.snapshot.rows), now.tombstones, assume_unique=True)
    writer = PartWriter(path, now.snapshot.dim)
    try:
        for at in range(0, len(live), _BATCH):
            positions = live[at : at + _BATCH]
            writer.add(now.snapshot.ids[positions], now.snapshot.take(positions))
        part = writer.finish()
    except BaseException:
        writer.discard()
        raise
    assert part is not None, "more than half of the rows are live"
    return Contents(now.stamp, (part,), np.empty(0, dtype=np.int64), None, now.left_out, moved=True)


def _finite(encoder_id: str, ids: NDArray[np.int64], rows: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return bool (n,): whether each row is finite. The others are logged."""
    good = np.asarray(np.isfinite(rows).all(axis=1))
    if not good.all():
        logger.warning(
            "%d embeddings of %s are not finite and cannot be found (segments %s ...); index those videos again",
            int((~good).sum()),
            encoder_id,
            ids[~good][:3].tolist(),
        )
    return good


def _joined(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """Join parts in memory so that there are few: each at least twice as long as the next."""
    listed = list(parts)
    while len(listed) > 1 and listed[-2].record is None and len(listed[-2]) < max(_SMALL_PART, 2 * len(listed[-1])):
        last, before = listed.pop(), listed.pop()
        listed.append(Part(np.concatenate([before.ids, last.ids]), np.concatenate([before.rows, last.rows])))
    return tuple(listed)
