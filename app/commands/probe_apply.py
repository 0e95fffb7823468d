"""`prismsearch probe apply`: what a head says of the videos of a folder, or of every shot of the library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app import compose
from app.commands.evaluation_run import evaluation_errors
from app.commands.probe_session import head_path, probe_session, read_head_for, unread_lines, unread_record
from app.commands.probe_test import chance_cells, chance_columns
from app.compose import Settings
from app.encoder_choice import take_over_former_space
from app.shell.errors import CommandError, NothingDone
from app.shell.evaluation_options import work_option
from app.shell.exit_codes import FAILED, MISSING
from app.shell.options import PathWord, Whole, json_option, with_settings
from app.shell.result_file import require_result_file
from app.shell.terminal import display_path, print_json, print_note, printable
from app.times import format_timestamp

if TYPE_CHECKING:
    from app.evaluation.applied import Classified
    from app.evaluation.encoded import Unread
    from encoder.head_files import HeadFacts


@click.command(
    "apply",
    epilog="""\b
Examples:
  prismsearch probe apply behaviours.npz                   every shot of the library
  prismsearch probe apply behaviours.npz --per video       every video of the library
  prismsearch probe apply behaviours.npz clips --to a.csv  every video of a folder, as a table
  prismsearch probe apply behaviours.npz --class run -k 1  only where `run` is the best class

\b
Over the library, a linear head scores the rows that are stored, without reading a video; a head on tokens
(map) reads every shot again. A shot in several parts, and a video, gets the mean of the probabilities of
its parts.""",
)
@click.argument("head_file", metavar="HEAD.npz", type=PathWord())
@click.argument("folder", required=False, type=PathWord())
@click.option(
    "--per",
    type=click.Choice(["shot", "video"]),
    default="shot",
    help="Over the library: what is classified; by default shots.",
)
@click.option(
    "-k", "best", type=Whole(1, 1000), default=3, metavar="N", help="Number of best classes to show; by default 3."
)
@click.option("--class", "only", metavar="NAME", help="Show only where this class is among the best N.")
@click.option(
    "--to", "target", type=PathWord(), metavar="FILE", help="Write a table (CSV) with the probability of every class."
)
@click.option("-y", "--yes", is_flag=True, help="Do not ask before downloading a model.")
@json_option()
@work_option
@with_settings
def probe_apply(
    settings: Settings,
    head_file: str,
    folder: str | None,
    per: str,
    best: int,
    only: str | None,
    target: str | None,
    yes: bool,
    as_json: bool,
    work: Path,
) -> None:
    """Classify the videos of FOLDER, or the library, with a head."""
    from encoder.head_files import read_head, sidecar_of

    require_result_file("--to", target, (head_file, sidecar_of(Path(head_file))))
    facts = read_head(head_path(head_file)).facts
    if only is not None and only not in facts.classes:
        raise click.UsageError(f"{only!r} is no class of this head: {', '.join(facts.classes)}")
    with evaluation_errors():
        if folder is None:
            found, unread = _library(settings, head_file, facts, per, work, yes=yes)
        else:
            found, unread = _folder(settings, head_file, folder, work, yes=yes)
    shown = [each for each in found if only is None or only in [facts.classes[at] for at, _ in each.best(best)]]
    if target is not None:
        _write_table(Path(target), shown, facts)
        print_note(f"{len(shown):,} lines in {display_path(target)}")
    if as_json:
        print_json(
            {
                "head": head_file,
                "encoder": facts.encoder_id,
                "classes": list(facts.classes),
                "multi_label": facts.multi_label,
                "results": [_record(each, facts, best) for each in shown],
                "unread": unread_record(unread),
            }
        )
    elif target is None:
        for each in shown:
            answers = "  ".join(f"{printable(facts.classes[at])} {chance:.2f}" for at, chance in each.best(best))
            click.echo(f"{_place(each)}  {answers}")
    for line in unread_lines(unread):
        print_note(line)
    if unread:
        raise click.exceptions.Exit(FAILED)
    if not shown:
        raise NothingDone("Nothing was classified." if not found else f"Nowhere is {only} among the best {best}.")


def _folder(
    settings: Settings, head_file: str, folder: str, work: Path, *, yes: bool
) -> tuple[list[Classified], list[Unread]]:
    """Classify every video below a folder as a whole."""
    from app.evaluation.applied import classify_stretches
    from app.evaluation.labelled import Stretch
    from indexer.scan import find_videos

    if not Path(folder).exists():
        raise CommandError(f"there is no {printable(folder)}", MISSING)
    with probe_session(settings, work, yes=yes, paths=[folder]) as session:
        stored = read_head_for(session.encoder, head_file)
        scan = find_videos([folder])
        for problem in scan.problems:
            print_note(f"{display_path(problem.path)}: {problem.reason}")
        maker = session.maker
        found = classify_stretches([Stretch(each.path) for each in scan.files], stored, maker)
        return found, maker.unread


def _library(
    settings: Settings, head_file: str, facts: HeadFacts, per: str, work: Path, *, yes: bool
) -> tuple[list[Classified], list[Unread]]:
    """Classify the shots or the videos of the library."""
    from app.evaluation.applied import classify_rows, classify_segments
    from encoder.head_files import read_head

    with compose.open_library(settings) as library:
        if facts.kind == "linear":
            known = library.encoders()
            space = next((each.id for each in known if facts.encoder_id in (each.id, each.former_id)), None)
            if space is None:
                raise CommandError(
                    f"{printable(head_file)} is for rows of {facts.encoder_id}, and the library has those of "
                    f"{', '.join(each.id for each in known) or 'none'}",
                    MISSING,
                )
            stored = read_head(Path(head_file))
            stored = replace(stored, facts=replace(stored.facts, encoder_id=space))
            return classify_rows(library, stored, per=per), []
        paths = [video.path for video in library.videos()]
        with probe_session(settings, work, yes=yes, paths=paths) as session:
            take_over_former_space(library, session.encoder)
            stored = read_head_for(session.encoder, head_file)
            maker = session.maker
            return classify_segments(library, stored, maker, per=per), maker.unread


def _place(each: Classified) -> str:
    if each.start_seconds is None or each.end_seconds is None:
        return display_path(each.path)
    return f"{display_path(each.path)}@{format_timestamp(each.start_seconds)}-{format_timestamp(each.end_seconds)}"


def _record(each: Classified, facts: HeadFacts, best: int) -> dict[str, Any]:
    return {
        "path": each.path,
        "video_id": each.video_id,
        "shot": each.shot_number,
        "start_seconds": each.start_seconds,
        "end_seconds": each.end_seconds,
        "parts": each.parts,
        "best": [{"class": facts.classes[at], "probability": round(chance, 6)} for at, chance in each.best(best)],
    }


def _write_table(target: Path, found: Sequence[Classified], facts: HeadFacts) -> None:
    from app.timelines.table_file import csv_bytes
    from files.replace import replace_file

    rows: list[dict[str, Any]] = [
        {
            "file": each.path,
            "start": None if each.start_seconds is None else f"{each.start_seconds:.6f}",
            "end": None if each.end_seconds is None else f"{each.end_seconds:.6f}",
            "best": facts.classes[each.best(1)[0][0]],
        }
        | chance_cells(facts.classes, each.probabilities)
        for each in found
    ]
    replace_file(target, csv_bytes(rows, ("file", "start", "end", "best", *chance_columns(facts.classes))))
