"""`prismsearch export`: hits, ranges or a collection as clips and lists, in a folder or one zip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import IO

import click

from app import compose
from app.commands.chain_run import clips_of, files_of, no_chain, typed_query
from app.commands.composing import words_query
from app.commands.export_run import export_collection, run_export
from app.commands.export_selection import find_collection, from_arguments, from_hits, from_json, readable_library
from app.commands.link_run import link_clips, link_option
from app.commands.moment_run import NO_MOMENTS, find_moments
from app.commands.text_run import find_text_hits
from app.compose import Settings
from app.exporting.clip_words import SubtitlePlace, WordsFrom
from app.exporting.merging import merge_overlapping
from app.exporting.request import ClipRequest, ExportMode, ExportOptions, ExportRequest
from app.jobs.orders import ExportOrder
from app.shell.chain_options import ChainOptions, chain_options
from app.shell.clip_options import clip_options
from app.shell.completion_values import complete_collection, complete_files
from app.shell.composing_options import TypedTerms, composing_options
from app.shell.engine import open_engine
from app.shell.errors import NothingDone
from app.shell.file_words import RULE
from app.shell.given_options import given_options
from app.shell.moment_options import cut_to_moment, moments_option
from app.shell.options import json_option, with_settings
from app.shell.search_options import SearchOptions, nothing_found, open_search, search_options
from app.shell.step_order import SteppedCommand
from app.shell.terminal import count_text, print_note
from app.shell.text_options import TypedText, text_options


def ids_value(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> tuple[int, ...] | None:
    """Read --subclips, which may be repeated and may hold several with commas (a callback of click)."""
    try:
        return tuple(int(word) for word in ",".join(value).split(",") if word.strip()) if value else None
    except ValueError as error:
        raise click.BadParameter("separate ids with commas: 3,7,12", ctx, param) from error


@click.command(
    cls=SteppedCommand,
    epilog=f"""\b
Examples:
  prismsearch export "a dog jumping" -k 5 --to clips
  prismsearch export "a dog jumping" --moments --pad 0.5s --to clips
  prismsearch export "spinning" --like film.mp4@80 --not people --to clips
  prismsearch export film.mp4@1:20-1:25 film.mp4@200-210 --to clips --mode copy
  prismsearch export --said '"start the engine"' --to clips
  prismsearch export "a dog jumps" --then "a cat" --to clips --span
  prismsearch search sunset --json > hits.json
  prismsearch export --from-json hits.json --to clips --pad 1s
  prismsearch export --collection Tray --zip tray.zip --mode smart --handles 2s
  prismsearch export --collection Tray --to clips --subtitles track --language en
  prismsearch export --collection Tray --to lists --lists-only --list edl,fcpxml,otio

\b
--mode exact re-encodes and is exact to the frame. smart is just as exact, but re-encodes only the edges
and copies the rest where the codec allows (H.264, HEVC, ProRes, DNxHD ...); elsewhere it works like exact.
copy is quick and lossless, but starts at the key frame before the range and reports how much earlier.
All sound tracks are kept, or those of --audio; a clip starts at the timecode of its first frame.
--subtitles puts what is said in the videos, as far as the library knows it, beside, into or onto the
clips, cut to each clip; burn needs --mode exact. --markers marks it in edit lists.
Lists of the clips are written beside them: CSV and JSON, or those of --list. They give the ranges in the
sources without handles. Nothing is ever overwritten; run the same command again to continue a stopped
export.

{RULE}

\b
--name may contain {{rank}} {{name}} {{source}} {{start}} {{end}} {{score}} {{label}} {{collection}}.

\b
Exit code 0: every clip was written; 1: some were not, or nothing was found; 2: usage; 3: a model,
file or the library is missing.""",
)
@click.argument("what", nargs=-1, metavar="[WORDS... | FILE@START-END...]", shell_complete=complete_files)
@click.option(
    "--to",
    "directory",
    type=click.Path(file_okay=False),
    metavar="DIR",
    help="Folder for the clips; created if it does not exist.",
)
@click.option(
    "--zip", "archive", type=click.Path(dir_okay=False), metavar="FILE", help="Write one zip file instead of a folder."
)
@click.option(
    "--from-json",
    "hits_file",
    type=click.File("rb"),
    metavar="FILE",
    help="Export the hits in the output of search --json or similar --json, or in a clips.json; - reads standard "
    "input.",
)
@click.option(
    "--collection",
    metavar="NAME",
    shell_complete=complete_collection,
    help="Export the subclips of a collection (by name or id) in its order.",
)
@click.option(
    "--subclips",
    "--clips",
    "ids",
    multiple=True,
    metavar="IDS",
    callback=ids_value,
    help="Only these subclips of the collection: 3,7,12.",
)
@clip_options
@composing_options
@text_options
@chain_options
@click.option("--span", is_flag=True, help="With --then: write one clip per hit, from its first step to its last.")
@click.option("--merge", is_flag=True, help="Merge hits that overlap, such as the parts of a long shot, into one clip.")
@moments_option("Cut each hit to its moment, the stretch of its shot that answers best; finding it takes seconds.")
@link_option
@click.option("--lists-only", is_flag=True, help="Write only the lists, no clips.")
@json_option("Print what was written as JSON on standard output.")
@search_options
@with_settings
def export(
    settings: Settings,
    what: tuple[str, ...],
    directory: str | None,
    archive: str | None,
    hits_file: IO[bytes] | None,
    collection: str | None,
    ids: tuple[int, ...] | None,
    mode: ExportMode,
    pad: Fraction | None,
    audio: str,
    pattern: str | None,
    lists: tuple[str, ...] | None,
    subtitles: SubtitlePlace,
    language: str,
    words_from: WordsFrom,
    markers: bool,
    typed: tuple[TypedTerms, ...],
    asked: TypedText,
    chain: ChainOptions,
    span: bool,
    merge: bool,
    moments: bool,
    link: str | None,
    lists_only: bool,
    as_json: bool,
    options: SearchOptions,
) -> None:
    """Export clips into DIR or one zip: the hits of a search for WORDS, hits from a file, file ranges, or a collection.

    Source files are never changed. Ranges need neither a library nor an encoder.
    """
    if sum((bool(what or asked), hits_file is not None, collection is not None, link is not None)) != 1:
        raise click.UsageError(
            "give one of: WORDS to search for (or --said TEXT), FILE@START-END, --from-json FILE, --collection NAME or "
            "--link LINK"
        )
    if any(step != TypedTerms() for step in typed) and (not what or link is not None):
        raise click.UsageError("--like, --not and --not-like can only be used with WORDS to search for")
    if chain.then and not what:
        raise click.UsageError("--then needs WORDS or FILE@START-END before it")
    if chain.then and asked:
        raise click.UsageError("--said, --written and --text cannot be used with --then yet; leave one of them out")
    if span and not (chain.then or link is not None or hits_file is not None):
        raise click.UsageError("--span can only be used with --then TEXT")
    if (directory is None) == (archive is None):
        raise click.UsageError("choose where to write: --to DIR or --zip FILE")
    if merge and collection is not None:
        raise click.UsageError("--merge cannot be used with --collection: its subclips are exported as they are")
    if moments and (chain.then or asked):
        raise click.UsageError(NO_MOMENTS)
    if moments and not (what or link is not None):
        raise click.UsageError("--moments can only be used with WORDS to search for, or with --link")
    if ids is not None and collection is None:
        raise click.UsageError("--subclips can only be used with --collection NAME")
    try:
        how = ExportOptions(
            folder=None if directory is None else Path(directory).absolute(),
            zip=None if archive is None else Path(archive).absolute(),
            mode=mode,
            handles_seconds=pad or Fraction(0),
            name_pattern=pattern,
            audio=audio,
            lists=lists,
            clips=not lists_only,
            subtitles=subtitles,
            language=language.strip(),
            words_from=words_from,
            markers=markers,
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if collection is not None:
        with compose.open_library(settings) as library:
            found = find_collection(library, collection)
        order = ExportOrder(collection=found.id, collection_name=found.name, subclips=ids, options=how)
        export_collection(settings, order, as_json=as_json)
        return
    clips: list[ClipRequest] = []
    if link is not None:
        clips = link_clips(settings, link, span=span, least_level=options.least_level, moments=moments)
    elif not chain.then:
        with readable_library(settings) as library:
            if hits_file is not None:
                clips = from_json(hits_file, library, span=span)
            elif (clips := from_arguments(what, library)) and asked:
                raise click.UsageError("--said, --written and --text go with WORDS to search for, not with files")
            if clips and moments:
                raise click.UsageError("--moments can only be used with WORDS to search for, not with files")
    # Ranges as typed, but with absolute paths.
    again = [f"{clip.path}@{text.rpartition('@')[2]}" for text, clip in zip(what, clips, strict=False)] or what
    if asked:
        clips = text_clips(settings, " ".join(what), typed[0], asked, options)
    elif what and not clips:
        clips = search_hits(settings, " ".join(what), options, chain, typed, span=span, moments=moments)
    if not clips:
        raise NothingDone("there are no hits to export")
    if merge:
        clips = merge_overlapping(clips)
    arguments = [] if hits_file is not None else ["export", *given_options(), "--", *(what if chain.then else again)]
    run_export(settings, ExportRequest.with_options(how, clips, "clips"), arguments=arguments, as_json=as_json)


def search_hits(
    settings: Settings,
    text: str,
    options: SearchOptions,
    chain: ChainOptions,
    typed: Sequence[TypedTerms],
    *,
    span: bool,
    moments: bool = False,
) -> list[ClipRequest]:
    """Return the hits of a search by words, or for chains. End the command with exit code 1 if there are none.

    With `moments`, hits are cut to their moments.
    """
    if not text.strip():
        raise click.UsageError("the words are blank; describe the shot")
    files = files_of((text, *chain.then) if chain.then else (), typed)
    with open_search(settings, options, files=files) as (library, encoders, options):
        engine = open_engine(library, encoders)
        as_typed, options = options, replace(options, least_level=options.least_level or "likely")
        if chain.then:
            query = typed_query(library, encoders, text, chain, options, typed)
            chains = engine.chains(query)
            if not chains:
                raise NothingDone(no_chain(library, encoders, query, options))
            return clips_of(library, chains, span=span)
        asked = words_query(library, encoders, text, typed[0], options)
        hits = engine.search(asked)
        if not hits:
            raise NothingDone(nothing_found(library, options))
        if as_typed.least_level is None and len(hits) < options.top_k:
            every = engine.search(words_query(library, encoders, text, typed[0], as_typed))
            if weak := len(every) - len(hits):
                print_note(f"{count_text(weak, 'weak hit')} left out; --min-strength weak exports these, too")
        hits, found = find_moments(engine, asked, hits) if moments else (hits, {})
        return from_hits([cut_to_moment(hit, found) for hit in hits], library)


def text_clips(
    settings: Settings, words: str, typed: TypedTerms, asked: TypedText, options: SearchOptions
) -> list[ClipRequest]:
    """Return the hits of a search in text, from the word on where only words were found. Else as `search_hits`."""
    options = replace(options, least_level=options.least_level or "likely")
    with find_text_hits(settings, words, typed, asked, options) as found:
        if not found.hits:
            raise NothingDone(found.nothing)
        return from_hits([hit.played for hit in found.hits], found.library)
