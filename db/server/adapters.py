"""Conversion of stored embeddings and of lists of ids between Python and the server, in its binary forms."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from db.column_types import HalfRow
from db.rows import STORED

if TYPE_CHECKING:
    from psycopg import Connection

_ARRAY = struct.Struct(">iiIii")  # of one dimension, without NULLs, its type, its length, the number of its first
_BIGINT, _BIGINTS = 20, 1016
_ELEMENT = np.dtype([("size", ">i4"), ("value", ">i8")])
_HEADER = struct.Struct(">HH")  # the number of columns, and nothing
_SENT = STORED.newbyteorder(">")


class IdList:
    """Ids that the driver sends as an array of bigint: half a million of them in some milliseconds."""

    def __init__(self, ids: NDArray[np.int64]) -> None:
        self.ids = ids


def register_ids(connection: Connection) -> None:
    """Let a connection send an IdList."""
    from psycopg.adapt import Dumper
    from psycopg.pq import Format

    class IdListDumper(Dumper):  # type: ignore[misc]  # its types come with the extra
        format = Format.BINARY
        oid = _BIGINTS

        def dump(self, obj: IdList) -> bytes:
            elements = np.empty(len(obj.ids), _ELEMENT)
            elements["size"], elements["value"] = 8, obj.ids
            return _ARRAY.pack(1, 0, _BIGINT, len(obj.ids), 1) + elements.tobytes()

    connection.adapters.register_dumper(IdList, IdListDumper)


def register_halfvec(connection: Connection, oid: int) -> None:
    """Let a connection send a HalfRow as a halfvec, and return a halfvec as the bytes that are stored.

    Args:
        connection: A connection.
        oid: Of the type, which differs between databases.
    """
    from psycopg.adapt import Buffer, Dumper, Loader
    from psycopg.pq import Format

    number = oid

    class HalfRowDumper(Dumper):  # type: ignore[misc]  # its types come with the extra
        format = Format.BINARY
        oid = number

        def dump(self, obj: HalfRow) -> bytes:
            row = np.frombuffer(obj, STORED)
            return _HEADER.pack(row.size, 0) + row.astype(_SENT).tobytes()

    class HalfvecLoader(Loader):  # type: ignore[misc]
        format = Format.BINARY

        def load(self, data: Buffer) -> bytes:
            return np.frombuffer(data, _SENT, offset=_HEADER.size).astype(STORED).tobytes()

    connection.adapters.register_dumper(HalfRow, HalfRowDumper)
    connection.adapters.register_loader(oid, HalfvecLoader)
