"""Every frame a file still holds, at times that only ever grow, or one sentence why there is none."""

from __future__ import annotations

import dataclasses
import itertools
import os
import random
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import pytest
from synthetic import make_audio, make_video, picture

from indexer.media.clock import Clock
from indexer.media.decode import Decoding, Frame, no_frames_error, video_end
from indexer.media.errors import UnreadableVideo
from indexer.media.packets import read_packets
from indexer.media.probe import open_source


def read(path: str | Path, threads: int = 0) -> tuple[list[Frame], Decoding]:
    with open_source(os.fspath(path), threads=threads) as source:
        decoding = Decoding(source)
        return list(decoding), decoding


def seconds(frames: list[Frame], base: Fraction) -> list[float]:
    return [float((frame.pts - frames[0].pts) * base) for frame in frames]


CONTAINERS = [
    ("plain.mp4", "libx264", {"bf": "3", "preset": "veryfast", "g": "12"}, {}),
    ("fragments.mp4", "libx264", {"bf": "3", "g": "12"}, {"movflags": "frag_keyframe+empty_moov"}),
    ("matroska.mkv", "libx264", {"bf": "3", "preset": "veryfast", "g": "12"}, {}),
    ("vp9.webm", "libvpx-vp9", {"deadline": "realtime", "cpu-used": "8", "g": "12"}, {}),
    ("avi reordered.avi", "libx264", {"bf": "3", "preset": "veryfast", "g": "12"}, {}),
    ("avi.avi", "mpeg4", {"g": "12"}, {}),
    ("transport.ts", "libx264", {"bf": "3", "preset": "veryfast", "g": "12"}, {}),
    ("program.mpg", "mpeg2video", {"bf": "2", "g": "12"}, {}),
    ("raw.h264", "libx264", {"bf": "3", "preset": "veryfast", "g": "12"}, {}),
    ("quicktime.mov", "mjpeg", {}, {}),
]


@pytest.mark.parametrize(("name", "codec", "options", "muxer"), CONTAINERS, ids=[case[0] for case in CONTAINERS])
def test_frames_come_in_order_at_the_right_times_from_any_container(
    tmp_path: Path, name: str, codec: str, options: dict[str, str], muxer: dict[str, str]
) -> None:
    path = make_video(
        tmp_path / name,
        [("ramp", 30)],
        codec=codec,
        pix_fmt="yuvj420p" if codec == "mjpeg" else "yuv420p",
        options=options,
        container_options=muxer,
    )
    frames, decoding = read(path)
    base = decoding.source.time_base
    assert len(frames) == 30
    assert seconds(frames, base) == pytest.approx([k / 25 for k in range(30)], abs=0.0011)
    # The grey of the ramp says which frame it is: the order shown, not the order stored.
    greys = [float(frame.picture.to_ndarray(format="gray").mean()) for frame in frames]
    assert greys == sorted(greys)
    assert decoding.damaged == 0
    assert decoding.clock.synthesized == (name == "raw.h264")


@pytest.mark.parametrize(
    ("name", "rate", "step"), [("a.mp4", 25, 512), ("a.mkv", 25, 40), ("a.mkv", Fraction(30000, 1001), 33)]
)
def test_a_frame_lasts_one_step_where_nothing_else_is_known(
    tmp_path: Path, name: str, rate: Fraction | int, step: int
) -> None:
    with open_source(os.fspath(make_video(tmp_path / name, [("red", 3)], rate=rate))) as source:
        assert source.step == step
        assert dataclasses.replace(source, nominal_rate=Fraction(1000), time_base=Fraction(1, 90)).step == 1


@pytest.mark.parametrize(
    ("brand", "is_picture"),
    [*((brand, True) for brand in ("heic", "heix", "heim", "heis", "mif1", "avif", "avis", "miaf")), ("isom", False)],
)
def test_files_of_picture_formats_built_like_mp4_may_be_pictures(tmp_path: Path, brand: str, is_picture: bool) -> None:
    path = make_video(tmp_path / "a.mp4", [("red", 1)])
    data = path.read_bytes()
    assert data[4:12] == b"ftypisom"
    path.write_bytes(data[:8] + brand.encode() + data[12:])
    with open_source(os.fspath(path)) as source:
        assert source.may_be_picture == is_picture


def test_variable_frame_rate_keeps_its_times(tmp_path: Path) -> None:
    times = [0, 1, 2, 3, 10, 20, 21, 22, 50, 60]
    path = make_video(tmp_path / "vfr.mp4", [("red", 10)], times=times, time_base=Fraction(1, 30))
    frames, decoding = read(path)
    assert seconds(frames, decoding.source.time_base) == pytest.approx([t / 30 for t in times])


@pytest.mark.parametrize("threads", [1, 4])
def test_damage_costs_the_damaged_frames_only(tmp_path: Path, threads: int) -> None:
    path = make_video(tmp_path / "damaged.mp4", [("noise", 60)], options={"g": "10", "bf": "0"})
    with av.open(os.fspath(path)) as container:
        places = [packet.pos for packet in container.demux(video=0) if packet.pos is not None]
    data = bytearray(path.read_bytes())
    for number in (13, 27, 44):
        data[places[number] : places[number] + 8] = b"\xff" * 8
    path.write_bytes(data)
    with av.open(os.fspath(path)) as container, pytest.raises(av.error.InvalidDataError):
        list(container.decode(video=0))  # where PyAV by itself gives up
    frames, decoding = read(path, threads)
    assert decoding.damaged == 3
    assert [frame.pts // 512 for frame in frames] == [k for k in range(60) if k not in (13, 27, 44)]


@pytest.mark.parametrize("part", [0.35, 0.6, 0.85])
def test_a_file_cut_off_gives_the_same_frames_with_and_without_frame_threads(tmp_path: Path, part: float) -> None:
    whole = make_video(
        tmp_path / "whole.mp4",
        [("noise", 40)],
        size=(96, 64),
        options={"g": "20", "bf": "2", "preset": "veryfast"},
        container_options={"movflags": "+faststart"},
    )
    cut = tmp_path / "cut.mp4"
    data = whole.read_bytes()
    cut.write_bytes(data[: int(len(data) * part)])
    one, _ = read(cut, threads=1)
    several, _ = read(cut, threads=4)
    assert 5 < len(one) < 40
    assert [frame.pts for frame in one] == [frame.pts for frame in several]


@pytest.mark.parametrize("reference_only", [False, True])
@pytest.mark.parametrize("damaged", [(5, -1), (5, -2), (5, -5), (-1,), (-2,), (-5,)])  # packets
def test_damage_at_the_end_is_counted_and_costs_no_other_frame_whatever_the_threads(
    tmp_path: Path, damaged: tuple[int, ...], reference_only: bool
) -> None:
    """With frame threads, it ends the decoder's flush: with an error (2 threads) or without a word (8)."""
    path = make_video(
        tmp_path / "damaged.mp4",
        [("noise", 40)],
        size=(96, 64),
        options={"g": "20", "bf": "2", "b_strategy": "0", "preset": "veryfast"},
    )
    with av.open(os.fspath(path)) as container:
        places = [packet.pos for packet in container.demux(video=0) if packet.pos is not None]
    data = bytearray(path.read_bytes())
    for number in damaged:
        data[places[number] : places[number] + 8] = b"\xff" * 8
    path.write_bytes(data)
    results = []
    for threads in (1, 2, 4, 8):
        with open_source(os.fspath(path), threads=threads) as source:
            decoding = Decoding(source, reference_only=reference_only)
            results.append(([frame.pts for frame in decoding], decoding.damaged))
    assert len(results[0][0]) == 40 - len(damaged)
    assert [count for _, count in results] == [len(damaged)] * 4
    assert all(result == results[0] for result in results)


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("empty.mp4", b"", "empty"),
        ("text.mp4", b"This is no video, only words.\n" * 40, "not_video"),
        ("zeros.mp4", bytes(20_000), "broken"),
        ("no index.mp4", b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41" + b"\0\0\x40\0mdat" + bytes(9000), "broken"),
        ("random.mkv", random.Random(1).randbytes(20_000), "not_video"),
    ],
)
def test_what_is_no_video_is_told_apart(tmp_path: Path, name: str, content: bytes, kind: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UnreadableVideo) as caught:
        read(path)
    assert caught.value.kind == kind
    assert caught.value.reason.endswith(".")
    assert os.fspath(path) in str(caught.value)


def test_sound_with_an_album_cover_is_no_video(tmp_path: Path) -> None:
    for path in (
        make_audio(tmp_path / "song.m4a"),
        make_audio(tmp_path / "cover.mp4", cover=picture("red", 0, (64, 64))),
    ):
        with pytest.raises(UnreadableVideo) as caught:
            read(path)
        assert caught.value.kind == "audio_only"


def test_missing_folder_and_pipe_are_refused_without_waiting(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.mp4"
    os.mkfifo(pipe)
    for path, kind in ((tmp_path / "gone.mp4", "missing"), (tmp_path, "not_video"), (pipe, "not_video")):
        with pytest.raises(UnreadableVideo) as caught:
            read(path)
        assert caught.value.kind == kind


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_permission_is_said_so(tmp_path: Path) -> None:
    path = make_video(tmp_path / "locked.mp4")
    path.chmod(0)
    with pytest.raises(UnreadableVideo) as caught:
        read(path)
    assert caught.value.kind == "permission"


@pytest.mark.parametrize(
    "name",
    [
        b"-dash.mp4",
        b"a%03d.mp4",
        b"colon:name.mp4",
        b"not utf8 \xff\xfe.mp4",
        b"space .mp4 ",
        b"q'\";#.mp4",
        "e\u0301é.mp4".encode(),
    ],
)
def test_any_name_can_be_opened(tmp_path: Path, name: bytes) -> None:
    made = make_video(tmp_path / "made.mp4", [("red", 5)])
    odd = os.path.join(os.fsencode(tmp_path), name)
    os.rename(made, odd)
    frames, _ = read(os.fsdecode(odd))
    assert len(frames) == 5


def test_a_file_that_changes_or_goes_while_it_is_read_is_noticed(tmp_path: Path) -> None:
    path = make_video(tmp_path / "growing.mp4")
    with open_source(os.fspath(path)) as source:
        source.check_unchanged()
        with path.open("ab") as file:
            file.write(b"more")
        with pytest.raises(UnreadableVideo) as changed:
            source.check_unchanged()
        path.unlink()
        with pytest.raises(UnreadableVideo) as gone:
            source.check_unchanged()
    assert (changed.value.kind, gone.value.kind) == ("error", "missing")


def test_a_video_without_a_picture_says_whether_it_is_damaged_or_empty(tmp_path: Path) -> None:
    with open_source(os.fspath(make_video(tmp_path / "a.mp4", [("red", 1)]))) as source:
        assert "all 7 packets are damaged" in str(no_frames_error(source, 7))
        assert "contains no frames" in str(no_frames_error(source, 0))


@pytest.mark.parametrize(
    ("last", "duration", "frames", "end"),
    [(100, 7, 9, 107), (100, 0, 6, 120), (100, 0, 1, 110), (3, 0, 9, 4), (0, 0, 1, 10)],
)
def test_a_video_ends_with_its_last_frame_or_after_an_average_one(
    last: int, duration: int, frames: int, end: int
) -> None:
    assert video_end(last, duration, start_pts=0, frames=frames, step=10) == end


def test_a_clock_counts_where_there_is_no_time() -> None:
    clock = Clock(step=10, second=250)
    assert [clock.next_pts(None, None, duration) for duration in (0, 7, 0, 0)] == [0, 10, 17, 27]
    assert clock.synthesized


def test_a_clock_never_stands_still_and_loses_no_frame() -> None:
    clock = Clock(step=10, second=250)
    assert [clock.next_pts(pts, None, 10) for pts in (0, 10, 10, 5, 20, 30)] == [0, 10, 11, 12, 20, 30]
    assert not clock.synthesized


def test_a_clock_follows_on_when_the_timeline_starts_again() -> None:
    clock = Clock(step=10, second=250)
    assert [clock.next_pts(pts, None, 10) for pts in (1000, 1010, 0, 10, 20)] == [1000, 1010, 1020, 1030, 1040]
    assert clock.synthesized


def test_a_clock_prefers_the_times_that_go_wrong_less() -> None:
    clock = Clock(step=1, second=25)
    shuffled = [(1, 2), (3, 3), (2, 4), (4, 5), (6, 6), (5, 7), (8, 8), (7, 9)]
    placed = [clock.next_pts(pts, dts, 1) for pts, dts in shuffled]
    assert placed[2:] == [dts for _, dts in shuffled[2:]]
    assert all(before < after for before, after in itertools.pairwise(placed))


def test_a_disk_that_stops_is_not_taken_for_the_end_of_the_video(tmp_path: Path) -> None:
    path = make_video(tmp_path / "on a stick.mp4", [("noise", 30)])

    class Unplugged:
        """A container whose disk answers ten times more."""

        def __init__(self, container: object) -> None:
            self.container = container

        def __getattr__(self, name: str) -> object:
            return getattr(self.container, name)

        def demux(self, stream: object) -> object:
            for number, packet in enumerate(self.container.demux(stream)):  # type: ignore[attr-defined]
                if number == 10:
                    raise av.error.OSError(5, "Input/output error")
                yield packet

    with open_source(os.fspath(path), threads=1) as source:
        frames = iter(Decoding(dataclasses.replace(source, container=Unplugged(source.container))))
        with pytest.raises(UnreadableVideo) as caught:
            list(frames)
        assert caught.value.kind == "error"
        assert "Input/output error" in caught.value.reason
        path.unlink()
        frames = iter(Decoding(dataclasses.replace(source, container=Unplugged(source.container))))
        with pytest.raises(UnreadableVideo) as caught:
            list(frames)
        assert caught.value.kind == "missing"


class Failing:
    """Stands in for a container and its stream: raises these errors in turn, None being a packet, then ends."""

    def __init__(self, reading: list[Exception | None], decoding: Exception | None, flush: Exception | None) -> None:
        self.reading, self.errors = iter(reading), {True: decoding, False: flush}
        self.container = self.stream = self.codec_context = self
        self.step, self.time_base, self.decoding_times_only, self.thread_count = 1, Fraction(1, 25), False, 1
        self.index, self.free_running_clock = 0, False

    def demux(self, stream: object) -> Any:
        for error in self.reading:
            if error is not None:
                raise error
            yield SimpleNamespace(
                size=1,
                pos=0,
                pts=0,
                dts=0,
                duration=1,
                time_base=self.time_base,
                is_discard=False,
                is_keyframe=True,
                stream_index=0,
            )

    def decode(self, packet: object) -> list[Any]:
        error = self.errors[packet is not None]
        if error is not None:
            raise error
        return []


def decoding(
    reading: list[Exception | None], decode: Exception | None = None, flush: Exception | None = None
) -> Decoding:
    source: Any = Failing(reading, decode, flush)
    return Decoding(source)


NO_MEMORY = av.error.MemoryError(12, "Cannot allocate memory")
INVALID = av.error.InvalidDataError(1, "Invalid data found")


@pytest.mark.parametrize(
    "failing",
    [
        decoding([NO_MEMORY]),
        decoding([None], decode=NO_MEMORY),
        decoding([None], flush=NO_MEMORY),
    ],
    ids=["reading", "decoding", "the flush"],
)
def test_a_lack_of_memory_is_not_taken_for_damage(failing: Decoding) -> None:
    with pytest.raises(MemoryError, match="Cannot allocate"):
        list(failing)
    assert failing.damaged == 0


def test_damage_to_a_packet_or_the_flush_is_counted_once_each() -> None:
    failing = decoding([None, None], decode=INVALID, flush=INVALID)
    assert list(failing) == []
    assert failing.damaged == 3
    ended = decoding([None, None], decode=INVALID, flush=av.error.EOFError(1, "End of file"))
    assert list(ended) == []
    assert ended.damaged == 2


@pytest.mark.parametrize(
    ("reading", "damaged"),
    [
        ([INVALID] * 100, 32),
        ([INVALID] * 31, 31),
        ([*[INVALID] * 31, None, *[INVALID] * 100], 31 + 32),
        ([None, *[INVALID] * 100], 32),
    ],
)
def test_reading_ends_after_32_errors_in_a_row(reading: list[Exception | None], damaged: int) -> None:
    failing = decoding(reading)
    assert list(failing) == []
    assert failing.damaged == damaged


def test_a_demuxer_that_asks_for_patience_costs_no_packet_and_repeats_none() -> None:
    source: Any = Failing([None, av.error.BlockingIOError(11, "Resource temporarily unavailable"), None], None, None)
    assert len(list(read_packets(source, [0]))) == 2
