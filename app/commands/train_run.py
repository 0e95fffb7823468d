"""`prismsearch train run`: a stage of training on a person's own footage, which any stop only interrupts."""

from __future__ import annotations

import os
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.commands.train_begin import begin_run
from app.commands.train_config import CONFIG_FILE, config_options, make_config
from app.commands.train_left_out import left_out_record, say_left_out
from app.commands.train_outcome import measured_outcome, outcome_lines
from app.commands.train_processes import training_processes
from app.commands.train_session import (
    clip_cache,
    data_watch,
    described_encoder,
    drawn_ahead,
    load_parent,
    run_footage,
    train_errors,
)
from app.compose import Settings
from app.shell.counted_line import CountedLine
from app.shell.errors import CommandError
from app.shell.exit_codes import FAILED, MISSING
from app.shell.interrupt import stop_on_interrupt
from app.shell.live_line import LiveLine
from app.shell.options import PathWord, json_option, with_settings
from app.shell.terminal import count_text, display_path, print_json, printable
from app.times import format_duration
from files.installed_package import program_version

if TYPE_CHECKING:
    from app.tuning.examples import LeftOut
    from app.tuning.run_data import RunData
    from training.configuration import TrainConfig
    from training.run_result import Progress, RunResult

STOP_FILE = "stop"
_STOPPING = "stopping after this step; the run is saved, and the same command goes on (Ctrl-C again stops at once)"


@click.command(
    "run",
    epilog="""\b
Examples:
  prismsearch train run zorps --captions captions.csv
  prismsearch train run zorps                       go on with it
  prismsearch train run deep --stage lit --captions captions.csv --encoder base --steps 4000
  prismsearch train run deep --config deep.toml --set loop.save_every=100

\b
RUN is a folder: it holds the configuration, the data, the journal and the checkpoints, and nothing else is written.
Videos that have moved are found again by --folder DIR. Several processes: torchrun --no-python prismsearch train run.
Ctrl-C, `prismsearch train stop` or a kill interrupt a run; the same command goes on, on a CPU to the same bits.
docs/training.md has the settings.""",
)
@click.argument("run", metavar="RUN", type=PathWord())
@config_options
@click.option("-y", "--yes", is_flag=True, help="Do not ask before downloading a model.")
@json_option()
@with_settings
def train_run(settings: Settings, run: str, yes: bool, as_json: bool, **given: Any) -> None:
    """Train in the folder RUN, or go on with the run in it."""
    folder = Path(os.path.abspath(run))
    with train_errors():
        _require_folder(folder)
        config, settings = make_config(settings, given, folder)
        _train(settings, config, folder, yes=yes, as_json=as_json)


def _train(settings: Settings, config: TrainConfig, path: Path, *, yes: bool, as_json: bool) -> None:
    from app.media_workers import MediaWorkers
    from app.tuning.run_data import write_run_data
    from app.tuning.stage_tasks import stage_run
    from training.loop import run as train
    from training.process_group import from_first
    from training.run_folder import RunFolder

    encoder = described_encoder(settings, config, yes=yes)
    workers = MediaWorkers()
    with ExitStack() as stack:
        processes = stack.enter_context(training_processes(config.loop.device))
        stack.callback(workers.close)
        line = stack.enter_context(LiveLine())
        stopped = stack.enter_context(stop_on_interrupt(line, _STOPPING))
        begun = None
        if processes.is_first:
            begun = begin_run(settings, config, encoder, path, workers, data_watch(line, stopped))
            line.clear()
            say_left_out(begun.left_out)
        begun = from_first(begun)
        assert begun is not None
        data = begun.data
        parent = load_parent(config)
        shaping = config.shaping() | {"data": data.digest, "parent": parent.digest}
        opened = partial(RunFolder.open, path, shaping, before=config.before())
        if processes.is_first and not begun.new:
            opened()  # before anything relies on data that somebody may have changed
        footage = None if config.stage == "text" else run_footage(data.examples, config, encoder, path, workers)
        stage = stage_run(config, parent, data, footage, rank=processes.rank, processes=processes.count)
        if processes.is_first:
            opened()
            if begun.changed:
                write_run_data(path, data)
            _write_config(path, config)
            (path / STOP_FILE).unlink(missing_ok=True)
            if begun.new:
                line.log(_about(config, data))
        from_first(None)  # the others wait
        folder = opened()
        with drawn_ahead(stage.batches, config, workers) as batches:
            result = train(
                stage.task,
                batches,
                config.loop,
                folder,
                stop=lambda: stopped() or (path / STOP_FILE).exists(),
                on_step=_Steps(line, config),
                on_note=line.log,
                environment={"version": program_version()},
            )
        if processes.is_first:
            (path / STOP_FILE).unlink(missing_ok=True)
        if not result.finished:
            raise KeyboardInterrupt
        if not processes.is_first:
            return
        outcome = measured_outcome(folder, config, data, stage, result)
        clip_cache(path).clear()
    _report(path, config, result, outcome, begun.left_out, as_json=as_json)
    if begun.left_out:
        raise click.exceptions.Exit(FAILED)


def _require_folder(path: Path) -> None:
    """Raise CommandError or RunError if a run cannot be in a folder, before any work."""
    from training.errors import RunError
    from training.run_folder import SETTINGS_FILE, RunFolder

    if not path.parent.is_dir():
        raise CommandError(f"{display_path(str(path))}: there is no folder {display_path(str(path.parent))}", MISSING)
    if path.exists() and not path.is_dir():
        raise CommandError(f"{display_path(str(path))} is a file; name a folder for the run", MISSING)
    begun = (path / SETTINGS_FILE).exists()
    if path.is_dir() and not begun and any(not each.name.startswith(".") for each in path.iterdir()):
        raise CommandError(f"{display_path(str(path))} holds something else; name a new folder", MISSING)
    if begun and RunFolder.existing(path).is_locked():
        raise RunError(f"another process trains in {display_path(str(path))}; wait for it, or stop it")


def _write_config(path: Path, config: TrainConfig) -> None:
    from files.replace import replace_file

    replace_file(path / CONFIG_FILE, config.to_toml().encode("utf-8", "surrogateescape"), durable=True)


def _about(config: TrainConfig, data: RunData) -> str:
    from app.tuning.examples import sides_of

    sides = sides_of(data.examples)
    held = f", {sides['validation']:,} held out" if sides["validation"] else ", none held out"
    return f"training {config.stage} on {count_text(sides['train'], 'clip')}{held}"


class _Steps:
    """Shows steps with the loss and the time left."""

    def __init__(self, line: LiveLine, config: TrainConfig) -> None:
        self._counted = CountedLine(line, stage="train", text="training", unit="steps", total=config.loop.steps)

    def __call__(self, progress: Progress) -> None:
        self._counted.show(progress.step, detail=f"loss {progress.loss:.4f}")


def _report(
    path: Path,
    config: TrainConfig,
    result: RunResult,
    outcome: dict[str, Any],
    left_out: list[LeftOut],
    *,
    as_json: bool,
) -> None:
    best = result.best
    if as_json:
        print_json(
            {
                "run": str(path),
                "stage": config.stage,
                "finished": result.finished,
                "steps": result.step,
                "reason": result.reason,
                "seconds": round(result.seconds, 3),
                "figures": dict(result.figures),
                "best": None if best is None else best.record(),
                "outcome": outcome,
                "left_out": left_out_record(left_out),
            }
        )
        return
    took = f" in {format_duration(result.seconds)}" if result.resumed_from is None else ""
    click.echo(f"{config.stage}: finished after step {result.step:,} of {result.steps:,}{took}: {result.reason}")
    for text in outcome_lines(outcome):
        click.echo(text)
    shown = printable(os.path.relpath(path))
    click.echo(f"next: prismsearch train export {shown} --to {shown}.npz")
