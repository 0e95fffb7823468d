"""`prismsearch bench mine`: how well a library answers a person's own questions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.commands.bench_mine_text import show_comparison, show_result
from app.compose import Settings
from app.shell.errors import CommandError
from app.shell.exit_codes import FAILED, MISSING
from app.shell.interrupt import stopped_code
from app.shell.options import json_option, with_settings
from app.shell.terminal import count_text, display_path, print_json, print_note

if TYPE_CHECKING:
    from app.evaluation.answer_places import PlacedQuestion
    from app.evaluation.own_measures import Measure, Outcome
    from app.evaluation.own_questions import OwnQuestion, QuestionLine, QuestionTable
    from app.evaluation.own_search import OwnResult
    from app.evaluation.shot_ranks import ShotTable
    from db.library import Library
    from encoder import Encoder

_NAMED = 10  # lines without a place that are named

Lacking = list[tuple["QuestionLine", str]]


@click.command(
    epilog="""\b
Examples:
  prismsearch bench mine                                 the questions written on the page
  prismsearch bench mine questions.csv --questions each.csv
  prismsearch bench mine --json > base.json
  prismsearch bench mine --encoder large --against base.json

\b
The file has the columns question, file, start and end: several lines with one question are several
answers, and a line without a file says that nothing like this is in the library. The Questions page
(prismsearch ui) is for writing them while watching.

\b
A hit is right if it and an answer share at least half of the shorter of the two. Ranks are among all
shots, each counted once. Intervals (95 %) are by the bootstrap over videos.

\b
Exit code 0: all questions were asked; 1: some lines name what the library does not have.""",
)
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option(
    "--questions",
    "each",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write a CSV with one line for each question.",
)
@click.option(
    "--against",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Compare with another run, as --json has printed it.",
)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Seed of the intervals.")
@json_option("Print the result as JSON.")
@with_settings
def bench_mine(
    settings: Settings, file: Path | None, each: Path | None, against: Path | None, seed: int, as_json: bool
) -> None:
    """Measure how well your library answers your own questions, in FILE.csv or written on the page."""
    from app.evaluation.own_measures import Outcome, compare, measures_of
    from app.evaluation.own_questions import FILE_NAME, questions_of
    from app.evaluation.own_record import EVALUATION, differences, result_record, table_of
    from app.shell.search_options import SearchOptions, open_search
    from db.records import Filters
    from files.replace import replace_file

    path = settings.library / FILE_NAME if file is None else file
    questions = questions_of(_read(path, given=file is not None).lines)
    if not questions:
        raise CommandError(f"{_shown(path)} has no questions", MISSING)
    before, other = ({}, {}) if against is None else _read_result(against)
    if each is not None:
        _require_replaceable(each)
    with open_search(settings, SearchOptions(top_k=1, threshold=None, filters=Filters())) as (library, encoders, _):
        encoder = encoders.only()
        placed, lacking = _placed(library, questions)
        _note_unread(encoder, [one.question.text for one in placed])
        table, results, unembedded = _search(settings, library, encoder, placed)
        facts = _facts(settings, library, encoder)
    outcomes = [Outcome.of(result) for result in results]
    measures = measures_of(outcomes, seed)
    record: dict[str, Any] = {
        "evaluation": EVALUATION,
        "file": str(path.absolute()),
        **facts,
        "shots": table.shots,
        "videos": table.videos,
        **result_record(results, measures, seed),
        "left_out": _left_out(lacking, unembedded),
    }
    compared: list[Measure] = []
    if against is not None:
        compared, common = compare(outcomes, before, seed)
        record["against"] = {
            "file": str(against.absolute()),
            "encoder": other.get("encoder"),
            "shots": other.get("shots"),
            "differs_in": differences(record, other),
            "questions": common,
            "measures": {measure.name: measure.record() for measure in compared},
        }
    if each is not None:
        replace_file(each, table_of(results))
    _note_left_out(lacking, unembedded)
    if as_json:
        print_json(record)
    else:
        show_result(record, measures)
        if against is not None:
            show_comparison(record["against"], compared)
    if against is not None and other.get("shots") != table.shots:
        print_note(_OTHER_SHOTS)
    if each is not None:
        print_note(f"every question is in {_shown(each)}")
    if lacking or unembedded:
        raise click.exceptions.Exit(FAILED)


def _shown(path: Path) -> str:
    return display_path(str(path.absolute()))


def _left_out(lacking: Lacking, unembedded: Sequence[str]) -> list[dict[str, Any]]:
    lines = [(line.number, line.question, line.file, why) for line, why in lacking]
    lines += [(0, text, "", _UNEMBEDDED) for text in unembedded]
    return [dict(zip(("line", "question", "file", "reason"), line, strict=True)) for line in lines]


def _note_left_out(lacking: Lacking, unembedded: Sequence[str]) -> None:
    for line, why in lacking[:_NAMED]:
        print_note(f"line {line.number} is left out: {why}")
    if len(lacking) > _NAMED:
        print_note(f"... and {len(lacking) - _NAMED:,} lines more (--json has all)")
    if unembedded:
        print_note(f"{count_text(len(unembedded), 'question')} left out: {_UNEMBEDDED}")


_OTHER_SHOTS = (
    "the other run ranked another number of shots, and fewer shots make better ranks: index the same videos for both"
)
_UNEMBEDDED = "no shot of its answers is indexed with this encoder"


def _read(path: Path, *, given: bool) -> QuestionTable:
    from app.evaluation.own_questions import QuestionsError, read_questions

    shown = _shown(path)
    try:
        return read_questions(path, follow_links=given)
    except FileNotFoundError as error:
        if given:
            raise CommandError(f"{shown}: no such file", MISSING) from error
        raise CommandError(
            f"there are no questions in {shown}; write some on the Questions page (prismsearch ui), or name a file",
            MISSING,
        ) from error
    except QuestionsError as error:
        raise CommandError(f"{shown}: {error}", MISSING) from error


def _read_result(path: Path) -> tuple[dict[str, Outcome], dict[str, Any]]:
    from app.evaluation.own_record import read_outcomes

    try:
        return read_outcomes(path)
    except ValueError as error:
        raise CommandError(f"{_shown(path)}: {error}", MISSING) from error


def _require_replaceable(path: Path) -> None:
    """Raise click.UsageError if results cannot be written there, or would replace a file of questions."""
    from app.evaluation.own_questions import QuestionsError, read_questions

    if path.is_dir() or not path.absolute().parent.is_dir():
        raise click.UsageError(f"--questions: {_shown(path)} is no place for a file")
    try:
        read_questions(path)
    except (QuestionsError, OSError):
        return
    raise click.UsageError(
        f"--questions: {_shown(path)} has questions, and would be replaced by their results; name another file"
    )


def _placed(library: Library, questions: Sequence[OwnQuestion]) -> tuple[list[PlacedQuestion], Lacking]:
    """Return the questions that can be asked, and the lines that name what the library does not have."""
    from app.evaluation.answer_places import AnswerPlaces

    finder, asked, lacking = AnswerPlaces(library), [], []
    for question in questions:
        placed, missing = finder.placed(question)
        lacking += missing
        if placed.places or not question.answers:
            asked.append(placed)
    if not asked:
        line, why = lacking[0]
        raise CommandError(f"the library has nothing that the questions name; line {line.number}: {why}", MISSING)
    return asked, sorted(lacking, key=lambda each: each[0].number)


def _note_unread(encoder: Encoder, texts: Sequence[str]) -> None:
    unread = sum(bool(encoder.unread(text)) for text in texts)
    cut = sum(encoder.truncated(texts))
    for count, words in ((unread, "words that the encoder cannot read"), (cut, "more words than the encoder reads")):
        if count:
            print_note(f"{count_text(count, 'question')} with {words}")


def _search(
    settings: Settings, library: Library, encoder: Encoder, placed: Sequence[PlacedQuestion]
) -> tuple[ShotTable, list[OwnResult], list[str]]:
    from app.compose import open_engine
    from app.evaluation.own_search import search_own
    from app.evaluation.shot_ranks import ShotTable
    from app.shell.counted_line import CountedLine
    from app.shell.engine import CalibrationLine
    from app.shell.live_line import LiveLine

    engine = open_engine(settings, library, encoder, on_calibration=CalibrationLine())
    shots = ShotTable(library, encoder.id)
    with LiveLine() as line:
        counted = CountedLine(line, stage="search", text="searching", unit="questions", total=len(placed))
        try:
            results, unembedded = search_own(engine, placed, shots, on_progress=counted.show)
        except KeyboardInterrupt as stop:
            raise CommandError("stopped; nothing was written", stopped_code()) from stop
    return shots, results, unembedded


def _facts(settings: Settings, library: Library, encoder: Encoder) -> dict[str, Any]:
    from app.compose import with_library_encoder
    from app.evaluation.machine import machine_of

    machine = machine_of(with_library_encoder(settings, library), encoder)
    return {
        "library": library.place,
        "library_id": library.id,
        "encoder": encoder.id,
        "notice": encoder.notice,
        "machine": machine.record(),
    }
