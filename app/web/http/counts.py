"""Counts of what the server does, in the text format of Prometheus, for this machine alone. They name nobody.

A reverse proxy on this machine passes requests of others on, and says so by a header, or by the name that they asked
for: to those, nothing is told, nor to a page whose name was made to resolve to this machine.
"""

from __future__ import annotations

import ipaddress
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse

from app.web.http.responses import error_response
from app.web.http.security import HOSTS, host_name
from db.errors import LibraryError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from db.records import Worker

METRICS = "/metrics"
_PASSED_ON = ("x-forwarded-for", "forwarded", "via", "x-real-ip")
_WORKERS, _CLAIMS = _OF_WORKERS = "prismsearch_workers", "prismsearch_claims"
_HELP = {
    "prismsearch_requests_total": "Requests answered, by the first digit of the status.",
    "prismsearch_log_ins_total": "Log-ins, by what became of them.",
    "prismsearch_open_pages": "Tabs that are connected.",
    _WORKERS: "Processes, on all machines, that work for a library on a server.",
    _CLAIMS: "Videos that they have in work.",
}


class Counts:
    """Counts by name and label. Safe from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str]] = Counter()

    def add(self, name: str, label: str = "", by: int = 1) -> None:
        """Add to a count."""
        with self._lock:
            self._counts[name, label] += by

    def text(self, now: Mapping[str, int]) -> str:
        """Return all counts. now: Further ones, by name, which others keep; those that are left out are not known."""
        with self._lock:
            counts = sorted([*self._counts.items(), *(((name, ""), count) for name, count in now.items())])
        lines: list[str] = []
        for name, about in _HELP.items():
            if name in _OF_WORKERS and name not in now:
                continue
            kind = "counter" if name.endswith("_total") else "gauge"
            lines += [f"# HELP {name} {about}", f"# TYPE {name} {kind}"]
            lines += [f"{name}{label} {count}" for (each, label), count in counts if each == name]
        return "".join(f"{line}\n" for line in lines)


class CountsMiddleware:
    """ASGI middleware that counts, and answers METRICS to this machine.

    Args:
        app: The ASGI app behind it.
        counts: The counts.
        workers: Returns the workers of the library; None for one that has no others.
    """

    def __init__(self, app: ASGIApp, counts: Counts, workers: Callable[[], Sequence[Worker]] | None = None) -> None:
        self.app = app
        self.counts = counts
        self.workers = workers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == METRICS and scope["method"] == "GET":
            answer = await self._answer(scope)
            await answer(scope, receive, send)
            return

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.counts.add("prismsearch_requests_total", f'{{status="{message["status"] // 100}xx"}}')
            elif message["type"] == "websocket.accept":
                opened.append(message)
                self.counts.add("prismsearch_open_pages")
            await send(message)

        opened: list[Message] = []
        try:
            await self.app(scope, receive, counted)
        finally:
            self.counts.add("prismsearch_open_pages", by=-len(opened))

    async def _answer(self, scope: Scope) -> ASGIApp:
        client, headers = scope.get("client"), Headers(scope=scope)
        with suppress(ValueError):
            is_here = client is not None and ipaddress.ip_address(client[0]).is_loopback
            is_asked_here = host_name(headers.get("host", "")) in (*HOSTS, "[::1]")
            if is_here and is_asked_here and not any(name in headers for name in _PASSED_ON):
                now = await run_in_threadpool(self._now)
                return PlainTextResponse(self.counts.text(now), headers={"Cache-Control": "no-store"})
        return error_response(404, "There is no such address.")

    def _now(self) -> dict[str, int]:
        if self.workers is None:
            return {}
        try:
            workers = self.workers()
        except LibraryError:  # `/readyz` tells
            return {}
        return {_WORKERS: len(workers), _CLAIMS: sum(len(each.paths) for each in workers)}
