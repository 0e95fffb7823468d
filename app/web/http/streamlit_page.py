"""The HTML page of Streamlit's front end, with our title, icon and scripts in its head.

All that we rely on in that front end is `static/host.js`; tests/test_streamlit_page.py checks it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from app.web.http.preloads import preload_links
from app.web.http.roles import ACTION_OF_PAGE, ACTIONS
from app.web.http.static_files import STATIC, static_url
from app.web.http.visitor import visitor_of
from db.people.records import ROLES

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

PAGES = ("", "search", "library", "map", "collections", "questions", "indexing")
"""Addresses of the pages that app/page.py declares."""
_MESSAGE = (
    '<!doctype html><html lang="en"><head><meta name="color-scheme" content="light dark"><title>prismsearch</title>'
    '</head><body><h1>{}</h1><p><a href="/">Open the search page</a></p></body></html>'
)
_NO_SUCH_PAGE = _MESSAGE.format("There is no such page")
_DOES = {"run index": "index videos", "write questions": "write questions"}
_ICON = b'href="./favicon.png"'
_TITLE = b"<title>Streamlit</title>"
# Grey boxes in place of widgets whose code is still on its way: they flash, and stand for nothing a person waits for.
# The folder box comes after what is around it, which would then move down.
_EARLY_STYLE = (
    b'[data-testid="stSkeleton"] { visibility: hidden } .st-key-folder { min-height: 7.8rem }'
    b" @media (max-width: 640px) { .st-key-folder { min-height: 12.1rem } }"
)


def front_end_folder() -> Path:
    """Return the folder of Streamlit's front end."""
    import streamlit

    return Path(streamlit.__file__).with_name("static")


def page_html() -> bytes:
    """Return the page: Streamlit's own, with our title, icon, scripts and preloads."""
    folder = front_end_folder()
    page = folder.joinpath("index.html").read_bytes()
    return with_our_head(page, preload_links(page, folder))


def with_our_head(page: bytes, links: str = "") -> bytes:
    """Return the page of Streamlit with our title, icon and scripts.

    Args:
        page: Streamlit's page.
        links: Further elements of the head. They go to its end, so that what Streamlit starts with is fetched first.
    """
    first = b"<title>prismsearch</title>\n    <style>%b</style>\n    <script>%b</script>" % (
        _EARLY_STYLE,
        (STATIC / "host.js").read_bytes(),
    )
    last = f'{links}  <script type="module" src="{static_url("connection.js")}"></script>\n  </head>'.encode()
    page = page.replace(b"</head>", last, 1)
    if _TITLE not in page:
        return page.replace(b"<head>", b"<head>\n    " + first, 1)
    return page.replace(_TITLE, first, 1).replace(_ICON, b'href="%b"' % static_url("icon.svg").encode(), 1)


def page_routes(page: bytes) -> list[Route]:
    """Return the routes of the page: `/`, its parts, and Streamlit's icon. Other addresses are refused.

    For addresses that nobody knows, Streamlit would send its own HTML, without our head.

    Args:
        page: What `page_html` returned.
    """
    from starlette.responses import FileResponse, HTMLResponse
    from starlette.routing import Route

    async def send(request: Request) -> Response:
        if (refusal := _refusal(request)) is not None:
            return refusal
        return HTMLResponse(page, headers={"Cache-Control": "no-cache"})

    folder = front_end_folder()
    files = {each.name for each in folder.iterdir() if each.is_file()} - {"index.html"}  # its icon, its manifest

    async def send_other(request: Request) -> Response:
        name = request.path_params["name"]
        if name in files:
            return FileResponse(folder / name)
        return HTMLResponse(_NO_SUCH_PAGE, 404, {"Cache-Control": "no-cache"})

    # Streamlit's own addresses have further parts, as /media/NAME.
    return [*(Route(f"/{name}", send) for name in PAGES), Route("/{name}", send_other)]


def _refusal(request: Request) -> Response | None:
    """Return what somebody sees at the address of a page whose role does not allow it: Streamlit would know no page."""
    from starlette.responses import HTMLResponse

    visitor, action = visitor_of(request.scope), ACTION_OF_PAGE.get(request.url.path.strip("/"))
    if action is None or visitor.person is None or visitor.may(ACTIONS[action]):
        return None
    may = " or ".join(ROLES[ROLES.index(ACTIONS[action]) :])
    told = f"Your role, {visitor.person.role}, may not {_DOES[action]}; ask somebody who has the role {may}"
    return HTMLResponse(_MESSAGE.format(told), 403, {"Cache-Control": "no-cache"})
