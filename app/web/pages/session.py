"""Resources shared by all tabs (one library, one engine), and the conversion of a SearchLink into a Query."""

from __future__ import annotations

import gc
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, cast

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from app import asked_encoders, compose
from app.media_workers import MediaWorkers
from app.search_link import LinkTerm, SearchLink, TermKind
from app.shell import link_query
from app.shell.notice import limits_hits, notice_for
from app.web.http.errors import ApiError
from app.web.http.people_access import ADDRESS_HEADER
from app.web.http.visitor import ALONE, Visitor
from app.web.services import job_starts
from app.web.services.link_examples import clip_of
from app.web.services.vector_upkeep import VectorUpkeep

if TYPE_CHECKING:
    from app.jobs.jobs import Jobs
    from app.jobs.orders import Order
    from db.library import Library
    from encoder import Encoder
    from search.chain_query import ChainQuery
    from search.engines import Engine
    from search.fused import FusedQuery
    from search.query import Query
    from search.space import Space
    from search.vectors.vector_index import Optimizable


PERSON = "person"
"""Streamlit's name, in `st.user`, of the id of the person who is logged in."""


def visitor() -> Visitor:
    """Return who is at this page: ALONE where nobody logs in. Ends the script for somebody who was logged out."""
    if not st.get_option("server.trustedUserHeaders"):
        return ALONE
    person_id = st.user.get(PERSON)
    person = open_library().people.find(int(person_id)) if isinstance(person_id, str) else None
    if person is None:
        st.error("You are logged out. Reload the page to log in.", icon=":material/lock:")
        st.stop()
    return Visitor(person, st.context.headers.get(ADDRESS_HEADER, ""), open_library().people.events)


@st.cache_resource(show_spinner=False)
def open_library() -> Library:
    """Open the library of the settings, once; create it if missing, because new users start with an empty one."""
    return compose.open_library(compose.settings_from(), create=True)


@st.cache_resource(show_spinner="Loading the encoder")
def _encoders(names: tuple[str, ...]) -> tuple[Encoder, ...]:
    encoders = asked_encoders.open_named(compose.settings_from(), open_library())
    # What is loaded stays to the end of the process: collections need not walk it (140 ms with torch).
    gc.collect()
    gc.freeze()
    return encoders


@st.cache_resource(show_spinner=False)
def _engine(names: tuple[str, ...], held: frozenset[str]) -> Engine:
    """Return the engine of these encoders in a library that has rows of those that are held."""
    library = open_library()
    return asked_encoders.open_engine(library, asked_encoders.with_quick(library, _encoders(names)))


def open_engine() -> Engine:
    """Return an up-to-date engine over that library, opened once for the chosen encoder, or several.

    Raises:
        EncoderError: Weights or the device are missing.
        WrongSetting: The encoder or device of the settings is unknown.
    """
    library, settings = open_library(), compose.settings_from()
    own = compose.encoder_name(compose.with_library_encoder(settings, library))
    names = asked_encoders.names_asked(settings, library) or (own,)
    engine = _engine(names, frozenset(row.id for row in library.encoders() if row.segments))
    engine.refresh()
    for space in engine.spaces:
        _vector_upkeep(space.id).start_if_due(cast("Optimizable", space.index))
    return engine


@st.cache_resource(show_spinner=False)
def _vector_upkeep(encoder_id: str) -> VectorUpkeep:
    return VectorUpkeep(open_library().place, encoder_id)


def start_job(order: Order, title: str = "") -> str:
    """Start a job for whoever is at this page; return why it could not be started, or ""."""
    try:
        job_starts.start_job(jobs(), order, compose.settings_from(), visitor(), title=title)
    except ApiError as error:
        return error.sentence
    except (OSError, ValueError) as error:
        return f"The job could not be started: {error}. Check that there is free space on the disk."
    return ""


def jobs() -> Jobs:
    """Return the long jobs of this library."""
    from app.jobs.jobs import Jobs

    return Jobs(open_library().directory)


def notice(engine: Engine) -> str | None:
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


def query_of(link: SearchLink, engine: Engine) -> Query:
    """Return the query of a link; it must have one, and no later steps.

    Raises:
        QueryError: An example is missing or unreadable, or all weights are 0.
    """
    return link_query.query_of(link, _clips(engine))


def fused_query_of(link: SearchLink, engine: Engine) -> FusedQuery:
    """Return the query of a link with words in quotes, and no later steps.

    Raises:
        TextQueryError: The words in quotes cannot be searched for.
        QueryError: As for `query_of`.
    """
    return link_query.fused_query_of(link, _clips(engine))


def chain_query_of(link: SearchLink, engine: Engine) -> ChainQuery:
    """Return the chain query of a link with later steps.

    Raises:
        QueryError: As for `query_of`.
    """
    return link_query.chain_query_of(link, _clips(engine))


def _clips(engine: Engine) -> dict[str, Callable[[LinkTerm], NDArray[np.uint8]]]:
    return {space.id: partial(_clip, space) for space in engine.spaces}


def _clip(space: Space, term: LinkTerm) -> NDArray[np.uint8]:
    clip: NDArray[np.uint8] = _read_clip(term.kind, term.value, space.id, space)
    return clip


@st.cache_resource(max_entries=64, show_spinner="Reading the example")
def _read_clip(kind: TermKind, value: str, encoder_id: str, _space: Space) -> NDArray[np.uint8]:
    """Decode an example, once for each encoder, which decides the clip's shape. The space caches the clip's row."""
    return clip_of(_space.library, LinkTerm(kind, value), _space.encoder.clip_spec, _media_workers())


@st.cache_resource(show_spinner=False)
def _media_workers() -> MediaWorkers:
    return MediaWorkers()
