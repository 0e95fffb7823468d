"""Records of people, and their roles: each role includes those before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

Role = Literal["search", "collect", "manage", "delete"]
ROLES: tuple[Role, ...] = get_args(Role)
"""From the least to the most: search and play; edit collections and export; index and manage; delete."""

MAX_PERSON_LENGTH = 100  # characters of a name


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A person who may use the library over a network."""

    id: int
    name: str
    role: Role
    has_password: bool  # False: a proxy says who it is
    created_at: str  # ISO 8601, UTC

    def may(self, role: Role) -> bool:
        """Return whether the person may do what a role may."""
        return ROLES.index(self.role) >= ROLES.index(role)


def person_of(row: Mapping[Any, Any]) -> Person | None:
    """Return the person of a row; None if it is damaged: SQLite stores a value of any type in any column."""
    texts = row["name"], row["role"], row["created_at"]
    if not all(type(each) is str for each in texts) or type(row["id"]) is not int or row["role"] not in ROLES:
        return None
    name, role, created_at = texts
    return Person(id=row["id"], name=name, role=role, has_password=bool(row["password"]), created_at=created_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """A browser that is logged in. Times are Unix seconds."""

    person: Person
    began: int
    expires: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that a person did."""

    at: str  # ISO 8601, UTC
    person: str  # the name; "" where it was done in a terminal
    address: str  # of the browser; "" likewise
    action: str
    detail: str
