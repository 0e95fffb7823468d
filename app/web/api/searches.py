"""Saved searches over HTTP: a name and the query part of the page's own address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.web.http.responses import ApiError, Call, bad_request, route
from app.web.http.validation import text

if TYPE_CHECKING:
    from starlette.routing import Route

    from db.library import Library
    from db.records import SavedSearch

MOST_NAME, MOST_LINK = 200, 8000


def search_routes(library: Library) -> list[Route]:
    """`/api/searches...`."""

    def every(call: Call) -> dict[str, Any]:
        return {"searches": [described(each) for each in library.searches.all()]}

    def save(call: Call) -> dict[str, Any]:
        body = call.fields({"name": text(MOST_NAME), "link": text(MOST_LINK)})
        with bad_request():
            # Only ever what stands after the question mark: a saved search cannot lead to another place.
            return described(library.searches.save(body["name"], body["link"].lstrip("/?")))

    def remove(call: Call) -> dict[str, Any]:
        if not library.searches.remove(call.id("search")):
            raise ApiError(404, "There is no such search; it may have been removed meanwhile.")
        return {"removed": call.id("search")}

    return [
        route("/api/searches", every),
        route("/api/searches", save, "POST"),
        route("/api/searches/{search}", remove, "DELETE"),
    ]


def described(search: SavedSearch) -> dict[str, Any]:
    return {"id": search.id, "name": search.name, "link": search.link, "created_at": search.created_at}
