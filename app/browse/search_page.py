"""The page of searches: reads widgets, builds a Query, draws Hits."""

from __future__ import annotations

import html
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from app.browse import session
from app.hits import span_seconds
from app.moments import timecode

if TYPE_CHECKING:
    from search.query import Hit, Query

COLUMNS, HITS = 4, 24

STYLE = """<style>
.shot { position: relative; aspect-ratio: 16 / 9; background: #8883; border-radius: 6px; overflow: hidden; }
.shot img, .shot video { position: absolute; width: 100%; height: 100%; object-fit: contain; }
.shot video { opacity: 0; } .shot:hover video { opacity: 1; }
.about { font-size: .8rem; opacity: .8; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
</style>"""


def question() -> Query | None:
    """What the widgets ask, kept in the address, so that a search is a link."""
    from search.query import Query, SegmentTerm, TextTerm

    like = st.query_params.get("like", "")
    if like.isdecimal():
        if st.button("Back to words"):
            del st.query_params["like"]
            st.rerun()
        return Query(terms=(SegmentTerm(int(like)),), k=HITS)
    words = st.text_input(
        "What is to be seen?",
        value=st.query_params.get("q", ""),
        placeholder="a dog running on the beach",
    )
    if not words.strip():
        st.query_params.clear()
        return None
    st.query_params["q"] = words
    return Query(terms=(TextTerm(words),), k=HITS)


def card(hit: Hit) -> None:
    """Poster (moving under the pointer), score, file and time, and what can be done with it."""
    start, end = span_seconds(hit)
    identity, name = hit.segment.id, html.escape(Path(hit.video.path).name)
    st.html(
        f'<div class="shot"><img src="/api/poster/{identity}" alt="{name}">'
        f'<video src="/api/preview/{identity}" muted autoplay loop playsinline></video></div>'
        f'<div class="about" title="{name}">{hit.score:.2f} · {timecode(start)} · {float(end - start):.1f} s'
        f" · {name}</div>"
    )
    play, like = st.columns(2)
    if play.button("Play", key=f"play{identity}", width="stretch"):
        play_hit(hit)
    if like.button("More like this", key=f"like{identity}", width="stretch"):
        st.query_params["like"] = str(identity)
        st.rerun()


@st.dialog("Shot", width="large")
def play_hit(hit: Hit) -> None:
    """The file itself, from the start of the shot to its end."""
    start, end = span_seconds(hit)
    last = end - 1 / hit.video.frame_rate  # browsers stop a little after the end they are told
    st.html(
        f'<video src="/api/video/{hit.segment.id}#t={float(start):.3f},{float(last):.3f}" controls autoplay '
        'style="width: 100%; max-height: 60vh; background: black"></video>'
    )
    st.caption(f"{hit.video.path} · {timecode(start)} to {timecode(end)}")


def show() -> None:
    st.html(STYLE)
    engine = session.open_engine()
    engine.refresh()
    if notice := session.notice():
        st.caption(f"Note: {notice}")
    query = question()
    if query is None:
        st.stop()
    hits = engine.search(query)
    if not hits:
        st.info("Nothing was found.")
    for row in range(0, len(hits), COLUMNS):
        for column, hit in zip(st.columns(COLUMNS), hits[row : row + COLUMNS], strict=False):
            with column:
                card(hit)
