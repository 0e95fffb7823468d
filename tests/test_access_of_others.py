"""Another user of the same machine, at the real server: every route refuses, and the secret is out of reach."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest
from browser_app import App
from starlette.routing import Mount

from app.commands.ui import entry_address
from app.compose import Settings, state_directory
from app.web.server import our_routes
from app.web.services.proxies import Proxies
from db.library import Library

NOBODY = 65534
PAGES = (
    "/",
    "/search",
    "/library",
    "/map",
    "/collections",
    "/questions",
    "/indexing",
    "/?q=fox",
    "/?token=1.2.3",
    "/favicon.png",
)
# Asks for each address and reports what was answered; and tries to read each file and to list each folder.
STRANGER = """
import http.client, json, os, sys
port, requests, paths = json.load(sys.stdin)
answered, read = [], []
for method, path, more in requests:
    headers = {"X-Prismsearch": "1", "Origin": f"http://127.0.0.1:{port}", **more}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, path, headers=headers)
    answered.append(connection.getresponse().status)
    connection.close()
for path in paths:
    try:
        (os.listdir if os.path.isdir(path) else open)(path)
    except OSError:
        continue
    read.append(path)
print(json.dumps([os.getuid(), answered, read]))
"""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    with App(tmp_path_factory.mktemp("others") / "library") as running:
        yield running


def every_request(library: Path) -> list[tuple[str, str, dict[str, str]]]:
    """Every method of every route, ours and Streamlit's, and the web socket."""
    from streamlit.web.server.starlette.starlette_app import create_streamlit_routes

    with Library.open(library) as opened:
        ours = our_routes(Settings(library=library), opened, Proxies(library / "proxies"))
    theirs = create_streamlit_routes(MagicMock())
    assert len(ours) > 30
    found: list[tuple[str, str, dict[str, str]]] = [("GET", page, {}) for page in PAGES]
    for each in (*ours, *theirs):
        route: Any = each
        path = re.sub(r"\{[^}]*\}", "1", route.path) + ("/x" if isinstance(each, Mount) else "")
        found += [(method, path, {}) for method in sorted(getattr(route, "methods", None) or {"GET"})]
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
               "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}  # fmt: skip
    assert {"/_stcore/health", "/_stcore/stream", "/_stcore/host-config"} <= {path for _, path, _ in found}
    return [*found, ("GET", "/_stcore/stream", upgrade)]


def ask(app: App, requests: list[Any], **process: Any) -> tuple[int, dict[str, set[int]], list[str]]:
    """Whoever asked, the statuses by address, and the files that could be read."""
    folder = state_directory() / "page"
    files = [str(path) for path in (folder, *folder.glob("*"))]
    given = json.dumps([int(app.address.rpartition(":")[2]), requests, files])
    ran = subprocess.run(input=given, capture_output=True, text=True, check=True, timeout=120, **process)
    user, statuses, read = json.loads(ran.stdout)
    answered: dict[str, set[int]] = {}
    for (method, path, more), status in zip(requests, statuses, strict=True):
        answered.setdefault(f"{method} {path}{' socket' if 'Upgrade' in more else ''}", set()).add(status)
    return user, answered, read


def test_every_route_asks_for_the_cookie(app: App) -> None:
    requests = every_request(app.library)
    _, refused, _ = ask(app, requests, args=[sys.executable, "-c", STRANGER])
    assert {address for address, statuses in refused.items() if statuses != {401}} == set()
    cookie = {"Cookie": app.cookie()}
    some = [(method, path, {**more, **cookie}) for method, path, more in (requests[0], requests[-1])]
    _, answered, _ = ask(app, some, args=[sys.executable, "-c", STRANGER])
    assert answered == {"GET /": {200}, "GET /_stcore/stream socket": {101}}


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can act as another user")
def test_another_user_of_the_machine_gets_nothing(app: App) -> None:
    python = shutil.which("python3", path="/usr/bin:/bin:/usr/local/bin")
    if python is None:
        pytest.skip("there is no Python here that another user can run")
    user, refused, read = ask(
        app,
        every_request(app.library),
        args=[python, "-c", STRANGER],
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        cwd="/",
        env={},
    )
    assert user == NOBODY
    assert {address for address, statuses in refused.items() if statuses != {401}} == set()
    assert read == []


def test_no_log_and_no_command_line_holds_a_token(app: App) -> None:
    token = entry_address(Settings(library=app.library), None).partition("token=")[2]
    assert token
    assert not any("token=" in line for line in app.lines)
    assert any("ui --url" in line for line in app.lines)
    held = [path for path in app.library.rglob("*") if path.is_file() and b"token=" in path.read_bytes()]
    assert held == []
    commands = Path(f"/proc/{app.process.pid}/cmdline")
    assert not commands.exists() or b"token=" not in commands.read_bytes()
