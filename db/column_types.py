"""Types of columns that mean the same in both engines. Tables and migrations use these in place of SQLAlchemy's."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Dialect, LargeBinary
from sqlalchemy import Integer as AnyInteger
from sqlalchemy import Text as AnyText
from sqlalchemy.types import TypeDecorator, TypeEngine, UserDefinedType

from db.sql import SERVER

Integer = AnyInteger().with_variant(BigInteger(), SERVER)
"""64 bits, as every integer of SQLite has, because sizes, times and pts need them."""

Text = AnyText().with_variant(AnyText(collation="C"), SERVER)
"""Compared by its bytes, as SQLite does: an order of names that depends on the server would differ between engines."""


class HalfRow(bytes):
    """Bytes of float16, little endian, that the server's driver sends as a halfvec."""


class _Halfvec(UserDefinedType[bytes]):
    """The type of pgvector, with any number of columns."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "halfvec"


class HalfRows(TypeDecorator[bytes]):
    """Embeddings: bytes of float16 in SQLite, halfvec of pgvector on a server, which has the same bits.

    The driver converts: see `db.server.adapters`.
    """

    impl = LargeBinary
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(_Halfvec() if dialect.name == SERVER else LargeBinary())

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        return HalfRow(value) if value is not None and dialect.name == SERVER else value
