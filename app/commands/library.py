"""`prismsearch list` and `info`: the contents of the library."""

from __future__ import annotations

import os
from datetime import datetime
from typing import TYPE_CHECKING

import click

from app import compose
from app.compose import Settings
from app.shell.errors import CommandError
from app.shell.exit_codes import FAILED, MISSING
from app.shell.file_words import no_such_file
from app.shell.listing import (
    failure_record,
    part_record,
    part_text,
    range_text,
    status_of,
    video_record,
    words_records,
    words_texts,
)
from app.shell.options import PathWord, json_option, with_settings
from app.shell.paths import as_indexed
from app.shell.terminal import (
    count_text,
    display_path,
    print_json,
    print_note,
    print_paths,
    printable,
    size_text,
    table,
)
from app.shell.vanished_list import print_vanished
from app.times import format_duration
from indexer.missing_files import is_below

if TYPE_CHECKING:
    from db.library import Library
    from db.records import Failure, Video


@click.command(
    "list",
    epilog="""\b
Examples:
  prismsearch list                     every video
  prismsearch list ~/Videos/football   those in a folder
  prismsearch list --failed            files that could not be indexed, and why
  prismsearch list --missing --paths   files that were deleted or whose drive is not connected
  prismsearch list --vanished          files that vanished and whose records are kept for a while

\b
Status: ok; missing: the file cannot be found now; changed: it is not the file that was indexed
(index the folder again); failed: it could not be indexed.""",
)
@click.argument("folder", required=False, type=PathWord())
@click.option("--failed", is_flag=True, help="Only files that could not be indexed.")
@click.option("--missing", is_flag=True, help="Only videos whose file is missing.")
@click.option("--vanished", is_flag=True, help="Only vanished files, whose records are kept in case they come back.")
@click.option("--paths", is_flag=True, help="Print only file paths, one per line.")
@click.option(
    "-0",
    "--null",
    "null",
    is_flag=True,
    help="Like --paths, but with a null byte after each, for names with line breaks.",
)
@json_option()
@with_settings
def list_videos(
    settings: Settings,
    folder: str | None,
    failed: bool,
    missing: bool,
    vanished: bool,
    paths: bool,
    null: bool,
    as_json: bool,
) -> None:
    """List videos with their length, shots, status and file; only those in FOLDER, if given."""
    if failed + missing + vanished > 1:
        raise click.UsageError("choose one of --failed, --missing and --vanished")
    if as_json and (paths or null):
        raise click.UsageError("choose one of --json, --paths and --null")
    with compose.open_library(settings) as library:
        below = None if folder is None else as_indexed(library, folder)
        if vanished:
            print_vanished(library, below, paths=paths, null=null, as_json=as_json)
            return
        videos = (
            [] if failed else [each for each in library.videos(below) if not missing or status_of(each) == "missing"]
        )
        failures = (
            [] if missing else [each for each in library.failures() if below is None or is_below(each.path, below)]
        )
        if paths or null:
            print_paths([*(video.path for video in videos), *(failure.path for failure in failures)], null=null)
        elif as_json:
            counts = _counts(library)
            records = [
                video_record(each, shots=shots, segments=segments)
                for each in videos
                for shots, segments in (counts.get(each.id, (0, 0)),)
            ]
            print_json([*records, *map(failure_record, failures)])
        else:
            _print_list(library, videos, failures)
            if not videos and not failures:
                print_note(
                    "nothing to list"
                    if folder or failed or missing
                    else "nothing is indexed yet: prismsearch index FOLDER"
                )


def _print_list(library: Library, videos: list[Video], failures: list[Failure]) -> None:
    if not videos:
        for line in table([(display_path(each.path), printable(each.reason)) for each in failures], "<<"):
            click.echo(line)
        return
    counts = _counts(library)
    rows = [
        [
            format_duration(video.duration_seconds),
            f"{counts.get(video.id, (0, 0))[0]}",
            status_of(video),
            display_path(video.path),
        ]
        for video in videos
    ]
    rows += [["", "", "failed", f"{display_path(failure.path)}: {printable(failure.reason)}"] for failure in failures]
    if rows:
        for line in table(rows, ">><<", header=["length", "shots", "status", "file"]):
            click.echo(line)


def _counts(library: Library) -> dict[int | None, tuple[int, int]]:
    """Return the numbers of shots and segments by video, in a few queries however many videos there are."""
    return {each.video.id: (each.shots, each.segments) for each in library.overview()}


@click.command(
    epilog="""\b
Examples:
  prismsearch info holiday.mp4
  prismsearch info holiday.mp4 --json""",
)
@click.argument("video", type=PathWord())
@json_option()
@with_settings
def info(settings: Settings, video: str, as_json: bool) -> None:
    """Show what is known about VIDEO: its facts, where its words come from, its shots and the parts of long shots."""
    with compose.open_library(settings) as library:
        path = as_indexed(library, video)
        found = library.video_at(path)
        if found is None or found.id is None:
            failure = next((each for each in library.failures() if each.path == path), None)
            if failure is not None:
                raise CommandError(
                    f"{printable(path)} could not be indexed: {failure.reason} (prismsearch retry tries again)", FAILED
                )
            if not os.path.lexists(path):
                raise no_such_file(video, library)
            raise CommandError(f"{printable(path)} is not in the library; prismsearch index adds it", MISSING)
        shots, segments = library.shots(found.id), library.segments_of(found.id)
        sources = library.texts.sources(found.id)
        quick = any(each.video_id == found.id for each in library.quick.videos())
        if as_json:
            record = video_record(found, shots=len(shots), segments=len(segments))
            record["quick"] = quick
            record["words"] = words_records(sources)
            record["shots"] = [part_record(found, shot) for shot in shots]
            record["segments"] = [
                {**part_record(found, each), "id": each.id, "shot": each.shot_number} for each in segments
            ]
            print_json(record)
            return
        facts = [*_facts(found), *(("words", text) for text in words_texts(sources))]
        if quick:
            facts.insert(2, ("quick", "indexed by its key frames; prismsearch index FOLDER makes the full pass"))
        for line in table(facts, "<<"):
            click.echo(line)
        click.echo()
        parts: dict[int, list[str]] = {}
        for segment in segments:
            parts.setdefault(segment.shot_number, []).append(range_text(found, segment))
        rows = []
        for shot in shots:
            rows.append([str(shot.number + 1), range_text(found, shot), ""])
            cut = parts.get(shot.number, [])
            if len(cut) > 1:
                rows += [["", each, part_text(part, len(cut))] for part, each in enumerate(cut, 1)]
        for line in table(rows, "><<", header=["shot", "from-to", ""]):
            click.echo(line)


def _facts(video: Video) -> list[tuple[str, str]]:
    kept = "" if not video.damaged else f", decoding went on past {count_text(video.damaged, 'error')}"
    rotated = f", rotated by {video.rotation} degrees" if video.rotation else ""
    modified = datetime.fromtimestamp(video.modified_ns / 1e9).astimezone()
    return [
        ("file", printable(video.path)),
        ("status", status_of(video)),
        ("length", f"{format_duration(video.duration_seconds)} ({count_text(video.frames, 'frame')}{kept})"),
        (
            "picture",
            f"{video.width} x {video.height}{rotated}, {float(video.nominal_rate):.6g} frames/s, {video.codec}",
        ),
        ("sound", "yes" if video.has_audio else "no"),
        ("size", f"{size_text(video.size_bytes)}, changed {modified:%Y-%m-%d %H:%M}"),
    ]
