"""The environment `.venv`: created, filled and stamped, so that later runs only compare the stamp. See `prepare`."""

# Standard library only, and syntax that a too old Python can still be told about.
from __future__ import annotations

import contextlib
import hashlib
import json
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bootstrap.installers import diagnosis, install
from bootstrap.place import NothingChanged, Place, Refusal, faiss_kind, installed_faiss, say
from bootstrap.wheels import missing_wheels, refuse_musl

if TYPE_CHECKING:
    from collections.abc import Iterator


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
        refuse_musl()
        for line in missing_wheels():
            say(line)
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


def is_ready(place: Place, extras: set[str]) -> bool:
    stamp = read_stamp(place)
    return (
        stamp.get("fingerprint") == fingerprint(place)
        and extras <= set(stamp.get("extras", ()))
        and place.python.exists()
        and installed_faiss(place) == sorted(extras & {"cpu", "gpu"})
    )


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
