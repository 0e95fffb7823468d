"""The widgets that a search is asked with, and the one SearchLink that they stand for, kept in the address."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any, cast

import streamlit as st

from app.browse.components import component
from app.browse.plain import plain
from app.search_link import DEFAULT_LIMIT, MOST_HITS, MOST_TEXT, LinkTerm, Orientation, SearchLink, path_text, read_link

if TYPE_CHECKING:
    from db.library import Library

ANY_FOLDER = "All folders"
RESOLUTIONS = {0: "Any", 480: "480p or more", 720: "720p or more", 1080: "1080p or more", 2160: "4K"}
LINK, WRITTEN, ARRIVED = "link", "address_written", "arrived"  # in the session's state


# The link in the session


def current_link() -> SearchLink:
    """What is asked now."""
    link = st.session_state.get(LINK)
    return link if isinstance(link, SearchLink) else SearchLink()


def set_link(link: SearchLink) -> None:
    """Ask this instead: the widgets show it in the next run. To be called in callbacks, before widgets are drawn."""
    st.session_state[LINK] = link
    state = st.session_state
    state["words"] = link.words
    state["in_folder"] = link.folder or ANY_FOLDER
    state["in_name"] = link.name or ""
    state["since"] = None if link.since is None else date.fromisoformat(link.since)
    state["until"] = None if link.until is None else date.fromisoformat(link.until)
    state["least_seconds"], state["most_seconds"] = link.min_seconds, link.max_seconds
    state["resolution"] = link.min_short_side if link.min_short_side in RESOLUTIONS else 0
    state["orientation"] = link.orientation
    state["least_score"] = link.threshold
    state["one_per_video"], state["hide_duplicates"] = link.one_per_video, link.hide_duplicates
    state[_weight_key(None)] = link.words_weight
    for term in link.terms:
        state[_weight_key(term)] = term.weight


def take_link_from_address() -> list[str]:
    """Read the address where a person has changed it (a link, or Back); says what was not understood.

    Coming back from another page without a search in the address, the last one is taken up again.
    """
    params = {name: st.query_params.get_all(name) for name in st.query_params}
    arrived = st.session_state.pop(ARRIVED, False)
    if st.session_state.get(WRITTEN) == params and not arrived:
        return []
    if arrived and not params and LINK in st.session_state:
        set_link(current_link())
        return []
    link, problems = read_link(params)
    set_link(link)
    st.session_state[WRITTEN] = params
    return problems


def put_link_in_address(link: SearchLink) -> None:
    """So that the search can be kept and sent as it is."""
    st.session_state[LINK] = link
    params = link.params()
    if st.session_state.get(WRITTEN) != params:
        st.query_params.from_dict(params)
        st.session_state[WRITTEN] = params


# The widgets


def ask(library: Library, *, on_dropped: Callable[[], None]) -> SearchLink:
    """Draw them, and give what they say."""
    link = current_link()
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        words = st.text_input(
            "Search",
            key="words",
            placeholder="What is to be seen?  A dog running on the beach, a hand pouring coffee …",
            icon=":material/search:",
            label_visibility="collapsed",
            width="stretch",
        )
        link = replace(link, words=words[:MOST_TEXT])
        with st.popover(_counted("Filters", link.narrowed), width="content"):
            link = _filters(link, library)
        with st.popover(_counted("Combine", len(link.terms)), width="content"):
            _combine()
        with st.popover("Saved", width="content"):
            _saved(link, library)
    # Beside the popover, not in it: what is in a popover is only there while it is open, and files drop at any time.
    component("drop")(key="drop", on_dropped_change=on_dropped)
    return _terms(link, library)


def _counted(label: str, count: int) -> str:
    return f"{label} ({count})" if count else label


def _filters(link: SearchLink, library: Library) -> SearchLink:
    folders = library.folders()
    if link.folder and link.folder not in folders:
        folders = [link.folder, *folders]
    folder = st.selectbox("Folder", [ANY_FOLDER, *folders], key="in_folder", format_func=path_text)
    name = st.text_input("File name contains", key="in_name", max_chars=200)
    left, right = st.columns(2)
    since = left.date_input("Changed since", key="since", value=None, max_value=date(2999, 12, 31))
    until = right.date_input("Changed until", key="until", value=None, max_value=date(2999, 12, 31))
    least = left.number_input("Shot at least (s)", key="least_seconds", value=None, min_value=0.0, step=1.0)
    most = right.number_input("Shot at most (s)", key="most_seconds", value=None, min_value=0.0, step=1.0)
    resolution = left.selectbox("Resolution", list(RESOLUTIONS), key="resolution", format_func=RESOLUTIONS.__getitem__)
    score = right.number_input(
        "Least score", key="least_score", value=None, min_value=-1.0, max_value=1.0, step=0.01, format="%.2f"
    )
    orientation = st.segmented_control(
        "Orientation", ["landscape", "portrait", "square"], key="orientation", format_func=str.capitalize
    )
    left, right = st.columns(2)
    one = left.toggle("One hit per video", key="one_per_video")
    duplicates = right.toggle("Hide near-duplicates", key="hide_duplicates")
    st.button("Clear all filters", on_click=clear_filters, width="stretch")
    return replace(
        link,
        folder=None if folder == ANY_FOLDER else folder,
        name=name.strip() or None,
        since=since.isoformat() if isinstance(since, date) else None,
        until=until.isoformat() if isinstance(until, date) else None,
        min_seconds=least,
        max_seconds=most,
        min_short_side=resolution or None,
        orientation=cast("Orientation | None", orientation),
        threshold=score,
        one_per_video=bool(one),
        hide_duplicates=bool(duplicates),
    )


def clear_filters() -> None:
    asked = current_link()
    words = str(st.session_state.get("words", asked.words))
    set_link(SearchLink(words=words, words_weight=asked.words_weight, terms=asked.terms, limit=asked.limit))


def _combine() -> None:
    """More things that hits shall resemble, or not."""
    st.text_input("Also like", key="also", on_change=_add_words, args=("also", 1.0), placeholder="in the rain")
    st.text_input("But not like", key="never", on_change=_add_words, args=("never", -0.5), placeholder="a text card")
    component("choose")(key="choose")
    st.caption("Or press M or N on a shot for more or less like it, or mark a range in the player and press F.")


def _add_words(key: str, weight: float) -> None:
    words = str(st.session_state.get(key, "")).strip()
    if words:
        set_link(_typed(current_link()).with_term(LinkTerm("text", words[:MOST_TEXT], weight)))
    st.session_state[key] = ""


def _terms(link: SearchLink, library: Library) -> SearchLink:
    """One small card a term, with its weight; none while there are only words."""
    if not link.terms:
        return replace(link, words_weight=1.0)
    shown: list[LinkTerm | None] = [None] if link.words.strip() else []
    shown += link.terms
    weights: dict[LinkTerm | None, float] = {}
    with st.container(horizontal=True, gap="small"):
        for term in shown:
            with st.container(border=True, width=330, gap="small"):
                picture, text = _described(term, link, library)
                seen, said, out = st.columns([1.3, 2.2, 0.5], gap="small", vertical_alignment="center")
                with seen:
                    if picture:
                        st.html(f'<img src="{picture}" alt="" style="width:100%;border-radius:4px;display:block">')
                    else:
                        st.markdown(":material/format_quote:")
                out.button(
                    "",
                    icon=":material/close:",
                    key=f"out_{_weight_key(term)}",
                    help="Take out",
                    type="tertiary",
                    on_click=_take_out,
                    args=(term,),
                )
                key = _weight_key(term)
                st.session_state.setdefault(key, link.words_weight if term is None else term.weight)
                weights[term] = said.slider(
                    plain(text), -2.0, 2.0, key=key, step=0.1, format="%.1f", help="How much it counts; below 0: not so"
                )
    return replace(
        link,
        words_weight=weights.get(None, 1.0),
        terms=tuple(replace(term, weight=weights[term]) for term in link.terms),
    )


def _described(term: LinkTerm | None, link: SearchLink, library: Library) -> tuple[str | None, str]:
    """(address of a picture or None, words) for a term; the addresses are made of numbers and tokens only."""
    if term is None:
        return None, f"“{link.words}”"
    if term.kind == "text":
        return None, f"“{term.value}”"
    if term.kind == "file":
        return f"/api/examples/{term.value}/poster", "a file"
    segment_id = term.range[0] if term.kind == "range" else int(term.value)
    found = library.segments([segment_id])
    if not found:
        return None, "a shot that has gone from the library"
    what = "a range of " if term.kind == "range" else ""
    return f"/api/poster/{segment_id}", what + path_text(next(iter(found.values()))[1].path.rpartition("/")[2])


def _take_out(term: LinkTerm | None) -> None:
    link = _typed(current_link())
    if term is None:
        set_link(replace(link, words="", words_weight=1.0))
    else:
        same = (term.kind, term.value)
        set_link(replace(link, terms=tuple(each for each in link.terms if (each.kind, each.value) != same)))


def _typed(link: SearchLink) -> SearchLink:
    """With the words as they stand in the box, which a callback may be asked for before the script has read them."""
    return replace(link, words=str(st.session_state.get("words", link.words)))


def _weight_key(term: LinkTerm | None) -> str:
    return "weight_words" if term is None else f"weight_{term.kind}_{term.value}"


def _saved(link: SearchLink, library: Library) -> None:
    """Searches kept by name; the newest first."""
    if link.asks or link.narrowed:
        with st.form("save_search", border=False, clear_on_submit=True):
            name = st.text_input("Save this search as", value=link.words[:60], max_chars=200)
            if st.form_submit_button("Save", width="stretch") and name.strip():
                library.searches.save(name.strip(), link.query_string())
    kept = library.searches.all()
    if not kept:
        st.caption("Searches that you save are kept here.")
    for search in kept:
        name_column, out = st.columns([5, 1], vertical_alignment="center")
        name_column.button(
            plain(search.name), key=f"saved_{search.id}", width="stretch", on_click=_open_saved, args=(search.link,)
        )
        out.button(
            "",
            icon=":material/delete:",
            key=f"unsave_{search.id}",
            help="Forget this search",
            type="tertiary",
            on_click=_forget,
            args=(library, search.id),
        )


def _forget(library: Library, search_id: int) -> None:
    library.searches.remove(search_id)


def _open_saved(query_string: str) -> None:
    from urllib.parse import parse_qs

    set_link(read_link(parse_qs(query_string, keep_blank_values=True))[0])


def take_idea() -> None:
    """One of the suggestions was picked."""
    idea = st.session_state.get("idea")
    if idea:
        set_link(replace(current_link(), words=str(idea)))


def ask_for_more() -> None:
    """The grid's last button."""
    link = _typed(current_link())
    set_link(replace(link, limit=min(MOST_HITS, link.limit + DEFAULT_LIMIT)))


def told(key: str, name: str) -> Mapping[str, Any] | None:
    """What a view of ours has just told under `name`, if it did."""
    value = st.session_state.get(key, {})
    found = value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)
    return found if isinstance(found, Mapping) else None
