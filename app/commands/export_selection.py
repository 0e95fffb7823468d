"""The clips of an export: ranges of files from arguments, JSON, hits or a collection."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from fractions import Fraction
from typing import IO, TYPE_CHECKING, Any

import click

from app import compose
from app.compose import Settings
from app.exporting.collection_clips import collection_clips
from app.exporting.request import ClipRequest
from app.exporting.source_facts import SourceFacts
from app.exporting.sources import Sources, with_copies
from app.root_paths import local_path
from app.shell.errors import CommandError
from app.shell.exit_codes import MISSING
from app.shell.file_words import find_file_range, names_a_file
from app.shell.hits import span_seconds
from app.shell.terminal import count_text, display_path, print_note, printable
from app.times import MAX_SECONDS
from files.json_file import MAX_BYTES, parse_fraction, parse_json
from indexer.identity import Identity

if TYPE_CHECKING:
    from db.library import Library
    from db.records import Collection, Subclip
    from search.query import Hit


@contextmanager
def readable_library(settings: Settings) -> Iterator[Library | None]:
    """Open the library for the duration of a `with` block; yield None if there is none or it cannot be opened.

    Ranges of files are cut without it, too.
    """
    from db.errors import LibraryError

    with ExitStack() as stack:
        library = None
        with suppress(LibraryError):
            library = stack.enter_context(compose.open_existing_library(settings))
        yield library


def from_arguments(arguments: Sequence[str], library: Library | None) -> list[ClipRequest]:
    """Return the range that each argument names as FILE@START-END.

    The file of that name is cut, as it is now; a note says if that is not the one that the library knows. If none is
    there, a copy that the library knows is cut.

    Args:
        arguments: As typed.
        library: None if there is none.

    Returns:
        The clips; empty if no argument is a file, because then the arguments are words to search for.

    Raises:
        CommandError: A file does not exist, or some arguments are files and others are words.
        click.UsageError: A range has no end.
    """
    if not any(names_a_file(each, library) for each in arguments):
        return []
    wanted = []
    for rank, text in enumerate(arguments, 1):
        try:
            file_range = find_file_range(library, text)
        except CommandError as error:
            if names_a_file(text, library):
                raise
            raise CommandError(f"{error.message}; give words or files, not both", MISSING) from error
        if file_range.start_seconds is None or file_range.end_seconds is None:
            raise click.UsageError(
                f"{printable(text)}: give a start and an end: FILE@START-END, for example film.mp4@12-15"
            )
        path = os.path.abspath(file_range.path)
        wanted.append(
            ClipRequest(
                path=path,
                start_seconds=file_range.start_seconds,
                end_seconds=file_range.end_seconds,
                rank=rank,
                identity=_identity_at(library, path),
            )
        )
    sources = Sources()
    for path in dict.fromkeys(each.path for each in wanted):
        request = next(each for each in wanted if each.path == path)
        if os.path.lexists(path):
            if sources.find(request).problem:
                print_note(f"{display_path(path)} is not the file that was indexed; it is cut as it is now")
            wanted = [replace(each, identity=None) if each.path == path else each for each in wanted]
    return wanted if library is None else with_copies(library, wanted)


def _identity_at(library: Library | None, path: str) -> Identity | None:
    """Return the identity of the file that the library has at a path."""
    video = None if library is None else library.video_at(path)
    return None if video is None else Identity.of(video)


def from_json(file: IO[bytes], library: Library | None = None, *, span: bool = False) -> list[ClipRequest]:
    """Return the hits of `search --json` or `similar --json`, the clips of a `clips.json`, or a plain list of records.

    Of chains, as `search --then --json` prints them, the parts are taken, or with `span` each chain as a whole.

    A record needs `path` (or `source`) and the range: `start` and `end` (exact fractions) or `start_seconds` and
    `end_seconds`. `fingerprint`, `content_hash`, `size_bytes` and `modified_ns` say which file it is about; without
    them, it is the one that the library has at that path.

    Args:
        file: JSON.
        library: None if there is none.
        span: See above.

    Raises:
        click.UsageError: It is anything else.
    """
    try:
        document = parse_json(file.read(MAX_BYTES))
    except ValueError as error:
        raise click.UsageError(f"--from-json: this is not JSON ({error})") from error
    records = document
    if isinstance(document, dict):
        records = document.get("hits", document.get("clips", document.get("chains")))
        if not span and "hits" not in document and "chains" in document:
            records = _parts_in_time(document["chains"])
    if not isinstance(records, list):
        raise click.UsageError("--from-json: it contains no list of hits; write it with prismsearch search ... --json")
    wanted = [_from_record(number, record, library) for number, record in enumerate(records, 1)]
    return wanted if library is None else with_copies(library, wanted)


def _parts_in_time(chains: Any) -> list[Any]:
    """Return the parts of chains, as they follow each other. Raise click.UsageError where there are none."""
    try:
        return [part for chain in chains for part in sorted(chain["parts"], key=lambda part: _exact(part, "start"))]
    except (KeyError, TypeError, ValueError, ZeroDivisionError, OverflowError) as error:
        raise click.UsageError(
            "--from-json: a hit has no parts with a start; write the file with search --json"
        ) from error


def _from_record(number: int, record: Any, library: Library | None) -> ClipRequest:
    try:
        start, end = (_exact(record, name) for name in ("start", "end"))
        path = record["path"] if "path" in record else record["source"]
        if not isinstance(path, str) or "\0" in path or end <= start or start < 0:
            raise ValueError
        path, score = os.path.abspath(local_path(path)), record.get("score")
        return ClipRequest(
            path=path,
            start_seconds=start,
            end_seconds=end,
            rank=number,
            score=None if score is None else float(score),
            identity=_stated_identity(record) or _identity_at(library, path),
        )
    except (KeyError, TypeError, ValueError, ZeroDivisionError, AttributeError, OverflowError) as error:
        raise click.UsageError(
            f"--from-json: hit {number} needs path, start_seconds and end_seconds (after the start)"
        ) from error


def _stated_identity(record: Mapping[str, Any]) -> Identity | None:
    """Return the identity that a record states; None if it states none. Raise TypeError for values of other types."""
    texts = [record.get(name) or "" for name in ("fingerprint", "content_hash")]
    numbers = [record.get(name) for name in ("size_bytes", "modified_ns")]
    if not all(isinstance(each, str) for each in texts) or not all(
        each is None or type(each) is int for each in numbers
    ):
        raise TypeError
    if not texts[0]:
        return None
    return Identity(fingerprint=texts[0], content_hash=texts[1], size_bytes=numbers[0], modified_ns=numbers[1])


def _exact(record: Any, name: str) -> Fraction:
    value = parse_fraction(record[name] if name in record else record[f"{name}_seconds"])
    if value > MAX_SECONDS:
        raise ValueError("no video is that long")
    return value


def from_collection(
    library: Library, collection: Collection, subclips: Sequence[Subclip], subclip_ids: Sequence[int] | None
) -> list[ClipRequest]:
    """Return the clips of a collection in order, from its subclips; with ids, only those.

    Raises:
        click.UsageError: A subclip with one of these ids is not in the collection.
    """
    unknown = set(subclip_ids or ()) - {each.id for each in subclips}
    if unknown:
        raise click.UsageError(
            f"{', '.join(map(str, sorted(unknown)))} : no such subclip in {printable(collection.name)} (any more)"
        )
    return collection_clips(library, collection, subclips, subclip_ids)


def find_collection(library: Library, name: str) -> Collection:
    """Return the collection with a name (ignoring case) or an id. Raise CommandError if it does not exist."""
    every = library.collections.all()
    for same in (
        lambda each: each.name == name,
        lambda each: each.name.casefold() == name.strip().casefold(),
        lambda each: str(each.id) == name.strip(),
    ):
        found = next(filter(same, every), None)
        if found is not None:
            return found
    known = ", ".join(printable(each.name) for each in every[:20])
    others = f"choose one of: {known}" if known else "there are none yet"
    raise CommandError(f"there is no collection {printable(name)!r}; {others}", MISSING)


def from_hits(hits: Sequence[Hit], library: Library) -> list[ClipRequest]:
    """Return the segments of hits, in their order, and say how many near-duplicates and takes stand behind them."""
    if behind := sum(len(hit.alike) for hit in hits):
        print_note(
            f"{count_text(behind, 'near-duplicate')} of these hits not exported (--show-duplicates exports all of them)"
        )
    shown = {hit.segment.id for hit in hits}
    if takes := sum(bool(run) and shown.isdisjoint(run) for hit in hits for run in hit.takes):
        print_note(f"{count_text(takes, 'other take')} of these hits not exported (--takes show exports all of them)")
    wanted = []
    for hit in hits:
        start, end = span_seconds(hit)
        wanted.append(
            ClipRequest(
                path=hit.video.path,
                start_seconds=start,
                end_seconds=end,
                rank=hit.rank,
                name_hint=f"{hit.set_up} take {hit.take}" if hit.set_up else "",
                score=round(float(hit.score), 6),
                identity=Identity.of(hit.video),
                facts=SourceFacts.of_video(hit.video),
                clock_jumps=hit.video.clock_jumps,
            )
        )
    return with_copies(library, wanted)
