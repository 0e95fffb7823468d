"""`prismsearch takes`: the takes that were found, and the names that people give them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from app import compose
from app.compose import Settings
from app.shell.errors import CommandError
from app.shell.exit_codes import MISSING, USAGE
from app.shell.file_words import find_file_range
from app.shell.hits import segment_seconds
from app.shell.options import with_settings
from app.shell.terminal import count_text, display_path, print_json, print_note, printable, table
from app.times import format_timestamp

if TYPE_CHECKING:
    from db.library import Library
    from db.records import Segment, Video
    from search.takes.stacking import Takes

_EXAMPLES = """\b
Examples:
  prismsearch takes list
  prismsearch takes list --json
  prismsearch takes name kitchen_2.mp4@12 "Kitchen, wide\""""


@click.group(
    epilog=_EXAMPLES
    + """

\b
`index` finds takes after its run. The name of takes is that of a collection that holds them: it can be
changed, deleted and exported there. Takes have the name of any collection that holds takes of one set-up
and nothing else.""",
)
def takes() -> None:
    """Show the takes that were found: shots of one set-up, run more than once. Give them a name."""


@takes.command(name="list", epilog=_EXAMPLES)
@click.option("--json", "as_json", is_flag=True, help="Print JSON on standard output.")
@with_settings
def list_takes(settings: Settings, as_json: bool) -> None:
    """List the takes of each set-up, in the order of recording."""
    with compose.open_library(settings) as library:
        found = _every(library)
        names = library.collections.names_of([runs for runs, _ in found])
        there = library.segments([each for runs, _ in found for run in runs for each in run])
    records = [(name, runs) for name, (runs, _) in zip(names, found, strict=True)]
    if as_json:
        print_json([{"name": name or None, "takes": _record(runs, there)} for name, runs in records])
        return
    rows = []
    for number, (name, runs) in enumerate(records, 1):
        for take, run in enumerate(runs, 1):
            segment, video = there[run[0]]
            start, end = segment_seconds(segment, video)
            copies = f"  (+{len(run) - 1:,} alike)" if len(run) > 1 else ""
            times = f"{format_timestamp(start)}-{format_timestamp(end)}"
            rows.append((str(number), printable(name), f"take {take}", times, display_path(video.path) + copies))
    for line in table(rows, "><<><"):
        click.echo(line)
    if not records:
        print_note("no takes were found; prismsearch index looks for them after its run")


@takes.command(epilog=_EXAMPLES)
@click.argument("shot", metavar="FILE@TIME")
@click.argument("name")
@with_settings
def name(settings: Settings, shot: str, name: str) -> None:
    """Give the takes of a set-up a name, or another one. FILE@TIME is a moment in one of them."""
    with compose.open_library(settings) as library:
        segment_id = _shot_at(library, shot)
        runs = next((runs for runs, members in _every(library) if segment_id in members), None)
        if runs is None:
            raise CommandError(f"{printable(shot)}: no other takes of this shot were found", MISSING)
        try:
            named = library.collections.name_takes(runs, name)
        except ValueError as error:
            raise CommandError(str(error), USAGE) from error
    click.echo(f"{count_text(len(runs), 'take')} are called {printable(named.name)} now, as is their collection")


def _every(library: Library) -> list[tuple[Takes, frozenset[int]]]:
    """Return the takes of each set-up, in the order of recording, and all segments that show it."""
    from app.takes import stored_set_ups
    from search.takes.stacking import takes_of

    set_ups = stored_set_ups(library)
    there = sorted(library.segments(sorted(set_ups)))
    found = takes_of(library, set_ups, there, lambda _: True, once=True)
    return [(runs, frozenset(each for run in runs for each in run)) for runs in found.values()]


def _shot_at(library: Library, text: str) -> int:
    """Return the segment at a moment of a video. Raise CommandError or click.UsageError where there is none."""
    place = find_file_range(library, text)
    video = library.video_at(os.path.abspath(place.path))
    if place.start_seconds is None:
        raise click.UsageError(f"{printable(text)}: give a moment: FILE@TIME, for example film.mp4@12")
    if video is None or video.id is None:
        raise CommandError(f"{printable(text)}: not in the library; prismsearch index adds it", MISSING)
    for segment in library.segments_of(video.id):
        start, end = segment_seconds(segment, video)
        if start <= place.start_seconds < end and segment.id is not None:
            return segment.id
    raise CommandError(f"{printable(text)}: the video has no shot at that time", MISSING)


def _record(runs: Takes, there: dict[int, tuple[Segment, Video]]) -> list[list[dict[str, Any]]]:
    """Return takes as JSON values: for each, the shots that show it."""
    return [
        [
            {
                "path": there[each][1].path,
                "start_seconds": float(segment_seconds(*there[each])[0]),
                "end_seconds": float(segment_seconds(*there[each])[1]),
                "segment_id": each,
            }
            for each in run
        ]
        for run in runs
    ]
