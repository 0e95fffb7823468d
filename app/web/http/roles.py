"""Roles that routes and actions of the page need: one table for all.

A route that is not in the table needs the highest role; a test compares the table with the routes that there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from app.web.http.errors import ApiError
from db.people.records import ROLES, Role

if TYPE_CHECKING:
    from app.web.http.visitor import Visitor

ROUTES: Mapping[str, Role] = MappingProxyType(
    {
        "GET /api/poster/{segment}": "search",
        "GET /api/preview/{segment}": "search",
        "GET /api/video/{segment}": "search",
        "GET /api/cards": "search",
        "GET /api/segment/{segment}": "search",
        "GET /api/neighbours/{segment}": "search",
        "GET /api/frames/{segment}": "search",
        "GET /api/moment/{segment}": "search",
        "GET /api/text/{video}": "search",
        "GET /api/text/{video}/lines": "search",
        "GET /api/proxy/{segment}": "search",
        "POST /api/proxy/{segment}": "search",
        "GET /api/proxy/{segment}/camera": "search",
        "GET /api/proxy/{segment}/file": "search",
        "GET /api/deepening": "search",
        "POST /api/deepening": "search",
        "GET /api/library": "search",
        "GET /api/library/disk": "search",
        "GET /api/library/state": "search",
        "GET /api/map": "search",
        "POST /api/map": "search",
        "GET /api/map/{version}/points": "search",
        "GET /api/map/{version}/videos": "search",
        "POST /api/examples": "search",
        "GET /api/examples/{token}": "search",
        "GET /api/examples/{token}/poster": "search",
        "GET /api/searches": "search",
        "POST /api/searches": "search",
        "DELETE /api/searches/{search}": "search",
        "GET /api/collections": "search",
        "POST /api/collections": "collect",
        "POST /api/takes/name": "collect",
        "GET /api/collections/{collection}": "search",
        "DELETE /api/collections/{collection}": "delete",
        "POST /api/collections/{collection}/restore": "delete",
        # One's own tray; shared collections need more: see "edit shared collections".
        "PATCH /api/collections/{collection}": "search",
        "POST /api/collections/{collection}/subclips": "search",
        "DELETE /api/collections/{collection}/subclips": "search",
        "POST /api/collections/{collection}/put-back": "search",
        "PATCH /api/subclips/{clip}": "search",
        "POST /api/subclips/{clip}/move": "search",
        "GET /api/questions": "collect",
        "POST /api/questions": "collect",
        "GET /api/questions/draw": "collect",
        "GET /api/questions/file": "collect",
        "PATCH /api/questions/{key}": "collect",
        "DELETE /api/questions/{key}": "collect",
        "POST /api/questions/{key}/put-back": "collect",
        # Into a zip; into folders of the server, see "export into a folder".
        "POST /api/exports": "collect",
        "GET /api/exports/name": "collect",
        "POST /api/exports/words": "collect",
        # Exports of other people are not seen at all.
        "GET /api/workers": "search",
        "GET /api/runs": "search",
        "GET /api/runs/{run}": "search",
        "GET /api/runs/{run}/log": "collect",
        "GET /api/runs/{run}/download": "collect",
        "POST /api/runs/{run}/stop": "collect",
        "POST /api/runs/{run}/resume": "collect",
        "POST /api/runs/{run}/retry": "collect",
        "DELETE /api/runs/{run}": "collect",
        "DELETE /api/runs": "manage",
        "POST /api/folders/check": "manage",
        "POST /api/folders/places": "manage",
        "POST /api/folders/list": "manage",
        "POST /api/folders/find": "manage",
        # Not there.
        "GET /api/{rest:path}": "search",
        "POST /api/{rest:path}": "search",
        "PUT /api/{rest:path}": "search",
        "PATCH /api/{rest:path}": "search",
        "DELETE /api/{rest:path}": "search",
    }
)

Action = Literal[
    "edit shared collections",
    "export into a folder",
    "write questions",
    "remove videos",
    "run export",
    "run index",
    "run retry",
    "run download",
    "run read-text",
    "run transcribe",
]
ACTIONS: Mapping[Action, Role] = MappingProxyType(
    {
        "edit shared collections": "collect",
        "export into a folder": "manage",
        "write questions": "collect",
        "remove videos": "delete",
        # Jobs, by the kind of their orders: to start, stop, start again and forget one, and to read its output.
        "run export": "collect",
        "run index": "manage",
        "run retry": "manage",
        "run download": "manage",
        "run read-text": "manage",
        "run transcribe": "manage",
    }
)
"""What needs more than its route does, or is done by Streamlit's script."""


ACTION_OF_PAGE: Mapping[str, Action] = MappingProxyType({"questions": "write questions", "indexing": "run index"})
"""The purposes of those pages that not everybody may use, by their names in addresses."""


def require(visitor: Visitor, role: Role) -> None:
    """Return if a visitor may do what a role may.

    Raises:
        ApiError: 403 otherwise.
    """
    if not visitor.may(role):
        raise ApiError(403, f"This needs the role {role}; ask whoever keeps this library.")


def role_of(route: str) -> Role:
    """Return the role that a route needs, by its method and path."""
    return ROUTES.get(route, ROLES[-1])
