"""Search options: number of hits and filters. Shared by `search`, `similar` and `export`."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import click

from app import compose
from app.compose import Settings
from app.shell.errors import CommandError
from app.shell.exit_codes import MISSING
from app.shell.notice import print_notice
from app.shell.options import seconds_value, since_value, until_value
from app.shell.paths import as_indexed
from app.shell.terminal import display_path
from db.records import Filters, Orientation

if TYPE_CHECKING:
    from db.library import Library
    from encoder import Encoder
    from search.query import Query, Term


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchOptions:
    """At most `top_k` hits that score at least `threshold` (cosine), among the videos that pass `filters`."""

    top_k: int
    threshold: float | None
    filters: Filters  # `folder` as typed, until `open_search` converts it to the stored spelling
    per_video: int | None = None  # maximum number of hits per video
    hide_duplicates: bool = False  # leave out near-duplicates of a better hit

    def query(
        self, terms: Sequence[Term], *, leave_out: frozenset[int] = frozenset(), exclude_same_shot: bool = False
    ) -> Query:
        """Build the query for `terms` with these options.

        Args:
            terms: Words, segments and clips with their weights.
            leave_out: Ids of segments to exclude, such as the example itself.
            exclude_same_shot: Leave out the other parts of the shots that segments among `terms` come from.

        Raises:
            QueryError: The terms cannot be combined.
        """
        from search.near_duplicates import NEAR_DUPLICATE
        from search.query import Query

        return Query(
            terms=terms,
            filters=self.filters,
            k=self.top_k,
            threshold=self.threshold,
            per_video=self.per_video,
            near_duplicates=NEAR_DUPLICATE if self.hide_duplicates else None,
            leave_out=leave_out,
            exclude_same_shot=exclude_same_shot,
        )


@contextmanager
def open_search(settings: Settings, options: SearchOptions) -> Iterator[tuple[Library, Encoder, SearchOptions]]:
    """Open the library and its encoder for a search, print the encoder's notice, and close the library at the end.

    Yields:
        The library, the encoder, and `options` with the folder in the library's spelling.

    Raises:
        CommandError: Nothing is indexed, or nothing with this encoder.
        LibraryError, EncoderError, WrongSetting: See `app.compose`.
    """
    with compose.open_library(settings) as library:
        require_segments(library)
        folder = options.filters.folder
        if folder is not None:
            options = replace(options, filters=replace(options.filters, folder=as_indexed(library, folder)))
        encoder = compose.open_encoder(compose.with_library_encoder(settings, library))
        require_indexed(library, encoder.id)
        if encoder.notice:
            print_notice(encoder, [each.path for each in library.videos()])
        yield library, encoder, options


def search_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add -k, --in, --named, --min-duration, --max-duration, --since, --until, --recorded-since, --recorded-until,
    --min-resolution, --orientation, --threshold, --per-video and --hide-duplicates to a command, which receives them as
    `options`, a SearchOptions.
    """

    @click.option(
        "-k", "-n", "--top-k", type=click.IntRange(min=1), default=10, show_default=True, help="How many hits at most."
    )
    @click.option(
        "--in", "folder", metavar="FOLDER", type=click.Path(), help="Only videos below this folder (or this one file)."
    )
    @click.option(
        "--min-duration", metavar="TIME", callback=seconds_value, help="Only hits at least this long: 5, 5s, 1m30s."
    )
    @click.option("--max-duration", metavar="TIME", callback=seconds_value, help="Only hits at most this long.")
    @click.option(
        "--since",
        metavar="DATE",
        callback=since_value,
        help="Only files changed since: 2025-03-01, '2025-03-01 14:30', yesterday, 7d, 12h, 2w.",
    )
    @click.option(
        "--until", metavar="DATE", callback=until_value, help="Only files changed until then, that day included."
    )
    @click.option(
        "--recorded-since",
        metavar="DATE",
        callback=since_value,
        help="Only videos recorded since, as the file or its name says; dates as for --since.",
    )
    @click.option("--recorded-until", metavar="DATE", callback=until_value, help="Only videos recorded until then.")
    @click.option(
        "--named", "name", metavar="TEXT", help="Only files with this in their name; upper and lower case are the same."
    )
    @click.option(
        "--min-resolution",
        type=click.IntRange(min=1),
        metavar="PIXELS",
        help="Only videos whose shorter side has at least this: 720, 1080, 2160.",
    )
    @click.option(
        "--orientation",
        type=click.Choice(["landscape", "portrait", "square"]),
        help="Only videos of this shape, as they are shown.",
    )
    @click.option("--per-video", type=click.IntRange(min=1), metavar="N", help="At most N hits of one video.")
    @click.option(
        "--hide-duplicates", is_flag=True, help="Leave out what looks almost the same as a better hit, such as copies."
    )
    @click.option("--threshold", type=float, metavar="SCORE", help="Only hits that score at least this (-1 to 1).")
    @functools.wraps(command)
    def run(
        *args: Any,
        top_k: int,
        folder: str | None,
        min_duration: Fraction | None,
        max_duration: Fraction | None,
        since: int | None,
        until: int | None,
        recorded_since: int | None,
        recorded_until: int | None,
        name: str | None,
        min_resolution: int | None,
        orientation: Orientation | None,
        per_video: int | None,
        hide_duplicates: bool,
        threshold: float | None,
        **others: Any,
    ) -> Any:
        if min_duration is not None and max_duration is not None and min_duration > max_duration:
            raise click.UsageError("--min-duration is longer than --max-duration; nothing could match")
        if since is not None and until is not None and since > until:
            raise click.UsageError("--since is later than --until; nothing could match")
        if recorded_since is not None and recorded_until is not None and recorded_since > recorded_until:
            raise click.UsageError("--recorded-since is later than --recorded-until; nothing could match")
        if threshold is not None and not math.isfinite(threshold):
            raise click.UsageError("--threshold must be a number")
        filters = Filters(
            folder=folder,
            min_seconds=None if min_duration is None else float(min_duration),
            max_seconds=None if max_duration is None else float(max_duration),
            since_ns=since,
            until_ns=until,
            recorded_since=None if recorded_since is None else -(-recorded_since // 10**9),
            recorded_until=None if recorded_until is None else recorded_until // 10**9,
            name=name or None,
            min_short_side=min_resolution,
            orientation=orientation,
        )
        options = SearchOptions(
            top_k=top_k,
            threshold=threshold,
            filters=filters,
            per_video=per_video,
            hide_duplicates=hide_duplicates,
        )
        return command(*args, options=options, **others)

    return run


def nothing_found(library: Library, options: SearchOptions) -> str:
    """Explain in one sentence why there are no hits, and what to change."""
    filters = options.filters
    if filters.folder is not None and not library.videos(filters.folder):
        folder = display_path(filters.folder)
        return f"no hits: no video below {folder} is indexed (prismsearch index {folder})"
    if filters:
        return "no hits: no indexed segment passes these filters; widen them or leave some out"
    if options.threshold is not None:
        return f"no hits score {options.threshold:g} or more; lower --threshold"
    return "no hits: nothing is indexed yet (prismsearch index FOLDER)"


def require_segments(library: Library) -> None:
    """Raise CommandError for an empty library, before loading an encoder."""
    if not any(row.segments for row in library.encoders()):
        place = display_path(str(library.directory))
        raise CommandError(f"nothing is indexed yet in {place}; index a folder: prismsearch index FOLDER", MISSING)


def require_indexed(library: Library, encoder_id: str) -> None:
    """Raise CommandError, naming the library's encoders, if this one has embedded no segment."""
    held = {row.id: row.segments for row in library.encoders() if row.segments}
    if encoder_id not in held:
        raise CommandError(
            f"nothing in {display_path(str(library.directory))} was indexed with {encoder_id}; it holds "
            f"{', '.join(f'{name} ({segments} segments)' for name, segments in held.items())}. "
            "Search with that encoder, or index with this one (prismsearch index FOLDER --encoder ...)",
            MISSING,
        )
