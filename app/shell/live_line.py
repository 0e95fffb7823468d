"""The progress of a command on standard error: one line that is rewritten, plain lines, or JSON."""

from __future__ import annotations

import os
import shutil
import sys
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from app.shell.progress_mode import json_line, progress_mode
from app.shell.terminal import display_width, print_error_text, printable, shorten_middle

EVERY_SECONDS = 5.0
"""Seconds between lines without a terminal; more as a run gets longer (EVERY_SHARE)."""
EVERY_SHARE = 0.05
_JSON_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Progress as a line shows it. None stands for unknown.

    Attributes:
        stage: What is being done, in one word: scan, facts, fingerprint, index, vectors, near_copies, calibration,
            takes, download or export.
        text: All of it for people.
        done, total, unit: How much of the stage; the unit is files, bytes, clips or shots.
        fraction: 0 to 1.
        eta_seconds: Time left.
        speed: Seconds of video per second.
        failed: Number of files that failed so far.
        current: Files or clips in progress.
        detail: What a terminal shows beside `text`, where it fits.
        at_once: Print the first plain line of the stage at once; else only if the stage takes seconds.
    """

    stage: str
    text: str
    done: int | None = None
    total: int | None = None
    unit: str = ""
    fraction: float | None = None
    eta_seconds: float | None = None
    speed: float | None = None
    failed: int | None = None
    current: tuple[str, ...] = ()
    detail: str = ""
    at_once: bool = True

    def record(self) -> dict[str, object]:
        """Return the progress as JSON values, rounded. Bytes of names that are not UTF-8 become lone surrogates."""
        return {
            "stage": self.stage,
            "done": self.done,
            "total": self.total,
            "unit": self.unit,
            "fraction": None if self.fraction is None else round(self.fraction, 4),
            "eta_seconds": None if self.eta_seconds is None else round(self.eta_seconds, 1),
            "speed": None if self.speed is None else round(self.speed, 2),
            "failed": self.failed,
            "current": list(self.current),
            "text": self.text,
        }


class LiveLine:
    """A status line on standard error, as --progress says: by default rewritten in place on a terminal, printed every
    few seconds elsewhere. As JSON, at most two lines a second, at once when a stage begins, and the last of each stage.
    """

    def __init__(self, *, every_seconds: float = EVERY_SECONDS) -> None:
        self._mode = progress_mode()
        terminal = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._live = self._mode == "auto" and terminal
        self._every_seconds = every_seconds
        self._shown = False
        self._began_seconds = self._last_seconds = time.monotonic()
        self._last_stage = ""
        self._waiting: Shown | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def show(self, progress: Shown) -> None:
        """Show progress, if it is time to. Names of files are shown as they are given, made printable."""
        if self._mode == "json":
            self._show_json(progress)
        elif self._live:
            self._show_live(progress)
        elif self._mode != "none":
            now = time.monotonic()
            pause = max(self._every_seconds, EVERY_SHARE * (now - self._began_seconds))
            begins = progress.at_once and progress.stage != self._last_stage
            if begins or now - self._last_seconds >= pause:
                self._last_stage, self._last_seconds = progress.stage, now
                print_error_text(printable(progress.text))

    def _show_live(self, progress: Shown) -> None:
        columns = shutil.get_terminal_size().columns - 1
        line = shorten_middle(printable(progress.text), columns)
        room = columns - display_width(line) - 2
        if progress.detail and room >= 8:
            line += "  " + shorten_middle(printable(progress.detail), room)
        print_error_text(f"\r{line}\x1b[K", new_line=False)
        self._shown = True

    def _show_json(self, progress: Shown) -> None:
        now = time.monotonic()
        began = progress.stage != self._last_stage
        if began:
            self._print_waiting()
        if began or now - self._last_seconds >= _JSON_SECONDS:
            self._last_stage, self._last_seconds, self._waiting = progress.stage, now, None
            print_error_text(json_line(progress.record()))
        else:
            self._waiting = progress

    def _print_waiting(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            print_error_text(json_line(waiting.record()))

    def log(self, text: str) -> None:
        """Print a line that stays, above the live one. May be called from any thread."""
        self.clear()
        print_error_text(json_line({"note": text}) if self._mode == "json" else printable(text))

    def clear(self) -> None:
        """Erase the live line, before anything else is printed."""
        if self._shown:
            print_error_text("\r\x1b[K", new_line=False)
            self._shown = False

    def close(self) -> None:
        """Erase the live line, or print the last JSON line."""
        self.clear()
        self._print_waiting()
