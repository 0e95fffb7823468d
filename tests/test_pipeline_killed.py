"""Real videos through the real decoder, and kill -9 in the middle: the library is that of an undisturbed run."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from fakes import ColourEncoder, ExactIndex
from pretend import snapshot
from synthetic import make_video

from db.library import Library
from indexer.pipeline import index_folders
from indexer.settings import IndexSettings, RunOptions

SHOTS = [("red", "blue"), ("green", "white"), ("yellow",), ("purple", "cyan", "orange"), ("black", "red"), ("grey",)]
NAMES = ["a.mp4", "-b 'c\".mkv", "deep/e\u0301;.mp4", "x" * 200 + ".mp4", "last.mp4 "]
NAMES.append(os.fsdecode(b"not \xff utf-8.mp4") if sys.platform == "linux" else "plain.mp4")

CHILD = """
import os, signal, sys
from pathlib import Path

from fakes import ColourEncoder

import db.library, db.media, db.writing
from db.library import Library
from indexer.pipeline import index_folders
from indexer.settings import IndexSettings, RunOptions


def kill_at(owner, name, count, *, after=False):
    real, left = getattr(owner, name), [count]

    def killing(*arguments, **named):
        left[0] -= 1
        if after:
            result = real(*arguments, **named)
        if left[0] <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return result if after else real(*arguments, **named)

    setattr(owner, name, killing)


where, count = sys.argv[3], int(sys.argv[4])
if where == "encoding":
    kill_at(ColourEncoder, "encode_clips", count)
elif where == "staging":
    kill_at(db.media.StagedMedia, "add", count, after=True)
elif where == "published":
    kill_at(db.media.StagedMedia, "publish", count, after=True)
elif where == "uncommitted":
    kill_at(db.writing, "put_video", count, after=True)
elif where == "committed":
    kill_at(Library, "add_video", count, after=True)
further = [ColourEncoder(name="second", frames=2, size=8)][: int(sys.argv[5])]
options = RunOptions(decode_workers=2, batch_size=3)
with Library.open(Path(sys.argv[2])) as library:
    index_folders(library, ColourEncoder(), [sys.argv[1]], IndexSettings(), options, further=further)
"""


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("footage")
    (root / "deep").mkdir()
    made = root / "made.mkv"
    for name, colours in zip(NAMES, SHOTS, strict=True):
        make_video(made, [(colour, 18) for colour in colours], size=(48, 32))
        made.rename(root / name)
    shutil.copy(root / "a.mp4", root / "copy of a.mp4")
    return root


@pytest.fixture(scope="module")
def undisturbed(footage: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    with Library.open(tmp_path_factory.mktemp("undisturbed")) as library:
        report = index_folders(library, ColourEncoder(), [footage], IndexSettings(), RunOptions(decode_workers=1))
        assert (report.added, report.duplicates, report.failed, report.problems) == (6, 1, (), ())
        assert report.clips == 11
        return snapshot(library, ColourEncoder().id)


def test_real_videos_under_any_name_are_found_by_their_colours(footage: Path, undisturbed: dict[str, object]) -> None:
    assert {os.path.relpath(path, footage) for path in undisturbed} == {*NAMES, "copy of a.mp4"}


def test_what_was_decoded_means_what_it_shows(footage: Path, tmp_path: Path) -> None:
    encoder = ColourEncoder()
    with Library.open(tmp_path) as library:
        index_folders(library, encoder, [footage / "a.mp4"], IndexSettings())
        ids, _ = ExactIndex.of(library, encoder.id).search(encoder.encode_texts(["red", "blue"]), 1)
        found = library.segments(int(row[0]) for row in ids)
        assert [found[int(row[0])][0].number for row in ids] == [0, 1]


@pytest.mark.parametrize(
    ("where", "count", "further"),
    [
        ("encoding", 2, 0), ("staging", 4, 0), ("published", 2, 0), ("uncommitted", 3, 0), ("committed", 1, 0),
        ("committed", 4, 0), ("encoding", 4, 1), ("published", 2, 1), ("uncommitted", 3, 1), ("committed", 2, 1),
    ],
)  # fmt: skip
def test_kill_9_and_resume(
    footage: Path, undisturbed: dict[str, object], tmp_path: Path, where: str, count: int, further: int
) -> None:
    """With a further encoder, every video that is kept has the rows of both, and neither encodes it again."""
    tests = Path(__file__).resolve().parent
    killed = subprocess.run(
        [sys.executable, "-c", CHILD, str(footage), str(tmp_path), where, str(count), str(further)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tests.parent), str(tests)])},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    encoder, second = ColourEncoder(), ColourEncoder(name="second", frames=2, size=8)
    others = [second][:further]
    with Library.open(tmp_path) as library:
        assert library.check() == []
        for each in others:
            assert snapshot(library, each.id).keys() == snapshot(library, encoder.id).keys()
        kept = snapshot(library, encoder.id)
        assert kept.items() <= undisturbed.items()  # whole videos only, each as it should be
        assert len(kept) < len(undisturbed)
        if where == "committed":
            assert count <= len(kept) <= count + 1  # with the copy, if its original is among them
        options = RunOptions(decode_workers=2)
        report = index_folders(library, encoder, [footage], IndexSettings(), options, further=others)
        for each in (encoder, *others):
            assert sum(each.batches) == report.clips
        if others:
            assert [row.segments for row in library.encoders()] == [library.stats().segments] * 2
        assert report.unchanged == len(kept)
        assert report.added + report.duplicates == len(undisturbed) - len(kept)
        assert snapshot(library, encoder.id) == undisturbed
        assert library.check() == []
