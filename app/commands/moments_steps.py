"""The long steps of `bench moments`, with their progress: indexing the set, finding moments, multiple choice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from app import compose
from app.commands.evaluation_steps import followed, index_followed
from app.compose import Settings
from app.shell.counted_line import CountedLine

if TYPE_CHECKING:
    from app.evaluation.moment_choice import ChoiceResult
    from app.evaluation.moment_questions import MomentQuestion
    from app.evaluation.moment_run import MomentAnswer
    from encoder import Encoder

_NEVER = 1000.0
"""A threshold of the detector `content`, whose values are 255 at most: no cut is found."""


def evaluate_moments(
    settings: Settings,
    encoder: Encoder,
    questions: Sequence[MomentQuestion],
    paths: Mapping[str, str],
    *,
    one_shot: bool,
) -> tuple[list[MomentAnswer], list[tuple[str, str]]]:
    """Index the videos of a set and find the moment of each question in its video.

    Args:
        settings: Of the encoder; their library is the set's own.
        encoder: Encodes segments and windows.
        questions: About videos that have a file.
        paths: Their files, by id.
        one_shot: Take each video for one shot.

    Returns:
        The answers; id and reason of videos that could not be read.

    Raises:
        CommandError: The library stopped the run.
        KeyboardInterrupt: The run was stopped.
    """
    from app.evaluation.moment_run import find_answers
    from app.media_workers import MediaWorkers
    from app.moments import open_finder
    from indexer.settings import IndexSettings

    cuts = IndexSettings(detector="content", detector_options={"threshold": _NEVER}) if one_shot else None
    wanted = {key: path for key, path in paths.items() if key in {each.video for each in questions}}
    workers = MediaWorkers()
    try:
        with followed() as (line, stopped):
            index_followed(settings, encoder, wanted, (line, stopped), cuts=cuts)
            counted = CountedLine(line, stage="moments", text="finding moments", unit="questions", total=len(questions))
            with compose.open_library(settings) as library:
                engine = compose.open_engine(settings, library, encoder)
                return find_answers(
                    engine,
                    open_finder(engine, workers),
                    questions,
                    wanted,
                    on_progress=counted.show,
                    cancelled=stopped,
                )
    finally:
        workers.close()


def evaluate_choice(
    settings: Settings,
    encoder: Encoder,
    questions: Sequence[MomentQuestion],
    paths: Mapping[str, str],
    work: Path,
    precision: str,
    *,
    seed: int,
) -> ChoiceResult:
    """Let clips that are cut by the true times pick their sentences.

    Args:
        settings: Of the encoder.
        encoder: Makes the rows.
        questions: About videos that have a file.
        paths: Their files, by id.
        work: The folder of rows of earlier runs.
        precision: Of the encoder's video tower.
        seed: Of the interval.

    Raises:
        KeyboardInterrupt: The run was stopped.
    """
    from app.evaluation.as_indexed import ReadAsIndexed
    from app.evaluation.moment_choice import run_choice
    from app.evaluation.row_store import RowStore, rows_file
    from app.media_workers import MediaWorkers
    from encoder.protocol import former_id

    workers = MediaWorkers()
    rows = rows_file(work, encoder.id, precision, former_id(encoder))
    total = len({(each.video, moment) for each in questions for moment in each.moments})
    try:
        with followed() as (line, stopped), RowStore(rows, encoder.dim) as store:
            counted = CountedLine(line, stage="clips", text="encoding clips", unit="clips", total=total)
            return run_choice(
                questions,
                paths,
                encoder,
                store,
                ReadAsIndexed(workers),
                seed=seed,
                on_progress=counted.show,
                cancelled=stopped,
            )
    finally:
        workers.close()
