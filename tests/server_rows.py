"""Rows of tests in a library on a server, under the ids that tests give them, and the index that asks the server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from db_samples import make_video
from numpy.typing import NDArray
from postgres import new_place
from sqlalchemy import delete, insert, select

from db import rows as db_rows
from db.library import Library
from db.schema import embeddings, encoders, segments, shots, videos
from db.server.bulk import copy_in
from db.video_rows import encoder_number
from search.vectors.server_index import ServerIndex

_BEYOND = 1 << 20  # pts of a row


def put_rows(library: Library, encoder_id: str, ids: NDArray[np.int64], matrix: NDArray[np.floating[Any]]) -> None:
    """Add segments of one made-up video, with their rows."""
    with library._database.writing() as connection:
        video = connection.scalar(select(videos.c.id))
        if video is None:
            video = connection.scalar(insert(videos).values(db_rows.VIDEO.values(make_video())).returning(videos.c.id))
            connection.execute(insert(shots).values(video_id=video, number=0, start_pts=0, end_pts=_BEYOND))
        encoder = encoder_number(connection, encoder_id, matrix.shape[1])
        columns = [segments.c[name] for name in ("id", "video_id", "number", "shot_number", "start_pts", "end_pts")]
        known = set(connection.scalars(select(segments.c.id)))
        new = [each for each in ids.tolist() if each not in known]
        copy_in(connection, segments, columns, [(each, video, each, 0, 0, _BEYOND) for each in new])
        stored = db_rows.to_bytes(matrix)
        copied = [embeddings.c.encoder, embeddings.c.segment_id, embeddings.c.row]
        copy_in(connection, embeddings, copied, [(encoder, *each) for each in zip(ids.tolist(), stored, strict=True)])


class MirroredIndex(ServerIndex):
    """The index of a test's made-up library, whose rows are copied to a server before each refresh."""

    def __init__(self, made_up: Any, library: Library, encoder_id: str) -> None:
        self._made_up = made_up
        self.library = library
        self._mirror(encoder_id)
        assert library.server_rows is not None
        super().__init__(library, library.server_rows, encoder_id)

    def refresh(self) -> bool:
        self._mirror(self._encoder_id)
        return super().refresh()

    def _mirror(self, encoder_id: str) -> None:
        held = {
            int(number): row
            for ids, rows in self.library.embeddings(encoder_id)
            for number, row in zip(ids, rows, strict=True)
        }
        wanted = self._made_up.rows
        gone = [each for each in held if each not in wanted or not np.array_equal(held[each], wanted[each])]
        with self.library._database.writing() as connection:
            number = select(encoders.c.number).where(encoders.c.id == encoder_id).scalar_subquery()
            connection.execute(
                delete(embeddings).where(embeddings.c.encoder == number, embeddings.c.segment_id.in_(gone))
            )
        new = [each for each in sorted(wanted) if each not in held or each in gone]
        if new:
            put_rows(self.library, encoder_id, np.array(new), np.stack([wanted[each] for each in new]))


def mirrored_indexes(server: str, folder: Path, encoder_id: str) -> Callable[[Any], MirroredIndex]:
    """Return what opens the index of a made-up library, each in a library of its own on a server."""

    def opened(made_up: Any) -> MirroredIndex:
        return MirroredIndex(made_up, Library.open(new_place(server, folder)), encoder_id)

    return opened
