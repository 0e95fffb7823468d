"""The type of stored embeddings: bytes of float16 in SQLite, halfvec of pgvector on a server, and bytes in Python.

A halfvec has the same bits, so a row is the same whichever engine keeps it. The driver converts: db.server.adapters.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Dialect, LargeBinary
from sqlalchemy.types import TypeDecorator, TypeEngine, UserDefinedType

from db.sql import SERVER


class HalfRow(bytes):
    """Bytes of float16, little endian, that the server's driver sends as a halfvec."""


class _Halfvec(UserDefinedType[bytes]):
    """The type of pgvector, with any number of columns."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "halfvec"


class HalfRows(TypeDecorator[bytes]):
    """A column of embeddings."""

    impl = LargeBinary
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(_Halfvec() if dialect.name == SERVER else LargeBinary())

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        return HalfRow(value) if value is not None and dialect.name == SERVER else value
