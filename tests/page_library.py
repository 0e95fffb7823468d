"""A library made by indexing small videos, and a client of our routes over it, for the tests of the browser part."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fakes import ColourEncoder
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient
from synthetic import make_video

from app.compose import Settings
from app.media_workers import ReadMedia, read_here
from app.web.http.security import SecurityMiddleware
from app.web.server import our_routes
from app.web.services.proxies import Proxies
from db.library import Library
from indexer.pipeline import index_folders
from indexer.settings import IndexSettings

ORIGIN = "http://127.0.0.1:8501"


def index(library: Library, folder: Path, added: int) -> None:
    """Index every video of a folder; fails where not just `added` were taken."""
    report = index_folders(library, ColourEncoder(), [folder], IndexSettings())
    assert report.added == added


def small_library(root: Path, videos: Mapping[str, Any] | None = None) -> Library:
    """root/library with root/videos indexed: by default a.mp4, 20 frames of red and of blue, with sound.

    videos: by name, keyword arguments of make_video.
    """
    folder = root / "videos"
    folder.mkdir(parents=True)
    chosen = videos or {"a.mp4": {"shots": [("red", 20), ("blue", 20)], "audio_seconds": 1.6}}
    for name, how in chosen.items():
        make_video(folder / name, **how)
    library = Library.open(root / "library")
    index(library, folder, len(chosen))
    return library


def client_of(library: Library, proxies: Proxies | None = None, read: ReadMedia = read_here) -> TestClient:
    """As the page's own JavaScript asks: its host, its origin, its header."""
    made = proxies or Proxies(library.directory / "proxies")
    routes = our_routes(Settings(library=library.directory), library, made, read)
    headers = {"X-Prismsearch": "1", "Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"}
    app = Starlette(routes=routes, middleware=[Middleware(SecurityMiddleware)])
    return TestClient(app, base_url=ORIGIN, headers=headers, raise_server_exceptions=False)


def segment_ids(library: Library) -> list[int]:
    """Of all videos, ascending."""
    return sorted(library.segments(range(1, 1000)))
