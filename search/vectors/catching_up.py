"""What a vector index holds, after the library has changed: read no more than it takes to be sure of every row."""

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

_SMALL_PART = 8192  # parts in memory are joined up to here, so that there are few
_BATCH = 8192


@dataclass(frozen=True, slots=True, eq=False)
class Contents:
    """Parts of rows, who of them is dead, their codes, and the library's stamp that they are as of.

    left_out: rows that are not finite; the stamp counts them. snapshot: the same as it is searched, where there is one.
    moved: rows are at other positions than before.
    """

    held: Stamp
    parts: tuple[Part, ...]
    dead: NDArray[np.int64]
    codes: Codes | None
    left_out: int
    snapshot: Snapshot | None = None
    moved: bool = False


def added(now: Contents, ids: NDArray[np.int64], rows: NDArray[np.float32]) -> Contents:
    """With rows above the last id that is held."""
    good = _finite(now.held.encoder_id, ids, rows)
    parts = now.parts
    if good.any():
        parts = _joined((*parts, Part(ids[good], rows[good].astype(STORED))))
    held = replace(now.held, count=now.held.count + len(ids), last_id=int(ids[-1]))
    return replace(now, held=held, parts=parts, left_out=now.left_out + int((~good).sum()))


def buried(library: Library, stamp: Stamp, now: Contents) -> Contents | None:
    """With those marked as dead that the library no longer has. None: something else changed, or may have.

    Whatever removes or changes a row, or adds one below the last id, raises the generation by one for each row. So if
    the generation rose by as many as have gone, nothing else happened to the rows that are held.
    """
    bumps, snapshot = stamp.generation - now.held.generation, now.snapshot
    if snapshot is None or bumps < 1 or now.left_out:
        return None
    ids, known = library.segment_ids(Filters(), stamp.encoder_id), snapshot.sorted_ids()
    kept = np.isin(known, ids, assume_unique=True)
    gone, left = known[~kept], known[kept]
    came_between = np.count_nonzero(ids <= now.held.last_id) - left.size
    if gone.size != bumps or came_between or left.size == 0:
        return None
    dead = np.sort(np.concatenate([now.dead, snapshot.places_of(gone)]))
    return replace(now, held=replace(stamp, count=left.size, last_id=int(left[-1])), dead=dead)


def compared(library: Library, stamp: Stamp, old: Snapshot | None, path: Path) -> Contents:
    """Read every row, and take in those that are not held, or differ; what was not met is dead.

    old: what is held, of the same library and as many columns. path: for a file of the rows that are taken in.
    Raises DamagedRows where what is held is damaged.
    """
    met = np.zeros(0 if old is None else old.rows, dtype=np.bool_)
    writer = PartWriter(path, stamp.dim)
    count, last_id, left_out = 0, 0, 0
    try:
        for ids, rows in library.embeddings(stamp.encoder_id):
            if rows.shape[1] != stamp.dim:
                break  # emptied and filled anew since the stamp was read: the next look at it tells
            count, last_id = count + len(ids), int(ids[-1])
            good = _finite(stamp.encoder_id, ids, rows)
            left_out += int((~good).sum())
            ids, stored = ids[good], rows[good].astype(STORED)
            if old is not None:
                places = old.places_of(ids)
                known = np.flatnonzero(places >= 0)
                same = (old.take(places[known]).view(np.uint16) == stored[known].view(np.uint16)).all(axis=1)
                met[places[known[same]]] = True
                fresh = np.ones(len(ids), dtype=np.bool_)
                fresh[known[same]] = False
                ids, stored = ids[fresh], stored[fresh]
            if ids.size:
                writer.add(ids, stored)
        part = writer.finish()
    except BaseException:
        writer.discard()
        raise
    # What was read may be newer than the stamp, so count and last_id are our own; the next look at the library tells
    # whether they agree with a generation that has not moved meanwhile.
    held = replace(stamp, count=count, last_id=last_id)
    new = () if part is None else (part,)
    if old is None or not met.any():
        return Contents(held, new, np.empty(0, dtype=np.int64), None, left_out, moved=True)
    return Contents(held, (*old.parts, *new), np.flatnonzero(~met), old.codes, left_out)


def without_the_dead(now: Contents, path: Path) -> Contents:
    """The rows that are alive in one part, without codes. Raises DamagedRows."""
    assert now.snapshot is not None, "rows are what is copied"
    alive = np.setdiff1d(np.arange(now.snapshot.rows), now.dead, assume_unique=True)
    writer = PartWriter(path, now.snapshot.dim)
    try:
        for at in range(0, len(alive), _BATCH):
            places = alive[at : at + _BATCH]
            writer.add(now.snapshot.ids[places], now.snapshot.take(places))
        part = writer.finish()
    except BaseException:
        writer.discard()
        raise
    assert part is not None, "more than half of the rows are alive"
    return Contents(now.held, (part,), np.empty(0, dtype=np.int64), None, now.left_out, moved=True)


def _finite(encoder_id: str, ids: NDArray[np.int64], rows: NDArray[np.float32]) -> NDArray[np.bool_]:
    """bool (n,); those that are not finite are logged: they are left out."""
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
    """The same rows with few parts in memory: each at least twice as long as the next."""
    listed = list(parts)
    while len(listed) > 1 and listed[-2].record is None and len(listed[-2]) < max(_SMALL_PART, 2 * len(listed[-1])):
        last, before = listed.pop(), listed.pop()
        listed.append(Part(np.concatenate([before.ids, last.ids]), np.concatenate([before.rows, last.rows])))
    return tuple(listed)
