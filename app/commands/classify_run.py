"""The work of `classify` on files, which are read and encoded; `classify_shots` is for the library."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app import compose
from app.commands.evaluation_run import STOPPING
from app.commands.fetch_model import open_or_download_encoder
from app.commands.index_run import require_paths
from app.compose import Settings
from app.shell.counted_line import CountedLine
from app.shell.errors import CommandError
from app.shell.exit_codes import MISSING
from app.shell.interrupt import stop_on_interrupt
from app.shell.live_line import LiveLine
from app.shell.notice import print_notice
from app.shell.result_record import encoder_fields
from app.shell.terminal import display_path, print_note, printable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from app.evaluation.class_search import ZeroShotResult
    from app.evaluation.encoded import Unread
    from app.evaluation.labelled import Stretch
    from app.evaluation.row_store import RowStore
    from app.media_workers import ReadMedia
    from encoder import Encoder


@dataclass(frozen=True, slots=True)
class ClassifyOrder:
    """What to classify into: names of classes, templates, how many best classes to keep; the folder of kept rows."""

    names: list[str]
    templates: list[str]
    top: int
    work: Path


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found.

    Attributes:
        names: Of the classes.
        classified: The best classes of each video or shot.
        stretches: Returns the places of some, by their positions in `classified`; None for what was removed meanwhile.
        of_library: Whether these are shots of the library.
        unread: Files that could not be read.
        facts: Values for JSON: encoder, templates, machine, seconds.
    """

    names: list[str]
    classified: ZeroShotResult
    stretches: Callable[[Sequence[int]], list[Stretch | None]]
    of_library: bool
    facts: dict[str, Any]
    unread: list[Unread] = field(default_factory=list)


@contextmanager
def classify_files(settings: Settings, order: ClassifyOrder, paths: Sequence[str]) -> Iterator[Findings]:
    """Classify each video below some paths as a whole.

    Raises:
        CommandError: A path is not there, or has no video.
        Cancelled: The run was stopped.
        EncoderError, OSError, LibraryError: The encoder or the files of rows cannot be used.
    """
    from app.evaluation.labelled import Stretch
    from app.evaluation.machine import machine_of
    from app.evaluation.row_store import RowStore, names_file, rows_file
    from app.media_workers import MediaWorkers
    from encoder.protocol import former_id
    from indexer.scan import find_videos

    began = time.monotonic()
    require_paths(paths)
    with compose.open_existing_library(settings) as library:
        settings = compose.with_library_encoder(settings, library)
    scan = find_videos(paths, avoid=[settings.library])
    for problem in scan.problems:
        print_note(f"{display_path(problem.path)}: {problem.reason}")
    if not scan.files:
        raise CommandError(f"no videos in {', '.join(map(printable, paths))}", MISSING)
    stretches = [Stretch(file.path) for file in scan.files]
    encoder = open_or_download_encoder(settings, yes=False)
    print_notice(encoder, paths)
    machine = machine_of(settings, encoder)
    workers = MediaWorkers()
    try:
        with (
            RowStore(rows_file(order.work, encoder.id, machine.precision, former_id(encoder)), encoder.dim) as store,
            RowStore(names_file(order.work, encoder), encoder.dim) as names,
            LiveLine() as line,
            stop_on_interrupt(line, STOPPING) as stopped,
        ):
            classified, read, unread = _classify(order, encoder, stretches, store, names, workers, line, stopped)
    finally:
        workers.close()
    facts = facts_of(encoder, order, began) | {"machine": machine.record()}
    yield Findings(order.names, classified, lambda some: [read[at] for at in some], False, facts, unread)


def _classify(
    order: ClassifyOrder,
    encoder: Encoder,
    stretches: list[Stretch],
    store: RowStore,
    names: RowStore,
    workers: ReadMedia,
    line: LiveLine,
    stopped: Callable[[], bool],
) -> tuple[ZeroShotResult, list[Stretch], list[Unread]]:
    import numpy as np

    from app.evaluation.as_indexed import ReadAsIndexed
    from app.evaluation.class_names import PLACE
    from app.evaluation.class_search import RowsInMemory, classify_by_names, judge_of
    from app.evaluation.encoded import encode_stretches
    from search.calibration.questions import null_questions

    classes = rows_of_classes(order, encoder, names, line, stopped)
    counted = CountedLine(line, stage="encode", text="encoding videos", unit="videos", total=len(stretches))
    read = ReadAsIndexed(workers)
    found, unread = encode_stretches(stretches, encoder, store, read, on_progress=counted.show, cancelled=stopped)
    asked = ClassifyOrder(null_questions(encoder.id), [PLACE], 1, order.work)
    questions = rows_of_classes(asked, encoder, names, line, stopped, what="unrelated questions")
    there = [each for each in stretches if each in found]
    rows = np.stack([found[each] for each in there]) if there else np.zeros((0, encoder.dim), np.float32)
    memory = RowsInMemory(rows)
    judge = judge_of(memory, encoder.id, questions)
    return classify_by_names(memory.embeddings(encoder.id), order.names, classes, judge, top=order.top), there, unread


def rows_of_classes(
    order: ClassifyOrder,
    encoder: Encoder,
    store: RowStore,
    line: LiveLine,
    stopped: Callable[[], bool],
    what: str = "class names",
) -> NDArray[np.float32]:
    """Return the rows of the classes of an order, with a progress line. Arguments and errors as in `class_rows`."""
    from app.evaluation.zero_shot import class_rows

    counted = CountedLine(line, stage="classes", text="encoding", unit=what, total=len(order.names))
    return class_rows(encoder, order.names, order.templates, store, on_progress=counted.show, cancelled=stopped)


def facts_of(encoder: Encoder, order: ClassifyOrder, began: float) -> dict[str, Any]:
    """Return what JSON says of a run that began at a moment of `time.monotonic`."""
    from app.evaluation.zero_shot import TEMPERATURE

    return {
        **encoder_fields(encoder),
        "prompts": order.templates,
        "temperature": TEMPERATURE,
        "seconds": round(time.monotonic() - began, 3),
    }
