"""One video: what it is, where in it the hits of the current search lie, and all its shots in order."""

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
from app.web.pages import asked_link, components, session
from app.web.pages.components import component
from app.web.pages.empty_states import engine_or_reason
from app.web.pages.escape import plain
from app.web.pages.score_scale import score_scale

if TYPE_CHECKING:
    from collections.abc import Sequence

    from db.library import Library
    from db.records import Segment, Video

_STATES = {"missing": "file not there now", "changed": "changed since it was indexed"}
_FROM_ADDRESS = "video_address"  # in the session's state: the address that was last read or written


def show(library: Library, wanted: str) -> None:
    """wanted: the video's id as the address has it."""
    found = find(library, wanted)
    if found is None:
        st.warning("There is no such video; it may have been removed, or its file indexed again since.")
        st.button("Show all videos", on_click=leave)
        return
    video, segments = found
    take_address()
    header(video, segments)
    words = st.text_input(
        "Ask within this video",
        key="words",
        placeholder="Ask within this video: what is to be seen?",
        icon=":material/search:",
        label_visibility="collapsed",
    )
    link = replace(asked_link.current_link(), words=words)
    put_address(wanted, link)
    if link.terms:
        also = "one example" if len(link.terms) == 1 else f"{len(link.terms)} examples or words"
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"The search also goes by {also} chosen on the page Search.", width="content")
            st.button("Only words", on_click=only_words, type="tertiary")
    timeline(video, segments, scored(library, segments, link))


def find(library: Library, wanted: str) -> tuple[Video, list[Segment]] | None:
    """The video and its segments in order."""
    if not (wanted.isascii() and wanted.isdecimal() and len(wanted) <= 18):
        return None
    segments = library.segments_of(int(wanted))
    owners = library.segments([segment.id for segment in segments[:1] if segment.id is not None])
    for _, video in owners.values():
        return video, segments
    return None


def header(video: Video, segments: Sequence[Segment]) -> None:
    name, back = st.columns([6, 1.2], vertical_alignment="center")
    name.subheader(plain(encode_path(os.path.basename(video.path))), anchor=False)
    back.button("All videos", icon=":material/arrow_back:", on_click=leave, width="stretch")
    st.caption(plain(facts(video, segments)))


def facts(video: Video, segments: Sequence[Segment]) -> str:
    """What the video is, on one line."""
    shots = len({segment.shot_number for segment in segments})
    parts = [
        length_text(video.duration_seconds),
        f"{shots:,} shot{'' if shots == 1 else 's'}",
        f"{video.width} × {video.height}",
        video.codec.upper(),
        f"{round(float(video.frame_rate), 3):g} fps",
        "with sound" if video.has_audio else "silent",
    ]
    if video.rotation:
        parts.append(f"turned by {video.rotation}°")
    if video.damaged:
        parts.append(f"damaged in {video.damaged} place{'' if video.damaged == 1 else 's'}")
    if state := _STATES.get(status_of(video)):
        parts.append(state)
    return " · ".join([*parts, encode_path(os.path.dirname(video.path))])


def length_text(seconds: float) -> str:
    """3.2 s, 1:05, 1:02:05: as our views write it."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def scored(library: Library, segments: Sequence[Segment], link: SearchLink) -> dict[str, Any] | None:
    """{scores, low, high} of the segments for the search, or None where nothing is asked or can be answered."""
    from search.query import QueryError

    if not link.has_query:
        return None
    engine = engine_or_reason(library)
    if engine is None:
        return None
    try:
        query = session.query_of(link, engine)
        scores = engine.scores(query, [segment.id for segment in segments if segment.id is not None])
        scale = score_scale(engine, query)
    except QueryError as error:
        st.warning(plain(f"{str(error)[:1].upper()}{str(error)[1:]}."))
        return None
    except KeyError:
        st.info("This video was not indexed with the encoder in use, so its shots have no scores. Index it again.")
        return None
    return {"scores": [round(float(each), 4) for each in scores], "low": scale.low, "high": scale.high}


def timeline(video: Video, segments: Sequence[Segment], scores: dict[str, Any] | None) -> None:
    data = {
        "video": video.id,
        "name": encode_path(os.path.basename(video.path)),
        "duration": video.duration_seconds,
        "missing": not os.path.exists(video.path),
        "segments": [
            [each.id, each.shot_number, round(video.seconds(each.start_pts), 3), round(video.seconds(each.end_pts), 3)]
            for each in segments
        ],
        **(scores or {"scores": None}),
    }
    token = hashlib.blake2b(json.dumps(data).encode(), digest_size=8).hexdigest()
    component("video/view")(key="timeline", data={"token": token, **data}, on_like_change=liked, on_range_change=ranged)


# The address: `?video=ID` and the search beside it, so that both can be kept and sent


def take_address() -> None:
    """Take up a search that stands in the address; without one, the search that the session is at."""
    params = {name: st.query_params.get_all(name) for name in st.query_params if name != "video"}
    if params and params != st.session_state.get(_FROM_ADDRESS):
        problems = asked_link.take_link_from_address()
        st.session_state[_FROM_ADDRESS] = params
        for problem in problems:
            st.warning(plain(problem))
    st.session_state.setdefault("words", asked_link.current_link().words)


def put_address(video: str, link: SearchLink) -> None:
    st.session_state[asked_link.LINK] = link
    params = link.params()
    if st.session_state.get(_FROM_ADDRESS) != params or not params:
        wanted = {"video": [video], **params}
        if {name: st.query_params.get_all(name) for name in st.query_params} != wanted:
            st.query_params.from_dict(wanted)
        st.session_state[_FROM_ADDRESS] = params


def leave() -> None:
    """Back to the list."""
    st.query_params.clear()
    st.session_state.pop(_FROM_ADDRESS, None)


def only_words() -> None:
    words = str(st.session_state.get("words", ""))
    asked_link.set_link(replace(asked_link.current_link(), words=words, terms=(), words_weight=1.0))


def liked() -> None:
    """Within this video: what else in it is like that shot."""
    payload = components.event_payload("timeline", "like")
    if payload:
        asked_link.set_link(SearchLink().with_term(LinkTerm("segment", str(int(payload["segment"])))))


def ranged() -> None:
    payload = components.event_payload("timeline", "range")
    if payload:
        term = LinkTerm.of_range(int(payload["segment"]), int(payload["start_pts"]), int(payload["end_pts"]))
        asked_link.set_link(SearchLink().with_term(term))
