"""The work of `classify` on the shots of the library, whose rows are there already."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from app import compose
from app.commands.classify_run import ClassifyOrder, Findings, facts_of, rows_of_classes
from app.commands.evaluation_run import STOPPING
from app.commands.fetch_model import open_or_download_encoder
from app.compose import Settings
from app.encoder_choice import take_over_former_space
from app.shell.counted_line import CountedLine
from app.shell.engine import CalibrationLine
from app.shell.errors import CommandError
from app.shell.exit_codes import MISSING
from app.shell.interrupt import stop_on_interrupt
from app.shell.live_line import LiveLine
from app.shell.notice import print_notice, print_other_text
from app.shell.paths import as_indexed
from app.shell.search_options import require_indexed, require_segments
from app.shell.terminal import printable
from indexer.missing_files import is_below

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from app.evaluation.labelled import Stretch
    from db.library import Library


@contextmanager
def classify_shots(settings: Settings, order: ClassifyOrder, paths: Sequence[str]) -> Iterator[Findings]:
    """Classify the shots of the library, or those of its videos at some paths. Nothing is decoded.

    Raises:
        CommandError: Nothing is indexed, or nothing at one of the paths.
        Cancelled, EncoderError, LibraryError, OSError: As for `classify_files`.
    """
    from app.evaluation.class_search import classify_by_names
    from app.evaluation.row_store import RowStore, names_file
    from search.calibration.calibration import Calibration
    from search.calibration.folder import calibration_folder

    with compose.open_library(settings) as library:
        require_segments(library)
        allowed = _segments_at(library, paths)
        encoder = open_or_download_encoder(compose.with_library_encoder(settings, library), yes=False)
        take_over_former_space(library, encoder)
        require_indexed(library, encoder.id)
        print_notice(encoder, [each.path for each in library.videos()])
        print_other_text(library, encoder)
        began = time.monotonic()
        with (
            RowStore(names_file(order.work, encoder), encoder.dim) as store,
            LiveLine() as line,
            stop_on_interrupt(line, STOPPING) as stopped,
        ):
            classes = rows_of_classes(order, encoder, store, line, stopped)
            folder = calibration_folder(library.directory)
            judge = Calibration(library, encoder, folder, CalibrationLine()).judge()
            total = library.stamp(encoder.id).count
            counted = CountedLine(line, stage="compare", text="comparing with all classes", unit="shots", total=total)
            classified = classify_by_names(
                (_among(block, allowed) for block in library.embeddings(encoder.id)),
                order.names,
                classes,
                judge,
                top=order.top,
                on_progress=counted.show,
                cancelled=stopped,
            )
        facts = facts_of(encoder, order, began)
        yield Findings(order.names, classified, partial(_stretches, library, classified.ids), True, facts)


def _segments_at(library: Library, paths: Sequence[str]) -> NDArray[np.int64] | None:
    """Return the ids of the segments of the videos at some paths; None for all."""
    import numpy as np

    if not paths:
        return None
    found: list[int] = []
    for path in paths:
        place = as_indexed(library, path)
        videos = [each for each in library.videos() if each.path == place or is_below(each.path, place)]
        if not videos:
            raise CommandError(f"{printable(path)} is not in the library; index it first: prismsearch index", MISSING)
        for video in videos:
            assert video.id is not None
            found.extend(each.id for each in library.segments_of(video.id) if each.id is not None)
    return np.unique(np.array(found, dtype=np.int64))


def _among(
    block: tuple[NDArray[np.int64], NDArray[np.float32]], allowed: NDArray[np.int64] | None
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    import numpy as np

    ids, rows = block
    if allowed is None:
        return ids, rows
    kept = np.isin(ids, allowed)
    return ids[kept], rows[kept]


def _stretches(library: Library, ids: NDArray[np.int64], positions: Sequence[int]) -> list[Stretch | None]:
    from app.evaluation.labelled import Stretch
    from app.shell.hits import segment_seconds

    wanted = [int(ids[at]) for at in positions]
    known = library.segments(wanted)
    return [
        Stretch(known[each][1].path, *map(float, segment_seconds(*known[each]))) if each in known else None
        for each in wanted
    ]
