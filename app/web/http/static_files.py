"""Our JavaScript and styles: the files below `app/web/static`, and their common version."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

from app.web.http.joined_modules import join_modules, shim_of

STATIC = Path(__file__).parent.parent / "static"
MODULES = "modules.js"
"""Name of the file with all modules in it; none of ours has this name."""


def static_files() -> list[Path]:
    """Return every file below STATIC, sorted by path."""
    return sorted(path for path in STATIC.rglob("*") if path.is_file())


@functools.cache
def static_version() -> str:
    """Return a digest of all static files, so that a browser never runs an outdated module."""
    digest = hashlib.blake2b(digest_size=6)
    for path in static_files():
        digest.update(path.relative_to(STATIC).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def static_url(name: str) -> str:
    """Return the address of a static file.

    The version is part of the path, so that modules that import each other have the same version.
    """
    return f"/api/assets/{static_version()}/{name}"


def static_contents() -> dict[str, bytes]:
    """Return what is served, by name: style sheets and pictures as they are, and the modules joined in one file.

    The address of a module itself answers with its exports, taken from that file.
    """
    contents = {path.relative_to(STATIC).as_posix(): path.read_bytes() for path in static_files()}
    modules = {name: content.decode() for name, content in contents.items() if name.endswith(".js")}
    shims = {name: shim_of(name, source, MODULES).encode() for name, source in modules.items()}
    return {**contents, **shims, MODULES: join_modules(modules, static_version()).encode()}
