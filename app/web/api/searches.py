"""Routes for saved searches: each is a name and the query string of the page's URL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.encoder_choice import choice_of, saved_note
from app.web.api.bodies import SavedSearchBody
from app.web.http.errors import ApiError, bad_request
from app.web.http.requests import ApiRequest
from app.web.http.routes import route
from app.web.services.owned import searches_of

if TYPE_CHECKING:
    from starlette.routing import Route

    from db.library import Library
    from db.records import SavedSearch


def search_routes(library: Library, encoder: str | None = None) -> list[Route]:
    """Return the routes below `/api/searches`. encoder: the name of the page's encoder; None for the library's own."""

    def text_id() -> str:
        choice = choice_of(library, encoder)
        return "" if choice is None else choice.text_id

    def every(request: ApiRequest) -> dict[str, Any]:
        now = text_id()
        return {"searches": [search_json(each, now) for each in searches_of(library, request.visitor).all()]}

    def save(request: ApiRequest) -> dict[str, Any]:
        body = request.json(SavedSearchBody)
        with bad_request():
            # Only the part after the question mark is kept, so a saved search cannot lead to another site.
            saved = searches_of(library, request.visitor).save(body.name, body.link.lstrip("/?"), text_id=body.text_id)
        return search_json(saved, text_id())

    def remove(request: ApiRequest) -> dict[str, Any]:
        if not searches_of(library, request.visitor).remove(request.id("search")):
            raise ApiError(404, "There is no such search; it may have been deleted.")
        return {"removed": request.id("search")}

    return [
        route("/api/searches", every),
        route("/api/searches", save, "POST"),
        route("/api/searches/{search}", remove, "DELETE"),
    ]


def search_json(search: SavedSearch, text_id: str) -> dict[str, Any]:
    """Return a saved search as the page receives it. text_id: the page's text encoder, "" if it is not known."""
    return {
        "id": search.id,
        "name": search.name,
        "link": search.link,
        "created_at": search.created_at,
        "text_id": search.text_id,
        "note": saved_note(search, text_id),
    }
