"""Changes to videos, shots, segments and embeddings. Every function runs in the caller's write transaction.

Media folders that rows no longer name are added to `released`; the caller removes them after the commit.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from fractions import Fraction
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, RowMapping, bindparam, delete, insert, literal, select, update

from db import checksums, rows, schema
from db.failures import delete_failures
from db.media_facts import MediaFacts, facts_to_text, kinds_to_text
from db.path_types import roots_of
from db.quick_rows import drop_quick_rows, quick_only
from db.recording_date import recorded_at
from db.records import FileState, Segment, Shot, Video
from db.rows import chunks
from db.schema import embeddings, encodings, segments, shots, subclips, videos
from db.text.writing import copy_texts, give_back, set_aside
from db.vanished import bring_back, media_of_vanished, vanish
from db.video_rows import VideoRows, put_rows
from files.file_times import is_same_stamp

File = TypeVar("File", Video, FileState)

_SHARED = ("media", "media_bytes", "checksum")
"""Columns of a video that its copies share, and that are no fields of its record."""


def check_parts(video: Video, video_shots: Sequence[Shot], video_segments: Sequence[Segment]) -> None:
    """Raise ValueError unless shots and segments are numbered from 0, and each segment's shot exists."""
    if not os.path.isabs(video.path):
        raise ValueError(f"a video's path must be absolute, got {video.path!r}")
    if not video_segments:
        raise ValueError(f"{video.path!r} has no segment: there would be nothing to find")
    for parts in (video_shots, video_segments):
        if [part.number for part in parts] != list(range(len(parts))):
            raise ValueError(f"shots and segments must be numbered 0, 1, 2...: {[part.number for part in parts][:10]}")
    for segment in video_segments:
        if segment.shot_number >= len(video_shots):
            raise ValueError(f"segment {segment.number} is of shot {segment.shot_number} of {len(video_shots)}")


def put_video(
    connection: Connection,
    video: Video,
    video_shots: Sequence[Shot],
    video_segments: Sequence[Segment],
    made: Sequence[VideoRows],
    *,
    media: str | None,
    media_bytes: int,
    released: set[str],
) -> int:
    """Store a video with its shots, segments and embeddings, replacing any at its path. Return its id.

    If content, shots and segments are unchanged, their rows and ids stay, and so do the embeddings of other encoders,
    but for those of a quick pass, whose place is taken. The texts of the same content stay, however it is cut.
    """
    video_id = same_video(connection, video, video_shots, video_segments)
    values = rows.VIDEO.values(_as_stored(connection, video))
    if video_id is None:
        former = _existing(connection, _same_content(video))
        for each in former:
            set_aside(connection, each)
        _make_room(connection, video.path, video, released)
        video_id = _inserted_id(connection, values | {"media": media, "media_bytes": media_bytes})
        for each in former:
            give_back(connection, each, video_id)
        connection.execute(insert(shots), [rows.SHOT.values(shot) | {"video_id": video_id} for shot in video_shots])
        connection.execute(
            insert(segments),
            [rows.SEGMENT.values(segment) | {"video_id": video_id} for segment in video_segments],
        )
    else:
        if media is not None:
            _release(connection, videos.c.id == video_id, released)
            values |= {"media": media, "media_bytes": media_bytes}
        connection.execute(update(videos).where(videos.c.id == video_id).values(values))
        _tell_subclips(connection, video_id, video.content_hash)
        if any(each.quick_of is None for each in made):
            drop_quick_rows(connection, video_id)
    for rows_of_one in made:
        put_rows(connection, video_id, rows_of_one)
    checksums.renew(connection, video_id)
    delete_failures(connection, [video.path])
    return video_id


def full_pass_of(connection: Connection, video: Video) -> int | None:
    """Return the id of the video at that path, of that content, if a full pass was made over it; else None."""
    full = ~quick_only(videos, encodings)
    return connection.scalar(select(videos.c.id).where(_same_content(video), full))


def put_media(
    connection: Connection,
    video: Video,
    video_shots: Sequence[Shot],
    video_segments: Sequence[Segment],
    media: str,
    media_bytes: int,
    released: set[str],
) -> bool:
    """Name other media for a video, and for those that share its media. Return False if it is cut otherwise."""
    video_id = same_video(connection, video, video_shots, video_segments)
    old = connection.scalar(select(videos.c.media).where(videos.c.id == video_id))
    if video_id is None or old is None:
        return False
    released.add(old)
    connection.execute(update(videos).where(videos.c.media == old).values(media=media, media_bytes=media_bytes))
    return True


def move_video(connection: Connection, video_id: int, *, file: FileState, released: set[str]) -> None:
    """Record that a video, or a vanished one, is now `file`. Raise KeyError for an unknown id.

    Any other video at its path vanishes.
    """
    _make_room(connection, file.path, None, released, but=video_id)
    file = _as_stored(connection, file)
    moved = connection.execute(update(videos).where(videos.c.id == video_id).values(asdict(file)))
    if moved.rowcount == 0 and not bring_back(connection, video_id, file):
        raise KeyError(f"no video has the id {video_id}")
    delete_failures(connection, [file.path])


def _as_stored(connection: Connection, file: File) -> File:
    """Return what is stored of a file: below a root, nothing that another machine would take for another file."""
    return replace(file, file_id="", volume="") if roots_of(connection.dialect).is_below(file.path) else file


def put_facts(
    connection: Connection, video_id: int, *, timecode: str, facts: MediaFacts, kinds: frozenset[str]
) -> None:
    """Store facts of a video that were read later than its frames. An unknown id is ignored."""
    path = connection.scalar(select(videos.c.path).where(videos.c.id == video_id)) or ""
    values = {
        "timecode": timecode,
        "facts": facts_to_text(facts),
        "kinds": kinds_to_text(kinds),
        "recorded_at": recorded_at(facts.recorded_at, path),
    }
    sound = checksums.is_current(connection, video_id)
    connection.execute(update(videos).where(videos.c.id == video_id).values(values))
    if sound:  # else `check` goes on to report the damage
        checksums.renew(connection, video_id)


def relink(connection: Connection, files: Mapping[int, FileState], vanished_paths: Mapping[int, str]) -> None:
    """Give videos the new places of their files, in two steps, as a new path may be the old one of another video."""
    files = {video_id: _as_stored(connection, file) for video_id, file in files.items()}
    if files:
        numbered = [{"video": video_id, "parked": f"/.prismsearch-moving-{video_id}"} for video_id in files]
        connection.execute(
            update(videos).where(videos.c.id == bindparam("video")).values(path=bindparam("parked")), numbered
        )
        names = list(asdict(next(iter(files.values()))))
        placed = update(videos).where(videos.c.id == bindparam("video"))
        placed = placed.values({name: bindparam(f"new_{name}") for name in names})
        connection.execute(
            placed,
            [
                {"video": video_id} | {f"new_{name}": value for name, value in asdict(file).items()}
                for video_id, file in files.items()
            ],
        )
    if vanished_paths:
        table = schema.vanished_videos
        moved = update(table).where(table.c.id == bindparam("video")).values(path=bindparam("new_path"))
        connection.execute(moved, [{"video": each, "new_path": path} for each, path in vanished_paths.items()])


def put_volumes(connection: Connection, volumes: Mapping[int, str]) -> None:
    """Store the volumes that videos are on, by their ids. Unknown ids are ignored."""
    if volumes:
        changed = update(videos).where(videos.c.id == bindparam("video")).values(volume=bindparam("identity"))
        connection.execute(changed, [{"video": each, "identity": volume} for each, volume in volumes.items()])


def put_file_ids(connection: Connection, file_ids: Mapping[int, str]) -> None:
    """Store device and inode of videos' files, by the ids of the videos. Unknown ids are ignored."""
    if file_ids:
        changed = update(videos).where(videos.c.id == bindparam("video")).values(file_id=bindparam("number"))
        connection.execute(changed, [{"video": each, "number": number} for each, number in file_ids.items()])


def put_content_hash(connection: Connection, video_id: int, content_hash: str) -> None:
    """Store the hash of a video's whole content, read later than its frames. An unknown id is ignored."""
    connection.execute(update(videos).where(videos.c.id == video_id).values(content_hash=content_hash))
    _tell_subclips(connection, video_id, content_hash)


def _tell_subclips(connection: Connection, video_id: int, content_hash: str) -> None:
    """Give subclips that were created before the hash of their video was known that hash."""
    if content_hash:
        own = (subclips.c.video_id == video_id) & (subclips.c.content_hash == "")
        connection.execute(update(subclips).where(own).values(content_hash=content_hash))


def copy_rows(connection: Connection, video_id: int, *, file: FileState, released: set[str]) -> int:
    """Copy all rows of a video for the same content at a second path. Raise KeyError for an unknown id.

    A vanished video comes back instead. A copy that is there already, because another process was faster, stays.
    """
    row = connection.execute(select(videos).where(videos.c.id == video_id)).mappings().first()
    if row is None:
        move_video(connection, video_id, file=file, released=released)
        return video_id
    video = rows.VIDEO.load(row)
    if video.path == file.path:
        raise ValueError(f"a copy needs another path than its original: {file.path!r}")
    if (there := _copy_at(connection, row, file.path)) is not None:
        move_video(connection, there, file=file, released=released)
        return there
    _make_room(connection, file.path, None, released)
    copy = replace(video, **asdict(_as_stored(connection, file)))
    new_id = _inserted_id(connection, rows.VIDEO.values(copy) | {name: row[name] for name in _SHARED})
    for table, order in ((shots, shots.c.number), (segments, segments.c.number), (encodings, encodings.c.encoder)):
        copied = [column for column in table.c if column.name not in ("id", "video_id")]
        source = select(literal(new_id), *copied).where(table.c.video_id == video_id).order_by(order)
        connection.execute(insert(table).from_select(["video_id", *(column.name for column in copied)], source))
    old, new = segments.alias("old"), segments.alias("new")
    connection.execute(
        insert(embeddings).from_select(
            ["encoder", "segment_id", "row"],
            select(embeddings.c.encoder, new.c.id, embeddings.c.row)
            .join(old, old.c.id == embeddings.c.segment_id)
            .join(new, new.c.number == old.c.number)
            .where(old.c.video_id == video_id, new.c.video_id == new_id)
            .order_by(embeddings.c.encoder, new.c.id),
        )
    )
    copy_texts(connection, video_id, new_id)
    if checksums.is_current(connection, video_id):  # else the copy has the damage, and a checksum that shows it
        checksums.renew(connection, new_id)
    delete_failures(connection, [file.path])
    return new_id


def _copy_at(connection: Connection, original: RowMapping, path: str) -> int | None:
    """Return the id of the video at a path if it has all that a copy of this one would have; else None."""
    same = [videos.c[name].is_not_distinct_from(original[name]) for name in ("fingerprint", "content_hash", *_SHARED)]
    video_id = connection.scalar(select(videos.c.id).where(videos.c.path == path, *same))
    made = select(encodings.c.encoder, encodings.c.recipe, encodings.c.checksum)
    of_one, of_other = (
        set(connection.execute(made.where(encodings.c.video_id == each))) for each in (original["id"], video_id)
    )
    return video_id if of_one <= of_other else None


def delete_videos(connection: Connection, ids: Iterable[int], released: set[str]) -> int:
    """Delete videos with their shots, segments and embeddings. Return how many were deleted."""
    return sum(_delete_where(connection, videos.c.id.in_(chunk), released) for chunk in chunks(map(int, ids)))


def hide_videos(connection: Connection, ids: Iterable[int]) -> int:
    """Move videos to the vanished ones. Return how many there were."""
    ids = [each for chunk in chunks(map(int, ids)) for each in _existing(connection, videos.c.id.in_(chunk))]
    vanish(connection, ids, int(time.time()))
    return len(ids)


def unreferenced_media(connection: Connection, media: Iterable[str]) -> list[str]:
    """Return the media folders that no row names, of vanished videos neither."""
    return [
        name
        for name in media
        if all(
            connection.scalar(select(table.c.id).where(table.c.media == name).limit(1)) is None
            for table in (videos, schema.vanished_videos)
        )
    ]


def referenced_media(connection: Connection) -> set[str]:
    """Return the names of all media folders that rows name, those of vanished videos included."""
    named = {name for name in connection.scalars(select(videos.c.media).distinct()) if name is not None}
    return named | media_of_vanished(connection)


def _make_room(
    connection: Connection, path: str, replacement: Video | None, released: set[str], but: int | None = None
) -> None:
    """Let the video at a path vanish, or delete it if its replacement has the same content.

    Args:
        connection: The transaction.
        path: The path.
        replacement: A video that was decoded again; None if the content there is another one anyway.
        released: Receives media of a deleted video.
        but: The id of a video that stays.
    """
    here = (videos.c.path == path) & (videos.c.id != (but or 0))
    if replacement is not None:
        _delete_where(connection, here & _same_content(replacement), released)
    vanish(connection, _existing(connection, here), int(time.time()))


def _same_content(video: Video) -> ColumnElement[bool]:
    """Return the condition that a row is of a video's path and, as far as is known, of its content."""
    same = (videos.c.path == video.path) & (videos.c.fingerprint == video.fingerprint)
    return same & videos.c.content_hash.in_(("", video.content_hash)) if video.content_hash else same


def _existing(connection: Connection, condition: ColumnElement[bool]) -> list[int]:
    return list(connection.scalars(select(videos.c.id).where(condition)))


def _delete_where(connection: Connection, condition: ColumnElement[bool], released: set[str]) -> int:
    _release(connection, condition, released)
    return connection.execute(delete(videos).where(condition)).rowcount


def _release(connection: Connection, condition: ColumnElement[bool], released: set[str]) -> None:
    released.update(name for name in connection.scalars(select(videos.c.media).where(condition)) if name is not None)


def same_video(
    connection: Connection, video: Video, video_shots: Sequence[Shot], video_segments: Sequence[Segment]
) -> int | None:
    """Return the id of the video at that path if its content, shots and segments are equal; else None.

    An equal fingerprint is only a hint, unless the hashes are equal too or the file is unchanged.
    """
    stored = connection.execute(select(videos).where(videos.c.path == video.path)).mappings().first()
    if stored is None or stored["fingerprint"] != video.fingerprint:
        return None
    stamps = (stored["size_bytes"], stored["modified_ns"]), (video.size_bytes, video.modified_ns)
    unchanged = is_same_stamp(*stamps)
    hashes = stored["content_hash"], video.content_hash
    if hashes[0] != hashes[1] if all(hashes) else not unchanged:
        return None
    video_id = stored["id"]
    old_shots = connection.execute(select(shots).where(shots.c.video_id == video_id).order_by(shots.c.number))
    old_segments = connection.execute(
        select(segments).where(segments.c.video_id == video_id).order_by(segments.c.number)
    )
    try:
        same = [rows.SHOT.load(row) for row in old_shots.mappings()] == list(video_shots) and _same_cuts(
            [rows.SEGMENT.load(row) for row in old_segments.mappings()],
            video_segments,
            frame=1 / (video.frame_rate * video.time_base),
        )
    except rows.DamagedRow:
        return None
    return int(video_id) if same else None


def _same_cuts(stored: Sequence[Segment], new: Sequence[Segment], *, frame: Fraction) -> bool:
    """Return whether segments hold the same frames.

    Earlier versions let the parts of a long shot begin and end between two frames, before the frame of a bound now.

    Args:
        stored: In the library.
        new: Cut now.
        frame: The length of a frame in pts.
    """

    def bounds(segment: Segment) -> tuple[int, int]:
        return segment.start_pts, segment.end_pts

    return [(each.number, each.shot_number) for each in stored] == [
        (each.number, each.shot_number) for each in new
    ] and all(
        0 <= now - before < frame
        for old, cut in zip(stored, new, strict=True)
        for before, now in zip(bounds(old), bounds(cut), strict=True)
    )


def _inserted_id(connection: Connection, values: dict[str, Any]) -> int:
    added = connection.execute(insert(videos).values(values)).inserted_primary_key
    assert added is not None
    return int(added[0])
