"""`prismsearch bench retrieval`: the public protocol of text-to-video retrieval, on public sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app import compose
from app.commands.retrieval_files import questions_table, result_record
from app.commands.retrieval_report import Evaluated, print_result
from app.compose import Settings
from app.evaluation.datasets.retrieval_sets import RETRIEVAL_SETS, RetrievalSet
from app.shell.errors import CommandError
from app.shell.evaluation_options import work_option
from app.shell.exit_codes import FAILED, MISSING, USAGE
from app.shell.options import Whole, json_option, with_settings
from app.shell.result_file import require_result_file
from app.shell.terminal import count_text, print_json, printable

if TYPE_CHECKING:
    from app.evaluation.datasets.captioned import CaptionedVideo

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(
    "retrieval",
    epilog="""\b
Examples:
  prismsearch bench retrieval --dataset msrvtt --videos MSRVTT/videos --captions MSRVTT_JSFUSION_test.csv
  prismsearch bench retrieval --dataset activitynet --videos activitynet --captions val_1.json
  prismsearch bench retrieval --dataset didemo --videos didemo --captions test_data.json --json
  prismsearch bench retrieval --dataset msvd --videos msvd --captions AllVideoDescriptions.txt --split test_list.txt
  prismsearch bench retrieval --dataset vatex --videos vatex --captions vatex_validation_v1.0.json --questions asked.csv

\b
No data set is downloaded. docs/evaluation.md says which files are read.
Exit code 0: all videos were evaluated; 1: some are missing or cannot be read; 2: usage; 3: there is none, or no
encoder.""",
)
@click.option("--dataset", type=click.Choice(list(RETRIEVAL_SETS)), required=True, help="The set, with its protocol.")
@click.option(
    "--videos",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    metavar="DIR",
    help="Folder with the videos, in any format, also in folders below it; found by their ids.",
)
@click.option(
    "--captions", type=_FILE, required=True, metavar="FILE", help="The captions, as the set distributes them."
)
@click.option("--split", type=_FILE, metavar="FILE", help="A list of the videos to evaluate: an id a line, or JSON.")
@click.option(
    "--own-way/--no-own-way",
    default=False,
    help="Also index the videos as the product does, and rank each by its best segment; encodes every segment.",
)
@click.option(
    "--questions", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write a CSV row per question."
)
@click.option("--seed", type=Whole(0, 2**32 - 1), default=0, show_default=True, help="Seed of the intervals.")
@work_option
@click.option("-y", "--yes", is_flag=True, help="Download a missing model without asking.")
@json_option()
@with_settings
def bench_retrieval(
    settings: Settings,
    dataset: str,
    folder: Path,
    captions: Path,
    split: Path | None,
    own_way: bool,
    questions: Path | None,
    seed: int,
    work: Path,
    yes: bool,
    as_json: bool,
) -> None:
    """Measure an encoder's retrieval on a public set, beside its published figures.

    Each video is read whole, as in the published evaluations: T frames at floor(k * frames / T), the middle square,
    Lanczos. The dot product of a sentence and a video ranks, in both directions.
    """
    from app.commands.fetch_model import open_or_download_encoder
    from app.commands.retrieval_steps import evaluate_set
    from app.evaluation.datasets.video_files import find_by_ids
    from app.evaluation.machine import machine_of
    from app.evaluation.own_way import library_settings
    from app.evaluation.row_store import rows_file
    from app.evaluation.stopwatch import Stopwatch
    from encoder.protocol import former_id
    from files.replace import replace_file

    require_result_file("--questions", questions, (captions, split))
    chosen = RETRIEVAL_SETS[dataset]
    videos, uncaptioned = _captioned(chosen, captions, split)
    files = find_by_ids(folder, [each.id for each in videos], chosen.ids_of)
    if not files.paths:
        raise CommandError(
            f"{printable(str(folder))}: none of the {count_text(len(videos), 'video')} of {printable(captions.name)} "
            "is here; files are found by the ids of the set, whatever their extension",
            MISSING,
        )
    settings = library_settings(_protocol_settings(settings), work, dataset)
    encoder = open_or_download_encoder(settings, yes=yes)
    machine, watch = machine_of(settings, encoder), Stopwatch()
    with watch.measured("wall"):
        there = [each for each in videos if each.id in files.paths]
        result, own = evaluate_set(
            settings,
            encoder,
            there,
            files.paths,
            rows_file(work, encoder.id, machine.precision, former_id(encoder)),
            seed=seed,
            watch=watch,
            own_way=own_way,
        )
    missing = [*((key, "no file") for key in files.missing), *result.unread]
    evaluated = Evaluated(
        name=dataset,
        dataset=chosen,
        wanted=len(videos),
        uncaptioned=len(uncaptioned),
        several=files.several,
        missing=tuple(missing),
        missing_file=_write_missing(work, dataset, missing),
        result=result,
        own_way=own,
        encoder_id=encoder.id,
        frames=encoder.clip_spec.frames,
        size=encoder.clip_spec.size,
        notice=encoder.notice,
        machine=machine,
        seconds=watch.seconds,
        seed=seed,
    )
    if as_json:
        print_json(result_record(evaluated))
    else:
        print_result(evaluated)
    if questions is not None:
        replace_file(questions, questions_table(evaluated))
    if missing:
        raise click.exceptions.Exit(FAILED)


def _captioned(
    chosen: RetrievalSet, captions: Path, split: Path | None
) -> tuple[Sequence[CaptionedVideo], Sequence[str]]:
    """Return the videos of the caption file, or of the split; and the ids of the split without a caption."""
    from app.evaluation.datasets.splits import of_split
    from app.text_files import TextFileError

    try:
        videos = chosen.read(captions)
        return (videos, ()) if split is None else of_split(videos, split, chosen.ids_of)
    except TextFileError as error:
        raise CommandError(str(error), USAGE) from error


def _protocol_settings(settings: Settings) -> Settings:
    """Return settings with the encoder's own frames, as the protocol wants them, whatever the person's library has."""
    if settings.encoder is None:
        with compose.open_existing_library(settings) as library:
            settings = replace(settings, encoder=compose.with_library_encoder(settings, library).encoder)
    return replace(settings, encoder=compose.encoder_name(settings), frames=None, fit=None, still_frames=None)


def _write_missing(work: Path, dataset: str, missing: Sequence[tuple[str, str]]) -> Path | None:
    """Write id and reason of each missing video to a file; return it. If none is missing, remove that of an earlier
    run, and return None."""
    from files.replace import replace_file

    path = work / f"missing-{dataset}.txt"
    if not missing:
        path.unlink(missing_ok=True)
        return None
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, "".join(f"{printable(key)}\t{reason}\n" for key, reason in missing).encode())
    return path
