"""Quick passes over videos: key frames only, coarse shots, and what happens where key frames are of no use."""

from __future__ import annotations

import itertools
import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from synthetic import make_video

from encoder import ClipSpec
from indexer.key_frame_pass import KeyFramePass
from indexer.media import key_frames
from indexer.media.decode import Decoding
from indexer.media.errors import UnreadableVideo
from indexer.media.key_frames import KeyFrameDecoding, NoKeyFrames, has_key_frames
from indexer.media.probe import open_source
from indexer.notes import EVERY_FRAME_NOTE
from indexer.settings import IndexSettings
from indexer.video_pass import SegmentClip, VideoPass

SPEC = ClipSpec(4, 32)
CUTS = {"preset": "veryfast", "g": "100", "sc_threshold": "40"}  # x264 puts a key frame where a shot begins
FIXED = {"g": "50", "sc_threshold": "0"}  # a key frame every 2 s, also where no shot begins


def quick(path: Path, **settings: Any) -> tuple[KeyFramePass, list[SegmentClip]]:
    reading = KeyFramePass(os.fspath(path), SPEC, IndexSettings(**settings), fingerprint="content")
    return reading, list(reading)


def full(path: Path) -> VideoPass:
    reading = VideoPass(os.fspath(path), SPEC, IndexSettings(), fingerprint="content")
    assert list(reading)
    return reading


def key_times(path: Path) -> list[float]:
    with open_source(os.fspath(path)) as source:
        return [float(frame.pts * source.time_base) for frame in KeyFrameDecoding(source)]


def seconds_of(reading: VideoPass) -> list[tuple[int, float, float]]:
    video = reading.video
    return [(part.shot_number, video.seconds(part.start_pts), video.seconds(part.end_pts)) for part in reading.segments]


def test_only_key_frames_are_decoded_and_the_record_is_that_of_all_frames(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", [("red", 250)], options={**FIXED, "bf": "2"})
    assert key_times(path) == [0.0, 2.0, 4.0, 6.0, 8.0]
    reading, clips = quick(path)
    assert reading.video == full(path).video  # frames, times and rate included
    assert seconds_of(reading) == [(0, 0.0, 8.0), (0, 8.0, 10.0)]
    assert [clip.clip.shape for clip in clips] == [(4, 32, 32, 3)] * 2
    assert all(clip.poster.startswith(b"\xff\xd8") and clip.preview for clip in clips)
    assert reading.notes == ()


def test_shots_begin_with_key_frames_of_other_colours(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", [("red", 60), ("blue", 100)], options=CUTS)
    reading, clips = quick(path)
    assert seconds_of(reading) == [(0, 0.0, 2.4), (1, 2.4, 6.4)]
    assert [int(clip.clip.mean(axis=(0, 1, 2)).argmax()) for clip in clips] == [0, 2]
    assert [shot.number for shot in reading.shots] == [0, 1]


def counted(index: int) -> np.ndarray:
    """A grey picture with the number of its frame in a corner, as a level."""
    drawn = np.full((48, 64, 3), 128, np.uint8)
    drawn[:16, :16] = index
    return drawn


def test_the_frames_of_a_clip_are_key_frames_evenly_spread(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", [(counted, 200)], options=FIXED)
    _, [clip] = quick(path)
    levels = clip.clip[:, 2:8, 2:6].mean(axis=(1, 2, 3))
    assert np.abs(levels - [0, 50, 100, 150]).max() < 8


def test_of_files_where_every_frame_is_a_key_frame_one_a_second_is_decoded(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mov", [("red", 125)], codec="mjpeg", pix_fmt="yuvj420p")
    times = key_times(path)
    assert len(times) == 7
    assert times[0] == 0.0
    assert times[-1] == 4.96
    assert all(0.8 < after - before < 1.0 for before, after in itertools.pairwise(times[:-1]))
    assert quick(path)[0].video.frames == 125


def test_key_frames_close_together_are_left_out_but_for_the_last_one(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", [("red", 55)], options={"g": "10", "sc_threshold": "0"})  # each 0.4 s
    assert key_times(path) == [0.0, 0.8, 1.6, 2.0]


def test_where_key_frames_are_far_apart_frames_in_between_are_decoded(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", [("red", 250)], rate=10, options={"g": "1000"})
    reading, _ = quick(path)
    times = key_times(path)
    assert times[0] == 0.0
    assert len(times) >= 8
    assert all(1.9 < after - before < 3.5 for before, after in itertools.pairwise(times))
    assert reading.video.frames == 250
    assert max(end - start for _, start, end in seconds_of(reading)) < 12
    [note] = reading.notes
    assert "key frames are" in note


def test_packets_that_are_held_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_video(tmp_path / "a.mp4", [("noise", 100)], options=FIXED)
    monkeypatch.setattr(key_frames, "MAX_HELD_BYTES", 20_000)
    assert len(key_times(path)) >= 2  # decoded as if they were far apart: earlier, and no other result
    assert quick(path)[0].video.frames == 100


def test_without_times_in_packets_every_frame_is_decoded_and_the_notes_say_so(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.ts", [("red", 60), ("blue", 60)], options=FIXED)
    with open_source(os.fspath(path)) as source:
        assert not has_key_frames(source)
    reading, clips = quick(path)
    assert reading.video == full(path).video
    assert len(clips) == 2
    assert reading.notes == (EVERY_FRAME_NOTE,)


def test_key_frames_that_only_begin_to_refresh_the_picture_are_no_use_alone(tmp_path: Path) -> None:
    options = {"x264-params": "intra-refresh=1:keyint=30:min-keyint=30"}
    path = make_video(tmp_path / "a.mp4", [("red", 100)], options=options)
    reading, clips = quick(path)
    assert len(clips) == 1
    assert reading.video == full(path).video
    assert reading.notes == (EVERY_FRAME_NOTE,)


def test_what_no_frame_can_be_decoded_of_fails_as_in_a_full_pass(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", [("red", 60)], options=FIXED)
    content = bytearray(path.read_bytes())
    start = content.index(b"mdat") + 4
    end = content.index(b"moov") - 4
    content[start:end] = bytes(end - start)
    path.write_bytes(content)
    with pytest.raises(UnreadableVideo) as found:
        quick(path)
    assert found.value.kind == "broken"


def test_a_damaged_key_frame_costs_its_stretch_only(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", [("red", 200)], options=FIXED)
    with av.open(os.fspath(path)) as container:
        third = [packet for packet in container.demux(video=0) if packet.is_keyframe][2]
        place, size = third.pos, third.size
    content = bytearray(path.read_bytes())
    content[place + 4 : place + size] = b"\xff" * (size - 4)
    path.write_bytes(content)
    reading, _ = quick(path)
    assert reading.video.frames == 200
    assert seconds_of(reading)[-1][2] == 8.0


def test_frames_of_open_groups_are_decoded(tmp_path: Path) -> None:
    options = {"x264-params": "open-gop=1:keyint=50:min-keyint=50:scenecut=0:bframes=3"}
    path = make_video(tmp_path / "a.mp4", [("red", 150)], options=options)
    assert key_times(path) == [0.0, 2.0, 4.0]


def test_that_there_is_no_key_frame_is_told_before_the_file_is_read_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_video(tmp_path / "a.mp4", [("red", 60)], options={"g": "600"})
    monkeypatch.setattr(key_frames, "FAR_SECONDS", 0.5)
    read = list[int]()
    with open_source(os.fspath(path)) as source:
        decoding = KeyFrameDecoding(source)

        def packets(source: Any) -> Any:
            for packet in Decoding._packets(decoding, source):
                read.append(packet.pts)
                if not packet.is_keyframe:
                    yield packet

        monkeypatch.setattr(decoding, "_packets", packets)
        with pytest.raises(NoKeyFrames):
            list(decoding)
    assert len(read) < 20


def test_times_are_those_of_the_full_pass_with_another_time_base(tmp_path: Path) -> None:
    path = make_video(
        tmp_path / "a.mkv", [("red", 60)], rate=Fraction(30000, 1001), options=FIXED, time_base=Fraction(1001, 30000)
    )
    assert quick(path)[0].video == full(path).video
