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
from search.vectors.row_file import STORED
from search.vectors.rows import Batch, Rows
from search.vectors.snapshot import NO_IDS, LiveRows, Snapshot

if TYPE_CHECKING:
    from db.library import Library

logger = logging.getLogger(__name__)

LONGEST_TAIL = 16_384  # rows; of 768 columns, they take 1 ms to compare and 25 MB of memory
_TRIES = 4  # attempts while another process is writing, before the newest rows are left for the next refresh


class Sync:
    """Brings snapshots up to date with the rows of one encoder. Its methods raise LibraryError and DamagedRows."""

    def __init__(self, library: Library, encoder_id: str, files: IndexFiles) -> None:
        self._library, self._encoder_id, self._files = library, encoder_id, files
        nothing = Stamp(library_id=library.id, encoder_id=encoder_id, dim=0, count=0, last_id=0, generation=-1)
        self.empty = Snapshot(nothing, LiveRows(Base(Rows.of([], 0))))

    def updated(self, snapshot: Snapshot) -> Snapshot:
        """Return the snapshot brought up to date with the library."""
        for _ in range(_TRIES):
            held, stamp = snapshot.stamp, self._library.stamp(self._encoder_id)
            if stamp == held:
                return snapshot
            if not stamp.count:
                snapshot = Snapshot(stamp, self.empty.base)
            elif snapshot.dim != stamp.dim or stamp.count > 2 * held.count + LONGEST_TAIL:
                snapshot = self._reread(self.empty, stamp)
            elif held.generation == stamp.generation and held.last_id < stamp.last_id and held.count < stamp.count:
                if added := list(self._after(held)):
                    snapshot = snapshot.with_changes(added[-1][0], NO_IDS, [batch for _, batch in added])
            elif (changed := self._changed_by_ids(snapshot, stamp)) is not None:
                snapshot = changed
            elif self._library.stamp(self._encoder_id) == stamp:
                snapshot = self._reread(snapshot, stamp)
        logger.info("the library is being written; the newest rows are found after the next refresh")
        return snapshot

    def _changed_by_ids(self, snapshot: Snapshot, stamp: Stamp) -> Snapshot | None:
        """Delete the rows that the library no longer has, and add those with new ids. Return None if others changed.

        Removing or changing a row, or adding one below the last id, raises the generation by one. So if it has risen
        by the number of ids that are gone or were added below one that stayed, all other rows are as they were.
        """
        ids, known = self._library.segment_ids(Filters(), self._encoder_id), snapshot.ids()
        gone, new = np.setdiff1d(known, ids, True), np.setdiff1d(ids, known, True)
        held, changes = snapshot.stamp, gone.size + np.count_nonzero(new < np.setdiff1d(ids, new, True).max(initial=0))
        if stamp.generation - held.generation != changes or held.count != len(snapshot) or not ids.size:
            return None  # (the count includes rows that are not finite, which the snapshot lacks: they would seem new)
        try:
            added = self._finite(new, self._library.embedding_rows(self._encoder_id, new.tolist()))
        except KeyError:  # removed since
            return None
        return snapshot.with_changes(replace(stamp, count=ids.size, last_id=int(ids[-1])), gone, [added])

    def _reread(self, snapshot: Snapshot, stamp: Stamp) -> Snapshot:
        """Compare every row of the library with the snapshot; build a base if more than a few differ."""
        held, unchanged, fresh = stamp, [NO_IDS], list[Batch]()

        def batches() -> Iterator[Batch]:
            nonlocal held
            held = replace(stamp, count=0, last_id=0)
            for until, batch in self._after(held):
                held = until
                yield batch

        for ids, rows in batches() if len(snapshot) else ():
            same = snapshot.has(ids)
            same[same] = (snapshot.rows_of(ids[same]) == rows[same]).all(axis=1)
            unchanged.append(ids[same])
            fresh.append((ids[~same], rows[~same]))
            if sum(len(new) for new, _ in fresh) > max(LONGEST_TAIL, len(snapshot) // 4):
                break
        else:
            if len(snapshot):
                return snapshot.with_changes(held, np.setdiff1d(snapshot.ids(), np.concatenate(unchanged), True), fresh)
        base = self._files.build(batches, lambda: held)
        return Snapshot(held, LiveRows(base))

    def _after(self, held: Stamp) -> Iterator[tuple[Stamp, Batch]]:
        """Yield the rows above the last id of a stamp: each batch, and the stamp of all rows up to its end."""
        for ids, rows in self._library.embeddings(self._encoder_id, after=held.last_id):
            if rows.shape[1] != held.dim:
                break  # the library was emptied and filled since the stamp was read, so its next stamp differs
            held = replace(held, count=held.count + len(ids), last_id=int(ids[-1]))  # its count shows newer rows
            yield held, self._finite(ids, rows)

    def _finite(self, ids: NDArray[np.int64], rows: NDArray[np.float32]) -> Batch:
        """Return the rows that are finite. The others are logged."""
        good = np.isfinite(rows).all(axis=1)
        if not good.all():
            lost = ids[~good].tolist()
            text = (
                "%d embeddings of %s are damaged and cannot be found (segments %s ...); `prismsearch doctor` says more"
            )
            logger.warning(text, len(lost), self._encoder_id, lost[:3])
        return ids[good], rows[good].astype(STORED)
