"""Requests as routes receive them: checked parameters of the address, and a JSON body of bounded size."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import anyio

from app.web.http.errors import ApiError
from app.web.http.validation import Body, validated
from app.web.http.visitor import ALONE, Visitor
from files.json_file import parse_json

if TYPE_CHECKING:
    from starlette.datastructures import Headers
    from starlette.requests import Request

MAX_BODY_BYTES = 1 << 20
STALLED_SECONDS = 30.0
SLOWEST_BYTES_PER_SECOND = 50_000

AnyBody = TypeVar("AnyBody", bound=Body)


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """One request to a route under /api/. Everything in it is untrusted."""

    method: str
    path: Mapping[str, str]  # parameters of the path
    query: Mapping[str, str]
    headers: Headers
    body: Any = None  # parsed JSON; None if nothing was sent
    visitor: Visitor = ALONE
    gone: Callable[[], bool] = lambda: False  # whether the browser has disconnected, for handlers that are told

    def id(self, name: str) -> int:
        """Return a path parameter as a whole number.

        Raises:
            ApiError: 404, if it is anything else.
        """
        text = self.path[name]
        if not (text.isascii() and text.isdecimal() and len(text) <= 18):
            raise ApiError(404, f"There is no such {name}.")
        return int(text)

    def id_or_none(self, name: str) -> int | None:
        """Return a query parameter as a whole number; None if it is absent, or anything else."""
        text = self.query.get(name, "")
        return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else None

    def number(self, name: str, default: float) -> float:
        """Return a query parameter as a finite number, or `default` if it is absent.

        Raises:
            ApiError: 400, if it is anything else.
        """
        text = self.query.get(name)
        if text is None:
            return default
        try:
            value = float(text[:64])
        except ValueError:
            value = float("nan")
        if not abs(value) < 1e12:
            raise ApiError(400, f"`{name}` must be a number.")
        return value

    def integer(self, name: str, default: int, limit: int) -> int:
        """Return a query parameter as a whole number from 0 to `limit`; a larger one becomes `limit`.

        Raises:
            ApiError: 400, if it is anything else.
        """
        text = self.query.get(name)
        if text is None:
            return default
        if not (text.isascii() and text.isdecimal()):
            raise ApiError(400, f"`{name}` must be a whole number.")
        return min(int(text[:9]), limit)

    def ids(self, name: str, limit: int) -> list[int]:
        """Return a query parameter of whole numbers with commas between them, each once, in their order.

        Raises:
            ApiError: 400, if it is anything else, or has more than `limit` numbers.
        """
        texts = self.query.get(name, "")[: 20 * limit].split(",")
        if not all(text.isascii() and text.isdecimal() and len(text) <= 18 for text in texts) or len(texts) > limit:
            raise ApiError(400, f"`{name}` must be 1 to {limit} whole numbers with commas between them.")
        return list(dict.fromkeys(map(int, texts)))

    def json(self, model: type[AnyBody]) -> AnyBody:
        """Return the body as an instance of `model`.

        Raises:
            ApiError: 400 with a sentence, if the body does not fit the model.
        """
        return validated(model, self.body)


async def body_parts(request: Request, *, stalled_seconds: float = STALLED_SECONDS) -> AsyncIterator[bytes]:
    """Yield the body of a request as it arrives.

    Args:
        request: The request.
        stalled_seconds: The longest wait for the next part, and the head start of a body that arrives more slowly than
            SLOWEST_BYTES_PER_SECOND.

    Raises:
        ApiError: 408, if nothing arrives for a while, or too little.
        ClientDisconnect: The browser has disconnected.
    """
    parts, received, began = aiter(request.stream()), 0, anyio.current_time()
    while True:
        wait_until = anyio.current_time() + stalled_seconds
        with anyio.CancelScope(
            deadline=min(wait_until, began + stalled_seconds + received / SLOWEST_BYTES_PER_SECOND)
        ) as waiting:
            part = await anext(parts, None)
        if waiting.cancelled_caught:
            raise ApiError(408, "The upload stalled and was cancelled; send it again.")
        if part is None:
            return
        received += len(part)
        yield part


async def read_json(request: Request) -> Any:
    """Read the JSON body of a request; None if there is no body.

    Raises:
        ApiError: 413 above MAX_BODY_BYTES, 415 for another content type, 400 for invalid JSON, and 408 as `body_parts`.
    """
    declared = request.headers.get("content-length", "0")
    if not declared.isdecimal() or int(declared[:18]) > MAX_BODY_BYTES:
        raise _too_large()
    parts, size = [], 0
    async for part in body_parts(request):
        size += len(part)
        if size > MAX_BODY_BYTES:
            raise _too_large()
        parts.append(part)
    if not size:
        return None
    if "json" not in request.headers.get("content-type", ""):
        raise ApiError(415, "Only JSON is accepted here.")
    try:
        return parse_json(b"".join(parts))
    except ValueError as error:
        raise ApiError(400, "The request is not valid JSON.") from error


def _too_large() -> ApiError:
    return ApiError(413, f"More than {MAX_BODY_BYTES >> 20} MiB was sent; send less at a time.")
