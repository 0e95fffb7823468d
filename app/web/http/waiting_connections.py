"""Connections on which no request has come yet, of which there is a bounded number.

The HTTP server waits for a request for ever, and whoever opens many connections and says nothing would use up the open
files of the process. So of more than a number that wait, the one that has waited the longest is closed: it is not that
of a browser, which sends its request at once, or may send it again on another connection.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

MOST_WAITING = 1000


def bounded_protocol(most: int = MOST_WAITING) -> type[H11Protocol]:
    """Return the protocol of one server, which h11 reads: it bounds the length of a request's head, too."""
    waiting: dict[H11Protocol, None] = {}  # the first one has waited the longest

    class BoundedProtocol(H11Protocol):
        """As uvicorn's, with this bound."""

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
            super().connection_made(transport)
            self._wait()

        def connection_lost(self, exc: Exception | None) -> None:
            waiting.pop(self, None)
            super().connection_lost(exc)

        def handle_events(self) -> None:
            super().handle_events()
            is_asked = self.cycle is not None and not self.cycle.response_complete
            if is_asked or self not in self.connections:  # it became a web socket
                waiting.pop(self, None)

        def on_response_complete(self) -> None:
            self._wait()
            super().on_response_complete()

        def _wait(self) -> None:
            waiting.pop(self, None)
            waiting[self] = None
            if len(waiting) > most:
                longest = next(iter(waiting))
                del waiting[longest]
                longest.transport.close()

    return BoundedProtocol
