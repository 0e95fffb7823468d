"""The grid of shots that a search found, and what a person does with one of them: each changes the search."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from app.search_link import EXCLUDED_WEIGHT, LinkTerm
from app.web.pages import components, query_widgets, search_state
from app.web.pages.components import component


def draw_grid(
    cards: Sequence[dict[str, Any]],
    *,
    more: bool,
    folded: bool = False,
    milliseconds: float = 0.0,
    search: str = "",
) -> None:
    """Draw cards in the grid.

    Args:
        cards: What to draw, in order.
        more: Whether there may be more hits, for the last button.
        folded: Whether they are no good match, and shown only when asked for.
        milliseconds: Time that the search took.
        search: Query string of the search, if its hits have moments.
    """
    token = hashlib.blake2b(repr((cards, folded)).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    component("search/grid")(
        key="grid",
        data={
            "token": token,
            "hits": list(cards),
            "more": more,
            "folded": folded,
            "milliseconds": round(milliseconds, 2),
            "search": search,
        },
        on_like_change=on_like,
        on_exclude_change=on_exclude,
        on_range_change=on_range,
        on_more_change=query_widgets.on_more,
        on_again_change=on_again,
    )


# Events of the component; Streamlit reruns the script after each.


def on_again() -> None:
    """Do nothing: the run of the script is what is wanted, as quick hits were deepened."""


def on_like() -> None:
    """Handle "more like this": the shot becomes the example beside the words, or one more of them."""
    payload = components.event_payload("grid", "like")
    if payload:
        search_state.add_example(LinkTerm("segment", str(int(payload["segment"]))), also=bool(payload.get("also")))


def on_exclude() -> None:
    """Handle "less like this": add the shot to the search with a negative weight."""
    payload = components.event_payload("grid", "exclude")
    if payload:
        link = search_state.with_typed_words(search_state.current_search())
        term = LinkTerm("segment", str(int(payload["segment"])), EXCLUDED_WEIGHT)
        search_state.set_search(link.with_term(term))


def on_range() -> None:
    """Search with a range of a shot, as with a whole one."""
    payload = components.event_payload("grid", "range")
    if payload:
        term = LinkTerm.of_range(int(payload["segment"]), int(payload["start_pts"]), int(payload["end_pts"]))
        search_state.add_example(term)
