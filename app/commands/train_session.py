"""The common part of the commands of `train`: errors, progress, the network and the data of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app import compose
from app.commands.fetch_model import open_or_download_encoder
from app.commands.train_config import stored_config
from app.compose import Settings
from app.shell.counted_line import CountedLine
from app.shell.errors import CommandError
from app.shell.exit_codes import MISSING, USAGE
from app.shell.live_line import LiveLine
from app.shell.terminal import printable

if TYPE_CHECKING:
    from app.media_workers import MediaWorkers, ReadMedia
    from app.tuning.examples import Example
    from app.tuning.footage import ClipCache, Footage
    from app.tuning.preparing import Prepared, Watch
    from app.tuning.run_data import RunData
    from app.tuning.stage_tasks import StageRun
    from encoder import Encoder
    from encoder.loading import Parent
    from training.batches import BatchSource
    from training.configuration import TrainConfig
    from training.run_folder import RunFolder

_CACHE_BYTES = 20 << 30
_CLIPS_FOLDER = ".clips"
_TEXTS = {"files": ("looking at files", "captions"), "clips": ("reading clips", "clips")}


@contextmanager
def train_errors() -> Iterator[None]:
    """Turn what is wrong with a person's files, settings or run into one line, and Cancelled into a stop."""
    from app.text_files import TextFileError
    from app.tuning.footage import UnreadableClip
    from app.tuning.stage_tasks import NotTrainable
    from indexer.media.errors import Cancelled
    from training.errors import ConfigurationError, RunError, SettingsDiffer, TrainingError

    try:
        yield
    except (TextFileError, ConfigurationError, NotTrainable, SettingsDiffer) as error:
        raise CommandError(str(error), USAGE) from error
    except (RunError, TrainingError) as error:
        raise CommandError(str(error), MISSING) from error
    except UnreadableClip as error:
        advice = "repair the file, or leave it out of the captions of a new run"
        raise CommandError(f"{printable(str(error))}; {advice}", MISSING) from error
    except Cancelled as stop:
        raise KeyboardInterrupt from stop


def existing_run(name: str) -> RunFolder:
    """Return the run in a folder. Raise CommandError if there is none."""
    from training.errors import RunError
    from training.run_folder import RunFolder

    try:
        return RunFolder.existing(Path(name))
    except RunError as error:
        advice = "begin another run" if is_run(name) else "`prismsearch train run` makes one"
        raise CommandError(f"{printable(str(error))}; {advice}", MISSING) from error


def is_run(name: str) -> bool:
    """Return whether a name is that of the folder of a run."""
    from training.run_folder import SETTINGS_FILE

    return (Path(name) / SETTINGS_FILE).is_file()


def described_encoder(settings: Settings, config: TrainConfig, *, yes: bool) -> Encoder:
    """Return the encoder of a configuration, downloaded if the person agrees. It is loaded when it encodes."""
    return open_or_download_encoder(settings, yes=yes, needs_text=config.stage not in ("stage1", "stage2"))


def load_parent(config: TrainConfig) -> Parent:
    """Return the network of a configuration, to train it."""
    from encoder import loading

    try:
        return loading.load_parent(config.encoder)
    except ValueError as error:
        raise compose.WrongSetting(str(error)) from error


def prepared_data(
    settings: Settings, config: TrainConfig, encoder: Encoder, run: Path, watch: Watch, read: ReadMedia
) -> Prepared:
    """Return the data of a new run.

    Args:
        settings: With the library.
        config: The configuration.
        encoder: Whose rows or clips.
        run: The folder of the run, for clips that are read.
        watch: Follows the work.
        read: Calls what reads files.

    Raises:
        TextFileError: The file of captions is wrong.
        LibraryError: The library is missing or cannot be read.
        Cancelled: It was stopped.
    """
    from app.tuning import preparing
    from app.tuning.footage import readable
    from app.tuning.run_data import RunData

    planned = planned_data(settings, config, encoder, watch)
    if config.stage == "text":
        return planned
    examples, missing = planned.data.examples, planned.left_out
    footage = run_footage(examples, config, encoder, run, read)
    kept, unreadable = readable(
        footage, examples, lambda done, total: watch.on_progress("clips", done, total), watch.cancelled
    )
    return preparing.Prepared(RunData(kept, None), missing + unreadable)


def planned_data(settings: Settings, config: TrainConfig, encoder: Encoder, watch: Watch) -> Prepared:
    """Return the data of a new run, without a look into the videos.

    Raises:
        TextFileError, LibraryError, Cancelled: As `prepared_data`.
    """
    from app.tuning import preparing
    from app.tuning.captions_file import read_captions
    from app.tuning.examples import divide
    from app.tuning.guard_file import read_guard
    from app.tuning.run_data import RunData

    captioned = read_captions(config.captions, config.folder) if config.captions else []
    share, seed = config.validation, config.loop.seed
    if config.stage == "text":
        guard = read_guard(config.guard_file) if config.guard_file else ()
        with compose.open_library(settings) as library:
            return preparing.rows_of_library(library, encoder.id, captioned, share=share, seed=seed, guard=guard)
    if captioned:
        examples, missing = preparing.captioned_clips(captioned, watch)
    else:
        with compose.open_library(settings) as library:
            examples, missing = preparing.shots_of_library(library, config.folder or None)
    return preparing.Prepared(RunData(divide(examples, share, seed), None), missing)


def run_footage(
    examples: Sequence[Example], config: TrainConfig, encoder: Encoder, run: Path, read: ReadMedia
) -> Footage:
    """Return the clips of examples as an encoder sees them, kept in the folder of the run while it goes on."""
    from app.tuning.footage import Footage

    spec = encoder.clip_spec
    spec = replace(spec, frames=config.frames or spec.frames, fit=config.fit)
    return Footage(examples, spec, read, clip_cache(run))


@contextmanager
def drawn_ahead(batches: BatchSource[Any], config: TrainConfig, workers: MediaWorkers) -> Iterator[BatchSource[Any]]:
    """Yield batches that are read while the step before is taken. At the end, the workers are closed.

    Threads do: worker processes decode. So a run that is stopped does not wait for videos that it needs no more.
    """
    from app.tuning.stage_tasks import AHEAD
    from training.prefetch import prefetched

    if config.stage == "text":  # its rows are in memory
        yield batches
        return
    with prefetched(batches, ahead=AHEAD, workers=AHEAD, until=config.loop.steps) as ahead:
        try:
            yield ahead
        finally:
            workers.close()


def clip_cache(run: Path) -> ClipCache:
    """Return the cache of clips in the folder of a run."""
    from app.tuning.footage import ClipCache

    return ClipCache(run / _CLIPS_FOLDER, _CACHE_BYTES)


def data_watch(line: LiveLine, cancelled: Callable[[], bool]) -> Watch:
    """Return what shows the preparation of data on a line."""
    from app.tuning.preparing import Watch

    shown: dict[str, CountedLine] = {}

    def show(stage: str, done: int, total: int) -> None:
        if stage not in shown:
            text, unit = _TEXTS[stage]
            shown[stage] = CountedLine(line, stage=stage, text=text, unit=unit, total=total)
        shown[stage].show(done)

    return Watch(show, cancelled)


@dataclass(frozen=True, slots=True)
class OpenedRun:
    """A run with its network, as it was when it began; `training.run_state.load_trained` puts its weights in."""

    config: TrainConfig
    parent: Parent
    data: RunData
    stage: StageRun


def run_stage(settings: Settings, folder: RunFolder) -> OpenedRun:
    """Open the network and the data of a run, to look at what it has learned.

    Raises:
        CommandError: The folder holds no data.
        TextFileError, ConfigurationError, NotTrainable: As `train_errors` tells.
        EncoderError: Its network is not there any more.
    """
    from app.media_workers import read_here
    from app.tuning.run_data import read_run_data
    from app.tuning.stage_tasks import stage_run

    config, settings = stored_config(settings, folder.path)
    data = read_run_data(folder.path, with_rows=config.stage == "text")
    if data is None:
        raise CommandError(f"{printable(str(folder.path))} has not begun to train yet", MISSING)
    if data.digest != folder.settings.get("data"):
        raise CommandError(f"the data in {printable(str(folder.path))} are not what the run began with", MISSING)
    parent = load_parent(config)
    if parent.digest != folder.settings.get("parent"):
        raise CommandError(f"{printable(config.encoder)} is not the network that this run began with", MISSING)
    footage = None
    if config.stage != "text":
        encoder = described_encoder(settings, config, yes=False)
        footage = run_footage(data.examples, config, encoder, folder.path, read_here)
    return OpenedRun(config, parent, data, stage_run(config, parent, data, footage, to_train=False))
