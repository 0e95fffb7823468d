"""Conversion between records and table rows, and between embeddings and their stored bytes. Uses no connection.

A record's fields are defined once, in `db.records`. Each field has a column of the same name; a Fraction has two, for
its numerator and denominator (`time_base_num`, `time_base_den`). Facts and kinds are stored as text: see
`db.media_facts`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from fractions import Fraction
from functools import lru_cache
from itertools import islice
from types import NoneType
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import RowMapping

from db.media_facts import facts_from_text, facts_to_text, kinds_from_text, kinds_to_text
from db.records import Collection, SavedSearch, Segment, Shot, Subclip, Video
from db.timed_text import TextSource

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Record = TypeVar("Record", bound=DataclassInstance)
else:
    Record = TypeVar("Record")
Item = TypeVar("Item")

logger = logging.getLogger(__name__)

STORED = np.dtype("<f2")
"""The dtype of stored embeddings: half the bytes of float32, at a loss of 3e-8 in cosine (tests/test_db_vectors.py)."""

MAX_VARIABLES = 900
"""Maximum values in one SQL statement; SQLite before 3.32 accepts at most 999."""

_TO_TEXT: dict[str, Callable[[Any], str | None]] = {"facts": facts_to_text, "kinds": kinds_to_text}
_FROM_TEXT: dict[str, Callable[[Any], Any]] = {"facts": facts_from_text, "kinds": kinds_from_text}


_TYPES: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "str": (str,),
    "bool": (bool,),
    "int | None": (int, NoneType),
    "float | None": (float, int, NoneType),
}
"""Python types of columns, by the annotations of fields. SQLite stores a value of any type in any column."""


class DamagedRow(ValueError):
    """A row is not one that we wrote: a value has another type, or is not possible."""


@dataclass(frozen=True, slots=True)
class RecordColumns(Generic[Record]):
    """The columns of a record's fields, and conversion both ways.

    Attributes:
        record: The dataclass.
        plain: Fields with a column of the same name.
        fractions: Fields with two columns.
        texts: Fields whose column has their stored form: facts and kinds.
        types: The types of plain fields.
    """

    record: type[Record]
    plain: tuple[str, ...]
    fractions: tuple[str, ...]
    texts: tuple[str, ...]
    types: tuple[tuple[str, tuple[type, ...]], ...]

    @classmethod
    def of(cls, record: type[Record]) -> RecordColumns[Record]:
        """Return the columns of a dataclass, from the annotations of its fields."""
        names = {field.name: field.type for field in fields(record)}
        return cls(
            record,
            plain=tuple(name for name, kind in names.items() if kind != "Fraction"),
            fractions=tuple(name for name, kind in names.items() if kind == "Fraction"),
            texts=tuple(name for name in names if name in _TO_TEXT),
            types=tuple((name, _TYPES[str(kind)]) for name, kind in names.items() if kind in _TYPES),
        )

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of all columns but the id."""
        halves = (f"{name}_{half}" for name in self.fractions for half in ("num", "den"))
        return (*(name for name in self.plain if name != "id"), *halves)

    def values(self, record: Record) -> dict[str, Any]:
        """Return the record's column values, without its id, which the library assigns."""
        values = {name: getattr(record, name) for name in self.plain if name != "id"}
        for name in self.texts:
            values[name] = _TO_TEXT[name](values[name])
        for name in self.fractions:
            fraction: Fraction = getattr(record, name)
            values |= {f"{name}_num": fraction.numerator, f"{name}_den": fraction.denominator}
        return values

    def load(self, row: RowMapping, **changed: Any) -> Record:
        """Return a row as a record, with the fields in `changed` in place of those of the row.

        Raises:
            DamagedRow: The row is not one that we wrote.
        """
        try:
            values = {name: row[name] for name in self.plain}
            for name, types in self.types:
                if type(values[name]) not in types and not isinstance(values[name], types):
                    raise DamagedRow(f"{name} is {values[name]!r:.40}")
            for name in self.fractions:
                if row[f"{name}_den"] == 0:
                    raise DamagedRow(f"{name} has the denominator 0")
                values[name] = _fraction(row[f"{name}_num"], row[f"{name}_den"])
            for name in self.texts:
                values[name] = _FROM_TEXT[name](values[name])
            return self.record(**values | changed)
        except DamagedRow:
            raise
        except (ArithmeticError, AttributeError, TypeError, ValueError) as error:
            raise DamagedRow(str(error)) from error

    def load_sound(self, found: Iterable[RowMapping], what: str) -> list[Record]:
        """Return rows as records, without damaged ones, which are logged.

        Args:
            found: The rows.
            what: A column that names a row for people.
        """
        sound = []
        for row in found:
            try:
                sound.append(self.load(row))
            except DamagedRow as error:
                logger.warning(
                    "a row of %s %.200r is damaged (%s) and is left out; `prismsearch doctor` says more",
                    what, row[what], error,
                )  # fmt: skip
        return sound


VIDEO = RecordColumns.of(Video)
SHOT = RecordColumns.of(Shot)
SEGMENT = RecordColumns.of(Segment)
SUBCLIP = RecordColumns.of(Subclip)
COLLECTION = RecordColumns.of(Collection)
SAVED_SEARCH = RecordColumns.of(SavedSearch)
TEXT_SOURCE = RecordColumns.of(TextSource)


@lru_cache(1024, typed=True)  # typed: 25.0 is not 25 here, but damage
def _fraction(numerator: int, denominator: int) -> Fraction:
    return Fraction(numerator, denominator)


def chunks(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Yield the items in order, at most MAX_VARIABLES at a time, for statements that take a list."""
    rest = iter(items)
    while chunk := list(islice(rest, MAX_VARIABLES)):
        yield chunk


def to_bytes(rows: NDArray[np.float32]) -> list[bytes]:
    """Return embeddings in their stored form.

    Args:
        rows: float (n, D).

    Returns:
        n times the bytes of D float16, little endian.
    """
    return [row.tobytes() for row in np.ascontiguousarray(rows).astype(STORED)]


def to_matrix(stored: Sequence[bytes], dim: int) -> NDArray[np.float32]:
    """Return stored embeddings as float32 (n, dim). A damaged one, of another length, is all NaN.

    Args:
        stored: N times the bytes of `dim` float16.
        dim: D, the number of columns.
    """
    size = dim * STORED.itemsize
    if any(type(row) is not bytes or len(row) != size for row in stored):
        nothing = np.full(dim, np.nan, STORED).tobytes()
        stored = [row if type(row) is bytes and len(row) == size else nothing for row in stored]
    return np.frombuffer(b"".join(stored), dtype=STORED).reshape(len(stored), dim).astype(np.float32)
