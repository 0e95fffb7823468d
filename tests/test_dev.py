"""The bootstrap: what it installs, when it does nothing, and what it says when a machine is not as it should be.

Nothing is installed here: `follow`, which runs the installers, is replaced. That it works for real is shown by every
fresh clone, CI's first of all.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import tomllib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

import dev
from bootstrap import environment, installers, steps, wheels
from bootstrap import place as machine
from bootstrap.environment import prepare
from bootstrap.place import Place, Refusal

ROOT = Path(__file__).resolve().parent.parent
POSIX = pytest.mark.skipif(os.name == "nt", reason="builds a virtual environment out of shell scripts")


@pytest.fixture(scope="session")
def bare_environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real but bare virtual environment, to be copied."""
    venv = tmp_path_factory.mktemp("environment") / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    return venv


@pytest.fixture
def place(tmp_path: Path, bare_environment: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A checkout with a real but bare virtual environment, on a machine without an NVIDIA driver."""
    here = Place(tmp_path / "check out")
    here.root.mkdir()
    for name in ("pyproject.toml", "constraints.txt"):
        (here.root / name).write_bytes((ROOT / name).read_bytes())
    shutil.copytree(bare_environment, here.venv, symlinks=True)
    (site_packages(here) / "pip").mkdir()
    (site_packages(here) / "pip" / "__init__.py").touch()
    monkeypatch.setattr(environment, "faiss_kind", lambda: "cpu")
    monkeypatch.setattr(installers, "FREE_BYTES_NEEDED", {"cpu": 0, "gpu": 0})
    for name in installers.PIP_SOURCES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    return here


@pytest.fixture
def installer(place: Place, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[list[str]]]:
    """Puts a pretended installer in place of the real ones; returns the list of commands that it is given."""

    def pretend(*, code: int = 0, error: type[BaseException] | None = None, says: str = "") -> list[list[str]]:
        commands: list[list[str]] = []

        def follow(place: Place, command: Sequence[str]) -> int:
            commands.append(list(command))
            with place.log.open("a") as log:
                log.write(f"{says}\n")
            if error is not None:
                raise error
            if code == 0 and "uninstall" in command:
                (site_packages(place) / f"{command[-1].replace('-', '_')}-1.15.1.dist-info").rmdir()
            elif code == 0:
                kind = "gpu" if "gpu" in re.split(r"[\[\],]", command[-1]) else "cpu"
                (site_packages(place) / f"faiss_{kind}-1.15.1.dist-info").mkdir(exist_ok=True)
            return code

        monkeypatch.setattr(installers, "follow", follow)
        return commands

    return pretend


def site_packages(place: Place) -> Path:
    return next(path for path in place.venv.glob("[Ll]ib/**/site-packages"))


def wanted(command: list[str]) -> set[str]:
    """The extras that an installer was asked for."""
    return set(re.split(r"[\[\],]", command[-1])) - {"", "."}


def test_installs_once_and_then_only_looks_at_the_stamp(
    place: Place, installer: Callable[..., list[list[str]]]
) -> None:
    commands = installer()
    prepare(place, set())
    prepare(place, set())
    assert len(commands) == 1
    assert commands[0][:4] == [str(place.python), "-m", "pip", "install"]
    assert commands[0][4:6] == ["-c", "constraints.txt"]
    assert wanted(commands[0]) == {"cpu"}


def test_a_second_command_adds_its_extras_and_keeps_the_first_ones(
    place: Place, installer: Callable[..., list[list[str]]]
) -> None:
    commands = installer()
    prepare(place, {"clip", "test"})
    prepare(place, set())
    assert len(commands) == 1, "what is wanted is there already"
    (place.root / "constraints.txt").write_text("torch==2.13.0\n")
    prepare(place, set())
    assert wanted(commands[1]) == {"cpu", "clip", "test"}


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_an_interrupted_installation_is_done_anew(
    place: Place,
    installer: Callable[..., list[list[str]]],
    monkeypatch: pytest.MonkeyPatch,
    error: type[BaseException],
) -> None:
    """The stamp of the installation before must not vouch for what a killed installer left."""
    installer()
    prepare(place, {"clip"})
    installer(error=error)
    with pytest.raises(error):
        prepare(place, {"test"})
    assert environment.why_not_usable(place) == "its installation was cut short"
    made_again: list[Place] = []
    monkeypatch.setattr(environment, "make_venv", made_again.append)
    commands = installer()
    prepare(place, set())
    assert made_again == [place]
    assert wanted(commands[0]) == {"cpu", "clip"}, "what had been there before comes back"
    prepare(place, set())
    assert len(commands) == 1


def test_a_failure_before_anything_changed_leaves_the_environment_ready(
    place: Place, installer: Callable[..., list[list[str]]]
) -> None:
    """Who is offline cannot get the test extra, and can go on working."""
    installer()
    prepare(place, set())
    installer(code=1, says="Failed to establish a new connection: Temporary failure in name resolution")
    with pytest.raises(Refusal, match="registry cannot be reached"):
        prepare(place, {"test"})
    assert environment.is_ready(place, {"cpu"})
    installer(code=1, says="Installing collected packages: a, b\nERROR: [Errno 28] No space left on device")
    with pytest.raises(Refusal, match="disk is full"):
        prepare(place, {"test"})
    assert environment.why_not_usable(place) == "its installation was cut short"


def test_a_damaged_stamp_is_as_good_as_none(place: Place, installer: Callable[..., list[list[str]]]) -> None:
    commands = installer()
    prepare(place, set())
    for nonsense in ("", "[]", '{"fingerprint"'):
        place.stamp.write_text(nonsense)
        prepare(place, set())
    assert len(commands) == 4


def test_two_faiss_are_refused_with_the_command_that_mends_it(
    place: Place, installer: Callable[..., list[list[str]]]
) -> None:
    commands = installer()
    prepare(place, set())
    (site_packages(place) / "faiss_gpu-1.15.1.dist-info").mkdir()
    with pytest.raises(Refusal, match="uninstall -y faiss-cpu faiss-gpu"):
        prepare(place, set())
    for kind in ("cpu", "gpu"):
        (site_packages(place) / f"faiss_{kind}-1.15.1.dist-info").rmdir()
    prepare(place, set())
    assert len(commands) == 2, "after the uninstall the same command installs the right one"


def test_a_new_graphics_card_exchanges_faiss(
    place: Place, installer: Callable[..., list[list[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = installer()
    prepare(place, {"test"})
    monkeypatch.setattr(environment, "faiss_kind", lambda: "gpu")
    prepare(place, set())
    assert commands[1][-3:] == ["uninstall", "-y", "faiss-cpu"]
    assert wanted(commands[2]) == {"gpu", "test"}
    assert machine.installed_faiss(place) == ["gpu"]


@pytest.mark.parametrize(
    ("says", "expected"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "disk is full"),
        ("Failed to establish a new connection: Temporary failure in name resolution", "registry cannot be reached"),
        ("ERROR: No matching distribution found for torch==2.13.0", "torch==2.13.0 has no build for Python 3"),
        ("[Errno 13] Permission denied: 'x'", "cannot be written"),
        ("ERROR: metadata of foo is broken", "metadata of foo is broken"),
    ],
)
def test_a_failed_installation_says_what_to_do(
    place: Place, installer: Callable[..., list[list[str]]], says: str, expected: str
) -> None:
    installer(code=1, says=says)
    with pytest.raises(Refusal, match=re.escape(expected)):
        prepare(place, set())
    assert not environment.is_ready(place, {"cpu"})
    assert environment.why_not_usable(place) is None, "nothing had been unpacked, so nothing needs to be thrown away"


def test_a_disk_that_is_too_small_is_refused_before_anything_is_fetched(
    place: Place, installer: Callable[..., list[list[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = installer()
    monkeypatch.setattr(installers, "FREE_BYTES_NEEDED", {"cpu": 10**18})
    with pytest.raises(Refusal, match="GB are free"):
        prepare(place, set())
    assert commands == []


def test_uv_is_preferred_and_pip_is_the_way_out(
    place: Place, installer: Callable[..., list[list[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setattr(installers.shutil, "which", lambda name, path=None: "/somewhere/uv" if name == "uv" else None)
    commands = installer()
    prepare(place, set())
    assert commands[0][:3] == ["/somewhere/uv", "pip", "install"]
    assert "--torch-backend=auto" in commands[0]
    place.stamp.unlink()
    commands = installer(code=1, says="ERROR: what uv and pip say")
    with pytest.raises(Refusal, match="what uv and pip say"):
        prepare(place, set())
    assert [Path(command[0]).name for command in commands] == ["uv", place.python.name]


@pytest.mark.parametrize("name", installers.PIP_SOURCES)
def test_pip_is_taken_where_it_was_told_its_sources(place: Place, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setattr(installers.shutil, "which", lambda name, path=None: "/somewhere/uv")
    assert installers.find_uv(place, "cpu") == "/somewhere/uv"
    monkeypatch.setenv(name, "a mirror")
    assert installers.find_uv(place, "cpu") is None


def test_a_linux_machine_without_a_driver_gets_uv_for_its_cpu_torch(
    place: Place, installer: Callable[..., list[list[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setattr(machine.platform, "system", lambda: "Linux")
    monkeypatch.setattr(installers.shutil, "which", lambda name, path=None: f"{path}/uv" if path else None)
    commands = installer()
    assert installers.find_uv(place, "gpu") is None, "with a driver the default torch is the right one"
    assert commands == []
    assert installers.find_uv(place, "cpu") == f"{place.scripts}/uv"
    assert commands == [[str(place.python), "-m", "pip", "install", "uv"]]


@pytest.mark.parametrize(
    ("system", "processor", "driver", "expected"),
    [
        ("Linux", "x86_64", True, "gpu"),
        ("Linux", "x86_64", False, "cpu"),
        ("Linux", "aarch64", True, "cpu"),
        ("Darwin", "arm64", False, "cpu"),
        ("Windows", "AMD64", True, "cpu"),
    ],
)
def test_faiss_fits_the_machine(
    monkeypatch: pytest.MonkeyPatch, system: str, processor: str, driver: bool, expected: str
) -> None:
    monkeypatch.setattr(machine.platform, "system", lambda: system)
    monkeypatch.setattr(machine.platform, "machine", lambda: processor)
    monkeypatch.setattr(installers.shutil, "which", lambda name: "nvidia-smi" if driver else None)
    if Path("/proc/driver/nvidia/version").exists() and not driver:
        pytest.skip("this machine has an NVIDIA driver")
    assert machine.faiss_kind() == expected


def test_the_fingerprint_follows_what_is_installed_and_nothing_else(place: Place) -> None:
    def changed(name: str, old: str, new: str) -> str:
        file = place.root / name
        before = file.read_text("utf-8")
        assert old in before
        file.write_text(before.replace(old, new), "utf-8")
        try:
            return environment.fingerprint(place)
        finally:
            file.write_text(before, "utf-8")

    first = environment.fingerprint(place)
    assert changed("pyproject.toml", "line-length = 120", "line-length = 110") == first
    assert changed("pyproject.toml", '"numpy>=1.26"', '"numpy>=2"') != first
    assert changed("pyproject.toml", '"demo/*"', '"demo/*.npz"') != first
    assert changed("constraints.txt", "torch==2.13.0", "torch==2.13.1") != first


def test_why_an_environment_is_not_usable(place: Place) -> None:
    assert environment.why_not_usable(place) is None
    (site_packages(place) / "pip" / "__init__.py").write_text("raise ImportError")
    assert environment.why_not_usable(place) == "pip is missing"
    place.stamp.write_text(json.dumps({"root": "/elsewhere"}))
    assert "made for /elsewhere" in str(environment.why_not_usable(place))
    place.stamp.unlink()
    place.python.unlink()
    assert environment.why_not_usable(place) == "its Python does not start"
    assert environment.why_not_usable(Place(place.root / "nowhere")) == "there is none"


@POSIX
@pytest.mark.parametrize("version", ["3 9", "3 99"])
def test_an_environment_of_another_python_is_made_again(place: Place, version: str) -> None:
    place.python.unlink()
    place.python.write_text(f"#!/bin/sh\necho {version}\n")
    place.python.chmod(0o755)
    assert "another Python" in str(environment.why_not_usable(place))


@POSIX
def test_a_python_without_venv_names_the_package_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    debian = tmp_path / "python3"
    debian.write_text("#!/bin/sh\necho 'not created successfully because ensurepip is not available.'\nexit 1\n")
    debian.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(debian))
    with pytest.raises(Refusal, match=r"sudo apt install python3\.\d+-venv"):
        environment.make_venv(Place(tmp_path))


def test_follow_keeps_everything_and_shows_the_large_things(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [
        "Collecting numpy==2.4.6",
        "  Downloading numpy-2.4.6-cp311-cp311-any.whl (900.1 kB)",
        "  Downloading imageio_ffmpeg-0.8.1-py3-none-any.whl (68.0 MB)",
        "Installing collected packages: a, b, c",
        "caf\udce9: odd bytes",
    ]
    script = (
        f"import sys; sys.stdout.buffer.write({chr(10).join(lines)!r}.encode('utf-8', 'surrogateescape')); sys.exit(7)"
    )
    assert installers.follow(place, [sys.executable, "-c", script]) == 7
    assert capsys.readouterr().out.splitlines() == ["  downloading imageio_ffmpeg (68.0 MB)", "  unpacking 3 packages"]
    assert all(line in place.log.read_text("utf-8") for line in lines[:4])


@POSIX
def pretended_tools(root: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A checkout whose Python and node only note what they are called with; mypy fails where a file `fail` is."""
    monkeypatch.setattr(dev, "faiss_kind", lambda: "cpu")
    monkeypatch.setattr(dev, "prepare_javascript", lambda place: None)
    place = Place(root)
    place.scripts.mkdir(parents=True)
    for program in (place.python, place.scripts / "node"):
        program.write_text('#!/bin/sh\necho "$@" >> calls\n[ ! -e fail ] || case "$*" in *mypy*) exit 3;; esac\n')
        program.chmod(0o755)
    return place


def test_all_checks_run_and_one_failure_fails_the_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = pretended_tools(tmp_path, monkeypatch)
    assert dev.run_checks(place, with_tests=True) == 0
    assert "FAILED" not in capsys.readouterr().out
    (tmp_path / "fail").touch()
    (tmp_path / "calls").unlink()
    assert dev.run_checks(place, with_tests=True) == 1
    calls = (tmp_path / "calls").read_text()
    for tool in ("ruff check", "ruff format", "mypy", "importlinter", "pytest", "biome check", "tsc", "--test"):
        assert tool in calls
    assert re.search(r"^FAILED +mypy --strict", capsys.readouterr().out, re.MULTILINE)
    (tmp_path / "calls").unlink()
    assert dev.run_checks(place, with_tests=False) == 1
    calls = (tmp_path / "calls").read_text()
    assert "biome check" in calls
    assert "-m pytest" not in calls
    assert "--test" not in calls


def test_checks_run_beside_the_tests_and_each_is_told_as_a_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = pretended_tools(tmp_path, monkeypatch)
    place.python.write_text("""#!/bin/sh
echo "$@" >> calls
case "$*" in *mypy*) for i in $(seq 500); do grep -q "m pytest" calls && echo first && sleep 0 && echo last && exit 0
sleep 0.02; done; exit 5;; esac
""")
    assert dev.run_checks(place, with_tests=True) == 0
    assert "\n== mypy --strict\nfirst\nlast\n" in capsys.readouterr().out


def test_ctrl_c_begins_no_further_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = pretended_tools(tmp_path, monkeypatch)
    (tmp_path / "calls").write_text("begun\n")
    run, ending = subprocess.run, threading.Event()

    class Pool(ThreadPoolExecutor):
        def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
            if wait:
                ending.set()
            super().shutdown(wait, cancel_futures=cancel_futures)
            ending.set()

    def interrupted(command: Sequence[str], **options: Any) -> subprocess.CompletedProcess[bytes]:
        if "pytest" in command:
            raise KeyboardInterrupt
        ending.wait(60)
        return run(command, **options)

    monkeypatch.setattr(steps, "ThreadPoolExecutor", Pool)
    monkeypatch.setattr(steps.subprocess, "run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        dev.run_checks(place, with_tests=True)
    assert (tmp_path / "calls").read_text() in ("begun\n", "begun\n-m ruff check .\n")


@pytest.mark.parametrize(("ci", "code", "word"), [("", 0, "skipped"), ("true", 1, "FAILED")])
def test_without_node_the_javascript_is_skipped_with_a_line_and_fails_in_ci(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, ci: str, code: int, word: str
) -> None:
    place = pretended_tools(tmp_path, monkeypatch)

    def refuse(place: Place) -> None:
        raise Refusal("there is no node")

    monkeypatch.setattr(dev, "prepare_javascript", refuse)
    monkeypatch.setenv("CI", ci)
    assert dev.run_checks(place, with_tests=True) == code
    assert f"{word:8}JavaScript: there is no node" in capsys.readouterr().out.splitlines()
    calls = (tmp_path / "calls").read_text()
    assert "-m pytest" in calls
    assert "biome" not in calls


@pytest.mark.parametrize(("arguments", "code"), [([], 2), (["dance"], 2), (["--help"], 0)])
def test_usage(arguments: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert dev.main(arguments) == code
    assert "python3 dev.py demo" in capsys.readouterr().out


def test_an_old_python_is_told_so() -> None:
    """It must be able to read the files, or it could not say so, and the refusal comes before anything new is used."""
    for name in ("dev.py", *(f"bootstrap/{path.name}" for path in (ROOT / "bootstrap").glob("*.py"))):
        ast.parse((ROOT / name).read_text("utf-8"), feature_version=(3, 7))
    old = "import sys; sys.version_info = (3, 9, 2); sys.path.insert(0, '.'); import dev; sys.exit(dev.main(['demo']))"
    refused = subprocess.run([sys.executable, "-c", old], cwd=ROOT, capture_output=True, text=True)
    assert refused.returncode == 1
    assert "needs Python 3.11 or newer" in refused.stdout
    assert refused.stderr == ""


def test_constraints_pin_every_dependency_and_name_no_place() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pins = [Requirement(line) for line in lines if not line.startswith("#")]
    assert all(pin.url is None and [s.operator for s in pin.specifier] == ["=="] for pin in pins)
    direct = [Requirement(text) for text in project["project"]["dependencies"]]
    for extra in project["project"]["optional-dependencies"].values():
        direct += [Requirement(text) for text in extra]
    for requirement in direct:
        versions = [next(iter(pin.specifier)).version for pin in pins if pin.name == requirement.name]
        assert versions, f"{requirement.name} is not pinned: python3 dev.py lock"
        assert all(requirement.specifier.contains(version) for version in versions), requirement
    held = [Requirement(text) for text in project["tool"]["uv"]["constraint-dependencies"]]
    assert {str(pin) for pin in pins} >= {str(pin) for pin in held}
    for pin in pins:
        if pin.name.startswith(("nvidia", "cuda", "triton")):
            assert "sys_platform == 'linux'" in str(pin.marker).replace('"', "'"), pin


def test_what_has_no_wheel_is_told_before_the_download(
    place: Place,
    installer: Callable[..., list[list[str]]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    installer()
    monkeypatch.setattr(environment, "why_not_usable", lambda place: None)  # .venv is not of the Python that follows
    monkeypatch.setattr(wheels.sys, "version_info", (3, 13, 1))
    prepare(place, set())
    assert "OpenTimelineIO" not in capsys.readouterr().out
    monkeypatch.setattr(wheels.sys, "version_info", (3, 14, 0))
    prepare(place, {"timelines"})
    told = capsys.readouterr().out
    assert told.index("OpenTimelineIO has no wheel for Python") < told.index("Installing prismsearch")
    assert "lists in the format otio cannot be written here" in told


def test_alpine_is_refused_before_the_download(
    place: Place, installer: Callable[..., list[list[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = installer()
    monkeypatch.setattr(wheels.sysconfig, "get_config_var", lambda name: "x86_64-alpine-linux-musl")
    with pytest.raises(Refusal, match=r"musl.*no wheels.*Debian"):
        prepare(place, {"test"})
    assert not commands
