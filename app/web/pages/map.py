"""The page of the map: all shots in a plane, near ones near together, coloured by where they are or how they score."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from app.search_link import LinkTerm, SearchLink
from app.web.pages import asked_link, components, session
from app.web.pages.components import component
from app.web.pages.empty_states import ready_to_ask
from app.web.pages.escape import plain

if TYPE_CHECKING:
    from search.engine import SearchEngine

_LEFT_OUT = 65535  # in place of a score: the filters leave this shot out
_STEPS = 65534
_LEAST_RANGE = 0.02
_AT_ONCE = 16_384  # rows in memory


def show() -> None:
    library = session.open_library()
    component("shell")(key="shell", data={"dock": True, "search": True})
    engine = ready_to_ask(library)
    if engine is None:
        return
    st.session_state.setdefault("words", asked_link.current_link().words)
    words = st.text_input(
        "Colour by",
        key="words",
        placeholder="Colour the map by a search: what is to be seen?",
        icon=":material/search:",
        label_visibility="collapsed",
    )
    link = replace(asked_link.current_link(), words=words)
    asked_link.put_link_in_address(link)
    also(link)
    component("map/view")(
        key="map",
        data={
            "encoder": engine.encoder.id,
            "asks": link.has_query or bool(link.filters()),
            "asked": asked(link, engine),
        },
        on_made_change=lambda: None,  # a run of the script is all that is wanted: there is a map to score now
        on_like_change=liked,
        on_range_change=ranged,
    )


def also(link: SearchLink) -> None:
    """What of the search is not in the box."""
    parts = []
    if link.terms:
        parts.append("one example" if len(link.terms) == 1 else f"{len(link.terms)} examples or words")
    if link.filter_count:
        parts.append("one filter" if link.filter_count == 1 else f"{link.filter_count} filters")
    if parts:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"From the page Search: {' and '.join(parts)}.", width="content")
            st.button("Only words", on_click=only_words, type="tertiary")


def asked(link: SearchLink, engine: SearchEngine) -> dict[str, Any] | None:
    """What the view colours by: {version, low, high, scores, key}; scores are of the map of that version, in its order.

    None where nothing is asked, or there is no map yet: the view says when there is one.
    """
    from app.web.services.map_making import FOLDER, map_version
    from search.projection import ProjectionStore
    from search.query import QueryError

    filters = link.filters()
    if not (link.has_query or filters):
        return None
    library = engine.library
    made = ProjectionStore(library, engine.encoder.id, library.directory / FOLDER).kept()
    if made is None or not made.ids.size:
        return None
    scores = np.zeros(len(made.ids), np.float32)
    if link.has_query:
        try:
            with st.spinner("Scoring every shot", show_time=False):
                query = session.query_of(link, engine)
                parts = [made.ids[at : at + _AT_ONCE] for at in range(0, len(made.ids), _AT_ONCE)]
                scores = np.concatenate([engine.scores(query, part) for part in parts])
        except QueryError as error:
            st.warning(plain(f"{str(error)[:1].upper()}{str(error)[1:]}."))
            return None
        except KeyError:  # the library has changed since the map was read; the next run sees the new one
            return None
    allowed = np.isin(made.ids, library.segment_ids(filters, engine.encoder.id)) if filters else None
    return {"version": map_version(made), "scored": link.has_query, **coloured(scores, allowed)}


def coloured(scores: NDArray[np.float32], allowed: NDArray[np.bool_] | None) -> dict[str, Any]:
    """{low, high, scores: base64 of uint16, key}: from `low`, what most shots score, to `high`, what the best one does.

    A number n below 65535 stands for a score of least + n / 65534 * (most - least).
    """
    least, most = float(scores.min()), float(scores.max())
    steps = np.round((scores - least) / max(most - least, 1e-9) * _STEPS).astype("<u2")
    if allowed is not None:
        steps[~allowed] = _LEFT_OUT
    packed = steps.tobytes()
    return {
        "least": round(least, 5),
        "most": round(most, 5),
        "low": round(min(float(np.median(scores)), most - _LEAST_RANGE), 4),
        "high": round(most, 4),
        "left_out": 0 if allowed is None else int((~allowed).sum()),
        "scores": base64.b64encode(packed).decode("ascii"),
        "key": hashlib.blake2b(packed + repr((least, most)).encode(), digest_size=8).hexdigest(),
    }


def only_words() -> None:
    words = str(st.session_state.get("words", ""))
    asked_link.set_link(SearchLink(words=words))


def liked() -> None:
    """Colour the map by likeness to that shot."""
    payload = components.event_payload("map", "like")
    if payload:
        asked_link.set_link(SearchLink().with_term(LinkTerm("segment", str(int(payload["segment"])))))


def ranged() -> None:
    payload = components.event_payload("map", "range")
    if payload:
        term = LinkTerm.of_range(int(payload["segment"]), int(payload["start_pts"]), int(payload["end_pts"]))
        asked_link.set_link(SearchLink().with_term(term))
