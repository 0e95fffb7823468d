"""Lock files: every package of an installation is in them, with hashes, and no place is."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from bootstrap import locks
from bootstrap.place import Place, Refusal

ROOT = Path(__file__).resolve().parent.parent
NAMES = (*locks.LOCKED_EXTRAS, locks.TORCH)


def lines(path: Path) -> list[str]:
    return [line for line in path.read_text("utf-8").splitlines() if not line.startswith("#")]


def read_lock(name: str) -> dict[str, list[str]]:
    """Return the hashes of each pin."""
    found: dict[str, list[str]] = {}
    for line in lines(ROOT / "locks" / f"{name}.txt"):
        text = line.removesuffix(" \\").strip()
        if line.startswith(" "):
            found[next(reversed(found))].append(text)
        else:
            found[text] = []
    return found


def names_of(pins: Sequence[str]) -> set[str]:
    return {Requirement(pin).name for pin in pins}


@pytest.mark.parametrize("name", NAMES)
def test_every_pin_has_hashes_and_the_version_of_the_constraints(name: str) -> None:
    pins = {str(Requirement(line).name) + str(Requirement(line).specifier) for line in lines(ROOT / "constraints.txt")}
    lock = read_lock(name)
    assert len(lock) > 15
    for pin, hashes in lock.items():
        requirement = Requirement(pin)
        assert f"{requirement.name}{requirement.specifier}" in pins, f"{pin} is not in constraints.txt: dev.py lock"
        assert hashes
        assert all(re.fullmatch("--hash=sha256:[0-9a-f]{64}", each) for each in hashes), pin


@pytest.mark.parametrize("name", NAMES)
def test_a_lock_names_no_index_and_no_place(name: str) -> None:
    text = (ROOT / "locks" / f"{name}.txt").read_text("utf-8")
    assert "://" not in text
    assert not re.search(r"^\s*--(?!hash=)|^-|@ ", text, re.MULTILINE)


def test_hashes_are_those_of_all_platforms() -> None:
    for name in ("numpy", "pillow", "av", "sqlalchemy", "pydantic-core"):
        hashes = [each for pin, found in read_lock("cpu").items() if Requirement(pin).name == name for each in found]
        assert len(hashes) > 10, name


def test_torch_stays_out_of_the_locks_that_every_machine_takes() -> None:
    """Its CPU builds come from another index, with other hashes; the libraries of CUDA 12 are faiss-gpu's own."""
    torch = names_of(list(read_lock(locks.TORCH)))
    assert {"torch", "torchvision", "triton", "nvidia-cublas"} <= torch
    for name in locks.LOCKED_EXTRAS:
        assert not names_of(list(read_lock(name))) & torch
    assert {"faiss-gpu", "nvidia-cublas-cu12"} <= names_of(list(read_lock("gpu")))
    assert {"faiss-cpu"} <= names_of(list(read_lock("cpu"))) - names_of(list(read_lock("gpu")))


@pytest.mark.parametrize("name", ["cpu", "development"])
def test_a_lock_holds_whatever_the_project_needs_here(name: str) -> None:
    """`--no-deps` fetches nothing that is missing: the lock must be complete by itself."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [*project["dependencies"]]
    for extra in locks.LOCKED_EXTRAS[name]:
        wanted += project["optional-dependencies"][extra]
    held = names_of([*read_lock(name), *read_lock(locks.TORCH)])
    seen: set[tuple[str, tuple[str, ...]]] = set()
    queue = [Requirement(text) for text in wanted]
    while queue:
        requirement = queue.pop()
        key = canonicalize_name(requirement.name), tuple(sorted(requirement.extras))
        if key in seen:
            continue
        seen.add(key)
        assert key[0] in held, f"{key[0]} is in no lock: python3 dev.py lock"
        try:
            needs = importlib.metadata.requires(key[0]) or []
        except importlib.metadata.PackageNotFoundError:  # CPU builds of torch come without triton, for one
            continue
        for need in map(Requirement, needs):
            if need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in ("", *key[1])):
                queue.append(need)
    assert len(seen) > 70


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Place, list[list[str]]]:
    """A checkout, and the commands given to the uv that takes the place of the real one."""
    (tmp_path / "constraints.txt").write_text("# old header\nnumpy==1.0\n")
    commands: list[list[str]] = []

    def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        if "--output-file" in command:
            (tmp_path / "constraints.txt").write_text("numpy==2.0\ntorch==2.13.0\n")
            return subprocess.CompletedProcess(command, 0, stdout="")
        entries = [
            f"{pin} \\\n    --hash=sha256:{'a' * 64} \\\n    --hash=sha256:{'b' * 64}\n"
            for pin in ("numpy==2.0 ; python_version < '3.12'", "numpy==2.1 ; python_version >= '3.12'",
                        "nvidia-cublas==13.1", "nvidia-cublas-cu12==12.9", "torch==2.13.0")
        ]  # fmt: skip
        return subprocess.CompletedProcess(command, 0, stdout="".join(entries))

    monkeypatch.setattr(locks.subprocess, "run", run)
    monkeypatch.setattr(locks.shutil, "which", lambda name, path=None: "/somewhere/uv")
    return Place(tmp_path), commands


def test_making_the_locks(checkout: tuple[Place, list[list[str]]]) -> None:
    place, commands = checkout
    locks.make_locks(place, upgrade=False)
    assert (place.root / "constraints.txt").read_text() == f"{locks.CONSTRAINTS_HEADER}numpy==2.0\ntorch==2.13.0\n"
    pins = {name: [line for line in lines(place.root / "locks" / f"{name}.txt") if line[0] != " "] for name in NAMES}
    assert [pin.split(" ")[0] for pin in pins["cpu"]] == ["numpy==2.0", "numpy==2.1", "nvidia-cublas-cu12==12.9"]
    assert [pin.split(" ")[0] for pin in pins["torch"]] == ["nvidia-cublas==13.1", "torch==2.13.0"]
    assert "pip install -c constraints.txt torch torchvision\n" in (place.root / "locks/development.txt").read_text()
    assert not any("--upgrade" in command for command in commands)
    assert all({"--constraints", "--generate-hashes"} <= set(command) for command in commands[1:])


def test_an_upgrade_moves_the_constraints_and_the_locks_follow_them(
    checkout: tuple[Place, list[list[str]]],
) -> None:
    place, commands = checkout
    locks.make_locks(place, upgrade=True)
    assert ["--upgrade" in command for command in commands] == [True, False, False, False]


def test_without_uv_it_is_said_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks.shutil, "which", lambda name, path=None: None)
    with pytest.raises(Refusal, match="pip install uv"):
        locks.make_locks(Place(tmp_path), upgrade=False)


def test_a_hash_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    """What the hashes are for, tried with pip itself and a wheel of ours."""
    import zipfile

    wheel = tmp_path / "one-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("one-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: one\nVersion: 1.0\n")
        archive.writestr("one-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("one-1.0.dist-info/RECORD", "")
    lock = tmp_path / "lock.txt"
    lock.write_text(f"one==1.0 \\\n    --hash=sha256:{'0' * 64}\n")
    command = [sys.executable, "-m", "pip", "install", "--require-hashes", "--no-deps", "--no-index",
               "--find-links", str(tmp_path), "--target", str(tmp_path / "target"), "-r", str(lock)]  # fmt: skip
    refused = subprocess.run(command, capture_output=True, text=True)
    assert refused.returncode != 0
    assert "DO NOT MATCH THE HASHES" in refused.stdout + refused.stderr
