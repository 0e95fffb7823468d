"""The demo library: every file decodes, shots are where captions.json says, and the kinds of file are really there."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from demo import captions, make_library, world

DEMO = Path(__file__).parent.parent / "app" / "demo_library"
TRUTH: list[dict[str, Any]] = json.loads((DEMO / "captions.json").read_text(encoding="utf-8"))["files"]
NAMES = [file["file"] for file in TRUTH]
every_file = pytest.mark.parametrize("file", TRUTH, ids=NAMES)


@dataclass(frozen=True)
class Decoded:
    seconds: NDArray[np.float64]  # (N,) of each frame in shown order, from the first
    small: NDArray[np.float32]  # (N, 18, 32, 3): each frame, as stored, much reduced
    codec: str
    size: tuple[int, int]
    first_seconds: float
    sample_aspect: Fraction
    rotation: int
    has_b: bool
    full_range: bool
    ten_bits: bool


@functools.cache
def decoded(name: str) -> Decoded:
    with av.open(str(DEMO / name)) as container:
        stream = container.streams.video[0]
        assert stream.time_base is not None
        times, small, kinds, rotation = [], [], set(), 0
        for frame in container.decode(stream):
            assert frame.pts is not None
            times.append(float(frame.pts * stream.time_base))
            small.append(frame.reformat(32, 18, format="rgb24").to_ndarray())
            kinds.add(int(frame.pict_type))
            rotation = frame.rotation
        context = stream.codec_context
        facts = Decoded(
            seconds=np.array(times) - times[0],
            small=np.stack(small).astype(np.float32),
            codec=context.name,
            size=(context.width, context.height),
            first_seconds=times[0],
            sample_aspect=stream.sample_aspect_ratio or Fraction(1),
            rotation=rotation % 360,
            has_b=int(av.video.frame.PictureType.B) in kinds,
            full_range="yuvj" in str(context.pix_fmt) or context.color_range == 2,
            ten_bits="10" in str(context.pix_fmt),
        )
    return facts


def sound_seconds(name: str) -> float:
    with av.open(str(DEMO / name)) as container:
        if not container.streams.audio:
            return 0.0
        return sum(frame.samples / frame.sample_rate for frame in container.decode(audio=0))


def neighbours() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for file in TRUTH:
        yield from zip(file["shots"], file["shots"][1:], strict=False)


def test_it_is_small_and_complete() -> None:
    files = {path.name: path.stat().st_size for path in DEMO.iterdir() if path.name != "captions.json"}
    assert set(files) == set(NAMES)
    assert len(files) >= 24
    assert sum(files.values()) <= 8_000_000


def test_every_shot_is_a_take_that_training_never_saw() -> None:
    shots = [shot for file in TRUTH for shot in file["shots"]]
    takes = [world.Take(shot["thing"], shot["background"], shot["motion"]) for shot in shots]
    assert set(takes) <= captions.held_out()
    assert len(takes) == len(set(takes)), "a caption would fit two shots"
    assert [shot["caption"] for shot in shots] == [captions.describe(take) for take in takes]
    assert {take.motion for take in takes} == set(world.MOTIONS)
    assert {take.background for take in takes} == set(world.BACKGROUNDS)


def test_shots_follow_one_another() -> None:
    for file in TRUTH:
        assert file["shots"][0]["transition"] == "start"
        assert (file["shots"][0]["start_frame"], file["shots"][0]["start_seconds"]) == (0, 0.0)
    for one, next_one in neighbours():
        assert one["end_frame"] == next_one["start_frame"]
        assert one["end_seconds"] == next_one["start_seconds"]
        assert one["background"] != next_one["background"]
        assert next_one["transition"] in ("cut", "fade")


@every_file
def test_frames_and_times_are_as_told(file: dict[str, Any]) -> None:
    """To the millisecond, the grain of Matroska time stamps."""
    found = decoded(file["file"])
    last = file["shots"][-1]
    assert len(found.seconds) == last["end_frame"]
    assert (np.diff(found.seconds) > 0).all()
    for shot in file["shots"]:
        assert found.seconds[shot["start_frame"]] == pytest.approx(shot["start_seconds"], abs=1.1e-3)
    frame = float(found.seconds[-1] - found.seconds[-2])
    assert found.seconds[-1] + frame == pytest.approx(last["end_seconds"], abs=3e-3)


@every_file
def test_pictures_change_where_cuts_are_told(file: dict[str, Any]) -> None:
    """Each cut changes the picture more than anything that happens within a shot; a fade passes through black."""
    small = decoded(file["file"]).small
    change = np.abs(np.diff(small, axis=0)).mean((1, 2, 3))
    cuts = [shot["start_frame"] - 1 for shot in file["shots"] if shot["transition"] == "cut"]
    fades = [shot["start_frame"] for shot in file["shots"] if shot["transition"] == "fade"]
    within = np.delete(change, cuts)
    for cut in cuts:
        assert change[cut] > 1.5 * within.max()
    for fade in fades:
        assert small[fade - 1 : fade + 1].mean() < 0.2 * np.median(small.mean((1, 2, 3)))


@every_file
def test_shots_show_their_background(file: dict[str, Any]) -> None:
    """The colour along the edges of the picture, which things cover least, is nearest to that of its background."""
    usual = {name: np.array(rgb) for name, rgb in world._PLAIN.items()}
    found = decoded(file["file"])
    for shot in file["shots"]:
        if shot["background"] not in usual:
            continue
        middle = found.small[(shot["start_frame"] + shot["end_frame"]) // 2]
        edge = np.concatenate([middle[:2].reshape(-1, 3), middle[-2:].reshape(-1, 3), middle[:, :2].reshape(-1, 3)])
        colour = np.median(edge, axis=0)
        nearest = min(usual, key=lambda name: float(np.abs(usual[name] - colour).sum()))
        assert nearest == shot["background"], (shot["caption"], colour)


def test_the_kinds_of_file_an_indexer_meets_are_there() -> None:
    facts = {name: decoded(name) for name in NAMES}
    codecs = {fact.codec for fact in facts.values()}
    for codec in ("h264", "hevc", "vp9", "vp8", "av1", "mpeg4", "mpeg2video", "mjpeg"):
        assert any(codec in name for name in codecs), (codec, codecs)
    assert {Path(name).suffix for name in NAMES} >= {".mp4", ".mkv", ".webm", ".mov", ".avi"}
    assert any(fact.has_b for fact in facts.values())
    assert any(fact.ten_bits for fact in facts.values())
    assert any(fact.full_range for fact in facts.values())
    shapes = {fact.size[0] / fact.size[1] for fact in facts.values()}
    assert min(shapes) < 0.6
    assert 1.0 in shapes
    assert max(shapes) > 2
    rates = {round(1 / float(np.median(np.diff(fact.seconds))), 1) for fact in facts.values()}
    assert {12.0, 25.0, 50.0} <= rates
    assert {name for name in NAMES if facts[name].rotation} == {"07_phone_turned.mp4"}
    assert {name for name in NAMES if facts[name].sample_aspect != 1} == {"10_wide_pixels.mp4"}
    assert facts["11_late_start.mkv"].first_seconds == pytest.approx(100, abs=0.1)
    for file in TRUTH:
        gaps = np.diff(facts[file["file"]].seconds)
        assert (gaps.max() > 2 * gaps.min()) == file["variable"], file["file"]
    assert sum(file["variable"] for file in TRUTH) >= 1
    assert any(len(file["shots"]) == 1 for file in TRUTH)


def test_sound_is_as_long_as_the_picture() -> None:
    sounding = {name: seconds for name in NAMES if (seconds := sound_seconds(name))}
    assert len(sounding) >= 2
    for name, seconds in sounding.items():
        end = next(file for file in TRUTH if file["file"] == name)["shots"][-1]["end_seconds"]
        assert seconds == pytest.approx(end, abs=0.1)


def test_made_again_it_is_the_same(tmp_path: Path) -> None:
    """Ground truth of all files, and the pictures of the one that is quickest to make."""
    takes = make_library.choose_takes(
        sum(len(file.seconds) for file in make_library.FILES), np.random.default_rng(make_library.SEED)
    )
    for number, (file, told) in enumerate(zip(make_library.FILES, TRUTH, strict=True)):
        mine, takes = takes[: len(file.seconds)], takes[len(file.seconds) :]
        assert make_library.truth(file, mine) == told
        if file.name == "21_motion_jpeg.mov":
            path = tmp_path / file.name
            make_library.encode(file, mine, path, np.random.default_rng((make_library.SEED, number)))
            with av.open(str(path)) as container:
                again = [f.reformat(32, 18, format="rgb24").to_ndarray() for f in container.decode(video=0)]
            assert np.abs(np.stack(again).astype(np.float32) - decoded(file.name).small).max() <= 2
