"""Health of the server, for what watches it: whether it answers, and whether its library does. Neither says more."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

HEALTH, READY = "/healthz", "/readyz"


class HealthMiddleware:
    """ASGI middleware that answers HEALTH and READY to everybody, under any name of this machine.

    Args:
        app: The ASGI app behind it.
        ask: Asks the library something small; raises if it does not answer.
    """

    def __init__(self, app: ASGIApp, ask: Callable[[], object]) -> None:
        self.app = app
        self.ask = ask

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"] if scope["type"] == "http" and scope["method"] in ("GET", "HEAD") else ""
        if path not in (HEALTH, READY):
            await self.app(scope, receive, send)
            return
        well = True
        if path == READY:
            try:
                await run_in_threadpool(self.ask)
            except Exception:  # noqa: BLE001 - the reason is for the log of whoever asks the library
                well = False
        answer = PlainTextResponse(
            "ok\n" if well else "not ready\n", 200 if well else 503, {"Cache-Control": "no-store"}
        )
        await answer(scope, receive, send)
