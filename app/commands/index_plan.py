"""`prismsearch index --dry-run`: what a run would do, without doing it.

A model is loaded only from a file that the library does not know by its name: it may have a space of the library.
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from app import compose, word_engines
from app.commands.fetch_model import open_or_download_encoder
from app.commands.index_review import IndexReview
from app.commands.index_values import RunValues, run_options, set_aside, values_of_each
from app.commands.reading_plan import ReadingPlan
from app.compose import Settings
from app.encoding_again import stored_description
from app.jobs.orders import IndexOrder
from app.shell.live_line import LiveLine
from app.shell.terminal import count_text, display_path, print_json, printable, size_text, table
from indexer.preview import Decision, Preview

if TYPE_CHECKING:
    from db.library import Library
    from encoder import Encoder
    from indexer.scan import FoundFile


def show_plan(settings: Settings, order: IndexOrder, *, renew: bool, as_json: bool) -> None:
    """Print what indexing the paths of an order would do. Changes nothing, and makes no library.

    Args:
        settings: As for `index_videos`.
        order: Paths and options.
        renew: As for `index_videos`.
        as_json: Print JSON.

    Raises:
        RecognitionError: Text is to be read, and the extra that does it is not installed.
    """
    from encoder.quick import quick_encoder
    from indexer.pipeline import index_folders
    from indexer.quick_pass import QuickPass

    if order.read_text:
        word_engines.require_text_reader()
    with _library_or_none_yet(settings) as library, LiveLine() as line:
        library.require_adopted()
        values = values_of_each(settings, order, library, renew=renew)
        encoders = [_encoder(library, each) for each in values]
        shapings = [each.shaping(encoder) for each, encoder in zip(values, encoders, strict=True)]
        passes = [quick_encoder(each) for each in encoders] if order.quick else encoders
        quick = QuickPass(full_id=encoders[0].id) if order.quick else None
        own = values[0].own
        review = IndexReview(
            library,
            [(each.clip_spec, shaping) for each, shaping in zip(passes, shapings, strict=True)],
            own=own,
            asked=order.redo,
            yes=True,
            line=line,
            quick=order.quick,
        )
        aside = {} if renew else set_aside(order, own)
        reading = ReadingPlan(library, order) if order.read_text else None
        printer = _Printer(library, review, aside, reading, as_json=as_json)
        options = run_options(order, dry_run=True)
        index_folders(
            library, passes[0], order.paths, values[0].cuts, options, review=printer, quick=quick, further=passes[1:]
        )


def _encoder(library: Library, values: RunValues) -> Encoder:
    """Return an encoder of a run as the library knows it, or one that is loaded, if that is necessary."""
    from encoder.lazy import LazyEncoder

    choice = values.stored_choice(library)
    if choice is None and values.settings.shapes and Path(compose.encoder_name(values.settings)).exists():
        return open_or_download_encoder(values.settings, yes=False)  # a file may have a space of the library
    return LazyEncoder(stored_description(library, choice, values.settings.frames, values.settings.fit), _never)


@contextmanager
def _library_or_none_yet(settings: Settings) -> Iterator[Library]:
    """Open the library or, if there is none yet, an empty one in a temporary folder."""
    with compose.open_existing_library(settings) as library:
        if library is not None:
            yield library
            return
    with tempfile.TemporaryDirectory(prefix="prismsearch-") as folder:
        empty = dataclasses.replace(settings, library=Path(folder) / "library")
        with compose.open_library(empty, create=True) as library:
            yield library


def _never() -> NoReturn:
    raise AssertionError("a dry run encodes nothing")


class _Printer:
    """Prints a preview, and lets the run do nothing. An `indexer.preview.Review`."""

    def __init__(
        self,
        library: Library,
        review: IndexReview,
        aside: dict[str, Any],
        reading: ReadingPlan | None,
        *,
        as_json: bool,
    ) -> None:
        self._library = library
        self._reading = reading
        self._review = review  # knows reasons and times
        self._aside = aside  # what the settings file says of new libraries only
        self._as_json = as_json

    def __call__(self, work: Preview) -> Decision:
        if self._as_json:
            print_json(self._record(work))
        else:
            for line in table(list(self._rows(work)), "<<"):
                click.echo(line)
        return Decision(go_on=False)

    def _rows(self, work: Preview) -> list[tuple[str, str]]:
        plan, gone = work.plan, work.gone
        rows = [
            ("new", _files_text(work.new)),
            ("changed", _files_text(work.changed)),
            ("again", self._review.cost_text(work.again) if work.again else ""),
            ("again after a failure", _files_text(work.retried)),
            ("full pass", f"{count_text(len(work.deepened), 'video')} after a quick one" if work.deepened else ""),
            ("moved", _number(len({item.video_id for item in plan.moved}))),
            ("known elsewhere", _number(len(plan.copied))),
            ("only touched", _number(len(plan.touched))),
            ("unchanged", _number(work.unchanged)),
            ("gone", _number(len(gone.deleted))),
            *(
                (
                    f"gone from {display_path(root)}",
                    f"{len(paths):,}, most of its videos: kept unless you confirm",
                )
                for root, paths in gone.doubtful.items()
            ),
            (
                "missing",
                f"{len(gone.unreachable):,}, kept: their drive may not be connected" if gone.unreachable else "",
            ),
            ("time", self._time_text([*work.new, *work.changed, *work.deepened, *work.retried])),
            ("text on screen", "" if self._reading is None else self._reading.text(work)),
        ]
        rows = [row for row in rows if row[1]] or [("nothing", "to do")]
        if self._aside:
            said = ", ".join(f"{name} = {value}" for name, value in self._aside.items())
            rows.append(("settings file", f"{printable(said)}: for new libraries; this one keeps its own"))
        return rows

    def _time_text(self, files: Sequence[FoundFile]) -> str:
        seconds = self._seconds_of(files)
        time = "" if seconds is None else self._review.time_text(seconds)
        return f"files to read: {time}, if they are like the others" if time else ""

    def _seconds_of(self, files: Sequence[FoundFile]) -> float | None:
        """Return about how long files are, going by their bytes; None if nothing is known, or there are none."""
        videos = self._library.videos() if files else []
        known_bytes = sum(video.size_bytes for video in videos)
        if not known_bytes:
            return None
        share = sum(file.size_bytes for file in files) / known_bytes
        return share * sum(video.duration_seconds for video in videos)

    def _record(self, work: Preview) -> dict[str, Any]:
        plan, gone, speed = work.plan, work.gone, self._review.speed
        again = self._review.seconds_of(work.again)
        seconds = again + (self._seconds_of([*work.new, *work.changed, *work.deepened, *work.retried]) or 0.0)
        return {
            "new": [file.path for file in work.new],
            "changed": [file.path for file in work.changed],
            "again": [{"path": each.task.file.path, "why": self._review.reasons([each])[0][0]} for each in work.again],
            "deepened": [file.path for file in work.deepened],
            "retried": [file.path for file in work.retried],
            "moved": [{"from": item.old_path, "to": item.file.path} for item in plan.moved],
            "duplicates": [item.file.path for item in plan.copied],
            "touched": [item.file.path for item in plan.touched],
            "unchanged": work.unchanged,
            "gone": list(gone.deleted),
            "kept_missing": sorted({*gone.unreachable, *(path for paths in gone.doubtful.values() for path in paths)}),
            "again_seconds": None if speed is None else round(again / speed, 1),
            "seconds": None if speed is None else round(seconds / speed, 1),
            "for_new_libraries": self._aside,
            **({} if self._reading is None else {"read_text": self._reading.record(work)}),
        }


def _files_text(files: Sequence[FoundFile]) -> str:
    if not files:
        return ""
    return f"{count_text(len(files), 'file')}, {size_text(sum(file.size_bytes for file in files))}"


def _number(count: int) -> str:
    return f"{count:,}" if count else ""
