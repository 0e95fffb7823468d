"""The files of a release: built from a commit, complete, and refused where they are not."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from bootstrap import release
from bootstrap.place import Place, Refusal

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A clone with the tracked files as its only commit: large ones cut short, and the changes dated."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True)
    if listed.returncode != 0 or shutil.which("git") is None:
        pytest.skip("this is not a git clone")
    place = Place(tmp_path_factory.mktemp("release"))
    for name in filter(None, listed.stdout.decode("utf-8").split("\0")):
        if not name.startswith(("tests/golden/", "docs/", "demo/")) and (ROOT / name).is_file():
            (place.root / name).parent.mkdir(parents=True, exist_ok=True)
            (place.root / name).write_bytes((ROOT / name).read_bytes()[:100_000])
    heading = f"## {release.version_of(place.root)} (2026-01-31)\n"
    (place.root / "CHANGELOG.md").write_text(f"# Changelog\n\n{heading}\n- The first.\n", "utf-8")
    name = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
    for command in (["init", "-q"], ["add", "-A"], [*name, "commit", "-qm", "all"]):
        subprocess.run(["git", *command], cwd=place.root, check=True, capture_output=True)
    return place


@pytest.mark.slow
def test_a_release_is_complete_repeatable_and_summed(checkout: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Place, "python", property(lambda place: Path(sys.executable)))
    (checkout.root / "dist").mkdir()
    (checkout.root / "dist" / "prismsearch-0.0.1.tar.gz").touch()
    release.make_release(checkout)
    dist = checkout.root / "dist"
    version = release.version_of(checkout.root)
    wheel = dist / f"prismsearch-{version}-py3-none-any.whl"
    assert {path.name for path in dist.iterdir()} == {wheel.name, f"prismsearch-{version}.tar.gz", release.SUMS}
    for line in (dist / release.SUMS).read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((dist / name).read_bytes()).hexdigest() == digest
    held = set(zipfile.ZipFile(wheel).namelist())
    for room in ("app", "indexer", "search", "training", "db", "encoder", "recognition", "files", "metrics"):
        assert f"{room}/py.typed" in held
    assert {
        "app/web/static/page.css", "app/web/static/core/api.js", "app/web/static/collections/export/panel.js",
        "app/demo_library/captions.json", "encoder/demo/vocabulary.model", "encoder/demo/videoprism_lvt_demo.npz",
        "db/migrations/env.py", "db/migrations/versions/v0001_first_library.py",
    } <= held  # fmt: skip
    assert not any(name.startswith(("tests/", "node_modules/", "bootstrap/", "demo/", "mutation/")) for name in held)
    before = wheel.read_bytes()
    release.make_release(checkout)
    assert wheel.read_bytes() == before, "the same commit, another wheel"


def test_what_is_missing_or_foreign_is_named(tmp_path: Path) -> None:
    wheel, source = tmp_path / "a.whl", tmp_path / "a.tar.gz"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name in ("app/a.py", "tests/test_a.py", "a-1.dist-info/RECORD"):
            archive.writestr(name, "")
    assert release.wheel_problems(wheel, {"app/a.py", "app/web/static/a.js"}) == [
        "the wheel lacks app/web/static/a.js",
        "the wheel has tests/test_a.py",
    ]
    with tarfile.open(source, "w:gz") as archive:
        for name in ("app/a.py", "pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", "NOTICE", "tests/a.py"):
            archive.addfile(tarfile.TarInfo(f"a-1/{name}"))
    assert release.source_problems(source, {"app/a.py", "app/b.py"}) == [
        "the source distribution lacks app/b.py",
        "the source distribution lacks constraints.txt",
        "the source distribution has tests/a.py",
    ]


def test_an_installation_has_the_rooms_alone() -> None:
    tracked = ["app/py.typed", "app/a.py", "app/web/b.js", "tests/c.py", "tests/deep/py.typed", "dev.py"]
    assert release.packaged(tracked) == {"app/py.typed", "app/a.py", "app/web/b.js"}


def test_what_is_not_committed_is_not_released(checkout: Place) -> None:
    stray = checkout.root / "app" / "stray.py"
    stray.touch()
    try:
        with pytest.raises(Refusal, match="not committed"):
            release.make_release(checkout)
    finally:
        stray.unlink()


def test_a_version_without_dated_changes_is_not_released(checkout: Place) -> None:
    changes = checkout.root / "CHANGELOG.md"
    before = changes.read_text("utf-8")
    changes.write_text(before.replace("(2026-01-31)", "(not released)"), "utf-8")
    try:
        with pytest.raises(Refusal, match=r"no heading `## \d+\.\d+\.\d+ \(DATE\)`"):
            release.make_release(checkout)
    finally:
        changes.write_text(before, "utf-8")
