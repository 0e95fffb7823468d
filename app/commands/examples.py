"""Examples to search with: a file inside or outside the library, a range of it, a picture, or a collection."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, TypeVar

import click

from app.exporting.sources import is_as_indexed
from app.root_paths import local_path
from app.shell.errors import CommandError
from app.shell.exit_codes import MISSING
from app.shell.file_words import find_file_range, no_such_file
from app.shell.paths import as_indexed
from app.shell.terminal import display_path, print_note, printable
from app.times import FileRange, format_timestamp

if TYPE_CHECKING:
    from db.library import Library
    from db.records import Collection, Segment, Video
    from encoder import Encoder
    from search.query import ClipTerm, SegmentTerm

Item = TypeVar("Item")

EXAMPLE_SECONDS = Fraction(8)
"""Length of the example for `FILE@START` if the library has no segment there."""

MOST_SEGMENTS = 64
"""Maximum number of evenly spread segments that represent a whole indexed video, and of subclips a collection."""


@dataclass(frozen=True, slots=True)
class ExampleQuery:
    """Terms of a search by example, and the ids of the example's own segments, which are excluded from the hits."""

    terms: tuple[ClipTerm | SegmentTerm, ...]
    own_ids: frozenset[int]
    description: str


def image_example(encoder: Encoder, path: str) -> ExampleQuery:
    """Return an example from a picture: a still clip."""
    from indexer.media.clip import read_image
    from search.query import ClipTerm

    _must_exist(path)
    return ExampleQuery((ClipTerm(read_image(path, encoder.clip_spec)),), frozenset(), path)


def file_example(library: Library, encoder: Encoder, text: str) -> ExampleQuery:
    """Return the example named by `FILE[@START[-END]]`, or the picture of that name. Raises as `video_example` does."""
    from indexer.media.still import read_picture

    text = local_path(text)
    if os.path.isfile(text) and library.video_at(os.path.abspath(text)) is None and read_picture(text) is not None:
        return image_example(encoder, text)
    return video_example(library, encoder, text)


def collection_example(library: Library, encoder: Encoder, collection: Collection) -> ExampleQuery:
    """Return the subclips of a collection as one example. The terms have the same weight, and the weights sum to 1.

    Raises:
        CommandError: There are none, or the file of one is neither on disk nor in the library.
        UnreadableVideo: A file has to be read and cannot be.
    """
    subclips = library.collections.subclips(collection.id)
    if not subclips:
        raise CommandError(
            f"the collection {printable(collection.name)} is empty; add shots to it on the page", MISSING
        )
    ranges = [
        FileRange(
            each.path,
            (each.start_pts - each.video_start_pts) * each.time_base,
            (each.end_pts - each.video_start_pts) * each.time_base,
        )
        for each in _spread(subclips)
    ]
    examples = [_range_example(library, encoder, each) for each in ranges]
    terms = [replace(term, weight=term.weight / len(examples)) for each in examples for term in each.terms]
    own = frozenset().union(*(each.own_ids for each in examples))
    return ExampleQuery(tuple(terms), own, f"the collection {collection.name}")


def video_example(library: Library, encoder: Encoder, text: str) -> ExampleQuery:
    """Return the example named by `FILE[@START[-END]]`.

    If the library has the file, its stored embeddings are used: a start alone means the segment there, no range means
    the whole video. A range that is not exactly one segment is decoded from the file.

    Raises:
        CommandError: The file is neither on disk nor in the library.
        click.UsageError: The range is not valid for this video.
        UnreadableVideo: The file has to be read and cannot be.
    """
    return _range_example(library, encoder, find_file_range(library, text))


def _range_example(library: Library, encoder: Encoder, file_range: FileRange) -> ExampleQuery:
    path = as_indexed(library, file_range.path)
    video = library.video_at(path)
    if video is not None and os.path.exists(path) and not is_as_indexed(video):
        print_note(f"{display_path(path)} is not the file that was indexed; it is read as it is now")
        video = None
    indexed = [] if video is None else _embedded_segments(library, encoder, video)
    if video is None or not indexed:
        return _from_file(encoder, file_range, frozenset())
    described = _described(file_range)
    if file_range.start_seconds is None:
        return _from_segments(_spread(indexed), {_id(each) for each in indexed}, described)
    length = Fraction(video.end_pts - video.start_pts) * video.time_base
    if file_range.start_seconds >= length:
        wanted = format_timestamp(file_range.start_seconds)
        raise click.UsageError(f"{display_path(path)} ends at {format_timestamp(length)}, before {wanted}")
    start = file_range.start_seconds / video.time_base + video.start_pts
    if file_range.end_seconds is None:
        there = [each for each in indexed if each.start_pts <= start < each.end_pts]
        if there:
            return _from_segments(there[:1], {_id(each) for each in there}, described)
        return _from_file(encoder, file_range, frozenset())
    end = file_range.end_seconds / video.time_base + video.start_pts
    overlapping = [each for each in indexed if each.start_pts < end and each.end_pts > start]
    own = frozenset(_id(each) for each in overlapping)
    # Half a frame, because times copied from our own output are rounded to milliseconds.
    near = max(Fraction(1, 1000), 1 / (2 * video.nominal_rate)) / video.time_base
    exact = [each for each in overlapping if abs(each.start_pts - start) <= near and abs(each.end_pts - end) <= near]
    if exact:
        return _from_segments(exact[:1], own, described)
    if not os.path.exists(path) and overlapping:
        print_note(f"{display_path(path)} is offline; the indexed shots that overlap the range are used instead")
        return _from_segments(overlapping, own, described)
    return _from_file(encoder, file_range, own)


def _must_exist(path: str) -> None:
    if not os.path.exists(path):
        raise no_such_file(path, None)


def _described(file_range: FileRange) -> str:
    if file_range.start_seconds is None:
        return file_range.path
    end = "" if file_range.end_seconds is None else f"-{format_timestamp(file_range.end_seconds)}"
    return f"{file_range.path}@{format_timestamp(file_range.start_seconds)}{end}"


def _embedded_segments(library: Library, encoder: Encoder, video: Video) -> list[Segment]:
    """Return a video's segments, or none if the encoder has not embedded them: it embeds all of a video or none."""
    assert video.id is not None
    segments = library.segments_of(video.id)
    try:
        library.embedding_rows(encoder.id, map(_id, segments))
    except KeyError:
        return []
    return segments


def _id(segment: Segment) -> int:
    assert segment.id is not None, "the library gives every segment an id"
    return segment.id


def _spread(items: Sequence[Item]) -> list[Item]:
    from search.even import even_places

    return [items[at] for at in even_places(len(items), MOST_SEGMENTS)]


def _from_segments(segments: Sequence[Segment], own_ids: set[int] | frozenset[int], description: str) -> ExampleQuery:
    from search.query import SegmentTerm

    terms = tuple(SegmentTerm(_id(each), weight=1 / len(segments)) for each in segments)
    return ExampleQuery(terms, frozenset(own_ids), description)


def _from_file(encoder: Encoder, file_range: FileRange, own_ids: frozenset[int]) -> ExampleQuery:
    from indexer.media.clip import read_clip
    from search.query import ClipTerm

    _must_exist(file_range.path)
    start, end = file_range.start_seconds, file_range.end_seconds
    if start is not None and end is None:
        end = start + EXAMPLE_SECONDS
    try:
        clip = read_clip(
            file_range.path,
            encoder.clip_spec,
            start_seconds=None if start is None else float(start),
            end_seconds=None if end is None else float(end),
        )
    except ValueError as error:  # the range, not the file
        raise click.UsageError(f"{printable(_described(file_range))}: {error}") from error
    return ExampleQuery((ClipTerm(clip),), own_ids, _described(file_range))
