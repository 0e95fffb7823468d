"""How near an encoder puts re-encoded copies of shots: measured once, from files that are there, within a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest
from click.testing import CliRunner
from db_samples import make_parts, make_video
from fakes import ColourEncoder
from numpy.typing import NDArray
from synthetic import make_video as make_film

from app import compose
from app.cli import main
from app.commands import near_copies
from app.commands.near_copies import FEWEST, MAX_SECONDS, SHOTS, measure_near_copies
from db.library import Library
from db.records import Video
from indexer.media.errors import UnreadableVideo
from indexer.media.pretended_take import pretended_take
from indexer.media.reencoded import reencoded
from search.duplicate_threshold import DuplicateThreshold
from search.take_threshold import TakeThreshold

ENCODER = ColourEncoder()
T = TypeVar("T")


def picture(seed: int) -> NDArray[np.uint8]:
    """A clip of a soft pattern, as films are soft, not noise."""
    chance = np.random.default_rng(seed)
    small = chance.integers(0, 256, (4, 4, 4, 3), dtype=np.uint8)
    return np.asarray(small.repeat(4, axis=1).repeat(4, axis=2))


def test_a_copy_is_like_its_clip_and_not_the_same() -> None:
    for size in (1, 2, 16, 72):
        clip = np.random.default_rng(size).integers(0, 256, (3, size, size, 3), dtype=np.uint8)
        copy = reencoded(clip)
        assert (copy.shape, copy.dtype) == (clip.shape, np.uint8)
    clip = picture(1)
    copy = reencoded(clip)
    assert 0 < np.abs(copy.astype(int) - clip).mean() < 40
    reds = np.zeros((1, 16, 16, 3), np.uint8)
    reds[..., 0] = 200
    assert reencoded(reds)[0, 8, 8, 0] > 150, "red stays red"


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    """30 videos of one shot each, whose files are there; what they show is `picture` of their number."""
    with Library.open(tmp_path / "library") as library:
        for number in range(30):
            path = tmp_path / f"{number}.mp4"
            path.write_bytes(b"x" * (number + 1))
            status = path.stat()
            video = make_video(
                str(path), f"f{number}", size_bytes=status.st_size, modified_ns=status.st_mtime_ns, content_hash="aa"
            )
            shots, segments = make_parts(video, 1)
            rows = ENCODER.encode_clips(picture(number)[None])
            library.add_video(video, shots, segments, rows, encoder_id=ENCODER.id, recipe="r")
        yield library


def measure(library: Library, **changed: Any) -> tuple[float | None, list[str]]:
    asked: list[str] = []

    def read(function: Callable[..., T], *arguments: Any, path: str, **keywords: Any) -> Any:
        asked.append(path)
        return picture(int(Path(path).stem))

    options: dict[str, Any] = {"on_progress": lambda done: None, "cancelled": lambda: False, "read": read, **changed}
    return measure_near_copies(library, ENCODER, **options), asked


def read_of(path: str) -> NDArray[np.uint8]:
    return picture(int(Path(path).stem))


def test_it_is_measured_once(library: Library) -> None:
    shown: list[int] = []
    threshold, asked = measure(library, on_progress=shown.append)
    copies = [
        float(ENCODER.encode_clips(np.stack([picture(n), reencoded(picture(n))])).prod(axis=0).sum()) for n in range(30)
    ]
    assert threshold is not None
    assert min(copies) <= threshold <= max(copies)
    assert len(asked) == len(set(asked)) == SHOTS
    assert (shown[-1], shown) == (SHOTS, sorted(shown))
    assert DuplicateThreshold(library.directory, ENCODER.id).load() == threshold
    assert measure(library) == (None, [])


def test_takes_are_measured_with_it_and_alone_where_only_they_are_missing(library: Library) -> None:
    takes = TakeThreshold(library.directory, ENCODER.id)
    measure(library)
    pretended = [
        float(ENCODER.encode_clips(np.stack([picture(n), pretended_take(picture(n))])).prod(axis=0).sum())
        for n in range(30)
    ]
    known = takes.load()
    assert known is not None
    assert min(pretended) <= known <= np.median(pretended)
    (stamp,) = library.directory.glob("calibration/takes-*.json")
    stamp.unlink()
    before = DuplicateThreshold(library.directory, ENCODER.id).load()
    threshold, asked = measure(library)
    assert threshold is None, "near-duplicates are known"
    assert len(asked) == SHOTS
    assert takes.load() == known
    assert DuplicateThreshold(library.directory, ENCODER.id).load() == before


def test_a_pretended_take_happens_later_and_elsewhere_in_more_light() -> None:
    clip = np.zeros((20, 40, 40, 3), np.uint8)
    for frame in range(20):  # a square that goes right
        clip[frame, 10:20, frame : frame + 10] = 200
    take = pretended_take(clip)
    assert (take.shape, take.dtype) == (clip.shape, np.uint8)
    first, last = take[0], take[-1]
    assert take.max() == 206
    assert first[12:22, 2:12].min() == last[12:22, 21:31].min() == 206, "it is two pixels further right and down"
    assert np.array_equal(take[2], first), "it begins later"
    assert np.array_equal(take[-3], last), "and ends sooner"
    for odd in (np.zeros((1, 1, 1, 3), np.uint8), np.full((2, 3, 3, 3), 255, np.uint8)):
        assert pretended_take(odd).shape == odd.shape


def test_not_of_a_library_with_fewer_shots(library: Library) -> None:
    library.remove_videos([video.id or 0 for video in library.videos()][SHOTS - 1 :])
    assert measure(library) == (None, [])


def test_files_that_are_not_what_was_indexed_are_not_read(library: Library, tmp_path: Path) -> None:
    for number in range(6):
        (tmp_path / f"{number}.mp4").unlink()
    (tmp_path / "6.mp4").write_bytes(b"another film")
    threshold, asked = measure(library)
    assert threshold is not None
    assert not {Path(path).stem for path in asked} & set("0123456")


def test_what_cannot_be_read_is_left_out_and_too_few_are_no_measurement(library: Library) -> None:
    def failing(share: int) -> Callable[..., Any]:
        def read(function: Callable[..., Any], *arguments: Any, path: str, **keywords: Any) -> Any:
            if int(Path(path).stem) % share:
                raise UnreadableVideo(path, "stalled", "It does not answer.")
            return read_of(path)

        return read

    assert measure(library, read=failing(4))[0] is None
    assert DuplicateThreshold(library.directory, ENCODER.id).load() is None
    assert measure(library, read=lambda *_, path, **k: read_of(path))[0] is not None


def test_videos_removed_by_another_process_meanwhile_are_left_out(library: Library) -> None:
    def read(function: Callable[..., Any], *arguments: Any, path: str, **keywords: Any) -> Any:
        if Path(path).stem == "0":
            with Library.open(library.directory) as other:
                other.remove_videos([video.id or 0 for video in other.videos() if video.path == path])
        return read_of(path)

    assert measure(library, read=read)[0] is not None


def test_it_ends_when_told_and_when_it_takes_too_long(library: Library) -> None:
    told = iter([False] * 20 + [True] * 20)
    assert measure(library, cancelled=lambda: next(told))[0] is None
    assert DuplicateThreshold(library.directory, ENCODER.id).load() is None
    slow = iter(np.arange(100) * (MAX_SECONDS / (FEWEST + 2)))
    threshold, asked = measure(library, clock=lambda: float(next(slow)))
    assert threshold is not None
    assert FEWEST <= len(asked) < SHOTS, "what was read by then counts"


def test_an_index_run_measures_it_at_its_end_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Workers:
        closed = False

        def __call__(self, function: Callable[..., T], *arguments: Any, path: str, **keywords: Any) -> T:
            return function(*arguments, **keywords)

        def close(self) -> None:
            type(self).closed = True

    (tmp_path / "films").mkdir()
    make_film(tmp_path / "films" / "a.mp4", [("red", 20), ("blue", 20), ("green", 20)])
    monkeypatch.setattr(near_copies, "SHOTS", 3)
    monkeypatch.setattr(near_copies, "FEWEST", 3)
    monkeypatch.setattr(near_copies, "MediaWorkers", Workers)
    monkeypatch.setattr(compose, "open_encoder", lambda settings, sources=None: ENCODER)
    index = ["index", str(tmp_path / "films"), "--library", str(tmp_path / "library"), "--detector", "content"]
    first = CliRunner().invoke(main, index)
    assert first.exit_code == 0, first.output
    assert "copies of themselves  3/3" in first.stderr
    assert DuplicateThreshold(tmp_path / "library", ENCODER.id).load() is not None
    assert Workers.closed
    make_film(tmp_path / "films" / "b.mp4", [("red", 20)])
    assert "copies of themselves" not in CliRunner().invoke(main, index).stderr


def test_a_library_of_missing_files_measures_nothing(library: Library, tmp_path: Path) -> None:
    for file in tmp_path.glob("*.mp4"):
        file.unlink()
    assert measure(library) == (None, [])
    assert all(isinstance(video, Video) for video in library.videos())
