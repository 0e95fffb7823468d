"""The detectors are PySceneDetect's: fed by hand they find what PySceneDetect itself finds."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scenedetect
from synthetic import make_video

from encoder import ClipSpec
from indexer.media.decode import Decoding
from indexer.media.probe import open_source
from indexer.settings import DETECTORS, LEARNED, IndexSettings, OptionValue
from indexer.shots.detector import CutDetector
from indexer.video_pass import VideoPass

THEIRS = {
    "blend": scenedetect.AdaptiveDetector,  # which it is where nothing changes gradually
    "adaptive": scenedetect.AdaptiveDetector,
    "content": scenedetect.ContentDetector,
    "hash": scenedetect.HashDetector,
    "histogram": scenedetect.HistogramDetector,
    "threshold": scenedetect.ThresholdDetector,
}


def theirs(path: Path, name: str, options: dict[str, Any]) -> list[float]:
    """Seconds of the cuts that PySceneDetect finds by itself, with its own decoding and scaling."""
    found = scenedetect.detect(os.fspath(path), THEIRS[name](**{"min_scene_len": "0.6s", **options}), backend="pyav")
    return [start.seconds for start, _ in found[1:]]


def ours(path: Path, name: str, options: dict[str, OptionValue]) -> list[float]:
    settings = IndexSettings(detector=name, detector_options=options)
    run = VideoPass(os.fspath(path), ClipSpec(1, 16), settings, fingerprint="f")
    for _ in run:
        pass
    return [run.video.seconds(shot.start_pts) for shot in run.shots[1:]]


@pytest.fixture(scope="module")
def steady(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Cuts at 30, 50, 55 (too soon after the one before), 90, 130, 160 of 190 frames; 25 a second."""
    shots = [("red", 30), ("blue", 20), ("yellow", 5), ("green", 35), ("purple", 40), ("black", 30), ("cyan", 30)]
    return make_video(tmp_path_factory.mktemp("detect") / "steady.mp4", shots, size=(160, 90))


@pytest.fixture(scope="module")
def varying(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Cuts at 25, 40, 70 of 100 frames, the times between frames 1 to 4 thirtieths."""
    times = np.cumsum([1 + (k * k) % 4 for k in range(100)]).tolist()
    shots = [("orange", 25), ("cyan", 15), ("purple", 30), ("white", 30)]
    return make_video(
        tmp_path_factory.mktemp("detect") / "varying.mp4", shots, size=(160, 90), times=times, time_base=Fraction(1, 30)
    )


@pytest.mark.parametrize("name", [name for name in DETECTORS if name not in LEARNED])
def test_the_same_cuts_as_pyscenedetect(steady: Path, varying: Path, name: str) -> None:
    for path in (steady, varying):
        expected = theirs(path, name, {})
        assert ours(path, name, {}) == pytest.approx(expected, abs=1e-6)
        if name in ("blend", "adaptive", "content"):
            assert len(expected) >= 3  # there is something to agree on


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("adaptive", {"min_scene_len": 3}),
        ("adaptive", {"min_scene_len": 2.5}),
        ("adaptive", {"min_scene_len": "00:00:01.300", "luma_only": True, "window_width": 4}),
        ("adaptive", {"adaptive_threshold": 50.0, "min_content_val": 60.0}),
        ("content", {"threshold": 60.0, "filter_mode": "suppress"}),
        ("content", {"weights": (0.0, 0.0, 1.0, 0.5), "kernel_size": 5}),
        ("threshold", {"threshold": 40, "method": "ceiling", "fade_bias": 1.0, "add_final_scene": True}),
        ("hash", {"size": 16, "lowpass": 4, "threshold": 0.2}),
        ("histogram", {"bins": 64, "threshold": 0.05}),
    ],
)
def test_options_reach_the_detector(steady: Path, name: str, options: dict[str, Any]) -> None:
    passed = dict(options)
    if "filter_mode" in passed:
        passed["filter_mode"] = scenedetect.detectors.content_detector.FlashFilter.Mode.SUPPRESS
    if "method" in passed:
        passed["method"] = scenedetect.ThresholdDetector.Method.CEILING
    if "weights" in passed:
        passed["weights"] = scenedetect.ContentDetector.Components(*passed["weights"])
    assert ours(steady, name, options) == pytest.approx(theirs(steady, name, passed), abs=1e-6)


def test_a_cut_is_the_first_frame_of_the_new_shot(three_shots: Path) -> None:
    assert ours(three_shots, "adaptive", {}) == pytest.approx([30 / 25, 55 / 25])


def test_options_are_known_by_pyscenedetects_own_names() -> None:
    import inspect

    for name, options in DETECTORS.items():
        if name in LEARNED:
            continue  # tests/test_learned_detector.py
        known = inspect.signature(THEIRS[name]).parameters
        options = {option: value for option, value in options.items() if option != "blend_score"}  # ours
        assert set(options) <= set(known)
        for option, value in options.items():
            default = known[option].default
            if option == "min_scene_len":
                continue
            if option in ("filter_mode", "method"):
                assert value == default.name.lower()
            else:
                assert value == (tuple(default) if isinstance(value, tuple) else default), (name, option)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"detector": "neural"}, "adaptive, content"),
        ({"detector_options": {"threshold_": 1}}, "adaptive_threshold"),
        ({"segment_seconds": 0.0}, "segment_seconds must be between"),
        ({"overlap_seconds": 5.0}, "half of segment_seconds"),
        ({"candidate_frames": 1}, "candidate_frames"),
        ({"decode": "some"}, "all, reference"),
        ({"hardware": "abacus"}, "none, auto"),
        ({"detector_options": {"min_scene_len": "0.6 seconds"}}, "number of frames, or seconds"),
        ({"detector_options": {"kernel_size": 4}}, "odd and at least 3"),
        ({"detector_options": {"kernel_size": 1}}, "odd and at least 3"),
    ],
)
def test_settings_that_cannot_be_are_refused_with_what_can(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        IndexSettings(**settings)


@pytest.mark.parametrize(
    ("name", "low", "high", "step"),
    [
        ("segment_seconds", 0.1, 3600.0, 0.05),
        ("preview_seconds", 0.25, 60.0, 0.05),
        ("poster_pixels", 16, 512, 1),
        ("preview_pixels", 16, 512, 1),
        ("preview_rate", 1, 60, 1),
        ("candidate_frames", 32, 65536, 1),
        ("decode_threads", 0, 256, 1),
        ("overlap_seconds", 0.0, 4.0, 0.05),
    ],
)
def test_settings_reach_from_the_lowest_to_the_highest_value(name: str, low: float, high: float, step: float) -> None:
    for value in (low, high):
        others: dict[str, Any] = {"overlap_seconds": 0.0, name: value}
        assert getattr(IndexSettings(**others), name) == value
    for value in (low - step, high + step):
        with pytest.raises(ValueError, match=f"{name} must be between"):
            IndexSettings(**{"overlap_seconds": 0.0, name: value})


@pytest.mark.parametrize("length", ["0.6s", "0.6", ".6s", "15", "12.s", "00:00:00.600", "1:00:00"])
def test_a_length_may_be_written_in_each_way_of_pyscenedetect(length: str) -> None:
    assert IndexSettings(detector_options={"min_scene_len": length}).all_detector_options["min_scene_len"] == length


def test_the_recipe_follows_everything_that_shapes_a_segment_and_nothing_else() -> None:
    spec = ClipSpec(16, 288)
    base = IndexSettings().recipe(spec)
    assert base == IndexSettings(decode_threads=3).recipe(spec)
    assert base == IndexSettings(detector_options={"window_width": 2}).recipe(spec)  # the default, said aloud
    others = [
        IndexSettings(detector="content").recipe(spec),
        IndexSettings(detector_options={"window_width": 3}).recipe(spec),
        IndexSettings(segment_seconds=8.001).recipe(spec),
        IndexSettings(overlap_seconds=0.25).recipe(spec),
        IndexSettings(preview_rate=9).recipe(spec),
        IndexSettings(candidate_frames=256).recipe(spec),
        IndexSettings().recipe(ClipSpec(8, 288)),
        IndexSettings().recipe(ClipSpec(16, 144)),
        IndexSettings().recipe(ClipSpec(16, 288, "crop")),
    ]
    assert len({base, *others}) == len(others) + 1
    assert all(set(recipe) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-") for recipe in (base, *others))


@pytest.mark.parametrize(
    ("detector", "recipe"),
    [
        ("blend", "blend-8s-16x288-7a1d0cdf3a00"),
        ("adaptive", "adaptive-8s-16x288-d4f11a1d12ea"),
        ("content", "content-8s-16x288-19fb1068e8a2"),
        ("hash", "hash-8s-16x288-2458cba612e4"),
        ("histogram", "histogram-8s-16x288-adf19c6ad9ef"),
        ("threshold", "threshold-8s-16x288-6e608d8fd6ab"),
    ],
)
def test_libraries_made_with_the_defaults_stay_up_to_date(detector: str, recipe: str) -> None:
    """Another recipe means that all videos of every library are indexed again: change it only on purpose."""
    assert IndexSettings(detector=detector).recipe(ClipSpec(16, 288)) == recipe


def test_libraries_made_with_the_defaults_of_before_stay_up_to_date() -> None:
    """They have these values stored."""
    before: dict[str, OptionValue] = {"blend_score": 0.5, "min_scene_len": "0.6s"}
    recipe = IndexSettings(detector="blend", detector_options=before).recipe(ClipSpec(16, 288))
    assert recipe == "blend-8s-16x288-d3fd481da0d6"


@pytest.mark.parametrize("name", [name for name in DETECTORS if name not in LEARNED])
def test_detectors_see_planes_as_large_as_pyscenedetect_makes_them_but_blend_half_that(name: str) -> None:
    """The size decides which cuts are found, so another one calls for another PASS_VERSION."""
    detector = CutDetector(name, {}, time_base=Fraction(1, 25), frame_rate=Fraction(25), start_pts=0)
    assert detector.plane_pixels == (128 if name == "blend" else 256)


def test_nothing_moves_no_cut(tmp_path: Path) -> None:
    path = make_video(tmp_path / "still.mp4", [("halves", 40)])
    with open_source(os.fspath(path)) as source:
        found: list[int] = []
        detector = None
        for frame in Decoding(source):
            detector = detector or CutDetector(
                "adaptive", {}, time_base=source.time_base, frame_rate=source.nominal_rate, start_pts=frame.pts
            )
            plane = np.asarray(frame.picture.to_ndarray(format="bgr24"), np.uint8)
            found += detector.feed(frame.pts, plane)
    assert detector is not None
    assert found + detector.finish() == []
