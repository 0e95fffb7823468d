"""The address of a library on a server: postgresql://USER@HOST/DATABASE, as libpq reads it, with names of our own.

    schema=NAME   the library's own part of the database; by default prismsearch, so that a database can have several
    media=FOLDER  the folder for posters and previews, which all machines of the library share
    work=FOLDER   the folder of this machine for what is made from the library, such as vector files

Standard library only, because commands read it before anything else is imported.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

SCHEMES = ("postgresql", "postgres")
DEFAULT_SCHEMA = "prismsearch"
_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_FOLDERS = ("media", "work")
_SECRETS = ("password", "sslpassword")
_UNSAFE = re.compile(r"[^0-9A-Za-z.]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerAddress:
    """Where a library on a server is. Its text, and every other form but `password`, is without the password.

    Attributes:
        server: The URL that libpq reads: no password, none of our names.
        schema: The library's part of the database.
        media, work: Folders, None where the address names none.
        password: None if the address has none; libpq then looks for it in PGPASSWORD and its password file.
    """

    server: str
    schema: str = DEFAULT_SCHEMA
    media: Path | None = None
    work: Path | None = None
    password: str | None = field(default=None, repr=False, compare=False)

    def __str__(self) -> str:
        """Return the address for people: without folders, and without the schema that is meant anyway."""
        return self.server if self.schema == DEFAULT_SCHEMA else _with(self.server, {"schema": self.schema})

    @property
    def url(self) -> str:
        """The whole address but for the password: for the command lines of other processes."""
        folders = {name: str(path) for name in _FOLDERS if (path := getattr(self, name)) is not None}
        return _with(str(self), folders)

    @property
    def folder_name(self) -> str:
        """A name for a folder of this library, whoever opens it: what a person recognises, and a digest."""
        parts = urlsplit(self.server)
        query = dict(parse_qsl(parts.query))
        place = [parts.netloc.rpartition("@")[2], parts.path.strip("/"), self.schema]
        place += [query.get(name, "") for name in ("host", "hostaddr", "port", "dbname")]
        told = _UNSAFE.sub("-", "-".join([parts.hostname or "local", *place[1:3]])).strip("-")
        return f"{told[:80]}-{hashlib.blake2b(repr(place).encode(), digest_size=4).hexdigest()}"


def is_address(place: str | os.PathLike[str]) -> bool:
    """Return whether a place of a library is an address of a server, right or wrong, and no folder."""
    # A Path has only one of two slashes that follow each other.
    return os.fspath(place).startswith(tuple(f"{scheme}:/" for scheme in SCHEMES))


def server_address(place: str | os.PathLike[str] | ServerAddress) -> ServerAddress | None:
    """Return the address of a library on a server, or None for a folder. Raise ValueError as `parse_address` does."""
    if isinstance(place, ServerAddress):
        return place
    return parse_address(os.fspath(place)) if is_address(place) else None


def has_secret(url: str) -> bool:
    """Return whether an address states a password, be it only that of a key, which is not read.

    Raises:
        ValueError: As `parse_address`.
    """
    address = parse_address(url)
    return address.password is not None or any(key in _SECRETS for key, _ in parse_qsl(urlsplit(url).query))


def parse_address(url: str) -> ServerAddress:
    """Return the address that a URL states.

    Raises:
        ValueError: It is none, with what is wrong as a clause. The message never has any of its password.
    """
    scheme, separator, rest = url.partition("://")
    if scheme not in SCHEMES or not separator:
        raise ValueError("the address of a library on a server begins with postgresql://")
    try:
        parts = urlsplit(f"{SCHEMES[0]}://{rest}")
        user, has_user, host = parts.netloc.rpartition("@")
        if parts.fragment or (not has_user and "@" in parts.path) or len(parts.path.strip("/").split("/")) > 1:
            raise ValueError
    except ValueError:
        raise ValueError(
            "the address of a library on a server cannot be read: write it as postgresql://USER@HOST/DATABASE, and "
            "each of / ? # @ in a name or a password as % and two digits, such as %2F"
        ) from None
    name, _, password = user.partition(":")
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    secret = next((given[key] for key in _SECRETS[:1] if key in given), unquote(password) or None)
    schema = given.get("schema", DEFAULT_SCHEMA)
    if not _SCHEMA.fullmatch(schema):
        raise ValueError(f"a schema is a word of small letters, digits and _, got {schema!r}")
    folders = {key: Path(given[key]) for key in _FOLDERS if given.get(key)}
    for key, folder in folders.items():
        if not folder.is_absolute():
            raise ValueError(f"{key}= must name an absolute folder, got {str(folder)!r}")
    kept = {key: value for key, value in given.items() if key not in ("schema", *_FOLDERS, *_SECRETS)}
    bare = f"{SCHEMES[0]}://{name}{has_user}{host}{parts.path}"
    return ServerAddress(server=_with(bare, kept), schema=schema, password=secret, **folders)


def _with(url: str, values: dict[str, str]) -> str:
    """Return a URL with more values in its query."""
    added = urlencode(values, quote_via=quote, safe="/")
    return url if not values else f"{url}{'&' if '?' in url else '?'}{added}"
