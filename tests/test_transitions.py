"""Dissolves, wipes and fades: one cut each, in the middle; none where the camera, things or the light move."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import scenedetect
from numpy.typing import NDArray
from synthetic import make_video

from benchmarks._assembled import Plan, Source, assemble, blend, read_truth
from indexer.shots.blend import BlendDetector, QuickAdaptiveDetector, QuickContentDetector, _thumbnail
from indexer.shots.detector import CutDetector
from indexer.shots.thumbnails import Thumbnails
from indexer.shots.transitions import Transition, TransitionDetector, _score

Pixels = NDArray[np.uint8]
WIDTH, HEIGHT = 128, 72
TICKS = 1200  # a second


@functools.cache
def scenery(seed: int, width: int = 3 * WIDTH, height: int = HEIGHT) -> Pixels:
    """(height, width, 3): coloured blobs of all sizes, as much contrast as a photograph has."""
    rng = np.random.default_rng(seed)
    drawn = np.zeros((height, width, 3), np.float32)
    for cells in (2, 5, 11, 24):
        coarse = rng.normal(0, 1 / math.sqrt(cells), (cells, cells * width // height, 3)).astype(np.float32)
        drawn += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    drawn = drawn / drawn.std() * 50 + rng.uniform(90, 160, 3)
    drawn = np.clip(drawn, 0, 255).astype(np.uint8)
    drawn.flags.writeable = False  # it is shared
    return drawn


def view(picture: Pixels, seconds: float, pixels_a_second: float = 4.0) -> Pixels:
    """What a camera that moves a little sees."""
    left = round(seconds * pixels_a_second)
    return picture[:, left : left + WIDTH]


def transition(kind: str, style: str, seconds: float, times: Sequence[float], at: float) -> Iterator[Pixels]:
    """Two shots; from `at` on one becomes the other."""
    old, new = scenery(1), scenery(2)
    for time in times:
        done = (time - at) / seconds
        if done <= 0 or done >= 1:
            yield view(old if done <= 0 else new, time)
        else:
            yield blend(view(old, time), view(new, time), done, kind, style)


def cuts_of(frames: Iterator[Pixels], times: Sequence[float], detector: str = "blend") -> list[float]:
    """Seconds; checks that none comes out late beyond measure."""
    found: list[float] = []
    finder = CutDetector(detector, {}, time_base=Fraction(1, TICKS), frame_rate=Fraction(25), start_pts=0)
    for time, frame in zip(times, frames, strict=True):
        for cut in finder.feed(round(time * TICKS), np.ascontiguousarray(frame)):
            found.append(cut / TICKS)
            assert 0 <= time - found[-1] < 1.3
    return found + [cut / TICKS for cut in finder.finish()]


def steady(rate: float, seconds: float = 5.0) -> list[float]:
    return [k / rate for k in range(round(seconds * rate))]


def irregular(seconds: float = 5.0) -> list[float]:
    """Frames 1/25 to 4/25 s apart, as when only reference frames are decoded."""
    steps = np.random.default_rng(3).choice([1, 2, 2, 3, 4], 200) / 25
    return [float(time) for time in np.cumsum(steps) if time < seconds]


KINDS = [
    ("dissolve", "linear", 0.32),
    ("dissolve", "linear", 0.8),
    ("dissolve", "smooth", 1.2),
    ("wipe", "right", 0.4),
    ("wipe", "left soft", 0.6),
    ("wipe", "down", 0.6),
    ("wipe", "up-left", 0.5),
    ("wipe", "iris", 0.6),
    ("fade", "black", 0.4),
    ("fade", "black held", 1.2),
    ("fade", "white", 0.8),
]


@pytest.mark.parametrize(("kind", "style", "seconds"), KINDS)
def test_one_cut_in_the_middle_at_any_frame_rate(kind: str, style: str, seconds: float) -> None:
    for times in (steady(12.5), steady(25), steady(30000 / 1001), steady(60), irregular()):
        found = cuts_of(transition(kind, style, seconds, times, 2.0), times)
        assert len(found) == 1
        assert found[0] == pytest.approx(2.0 + seconds / 2, abs=max(0.2 * seconds, 0.13))


def test_the_adaptive_detector_alone_finds_few_of_them() -> None:
    times = steady(25)
    found = [len(cuts_of(transition(*kind, times, 2.0), times, "adaptive")) for kind in KINDS]
    assert sum(found) < len(KINDS) / 2


def pan(time: float) -> Pixels:
    return view(scenery(4, 12 * WIDTH), time, 120.0)


def ramp_of_light(time: float) -> Pixels:
    gain = 0.45 + 0.55 * min(1.0, max(0.0, (time - 2) / 0.5))
    return (view(scenery(5), time) * gain).astype(np.uint8)


def flash(time: float) -> Pixels:
    picture = view(scenery(6), time)
    return np.full_like(picture, 250) if 2.0 <= time < 2.07 else picture


def thing_that_crosses(time: float) -> Pixels:
    picture = view(scenery(7), 0).copy()
    left = int((time - 1) * WIDTH / 2)
    picture[10:60, max(0, left) : max(0, left + 40)] = (20, 30, 200)
    return picture


def repeated_frames(time: float) -> Pixels:
    """Eight pictures a second of something quick in a video of more frames."""
    return view(scenery(8, 6 * WIDTH), math.floor(time * 8) / 8, 60.0)


def fade_to_black_for_good(time: float) -> Pixels:
    return (view(scenery(9), time) * min(1.0, max(0.0, (3 - time) / 0.6))).astype(np.uint8)


@pytest.mark.parametrize(
    "shot",
    [
        pan,
        ramp_of_light,
        flash,
        thing_that_crosses,
        repeated_frames,
        fade_to_black_for_good,
    ],
)
def test_no_cut_within_a_shot(shot: Callable[[float], Pixels]) -> None:
    for times in (steady(25), steady(50), irregular()):
        assert cuts_of((shot(time) for time in times), times) == []


def test_a_hard_cut_after_a_dissolve_keeps_its_frame() -> None:
    times = steady(25)
    frames = [*transition("dissolve", "linear", 0.6, times, 2.0)]
    frames[85:] = [view(scenery(10), time) for time in times[85:]]
    found = cuts_of(iter(frames), times)
    assert len(found) == 2
    assert found[1] == 85 / 25


def test_cuts_keep_their_distance() -> None:
    times = steady(25)
    pictures = [scenery(seed) for seed in range(4)]
    frames = [pictures[int(k >= 50) + int(k >= 57) + int(k >= 80)][:, :WIDTH] for k in range(len(times))]
    assert cuts_of(iter(frames), times) == [50 / 25, 80 / 25] == cuts_of(iter(frames), times, "adaptive")
    frames[57] = frames[56]  # eight frames, 0.32 s
    assert cuts_of(iter(frames), times) == [50 / 25, 58 / 25, 80 / 25]


@pytest.mark.parametrize("seconds", [0.24, 0.4, 0.6])
def test_a_transition_may_begin_with_the_first_frame(seconds: float) -> None:
    times = steady(25, 2.0)
    found = windows_of(list(transition("dissolve", "linear", seconds, times, 0.0)), times)
    assert [each.start for each in found] == [0]
    assert found[0].end == pytest.approx(seconds * 25, abs=1)


def fades_in_from(black: int) -> list[Pixels]:
    """A second of a shot, a hard cut to `black` frames without a picture, then another shot that fades in."""
    old, new = view(scenery(1), 0), view(scenery(2), 0)
    return [old] * 25 + [np.zeros_like(old)] * black + [(new * min(1.0, k / 12)).astype(np.uint8) for k in range(1, 40)]


@pytest.mark.parametrize("black", [1, 3, 6])
def test_a_frame_begins_one_shot_even_where_shots_may_be_of_any_length(black: int) -> None:
    """The hard cut is reported before the fade that begins with the same frame is over."""
    detector = BlendDetector(min_scene_len=0)
    cuts: list[int] = []
    for number, frame in enumerate(fades_in_from(black)):
        time = scenedetect.FrameTimecode(number, fps=25.0)
        cuts += [cut.frame_num for cut in detector.process_frame(time, frame)]
    cuts += [cut.frame_num for cut in detector.post_process(time)]
    assert cuts == [25]


def halved(pixels: NDArray[np.int64]) -> NDArray[np.int64]:
    return (pixels[::2, ::2] + pixels[1::2, ::2] + pixels[::2, 1::2] + pixels[1::2, 1::2] + 2) // 4


@pytest.mark.parametrize("times", [1, 2, 3])
def test_thumbnails_of_even_sizes_are_halves_of_halves(times: int) -> None:
    """To the last bit, because cuts depend on it: another way to scale calls for another PASS_VERSION."""
    plane = np.random.default_rng(0).integers(0, 256, (18 << times, 32 << times, 3), np.uint8)
    expected = plane.astype(np.int64)
    for _ in range(times):
        expected = halved(expected)
    assert np.array_equal(_thumbnail(plane), expected)


@pytest.mark.parametrize(
    ("size", "thumbnail"),
    [
        ((73, 128), (18, 32)),
        ((72, 127), (18, 32)),
        ((127, 71), (32, 18)),
        ((70, 128), (18, 32)),  # even, and odd once halved
        ((1, 128), (1, 32)),
        ((33, 20), (32, 19)),
        ((32, 18), (32, 18)),
        ((5, 7), (5, 7)),
    ],
)
def test_thumbnails_of_other_sizes_are_taken_by_area_at_once(size: tuple[int, int], thumbnail: tuple[int, int]) -> None:
    plane = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    made = _thumbnail(plane)
    assert made.shape == (*thumbnail, 3)
    if size == (70, 128):
        plane = halved(plane.astype(np.int64)).astype(np.uint8)
    if made.shape == plane.shape:
        assert np.array_equal(made, plane)
    else:
        assert np.array_equal(made, cv2.resize(plane, made.shape[1::-1], interpolation=cv2.INTER_AREA))


def test_the_quick_score_serves_unless_edges_or_statistics_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = scenedetect.ContentDetector._calculate_frame_score
    asked: list[object] = []

    def counting(self: Any, time: Any, frame: Pixels) -> float:
        asked.append(self)
        return float(slow(self, time, frame))

    monkeypatch.setattr(scenedetect.ContentDetector, "_calculate_frame_score", counting)
    edges = scenedetect.ContentDetector.Components(1.0, 1.0, 1.0, 0.5)
    detectors = [QuickContentDetector(), QuickContentDetector(weights=edges), QuickContentDetector()]
    detectors[2].stats_manager = scenedetect.StatsManager()
    for number in range(3):
        for detector in detectors:
            detector.process_frame(scenedetect.FrameTimecode(number, fps=25.0), view(scenery(number), 0).copy())
    assert asked == detectors[1:] * 3
    assert detectors[2].stats_manager.metrics_exist(scenedetect.FrameTimecode(2, fps=25.0), ["content_val"])


@pytest.mark.parametrize("luma_only", [False, True])
def test_scores_are_pyscenedetects_bit_for_bit(luma_only: bool) -> None:
    pairs = [
        (QuickAdaptiveDetector(luma_only=luma_only), scenedetect.AdaptiveDetector(luma_only=luma_only)),
        (QuickContentDetector(luma_only=luma_only), scenedetect.ContentDetector(luma_only=luma_only)),
    ]
    rng = np.random.default_rng(0)
    for k in range(12):
        frame = rng.integers(0, 256, (41, 67, 3), np.uint8) if k % 3 else scenery(k, 67, 41)
        for ours, theirs in pairs:
            time = scenedetect.FrameTimecode(k, fps=25.0)
            ours.process_frame(time, frame)
            theirs.process_frame(time, frame)
            assert ours._frame_score == theirs._frame_score
            assert k == 0 or ours._frame_score > 0


def test_it_works_within_pyscenedetect_and_beside_its_detectors(tmp_path: Path) -> None:
    times = steady(25)
    frames = list(transition("dissolve", "linear", 0.8, times, 2.0))
    path = make_video(tmp_path / "dissolve.mp4", [(lambda k: frames[k], len(frames))], size=(WIDTH, HEIGHT))
    scenes = scenedetect.detect(str(path), BlendDetector(), backend="pyav")
    assert [round(start.seconds, 1) for start, _ in scenes] == [0.0, 2.4]
    manager = scenedetect.SceneManager()
    manager.add_detector(BlendDetector())
    manager.add_detector(scenedetect.ThresholdDetector())
    manager.detect_scenes(scenedetect.open_video(str(path), backend="pyav"))
    assert len(manager.get_scene_list()) == 2


def test_what_it_keeps_does_not_grow() -> None:
    detector = BlendDetector()
    black = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    sizes = []
    for k in range(3000):
        frame = view(scenery(11), 0) if k % 1000 < 300 else black
        detector.process_frame(scenedetect.FrameTimecode(k, fps=25.0), frame)
        fades = detector._gradual._fades
        sizes.append(len(detector._times) + len(detector._waiting) + len(fades._flat) + len(fades._rise))
    assert max(sizes[1500:]) <= max(sizes[:1500]) < 400


def test_assembled_videos_say_where_their_shots_change(tmp_path: Path) -> None:
    """The footage that benchmarks/detection.py measures on: the same again for the same seed, the truth as drawn."""
    clips = [
        Source(make_video(tmp_path / f"{colour}.mp4", [(colour, 60)], size=(64, 36)))
        for colour in ("red", "blue", "yellow")
    ]
    plan = Plan(seed=1, rate=25, size=(64, 36), shots=6)
    made = assemble(plan, clips, tmp_path / "a.mp4")
    again = assemble(plan, clips, tmp_path / "b.mp4")
    assert made.transitions == again.transitions == read_truth(tmp_path / "a.mp4").transitions
    assert len(made.transitions) == 5
    assert len({change.type for change in made.transitions}) >= 2
    import av

    with av.open(str(made.path)) as video:
        means = [frame.to_ndarray(format="rgb24").mean((0, 1)) for frame in video.decode(video=0)]
    for change in made.transitions:
        assert np.abs(means[change.start - 2] - means[change.start - 1]).max() < 12  # nothing yet
        end = change.end if change.type != "cut" else change.end - 1
        assert np.abs(means[end + 2] - means[end + 1]).max() < 12  # nothing any more
        assert np.abs(means[end + 1] - means[change.start - 1]).max() > 50


def windows_of(frames: Sequence[Pixels], times: Sequence[float], min_score: float = 0.5) -> list[Transition]:
    rows = Thumbnails()
    detector = TransitionDetector(rows, min_score)
    found: list[Transition] = []
    for number, frame in enumerate(frames):
        at = rows.append(number, times[number], _thumbnail(np.ascontiguousarray(frame)))
        found += detector.feed(at) if at is not None else []
    return found + detector.finish()


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (("dissolve", "linear", 0.32), Transition(48, 54, 58, 8.294)),
        (("dissolve", "linear", 0.8), Transition(48, 60, 70, 8.387)),
        (("dissolve", "smooth", 1.2), Transition(50, 66, 80, 8.053)),
        (("dissolve", "linear", 2.0), Transition(63, 79, 93, 3.022)),  # the part that fits into the longest window
        (("wipe", "right", 0.4), Transition(50, 56, 60, 7.448)),
        (("wipe", "iris", 0.6), Transition(50, 59, 65, 7.533)),
        (("fade", "black", 0.4), Transition(50, 55, 62, math.inf)),
        (("fade", "black held", 1.2), Transition(51, 65, 77, math.inf)),
        (("fade", "white", 0.8), Transition(51, 60, 67, math.inf)),
    ],
)
def test_transitions_have_known_frames_and_evidence(kind: tuple[str, str, float], expected: Transition) -> None:
    """All begin with frame 50. Another result calls for another PASS_VERSION."""
    times = steady(25)
    found = windows_of(list(transition(*kind, times, 2.0)), times)
    assert [(each.start, each.middle, each.end) for each in found] == [(expected.start, expected.middle, expected.end)]
    assert found[0].score == pytest.approx(expected.score, abs=0.01)


def test_a_transition_is_reported_a_quarter_of_a_second_after_its_end() -> None:
    times = steady(25)
    rows = Thumbnails()
    detector = TransitionDetector(rows, 0.5)
    for number, frame in enumerate(transition("dissolve", "linear", 0.32, times, 2.0)):
        at = rows.append(number, times[number], _thumbnail(np.ascontiguousarray(frame)))
        assert at is not None
        if detector.feed(at):
            break
    assert number == 58 + 7  # 0.28 s; frame 58 is the end


def test_evidence_counts_two_levels_of_spread_at_least() -> None:
    """Most pixels grow lighter by 40 levels, so the median of the differences to that is 0."""
    rng = np.random.default_rng(0)
    old = rng.integers(60, 140, (18, 32, 3)).astype(np.int16)
    new = old + 40
    new[:, :13] = rng.integers(0, 255, (18, 13, 3))
    rows = Thumbnails()
    for k in range(9):
        rows.append(k, k / 25, (old + (new - old) * k / 8).astype(np.uint8))
    mean, largest = rows.difference(0, 8), float(rows.change[1:9].max())
    alike, straight = max(rows.correlation(0, 8), 0.0), mean / float(rows.way[8])
    median = float(np.median(np.abs(rows.row(8).astype(int) - rows.row(0))))
    known = -12.8 - 6.7 * alike + 4.5 * straight - 7.6 * largest / mean
    expected = known + 2.3 * math.log(median) + 2.3 * math.log(2)
    assert _score(rows, 0, 8, -math.inf) == pytest.approx(expected)


def test_no_transition_where_a_camera_pans() -> None:
    times = steady(25)
    wide = scenery(4, 12 * WIDTH)
    assert windows_of([view(wide, time, 120.0) for time in times], times) == []


@pytest.mark.parametrize(
    ("levels", "is_one_colour"),
    [((4, 4, 3), True), ((5, 5, 5), False), ((6, 0, 0), True), ((7, 0, 0), False), ((0, 4, 5), True)],
)
def test_contrast_is_taken_over_the_channels(levels: tuple[int, int, int], is_one_colour: bool) -> None:
    """The root mean square of their deviations: a picture that fades to at most four levels has faded to one colour."""
    stripes = np.where(np.arange(32) % 2, 1, -1)[None, :, None]
    rows = Thumbnails()
    detector = TransitionDetector(rows)
    for number, deviation in enumerate([(50,) * 3] * 30 + [(each,) * 3 for each in (40, 30, 20, 10)] + [levels] * 6):
        frame = np.broadcast_to(128 + stripes * np.array(deviation), (18, 32, 3)).astype(np.uint8)
        at = rows.append(number, number / 25, frame)
        assert at is not None
        detector.feed(at)
    assert detector.fading_since == (29 if is_one_colour else None)
