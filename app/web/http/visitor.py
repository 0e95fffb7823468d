"""The one who asks: a person who is logged in, or whoever uses the page alone, who may do everything."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from anyio import CapacityLimiter

    from db.people.events import Events
    from db.people.records import Person, Role

VISITOR = "prismsearch.visitor"
"""Key of the visitor in a request's scope; only our middleware writes there."""


MAY: Mapping[Role, str] = MappingProxyType(
    {
        "search": "You can search and play, and keep what you find in a tray of your own.",
        "collect": "You can search, edit collections and export.",
        "manage": "You can search, edit collections, export and index.",
        "delete": "You can search, edit collections, export, index and delete.",
    }
)
"""What each role allows, in words for its person."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """A person at an address, or ALONE."""

    person: Person | None
    address: str = ""
    events: Events | None = None  # where it is noted what the person does
    turn: CapacityLimiter | None = None  # of the person's requests that are worked on at a time

    @property
    def id(self) -> int | None:
        """The person's id; None for whoever uses the page alone."""
        return None if self.person is None else self.person.id

    @property
    def name(self) -> str:
        """The person's name; "" likewise."""
        return "" if self.person is None else self.person.name

    def may(self, role: Role) -> bool:
        """Return whether the visitor may do what a role may."""
        return self.person is None or self.person.may(role)

    def note(self, action: str, detail: str = "") -> None:
        """Note what a person did; nothing of whoever uses the page alone."""
        if self.person is not None and self.events is not None:
            self.events.note(action, detail, person=self.name, address=self.address)


ALONE = Visitor(None)


def visitor_of(scope: Mapping[str, Any]) -> Visitor:
    """Return who sent a request: ALONE where nobody has to log in."""
    found = scope.get(VISITOR)
    return found if isinstance(found, Visitor) else ALONE
