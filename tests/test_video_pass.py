"""One pass over a video: shots where they are, segments as promised, the frames that the reference would take."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image
from synthetic import COLOURS, make_video

from encoder import ClipSpec
from indexer.media.clip import read_clip
from indexer.media.decode import Decoding
from indexer.media.errors import Cancelled, UnreadableVideo
from indexer.media.orientation import Orientation
from indexer.media.probe import open_source
from indexer.media.sampling import sample_indices
from indexer.media.scale import Scaler
from indexer.settings import IndexSettings
from indexer.shots.shot_buffer import BufferedFrame, SegmentDraft, ShotBuffer
from indexer.video_pass import SegmentClip, VideoPass

SPEC = ClipSpec(4, 32)


def run(path: Path | str, spec: ClipSpec = SPEC, **settings: Any) -> tuple[VideoPass, list[SegmentClip]]:
    video_pass = VideoPass(os.fspath(path), spec, IndexSettings(**settings), fingerprint="content")
    return video_pass, list(video_pass)


def all_frames(path: Path, spec: ClipSpec) -> tuple[list[int], list[np.ndarray]]:
    """pts and clip frame of every frame of a video."""
    with open_source(os.fspath(path)) as source:
        scaler = None
        times, frames = [], []
        for frame in Decoding(source):
            if scaler is None:
                scaler = Scaler(spec, orientation=Orientation.of(frame.picture), sample_aspect=source.sample_aspect)
                scaler.start(frame.picture)
            size = frame.picture.width, frame.picture.height
            times.append(frame.pts)
            frames.append(scaler.clip_frame(scaler.reduce(frame.picture), coded_size=size))
    return times, frames


def expected_clip(path: Path, spec: ClipSpec, start: int, end: int) -> np.ndarray:
    """The definition: of the frames that begin within [start, end), those at floor(k * n / T), or with both ends."""
    times, frames = all_frames(path, spec)
    inside = [frame for time, frame in zip(times, frames, strict=True) if start <= time < end]
    return np.stack([inside[i] for i in sample_indices(len(inside), spec.frames, ends=spec.ends)])


def test_shots_segments_and_the_video(three_shots: Path) -> None:
    done, results = run(three_shots)
    video = done.video
    base = Fraction(1, 12800)
    assert (video.time_base, video.start_pts, video.end_pts, video.frames) == (base, 0, 95 * 512, 95)
    assert (video.width, video.height, video.rotation, video.codec) == (64, 48, 0, "h264")
    assert (video.frame_rate, video.has_audio, video.damaged) == (25, False, 0)
    assert (video.path, video.fingerprint) == (os.fspath(three_shots), "content")
    info = three_shots.stat()
    assert (video.size_bytes, video.modified_ns) == (info.st_size, info.st_mtime_ns)
    assert [(shot.number, shot.start_pts, shot.end_pts) for shot in done.shots] == [
        (0, 0, 30 * 512),
        (1, 30 * 512, 55 * 512),
        (2, 55 * 512, 95 * 512),
    ]
    assert done.segments == [result.segment for result in results]
    assert [(s.number, s.shot_number, s.start_pts, s.end_pts) for s in done.segments] == [
        (shot.number, shot.number, shot.start_pts, shot.end_pts) for shot in done.shots
    ]
    for result, colour in zip(results, ("red", "blue", "green"), strict=True):
        assert result.clip.shape == (4, 32, 32, 3)
        assert result.clip.dtype == np.uint8
        assert np.abs(result.clip.mean(axis=(0, 1, 2)) - COLOURS[colour]).max() < 10


@pytest.mark.parametrize("spec", [ClipSpec(8, 32), ClipSpec(8, 32, ends=True)])
def test_clips_are_the_frames_that_the_encoder_takes(three_shots: Path, spec: ClipSpec) -> None:
    _, results = run(three_shots, spec)
    for result in results:
        expected = expected_clip(three_shots, spec, result.segment.start_pts, result.segment.end_pts)
        assert np.array_equal(result.clip, expected)


def test_a_long_shot_becomes_overlapping_segments_with_their_own_frames(tmp_path: Path) -> None:
    path = make_video(tmp_path / "long.mp4", [("red", 100)])
    done, results = run(path, segment_seconds=1.5, overlap_seconds=0.25)
    assert len(done.shots) == 1
    spans = [(s.start_pts, s.end_pts) for s in done.segments]
    assert len(spans) == 3
    assert (spans[0][0], spans[-1][1]) == (0, 100 * 512)
    assert all(bound % 512 == 0 for span in spans for bound in span), "each part begins and ends with a frame"
    assert all(before[1] - after[0] == pytest.approx(0.25 * 12800, abs=512) for before, after in pairwise(spans))
    assert all(end - start == pytest.approx(19200, abs=512) for start, end in spans)
    for result, (start, end) in zip(results, spans, strict=True):
        assert np.array_equal(result.clip, expected_clip(path, SPEC, start, end))


def test_a_video_without_cuts_and_a_video_of_one_frame(tmp_path: Path) -> None:
    done, results = run(make_video(tmp_path / "one.mp4", [("green", 1)]))
    assert (len(done.shots), len(results), done.video.frames) == (1, 1, 1)
    assert done.video.duration_seconds == pytest.approx(1 / 25, abs=0.01)
    assert all(np.array_equal(frame, results[0].clip[0]) for frame in results[0].clip)
    done, results = run(make_video(tmp_path / "two.mp4", [("halves", 50)]))
    assert (len(done.shots), len(results)) == (1, 1)


def test_a_one_frame_gif_is_a_picture_and_a_longer_one_a_video(tmp_path: Path) -> None:
    gif: dict[str, Any] = {"codec": "gif", "pix_fmt": "rgb8", "rate": 10}
    with pytest.raises(UnreadableVideo) as caught:
        run(make_video(tmp_path / "one.gif", [("green", 1)], **gif))
    assert caught.value.kind == "still_image"
    done, _ = run(make_video(tmp_path / "ten.gif", [("green", 10)], **gif))
    assert done.video.frames == 10
    for name in ("photo.jpg", "photo.png", "renamed.mp4"):
        Image.new("RGB", (64, 48), "red").save(tmp_path / name, "PNG" if name == "photo.png" else "JPEG")
        with pytest.raises(UnreadableVideo) as caught:
            run(tmp_path / name)
        assert caught.value.kind == "still_image"


def test_variable_frame_rate_is_sampled_by_frames_and_timed_by_pts(tmp_path: Path) -> None:
    """30 frames in one second, then 10 in two: the reference counts frames."""
    times = list(range(30)) + [30 + 6 * k for k in range(10)]
    path = make_video(tmp_path / "vfr.mp4", [("ramp", 30), ("ramp", 10)], times=times, time_base=Fraction(1, 30))
    spec = ClipSpec(8, 16)
    never = {"adaptive_threshold": 1000.0, "min_content_val": 255.0}
    done, results = run(path, spec, detector="adaptive", detector_options=never)
    assert len(results) == 1
    # The last frame lasts as long as the container says, which is what the muxer made of it.
    assert done.video.duration_seconds == pytest.approx(84 / 30, abs=0.2)
    assert np.array_equal(results[0].clip, expected_clip(path, spec, done.video.start_pts, done.video.end_pts))


def test_the_first_cut_is_at_its_frame_on_variable_frame_rate(tmp_path: Path) -> None:
    times = np.cumsum([1 + k % 3 for k in range(60)]).tolist()
    path = make_video(tmp_path / "vfr.mp4", [("red", 30), ("cyan", 30)], times=times, time_base=Fraction(1, 30))
    done, _ = run(path)
    assert [done.video.seconds(shot.start_pts) for shot in done.shots] == pytest.approx(
        [0, (times[30] - times[0]) / 30]
    )


def test_a_picture_that_stays_makes_one_segment(tmp_path: Path) -> None:
    """Slides: half a second of frames, then one picture for a minute, then frames again."""
    times = [*range(15), *range(15 + 1800, 30 + 1800)]
    path = make_video(tmp_path / "slides.mp4", [("halves", 30)], times=times, time_base=Fraction(1, 30))
    done, results = run(path)
    seconds = [(done.video.seconds(s.start_pts), done.video.seconds(s.end_pts)) for s in done.segments]
    assert len(results) == 2
    assert seconds[0] == (0, 1815 / 30)
    assert seconds[1][0] == 1815 / 30
    assert len(done.shots) == 1


def test_a_screen_that_stands_still_for_an_hour_is_a_segment_of_its_own(tmp_path: Path) -> None:
    """A recording that writes changes only: 20 s of changes, an hour without any, 3 s of changes."""
    times = [*range(100), *range(18_100, 18_115)]
    path = make_video(tmp_path / "screen.mkv", [("red", 115)], times=times, time_base=Fraction(1, 5))
    done, results = run(path)
    seconds = [(done.video.seconds(s.start_pts), done.video.seconds(s.end_pts)) for s in done.segments]
    *moving, still, after = seconds
    assert (moving[0][0], moving[-1][1]) == (0, 19.8)
    assert all(end - start <= 8 for start, end in moving)
    assert (still, after[0]) == ((19.8, 3620), 3620), "as long as the picture stays"
    assert done.video.duration_seconds == pytest.approx(3623, abs=0.2)
    clip = results[-2].clip
    assert np.array_equal(clip[0], clip[-1])
    assert np.array_equal(clip, read_clip(os.fspath(path), SPEC, start_seconds=still[0], end_seconds=still[1]))
    with av.open(io.BytesIO(results[-2].preview)) as preview:
        assert sum(1 for _ in preview.decode(video=0)) >= 1


def test_rotation_and_pixel_shape_reach_video_poster_and_preview(tmp_path: Path) -> None:
    path = make_video(
        tmp_path / "turned.mp4", [("halves", 20)], size=(160, 96), rotation=90, sample_aspect=Fraction(3, 2)
    )
    done, results = run(path)
    assert (done.video.width, done.video.height, done.video.rotation) == (96, 240, 90)
    poster = Image.open(io.BytesIO(results[0].poster))
    assert poster.size == (96, 240)
    with av.open(io.BytesIO(results[0].preview)) as preview:
        stream = preview.streams.video[0]
        assert (stream.width, stream.height) == (96, 240)
    # Red was on top; turned clockwise it is on the right.
    pixels = np.asarray(poster)
    assert pixels[120, 80, 0] > 150 > pixels[120, 10, 0]


def test_damage_is_counted_and_the_rest_indexed(tmp_path: Path) -> None:
    path = make_video(tmp_path / "damaged.mp4", [("noise", 40)], options={"g": "10", "bf": "0"})
    with av.open(os.fspath(path)) as container:
        places = [packet.pos for packet in container.demux(video=0) if packet.pos is not None]
    data = bytearray(path.read_bytes())
    data[places[15] : places[15] + 8] = b"\xff" * 8
    path.write_bytes(data)
    done, _ = run(path)
    assert (done.video.frames, done.video.damaged) == (39, 1)


def test_cancelling_stops_between_frames(three_shots: Path) -> None:
    asked = 0

    def cancelled() -> bool:
        nonlocal asked
        asked += 1
        return asked > 10

    video_pass = VideoPass(os.fspath(three_shots), SPEC, IndexSettings(), fingerprint="f", cancelled=cancelled)
    with pytest.raises(Cancelled):
        list(video_pass)
    assert asked == 11
    with pytest.raises(RuntimeError, match="not been read to the end"):
        _ = video_pass.video


def test_a_pass_is_made_once_and_knows_how_far_it_is(three_shots: Path) -> None:
    video_pass = VideoPass(os.fspath(three_shots), SPEC, IndexSettings(), fingerprint="f")
    results = iter(video_pass)
    next(results)
    assert 30 / 25 <= video_pass.seconds_done < 95 / 25
    assert len(list(results)) == 2
    assert video_pass.seconds_done == pytest.approx(95 / 25)
    assert video_pass.seconds_decoding > 0
    assert video_pass.seconds_preparing > 0
    with pytest.raises(RuntimeError, match="once"):
        list(video_pass)


def test_a_file_that_changes_midway_is_not_indexed_by_half(tmp_path: Path) -> None:
    path = make_video(tmp_path / "growing.mp4", [("red", 30), ("blue", 60)])
    results = iter(VideoPass(os.fspath(path), SPEC, IndexSettings(), fingerprint="f"))
    next(results)
    with path.open("ab") as file:
        file.write(b"\0" * 100)
    with pytest.raises(UnreadableVideo) as caught:
        list(results)
    assert caught.value.kind == "error"


def test_segments_come_out_as_soon_as_their_shot_ends(three_shots: Path) -> None:
    for detector, look_ahead in (("adaptive", 2), ("blend", 8)):  # frames; 8 are 0.3 s
        settings = IndexSettings(detector=detector)
        video_pass = VideoPass(os.fspath(three_shots), SPEC, settings, fingerprint="f")
        results = iter(video_pass)
        next(results)
        assert video_pass.frames == 30 + 1 + look_ahead


class Stretch:
    """A ShotBuffer fed with a made-up long shot at 25 frames a second, one noisy picture again and again.

    With `greys`, the picture of frame k is a grey of that level instead, with a pattern of `contrasts[k]` levels.
    """

    def __init__(
        self, greys: Sequence[int] | None = None, contrasts: Sequence[int] | None = None, **settings: Any
    ) -> None:
        self.greys, self.contrasts = greys, contrasts
        self.settings = IndexSettings(**{"preview_pixels": 16, "poster_pixels": 16, **settings})
        self.frame = av.VideoFrame.from_ndarray(
            np.random.default_rng(0).integers(0, 255, (16, 16, 3), np.uint8), format="rgb24"
        )
        scaler = Scaler(ClipSpec(2, 8), orientation=Orientation(), sample_aspect=Fraction(1))
        scaler.start(self.frame)
        self.shot = ShotBuffer(scaler, self.settings, Fraction(1, 25), 0)
        self.kept: list[int] = []

    def feed(self, times: list[int], first: int = 0) -> list[SegmentDraft]:
        parts: list[SegmentDraft] = []
        for index, pts in enumerate(times, first):
            parts += self.shot.append(BufferedFrame(index, pts, self.picture(index), (16, 16)))
            self.kept.append(len(self.shot))
        return parts

    def picture(self, index: int) -> av.VideoFrame:
        if self.greys is None:
            return self.frame
        drawn = np.full((16, 16, 3), self.greys[index], np.uint8)
        if self.contrasts is not None:
            drawn[:8] += np.uint8(self.contrasts[index])
            drawn[8:] -= np.uint8(self.contrasts[index])
        return av.VideoFrame.from_ndarray(drawn, format="rgb24")


def test_memory_does_not_follow_the_length_of_a_shot() -> None:
    stretch = Stretch(segment_seconds=4.0, candidate_frames=64)
    parts = stretch.feed(list(range(25 * 130)))
    assert max(stretch.kept) <= 64
    assert len(stretch.shot._times) <= 9 * 4 * 25 + 1
    parts += stretch.shot.close(25 * 130)
    spans = [(part.start, part.end) for part in parts]
    assert spans[0][0] == 0
    assert spans[-1][1] == 25 * 130
    assert all(end - start <= 100 for start, end in spans)
    assert {before[1] - after[0] for before, after in pairwise(spans[:24])} == {12}
    assert all(before[1] > after[0] for before, after in pairwise(spans))


def test_what_a_flush_leaves_is_at_least_a_segment() -> None:
    stretch = Stretch(segment_seconds=1.0)
    given = 0
    for pts in range(700):
        for part in stretch.feed([pts], pts):
            given += 1
            assert part.end - part.start == 25
            assert pts - stretch.shot.start >= 25
    assert given % 8 == 0
    assert given >= 16


def test_a_cut_known_late_takes_its_frames_along() -> None:
    stretch = Stretch(candidate_frames=32)
    stretch.feed(list(range(100)))
    first = list(stretch.shot.close(40))
    assert [(part.start, part.end) for part in first] == [(0, 40)]
    assert stretch.shot.shot_start == 40
    stretch.feed([100], 100)
    second = list(stretch.shot.close(101))
    assert [(part.start, part.end) for part in second] == [(40, 101)]


@pytest.mark.parametrize("first", [0, 20])
def test_the_poster_is_from_shortly_before_the_middle(first: int) -> None:
    """Of the shot of 45 frames, or of its last 25 where a cut is known late."""
    stretch = Stretch(greys=[50 + 3 * k for k in range(45)])
    stretch.feed(list(range(45)))
    list(stretch.shot.close(first))
    (part,) = stretch.shot.close(45)
    shown = (np.asarray(Image.open(io.BytesIO(part.poster)).convert("L")).mean() - 50) / 3
    assert 0.4 <= (shown - first) / (45 - first) <= 0.5


@pytest.mark.parametrize(
    ("sharp", "wanted"),
    [
        (range(40, 52), range(40, 52)),  # the middle frame
        (range(20, 40), range(20, 40)),  # the middle is flat: what has the most contrast
        (range(64, 80), range(64, 80)),
        ([*range(16), *range(84, 100)], range(20, 80)),  # not the ends, which may be of another shot
    ],
)
def test_the_poster_shows_something_and_does_not_come_from_the_ends(
    sharp: Sequence[int], wanted: Sequence[int]
) -> None:
    stretch = Stretch(greys=[60 + k for k in range(100)], contrasts=[50 if k in sharp else 2 for k in range(100)])
    stretch.feed(list(range(100)))
    (part,) = stretch.shot.close(100)
    shown = round(np.asarray(Image.open(io.BytesIO(part.poster)).convert("L")).mean() - 60)
    assert wanted[0] - 1 <= shown <= wanted[-1] + 1


@pytest.mark.parametrize(
    ("times", "end", "shown"),
    [
        ([0, 5, 10, 15, 20, 25], 30, [0, 0, 1, 1, 2, 3, 3, 4, 4, 5]),  # moments 0, 3, 6, ... of 1.2 s
        ([0, 1, 2, 20, 21, 22], 30, [0, 2, 2, 2, 2, 2, 2, 4, 5, 5]),
        ([0, 29], 30, [0] * 10),
        ([0, 1, 2, 3, 4], 5, [0, 2]),  # 0.2 s: moments 0, 2
    ],
)
def test_a_preview_shows_what_is_shown_at_its_moments(times: list[int], end: int, shown: list[int]) -> None:
    """Of pictures that stay, one is enough."""
    greys = [30 + 30 * k for k in range(len(times))]
    stretch = Stretch(greys=greys, preview_rate=8, preview_seconds=4.0)
    stretch.feed(times)
    (part,) = stretch.shot.close(end)
    with av.open(io.BytesIO(part.preview)) as preview:
        means = [frame.to_ndarray(format="gray").mean() for frame in preview.decode(video=0)]
    found = [round((mean - greys[0]) / 30) for mean in means]
    assert found == sorted(set(shown))


def test_a_fade_is_cut_where_pyscenedetect_cuts_although_known_late(tmp_path: Path) -> None:
    """25 frames of black between two scenes: the cut lies in its middle and is known at its end."""
    path = make_video(tmp_path / "fade.mp4", [("red", 40), ((0, 0, 0), 25), ("cyan", 40)])
    done, _ = run(path, detector="threshold", detector_options={"threshold": 40})
    assert [shot.start_pts // 512 for shot in done.shots] == [0, 52]
