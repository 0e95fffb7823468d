"""Resources shared by all tabs (one library, one engine), and the conversion of a SearchLink into a Query."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, cast

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from app import compose
from app.media_workers import MediaWorkers
from app.search_link import LinkTerm, SearchLink, TermKind
from app.shell import link_query
from app.shell.notice import limits_hits, notice_for
from app.web.services.link_examples import clip_of
from app.web.services.vector_upkeep import VectorUpkeep

if TYPE_CHECKING:
    from app.jobs.jobs import Jobs
    from db.library import Library
    from search.chain_query import ChainQuery
    from search.engine import SearchEngine
    from search.fused import FusedQuery
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
    engine = compose.open_engine(settings, library, compose.open_encoder(settings))
    # What is loaded stays to the end of the process: collections need not walk it (140 ms with torch).
    gc.collect()
    gc.freeze()
    return engine


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
    if not limits_hits(engine.encoder):
        return None
    return notice_for(engine.encoder, engine.library.folders())


def has_words() -> bool:
    """Return whether the library has words of videos, to search in."""
    return _has_words(open_library().change_token())


@st.cache_resource(max_entries=1, show_spinner=False)
def _has_words(change_token: str) -> bool:
    return bool(open_library().texts.counts())


def query_of(link: SearchLink, engine: SearchEngine) -> Query:
    """Return the query of a link; it must have one, and no later steps.

    Raises:
        QueryError: An example is missing or unreadable, or all weights are 0.
    """
    return link_query.query_of(link, lambda term: _clip(term, engine))


def fused_query_of(link: SearchLink, engine: SearchEngine) -> FusedQuery:
    """Return the query of a link with words in quotes, and no later steps.

    Raises:
        TextQueryError: The words in quotes cannot be searched for.
        QueryError: As for `query_of`.
    """
    return link_query.fused_query_of(link, lambda term: _clip(term, engine))


def chain_query_of(link: SearchLink, engine: SearchEngine) -> ChainQuery:
    """Return the chain query of a link with later steps.

    Raises:
        QueryError: As for `query_of`.
    """
    return link_query.chain_query_of(link, lambda term: _clip(term, engine))


def _clip(term: LinkTerm, engine: SearchEngine) -> NDArray[np.uint8]:
    clip: NDArray[np.uint8] = _read_clip(term.kind, term.value, engine.encoder.id, engine)
    return clip


@st.cache_resource(max_entries=64, show_spinner="Reading the example")
def _read_clip(kind: TermKind, value: str, encoder_id: str, _engine: SearchEngine) -> NDArray[np.uint8]:
    """Decode an example, once for each encoder, which decides the clip's shape. The engine caches the clip's row."""
    return clip_of(_engine.library, LinkTerm(kind, value), _engine.encoder.clip_spec, _media_workers())


@st.cache_resource(show_spinner=False)
def _media_workers() -> MediaWorkers:
    return MediaWorkers()
