"""Output of hits: lines for people, JSON and paths for scripts, or a video player."""

from __future__ import annotations

import functools
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeVar

import click

from app.shell.encoder_labels import opinions_text
from app.shell.exit_codes import FAILED
from app.shell.listing import part_text
from app.shell.moment_options import Moments, cut_to_moment, moment_cell, moment_of, moment_record
from app.shell.options import Whole, json_option
from app.shell.result_record import place_fields
from app.shell.terminal import display_path, print_json, print_note, print_paths, printable, table
from app.times import format_timestamp, whole_milliseconds
from db.media_roots import absent_text

if TYPE_CHECKING:
    from db.library import Library
    from db.records import Segment, Video
    from search.chain_query import Chain
    from search.fused import FusedHit
    from search.query import Hit
    from search.strength import Opinion, Strength

Result = TypeVar("Result", "Hit", "Chain", "FusedHit")

Parts = Mapping[int, tuple[int, int]]
"""Which part of its shot each segment is, and of how many: `Library.shot_parts`."""

NO_GOOD_MATCH = "no good match: the closest hits are no stronger than those of unrelated searches"


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """The chosen form of output, and the rank (from 1) of a hit to open in a player."""

    as_json: bool = False
    paths: bool = False
    print0: bool = False
    open_rank: int | None = None


def output_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --json, --paths, --print0 and --open to a command, which receives them as `output`, an Output."""

    @json_option("Print the hits as JSON on standard output (export --from-json reads it).")
    @click.option("--paths", is_flag=True, help="Print only file paths, best first, each once, one per line.")
    @click.option(
        "-0",
        "--null",
        "--print0",
        "print0",
        is_flag=True,
        help="Like --paths, but with a null byte after each, for xargs -0 and names with line breaks.",
    )
    @click.option(
        "--open",
        "open_rank",
        type=Whole(1, 1_000_000),
        metavar="N",
        help="Open hit N in a video player, at its start where the player can do that.",
    )
    @functools.wraps(command)
    def run(*args: Any, as_json: bool, paths: bool, print0: bool, open_rank: int | None, **options: Any) -> Any:
        if as_json + paths + print0 > 1:
            raise click.UsageError("choose one of --json, --paths and --null")
        output = Output(as_json=as_json, paths=paths, print0=print0, open_rank=open_rank)
        return command(*args, output=output, **options)

    return run


def show_hits(
    library: Library,
    hits: Sequence[Hit],
    output: Output,
    question: dict[str, Any],
    *,
    nothing: str,
    moments: Moments | None = None,
) -> None:
    """Print hits of a library in the chosen form, with their moments if these were asked for; see `show_results`."""
    parts = parts_of(library, hits)
    show_results(
        "hits",
        hits,
        output,
        question,
        nothing=nothing,
        record=lambda hit: hit_record(hit, parts, moments),
        lines=lambda each: hit_lines(each, parts, moments),
        to_open=lambda hit: hit if moments is None else cut_to_moment(hit, moments),
    )


def parts_of(library: Library, hits: Iterable[Hit]) -> Parts:
    """Return which parts of their shots hits are."""
    return library.shot_parts(hit.segment.id for hit in hits if hit.segment.id is not None)


def part_of(hit: Hit, parts: Parts) -> tuple[int, int]:
    """Return which part of its shot a hit is, from 1, and of how many. One removed meanwhile counts as a whole shot."""
    return parts.get(hit.segment.id or 0, (1, 1))


def part_mark(hit: Hit, parts: Parts, before: str) -> str:
    """Return `(part 2 of 5)` after `before`; empty for a whole shot."""
    part, count = part_of(hit, parts)
    return f"{before}({part_text(part, count)})" if count > 1 else ""


def show_results(
    name: str,
    results: Sequence[Result],
    output: Output,
    question: dict[str, Any],
    *,
    nothing: str,
    record: Callable[[Result], dict[str, Any]],
    lines: Callable[[Sequence[Result]], list[str]],
    to_open: Callable[[Result], Hit],
) -> None:
    """Print hits or chains in the chosen form.

    Args:
        name, results: The field in JSON, and what goes there, best first.
        output: The chosen form.
        question: Facts about the search, put before the results in JSON.
        nothing: The line to print if there are none.
        record, lines, to_open: Return a result as JSON values, a line for each, and the hit that --open plays.

    Raises:
        click.exceptions.Exit: Code 1 if there are none, as with grep, or none is likely to be what was asked for.
        click.UsageError: The rank of --open is beyond the last one.
    """
    weak = bool(results) and all(is_weak(each) for each in results)
    if weak:
        print_note(NO_GOOD_MATCH)
    if output.as_json:
        print_json({**question, name: [record(each) for each in results]})
    elif output.paths or output.print0:
        print_paths(dict.fromkeys(each.video.path for each in results), null=output.print0)
    else:
        for line in lines(results):
            click.echo(line)
    if not results:
        print_note(nothing)
        raise click.exceptions.Exit(FAILED)
    if output.open_rank is not None:
        if output.open_rank > len(results):
            raise click.UsageError(f"--open {output.open_rank}: there are only {len(results)} hits")
        open_hit(to_open(results[output.open_rank - 1]))
    if weak:
        raise click.exceptions.Exit(FAILED)


def hit_lines(hits: Sequence[Hit], parts: Parts, moments: Moments | None = None) -> list[str]:
    """Return one aligned line for each hit: rank, score, time range, moment if these were asked for, file.

    Of several encoders, what each thinks of it stands after the score. Parts of shots and weak hits are marked.
    """
    rows = []
    several = any(len(hit.opinions) > 1 for hit in hits)
    for hit in hits:
        times, place = shot_cells(hit, parts, weak=is_weak(hit))
        thought = [opinions_text(hit.opinions)] if several else []
        moment = [] if moments is None else [moment_cell(hit, moments)]
        rows.append((str(hit.rank), f"{hit.score:.3f}", *thought, times, *moment, place))
    return table(rows, ">><<" + "<" * (several + (moments is not None)))


def shot_cells(hit: Hit, parts: Parts, *, weak: bool) -> tuple[str, str]:
    """Return the cells of a table that tell a hit's shot: its time range, and its file with all marks."""
    start, end = span_seconds(hit)
    which = part_mark(hit, parts, "  ")
    alike = f"  (+{len(hit.alike):,} alike)" if hit.alike else ""
    set_up = f"{printable(hit.set_up)}: " if hit.set_up else ""
    take = f"  ({set_up}take {hit.take} of {len(hit.takes)})" if hit.take else ""
    faint = ("  (quick)" if hit.is_quick else "") + ("  (weak)" if weak else "")
    gone = "" if os.path.exists(hit.video.path) else "  (offline)"
    times = f"{format_timestamp(start)}-{format_timestamp(end)}"
    return times, display_path(hit.video.path) + which + take + alike + faint + gone


def span_seconds(hit: Hit) -> tuple[Fraction, Fraction]:
    """Return the exact start and end of the hit's segment, in seconds from the first frame shown."""
    return segment_seconds(hit.segment, hit.video)


def segment_seconds(segment: Segment, video: Video) -> tuple[Fraction, Fraction]:
    """Return the exact start and end of a segment, in seconds from the first frame shown."""
    return (
        (segment.start_pts - video.start_pts) * video.time_base,
        (segment.end_pts - video.start_pts) * video.time_base,
    )


def hit_record(hit: Hit, parts: Parts, moments: Moments | None = None) -> dict[str, Any]:
    """Return a hit as JSON values: with its shot, from 0, and which part of it it is, from 1; and its moment, if
    moments were asked for."""
    from app.exporting.lists import identity_record
    from indexer.identity import Identity

    part, count = part_of(hit, parts)
    return {
        **place_fields(hit, *span_seconds(hit)),
        "shot": hit.segment.shot_number,
        "part": part,
        "part_count": count,
        "segment": hit.segment.number,
        "segment_id": hit.segment.id,
        **strength_fields(hit.strength),
        "term_scores": [round(float(score), 6) for score in hit.term_scores],
        "alike": list(hit.alike),
        "take": hit.take,
        "takes": [list(run) for run in hit.takes],
        "set_up": hit.set_up or None,
        **({"opinions": [opinion_record(each) for each in hit.opinions]} if hit.opinions else {}),
        **identity_record(Identity.of(hit.video)),
        **({} if moments is None else {"moment": moment_record(moment_of(hit, moments), hit.video)}),
    }


def is_weak(hit: Hit | Chain | FusedHit) -> bool:
    """Return whether a hit or chain is known to be weak."""
    return hit.strength is not None and hit.strength.level == "weak"


def strength_fields(strength: Strength | None) -> dict[str, Any]:
    """Return a strength as JSON fields, all None without one."""
    if strength is None:
        return {"strength": None, "chance": None, "level": None}
    return {"strength": round(strength.value, 3), "chance": float(f"{strength.chance:.3g}"), "level": strength.level}


def opinion_record(opinion: Opinion) -> dict[str, Any]:
    """Return what one of several encoders thinks of a hit as JSON values."""
    return {"encoder": opinion.encoder_id, **strength_fields(opinion.strength), "quick": opinion.quick}


def open_hit(hit: Hit) -> None:
    """Start a player on the hit's file and leave it running. Without a display, print the hit's location instead."""
    path = hit.video.path
    start = span_seconds(hit)[0]
    if not os.path.exists(path):
        why = absent_text(path, "the file is missing; is its drive connected?")
        print_note(f"cannot open {printable(path)}: {why}")
        return
    if not _named_as_video(path):  # a library made by somebody else could name a program
        print_note(
            f"not opened, because its name is not that of a video: {display_path(path)} at {format_timestamp(start)}"
        )
        return
    command = player_command(path, float(start))
    if command is None and sys.platform == "win32":
        _open_on_windows(path)
        return
    if command is None:
        print_note(f"no display for a video player; the hit is {display_path(path)} at {format_timestamp(start)}")
        return
    import subprocess

    try:
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        print_note(
            f"cannot start {command[0]}: {error.strerror}; the hit is {display_path(path)} at {format_timestamp(start)}"
        )


def player_command(path: str, start_seconds: float) -> list[str] | None:
    """Return the command that plays a file, from `start_seconds` if the player supports it.

    None without a display, and on Windows without a known player, where the file itself is opened.
    """
    graphical = sys.platform in ("darwin", "win32") or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )
    if not graphical:
        return None
    start = f"{whole_milliseconds(start_seconds) / 1000:.3f}"
    if shutil.which("mpv"):
        return ["mpv", f"--start={start}", "--", path]
    if shutil.which("vlc"):
        return ["vlc", f"--start-time={start}", path]
    if sys.platform == "darwin":
        return ["open", path]
    return ["xdg-open", path] if sys.platform != "win32" and shutil.which("xdg-open") else None


def _named_as_video(path: str) -> bool:
    from indexer.media.containers import may_be_video

    try:
        return may_be_video(path)
    except OSError:
        return False


def _open_on_windows(path: str) -> None:
    """Open a file with the program of its kind. No shell is asked, which would run what follows an `&` in a name."""
    if sys.platform == "win32":
        try:
            os.startfile(path)
        except OSError as error:
            print_note(f"cannot open {display_path(path)}: {error.strerror}")
