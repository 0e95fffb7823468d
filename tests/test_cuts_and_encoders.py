"""Shots and segments are those of the video: no encoder's clips change where it is cut, nor do those of another beside
it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from synthetic import make_video

from encoder import ClipSpec
from indexer.key_frame_pass import KeyFramePass
from indexer.media.clip import read_clip
from indexer.settings import IndexSettings
from indexer.shots import key_segmenter, segmenter
from indexer.shots.detector import CutDetector
from indexer.video_pass import SegmentClip, VideoPass

# Of 1280 x 720, frames are halved for the first only; of 1920 x 1080, for all but the last.
SMALL, USUAL, LARGE = ClipSpec(8, 224, "stretch", True), ClipSpec(16, 288), ClipSpec(4, 448, "crop")


def fine_grain(seed: int, size: tuple[int, int]) -> NDArray[np.uint8]:
    """A picture of which sampling sees other pixels than a mean: lines and dots."""
    width, height = size
    drawn = np.random.default_rng(seed).integers(0, 256, (height // 8, width // 8, 3), np.uint8)
    drawn = drawn.repeat(8, 0).repeat(8, 1)
    drawn[::3] //= 3
    return drawn


def run(
    path: Path, specs: Sequence[ClipSpec], kind: type[VideoPass] = VideoPass, **settings: Any
) -> tuple[VideoPass, list[SegmentClip]]:
    done = kind(os.fspath(path), specs[0], IndexSettings(**settings), fingerprint="f", further=specs[1:])
    return done, list(done)


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080)])
@pytest.mark.parametrize("pix_fmt", ["yuv420p", "rgb24"])
def test_shot_detection_sees_the_same_whatever_the_clips_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], pix_fmt: str
) -> None:
    codec = "libx264" if pix_fmt == "yuv420p" else "libx264rgb"
    grains = [fine_grain(seed, size) for seed in range(3)]
    path = make_video(
        tmp_path / "v.mkv", [(lambda index: grains[index % 3], 6)], size=size, codec=codec, pix_fmt=pix_fmt
    )
    seen: list[bytes] = []
    feed = CutDetector.feed

    def watched(self: CutDetector, pts: int, plane: NDArray[np.uint8]) -> list[int]:
        seen.append(plane.tobytes())
        return feed(self, pts, plane)

    monkeypatch.setattr(CutDetector, "feed", watched)
    looks = []
    for specs in ((USUAL,), (SMALL,), (LARGE,), (SMALL, LARGE), (USUAL, SMALL)):
        seen.clear()
        run(path, specs)
        assert len(seen) == 6
        looks.append(tuple(seen))
    assert len(set(looks)) == 1


def test_so_does_the_division_by_key_frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    grains = [fine_grain(seed, (1280, 720)) for seed in range(3)]
    path = make_video(
        tmp_path / "v.mp4",
        [(lambda index: grains[index % 3], 8)],
        size=(1280, 720),
        options={"g": "2", "sc_threshold": "0"},
        rate=2,
    )
    seen: list[bytes] = []
    counted = key_segmenter.colours

    def watched(plane: NDArray[np.uint8]) -> NDArray[np.intp]:
        seen.append(plane.tobytes())
        return counted(plane)

    monkeypatch.setattr(key_segmenter, "colours", watched)
    looks = []
    for specs in ((USUAL,), (SMALL,), (SMALL, USUAL)):
        seen.clear()
        run(path, specs, KeyFramePass)
        assert len(seen) == 4
        looks.append(tuple(seen))
    assert len(set(looks)) == 1


def test_one_pass_gives_each_encoder_the_clips_of_a_pass_of_its_own(tmp_path: Path) -> None:
    size = (1280, 720)
    grains = [fine_grain(seed, size) for seed in range(5)]
    shots = [(lambda index: grains[index % 5], 20), ("red", 20)]
    path = make_video(tmp_path / "v.mp4", shots, size=size)  # type: ignore[arg-type]
    joint, together = run(path, (SMALL, USUAL, LARGE))
    assert len(together) == len(joint.segments) == 2
    for number, spec in enumerate((SMALL, USUAL, LARGE)):
        alone, clips = run(path, (spec,))
        assert (alone.shots, alone.segments) == (joint.shots, joint.segments)
        for one, other in zip(clips, together, strict=True):
            assert np.array_equal(one.clip, other.clips[number])
            times = [joint.video.seconds(pts) for pts in (other.segment.start_pts, other.segment.end_pts)]
            again = read_clip(os.fspath(path), spec, start_seconds=times[0], end_seconds=times[1])
            assert np.array_equal(again, one.clip)


def test_no_segment_depends_on_how_many_frames_fit_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cut near the place where a long shot is divided before its end: frames that were held show the shot's end."""
    for length in (46, 50, 56, 66):
        path = make_video(tmp_path / f"{length}.mp4", [("red", length), ("blue", 40)], size=(48, 32))
        settings = {"segment_seconds": 0.2, "overlap_seconds": 0.0}
        whole, clips = run(path, (ClipSpec(2, 16),), **settings)
        with monkeypatch.context() as little:
            little.setattr(segmenter, "MAX_HELD_BYTES", 3 * 48 * 32 * 3 // 2)
            bounded, others = run(path, (ClipSpec(2, 16),), **settings)
        assert len(whole.shots) == 2
        assert (bounded.shots, bounded.segments) == (whole.shots, whole.segments)
        for one, other in zip(clips, others, strict=True):
            assert np.array_equal(one.clip, other.clip)
