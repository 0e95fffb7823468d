"""The clips of an export: ranges of files from arguments, JSON, hits or a collection."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from fractions import Fraction
from typing import IO, TYPE_CHECKING, Any

import click

from app.commands.similar import find_file_range
from app.exporting.request import ClipRequest
from app.exporting.source_facts import SourceFacts
from app.shell.errors import CommandError
from app.shell.exit_codes import MISSING
from app.shell.hits import span_seconds
from app.shell.terminal import printable

if TYPE_CHECKING:
    from db.library import Library
    from db.records import Collection
    from search.query import Hit


def from_arguments(arguments: Sequence[str], library: Library | None) -> list[ClipRequest]:
    """Return the range that each argument names as FILE@START-END.

    Returns:
        The clips; empty if the first argument is not a range, because then the arguments are words to search for.

    Raises:
        CommandError: A file does not exist.
        click.UsageError: Some are ranges and others are not, or a range has no end.
    """
    if not arguments or not _names_a_range(arguments[0]):
        return []
    wanted = []
    for rank, text in enumerate(arguments, 1):
        file_range = find_file_range(library, text)
        if file_range.start_seconds is None or file_range.end_seconds is None:
            raise click.UsageError(
                f"{printable(text)}: say from when to when: FILE@START-END, for example film.mp4@12-15"
            )
        path = os.path.abspath(file_range.path)
        wanted.append(
            ClipRequest(
                path=path, start_seconds=file_range.start_seconds, end_seconds=file_range.end_seconds, rank=rank
            )
        )
    return wanted


def _names_a_range(text: str) -> bool:
    """Return whether the text is an existing file, or one with something after an @. Sentences hardly ever are."""
    return os.path.isfile(text) or any(
        os.path.isfile(text[:at]) for at, character in enumerate(text) if character == "@" and at
    )


def from_json(file: IO[bytes]) -> list[ClipRequest]:
    """Return the hits of `search --json` or `similar --json`, or of a plain list of such records.

    A record needs `path` and the range: `start` and `end` (exact fractions) or `start_seconds` and `end_seconds`.
    Raises click.UsageError for anything else.
    """
    try:
        document = json.load(file)
    except ValueError as error:
        raise click.UsageError(f"--from-json: this is not JSON ({error})") from error
    records = document.get("hits") if isinstance(document, dict) else document
    if not isinstance(records, list):
        raise click.UsageError(
            "--from-json: there is no list of hits in it; make it with prismsearch search ... --json"
        )
    return [_from_record(number, record) for number, record in enumerate(records, 1)]


def _from_record(number: int, record: Any) -> ClipRequest:
    try:
        start, end = (_exact(record, name) for name in ("start", "end"))
        path = record["path"]
        if not isinstance(path, str) or "\0" in path or end <= start or start < 0:
            raise ValueError
        score = record.get("score")
        return ClipRequest(
            path=os.path.abspath(path),
            start_seconds=start,
            end_seconds=end,
            rank=number,
            score=None if score is None else float(score),
        )
    except (KeyError, TypeError, ValueError, ZeroDivisionError, AttributeError, OverflowError) as error:
        raise click.UsageError(
            f"--from-json: hit {number} needs path, start_seconds and end_seconds (after the start)"
        ) from error


def _exact(record: Any, name: str) -> Fraction:
    return Fraction(record[name] if name in record else record[f"{name}_seconds"])


def from_collection(library: Library, collection: Collection, subclip_ids: Sequence[int] | None) -> list[ClipRequest]:
    """Return the subclips of a collection in order; with ids, only those.

    Raises:
        click.UsageError: A subclip with one of these ids is not in the collection.
    """
    subclips = library.collections.subclips(collection.id)
    unknown = set(subclip_ids or ()) - {each.id for each in subclips}
    if unknown:
        raise click.UsageError(
            f"{', '.join(map(str, sorted(unknown)))} is no subclip of {printable(collection.name)} (any more)"
        )
    videos = {path: library.video_at(path) for path in {each.path for each in subclips}}
    return [
        ClipRequest(
            path=each.path,
            start_seconds=(each.start_pts - each.video_start_pts) * each.time_base,
            end_seconds=(each.end_pts - each.video_start_pts) * each.time_base,
            rank=rank,
            name_hint=each.name,
            score=each.score,
            collection=collection.name,
            fingerprint=each.fingerprint,
            note=each.note,
            facts=SourceFacts.of_subclip(each),
            clock_jumps=None if (video := videos[each.path]) is None else video.clock_jumps,
        )
        for rank, each in enumerate(subclips, 1)
        if subclip_ids is None or each.id in subclip_ids
    ]


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
    known = ", ".join(printable(each.name) for each in every[:20]) or "none yet"
    raise CommandError(f"there is no collection {printable(name)!r}; there are: {known}", MISSING)


def from_hits(hits: Sequence[Hit]) -> list[ClipRequest]:
    """Return the segments of hits, in their order."""
    wanted = []
    for hit in hits:
        start, end = span_seconds(hit)
        wanted.append(
            ClipRequest(
                path=hit.video.path,
                start_seconds=start,
                end_seconds=end,
                rank=hit.rank,
                score=round(float(hit.score), 6),
                fingerprint=hit.video.fingerprint,
                facts=SourceFacts.of_video(hit.video),
                clock_jumps=hit.video.clock_jumps,
            )
        )
    return wanted
