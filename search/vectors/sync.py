"""Synchronisation of a vector index with the library, reading as few rows as is safe."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from db.records import Filters, Stamp
from search.vectors.base import Base
from search.vectors.index_files import IndexFiles
from search.vectors.rows import STORED, Batch, Rows
from search.vectors.snapshot import NO_IDS, LiveRows, Snapshot

if TYPE_CHECKING:
    from db.library import Library

logger = logging.getLogger(__name__)

LONGEST_TAIL = 16_384  # comparing more rows of 768 columns takes more than 1 ms and 25 MB
_TRIES = 4  # attempts while another process is writing, before the newest rows are left for another time


class Sync:
    """Reads the rows of one encoder in a library. Its methods raise LibraryError and DamagedRows."""

    def __init__(self, library: Library, encoder_id: str, files: IndexFiles) -> None:
        self._library, self._encoder_id, self._files = library, encoder_id, files
        nothing = Stamp(library_id=library.id, encoder_id=encoder_id, dim=0, count=0, last_id=0, generation=-1)
        self.empty = Snapshot(nothing, LiveRows(Base(Rows.of([], 0))))

    def updated(self, now: Snapshot) -> Snapshot:
        """Return the snapshot after what has changed in the library since."""
        for _ in range(_TRIES):
            held, stamp = now.stamp, self._library.stamp(self._encoder_id)
            if stamp == held:
                return now
            if not stamp.count:
                now = Snapshot(stamp, self.empty.base)
            elif now.dim != stamp.dim or stamp.count > 2 * held.count + LONGEST_TAIL:
                now = self._reread(self.empty, stamp)
            elif held.generation == stamp.generation and held.last_id < stamp.last_id and held.count < stamp.count:
                if found := list(self._after(held)):
                    now = self._changed(now, found[-1][0], NO_IDS, [batch for _, batch in found])
            elif (changed := self._changed_by_ids(now, stamp)) is not None:
                now = changed
            elif self._library.stamp(self._encoder_id) == stamp:
                now = self._reread(now, stamp)
        logger.info("the library is being written; the newest rows are found after the next refresh")
        return now

    def _changed_by_ids(self, now: Snapshot, stamp: Stamp) -> Snapshot | None:
        """Delete the rows that the library no longer has, and add those of new ids. Return None if others changed.

        Removing or changing a row, or adding one below the last id, raises the generation by one. So if it rose by the
        number of ids that are missing or came below one that stayed, nothing else happened to the rows of the index.
        """
        ids, known = self._library.segment_ids(Filters(), self._encoder_id), now.ids()
        gone, new = np.setdiff1d(known, ids, True), np.setdiff1d(ids, known, True)
        bumps = gone.size + np.count_nonzero(new < np.setdiff1d(ids, new, True).max(initial=0))
        if stamp.generation - now.stamp.generation != bumps or now.stamp.count != len(now) or not ids.size:
            return None  # (with rows that are not finite, the stamp's count is more, and their ids would seem new)
        try:
            added = self._finite(new, self._library.embedding_rows(self._encoder_id, new.tolist()))
        except KeyError:  # removed since
            return None
        return self._changed(now, replace(stamp, count=ids.size, last_id=int(ids[-1])), gone, [added])

    def _reread(self, now: Snapshot, stamp: Stamp) -> Snapshot:
        """Compare every row of the library with those of the index; build a base if more than a few differ."""
        held, met, fresh = stamp, [NO_IDS], list[Batch]()

        def batches() -> Iterator[Batch]:
            nonlocal held
            held = replace(stamp, count=0, last_id=0)
            for until, batch in self._after(held):
                held = until
                yield batch

        for ids, rows in batches() if len(now) else ():
            same = now.has(ids)
            same[same] = (now.rows_of(ids[same]) == rows[same]).all(axis=1)
            met.append(ids[same])
            fresh.append((ids[~same], rows[~same]))
            if sum(len(batch[0]) for batch in fresh) > max(LONGEST_TAIL, len(now) // 4):
                break
        else:
            if len(now):
                return self._changed(now, held, np.setdiff1d(now.ids(), np.concatenate(met), True), fresh)
        base = self._files.build(batches, lambda: held)
        return Snapshot(held, LiveRows(base))

    def _after(self, held: Stamp) -> Iterator[tuple[Stamp, Batch]]:
        """Yield the rows above the last id of a stamp, each batch with the stamp that includes it."""
        for ids, rows in self._library.embeddings(self._encoder_id, after=held.last_id):
            if rows.shape[1] != held.dim:
                break  # the library was emptied and filled since the stamp was read: its next stamp differs
            held = replace(held, count=held.count + len(ids), last_id=int(ids[-1]))  # its count shows newer rows
            yield held, self._finite(ids, rows)

    def _changed(self, now: Snapshot, stamp: Stamp, gone: NDArray[np.int64], added: list[Batch]) -> Snapshot:
        """Return the snapshot without the rows of the ids `gone`, and with more rows in the tail."""
        tail = now.tail.rows
        kept = np.isin(tail.ids, gone, invert=True)
        return Snapshot(stamp, now.base.without(gone), Rows.of([(tail.ids[kept], tail.matrix[kept]), *added], now.dim))

    def _finite(self, ids: NDArray[np.int64], rows: NDArray[np.float32]) -> Batch:
        """Return the rows that are finite. The others are logged."""
        good = np.isfinite(rows).all(axis=1)
        if not good.all():
            lost = ids[~good].tolist()
            text = "%d embeddings of %s are not finite and cannot be found (segments %s ...); index those videos again"
            logger.warning(text, len(lost), self._encoder_id, lost[:3])
        return ids[good], rows[good].astype(STORED)
