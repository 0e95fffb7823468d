"""Our own Streamlit components: each is an ES module of `static`, mounted where Streamlit puts the component.

The module exports `mount({data, parentElement, setTriggerValue, setStateValue, key})`, called again whenever `data`
changes. If it returns a function, that is called when the component is removed.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from app.web.http.static_files import MODULES, STATIC, static_url


@functools.cache
def component(name: str) -> Callable[..., Any]:
    """Return the command that mounts the module `static/NAME.js`, such as `search/grid`.

    Call it with `data`, `key` and `on_EVENT_change`.

    Raises:
        ValueError: The module does not exist.
    """
    import streamlit as st

    if not (STATIC / f"{name}.js").is_file():
        raise ValueError(f"there is no view {name!r}")
    # The line break marks this as a script, not a file name, for Streamlit. The script runs from a blob, which has no
    # base URL for relative imports.
    stub = (
        "export default async (view) =>\n"
        f'  (await import(location.origin + "{static_url(MODULES)}")).load("{name}.js").mount(view);'
    )
    declared = st.components.v2.component(f"prismsearch_{name.replace('/', '_')}", js=stub, isolate_styles=False)

    def mount(*, data: Mapping[str, Any] | None = None, **options: Any) -> Any:
        return declared(data=data and {key: _as_json(value) for key, value in data.items()}, **options)

    return mount


def _as_json(value: object) -> object:
    """Return a list as a tuple: Streamlit imports pandas (0.4 s) to learn whether a list is a data frame."""
    return tuple(value) if isinstance(value, list) else value


def event_payload(key: str, event: str) -> Mapping[str, Any] | None:
    """Return the payload of an event that the component mounted under `key` has just sent, or None.

    The payload comes from the browser and is untrusted.
    """
    import streamlit as st

    value = st.session_state.get(key, {})
    payload = value.get(event) if isinstance(value, Mapping) else getattr(value, event, None)
    return payload if isinstance(payload, Mapping) else None
