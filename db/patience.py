"""A library whose calls wait for a server that is away, as it is while it starts again.

Every call of a library is one transaction, so a call that failed because the server went away is made once more when
the server is back. Whether the first one was committed after all is of no account: what is written twice is the same
(but for a failure, which then counts as two attempts).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar, cast

from db.claims import Claim, Claims
from db.errors import LibraryUnreachable
from db.library import Library
from db.quick import Quick
from db.text.texts import Texts

T = TypeVar("T")

_PARTS = (Texts, Quick)
_LOCAL = frozenset({"stage_media"})  # never ask the server: that they succeed does not mean that it is back
_LOOK_SECONDS = 0.1  # between looks at whether to stop
_PAUSES = (0.5, 1.0, 2.0, 5.0)


class Patience:
    """Time for which the calls of a library wait for its server. Safe from several threads."""

    def __init__(
        self,
        seconds: float,
        *,
        on_wait: Callable[[LibraryUnreachable], None] = lambda error: None,
        on_return: Callable[[float], None] = lambda seconds: None,
        is_stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        """Set up.

        Args:
            seconds: How long after the first call that failed; then its error is raised.
            on_wait: Called with the error when waiting begins.
            on_return: Called with the seconds that the server was away.
            is_stopped: Polled meanwhile; True raises the error at once.
        """
        self._seconds = seconds
        self._on_wait = on_wait
        self._on_return = on_return
        self._is_stopped = is_stopped
        self._lock = threading.Lock()
        self._since: float | None = None

    def call(self, function: Callable[..., T], *arguments: Any, **keywords: Any) -> T:
        """Call a function until the server is there. Return its result.

        Raises:
            LibraryUnreachable: The server was away for too long, or nobody wants to wait.
        """
        given = [tuple(each) if isinstance(each, Iterator) else each for each in arguments]  # to be read again
        pauses = iter(_PAUSES)
        while True:
            try:
                result = function(*given, **keywords)
            except LibraryUnreachable as error:
                self._wait(error, next(pauses, _PAUSES[-1]))
            else:
                self._answered()
                return result

    def _wait(self, error: LibraryUnreachable, seconds: float) -> None:
        now = time.monotonic()
        with self._lock:
            first = self._since is None
            since = self._since = now if self._since is None else self._since
            if first:
                self._on_wait(error)
        while not self._is_stopped() and time.monotonic() - since < self._seconds:
            if time.monotonic() - now >= seconds:
                return
            time.sleep(_LOOK_SECONDS)
        raise error

    def _answered(self) -> None:
        if self._since is not None:
            with self._lock:
                since, self._since = self._since, None
                if since is not None:
                    self._on_return(time.monotonic() - since)


def patient(library: Library, patience: Patience) -> Library:
    """Return a library whose calls wait for its server; one in a folder as it is.

    Rows that are read piece by piece are no call: an iterator that was begun raises as ever.
    """
    return cast(Library, _Patient(library, patience)) if library.shared else library


class _Patient:
    """A library, or a part of one, with the same attributes."""

    def __init__(self, of: Library | Texts | Quick, patience: Patience) -> None:
        self._of = of
        self._patience = patience

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._of, name)
        if name in _LOCAL:
            return found
        if isinstance(found, _PARTS):
            return _Patient(found, self._patience)
        return self._called(found) if callable(found) else found

    def _called(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **keywords: Any) -> Any:
            result = self._patience.call(function, *arguments, **keywords)
            return _PatientClaims(result, self._patience) if isinstance(result, Claims) else result

        return call


class _PatientClaims(Claims):
    """Claims that are asked for once more when the server is back. Their lease may be over by then."""

    def __init__(self, claims: Claims, patience: Patience) -> None:
        self._claims = claims
        self._patience = patience
        self.pause_seconds = claims.pause_seconds

    def take(self, wanted: Mapping[str, str], most: int) -> list[str]:
        """See Claims."""
        return self._patience.call(self._claims.take, wanted, most)

    def release(self, name: str) -> None:
        """See Claims."""
        self._patience.call(self._claims.release, name)

    def progress(self) -> None:
        """See Claims."""
        self._claims.progress()

    def close(self) -> None:
        """See Claims."""
        self._claims.close()

    def claim(self, name: str) -> Claim | None:
        """See Claims."""
        return self._claims.claim(name)
