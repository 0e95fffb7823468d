"""Resources shared by all tabs (one library, one engine), and the conversion of a SearchLink into a Query."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from app import compose
from app.search_link import LinkTerm, SearchLink
from app.shell.notice import notice_for
from app.web.services.media_workers import MediaWorkers
from app.web.services.vector_upkeep import VectorUpkeep

if TYPE_CHECKING:
    from app.jobs.jobs import Jobs
    from db.library import Library
    from search.engine import SearchEngine
    from search.query import Query
    from search.vectors.faiss_index import FaissIndex


@st.cache_resource(show_spinner=False)
def open_library() -> Library:
    """Open the library of the settings, once; create it if missing, because new users start with an empty one."""
    return compose.open_library(compose.settings_from(), create=True)


@st.cache_resource(show_spinner="Loading the encoder")
def _engine(encoder_name: str) -> SearchEngine:
    library = open_library()
    settings = compose.with_library_encoder(compose.settings_from(), library)
    return compose.open_engine(settings, library, compose.open_encoder(settings))


def open_engine() -> SearchEngine:
    """Return an up-to-date engine over that library, opened once per chosen encoder.

    Raises:
        EncoderError: Weights or the device are missing.
        WrongSetting: The encoder or device of the settings is unknown.
    """
    settings = compose.with_library_encoder(compose.settings_from(), open_library())
    engine = _engine(compose.encoder_name(settings))
    engine.refresh()
    _vector_upkeep(engine.encoder.id).start_if_due(cast("FaissIndex", engine.index))
    return engine


@st.cache_resource(show_spinner=False)
def _vector_upkeep(encoder_id: str) -> VectorUpkeep:
    return VectorUpkeep(open_library().directory, encoder_id)


def jobs() -> Jobs:
    """Return the long jobs of this library."""
    from app.jobs.jobs import Jobs

    return Jobs(open_library().directory)


def notice(engine: SearchEngine) -> str | None:
    """Return the encoder's notice about hits in this library, or None."""
    if not engine.encoder.notice:
        return None
    return notice_for(engine.encoder, engine.library.folders())


def query_of(link: SearchLink, engine: SearchEngine) -> Query:
    """Return the query of a link; it must have one.

    Raises:
        QueryError: An example is missing or unreadable, or all weights are 0.
    """
    from app.shell.search_options import SearchOptions
    from search.query import SegmentTerm, TextTerm

    terms: list[Any] = []
    if link.words.strip():
        terms.append(TextTerm(link.words, link.words_weight))
    for term in link.terms:
        if term.kind == "text":
            terms.append(TextTerm(term.value, term.weight))
        elif term.kind == "segment":
            terms.append(SegmentTerm(int(term.value), term.weight))
        else:
            terms.append(_clip_term(term, engine))
    options = SearchOptions(
        top_k=link.limit,
        threshold=link.threshold,
        filters=link.filters(),
        per_video=1 if link.one_per_video else None,
        hide_duplicates=link.hide_duplicates,
    )
    return options.query(terms, exclude_same_shot=True)


def _clip_term(term: LinkTerm, engine: SearchEngine) -> Any:
    from indexer.media.errors import UnreadableVideo
    from search.query import ClipTerm, QueryError

    try:
        read = _range_clip if term.kind == "range" else _file_clip
        clip = read(term.value, engine.encoder.id, engine)
    except UnreadableVideo as error:
        raise QueryError(f"an example cannot be read: {error.reason}") from error
    except (FileNotFoundError, KeyError) as error:
        raise QueryError("an example is no longer there; take it out, or add it again") from error
    except ValueError as error:
        raise QueryError(f"an example cannot be used: {error}") from error
    return ClipTerm(clip, term.weight)


# Decoded once for each encoder, which decides the clip's shape. The engine itself caches the clip's row.


@st.cache_resource(max_entries=32, show_spinner="Reading the example")
def _range_clip(value: str, encoder_id: str, _engine: SearchEngine) -> NDArray[np.uint8]:
    from app.exporting.sources import require_indexed
    from indexer.media.clip import read_clip

    segment_id, start_pts, end_pts = LinkTerm("range", value).range
    _, video = _engine.library.segments([segment_id])[segment_id]
    video = require_indexed(_engine.library, video)
    start, end = video.seconds(start_pts), video.seconds(end_pts)
    spec = _engine.encoder.clip_spec
    return _media_workers()(read_clip, video.path, spec, start_seconds=start, end_seconds=end, path=video.path)


@st.cache_resource(max_entries=32, show_spinner="Reading the example")
def _file_clip(token: str, encoder_id: str, _engine: SearchEngine) -> NDArray[np.uint8]:
    from app.web.services.examples import find_example
    from indexer.media.clip import read_clip, read_image

    example = find_example(_engine.library.directory, token)
    if example is None:
        raise FileNotFoundError(token)
    path: Path = example.path
    read = read_image if example.kind == "image" else read_clip
    return _media_workers()(read, str(path), _engine.encoder.clip_spec, path=str(path))


@st.cache_resource(show_spinner=False)
def _media_workers() -> MediaWorkers:
    return MediaWorkers()
