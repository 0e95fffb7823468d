"""Encoder, readers, progress and stopping, for `probe`, `bench probe` and `bench classify`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.commands.evaluation_steps import followed
from app.commands.fetch_model import open_or_download_encoder
from app.compose import Settings
from app.shell.counted_line import CountedLine
from app.shell.errors import CommandError
from app.shell.exit_codes import MISSING
from app.shell.live_line import LiveLine
from app.shell.notice import print_notice
from app.shell.stretch_name import stretch_name
from app.shell.terminal import printable, size_text

if TYPE_CHECKING:
    from app.evaluation.as_indexed import ReadAsIndexed
    from app.evaluation.encoded import Unread
    from app.evaluation.feature_maker import FeatureMaker, Watch
    from app.evaluation.machine import Machine
    from app.evaluation.token_store import Need
    from app.media_workers import ReadMedia
    from encoder import Encoder
    from encoder.head_files import StoredHead

_TEXTS = {
    "frames": ("reading times of frames", "videos"),
    "rows": ("encoding clips", "clips"),
    "classes": ("encoding", "class names"),
    "tokens": ("making tokens", "clips"),
    "training": ("training heads", "heads"),
    "steps": ("training the head", "steps"),
    "test": ("scoring clips", "clips"),
}


@dataclass(frozen=True, slots=True)
class Session:
    """What one command works with."""

    encoder: Encoder
    machine: Machine
    read: ReadAsIndexed
    workers: ReadMedia
    watch: Watch
    work: Path

    @property
    def maker(self) -> FeatureMaker:
        """A new maker of features."""
        from app.evaluation.feature_maker import FeatureMaker

        return FeatureMaker(self.encoder, self.read, work=self.work, precision=self.machine.precision, watch=self.watch)

    def record(self) -> dict[str, Any]:
        """Return encoder and machine as JSON values."""
        return {"encoder": self.encoder.id, "machine": self.machine.record()}


@contextmanager
def probe_session(
    settings: Settings, work: Path, *, yes: bool, needs_text: bool = False, paths: Iterable[str] = ()
) -> Iterator[Session]:
    """Open the encoder and follow the work on standard error; the first Ctrl-C ends it in order.

    Args:
        settings: The encoder's settings.
        work: The folder of evaluations.
        paths: The videos, or folders of them: the demo encoder says what it does not know.
        yes: Do not ask before a download.
        needs_text: Refuse an encoder that reads no sentences.

    Raises:
        CommandError: Labels do not make a task, tokens have no room, or a file of a person's is wrong.
        KeyboardInterrupt: It was stopped.
    """
    from app.evaluation.as_indexed import ReadAsIndexed
    from app.evaluation.feature_maker import Watch
    from app.evaluation.machine import machine_of
    from app.media_workers import MediaWorkers

    encoder = open_or_download_encoder(settings, yes=yes, needs_text=needs_text)
    print_notice(encoder, paths)
    workers = MediaWorkers()
    try:
        with followed() as (line, stopped):
            watch = Watch(on_progress=_Progress(line), on_need=partial(_say_need, line), cancelled=stopped)
            yield Session(encoder, machine_of(settings, encoder), ReadAsIndexed(workers), workers, watch, work)
    finally:
        workers.close()


def head_path(name: str) -> Path:
    """Return the path of a head that a person named. Raise CommandError if there is no such file."""
    if not Path(name).exists():
        raise CommandError(f"there is no head {printable(name)}; `prismsearch probe train` makes one", MISSING)
    return Path(name)


def read_head_for(encoder: Encoder, name: str) -> StoredHead:
    """Read a head that is to be used with an encoder; if an earlier version trained it, under the encoder's id now.

    Raises:
        WeightsMismatch, OSError: See `encoder.head_files.read_head`.
    """
    from encoder.head_files import read_head
    from encoder.protocol import former_id

    stored = read_head(Path(name), encoder_id=encoder.id, former_id=former_id(encoder))
    return replace(stored, facts=replace(stored.facts, encoder_id=encoder.id))


def unread_lines(unread: list[Unread]) -> list[str]:
    """Return a line for each stretch that could not be read."""
    return [
        f"not read: {stretch_name(each.stretch.path, each.stretch.start_seconds, each.stretch.end_seconds)}: "
        f"{printable(each.reason)}"
        for each in unread
    ]


def unread_record(unread: list[Unread]) -> list[dict[str, Any]]:
    """Return JSON values."""
    return [
        {
            "path": each.stretch.path,
            "start_seconds": each.stretch.start_seconds,
            "end_seconds": each.stretch.end_seconds,
            "reason": each.reason,
        }
        for each in unread
    ]


class _Progress:
    """Shows each stage with the time left."""

    def __init__(self, line: LiveLine) -> None:
        self._line = line
        self._counted: CountedLine | None = None
        self._of: tuple[str, int] | None = None

    def __call__(self, stage: str, done: int, total: int) -> None:
        if self._counted is None or self._of != (stage, total):
            text, unit = _TEXTS[stage]
            self._of = (stage, total)
            self._counted = CountedLine(self._line, stage=stage, text=text, unit=unit, total=total)
        self._counted.show(done)


def _say_need(line: LiveLine, need: Need) -> None:
    if need.needed:
        line.log(f"tokens need {size_text(need.needed)} of disk; {size_text(need.free)} are free")
