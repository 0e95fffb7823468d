"""The checkout and the machine: paths, the faiss that fits, errors, and messages to the person."""

# Standard library only, and syntax that a too old Python can still be told about.
from __future__ import annotations

import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path

OLDEST_PYTHON = (3, 11)


class Refusal(Exception):
    """Something that a person has to mend; the message says how."""


class NothingChanged(Refusal):
    """A refusal from before the first package was touched: the environment is what it was."""


@dataclass(frozen=True)
class Place:
    """A checkout and the virtual environment inside it."""

    root: Path

    @property
    def venv(self) -> Path:
        return self.root / ".venv"

    @property
    def scripts(self) -> Path:
        return self.venv / ("Scripts" if os.name == "nt" else "bin")

    @property
    def python(self) -> Path:
        return self.scripts / ("python.exe" if os.name == "nt" else "python")

    @property
    def stamp(self) -> Path:
        return self.venv / "prismsearch-installed.json"

    @property
    def log(self) -> Path:
        return self.venv / "prismsearch-install.log"


def say(line: str) -> None:
    print(line, flush=True)  # flushed, because what we start writes to the same place


def faiss_kind() -> str:
    """gpu where faiss-gpu has a wheel and an NVIDIA driver is loaded, else cpu."""
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        return "cpu"
    return "gpu" if Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi") else "cpu"


def in_site_packages(place: Place, pattern: str) -> list[Path]:
    folders = ("lib/python*/site-packages", "Lib/site-packages")
    return [path for folder in folders for path in place.venv.glob(f"{folder}/{pattern}")]


def installed_faiss(place: Place) -> list[str]:
    """Which of cpu and gpu are in the environment. Both write the folder faiss/, so two of them mean a broken one."""
    found = {path.name.split("-")[0] for path in in_site_packages(place, "faiss_*.dist-info")}
    return [kind for kind in ("cpu", "gpu") if f"faiss_{kind}" in found]
