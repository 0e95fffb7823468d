"""The small page on which people log in: HTML alone, without scripts, and nothing of the library in it."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote

from starlette.responses import HTMLResponse, Response

from app.web.http.errors import ApiError
from app.web.http.requests import body_parts
from app.web.http.static_files import STATIC
from app.web.http.streamlit_page import PAGES

if TYPE_CHECKING:
    from starlette.requests import Request

LOGIN, LOGOUT = "/login", "/logout"
_MOST_BYTES = 32_768  # of the form, with a long search to go on to
_CSP = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>Log in · prismsearch</title><link rel="icon" href="{icon}">
<style>
:root {{ {light} }}
@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}
* {{ box-sizing: border-box }}
body {{ margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1rem;
  font: 1rem/1.5 "Source Sans", system-ui, sans-serif; color: var(--text); background: var(--background) }}
main {{ width: min(22rem, 100%) }}
h1 {{ display: flex; gap: .6rem; align-items: center; margin: 0 0 1.2rem; font-size: 1.5rem; font-weight: 600 }}
label {{ display: block; margin: 0 0 .9rem; font-size: .9rem }}
input {{ display: block; width: 100%; margin-top: .25rem; padding: .55rem .7rem; font: inherit; color: inherit;
  background: var(--field); border: 1px solid var(--border); border-radius: .4rem }}
input:focus-visible, button:focus-visible {{ outline: 2px solid var(--primary); outline-offset: 1px }}
button {{ width: 100%; margin-top: .4rem; padding: .6rem; font: inherit; font-weight: 600; color: #fff;
  background: var(--primary); border: 0; border-radius: .4rem; cursor: pointer }}
p {{ margin: 0 0 1rem; padding: .6rem .8rem; background: var(--field); border-left: 3px solid var(--primary) }}
</style></head>
<body><main><h1><img src="{icon}" width="32" height="32" alt="">prismsearch</h1>{sentence}
<form method="post" action="{login}"><input type="hidden" name="to" value="{to}">
<label>Name<input name="name" value="{name}" maxlength="200" autocomplete="username" autocapitalize="none"
 spellcheck="false" required{focus_name}></label>
<label>Password<input name="password" type="password" maxlength="200" autocomplete="current-password"
 required{focus_password}></label>
<button>Log in</button></form></main></body></html>
"""
# Another site's link comes without the cookie, which is same-site only. A page of ours that goes on to the same address
# by itself comes with it.
_ONCE_MORE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>prismsearch</title>
<meta http-equiv="refresh" content="0; url={to}"></head><body><a href="{to}">prismsearch</a></body></html>
"""
_PLACE = re.compile(rf"/(?:{'|'.join(filter(None, PAGES))})?(?:\?[\x21-\x7e]*)?")


class LoginPage:
    """The page, in the colours of the others.

    Args:
        light, dark: Colours by Streamlit's names of them.
    """

    def __init__(self, light: Mapping[str, str], dark: Mapping[str, str]) -> None:
        self._light, self._dark = _variables(light), _variables(dark)

    def response(self, sentence: str = "", *, status: int = 200, name: str = "", to: str = "/") -> Response:
        """Return the page.

        Args:
            sentence: What has happened; "" for nothing.
            status: HTTP status.
            name: The name that is filled in.
            to: Where to go after the log-in.
        """
        page = _PAGE.format(
            icon=f"data:image/svg+xml,{quote((STATIC / 'icon.svg').read_text('utf-8'))}",
            light=self._light,
            dark=self._dark,
            login=LOGIN,
            sentence=f'<p role="alert">{html.escape(sentence)}</p>' if sentence else "",
            to=html.escape(place_after(to)),
            name=html.escape(name[:200]),
            focus_name="" if name else " autofocus",
            focus_password=" autofocus" if name else "",
        )
        return _html(page, status)


def once_more(to: str) -> Response:
    """Return a page that goes on to an address of ours by itself."""
    return _html(_ONCE_MORE.format(to=html.escape(place_after(to))), 200)


def place_after(to: str) -> str:
    """Return where to go after the log-in: an address of our pages, or "/" in place of anything else."""
    return to if len(to) <= 8_200 and _PLACE.fullmatch(to) else "/"


async def read_form(request: Request) -> dict[str, str]:
    """Return the fields of a form that was sent, each once.

    Raises:
        ApiError: It is no form, or too large.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        raise ApiError(415, "Only the form of this page is accepted here.")
    body = b""
    async for part in body_parts(request):
        body += part
        if len(body) > _MOST_BYTES:
            raise ApiError(413, "The form is too large.")
    try:
        fields: dict[str, list[Any]] = parse_qs(
            body.decode("ascii"), keep_blank_values=True, errors="replace", max_num_fields=8
        )
    except ValueError as error:
        raise ApiError(400, "The form cannot be read.") from error
    return {name: values[0] for name, values in fields.items()}


def span_text(seconds: int) -> str:
    """Return a time to wait, in words."""
    if seconds < 90:
        return f"{seconds} seconds" if seconds != 1 else "1 second"
    return f"{-(-seconds // 60)} minutes"


def _html(page: str, status: int) -> Response:
    # Without a referrer, browsers would send the form without its origin, too.
    headers = {"Cache-Control": "no-store", "Content-Security-Policy": _CSP, "Referrer-Policy": "same-origin"}
    return HTMLResponse(page, status, headers)


def _variables(colours: Mapping[str, str]) -> str:
    names = {"primary": "primaryColor", "background": "backgroundColor", "field": "secondaryBackgroundColor"}
    names |= {"text": "textColor", "border": "borderColor"}
    return "; ".join(f"--{name}: {colours[theirs]}" for name, theirs in names.items())
