"""`prismsearch train evaluate`: how well sentences find their clips, with a run or any encoder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.commands.train_outcome import outcome_lines
from app.commands.train_session import train_errors
from app.commands.train_subject import measure, measure_options, open_subject
from app.compose import Settings
from app.shell.exit_codes import FAILED
from app.shell.options import PathWord, with_settings
from app.shell.terminal import count_text, print_json, print_note, printable, table

if TYPE_CHECKING:
    from app.tuning.caption_scores import Direction


@click.command(
    "evaluate",
    epilog="""\b
Examples:
  prismsearch train evaluate zorps --on test.csv
  prismsearch train evaluate base --on test.csv
  prismsearch train evaluate zorps.npz --on test.csv --json

\b
Where the captions name splits, the lines of `test` are used. Clips that RUN was trained on are left out; of a file
nobody knows what it was trained on. R@k is the share of questions whose answer is among the k best; intervals are
95 %, over videos. Rows of the library are used where it has them, else the clips are encoded.""",
)
@click.argument("subject", metavar="RUN|FILE|NAME", type=PathWord())
@measure_options
@with_settings
def train_evaluate(
    settings: Settings,
    subject: str,
    captions: str,
    folder: str | None,
    seed: int,
    yes: bool,
    as_json: bool,
    work: Path,
) -> None:
    """Measure a run, or an encoder by file or name, on captioned clips."""
    from app.tuning.outcome import read_outcome

    with train_errors():
        opened = open_subject(settings, subject, yes=yes)
        found = measure(settings, [opened], captions, folder, work, seed=seed)
    [scores] = found.scores
    outcome = read_outcome(Path(subject)) if opened.known else None
    if as_json:
        about = {"encoder": opened.encoder.id, "text_id": opened.encoder.text_id, "clips": found.clips}
        more = {"rows": "library" if found.stored else "encoded", "unread": found.unread}
        print_json({"subject": subject} | about | scores.record() | more | {"outcome": outcome})
    else:
        rows = "rows of the library" if found.stored else "clips encoded here"
        click.echo(f"{printable(subject)} on {count_text(found.clips, 'clip')} ({rows})")
        for line in table([direction_cells("words to clips", scores.by_words),
                           direction_cells("clips to words", scores.by_clips)], "<><<<>"):  # fmt: skip
            click.echo(f"  {line}")
        for line in [] if outcome is None else outcome_lines(outcome):
            click.echo(line)
    for line in found.unread:
        print_note(line)
    if not opened.known:
        print_note("if it was trained on these clips, this says little about others")
    if found.unread:
        raise click.exceptions.Exit(FAILED)


def direction_cells(name: str, direction: Direction) -> tuple[str, ...]:
    """Return the cells of a direction: how many asked, R@k with intervals, median rank."""
    asked = count_text(len(direction.groups), "question")
    recall = [f"R@{k} {recall_text(direction.recall(k), direction.intervals[k])}" for k in direction.hits]
    return name, asked, *recall, f"MedR {direction.median_rank:g}"


def recall_text(value: float, interval: tuple[float, float] | None) -> str:
    """Return `0.83 (0.75-0.90)`."""
    return f"{value:.3f}" + ("" if interval is None else f" ({interval[0]:.3f}-{interval[1]:.3f})")
