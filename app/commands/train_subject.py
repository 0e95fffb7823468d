"""The subjects of `train evaluate` and `train compare`: a run, or an encoder by name or file, on captioned clips."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app import compose
from app.commands.evaluation_steps import followed
from app.commands.fetch_model import open_or_download_encoder
from app.commands.probe_session import unread_lines
from app.commands.train_session import existing_run, is_run, run_stage
from app.compose import Settings
from app.shell.counted_line import CountedLine
from app.shell.errors import CommandError
from app.shell.evaluation_options import work_option
from app.shell.exit_codes import MISSING
from app.shell.live_line import LiveLine
from app.shell.options import PathWord, json_option
from app.shell.terminal import count_text, print_note, printable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from app.tuning.caption_scores import CaptionScores, CaptionTask
    from app.tuning.captions_file import Captioned
    from app.tuning.examples import Example
    from encoder import Encoder

    Rows = NDArray[np.float32]


def measure_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a measurement, which `measure` takes, and --yes and --json."""
    for option in (
        work_option,
        json_option(),
        click.option("-y", "--yes", is_flag=True, help="Do not ask before downloading a model."),
        click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, help="Of the intervals; by default 0."),
        click.option(
            "--folder", type=PathWord(), metavar="DIR", help="Where the videos are; by default the file's folder."
        ),
        click.option(
            "--on", "captions", required=True, type=PathWord(), metavar="FILE", help="Captions: CSV or JSONL."
        ),
    ):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True)
class Subject:
    """An encoder to measure.

    Attributes:
        name: As the person named it.
        encoder: The encoder.
        seen: Contents that it was trained on, as far as that is known.
        known: Whether that is known: it is a run.
    """

    name: str
    encoder: Encoder
    seen: frozenset[str]
    known: bool


def open_subject(settings: Settings, name: str, *, which: str = "best", yes: bool = False) -> Subject:
    """Open a run, or an encoder by name or file.

    Raises:
        CommandError: There is no such run.
        TrainingError, EncoderError, WrongSetting: The run has no checkpoint, or the encoder cannot be loaded.
    """
    if not is_run(name):
        if Path(name).is_dir() and not any(Path(name).glob("*.npz")) and not any(Path(name).glob("*.safetensors")):
            existing_run(name)  # says that it is none
        settings = replace(settings, encoder=name)
        with compose.open_existing_library(settings) as library:
            settings = compose.with_library_encoder(settings, library)
        return Subject(name, open_or_download_encoder(settings, yes=yes), frozenset(), known=False)
    from encoder.loading import choose_device, encoder_of
    from training.run_state import load_trained

    folder = existing_run(name)
    opened = run_stage(settings, folder)
    load_trained(folder, opened.stage.task, which)
    network = opened.stage.exported()
    if not network.config.has_text:
        raise CommandError(f"{printable(name)} has no words yet; train it further with --stage lit", MISSING)
    encoder = encoder_of(
        network,
        opened.parent,
        choose_device(settings.device),
        frames=opened.config.frames or None,
        fit=opened.config.fit,
        precision=settings.precision,
    )
    seen = frozenset(each.content for each in opened.data.examples if each.split == "train")
    return Subject(name, encoder, seen, known=True)


@dataclass(frozen=True, slots=True)
class Measured:
    """Subjects on the same clips.

    Attributes:
        task: The sentences and the clips.
        scores: Of each subject.
        text_rows: Of each subject, float32 (sentences, D).
        clips: How many.
        stored: Whether the rows of clips are those of the library.
        unread: Stretches that could not be read, as lines.
    """

    task: CaptionTask
    scores: list[CaptionScores]
    text_rows: list[Rows]
    clips: int
    stored: bool
    unread: list[str]


def measure(
    settings: Settings, subjects: Sequence[Subject], captions: str, folder: str | None, work: Path, *, seed: int
) -> Measured:
    """Measure subjects on a file of captions: its lines of the split `test` if there are any, else all.

    Clips that a run was trained on are left out. The rows are those of the library where it has them for every
    subject, else the clips are read and encoded; rows of an earlier measurement are used again.

    Raises:
        CommandError: Nothing is left to measure on.
        TextFileError, LibraryError, EncoderError: A file, the library or an encoder cannot be used.
        KeyboardInterrupt: It was stopped.
    """
    from app.tuning.caption_scores import caption_task, score_captions
    from app.tuning.captions_file import read_captions

    captioned = read_captions(captions, folder or Path(captions).parent)
    if any(each.split == "test" for each in captioned):
        captioned = [each for each in captioned if each.split == "test"]
    seen = frozenset[str]().union(*(each.seen for each in subjects))
    found = _stored(settings, subjects, captioned, seen)
    stored = found is not None
    examples, rows, unread = found or _encoded(settings, subjects, captioned, seen, work)
    if not examples:
        raise CommandError(f"no clip of {printable(captions)} is left to measure on{_why(seen, unread)}", MISSING)
    task = caption_task(examples)
    texts = [each.encoder.encode_texts(task.sentences) for each in subjects]
    scores = [score_captions(task, text, clips, seed=seed) for text, clips in zip(texts, rows, strict=True)]
    return Measured(task, scores, texts, len(examples), stored, unread)


def _why(seen: Iterable[str], unread: Sequence[str]) -> str:
    if unread:
        return f": {unread[0]}"
    return ": all of them were trained on" if any(True for _ in seen) else ""


def _stored(
    settings: Settings, subjects: Sequence[Subject], captioned: Sequence[Captioned], seen: frozenset[str]
) -> tuple[list[Example], list[Rows], list[str]] | None:
    """Return the clips with the stored rows of one space; None if there are several, or no stretch has rows."""
    from app.tuning.stored_rows import stored_rows

    spaces = {each.encoder.id for each in subjects}
    if len(spaces) > 1:
        return None
    with compose.open_existing_library(settings) as library:
        space = spaces.pop()
        if library is None or space not in [each.id for each in library.encoders()]:
            return None
        found = stored_rows(library, space, captioned)
    if not found.examples:
        return None
    kept = [at for at, each in enumerate(found.examples) if each.content not in seen]
    _say_seen(len(found.examples) - len(kept))
    lines = [f"not measured: {printable(each.path)}: {printable(each.reason)}" for each in found.left_out]
    return [found.examples[at] for at in kept], [found.rows[kept]] * len(subjects), lines


def _encoded(
    settings: Settings, subjects: Sequence[Subject], captioned: Sequence[Captioned], seen: frozenset[str], work: Path
) -> tuple[list[Example], list[Rows], list[str]]:
    """Read and encode the clips with each subject; only those that all of them have rows of are kept."""
    import numpy as np

    from app.evaluation.as_indexed import ReadAsIndexed
    from app.evaluation.feature_maker import FeatureMaker
    from app.evaluation.feature_maker import Watch as FeatureWatch
    from app.evaluation.labelled import Stretch
    from app.evaluation.machine import machine_of
    from app.media_workers import MediaWorkers
    from app.tuning.preparing import Watch, captioned_clips

    workers = MediaWorkers()
    try:
        with followed() as (line, stopped):
            examples, missing = captioned_clips(captioned, Watch(cancelled=stopped))
            kept = [each for each in examples if each.content not in seen]
            _say_seen(len(examples) - len(kept))
            stretches = [Stretch(each.path, each.start_seconds, each.end_seconds) for each in kept]
            lines = [f"not measured: {printable(each.path)}: {printable(each.reason)}" for each in missing]
            made = []
            for subject in subjects:
                maker = FeatureMaker(
                    subject.encoder,
                    ReadAsIndexed(workers),
                    work=work,
                    precision=machine_of(settings, subject.encoder).precision,
                    watch=FeatureWatch(on_progress=partial(_show, line, {}), cancelled=stopped),
                )
                made.append(maker.rows(stretches))
                lines += unread_lines(maker.unread)
    finally:
        workers.close()
    both = [at for at, each in enumerate(stretches) if all(each in rows for rows in made)]
    rows = [np.array([of[stretches[at]] for at in both], np.float32) for of in made]
    return [kept[at] for at in both], rows, list(dict.fromkeys(lines))


def _say_seen(count: int) -> None:
    if count:
        print_note(f"left out: {count_text(count, 'clip')} that the run was trained on")


def _show(line: LiveLine, shown: dict[str, CountedLine], stage: str, done: int, total: int) -> None:
    if stage not in shown:
        shown[stage] = CountedLine(line, stage=stage, text="encoding clips", unit="clips", total=total)
    shown[stage].show(done)
