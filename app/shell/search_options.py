"""Search options: number of hits and filters. Shared by `search`, `similar` and `export`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click

from app import compose
from app.asked_encoders import AskedEncoders, held_ids, open_asked
from app.compose import Settings
from app.encoder_choice import take_over_former_space
from app.shell.errors import CommandError
from app.shell.exit_codes import MISSING
from app.shell.file_words import require_files
from app.shell.filter_options import filter_options, passes_any, unmatched_facet
from app.shell.notice import limits_hits, print_notice, print_other_text
from app.shell.options import Whole
from app.shell.paths import as_indexed
from app.shell.terminal import display_path
from db.records import Filters
from search.strength import LEVELS

if TYPE_CHECKING:
    from db.library import Library
    from search.chain_query import ChainQuery, Step
    from search.fused import FusedQuery
    from search.query import Duplicates, OwnTerms, Query, TakesOf, Term
    from search.strength import Level
    from search.text.matches import TextPart


_MOST = 1_000_000  # hits


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchOptions:
    """At most `top_k` hits that score at least `threshold` (cosine), among the videos that pass `filters`."""

    top_k: int
    threshold: float | None
    filters: Filters  # `folder` as typed, until `open_search` converts it to the stored spelling
    per_video: int | None = None  # maximum number of hits per video
    duplicates: Duplicates = "stack"  # what becomes of near-duplicates of a better hit
    takes: TakesOf = "stack"  # what becomes of other takes of a better hit
    plain_sum: bool = False  # add terms as they are
    least_level: Level | None = None  # leave out hits that are weaker

    def query(
        self,
        terms: Sequence[Term],
        *,
        leave_out: frozenset[int] = frozenset(),
        exclude_same_shot: bool = False,
        own_terms: OwnTerms | None = None,
    ) -> Query:
        """Build the query for `terms` with these options.

        Args:
            terms: Words, segments and clips with their weights.
            leave_out: Ids of segments to exclude, such as the example itself.
            exclude_same_shot: Leave out the other parts of the shots that segments among `terms` come from.
            own_terms: Those of further encoders, where they take others.

        Raises:
            QueryError: The terms cannot be combined.
        """
        from search.query import Query

        return Query(
            terms=terms,
            filters=self.filters,
            k=self.top_k,
            threshold=self.threshold,
            per_video=self.per_video,
            duplicates=self.duplicates,
            takes=self.takes,
            leave_out=leave_out,
            plain_sum=self.plain_sum,
            least_level=self.least_level,
            exclude_same_shot=exclude_same_shot,
            own_terms=own_terms or {},
        )

    def chain_query(self, steps: Sequence[Step], *, within_seconds: float, any_order: bool) -> ChainQuery:
        """Build the chain query for `steps` with these options, of which `threshold` is for queries only.

        Raises:
            QueryError: The steps cannot be a chain.
        """
        from search.chain_query import ChainQuery

        return ChainQuery(
            steps=steps,
            within_seconds=within_seconds,
            any_order=any_order,
            filters=self.filters,
            k=self.top_k,
            per_video=self.per_video,
            duplicates=self.duplicates,
            plain_sum=self.plain_sum,
            least_level=self.least_level,
        )

    def fused_query(self, texts: Sequence[TextPart], picture: Query | None, *, text_weight: float | None) -> FusedQuery:
        """Build the query for words in text, beside a query for pictures or alone.

        Args:
            texts: At least one.
            picture: Built by `query`; None for text alone.
            text_weight: How much words count beside the picture, 0 to 1; None: as measured.

        Raises:
            QueryError: The weight is out of range.
        """
        from search.fused import TEXT_WEIGHT, FusedQuery

        return FusedQuery(
            texts=texts,
            picture=picture,
            text_weight=TEXT_WEIGHT if text_weight is None else text_weight,
            filters=self.filters,
            k=self.top_k,
            per_video=self.per_video,
        )

    def in_library(self, library: Library) -> SearchOptions:
        """Return the options with their folder in the library's spelling."""
        folder = self.filters.folder
        if folder is None:
            return self
        return replace(self, filters=replace(self.filters, folder=as_indexed(library, folder)))


@contextmanager
def open_search(
    settings: Settings, options: SearchOptions, *, files: Sequence[str] = ()
) -> Iterator[tuple[Library, AskedEncoders, SearchOptions]]:
    """Open the library and its encoders for a search, print their notices, and close the library at the end.

    Args:
        settings: The library and its encoder, or several.
        options: Filters and numbers.
        files: Examples as typed, FILE[@START[-END]], which must be there before the encoder is loaded.

    Yields:
        The library, the encoders, and `options` with the folder in the library's spelling.

    Raises:
        CommandError: Nothing is indexed, or nothing with one of the encoders; a file is not there.
        click.UsageError: A range is not valid.
        LibraryError, EncoderError, WrongSetting: See `app.compose`.
    """
    with compose.open_library(settings) as library:
        require_segments(library)
        require_files(library, files)
        options = options.in_library(library)
        encoders = open_asked(settings, library)
        for encoder in encoders.named:
            take_over_former_space(library, encoder)
        for voice in encoders.voices:
            require_indexed(library, *(each.id for each in voice))
            print_other_text(library, voice[0])
        for encoder in {each.notice: each for each in encoders.named if limits_hits(each)}.values():
            print_notice(encoder, [each.path for each in library.videos()])
        yield library, encoders, options


def search_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add -k, the options of `filter_options`, --per-video, --duplicates, --hide-duplicates, --show-duplicates,
    --takes, --plain-sum, --threshold and --min-strength to a command, which receives `options`, a SearchOptions.
    """

    @click.option(
        "-k", "-n", "--top-k", type=Whole(1, _MOST), default=10, show_default=True, help="Show at most this many hits."
    )
    @filter_options
    @click.option("--per-video", type=Whole(1, _MOST), metavar="N", help="Show at most N hits per video.")
    @click.option(
        "--duplicates",
        type=click.Choice(["stack", "hide", "show"]),
        default="stack",
        show_default=True,
        help="Near-duplicates of a better hit, such as copies: stack them behind that hit, hide them, or show them "
        "on lines of their own.",
    )
    @click.option("--hide-duplicates", is_flag=True, help="Same as --duplicates hide.")
    @click.option("--show-duplicates", is_flag=True, help="Same as --duplicates show.")
    @click.option(
        "--takes",
        type=click.Choice(["stack", "hide", "show"]),
        default="stack",
        show_default=True,
        help="Other takes of a better hit (runs of the same set-up): stack them behind that hit, hide them, or show "
        "them on lines of their own.",
    )
    @click.option(
        "--plain-sum", is_flag=True, help="Add words and examples as they are, without putting them on a common scale."
    )
    @click.option("--threshold", type=float, metavar="SCORE", help="Only hits with at least this score (-1 to 1).")
    @click.option(
        "--min-strength",
        type=click.Choice(LEVELS),
        help="Only hits at least this strong: chance alone gives 1 in 100, 1 in 20, or more.",
    )
    @functools.wraps(command)
    def run(
        *args: Any,
        top_k: int,
        filters: Filters,
        per_video: int | None,
        duplicates: Duplicates,
        hide_duplicates: bool,
        show_duplicates: bool,
        takes: TakesOf,
        plain_sum: bool,
        threshold: float | None,
        min_strength: Level | None,
        **others: Any,
    ) -> Any:
        if hide_duplicates and show_duplicates:
            raise click.UsageError("choose one of --hide-duplicates and --show-duplicates")
        if threshold is not None and not -1 <= threshold <= 1:
            raise click.UsageError("--threshold must be from -1 to 1")
        options = SearchOptions(
            top_k=top_k,
            threshold=threshold,
            filters=filters,
            per_video=per_video,
            duplicates="hide" if hide_duplicates else "show" if show_duplicates else duplicates,
            takes=takes,
            plain_sum=plain_sum,
            least_level=min_strength,
        )
        return command(*args, options=options, **others)

    return run


def nothing_found(library: Library, options: SearchOptions) -> str:
    """Explain in one sentence why there are no hits, and what to change."""
    filters = options.filters
    if filters.folder is not None and not library.videos(filters.folder):
        folder = display_path(filters.folder)
        return f"no hits: no video in {folder} is indexed (prismsearch index {folder})"
    if unmatched := unmatched_facet(library, filters):
        return f"no hits: {unmatched}"
    if filters and not passes_any(library, filters):
        return "no hits: no shots match these filters; widen or remove some"
    if options.least_level not in (None, "weak"):
        return f"no match is {options.least_level}; --min-strength weak shows the best available"
    if options.threshold is not None:
        return f"no hits score {options.threshold:g} or more; lower --threshold"
    if filters:
        return "no hits: only the examples themselves match these filters; widen or remove some"
    return "no hits: nothing else is indexed; index more (prismsearch index FOLDER)"


def require_segments(library: Library) -> None:
    """Raise CommandError for an empty library, before loading an encoder."""
    if not any(row.segments for row in library.encoders()):
        place = display_path(library.name)
        raise CommandError(f"nothing is indexed yet in {place}; index a folder: prismsearch index FOLDER", MISSING)


def require_indexed(library: Library, *encoder_ids: str) -> None:
    """Raise CommandError, naming the library's encoders, if none of these has embedded a segment.

    Args:
        library: The library.
        encoder_ids: An encoder, and those of its quick rows.
    """
    if not any(held_ids(library, [encoder_ids])):
        held = {row.id: row.segments for row in library.encoders() if row.segments}
        raise CommandError(
            f"nothing in {display_path(library.name)} was indexed with {encoder_ids[0]}; it holds "
            f"{', '.join(f'{name} ({segments} parts of shots)' for name, segments in held.items())}. "
            "Search with that encoder, or index with this one (prismsearch index FOLDER --encoder ...)",
            MISSING,
        )
