"""The HTML page of Streamlit's front end, with our title, icon and scripts in its head.

All that we rely on in that front end is `static/host.js`; tests/test_streamlit_page.py checks it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from app.web.http.static_files import STATIC, static_url

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

PAGES = ("", "search", "library", "map", "collections", "indexing")
"""Addresses of the pages that app/page.py declares."""
_ICON = b'href="./favicon.png"'
_TITLE = b"<title>Streamlit</title>"


def page_html() -> bytes:
    """Return the page: Streamlit's own, with ours in front of its scripts."""
    import streamlit

    return with_our_head(Path(streamlit.__file__).with_name("static").joinpath("index.html").read_bytes())


def with_our_head(page: bytes) -> bytes:
    """Return the page of Streamlit with our title, icon and scripts."""
    host = (STATIC / "host.js").read_bytes()
    ours = b'<title>prismsearch</title>\n    <script>%b</script>\n    <script type="module" src="%b"></script>' % (
        host,
        static_url("connection.js").encode(),
    )
    if _TITLE not in page:
        return page.replace(b"<head>", b"<head>\n    " + ours, 1)
    return page.replace(_TITLE, ours, 1).replace(_ICON, b'href="%b"' % static_url("icon.svg").encode(), 1)


def page_routes(page: bytes) -> list[Route]:
    """Return the routes of the page: `/` and the address of each of its parts.

    Args:
        page: What `page_html` returned.
    """
    from starlette.responses import HTMLResponse
    from starlette.routing import Route

    async def send(request: Request) -> Response:
        return HTMLResponse(page, headers={"Cache-Control": "no-cache"})

    return [Route(f"/{name}", send) for name in PAGES]
