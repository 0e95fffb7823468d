"""The examples of docs/api.md, run as they stand and in their order, on two videos of the demo library."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / "app" / "demo_library"


def examples(page: Path) -> list[tuple[int, str]]:
    """Every Python block of a page with the line that it begins on."""
    text = page.read_text("utf-8")
    return [
        (text.count("\n", 0, match.start(1)), match[1])
        for match in re.finditer(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    ]


def run(page: Path, names: dict[str, Any]) -> None:
    """Run the blocks in one namespace; a traceback names the page and the line."""
    for line, code in examples(page):
        exec(compile("\n" * line + code, str(page), "exec"), names)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "films").mkdir()
    for name in ("01_widescreen_25.mp4", "05_square.mp4"):
        shutil.copy(DEMO / name, tmp_path / "films")
    Image.new("RGB", (64, 48), "red").save(tmp_path / "picture.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_example_of_the_python_interface_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    run(ROOT / "docs" / "api.md", names)
    assert names["report"].added == 2
    assert names["report"].failed == ()
    assert names["answer"].hits
    assert len(names["like_clip"]) == len(names["like_picture"]) == len(names["like_segment"]) == 3
    assert names["first"].id not in {hit.segment.id for hit in names["like_segment"]}
    assert [clip.error for clip in names["result"].clips] == [None, None]
    assert len(list((folder / "clips").glob("*.mp4"))) == 2
    assert names["rows"].shape == names["texts"].shape == (2, names["encoder"].dim)
    assert names["matrix"].shape == (len(names["owners"]), names["encoder"].dim)
    assert "2 added, 0 unchanged, 0 failed" in capsys.readouterr().out


def test_the_readme_shows_a_part_of_it() -> None:
    """The lines in the README stand in docs/api.md too, so the test above holds them."""
    ((_, shown),) = examples(ROOT / "README.md")
    page = (ROOT / "docs" / "api.md").read_text("utf-8")
    assert len(shown.splitlines()) >= 8
    assert all(line in page for line in shown.splitlines() if line.strip())
