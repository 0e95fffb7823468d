"""The files of a release in dist/: source distribution, wheel and SHA256SUMS, made from the last commit alone."""

# Standard library only, and syntax that a too old Python can still be told about.
from __future__ import annotations

import hashlib
import io
import os
import re
import subprocess
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from bootstrap.place import Place, Refusal, say

if TYPE_CHECKING:
    from collections.abc import Collection

SUMS = "SHA256SUMS"


def make_release(place: Place) -> None:
    """Build and check the files. Raises Refusal for a commit that is not fit to be released."""
    version = version_of(place.root)
    if not re.search(rf"^## {re.escape(version)} \(\d{{4}}-\d\d-\d\d\)$", changes(place.root), re.MULTILINE):
        raise Refusal(f"CHANGELOG.md has no heading `## {version} (DATE)`; date the section of this release.")
    if git(place, "status", "--porcelain"):
        raise Refusal("There are changes that are not committed; a release is made from a commit.")
    target = place.root / "dist"
    target.mkdir(exist_ok=True)
    for old in target.glob("prismsearch-*"):
        old.unlink()
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=io.BytesIO(git(place, "archive", "--format=tar", "HEAD"))) as archive:
            archive.extractall(folder)  # written by git a moment ago
        # The date of the commit in place of the time of the build: the same commit gives the same wheel.
        build(place, Path(folder), target, int(git(place, "log", "-1", "--format=%ct")))
    expected = packaged(git(place, "ls-files", "-z").decode("utf-8").split("\0"))
    wheel, source = target / f"prismsearch-{version}-py3-none-any.whl", target / f"prismsearch-{version}.tar.gz"
    problems = wheel_problems(wheel, expected) + source_problems(source, expected)
    if problems:
        raise Refusal("\n".join(["The files are not complete:", *problems]))
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}" for path in (source, wheel)]
    (target / SUMS).write_text("".join(f"{line}\n" for line in lines), "utf-8")
    say("\n".join([f"dist/, prismsearch {version}, {len(expected)} files in the wheel:", *lines]))


def build(place: Place, source: Path, target: Path, seconds: int) -> None:
    """Build the source distribution, and the wheel from it, which shows that it is complete."""
    command = [str(place.python), "-m", "build", "--no-isolation", "--outdir", str(target), str(source)]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(seconds)}
    made = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if made.returncode != 0:
        raise Refusal(f"The build failed:\n{made.stdout}")


def version_of(root: Path) -> str:
    import tomllib

    version: str = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    return version


def changes(root: Path) -> str:
    return (root / "CHANGELOG.md").read_text("utf-8")


def packaged(tracked: Collection[str]) -> set[str]:
    """Return those of the repository's files that an installation has: all below the folders with a `py.typed`."""
    packages = {name.split("/")[0] for name in tracked if name.count("/") == 1 and name.endswith("/py.typed")}
    return {name for name in tracked if name.split("/")[0] in packages}


def wheel_problems(wheel: Path, expected: Collection[str]) -> list[str]:
    """Return a line for each file that the wheel lacks or should not have."""
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
        damaged = archive.testzip()
    problems = [f"the wheel lacks {name}" for name in sorted(set(expected) - held)]
    problems += [f"the wheel has {name}" for name in sorted(held - set(expected))]
    return [*problems, f"the wheel's {damaged} is damaged"] if damaged else problems


def source_problems(source: Path, expected: Collection[str]) -> list[str]:
    """Return a line for each file that the source distribution lacks or should not have."""
    with tarfile.open(source) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    needed = {*expected, "pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", "NOTICE", "constraints.txt"}
    foreign = sorted(name for name in held if name.split("/")[0] in ("tests", "node_modules", "dist"))
    return [
        *(f"the source distribution lacks {name}" for name in sorted(needed - held)),
        *(f"the source distribution has {name}" for name in foreign),
    ]


def git(place: Place, *arguments: str) -> bytes:
    result = subprocess.run(["git", *arguments], cwd=place.root, capture_output=True)
    if result.returncode != 0:
        raise Refusal(f"git {arguments[0]} failed: {result.stderr.decode('utf-8', 'replace').strip()}")
    return result.stdout.rstrip(b"\n") if arguments[0] == "log" else result.stdout
