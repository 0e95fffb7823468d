"""Windows of frames at the native rate: a clip has exactly the frames of its window, in any file."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from fakes import ColourEncoder
from numbered import constant, number_of, picture, write
from PIL import Image

from app.evaluation.encoded import encode_stretches
from app.evaluation.frame_labels import FrameLabels
from app.evaluation.labelled import Stretch
from app.evaluation.picture_folder import listing_digest
from app.evaluation.row_store import RowStore
from app.evaluation.windows import ReadWindow, times_of, windows_of
from app.media_workers import read_here
from encoder import ClipSpec
from indexer.media.decode import Decoding
from indexer.media.frame_seconds import frame_seconds
from indexer.media.probe import open_source

GROOMS, NOTHING = frozenset({"grooms"}), frozenset[str]()


def numbers_in(clip: np.ndarray) -> list[int]:
    """The numbers of the frames of a clip of 96 x 96 pixels, made from a video of 96 x 64."""
    return [number_of(frame[np.arange(64) * 3 // 2]) for frame in clip]


def video(path: Path, count: int = 120) -> Path:
    if path.name == "variable.mkv":
        times = [number * 40 + (number % 7) * 5 + (number // 50) * 900 for number in range(count)]
        return write(path, times, Fraction(1, 1000))
    codec = "mpeg4" if path.suffix == ".avi" else "libx264"
    rate = Fraction(30000, 1001) if path.name == "ntsc.mp4" else Fraction(25)
    return write(path, *constant(count, rate), rate=rate, codec=codec, options={"bf": "2"}, gop=24)


@pytest.mark.parametrize("name", ["a.mp4", "ntsc.mp4", "variable.mkv", "a.avi"])
@pytest.mark.parametrize("step", [1, 5])
def test_a_clip_has_the_frames_of_its_window_and_no_other(tmp_path: Path, name: str, step: int) -> None:
    spec, every = ClipSpec(16, 96), FrameLabels("a", str(video(tmp_path / name)), (), rest=GROOMS)
    times = times_of(every, read_here)
    assert len(times) == 120
    windows = windows_of(every, times, span=16 * step, stride=13)
    assert [window.centre for window in windows] == list(range(8 * step, 120 - 8 * step + 1, 13))
    read = ReadWindow(read_here)
    for window in (windows[0], windows[len(windows) // 2], windows[-1]):
        first = window.centre - 8 * step
        assert numbers_in(read(window.labelled.stretch, spec)) == list(range(first, first + 16 * step, step))


@pytest.mark.parametrize("name", ["a.mp4", "variable.mkv", "a.avi"])
def test_times_are_those_that_decoding_finds(tmp_path: Path, name: str) -> None:
    path = video(tmp_path / name, 40)
    with open_source(str(path)) as source:
        every = [float(frame.pts * source.time_base) for frame in Decoding(source)]
    assert np.allclose(frame_seconds(str(path)), np.array(every) - every[0], atol=1e-9)


def test_the_label_is_that_of_the_centre_and_frames_nobody_looked_at_have_no_window() -> None:
    labels = (*[None] * 10, *[NOTHING] * 10, *[GROOMS] * 10)
    seen = FrameLabels("a", "a.mp4", labels, split="test")
    windows = windows_of(seen, [at / 25 for at in range(40)], span=4, stride=3)
    assert [window.centre for window in windows] == [10, 13, 16, 19, 22, 25, 28]
    assert [window.labelled.labels for window in windows] == [NOTHING] * 4 + [GROOMS] * 3
    assert windows[0].labelled.stretch == Stretch("a.mp4", 8 / 25, 12 / 25)
    assert {(window.labelled.split, window.labelled.group) for window in windows} == {("test", "a")}


def test_labels_of_every_tenth_frame_give_windows_around_these() -> None:
    labels = tuple(GROOMS if at % 10 == 0 else None for at in range(100))
    windows = windows_of(FrameLabels("a", "a.mp4", labels), [*range(100)], span=64, stride=10)
    assert [window.centre for window in windows] == [40, 50, 60]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_video_shorter_than_a_window_has_none(count: int) -> None:
    assert windows_of(FrameLabels("a", "a.mp4", (), rest=GROOMS), [*range(count)], span=4, stride=1) == []
    assert len(windows_of(FrameLabels("a", "a.mp4", (), rest=GROOMS), [*range(4)], span=4, stride=1)) == 1


@pytest.mark.parametrize(("span", "stride"), [(0, 1), (1, 0), (-1, 1)])
def test_a_window_has_a_frame_and_a_stride(span: int, stride: int) -> None:
    with pytest.raises(ValueError, match="1 or more"):
        windows_of(FrameLabels("a", "a.mp4", ()), [0.0], span=span, stride=stride)


def folder_of_pictures(folder: Path, count: int, first: int = 1) -> Path:
    folder.mkdir()
    for number in range(count):
        drawn = Image.fromarray(picture(number, flash=False))
        drawn.save(folder / f"{number + first}.jpg", quality=95)
    return folder


def test_a_folder_of_pictures_is_a_video(tmp_path: Path) -> None:
    folder = folder_of_pictures(tmp_path / "ZG0001.1", 60)
    every = FrameLabels("ZG0001.1", str(folder), (), rest=GROOMS)
    times = times_of(every, read_here)
    assert len(times) == 60
    read = ReadWindow(read_here)
    windows = windows_of(every, times, span=40, stride=20)
    assert [numbers_in(read(each.labelled.stretch, ClipSpec(8, 96))) for each in windows] == [
        list(range(0, 40, 5)),
        list(range(20, 60, 5)),
    ]
    (folder / "30.jpg").unlink()
    with pytest.raises(ValueError, match="picture 30 is not in the folder"):
        read(windows[0].labelled.stretch, ClipSpec(8, 96))


def test_another_picture_in_the_folder_is_another_row(tmp_path: Path) -> None:
    folder, encoder = folder_of_pictures(tmp_path / "a", 8), ColourEncoder()
    stretch, read = Stretch(str(folder), 1 / 30, 9 / 30), ReadWindow(read_here)
    with RowStore(tmp_path / "rows", encoder.dim) as store:
        encode_stretches([stretch], encoder, store, read)
        encode_stretches([stretch], encoder, store, read)
        assert len(store) == 1
        Image.new("RGB", (96, 64), "red").save(folder / "3.jpg")
        _, unread = encode_stretches([stretch, Stretch(str(tmp_path / "gone"), 0, 1)], encoder, store, read)
        assert len(store) == 2
    assert [each.stretch.path for each in unread] == [str(tmp_path / "gone")]
    assert listing_digest(str(folder)) != listing_digest(str(folder_of_pictures(tmp_path / "b", 8)))
