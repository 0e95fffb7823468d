"""Libraries on a server cost nobody who does not use them: no package that all must have, none that a folder loads."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REQUIRED = {
    "alembic", "av", "charset-normalizer", "click", "ffmpeg-python", "huggingface-hub", "imageio-ffmpeg", "numpy",
    "pillow", "platformdirs", "psutil", "pydantic", "safetensors", "scenedetect-headless", "scikit-learn",
    "sentencepiece", "sqlalchemy", "streamlit", "torch",
}  # fmt: skip
OF_A_FOLDER = """
import sys
from pathlib import Path
import numpy as np
from benchmarks._scale_probe import Worker

worker = Worker(str(Path(sys.argv[1]) / "library"), sys.argv[1])
worker.add(1)
worker.search(1)
worker.filter(1)
worker.list(1)
worker.close()
from app.cli import main
from db.library import Library
with Library.open(Path(sys.argv[1]) / "library") as library:
    assert library.check() == []
print(*sorted(sys.modules))
"""


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[^A-Za-z0-9._-]", each)[0] for each in requirements}


def test_what_everybody_installs_is_what_it_was_before_there_were_servers() -> None:
    """A package more is a decision: it belongs here, and in an extra if not everybody needs it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert names(project["dependencies"]) == REQUIRED
    assert "psycopg" in names(project["optional-dependencies"]["server"])


def test_a_folder_loads_nothing_of_a_server(tmp_path: Path) -> None:
    """Opened, filled, searched, filtered, listed and checked in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", OF_A_FOLDER, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert "db.library" in loaded
    assert not {
        name for name in loaded if name.partition(".")[0] in ("psycopg", "pgvector", "argon2", "psycopg_binary")
    }
