"""Map page: all shots in a plane, similar ones near each other, coloured by folder or by score."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from app.search_link import LinkTerm, SearchLink
from app.web.http.errors import as_sentence
from app.web.pages import components, search_state, session
from app.web.pages.components import component
from app.web.pages.empty_states import searchable_engine
from app.web.pages.escape import escape_markdown
from app.web.pages.score_scale import MIN_RANGE
from db.records import Filters

if TYPE_CHECKING:
    from search.engines import Engine

_LEFT_OUT = 65535  # instead of a score: excluded by the filters
_STEPS = 65534
_BATCH = 16_384  # embedding rows in memory at a time


def show() -> None:
    """Draw the page."""
    library = session.open_library()
    component("shell")(key="shell")
    engine = searchable_engine(library)
    if engine is None:
        return
    st.session_state.setdefault("words", search_state.current_search().words)
    words = st.text_input(
        "Colour by",
        key="words",
        placeholder="Describe a shot to colour the map by",
        icon=":material/search:",
        label_visibility="collapsed",
    )
    link = replace(search_state.current_search(), words=words)
    search_state.write_address(link)
    if link.has_text:
        st.caption(search_state.TEXT_ELSEWHERE)
    draw_other_criteria(link)
    component("map/view")(
        key="map",
        data={
            "encoder": engine.encoder.id,
            "shots": library.shot_count(Filters(), engine.encoder.id),
            "asks": link.asks_pictures or bool(link.filters()),
            "asked": map_scores(link, engine),
        },
        on_made_change=lambda: None,  # reruns the script, now with a map to score
        on_like_change=on_like,
        on_range_change=on_range,
    )


def draw_other_criteria(link: SearchLink) -> None:
    """Draw the parts of the search that are not in the text box."""
    parts = []
    if link.terms:
        parts.append("one example" if len(link.terms) == 1 else f"{len(link.terms)} examples or words")
    if link.filter_count:
        parts.append("one filter" if link.filter_count == 1 else f"{link.filter_count} filters")
    if parts:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"From the Search page: {' and '.join(parts)}.", width="content")
            st.button("Use only the words", on_click=only_words, type="tertiary")


def map_scores(link: SearchLink, engine: Engine) -> dict[str, Any] | None:
    """Return the scores to colour the map by.

    Returns:
        {version, scored, ...} with the members of `packed_scores`, in the order of that version of the map. None if
        there is no query and no filter, or no map yet; the component triggers a rerun when it is built.
    """
    from app.encoder_choice import MAPS
    from app.web.services.map_making import map_version
    from search.projection import ProjectionStore
    from search.query import QueryError

    filters = link.filters()
    if not (link.asks_pictures or filters):
        return None
    library = engine.library
    made = ProjectionStore(library, engine.encoder.id, library.directory / MAPS).load_saved()
    if made is None or not made.ids.size:
        return None
    scores = np.zeros(len(made.ids), np.float32)
    if link.asks_pictures:
        try:
            with st.spinner("Scoring all shots", show_time=False):
                query = session.query_of(link, engine)
                parts = [made.ids[at : at + _BATCH] for at in range(0, len(made.ids), _BATCH)]
                scores = np.concatenate([engine.scores(query, part) for part in parts])
        except QueryError as error:
            st.warning(escape_markdown(as_sentence(str(error))))
            return None
        except KeyError:  # the library has changed since the map was read; the next run sees the new one
            return None
    allowed = np.isin(made.ids, library.segment_ids(filters, engine.encoder.id)) if filters else None
    return {"version": map_version(made), "scored": link.asks_pictures, **packed_scores(scores, allowed)}


def packed_scores(scores: NDArray[np.float32], allowed: NDArray[np.bool_] | None) -> dict[str, Any]:
    """Return scores for the browser.

    Args:
        scores: float32 (n,).
        allowed: bool (n,), False for shots excluded by the filters; None without filters.

    Returns:
        `scores` is base64 of uint16 (n,), where k below 65535 stands for `least + k / 65534 * (most - least)` and
        65535 for an excluded shot. Colours run from `low`, the median, to `high`, the best score. `key` is a digest.
    """
    least, most = float(scores.min()), float(scores.max())
    steps = np.round((scores - least) / max(most - least, 1e-9) * _STEPS).astype("<u2")
    if allowed is not None:
        steps[~allowed] = _LEFT_OUT
    packed = steps.tobytes()
    return {
        "least": round(least, 5),
        "most": round(most, 5),
        "low": round(min(float(np.median(scores)), most - MIN_RANGE), 4),
        "high": round(most, 4),
        "left_out": 0 if allowed is None else int((~allowed).sum()),
        "scores": base64.b64encode(packed).decode("ascii"),
        "key": hashlib.blake2b(packed + repr((least, most)).encode(), digest_size=8).hexdigest(),
    }


def only_words() -> None:
    """Remove examples and filters from the search."""
    words = str(st.session_state.get("words", ""))
    search_state.set_search(SearchLink(words=words))


def on_like() -> None:
    """Colour the map by similarity to a shot, beside the words."""
    payload = components.event_payload("map", "like")
    if payload:
        search_state.add_example(LinkTerm("segment", str(int(payload["segment"]))))


def on_range() -> None:
    """Colour the map by similarity to a range of a shot."""
    payload = components.event_payload("map", "range")
    if payload:
        term = LinkTerm.of_range(int(payload["segment"]), int(payload["start_pts"]), int(payload["end_pts"]))
        search_state.add_example(term)
