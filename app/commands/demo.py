"""`prismsearch demo`: indexing and searching of the bundled videos with the bundled encoder, offline, in a minute."""

from __future__ import annotations

import dataclasses
import json
import shlex
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app import compose
from app.commands.index_run import report_and_exit, run_indexer
from app.commands.index_values import run_options, run_values
from app.compose import Settings, data_directory
from app.jobs.orders import IndexOrder
from app.shell.errors import CommandError
from app.shell.exit_codes import FAILED, MISSING
from app.shell.hits import Parts, hit_lines, hit_record, parts_of, span_seconds
from app.shell.index_report import print_report, report_record
from app.shell.notice import DEMO_LIBRARY
from app.shell.options import json_option, with_settings
from app.shell.terminal import count_text, display_path, print_json
from app.times import format_timestamp

if TYPE_CHECKING:
    from db.library import Library
    from encoder import Encoder
    from search.query import Hit

ROOT = Path(__file__).resolve().parents[2]
QUERIES = 6
HITS = 3


@dataclass(frozen=True, slots=True)
class CaptionedShot:
    """A shot of the demo library and the sentence that describes it (ground truth)."""

    path: str
    start_seconds: float
    end_seconds: float
    caption: str


@click.command(
    epilog="""\b
Examples:
  prismsearch demo
  prismsearch demo --library /tmp/demo     keep its library somewhere else

\b
It has a library of its own: yours is not touched. Exit code 0: most descriptions found their shot
among the first three hits; 1: they did not, or a file failed; 3: a part of the demo is missing.""",
)
@json_option("Print the results as JSON on standard output.")
@with_settings
def demo(settings: Settings, as_json: bool) -> None:
    """Index the bundled demo videos, search them by words and by example, and show how to go on.

    The demo encoder is a small but real VideoPrism, trained on drawn scenes only; it needs no download.
    """
    truth = captioned_shots(DEMO_LIBRARY)
    settings = dataclasses.replace(
        settings,
        library=settings.library if "library" in settings.given else data_directory() / "demo",
        encoder=settings.encoder if "encoder" in settings.given else "demo",
    )
    roots = (str(DEMO_LIBRARY),)
    order = IndexOrder(paths=roots, yes=True)
    with compose.open_existing_library(settings) as known:
        values = run_values(settings, order, known)
    settings = values.settings
    encoder = compose.open_encoder(settings)
    with compose.open_library(settings, create=True) as library:
        if not as_json:
            videos = count_text(len({each.path for each in truth}), "short video")
            click.echo(f"Indexing {videos} in {display_path(str(DEMO_LIBRARY))}")
        report = run_indexer(values, library, encoder, roots, run_options(order), order=order)
        if not report.complete:
            report_and_exit(report, as_json=as_json)
        if not as_json:
            print_report(report)
        results = run_queries(settings, library, encoder, truth, show=not as_json)
    queries = [result for result in results if "query" in result]
    found = sum(result["found_at"] is not None for result in queries)
    if as_json:
        print_json({"index": report_record(report), "queries": results})
    else:
        click.echo(f"\n{found} of {len(queries)} descriptions found their shot among the first {HITS}.")
        for line in next_steps(settings):
            click.echo(line)
    if 2 * found <= len(queries) or report.failed:
        raise click.exceptions.Exit(FAILED)


def captioned_shots(folder: Path) -> list[CaptionedShot]:
    """Read the ground truth of the demo library. Raise CommandError if it is not installed."""
    try:
        files = json.loads((folder / "captions.json").read_text(encoding="utf-8"))["files"]
    except FileNotFoundError as error:
        missing = display_path(str(folder / "captions.json"))
        raise CommandError(f"the demo library is not in this installation: {missing} is missing", MISSING) from error
    return [
        CaptionedShot(str(folder / file["file"]), shot["start_seconds"], shot["end_seconds"], shot["caption"])
        for file in files
        for shot in file["shots"]
    ]


def evenly(shots: Sequence[CaptionedShot], count: int) -> list[CaptionedShot]:
    """Pick `count` shots, spread over all files."""
    return [shots[position * len(shots) // count] for position in range(min(count, len(shots)))]


def run_queries(
    settings: Settings, library: Library, encoder: Encoder, truth: Sequence[CaptionedShot], *, show: bool
) -> list[dict[str, Any]]:
    """Search by some captions, then by the first hit as an example. Print each search with its hits if `show`."""
    from search.query import Query, SegmentTerm, TextTerm

    engine = compose.open_engine(settings, library, encoder)
    results: list[dict[str, Any]] = []
    example: Hit | None = None
    for shot in evenly(truth, QUERIES):
        hits = engine.search(Query(terms=(TextTerm(shot.caption),), k=HITS))
        at = next((hit.rank for hit in hits if matches(hit, shot)), None)
        parts = parts_of(library, hits)
        results.append({"query": shot.caption, "found_at": at, "hits": [hit_record(hit, parts) for hit in hits]})
        if show:
            print_answer(f'prismsearch search "{shot.caption}"', hits, parts, at)
        example = example or next(iter(hits), None)
    if example is not None and example.segment.id is not None:
        hits = engine.search(Query(terms=(SegmentTerm(example.segment.id),), k=HITS))
        start, end = span_seconds(example)
        place = f"{example.video.path}@{format_timestamp(start)}-{format_timestamp(end)}"
        parts = parts_of(library, hits)
        results.append({"like": place, "hits": [hit_record(hit, parts) for hit in hits]})
        if show:
            shown = f"{display_path(example.video.path)}@{format_timestamp(start)}-{format_timestamp(end)}"
            print_answer(f"prismsearch similar {shown}", hits, parts, None)
    return results


def matches(hit: Hit, shot: CaptionedShot) -> bool:
    """Return whether more than half of the hit lies in the shot."""
    start, end = map(float, span_seconds(hit))
    shared = min(end, shot.end_seconds) - max(start, shot.start_seconds)
    return hit.video.path == shot.path and shared > (end - start) / 2


def print_answer(command: str, hits: Sequence[Hit], parts: Parts, at: int | None) -> None:
    """Print the command of a search and its hits; the right one is marked."""
    click.echo(f"\n{command}")
    for hit, line in zip(hits, hit_lines(hits, parts), strict=True):
        click.echo(f"  {line}{'   <- the shot with this caption' if hit.rank == at else ''}")


def next_steps(settings: Settings) -> list[str]:
    """Return the commands to try next: this library by hand, then your own videos with the real encoder."""
    name = program_name()
    library = shlex.quote(str(settings.library))
    return [
        "",
        "Go on with this library:",
        f'  {name} --library {library} search "your words"',
        f"  {name} --library {library} ui               in the browser",
        "Your own videos need the real encoder (a download of about 1 GB, once):",
        f"  {name} fetch-model",
        f"  {name} index ~/Videos",
        f'  {name} search "a dog running on the beach"',
    ]


def program_name() -> str:
    """Return how to run this program from the current directory: by name if it is on the path, else by dev.py."""
    if shutil.which("prismsearch") or not (ROOT / "dev.py").is_file():
        return "prismsearch"
    return f"python3 {'' if Path.cwd() == ROOT else f'{shlex.quote(str(ROOT))}/'}dev.py run"
