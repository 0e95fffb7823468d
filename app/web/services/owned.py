"""What a visitor sees of things that people own: the tray beside the shared collections, saved searches, exports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.web.http.roles import ACTIONS

if TYPE_CHECKING:
    from app.jobs.state import JobState
    from app.web.http.visitor import Visitor
    from db.collections import Collections
    from db.library import Library
    from db.saved_searches import SavedSearches


def collections_of(library: Library, visitor: Visitor) -> Collections:
    """Return the collections that a visitor sees, and changes as far as the role allows."""
    edits_shared = visitor.may(ACTIONS["edit shared collections"])
    return library.collections.of(visitor.id, visitor.name, edits_shared=edits_shared)


def searches_of(library: Library, visitor: Visitor) -> SavedSearches:
    """Return the saved searches of a visitor."""
    return library.searches.of(visitor.id)


def sees_job(visitor: Visitor, state: JobState) -> bool:
    """Return whether a visitor sees a job: an export may be of a tray, so only the person who began it does."""
    owner = state.order.get("person") if state.order is not None else None
    return visitor.person is None or state.kind != "export" or owner == visitor.id
