"""Our own Streamlit components: each is an ES module of `static`, mounted where Streamlit puts the component.

The module exports `mount({data, parentElement, setTriggerValue, setStateValue, key})`, called again whenever `data`
changes. If it returns a function, that is called when the component is removed.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from app.web.http.static_files import STATIC, static_url


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
    url = static_url(f"{name}.js")
    stub = f'export default async (view) =>\n  (await import(location.origin + "{url}")).mount(view);'
    return st.components.v2.component(f"prismsearch_{name.replace('/', '_')}", js=stub, isolate_styles=False)


def event_payload(key: str, event: str) -> Mapping[str, Any] | None:
    """Return the payload of an event that the component mounted under `key` has just sent, or None.

    The payload comes from the browser and is untrusted.
    """
    import streamlit as st

    value = st.session_state.get(key, {})
    payload = value.get(event) if isinstance(value, Mapping) else getattr(value, event, None)
    return payload if isinstance(payload, Mapping) else None
