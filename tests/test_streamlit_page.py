"""The page of Streamlit's front end with our head, and what we rely on in that front end (app/web/static/host.js)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import streamlit
from starlette.applications import Starlette
from starlette.testclient import TestClient

from app.web.http.security import inline_scripts_of
from app.web.http.static_files import STATIC, static_url
from app.web.http.streamlit_page import PAGES, page_html, page_routes, with_our_head

FRONT_END = Path(streamlit.__file__).with_name("static")


def test_our_script_comes_before_streamlits_own() -> None:
    page = page_html()
    assert page.count(b"<title>") == 1
    assert b"<title>prismsearch</title>" in page
    assert static_url("icon.svg").encode() in page
    assert b"favicon.png" not in page
    assert page.index((STATIC / "host.js").read_bytes()) < page.index(b'src="./static/js/')
    assert static_url("connection.js").encode() in page
    assert b'[data-testid="stSkeleton"] { visibility: hidden }' in page
    assert b".st-key-folder { min-height" in page, "what is below the folder box stays where it is when it comes"
    assert len(inline_scripts_of(page).split()) == 2


def test_a_page_that_streamlit_shaped_anew_has_our_scripts_still() -> None:
    page = with_our_head(b"<html><head><script type=module src=./x.js></script></head></html>")
    assert page.index(b"__streamlit") < page.index(b"./x.js")


def test_every_page_is_served_with_it() -> None:
    source = Path(__file__).parents[1].joinpath("app", "page.py").read_text("utf-8")
    assert set(re.findall(r'url_path="(\w+)"', source)) == set(PAGES) - {""}
    with TestClient(Starlette(routes=page_routes(b"the page"))) as client:
        for name in PAGES:
            answer = client.get(f"/{name}")
            assert (answer.status_code, answer.content, answer.headers["cache-control"]) == (
                200,
                b"the page",
                "no-cache",
            )
        assert client.get("/favicon.png").headers["content-type"] == "image/png", "which Streamlit asks for"
        for name in ("other", "favicon.ico", "index.html", "Search"):
            answer = client.get(f"/{name}")
            assert (answer.status_code, answer.headers["cache-control"]) == (404, "no-cache")
            assert "There is no such page" in answer.text


@pytest.mark.parametrize(
    "name",
    ["window.__streamlit", "BACKEND_BASE_URL", "HOST_CONFIG", "allowedOrigins", "useExternalAuthToken",
     "blockErrorDialogs", "WEBSOCKET_CONNECTED", "WEBSOCKET_DISCONNECTED", "stCommVersion",
     "window.parent.postMessage"],
)  # fmt: skip
def test_streamlits_front_end_knows_what_we_tell_it_and_tells_what_we_hear(name: str) -> None:
    """If a version of Streamlit drops one of them: its own dialogs are back, or ours shows on failed requests only."""
    scripts = [path.read_text("utf-8") for path in FRONT_END.joinpath("static", "js").glob("index.*.js")]
    assert any(name in script for script in scripts)


def test_streamlit_draws_the_boxes_that_are_hidden() -> None:
    scripts = [path.read_text("utf-8") for path in FRONT_END.joinpath("static", "js").glob("*.js")]
    assert any("stSkeleton" in script for script in scripts)
