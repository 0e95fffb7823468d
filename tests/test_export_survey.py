"""Surveys of ranges: which frames, at which times, found with and without decoding; and what is said of none."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import pytest
from numbered import constant, write

from app.exporting.ffmpeg_binary import ExportError
from app.exporting.range_frames import keyframe_before
from app.exporting.survey import survey_range

GROUPS = {"x264-params": "bframes=2:b-adapt=0:keyint=10:min-keyint=10:scenecut=0"}


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A transport stream of 40 frames at 25 a second, with a key frame every 10; its times begin after 0."""
    return write(tmp_path_factory.mktemp("ts") / "a.ts", *constant(40, Fraction(25)), options=GROUPS, sound="mp2")


@pytest.fixture(scope="module")
def sparse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Frames at 0, 1, 2, 7 and 8 seconds."""
    return write(tmp_path_factory.mktemp("mkv") / "a.mkv", [0, 1000, 2000, 7000, 8000], Fraction(1, 1000))


@pytest.mark.parametrize("decoding", [True, False])
@pytest.mark.parametrize(
    ("start", "end", "first", "count", "begin", "finish"),
    [
        (Fraction(0), Fraction(1, 25), 0, 1, 0, 1),
        (Fraction(13, 25), Fraction(31, 25), 13, 18, 13, 31),
        (Fraction(13, 25) - Fraction(1, 100), Fraction(13, 25) + Fraction(1, 100), 13, 1, 13, Fraction(53, 4)),
        (Fraction(13, 25) + Fraction(1, 100), Fraction(15, 25), 14, 1, 14, 15),
        (Fraction(35, 25), Fraction(9), 35, 5, 35, 40),
        # Half a millisecond, which rounding adds or takes away, makes no frame more and none less.
        (Fraction(13, 25) + Fraction(1, 2500), Fraction(15, 25) + Fraction(1, 2500), 13, 2, 13, 15),
        (Fraction(13, 25) - Fraction(1, 2500), Fraction(15, 25) - Fraction(1, 2500), 13, 2, 13, Fraction(1499, 100)),
        (Fraction(13, 25) + Fraction(1, 2000), Fraction(15, 25) + Fraction(1, 2000), 13, 2, 13, 15),
    ],
)
def test_frames_that_begin_in_a_range_are_found(
    stream: Path, decoding: bool, start: Fraction, end: Fraction, first: int, count: int, begin: int, finish: Fraction
) -> None:
    """All in frames, of 3600 units of the stream's time each."""
    found = survey_range(str(stream), start, end, decoding=decoding)
    assert found.time_base == Fraction(1, 90_000)
    assert [pts - found.first_pts for pts in found.pts] == [3600 * (first + number) for number in range(count)]
    assert found.end_pts - found.first_pts == 3600 * finish
    assert (found.start_seconds, found.end_seconds) == (Fraction(begin, 25), Fraction(finish) / 25)
    assert (found.frame_rate, found.codec, found.format_name) == (25, "h264", "mpegts")
    assert (found.video_index, found.audio_index) == (0, 1)
    (track,) = found.sound
    assert (track.index, track.number, track.channels, track.layout) == (1, 1, 1, "mono")
    assert track.codec in ("mp2", "mp2float")
    assert (found.high_bit_depth, found.is_rgb, found.intra_only, found.seekable) == (False, False, False, True)
    assert found.container_start_seconds == found.first_pts * found.time_base
    assert found.container_seconds(found.pts[0]) == found.pts[0] * found.time_base


@pytest.mark.parametrize("decoding", [True, False])
def test_frames_far_apart_are_shown_until_the_next(sparse: Path, decoding: bool) -> None:
    found = survey_range(str(sparse), Fraction(1), Fraction(5), decoding=decoding)
    assert (found.pts, found.end_pts) == ((1000, 2000), 5000)
    found = survey_range(str(sparse), Fraction(1, 2), Fraction(7), decoding=decoding)
    assert (found.pts, found.end_pts) == ((1000, 2000), 7000)


def test_a_range_without_a_frame_says_why(stream: Path, sparse: Path) -> None:
    for decoding in (True, False):
        with pytest.raises(ExportError) as caught:
            survey_range(str(stream), Fraction(3), Fraction(7, 2), decoding=decoding)
        assert str(caught.value) == ("the range 00:00:03.000-00:00:03.500 is past the end of the video, whose last "
                                     "frame is shown at 00:00:01.560")  # fmt: skip
        with pytest.raises(ExportError) as caught:
            survey_range(str(sparse), Fraction(3), Fraction(6), decoding=decoding)
        assert str(caught.value) == ("no frame begins in 00:00:03.000-00:00:06.000, because frames are further apart "
                                     "there; take a longer range")  # fmt: skip


def test_key_frames_are_found_from_any_frame(stream: Path) -> None:
    first = survey_range(str(stream), Fraction(0), Fraction(1)).first_pts
    for number in (0, 1, 9, 10, 11, 25, 39):
        assert keyframe_before(str(stream), first + 3600 * number) == first + 3600 * (number // 10 * 10)


def test_a_recording_that_begins_between_key_frames_counts_from_its_first_picture(stream: Path, tmp_path: Path) -> None:
    """The stream begins earlier, with packets that cannot be decoded. The sound is cut by the container's time."""
    with av.open(str(stream)) as container:
        packets = [(packet.pts, packet.pos) for packet in container.demux(video=0) if packet.size]
    cut = tmp_path / "recording.ts"
    cut.write_bytes(stream.read_bytes()[packets[4][1] or 0 :])
    with av.open(str(cut)) as container:
        begin = container.streams.video[0].start_time
    found = survey_range(str(cut), Fraction(0), Fraction(1, 5))
    assert begin is not None
    assert begin < found.first_pts
    assert found.first_pts in [packets[10][0], packets[20][0]]
    assert found.pts == tuple(found.first_pts + 3600 * number for number in range(5))
    assert found.container_seconds(found.pts[0]) == Fraction(found.first_pts, 90_000)


def test_without_times_frames_are_counted_from_the_beginning(tmp_path: Path) -> None:
    raw = write(tmp_path / "a.h264", *constant(30, Fraction(25)), options=GROUPS)
    found = survey_range(str(raw), Fraction(1, 5), Fraction(2, 5))
    assert (found.seekable, found.first_frame_number, len(found.pts)) == (False, 5, 5)
    assert (found.start_seconds, found.end_seconds) == (Fraction(1, 5), Fraction(2, 5))
    assert found.container_start_seconds == 0
