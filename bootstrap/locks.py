"""Pins of all dependencies, made by uv from pyproject.toml: constraints.txt, and the files with hashes in locks/."""

# Standard library only, and syntax that a too old Python can still be told about.
from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from bootstrap.place import OLDEST_PYTHON, Place, Refusal, say

if TYPE_CHECKING:
    from collections.abc import Sequence

CONSTRAINTS = "constraints.txt"
LOCKS = Path("locks")
LOCKED_EXTRAS = {
    "cpu": ("cpu", "shots", "timelines"),
    "gpu": ("gpu", "shots", "timelines"),
    "development": ("cpu", "clip", "ocr", "server", "shots", "speech", "test", "timelines"),
}
TORCH = "torch"

CONSTRAINTS_HEADER = """\
# What was tested together. pip and uv read it (-c constraints.txt); the ranges that we depend on are in pyproject.toml.
# Made by `python3 dev.py lock` from pyproject.toml: all extras, all platforms. Do not edit by hand.
# torch==2.13.0 admits builds with a local label (+cpu, +cu130): the installer takes the one that is offered.
"""
LOCK_HEADER = """\
# The versions of constraints.txt for prismsearch[{extras}], each with the hashes of all its files on the package index.
# Made by `python3 dev.py lock`. Do not edit by hand. To install in a new virtual environment:
#   pip install --require-hashes --no-deps -r locks/{name}.txt
#   pip install -c constraints.txt {torch}
#   pip install --no-build-isolation --no-deps -e .
# torch and the CUDA libraries that it brings are not in this file: its CPU builds (2.13.0+cpu) come from other indexes
# and have other hashes. locks/torch.txt has those of the package index's own builds.
"""
TORCH_HEADER = """\
# torch, torchvision and, on Linux, their CUDA libraries, with the hashes of the package index's own builds.
# Made by `python3 dev.py lock`. Do not edit by hand. It takes the place of the second line in the other files:
#   pip install --require-hashes --no-deps -r locks/torch.txt
"""


def make_locks(place: Place, *, upgrade: bool) -> None:
    """Write constraints.txt, then locks/*.txt with the same versions. Raises Refusal where uv is missing or fails.

    Pins that still fit pyproject.toml stay, unless `upgrade` moves them.
    """
    extras = sorted({extra for names in LOCKED_EXTRAS.values() for extra in names})
    pins = place.root / CONSTRAINTS
    # uv prefers the versions in the file that it is told to write.
    uv_compile(place, extras, "--output-file", CONSTRAINTS, *(["--upgrade"] if upgrade else []))
    made = [line for line in pins.read_text("utf-8").splitlines() if not line.startswith("#")]
    pins.write_text(CONSTRAINTS_HEADER + "".join(f"{line}\n" for line in made), "utf-8")
    say(f"{CONSTRAINTS}: {len(made)} pins")

    (place.root / LOCKS).mkdir(exist_ok=True)
    torch: dict[str, str] = {}
    for name, names in LOCKED_EXTRAS.items():
        entries = pinned(uv_compile(place, names, "--constraints", CONSTRAINTS, "--generate-hashes"))
        torch.update({package: entry for package, entry in entries.items() if comes_with_torch(package)})
        needed = "torch torchvision" if "clip" in names else "torch"
        header = LOCK_HEADER.format(name=name, extras=",".join(names), torch=needed)
        write_lock(place, name, header, [entry for package, entry in entries.items() if package not in torch])
    write_lock(place, TORCH, TORCH_HEADER, [torch[package] for package in sorted(torch)])


def uv_compile(place: Place, extras: Sequence[str], *more: str) -> str:
    uv = shutil.which("uv") or shutil.which("uv", path=str(place.scripts))
    if uv is None:
        raise Refusal(f"Making the locks needs uv: {place.python} -m pip install uv")
    bare = ["--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links", "--universal", "--quiet"]
    oldest = "{}.{}".format(*OLDEST_PYTHON)
    chosen = [part for extra in extras for part in ("--extra", extra)]
    command = [uv, "pip", "compile", *bare, "--python-version", oldest, *chosen, *more, "pyproject.toml"]
    # A folder of local wheels in the environment would write its path into the file.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("UV_")}
    made = subprocess.run(command, cwd=place.root, env=environment, stdout=subprocess.PIPE, encoding="utf-8")
    if made.returncode != 0:
        raise Refusal("uv could not make the locks; its output is above.")
    return made.stdout


def pinned(text: str) -> dict[str, str]:
    """Split a requirements file with hashes into its entries, by the name of the package and its marker."""
    entries = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)
    return {entry.split("\\")[0].strip(): entry for entry in entries if entry.strip() and entry[0] != "#"}


def comes_with_torch(pin: str) -> bool:
    """Return whether torch's index serves this package, too. The libraries of CUDA 12 are faiss-gpu's."""
    name = pin.split("==")[0]
    return name in ("torch", "torchvision", "triton") or (
        name.startswith(("nvidia-", "cuda-")) and not name.endswith("-cu12")
    )


def write_lock(place: Place, name: str, header: str, entries: Sequence[str]) -> None:
    path = LOCKS / f"{name}.txt"
    (place.root / path).write_text(header + "".join(entries), "utf-8")
    say(f"{path.as_posix()}: {len(entries)} packages, {sum(entry.count('--hash=') for entry in entries)} hashes")
