"""The beginning of `train run`: the data of a new run, or of one that goes on, whose videos may have moved."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.commands.train_config import stored_config
from app.commands.train_session import prepared_data, run_footage
from app.compose import Settings
from app.shell.errors import CommandError
from app.shell.exit_codes import MISSING
from app.shell.terminal import count_text, display_path, printable

if TYPE_CHECKING:
    from app.media_workers import MediaWorkers
    from app.tuning.examples import LeftOut
    from app.tuning.preparing import Watch
    from app.tuning.run_data import RunData
    from encoder import Encoder
    from training.configuration import TrainConfig


@dataclass(frozen=True, slots=True)
class BegunRun:
    """What a run is trained on.

    Attributes:
        data: The data.
        left_out: What cannot be trained on, of a new run.
        new: Whether the run is new.
        changed: Whether the data are to be written: of a new run, or of one whose videos have moved.
    """

    data: RunData
    left_out: list[LeftOut]
    new: bool
    changed: bool


def begin_run(
    settings: Settings, config: TrainConfig, encoder: Encoder, path: Path, workers: MediaWorkers, watch: Watch
) -> BegunRun:
    """Return what the run in a folder is trained on: what it began with, or of a new run what its sources say.

    Raises:
        CommandError: Videos of a run that goes on are not where they were.
    """
    from app.tuning.moved import missing, relocated
    from app.tuning.run_data import RunData, read_run_data

    data = read_run_data(path, with_rows=config.stage == "text")
    if data is None:
        prepared = prepared_data(settings, config, encoder, path, watch, workers)
        return BegunRun(prepared.data, prepared.left_out, new=True, changed=True)
    if config.stage == "text":
        return BegunRun(data, [], new=False, changed=False)
    former, examples = stored_config(settings, path)[0].folder, data.examples
    if config.folder != former:
        examples = relocated(examples, former, config.folder)
    if gone := missing(examples, run_footage(examples, config, encoder, path, workers)):
        run = printable(os.path.relpath(path))
        raise CommandError(
            f"{count_text(len(gone), 'video')} of this run {'is' if len(gone) == 1 else 'are'} not there any more, or "
            f"changed, such as {display_path(gone[0])}; if they have moved: prismsearch train run {run} --folder DIR",
            MISSING,
        )
    return BegunRun(RunData(examples, None), [], new=False, changed=examples != data.examples)
