"""Installers: run uv or pip, log their output, and turn their failures into a sentence on what to do."""

# Standard library only, and syntax that a too old Python can still be told about.
from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

from bootstrap.place import NothingChanged, Place, Refusal, in_site_packages, installed_faiss, say

if TYPE_CHECKING:
    from collections.abc import Sequence

FREE_BYTES_NEEDED = {"cpu": 4 * 10**9, "gpu": 12 * 10**9}  # measured 2.2 GB for cpu, plus room for the wheels in flight
LARGE_DOWNLOAD = re.compile(r"\s*Downloading ([^\s-]+)\S* \((\d{2,}(?:\.\d+)? MB|\d+(?:\.\d+)? GB)\)")
UNPACKING = re.compile(r"^(Installing collected packages|Prepared \d|Uninstalled \d)", re.MULTILINE)  # pip, uv, uv
PIP_SOURCES = ("PIP_FIND_LINKS", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX")  # uv reads none of them


def install(place: Place, kind: str, extras: Sequence[str]) -> None:
    """Raises NothingChanged for failures to look up or fetch, Refusal for later ones."""
    free = shutil.disk_usage(place.venv).free
    if free < FREE_BYTES_NEEDED[kind] and not in_site_packages(place, "torch/version.py"):
        raise NothingChanged(
            f"{free / 1e9:.1f} GB are free below {place.root}, and up to {FREE_BYTES_NEEDED[kind] / 1e9:.0f} GB are "
            "needed while installing. Free some space, or clone to a larger disk, and run the same command again."
        )
    faiss_before = installed_faiss(place)
    for other in faiss_before:
        if other != kind:
            say(f"faiss-{other} is installed, this machine wants faiss-{kind}: exchanging them.")
            follow(place, [str(place.python), "-m", "pip", "uninstall", "-y", f"faiss-{other}"])
    say(f"Installing prismsearch[{','.join(extras)}] into .venv; the first time this takes some minutes.")
    what = ["-c", "constraints.txt", "-e", f".[{','.join(extras)}]"]
    uv = find_uv(place, kind)
    story_begins = place.log.stat().st_size if place.log.exists() else 0
    if uv is not None:
        # The backend is what makes a CPU machine get a CPU torch without a package host being named anywhere here.
        if follow(place, [uv, "pip", "install", "--python", str(place.python), "--torch-backend=auto", *what]) == 0:
            return
        say(f"uv could not do it (its output is in {place.log}); trying pip.")
    code = follow(place, [str(place.python), "-m", "pip", "install", *what])
    if code == 0:
        return
    story = place.log.read_bytes()[story_begins:].decode("utf-8", "replace")
    said = [line for line in story.splitlines() if line.strip()]
    last = [line for line in said if line.lower().startswith("error")][-8:] or said[-1:]
    changed = code < 0 or installed_faiss(place) != faiss_before or UNPACKING.search(story) is not None
    message = diagnosis(story, place) or "\n".join(["The installation failed. All of it is in", str(place.log), *last])
    raise (Refusal if changed else NothingChanged)(message)


def find_uv(place: Place, kind: str) -> str | None:
    """uv where it does better than pip, or None.

    Not where pip has been told its sources in the environment, for uv would not read them. A Linux machine without an
    NVIDIA driver gets uv into .venv if it has none: pip alone would fetch some GB of CUDA libraries there.
    """
    if any(os.environ.get(name) for name in PIP_SOURCES):
        return None
    found = shutil.which("uv")
    if found is None and platform.system() == "Linux" and kind == "cpu":
        follow(place, [str(place.python), "-m", "pip", "install", "uv"])
        found = shutil.which("uv", path=str(place.scripts))
    return found


def follow(place: Place, command: Sequence[str]) -> int:
    """Run an installer: all that it says into the log, what a waiting person wants to know onto the screen."""
    quiet = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1", "PIP_USER": "0", "PIP_PROGRESS_BAR": "off"}
    with open(place.log, "a", encoding="utf-8", errors="replace") as log:
        log.write(f"\n$ {' '.join(command)}\n")
        with subprocess.Popen(
            command,
            cwd=place.root,
            env={**os.environ, **quiet},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                log.write(line)
                large = LARGE_DOWNLOAD.match(line)
                if large:
                    say(f"  downloading {large[1]} ({large[2]})")
                elif line.startswith("Installing collected packages"):
                    say(f"  unpacking {line.count(',') + 1} packages")
            return process.wait()


def diagnosis(output: str, place: Place) -> str | None:
    """One line on what to do about the failures that people really meet; None for one that we do not know."""
    if re.search(r"No space left on device|Errno 28|not enough space on the disk", output):
        return (
            f"The disk is full: below {place.root}, or where temporary files go (TMPDIR moves those). Free some space "
            "and run the same command again; it goes on where it stopped."
        )
    if re.search(
        r"name resolution|NewConnectionError|ConnectTimeout|ReadTimeout|Max retries|Connection\w*Error", output
    ):
        return (
            "The package registry cannot be reached. Check the network (a proxy is named in HTTPS_PROXY, a mirror in "
            f"PIP_INDEX_URL) and run the same command again. The whole story: {place.log}"
        )
    missing = re.search(r"No matching distribution found for (\S+)", output)
    if missing:
        return (
            f"{missing[1]} has no build for Python {platform.python_version()} on {platform.system()} "
            f"{platform.machine()}, or the registry in use lacks it. A 64-bit Python from 3.11 to 3.13 has them all. "
            f"The whole story: {place.log}"
        )
    if "Permission denied" in output or "Access is denied" in output:
        return (
            f"Something below {place.venv} cannot be written. Make it yours, or delete it, and run the command again."
        )
    return None
