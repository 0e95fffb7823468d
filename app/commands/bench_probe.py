"""`prismsearch bench probe`: what heads learn from a few examples of each class, on labelled videos."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.commands.bench_behaviour import bench_behaviour, labelled_options, order_of
from app.commands.evaluation_run import evaluation_errors
from app.commands.probe_session import probe_session, unread_lines, unread_record
from app.commands.score_report import figure_text
from app.compose import Settings
from app.shell.evaluation_options import work_option
from app.shell.exit_codes import FAILED
from app.shell.options import Whole, json_option, with_settings
from app.shell.terminal import count_text, print_json, print_note, printable, table

if TYPE_CHECKING:
    from app.evaluation.probe_figures import HeadName
    from app.evaluation.probing import ProbeBench, ProbePlan

HEAD_TEXTS = {"linear": "linear, on rows", "mean": "linear, on mean tokens", "map": "MAP, on tokens"}


def shots_value(ctx: click.Context, param: click.Parameter, value: str) -> tuple[int | None, ...]:
    """Parse --shots: numbers of examples of each class, and `all`."""
    numbers: list[int | None] = []
    for word in value.split(","):
        text = word.strip().lower()
        if text != "all" and not (text.isdecimal() and text.isascii() and 1 <= int(text) <= 100_000):
            raise click.BadParameter(f"{word.strip()!r} is neither a number of examples nor all", ctx, param)
        number = None if text == "all" else int(text)
        if number not in numbers:
            numbers.append(number)
    return tuple(numbers)


def heads_value(ctx: click.Context, param: click.Parameter, value: str) -> tuple[str, ...]:
    """Parse --heads."""
    names = tuple(dict.fromkeys(word.strip().lower() for word in value.split(",")))
    for name in names:
        if name not in HEAD_TEXTS:
            raise click.BadParameter(f"{name!r} is none of {', '.join(HEAD_TEXTS)}", ctx, param)
    return names


@click.command(
    "probe",
    epilog="""\b
Examples:
  prismsearch bench probe clips --labels labels.csv
  prismsearch bench probe clips --labels labels.csv --shots 1,5,10,all --heads linear
  prismsearch bench probe clips --labels labels.csv --shots 10 --published

  prismsearch bench probe --dataset calms21 --videos task1_videos_mp4 --labels task1_classic_classification

\b
For each number of examples of each class, examples are drawn several times from the clips to train on, and
three heads are trained on each draw: a linear one on the rows that searches use, a linear one on the mean
of the tokens, and one that attends to the tokens (MAP). All are tested on the same clips. The table of
labels is that of `probe train`; where it names no splits, half of its groups are the test.
Intervals are 95 %, over draws and groups.

\b
With --dataset, the labels are those of a public data set of animal behaviour, in the layout of its authors,
and each window of its videos is an example: 16 frames (calms21, flyvsfly), 64 (chimpact), 80 (kabr). By
default one draw of 10 examples of each class, linear and map. docs/evaluation.md tells about the sets.""",
)
@labelled_options
@click.option(
    "--shots",
    default="1,5,10",
    metavar="N,N,...",
    callback=shots_value,
    help="Examples of each class to train on, or all; by default 1,5,10.",
)
@click.option("--draws", type=Whole(1, 1000), default=3, metavar="N", help="Draws for each number; by default 3.")
@click.option(
    "--heads",
    default="linear,mean,map",
    metavar="NAMES",
    callback=heads_value,
    help="Heads; by default linear,mean,map.",
)
@click.option("--published", is_flag=True, help="Train MAP heads by the published recipe: Adam 1e-4, 10 epochs.")
@click.option("--multi-label", is_flag=True, help="A clip may have several labels, or none, though here each has one.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, help="Of all chance; by default 0.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask before downloading a model.")
@json_option()
@work_option
@with_settings
def bench_probe(
    settings: Settings,
    folder: str | None,
    labels: str,
    dataset: str | None,
    videos: str | None,
    window: int | None,
    stride: int | None,
    shots: tuple[int | None, ...],
    draws: int,
    heads: tuple[HeadName, ...],
    published: bool,
    multi_label: bool,
    seed: int,
    yes: bool,
    as_json: bool,
    work: Path,
) -> None:
    """Measure heads on the labelled videos of FOLDER, with few examples of each class."""
    from app.evaluation.label_files import read_labels
    from app.evaluation.probing import ProbePlan, run_probe_bench
    from app.evaluation.task import task_of
    from training.heads.map_probe import DEFAULT, PUBLISHED

    began = time.monotonic()
    recipe = PUBLISHED if published else DEFAULT
    plan = ProbePlan(heads=heads, shots=shots, draws=draws, seed=seed, recipe=recipe)
    order = order_of(folder, dataset, videos, labels, window, stride)
    if order is not None:
        if multi_label:
            raise click.UsageError("--multi-label does not go with --dataset")
        bench_behaviour(settings, order, _for_windows(plan), work=work, yes=yes, as_json=as_json)
        return
    assert folder is not None
    with evaluation_errors():  # before a model is opened, or downloaded
        task = task_of(read_labels(labels, folder), multi_label=multi_label)
    with probe_session(settings, work, yes=yes, paths=[folder]) as session:
        found = run_probe_bench(
            task,
            session.encoder,
            session.read,
            plan,
            work=work,
            precision=session.machine.precision,
            watch=session.watch,
        )
        about = session.record()
        machine = session.machine.text()
    seconds = time.monotonic() - began
    if as_json:
        print_json(bench_record(found, plan) | {"seconds": round(seconds, 1), **about})
    else:
        print_bench(found, plan)
        click.echo(f"encoder {about['encoder']}; {machine}; {seconds:.0f} s")
    print_bench_notes(found)
    if found.unread:
        raise click.exceptions.Exit(FAILED)


def _for_windows(plan: ProbePlan) -> ProbePlan:
    """Return the plan with the defaults for data sets: very many windows are not drawn from three times."""
    from dataclasses import replace

    given = click.get_current_context().get_parameter_source
    default = click.core.ParameterSource.DEFAULT
    return replace(
        plan,
        heads=("linear", "map") if given("heads") is default else plan.heads,
        shots=(10,) if given("shots") is default else plan.shots,
        draws=1 if given("draws") is default else plan.draws,
    )


def bench_record(found: ProbeBench, plan: ProbePlan) -> dict[str, Any]:
    """Return JSON values of what a few-shot evaluation found."""
    import dataclasses

    from app.evaluation.task import groups_of
    from training.heads.map_probe import DEFAULT

    task = found.task
    return {
        "classes": list(task.classes),
        "multi_label": task.multi_label,
        "measure": "mean_average_precision" if task.multi_label else "top_1",
        "train": {"examples": len(found.train), "groups": groups_of(found.train)},
        "test": {"examples": len(found.test), "groups": groups_of(found.test)},
        "seed": plan.seed,
        "map_recipe": dataclasses.asdict(plan.recipe or DEFAULT),
        "figures": [each.record() for each in found.figures],
        "groups_in_both": list(found.shared),
        "unread": unread_record(list(found.unread)),
    }


def print_bench(found: ProbeBench, plan: ProbePlan) -> None:
    """Print the figures as a table."""
    from app.evaluation.task import groups_of

    task = found.task
    click.echo(
        f"{count_text(len(task.classes), 'class', 'classes')}; examples from {count_text(len(found.train), 'clip')} of "
        f"{count_text(groups_of(found.train), 'group')}, tested on {count_text(len(found.test), 'clip')} of "
        f"{count_text(groups_of(found.test), 'group')}"
    )
    measure = "mean average precision" if task.multi_label else "top-1"
    rows = [
        (
            HEAD_TEXTS[each.head],
            "all" if each.shots is None else f"{each.shots:,}",
            f"{each.draws:,}",
            f"{each.examples:,.0f}",
            figure_text(each.accuracy),
            f"{each.seconds:.1f} s",
        )
        for each in found.figures
    ]
    header = ("head", "a class", "draws", "clips", measure, "training")
    for line in table(rows, "<>>><>", header=header):
        click.echo(line)


def print_bench_notes(found: ProbeBench) -> None:
    """Print what a reader of the figures must know, on standard error."""
    if found.shared:
        print_note(
            f"{count_text(len(found.shared), 'group')} both in training and in the test, such as "
            f"{printable(found.shared[0])}: the figures say less about others"
        )
    lines: Sequence[str] = unread_lines(list(found.unread))
    for line in lines:
        print_note(line)
