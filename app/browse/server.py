"""The server behind the page: Streamlit, with routes of our own beside it.

Only names of this machine are answered, so that no other web page can reach the videos through a rebound name.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from app.browse.assets_route import asset_routes
from app.browse.media import media_routes
from app.compose import DEVICE_VARIABLE, ENCODER_VARIABLE, LIBRARY_VARIABLE, Settings

if TYPE_CHECKING:
    from db.library import Library

HOSTS = ("127.0.0.1", "localhost")


def serve(settings: Settings, library: Library, *, port: int, open_browser: bool) -> None:
    """Run the page of this library until it is stopped."""
    import streamlit
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    # The page's script is run anew at each interaction and reads its settings as every command does.
    os.environ[LIBRARY_VARIABLE] = str(settings.library)
    os.environ[DEVICE_VARIABLE] = settings.device
    if settings.encoder is not None:
        os.environ[ENCODER_VARIABLE] = settings.encoder
    app = streamlit.App(
        Path(__file__).parent / "page.py",
        routes=[*asset_routes(), *media_routes(library)],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=list(HOSTS))],
    )
    app.run(
        config={
            "server.address": "127.0.0.1",
            "server.port": port,
            "server.headless": not open_browser,
            "browser.gatherUsageStats": False,
            "server.showEmailPrompt": False,
            "server.fileWatcherType": "none",
            "client.toolbarMode": "minimal",
        }
    )
