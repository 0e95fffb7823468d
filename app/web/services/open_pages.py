"""The pages that run now, which `prismsearch ui --url` looks for, and the file that sends a browser to one of them.

STATE FOLDER/page/DIGEST-PORT.json       one per running page: its port, its process and the server's name
STATE FOLDER/page/.open-*.html           redirects a browser to the address with a token
"""

from __future__ import annotations

import dataclasses
import html
import json
import re
import shutil
import subprocess
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.jobs.process import ProcessId, is_alive, own_process_id
from app.shell.errors import CommandError
from app.web.http.access import TOKEN_SECONDS
from app.web.services.page_secret import file_stem, private_file, read_private
from files.durability import remove
from files.json_file import parse_json
from files.replace import move_over
from files.sweep import sweep_files

_REDIRECT = ".open-"
_SNAP = re.compile(r"([a-z0-9-]+)_[\w.-]+\.desktop")


@dataclass(frozen=True, slots=True)
class OpenPage:
    """A page that is served."""

    port: int
    server: str  # made anew at each start; tokens are good for one server
    process: ProcessId


@contextmanager
def announced(folder: Path, library_id: str, page: OpenPage) -> Iterator[None]:
    """Note in the folder of the secrets, for the duration of a `with` block, that this process serves a page.

    Raises:
        OSError: The note cannot be written.
    """
    path = folder / f"{file_stem(library_id)}-{page.port}.json"
    note = json.dumps(dataclasses.asdict(page)).encode()
    move_over(private_file(folder, ".new-", "", note), path)
    try:
        yield
    finally:
        remove(path)


def open_pages(folder: Path, library_id: str) -> list[OpenPage]:
    """Return the pages of a library that run now, the latest first. Notes of killed servers are left out."""
    found = []
    for path in folder.glob(f"{file_stem(library_id)}-*.json"):
        try:
            noted = parse_json(read_private(path))
            page = OpenPage(int(noted["port"]), str(noted["server"]), ProcessId(**noted["process"]))
            found.append((path.stat().st_mtime_ns, page))
        except (OSError, ValueError, KeyError, TypeError, CommandError):
            continue
    return [page for _, page in sorted(found, key=lambda each: -each[0]) if is_alive(page.process)]


def this_page(port: int, server: str) -> OpenPage:
    """Return the page that this process serves."""
    return OpenPage(port, server, own_process_id())


@contextmanager
def redirect_file(folder: Path, address: str) -> Iterator[Path]:
    """Yield a file that sends a browser to `address`, and remove it after the block.

    The command line of a browser can be seen by every user of the machine, so it may only name such a file.
    """
    shown = html.escape(address)
    page = '<!doctype html><meta charset="utf-8"><meta name="referrer" content="no-referrer"><title>prismsearch</title>'
    page += f'<meta http-equiv="refresh" content="0; url={shown}"><p><a href="{shown}">prismsearch</a></p>\n'
    path = private_file(_readable_by_browser(folder), _REDIRECT, ".html", page.encode())
    try:
        yield path
    finally:
        remove(path)


def sweep_redirects(folder: Path) -> None:
    """Remove files for browsers that killed servers left behind. Their tokens are worth nothing."""
    sweep_files(folder, _REDIRECT, older_than_seconds=TOKEN_SECONDS)


def open_in_browser(address: str) -> None:
    """Open an address, or the address of a file, in the person's browser. Does nothing where there is none."""
    webbrowser.open(address)


def _readable_by_browser(folder: Path) -> Path:
    """Return the folder for the redirect: that of the secrets, which browsers installed as snaps cannot read.

    Those read no hidden folder of the home directory. They have a folder of their own, open to this person alone.
    """
    asker = shutil.which("xdg-settings")
    if asker is None or not (Path.home() / "snap").is_dir():
        return folder
    try:
        told = subprocess.run([asker, "get", "default-web-browser"], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return folder
    snap = _SNAP.fullmatch(told.stdout.strip())
    own = Path.home() / "snap" / snap[1] / "common" if snap else folder
    return own if own.is_dir() and not own.is_symlink() else folder
