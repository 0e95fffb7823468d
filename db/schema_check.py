"""Comparison of a library's schema with ours, before anything in it runs.

SQLite keeps the schema as text in the file, and a library may come from somebody else: a trigger or a view of theirs
would run with our statements. So nothing is accepted that `db.schema` and the migrations do not make.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import MappingProxyType

from db.errors import LibraryDamaged

Entry = tuple[str, str, str, str | None]
"""A row of sqlite_master: type, name, table and statement."""

ENTRIES = "SELECT type, name, tbl_name, sql FROM sqlite_master"

DIGESTS = MappingProxyType(
    {
        1: "45838397e42cfd4ab02800d24c19be89",
        2: "ea44be46854c3b1abeda2f7911a4a402",
        3: "7b77110c215932c4485a2bd696c7aecf",
        4: "a3b01cdf8d668e59092db96f08319c2c",
        5: "c837feab35c23dc7132547ea93ee904b",
        6: "0a14be20b776f09a9ff037ddb383975c",
        7: "3a47aa09539d3917e7322f175ed6d2bc",
        8: "99fdca81ca26a584dc438fac6a5aece1",
        9: "d32454bca1fbd441b3b1380b441af25b",
        10: "67e681f2fee671bf0613f63b402fe7dd",
        11: "ce9226cbc4bd3b8a34d1d8c27df2fde4",
    }
)
"""`digest_of` the schema of each version, so that opening a library need not make one to compare with."""

_OF_SQLITE = frozenset({"sqlite_sequence", "sqlite_stat1", "sqlite_stat4"})


def check_schema(entries: Sequence[Entry], file: Path, version: int, make: Callable[[int], Sequence[Entry]]) -> None:
    """Check that a library's schema is that of its version.

    Args:
        entries: The result of ENTRIES.
        file: The database, for messages.
        version: The format that it states, not newer than ours.
        make: Returns the ENTRIES of a version, to name what differs; called only if anything does.

    Raises:
        LibraryDamaged: Something is not ours, missing or changed.
    """
    if digest_of(entries) == DIGESTS.get(version):
        return
    found, ours = _plain(entries), _plain(make(version))
    advice = "Put a backup in its place, or index again into a new library."
    for key in sorted(found - ours):
        kind, name = key[:2]
        known = any(each[:2] == (kind, name) for each in ours)
        what = f"its {kind} {name!r} is not as prismsearch makes it" if known else f"it has a {kind} {name!r}"
        raise LibraryDamaged(
            f"{file} was changed by another program: {what}. Such a library is not opened, because that would run with "
            f"every command. {advice}"
        )
    for kind, name, _ in sorted(ours - found):
        raise LibraryDamaged(f"{file} lacks the {kind} {name!r}, so it is damaged. {advice}")


def digest_of(entries: Iterable[Entry]) -> str:
    """Return a digest of a schema that depends neither on white space nor on the order of a table's columns."""
    text = "\n".join("|".join(each) for each in sorted(_plain(entries)))
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _plain(entries: Iterable[Entry]) -> set[tuple[str, str, str]]:
    """Return type, name and plain statement of each entry that is not SQLite's own."""
    found = set()
    for kind, name, table, statement in entries:
        if (kind, name) in {("table", each) for each in _OF_SQLITE}:
            continue
        if kind == "index" and statement is None and name.startswith("sqlite_autoindex_"):  # of a UNIQUE in a table
            continue
        # Quotes and white space differ between a table that was made and one that a migration changed.
        text = re.sub(r'[\s"]+', " ", f"{table} {statement}")
        if kind in ("table", "index"):
            parts = [part.strip() for part in re.split(r"[(),]", text)]
            text = ",".join(sorted(parts) if kind == "table" else parts)
        found.add((str(kind), str(name), text.strip()))
    return found
