"""`prismsearch similar`: search by example, from a file inside or outside the library, or from a picture."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import click

from app import compose
from app.compose import Settings
from app.exporting.sources import is_as_indexed
from app.shell.coverage import note_coverage
from app.shell.errors import CommandError
from app.shell.exit_codes import MISSING
from app.shell.hits import Output, output_options, show_hits
from app.shell.options import with_settings
from app.shell.paths import as_indexed
from app.shell.search_options import SearchOptions, nothing_found, open_search, search_options
from app.shell.terminal import display_path, print_note, printable
from app.times import FileRange, format_timestamp, parse_file_range

if TYPE_CHECKING:
    from db.library import Library
    from db.records import Segment, Video
    from encoder import Encoder
    from search.query import ClipTerm, Hit, SegmentTerm

EXAMPLE_SECONDS = Fraction(8)
"""Length of the example for `FILE@START` if the library has no segment there."""

MOST_SEGMENTS = 64
"""Maximum number of evenly spread segments that represent a whole indexed video."""


@dataclass(frozen=True, slots=True)
class ExampleQuery:
    """Terms of a search by example, and the ids of the example's own segments, which are excluded from the hits."""

    terms: tuple[ClipTerm | SegmentTerm, ...]
    own_ids: frozenset[int]
    description: str


@click.command(
    epilog="""\b
Examples:
  prismsearch similar film.mp4@1:20-1:25        these five seconds
  prismsearch similar film.mp4@80               the segment at 80 s (or 8 seconds from there)
  prismsearch similar clip.mp4                  the whole of a short clip
  prismsearch similar --image photo.jpg -k 3    what looks like a picture

\b
Times: 12.5, 12s, 1m30s, 0:12.5, 00:00:12.500. A name that holds an @ is found as it is.
Exit code 0: hits were found; 1: none; 2: usage; 3: a file, model or the library is missing.""",
)
@click.argument("video", required=False, metavar="VIDEO[@START[-END]]")
@click.option("--image", type=click.Path(), metavar="FILE", help="A picture instead of a video.")
@search_options
@output_options
@with_settings
def similar(settings: Settings, video: str | None, image: str | None, options: SearchOptions, output: Output) -> None:
    """Find shots that look like VIDEO, like a range of it, or like a picture.

    The file may be in the library (then it is left out of the answer, and need not even be there now) or anywhere else.
    """
    if (video is None) == (image is None):
        raise click.UsageError("give a VIDEO (FILE, FILE@START or FILE@START-END) or --image FILE")
    with open_search(settings, options) as (library, encoder, options):
        example = image_example(encoder, image) if image is not None else video_example(library, encoder, video or "")
        hits = hits_like(settings, library, encoder, example, options)
        question: dict[str, Any] = {"like": example.description, "encoder": encoder.id, "notice": encoder.notice}
        question["looked_at"] = note_coverage(library, encoder.id)
        show_hits(hits, output, question, nothing=nothing_found(library, options) if not hits else "")


def hits_like(
    settings: Settings, library: Library, encoder: Encoder, example: ExampleQuery, options: SearchOptions
) -> list[Hit]:
    """Search for the example, excluding its own segments."""
    query = options.query(example.terms, leave_out=example.own_ids)
    return compose.open_engine(settings, library, encoder).search(query)


def image_example(encoder: Encoder, path: str) -> ExampleQuery:
    """Return an example from a picture: a still clip."""
    from indexer.media.clip import read_image
    from search.query import ClipTerm

    _must_exist(path)
    return ExampleQuery((ClipTerm(read_image(path, encoder.clip_spec)),), frozenset(), path)


def video_example(library: Library, encoder: Encoder, text: str) -> ExampleQuery:
    """Return the example named by `FILE[@START[-END]]`.

    If the library has the file, its stored embeddings are used: a start alone means the segment there, no range means
    the whole video. A range that is not exactly one segment is decoded from the file.

    Raises:
        CommandError: The file is neither on disk nor in the library.
        click.UsageError: The range is not valid for this video.
        UnreadableVideo: The file has to be read and cannot be.
    """
    file_range = find_file_range(library, text)
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
        print_note(f"{display_path(path)} is not there now; the segments that overlap the range are used instead")
        return _from_segments(overlapping, own, described)
    return _from_file(encoder, file_range, own)


def find_file_range(library: Library | None, text: str) -> FileRange:
    """Parse `FILE[@START[-END]]`, where FILE is on disk or in the library.

    Raises:
        CommandError: The file is neither on disk nor in the library.
        click.UsageError: The range is not valid.
    """

    def file_exists(path: str) -> bool:
        return os.path.exists(path) or (library is not None and library.video_at(os.path.abspath(path)) is not None)

    try:
        return parse_file_range(text, file_exists)
    except FileNotFoundError as error:
        raise CommandError(
            f"{printable(text)}: there is no such file, and none of that name in the library", MISSING
        ) from error
    except ValueError as error:
        raise click.UsageError(f"{printable(text)}: {error}") from error


def _must_exist(path: str) -> None:
    if not os.path.exists(path):
        raise CommandError(f"{printable(path)}: there is no such file", MISSING)


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


def _spread(segments: Sequence[Segment]) -> list[Segment]:
    step = max(1.0, len(segments) / MOST_SEGMENTS)
    return [segments[int(position * step)] for position in range(min(len(segments), MOST_SEGMENTS))]


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
