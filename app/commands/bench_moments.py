"""`prismsearch bench moments`: when in a video something happens, found within shots."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app import compose
from app.commands.moments_report import EvaluatedMoments, answers_table, print_choice, print_moments
from app.compose import Settings
from app.shell.errors import CommandError
from app.shell.evaluation_options import work_option
from app.shell.exit_codes import FAILED, MISSING, USAGE
from app.shell.options import Whole, json_option, with_settings
from app.shell.result_file import require_result_file
from app.shell.terminal import count_text, print_json, printable

if TYPE_CHECKING:
    from app.evaluation.moment_questions import MomentSet

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(
    "moments",
    epilog="""\b
Examples:
  prismsearch bench moments --videos takes --questions takes/questions.csv --one-shot
  prismsearch bench moments --dataset charades-sta --videos Charades_v1_480 --questions charades_sta_test.txt
  prismsearch bench moments --dataset charades-sta --videos Charades_v1_480 --questions charades_sta_test.txt --choice

\b
A table has the columns question, file, start and end, as for bench mine; several lines with one question
about one file are several right answers. No data set is downloaded.

\b
Each question is asked in its own video: the best hit's moment is the answer. --choice is another task by
other papers' rules: clips cut by the true times pick their sentence among those of their video.

\b
Exit code 0: all questions were asked; 1: some videos are missing or cannot be read; 2: usage; 3: there is none,
or no encoder.""",
)
@click.option(
    "--dataset",
    type=click.Choice(["table", "charades-sta"]),
    default="table",
    show_default=True,
    help="What the questions are written in: a table of your own, or the files of a public set.",
)
@click.option(
    "--videos",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    metavar="DIR",
    help="Folder with the videos, also in folders below it; found by their names without extension.",
)
@click.option("--questions", "file", type=_FILE, required=True, metavar="FILE", help="The questions, with times.")
@click.option("--one-shot", is_flag=True, help="Take each video for one shot, whatever cuts it has.")
@click.option("--choice", is_flag=True, help="Multiple choice among the sentences of a video (MC Acc) instead.")
@click.option(
    "--answers", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write a CSV row per question."
)
@click.option("--seed", type=Whole(0, 2**32 - 1), default=0, show_default=True, help="Seed of the intervals.")
@work_option
@click.option("-y", "--yes", is_flag=True, help="Download a missing model without asking.")
@json_option()
@with_settings
def bench_moments(
    settings: Settings,
    dataset: str,
    folder: Path,
    file: Path,
    one_shot: bool,
    choice: bool,
    answers: Path | None,
    seed: int,
    work: Path,
    yes: bool,
    as_json: bool,
) -> None:
    """Measure how well moments within shots are found, with R@1 at intersections over union.

    The videos are indexed into a library of the set, as the product cuts them, and searched one by one.
    """
    from app.commands.fetch_model import open_or_download_encoder
    from app.commands.moments_steps import evaluate_choice, evaluate_moments
    from app.evaluation.datasets.captioned import video_ids
    from app.evaluation.datasets.video_files import find_by_ids
    from app.evaluation.machine import machine_of
    from app.evaluation.own_way import library_settings
    from app.evaluation.stopwatch import Stopwatch
    from files.replace import replace_file

    if choice and one_shot:
        raise click.UsageError("--one-shot cannot be used with --choice, whose clips are cut by the true times")
    require_result_file("--answers", answers, (file,))
    asked = _questions(dataset, file)
    files = find_by_ids(folder, asked.videos, video_ids)
    if not files.paths:
        raise CommandError(
            f"{printable(str(folder))}: none of the {count_text(len(asked.videos), 'video')} of "
            f"{printable(file.name)} is here; files are found by their names, whatever their extension",
            MISSING,
        )
    settings = library_settings(_own_settings(settings), work, f"moments-{dataset}{'-one-shot' if one_shot else ''}")
    encoder = open_or_download_encoder(settings, yes=yes)
    machine, watch = machine_of(settings, encoder), Stopwatch()
    there = [each for each in asked.questions if each.video in files.paths]
    evaluated = EvaluatedMoments(
        name=dataset,
        one_shot=one_shot,
        questions=len(there),
        wanted=len(asked.questions),
        left_out=asked.left_out,
        missing=tuple((key, "no file") for key in files.missing),
        encoder_id=encoder.id,
        text_id=encoder.text_id,
        notice=encoder.notice,
        machine=machine,
        seed=seed,
    )
    with watch.measured("wall"):
        if choice:
            chosen = evaluate_choice(settings, encoder, there, files.paths, work, machine.precision, seed=seed)
            evaluated = evaluated.with_choice(chosen)
        else:
            found, unread = evaluate_moments(settings, encoder, there, files.paths, one_shot=one_shot)
            evaluated = evaluated.with_answers(found, unread)
    evaluated = replace(evaluated, seconds=watch.seconds["wall"])
    if as_json:
        print_json(evaluated.record())
    elif choice:
        print_choice(evaluated)
    else:
        print_moments(evaluated)
    if answers is not None:
        replace_file(answers, answers_table(evaluated))
    if evaluated.missing:
        raise click.exceptions.Exit(FAILED)


def _questions(dataset: str, file: Path) -> MomentSet:
    from app.evaluation.datasets.charades_sta import read_charades_sta
    from app.evaluation.datasets.moment_table import read_moment_table
    from app.text_files import TextFileError

    try:
        return read_charades_sta(file) if dataset == "charades-sta" else read_moment_table(file)
    except TextFileError as error:
        raise CommandError(str(error), USAGE) from error


def _own_settings(settings: Settings) -> Settings:
    """Return settings that name an encoder: the person's library has one, the set's own has none yet."""
    if settings.encoder is not None:
        return settings
    with compose.open_existing_library(settings) as library:
        return replace(settings, encoder=compose.with_library_encoder(settings, library).encoder)
