"""What all pages need is loaded before the server listens: in a process of its own, as it is in `ui`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from cli_library import build
from fakes import ColourEncoder

from app.compose import LIBRARY_VARIABLE

LOAD = """
import sys
from app.web.pages import loading, session
loading.load_pages()
print("app.web.pages.map" in sys.modules, session.open_library().stats().videos)
"""


def loaded(library: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, LIBRARY_VARIABLE: str(library), "PYTHONPATH": str(Path(__file__).parents[1])}
    return subprocess.run([sys.executable, "-c", LOAD], env=environment, capture_output=True, text=True, check=True)


def test_pages_and_library_are_loaded_without_a_word(tmp_path: Path) -> None:
    done = loaded(tmp_path / "new")
    assert (done.stdout, done.stderr) == ("True 0\n", "")


def test_an_engine_that_cannot_be_opened_is_left_to_the_page(tmp_path: Path) -> None:
    """The library's encoder is a fake of the tests, which the page does not know."""
    done = loaded(build(tmp_path, ColourEncoder()))
    assert done.stdout == "True 4\n"
    assert done.stderr == ""
