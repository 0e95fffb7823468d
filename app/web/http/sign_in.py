"""Log-ins: passwords are compared one at a time, wrong ones cost more and more time, and browsers get random tokens.

Of a token only a digest is stored, so that whoever reads the library cannot log in by it.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from app.web.http.peers import site_of
from app.web.http.places import Places
from db.names import comparison_key
from db.people.events import FAILED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.web.http.counts import Counts
    from db.people.people import People
    from db.people.records import Person, SignIn

IDLE_SECONDS = 7 * 86_400
"""A browser that was not used for so long is logged out."""
LONGEST_SECONDS = 30 * 86_400
"""Every browser is logged out after this."""
_EXTENDED_EVERY_SECONDS = 3600
_KNOWN_SECONDS = 1.0
"""For how long a log-in is not looked up again; a change made by another process counts after this."""
_MOST_KNOWN = 1000
_MOST_WAITING = 16  # log-ins at a time, of which one is compared
_MOST_OF_ADDRESS = 4
_LOG_IN = "log-in"  # the event
_AHEAD_SECONDS = 3600  # a log-in that began later than this is of a clock that was set back since
_FIRST_LOCK_SECONDS = 30

_LIMITS: Mapping[str, tuple[int, int]] = MappingProxyType(
    {"name at address": (5, 900), "address": (20, 900), "name": (50, 60)}
)
"""How often log-ins may fail by what they have in common, and the longest lock in seconds after that.

The lock of a name alone is short, and does not hold where the person has logged in before, so that nobody can keep a
person out from elsewhere.
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a log-in."""

    token: str = ""  # for the cookie; "" if it failed
    wait_seconds: int = 0  # until the next one may be tried; 0: at once
    busy: bool = False  # too many at a time


class SignInDesk:
    """Logs people in and out; `events` notes what they do. Methods read the library; several threads may call them.

    Args:
        people: The people of the library.
        match: Returns whether a password is that of a stored hash, in the same time for None, the hash of nobody.
        counts: Where log-ins are counted.
    """

    def __init__(self, people: People, match: Callable[[str | None, str], bool], counts: Counts | None = None) -> None:
        self._people = people
        self.events = people.events
        self._match = match
        self._counts = counts
        self._turn = threading.Lock()
        self._waiting = Places(_MOST_OF_ADDRESS, _MOST_WAITING)
        self._known: dict[str, tuple[SignIn, float]] = {}  # by digest, with when it was looked up

    def sign_in(self, name: str, password: str, *, address: str, now: float) -> Outcome:
        """Compare a password, and log the browser in if it is right.

        Args:
            name, password: As typed.
            address: Of the browser.
            now: Unix seconds.
        """
        outcome = self._tried(name, password, address, now)
        if self._counts is not None:
            result = "done" if outcome.token else "locked" if outcome.wait_seconds else "failed"
            self._counts.add("prismsearch_log_ins_total", f'{{result="{result}"}}')
        return outcome

    def _tried(self, name: str, password: str, address: str, now: float) -> Outcome:
        common = _common(name, address)
        if wait := self._wait(name, address, common, now):
            return Outcome(wait_seconds=wait)
        with self._waiting.taken(common["address"]) as free:
            if not free:
                return Outcome(busy=True)
            with self._turn:
                if wait := self._wait(name, address, common, now):  # others failed meanwhile
                    return Outcome(wait_seconds=wait)
                return self._compared(name, password, common, address, now)

    def _compared(self, name: str, password: str, common: Mapping[str, str], address: str, now: float) -> Outcome:
        found = self._people.named(name)
        if not self._match(None if found is None else found[1], password) or found is None:
            self._people.sign_ins.note_failure(list(common.values()), now=int(now))
            wait = self._wait(name, address, common, now)
            locked = f"locked for {wait} s" if wait else ""
            # A name that nobody has may be a password, typed into the wrong field.
            who = "" if found is None else found[0].name
            self._people.events.note(FAILED, locked, person=who, address=address)
            return Outcome(wait_seconds=wait)
        person = found[0]
        self._people.sign_ins.forgive([common["name at address"], common["name"]])
        token = secrets.token_urlsafe(32)
        until = int(now) + IDLE_SECONDS
        self._people.sign_ins.begin(person.id, _digest(token), now=int(now), expires=until)
        self._people.events.note(_LOG_IN, person=person.name, address=address)
        return Outcome(token=token)

    def _wait(self, name: str, address: str, common: Mapping[str, str], now: float) -> int:
        """Return for how many seconds log-ins are locked that have this in common."""
        waits: dict[str, int] = {}
        failures = self._people.sign_ins.failures(common.values(), now=int(now))
        for kind, (free, longest) in _LIMITS.items():
            count, last = failures.get(common[kind], (0, 0))
            if count >= free:
                lock = min(longest, _FIRST_LOCK_SECONDS << min(count - free, 16))
                waits[kind] = max(0, last + lock - int(now))
        if waits.get("name") and self._has_been_at(name, address):
            del waits["name"]
        return max(waits.values(), default=0)

    def _has_been_at(self, name: str, address: str) -> bool:
        """Return whether the person of a name has logged in from an address, as far as it is still noted."""
        found = self._people.named(name)
        known = set() if found is None else self._people.events.addresses(_LOG_IN, found[0].name)
        return site_of(address) in map(site_of, known)

    def find(self, token: str, *, now: float) -> SignIn | None:
        """Return the log-in of a token, which then lasts longer; None if there is none."""
        digest = _digest(token)
        known = self._known.get(digest)
        if known is not None and 0 <= now - known[1] < _KNOWN_SECONDS:
            return known[0]
        found = self._people.sign_ins.find(digest, now=int(now))
        if found is None or found.began > now + _AHEAD_SECONDS:
            self._known.pop(digest, None)
            return None
        until = min(int(now) + IDLE_SECONDS, found.began + LONGEST_SECONDS)
        if until - found.expires >= _EXTENDED_EVERY_SECONDS:
            self._people.sign_ins.extend(digest, expires=until)
            found = replace(found, expires=until)
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[digest] = (found, now)
        return found

    def sign_out(self, token: str, *, address: str, now: float) -> None:
        """Log a browser out, at once. Does nothing without a log-in."""
        found = self.find(token, now=now)
        self._known.pop(_digest(token), None)
        if found is not None:
            self._people.sign_ins.end(_digest(token))
            self._people.events.note("log-out", person=found.person.name, address=address)

    def by_name(self, name: str) -> Person | None:
        """Return the person whom a proxy names; None if there is none.

        Only the case of ASCII is ignored: to other services, names that we hold for the same are different people (with
        `ſ` for `s`, for instance).
        """
        found = self._people.named(name)
        return None if found is None or _spelling(found[0].name) != _spelling(name) else found[0]


def _spelling(name: str) -> bytes:
    return unicodedata.normalize("NFC", name).encode("utf-8", "surrogatepass").lower()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _common(name: str, address: str) -> dict[str, str]:
    """Return what a log-in has in common with others.

    Of a name, only 20 bits are stored: it may be a password that was typed into the wrong field, and nobody can fill
    the library with made-up names. Two people rarely share these bits, and then only the lock of their names.
    """
    site = site_of(address)
    key = _digest(comparison_key(name.strip()))[:5]
    return {"name at address": f"name {key} at {site}", "address": f"address {site}", "name": f"name {key}"}
