"""`prismsearch classify`: which of some classes videos, or the shots of the library, show. No example is needed."""

from __future__ import annotations

from pathlib import Path

import click

from app.commands.classify_output import ClassifyOutput, show_findings
from app.commands.classify_run import ClassifyOrder, classify_files
from app.commands.classify_shots import classify_shots
from app.commands.evaluation_run import evaluation_errors
from app.compose import Settings
from app.shell.evaluation_options import work_option
from app.shell.options import PathWord, Whole, json_option, with_settings
from app.shell.result_file import require_result_file
from search.strength import LEVELS, Level


@click.command(
    epilog="""\b
Examples:
  prismsearch classify clips/ --labels classes.txt           each video as a whole
  prismsearch classify --labels classes.txt                  all shots of the library
  prismsearch classify films/ --by-shot --labels classes.txt the shots of these videos
  prismsearch classify clips/ --labels sports.csv --prompts kinetics --to result.csv
  prismsearch classify --labels classes.txt --only "a dog runs" --min-strength likely -0 | xargs -0 mpv

\b
LABELS has one class a line, as you would say it: "a dog runs", "playing drums". Lines that begin with # are comments;
of a .csv the column label, class or name is read. PROMPTS has one sentence a line, with {} for the class.
A share is that of a softmax over the cosines at temperature 0.01: it compares the classes on the list, and is not a
probability. A level (strong, likely, weak) says how often an unrelated question finds anything as strong here.
Exit code 1: a file cannot be read, or nothing reaches its level; 2: LABELS or PROMPTS is wrong; 3: one is missing.""",
)
@click.argument("paths", nargs=-1, type=PathWord())
@click.option("--labels", required=True, type=PathWord(), metavar="FILE", help="Names of the classes.")
@click.option(
    "--prompts",
    default="default",
    show_default=True,
    metavar="default|kinetics|FILE",
    help="Sentences about a class: `a video of {}.`, the 28 of CLIP for actions of people, or your own.",
)
@click.option("--by-shot", is_flag=True, help="Classify the shots of these videos, which are in the library.")
@click.option("--top", type=Whole(1, 1000), default=3, show_default=True, help="Best classes of each video or shot.")
@click.option("--shots", type=Whole(1, 1_000_000), default=3, show_default=True, help="Shots listed of each class.")
@click.option(
    "--min-strength",
    type=click.Choice(LEVELS),
    help="What is weaker than this for its best class is none of these: chance alone gives 1 in 100, 1 in 20, or more.",
)
@click.option("--only", multiple=True, metavar="CLASS", help="Only what is of this class (may be repeated).")
@json_option("Print the result as JSON on standard output.")
@click.option("--to", type=PathWord(path_type=Path), metavar="FILE", help="Write a line for each video or shot as CSV.")
@click.option("-0", "--null", "print0", is_flag=True, help="Print only the files, with a null byte after each.")
@work_option
@with_settings
def classify(
    settings: Settings,
    paths: tuple[str, ...],
    labels: str,
    prompts: str,
    by_shot: bool,
    top: int,
    shots: int,
    min_strength: Level | None,
    only: tuple[str, ...],
    as_json: bool,
    to: Path | None,
    print0: bool,
    work: Path,
) -> None:
    """Sort the videos at PATHS into the classes in LABELS; without PATHS, the shots of the library.

    Files are read and encoded, and a stopped run goes on where it was. Of the library nothing is read but the rows that
    indexing made. Long shots count in the parts in which they were indexed.
    """
    from app.evaluation.class_names import named_prompts, read_class_names
    from app.evaluation.label_files import clean_label

    if as_json and print0:
        raise click.UsageError("choose one of --json and --null")
    if by_shot and not paths:
        raise click.UsageError(
            "--by-shot needs videos or a folder; without any, all shots of the library are classified"
        )
    with evaluation_errors():
        names, templates = read_class_names(labels), named_prompts(prompts)
        wanted = [clean_label(each) for each in only]
        if unknown := [each for each in wanted if each not in names]:
            raise click.UsageError(f"--only: {unknown[0]!r} is none of the {len(names):,} classes in {labels}")
        if to is not None and to.exists():
            raise click.UsageError(f"{to} is there already; choose another name")
        require_result_file("--to", to)
        order = ClassifyOrder(names, templates, top, work)
        output = ClassifyOutput(as_json, print0, to, shots, min_strength, frozenset(wanted) or frozenset(names))
        with (classify_shots if by_shot or not paths else classify_files)(settings, order, paths) as findings:
            show_findings(findings, output)
