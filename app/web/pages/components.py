"""Views of our own in the page: each is an ES module of `static`, mounted where Streamlit puts the component.

The module exports `mount({data, parentElement, setTriggerValue, setStateValue, key})`, called again whenever `data`
changes; what it returns, if anything, is called when the view goes.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

STATIC = Path(__file__).parent.parent / "static"


def static_files() -> list[Path]:
    """Every file below `static`, in the order of their names."""
    return sorted(path for path in STATIC.rglob("*") if path.is_file())


@functools.cache
def assets_version() -> str:
    """Changes whenever any of the assets does, so that a browser never runs yesterday's module."""
    digest = hashlib.blake2b(digest_size=6)
    for path in static_files():
        digest.update(path.relative_to(STATIC).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


@functools.cache
def component(name: str) -> Callable[..., Any]:
    """Return the command that mounts the view in `static/NAME.js`, such as `search/grid`.

    Call it with `data`, `key` and `on_EVENT_change`.
    """
    import streamlit as st

    if not (STATIC / f"{name}.js").is_file():
        raise ValueError(f"there is no view {name!r}")
    # The version is part of the path, so that modules that import each other stay of one version too.
    module = f"/api/assets/{assets_version()}/{name}.js"
    # The line break is what tells Streamlit that this is a script and not the name of a file; and the script runs from
    # a blob, which knows no address of its own to be relative to.
    stub = f'export default async (view) =>\n  (await import(location.origin + "{module}")).mount(view);'
    return st.components.v2.component(f"prismsearch_{name.replace('/', '_')}", js=stub, isolate_styles=False)


def told(key: str, name: str) -> Mapping[str, Any] | None:
    """What a view of ours has just told under `name`, if it did."""
    import streamlit as st

    value = st.session_state.get(key, {})
    found = value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)
    return found if isinstance(found, Mapping) else None
