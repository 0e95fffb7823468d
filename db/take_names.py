"""Names of takes: a collection that holds takes of one set-up, and nothing else, gives them its name.

So a name is kept as clips are, by content and time, whatever becomes of shots and their ids; and it is changed, removed
and restored as any collection is. Every function runs inside the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from db.records import NewSubclip
from db.rows import chunks
from db.schema import collections, segments, subclips, videos
from db.subclip_locations import load_subclips

Runs = Sequence[Sequence[int]]
"""Of a set-up: for each run, the segments that show it."""


def naming_collections(connection: Connection, set_ups: Sequence[Runs]) -> list[int | None]:
    """Return for each set-up the id of the collection that names it.

    That is one that everybody sees, and that is not the first, the tray of whoever uses the library alone. All of its
    clips lie in shots of the set-up, and they show two runs at least; of several, the one with the most shots.
    """
    members = [{segment: at for at, run in enumerate(runs) for segment in run} for runs in set_ups]
    fingerprints = _fingerprints(connection, sorted({segment for each in members for segment in each}))
    held = _held(connection, sorted(set(fingerprints.values())))
    shown: dict[int, list[int | None]] = {}
    found: list[int | None] = []
    for of_set_up in members:
        known = {fingerprints[segment] for segment in of_set_up if segment in fingerprints}
        good = []
        for collection_id in (each for each, contents in held.items() if contents <= known):
            if collection_id not in shown:
                shown[collection_id] = _segments_of(connection, collection_id)
            there = {segment for segment in shown[collection_id] if segment is not None}
            runs = {of_set_up.get(segment) for segment in there}
            away = None in shown[collection_id]  # of a take whose file is away, it is not known which it is
            if there and None not in runs and len(runs) + away >= 2:
                good.append((-len(there), collection_id))
        found.append(min(good)[1] if good else None)
    return found


def clips_of_takes(runs: Runs) -> list[NewSubclip]:
    """Return a clip for each take, with its number as its name: of the first segment that shows it."""
    return [NewSubclip(segment_id=run[0], name=f"Take {number}") for number, run in enumerate(runs, 1) if run]


def _fingerprints(connection: Connection, ids: Sequence[int]) -> dict[int, str]:
    chosen = select(segments.c.id, videos.c.fingerprint).join(videos, videos.c.id == segments.c.video_id)
    return {
        row.id: row.fingerprint
        for chunk in chunks(ids)
        for row in connection.execute(chosen.where(segments.c.id.in_(chunk)))
    }


def _held(connection: Connection, fingerprints: Sequence[str]) -> dict[int, set[str]]:
    """Return the contents of the library that collections have clips of, if they have clips of any of these."""
    shared = collections.c.owner.is_(None), collections.c.removed_at.is_(None)
    first = select(func.min(collections.c.id)).where(*shared).correlate(None).scalar_subquery()
    there = subclips.c.removed_at.is_(None)
    wanted = {
        collection_id
        for chunk in chunks(fingerprints)
        for collection_id in connection.scalars(
            select(subclips.c.collection_id)
            .distinct()
            .join(collections, collections.c.id == subclips.c.collection_id)
            .where(subclips.c.fingerprint.in_(chunk), there, *shared, collections.c.id != first)
        )
    }
    held: dict[int, set[str]] = {}
    for chunk in chunks(sorted(wanted)):
        contents = select(subclips.c.collection_id, subclips.c.fingerprint).distinct()
        contents = contents.where(subclips.c.fingerprint.in_(select(videos.c.fingerprint)))
        for row in connection.execute(contents.where(subclips.c.collection_id.in_(chunk), there)):
            held.setdefault(row.collection_id, set()).add(row.fingerprint)
    return held


def _segments_of(connection: Connection, collection_id: int) -> list[int | None]:
    """Return the segments that the clips of a collection lie in now; None for content that is not in the library."""
    of_collection = subclips.c.collection_id == collection_id, subclips.c.removed_at.is_(None)
    stored = connection.execute(select(subclips).where(*of_collection)).mappings().all()
    return [each.segment_id for each in load_subclips(connection, stored)]
