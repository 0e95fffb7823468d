"""Questions page: shots to watch, drawn at random, and what a person would type to find each."""

from __future__ import annotations

from app.web.pages import session
from app.web.pages.add_videos import is_searchable
from app.web.pages.components import component
from app.web.pages.empty_states import show_empty_library


def show() -> None:
    """Draw the page; the component does the rest."""
    library = session.open_library()
    if not is_searchable(library):
        component("shell")(key="shell")
        show_empty_library()
        return
    component("questions/view")(key="questions", data={"library": library.id})
