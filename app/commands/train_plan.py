"""`prismsearch train plan`: what a run would need and change, before anything is trained."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app import compose
from app.commands.train_config import config_options, make_config
from app.commands.train_left_out import left_out_record, say_left_out
from app.commands.train_session import (
    data_watch,
    described_encoder,
    load_parent,
    planned_data,
    run_footage,
    train_errors,
)
from app.compose import Settings
from app.shell.errors import CommandError
from app.shell.exit_codes import FAILED, MISSING
from app.shell.interrupt import stop_on_interrupt
from app.shell.live_line import LiveLine
from app.shell.options import json_option, with_settings
from app.shell.terminal import count_text, print_json, size_text
from app.times import format_duration

if TYPE_CHECKING:
    from app.tuning.plan import LibrarySize, Plan
    from app.tuning.run_data import RunData
    from encoder import Encoder
    from encoder.loading import Parent
    from training.configuration import TrainConfig
    from training.timing import Timed

_STOPPING = "stopping"


@click.command(
    "plan",
    epilog="""\b
Examples:
  prismsearch train plan --captions captions.csv
  prismsearch train plan --captions captions.csv --stage lit --encoder base --steps 4000
  prismsearch train plan --captions captions.csv --measure

\b
The time is computed from the operations of a step and the speed of this machine, or, with --measure, measured by two
steps. Memory and disk are estimates. Nothing is trained or kept.""",
)
@config_options
@click.option("--measure", is_flag=True, help="Take two steps, to measure the time; nothing of them is kept.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask before downloading a model.")
@json_option()
@with_settings
def train_plan(settings: Settings, measure: bool, yes: bool, as_json: bool, **given: Any) -> None:
    """Say what a run would need: time, memory, disk, and what must be indexed again."""
    from app.media_workers import MediaWorkers
    from app.tuning.plan import make_plan
    from training.timing import matrix_flops

    workers = MediaWorkers()
    try:
        with train_errors():
            config, settings = make_config(settings, given)
            encoder = described_encoder(settings, config, yes=yes)
            with LiveLine() as line, stop_on_interrupt(line, _STOPPING) as stopped:
                prepared = planned_data(settings, config, encoder, data_watch(line, stopped))
                data = prepared.data
                if not data.places("train"):
                    say_left_out(prepared.left_out)
                    raise CommandError("nothing is left to train on", MISSING)
                parent = load_parent(config)
                network = parent.network.config
                timed = _timed(config, parent, data, encoder, workers) if measure else None
                plan = make_plan(
                    config,
                    network,
                    data,
                    len(prepared.left_out),
                    encoder if config.stage != "stage2" else None,
                    _library_size(settings),
                    seconds_a_step=None if timed is None else timed.seconds,
                    flops_a_second=matrix_flops(config.loop.device),
                    peak_bytes=None if timed is None else timed.peak_bytes,
                )
    finally:
        workers.close()
    if as_json:
        print_json(plan.record() | {"device": config.loop.device, "not_used": left_out_record(prepared.left_out)})
    else:
        for text in plan_lines(plan, config):
            click.echo(text)
    say_left_out(prepared.left_out)
    if prepared.left_out:
        raise click.exceptions.Exit(FAILED)


def _timed(config: TrainConfig, parent: Parent, data: RunData, encoder: Encoder, workers: Any) -> Timed:
    import tempfile

    from app.tuning.stage_tasks import stage_run
    from training.timing import time_steps

    with tempfile.TemporaryDirectory(prefix="prismsearch-plan-") as folder:
        footage = None
        if config.stage != "text":
            footage = run_footage(data.examples, config, encoder, Path(folder), workers)
        stage = stage_run(config, parent, data, footage)
        return time_steps(stage.task, stage.batches, config.loop.device)


def _library_size(settings: Settings) -> LibrarySize:
    from app.tuning.plan import LibrarySize

    with compose.open_existing_library(settings) as library:
        if library is None:
            return LibrarySize()
        stats = library.stats()
        return LibrarySize(stats.videos, stats.seconds, stats.segments)


def plan_lines(plan: Plan, config: TrainConfig) -> list[str]:
    """Return the plan in sentences."""
    from app.tuning.plan import LONG_SECONDS

    share = plan.trained_parameters / plan.parameters
    lines = [
        f"{plan.stage} on {config.loop.device}: {plan.trained} trained "
        f"({plan.trained_parameters / 1e6:,.1f} M of {plan.parameters / 1e6:,.1f} M parameters, {share:.0%}); "
        f"unchanged: {plan.frozen}",
        f"data: {count_text(plan.clips, 'clip')} to train on, {plan.held_out:,} held out, of "
        f"{count_text(plan.videos, 'video')}; {count_text(plan.captions, 'different caption')}",
    ]
    if plan.cut_captions:
        are = (
            "is longer than the text tower reads and is"
            if plan.cut_captions == 1
            else ("are longer than the text tower reads and are")
        )
        lines.append(f"  {count_text(plan.cut_captions, 'caption')} {are} cut")
    if not plan.held_out:
        lines.append("  nothing is held out, so nothing will tell when it gets worse")
    lines += [
        f"steps: {plan.steps:,} of {count_text(plan.batch, 'clip')}: each clip {plan.epochs:,.1f} times",
        f"time: about {format_duration(plan.seconds)}, {plan.seconds_a_step:.3g} s a step ({_how(plan)})",
        f"memory: about {size_text(plan.memory_bytes)}",
        f"disk: about {size_text(plan.disk_bytes)}; a checkpoint has {size_text(plan.checkpoint_bytes)}",
    ]
    if not plan.index_again:
        lines.append("library: nothing is indexed again; searches calibrate their strengths anew, once")
    elif plan.library_videos:
        again = f"library: all {count_text(plan.library_videos, 'video')} must be indexed again with the result"
        if plan.index_seconds is not None:
            again += f", about {format_duration(plan.index_seconds)} for the encoder alone"
        lines.append(again)
    else:
        lines.append("library: videos must be indexed with the result")
    if plan.stage == "stage2":
        lines.append("the result has no text tower that fits it: train it further with --stage lit to search with it")
    if plan.seconds > LONG_SECONDS:
        lines.append(_advice(plan, config))
    return lines


def _how(plan: Plan) -> str:
    if plan.measured:
        return "measured by two steps"
    return (
        f"computed: {plan.tera_flops_a_step:.3g} TFLOP a step, and {(plan.flops_a_second or 0) / 1e9:,.0f} GFLOP/s here"
    )


def _advice(plan: Plan, config: TrainConfig) -> str:
    if config.loop.device == "cpu":
        other = "use a GPU, or the stage text" if plan.stage != "text" else "use a GPU, or fewer steps"
        return f"a CPU is too slow for this: {other}. A run can be stopped and goes on, but not faster"
    return "this is long: a run can be stopped and goes on; fewer steps or frames make it shorter"
