"""View of one video: its facts, its shots in order, and their scores for the current search."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import streamlit as st

from app.link_parameters import encode_path
from app.search_link import LinkTerm, SearchLink
from app.shell.listing import status_of
from app.web.http.errors import as_sentence
from app.web.pages import components, search_state, session
from app.web.pages.components import component
from app.web.pages.empty_states import engine_or_message
from app.web.pages.escape import escape_markdown
from app.web.pages.score_scale import score_scale

if TYPE_CHECKING:
    from collections.abc import Sequence

    from db.library import Library
    from db.records import Segment, Video

_STATES = {"missing": "offline", "changed": "changed since it was indexed"}
_FROM_ADDRESS = "video_address"  # in the session's state: the URL last read or written


def show(library: Library, wanted: str) -> None:
    """Draw the view of a video.

    Args:
        library: The library.
        wanted: The video's id from the URL; untrusted.
    """
    found = find_video(library, wanted)
    if found is None:
        st.warning("There is no such video. It may have been removed, or its file indexed again.")
        st.button("Show all videos", on_click=leave)
        return
    video, segments = found
    read_address()
    draw_header(video, segments)
    words = st.text_input(
        "Search within this video",
        key="words",
        placeholder="Describe a shot to find in this video",
        icon=":material/search:",
        label_visibility="collapsed",
    )
    link = replace(search_state.current_search(), words=words)
    write_address(wanted, link)
    if link.has_text:
        st.caption(search_state.TEXT_ELSEWHERE)
    if link.terms:
        also = "one example" if len(link.terms) == 1 else f"{len(link.terms)} examples or words"
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"This search also uses {also} from the Search page.", width="content")
            st.button("Use only the words", on_click=only_words, type="tertiary")
    draw_timeline(video, segments, segment_scores(library, segments, link))


def find_video(library: Library, wanted: str) -> tuple[Video, list[Segment]] | None:
    """Return the video and its segments in order, or None if the id is unknown."""
    if not (wanted.isascii() and wanted.isdecimal() and len(wanted) <= 18):
        return None
    segments = library.segments_of(int(wanted))
    owners = library.segments([segment.id for segment in segments[:1] if segment.id is not None])
    for _, video in owners.values():
        return video, segments
    return None


def draw_header(video: Video, segments: Sequence[Segment]) -> None:
    """Draw the name, the facts, and a button back to the list."""
    name, back = st.columns([6, 1.2], vertical_alignment="center")
    name.header(escape_markdown(encode_path(os.path.basename(video.path))), anchor=False)
    back.button("All videos", icon=":material/arrow_back:", on_click=leave, width="stretch")
    st.caption(escape_markdown(facts_text(video, segments)))


def facts_text(video: Video, segments: Sequence[Segment]) -> str:
    """Return the facts of the video as one line."""
    shots = len({segment.shot_number for segment in segments})
    parts = [
        duration_text(video.duration_seconds),
        f"{shots:,} shot{'' if shots == 1 else 's'}",
        f"{video.width} × {video.height}",
        video.codec.upper(),
        f"{round(float(video.nominal_rate), 3):g} fps",
        "with sound" if video.has_audio else "silent",
    ]
    if video.facts is not None and video.facts.camera:
        parts.append(video.facts.camera)
    if video.rotation:
        parts.append(f"rotated {video.rotation}°")
    if video.damaged:
        parts.append(f"damaged in {video.damaged} place{'' if video.damaged == 1 else 's'}")
    if video.clock_jumps:
        parts.append("timestamps jump")
    if state := _STATES.get(status_of(video)):
        parts.append(state)
    return " · ".join([*parts, encode_path(os.path.dirname(video.path))])


def duration_text(seconds: float) -> str:
    """Return a duration in the format of the components: 3.2 s, 1:05, 1:02:05."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def segment_scores(library: Library, segments: Sequence[Segment], link: SearchLink) -> dict[str, Any] | None:
    """Return {scores, low, high} of the segments for the search, or None if it has no query or no answer."""
    from search.query import QueryError

    if not link.asks_pictures:
        return None
    engine = engine_or_message(library)
    if engine is None:
        return None
    try:
        query = session.query_of(link, engine)
        scores = engine.scores(query, [segment.id for segment in segments if segment.id is not None])
        scale = score_scale(engine, query)
    except QueryError as error:
        st.warning(escape_markdown(as_sentence(str(error))))
        return None
    except KeyError:
        st.info("This video was not indexed with the current encoder, so its shots have no scores. Index it again.")
        return None
    return {"scores": [round(float(each), 4) for each in scores], "low": scale.low, "high": scale.high}


def draw_timeline(video: Video, segments: Sequence[Segment], scores: dict[str, Any] | None) -> None:
    """Draw the timeline of all segments, coloured by their scores."""
    data = {
        "video": video.id,
        "name": encode_path(os.path.basename(video.path)),
        "duration": video.duration_seconds,
        "missing": not os.path.exists(video.path),
        "segments": [
            [each.id, each.shot_number, round(video.seconds(each.start_pts), 6), round(video.seconds(each.end_pts), 6)]
            for each in segments
        ],
        **(scores or {"scores": None}),
    }
    token = hashlib.blake2b(json.dumps(data).encode(), digest_size=8).hexdigest()
    component("video/view")(
        key="timeline",
        data={"token": token, "search": search_state.moments_link(), **data},
        on_like_change=on_like,
        on_range_change=on_range,
    )


# The URL holds `?video=ID` and the search, so that both can be bookmarked and shared


def read_address() -> None:
    """Take the search from the URL, or keep the session's if the URL has none."""
    params = {name: st.query_params.get_all(name) for name in st.query_params if name != "video"}
    if params and params != st.session_state.get(_FROM_ADDRESS):
        problems = search_state.read_address()
        st.session_state[_FROM_ADDRESS] = params
        for problem in problems:
            st.warning(escape_markdown(problem))
    st.session_state.setdefault("words", search_state.current_search().words)


def write_address(video: str, link: SearchLink) -> None:
    """Write the video and the search to the URL."""
    st.session_state[search_state.LINK] = link
    params = link.params()
    if st.session_state.get(_FROM_ADDRESS) != params or not params:
        wanted = {"video": [video], **params}
        if {name: st.query_params.get_all(name) for name in st.query_params} != wanted:
            st.query_params.from_dict(wanted)
        st.session_state[_FROM_ADDRESS] = params


def leave() -> None:
    """Return to the list of videos."""
    st.query_params.clear()
    st.session_state.pop(_FROM_ADDRESS, None)


def only_words() -> None:
    """Remove examples from the search."""
    words = str(st.session_state.get("words", ""))
    search_state.set_search(replace(search_state.current_search(), words=words, terms=(), words_weight=1.0))


def on_like() -> None:
    """Score the video by similarity to a shot, beside the words."""
    payload = components.event_payload("timeline", "like")
    if payload:
        search_state.add_example(LinkTerm("segment", str(int(payload["segment"]))))


def on_range() -> None:
    """Score the video by similarity to a range of a shot."""
    payload = components.event_payload("timeline", "range")
    if payload:
        term = LinkTerm.of_range(int(payload["segment"]), int(payload["start_pts"]), int(payload["end_pts"]))
        search_state.add_example(term)
