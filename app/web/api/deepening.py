"""Routes for quick hits that are encoded in full while a person looks at them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.web.api.bodies import LookedAtBody
from app.web.http.requests import ApiRequest
from app.web.http.routes import route

if TYPE_CHECKING:
    from starlette.routing import Route

    from app.web.services.deepening import Deepening


def deepening_routes(deepening: Deepening) -> list[Route]:
    """Return the routes `/api/deepening`: POST says which hits are looked at, GET how far it is."""

    def look_at(request: ApiRequest) -> dict[str, Any]:
        deepening.look_at(request.json(LookedAtBody).segments)
        return state(request)

    def state(request: ApiRequest) -> dict[str, Any]:
        waiting, deepened = deepening.state()
        return {"waiting": waiting, "deepened": deepened}

    return [route("/api/deepening", look_at, "POST"), route("/api/deepening", state)]
