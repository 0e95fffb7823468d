"""The virtual environment beside this file: made, filled as constraints.txt says, stamped.

`dev.py` is its only caller. Knows nothing of commands, tests or what prismsearch does.
"""

# Runs before anything is installed: standard library only, and syntax that a too old Python can still be told about.
from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

OLDEST_PYTHON = (3, 11)
FREE_BYTES_NEEDED = {"cpu": 4 * 10**9, "gpu": 12 * 10**9}  # measured 2.2 GB for cpu, plus room for the wheels in flight
LARGE_DOWNLOAD = re.compile(r"\s*Downloading ([^\s-]+)\S* \((\d{2,}(?:\.\d+)? MB|\d+(?:\.\d+)? GB)\)")
UNPACKING = re.compile(r"^(Installing collected packages|Prepared \d|Uninstalled \d)", re.MULTILINE)  # pip, uv, uv
PIP_SOURCES = ("PIP_FIND_LINKS", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX")  # uv reads none of them


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


def fingerprint(place: Place) -> str:
    """Changes with everything that shapes an installation, and with nothing else (not with a linter's setting)."""
    import tomllib

    project = tomllib.loads((place.root / "pyproject.toml").read_text("utf-8"))
    shaping = [project["project"], project.get("build-system"), project.get("tool", {}).get("setuptools")]
    digest = hashlib.sha256(json.dumps(shaping, sort_keys=True).encode())
    digest.update((place.root / "constraints.txt").read_bytes())
    digest.update(f"{sys.implementation.cache_tag} {place.root}".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def read_stamp(place: Place) -> dict[str, Any]:
    try:
        stamp = json.loads(place.stamp.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def write_stamp(place: Place, stamp: dict[str, Any]) -> None:
    partial = place.stamp.with_suffix(".partial")
    partial.write_text(json.dumps(stamp), "utf-8")
    partial.replace(place.stamp)


def is_ready(place: Place, extras: set[str]) -> bool:
    stamp = read_stamp(place)
    return (
        stamp.get("fingerprint") == fingerprint(place)
        and extras <= set(stamp.get("extras", ()))
        and place.python.exists()
        and installed_faiss(place) == sorted(extras & {"cpu", "gpu"})
    )


def refuse_two_faiss(place: Place) -> None:
    if installed_faiss(place) == ["cpu", "gpu"]:
        raise Refusal(
            "faiss-cpu and faiss-gpu are both installed and have overwritten each other's files. Remove both with\n"
            f"  {place.python} -m pip uninstall -y faiss-cpu faiss-gpu\n"
            "and run the same command again: it installs the one that fits this machine."
        )


@contextlib.contextmanager
def only_one_installer(place: Place) -> Iterator[None]:
    """Two terminals, two README commands: the second one waits. Held by the kernel, so a killed run leaves no lock."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    with open(place.root / "constraints.txt", "rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another dev.py is installing here; waiting for it.")
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError:
            pass  # a file system without locks: go on as one did before locks
        yield


def prepare(place: Place, extras: set[str]) -> None:
    """Make `.venv` hold the project with these extras and the faiss that fits the machine. Raises Refusal."""
    kind = faiss_kind()
    extras = {kind, *extras}
    refuse_two_faiss(place)
    if is_ready(place, extras):
        return
    with only_one_installer(place):
        if is_ready(place, extras):
            return
        started = time.monotonic()
        earlier = set(read_stamp(place).get("extras", ())) - {"cpu", "gpu"}
        make_venv(place)
        before = read_stamp(place)
        # Whoever finds this stamp knows that an installer was killed, and what it left cannot be trusted.
        write_stamp(place, {"unfinished": True, "root": str(place.root), "extras": sorted(earlier)})
        try:
            install(place, kind, sorted(extras | earlier))
        except NothingChanged:
            write_stamp(place, before)
            raise
        refuse_two_faiss(place)
        write_stamp(
            place, {"fingerprint": fingerprint(place), "root": str(place.root), "extras": sorted(extras | earlier)}
        )
        say(f"Installed in {time.monotonic() - started:.0f} s.")


def make_venv(place: Place) -> None:
    reason = why_not_usable(place)
    if reason is None:
        return
    clear = place.venv.exists() and reason != "pip is missing"
    if clear and Path(sys.prefix) == place.venv:
        raise Refusal(f".venv must be made again ({reason}): run dev.py with the system's Python, not with .venv's.")
    say(f"Making .venv again: {reason}." if place.venv.exists() else f"Making {place.venv}")
    command = [sys.executable, "-m", "venv", *(["--clear"] if clear else []), str(place.venv)]
    made = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    if made.returncode == 0:
        return
    if "ensurepip" in made.stdout:
        version = "{}.{}".format(*sys.version_info[:2])
        raise Refusal(
            "This Python cannot make virtual environments. On Debian and Ubuntu the part is a package of its own:\n"
            f"  sudo apt install python{version}-venv\nThen run the same command again."
        )
    raise Refusal(diagnosis(made.stdout, place) or f"Making {place.venv} failed:\n{made.stdout.strip()}")


def why_not_usable(place: Place) -> str | None:
    """None when `.venv` can be installed into, else what is wrong with it."""
    if not place.venv.exists():
        return "there is none"
    stamp = read_stamp(place)
    if stamp.get("unfinished"):
        return "its installation was cut short"
    root = stamp.get("root")
    if root not in (None, str(place.root)):
        return f"it was made for {root}, and its scripts still point there"
    probe = "import sys; print(*sys.version_info[:2]); import pip"
    try:
        answer = subprocess.run([str(place.python), "-c", probe], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return "its Python does not start"
    if answer.stdout.split() != [str(part) for part in sys.version_info[:2]]:
        return f"it was made by another Python than this {platform.python_version()}"
    return "pip is missing" if answer.returncode else None


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
            f"{platform.machine()}, or the registry in use lacks it. A 64-bit Python from 3.11 to 3.14 has them all. "
            f"The whole story: {place.log}"
        )
    if "Permission denied" in output or "Access is denied" in output:
        return (
            f"Something below {place.venv} cannot be written. Make it yours, or delete it, and run the command again."
        )
    return None
