"""Conversion of stored embeddings between Python and the server, in the binary form of halfvec."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np

from db.column_types import HalfRow
from db.rows import STORED

if TYPE_CHECKING:
    from psycopg import Connection

_HEADER = struct.Struct(">HH")  # the number of columns, and nothing
_SENT = STORED.newbyteorder(">")


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
