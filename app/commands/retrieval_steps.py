"""The long steps of `bench retrieval`, with their progress: the protocol, and the product's own way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from app.commands.evaluation_steps import Followed, followed, index_followed
from app.compose import Settings
from app.shell.counted_line import CountedLine
from app.shell.errors import CommandError
from app.shell.exit_codes import MISSING
from app.shell.live_line import LiveLine

if TYPE_CHECKING:
    from app.commands.retrieval_report import OwnWay
    from app.evaluation.datasets.captioned import CaptionedVideo
    from app.evaluation.retrieval_run import RetrievalResult
    from app.evaluation.stopwatch import Stopwatch
    from encoder import Encoder


def evaluate_set(
    settings: Settings,
    encoder: Encoder,
    videos: Sequence[CaptionedVideo],
    paths: Mapping[str, str],
    rows: Path,
    *,
    seed: int,
    watch: Stopwatch,
    own_way: bool,
) -> tuple[RetrievalResult, OwnWay | None]:
    """Evaluate an encoder on videos with captions, and the product with it.

    Args:
        settings: Of the encoder; their library is the set's own.
        encoder: Makes the rows.
        videos: Those that have a file.
        paths: Their files, by id.
        rows: The file of rows of earlier runs.
        seed: Of the intervals.
        watch: Counts the seconds.
        own_way: Whether the product's own way is wanted, too.

    Raises:
        CommandError: No video could be read.
        KeyboardInterrupt: The run was stopped.
    """
    from app.evaluation.retrieval_run import NothingToEvaluate, run_retrieval
    from app.evaluation.row_store import RowStore
    from app.evaluation.whole_videos import ReadWholeVideo
    from app.media_workers import MediaWorkers

    workers = MediaWorkers()
    try:
        with followed() as (line, stopped), RowStore(rows, encoder.dim) as store:
            result = run_retrieval(
                videos,
                paths,
                encoder,
                store,
                ReadWholeVideo(workers),
                seed=seed,
                watch=watch,
                on_progress=_shown_on(line),
                cancelled=stopped,
            )
            there = {each.id: paths[each.id] for each in result.videos}
            own = _own_way(settings, encoder, result, there, (line, stopped), seed, watch) if own_way else None
            return result, own
    except NothingToEvaluate as error:
        raise CommandError(str(error), MISSING) from error
    finally:
        workers.close()


def _own_way(
    settings: Settings,
    encoder: Encoder,
    result: RetrievalResult,
    paths: Mapping[str, str],
    follow: Followed,
    seed: int,
    watch: Stopwatch,
) -> OwnWay:
    from app.commands.retrieval_report import OwnWay
    from app.evaluation.retrieval_run import own_way_result

    with watch.measured("own_way"):
        segments = index_followed(settings, encoder, paths, follow)
        direction, asked = own_way_result(result, segments, seed=seed)
    return OwnWay(direction, tuple(asked), len(segments.keys), len(segments.rows), str(settings.library))


def _shown_on(line: LiveLine) -> Callable[[str, int, int], None]:
    lines: dict[str, CountedLine] = {}

    def on_progress(what: str, done: int, total: int) -> None:
        if what not in lines:
            lines[what] = CountedLine(line, stage=what, text=f"encoding {what}", unit=what, total=total)
        lines[what].show(done)

    return on_progress
