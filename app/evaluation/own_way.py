"""The product's own way beside the protocol's: videos indexed into a library, a video as good as its best segment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from app import compose
from app.compose import Settings
from app.cut_settings import cut_settings_of, store_cut_settings
from app.encoder_choice import canonical, take_over_former_space

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from app.evaluation.retrieval import Rows, Scores
    from db.library import Library
    from encoder import Encoder
    from indexer.progress import Progress
    from indexer.report import IndexReport
    from indexer.settings import IndexSettings


@dataclass(frozen=True, slots=True)
class Segments:
    """The rows of all segments of some videos.

    Attributes:
        keys: The videos, in order.
        rows: float32 (segments, D), those of a video together, in the order of `keys`.
        starts: Where the rows of each video begin, (videos,).
    """

    keys: tuple[str, ...]
    rows: Rows
    starts: NDArray[np.intp]

    def scores(self, questions: Rows) -> Scores:
        """Return the score of each question with each video, float64 (n, videos): that of its best segment.

        The cosine of words and a segment is what the engine ranks by, too.
        """
        import numpy as np

        from app.evaluation.retrieval import dot_products

        best: Scores = np.maximum.reduceat(dot_products(questions, self.rows), self.starts, axis=1)
        return best


def index_set(
    settings: Settings,
    encoder: Encoder,
    paths: Mapping[str, str],
    *,
    on_progress: Callable[[Progress], None],
    cancelled: Callable[[], bool],
    cuts: IndexSettings | None = None,
) -> tuple[Segments, IndexReport]:
    """Index the videos of a set, as far as that was not done before.

    Args:
        settings: Their library is the set's own; it is made if it does not exist.
        encoder: Of these settings.
        paths: The file of each video, by id.
        on_progress: Called with the progress of the run.
        cancelled: Polled; True stops the run. What is finished is kept.
        cuts: How videos are cut; None for the product's default cuts, or as the set's library was cut before.

    Returns:
        The segments of all videos that have any, in the order of `paths`; the report of the run, which says if it was
        stopped and names what failed.

    Raises:
        LibraryError, EncoderError: The library or the network of the cuts cannot be used.
    """
    from db.records import EncoderChoice
    from indexer.pipeline import index_folders

    with compose.open_library(settings, create=True) as library:
        take_over_former_space(library, encoder)
        cuts = cuts or cut_settings_of(library)
        report = index_folders(
            library,
            encoder,
            list(paths.values()),
            cuts,
            on_progress=on_progress,
            cancelled=cancelled,
            scorer=compose.open_scorer(settings, cuts),
        )
        if report.in_library:
            spec = encoder.clip_spec
            name = canonical(compose.encoder_name(settings))
            library.use_encoders(
                EncoderChoice(
                    name=name, encoder_id=encoder.id, frames=spec.frames, fit=spec.fit, text_id=encoder.text_id
                )
            )
            store_cut_settings(library, cuts)
        return _segments(library, encoder, paths), report


def library_settings(settings: Settings, work: Path, dataset: str) -> Settings:
    """Return the settings of a set's own library, in the folder of evaluations."""
    return replace(settings, library=work / "libraries" / dataset)


def _segments(library: Library, encoder: Encoder, paths: Mapping[str, str]) -> Segments:
    import os

    import numpy as np

    known = {os.path.realpath(video.path): video.id for video in library.videos()}
    embedded = np.concatenate([np.zeros(0, np.int64), *(ids for ids, _ in library.embeddings(encoder.id))])
    owners = library.video_ids(embedded.tolist())
    of_video: dict[int, list[int]] = {}
    for segment, video in owners.items():
        of_video.setdefault(video, []).append(segment)
    found = {key: of_video.get(known.get(os.path.realpath(path)) or -1, []) for key, path in paths.items()}
    found = {key: sorted(ids) for key, ids in found.items() if ids}
    rows = library.embedding_rows(encoder.id, [each for ids in found.values() for each in ids])
    starts = np.cumsum([0, *(len(ids) for ids in found.values())])[:-1]
    return Segments(tuple(found), rows, starts.astype(np.intp))
