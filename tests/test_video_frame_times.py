"""Times of frames from packets: those that decoding finds, or none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from synthetic import make_video

from indexer.media import frame_times
from indexer.media.decode import Decoding
from indexer.media.frame_times import packet_times
from indexer.media.probe import open_source

REORDERED = {"bf": "3", "preset": "veryfast", "g": "12"}


def decoded_times(path: Path) -> tuple[list[int], Fraction]:
    with open_source(str(path)) as source:
        return [frame.pts for frame in Decoding(source)], source.time_base


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_they_are_the_times_that_decoding_finds(tmp_path: Path, name: str) -> None:
    path = make_video(tmp_path / name, [("red", 100)], options=REORDERED)
    every, base = decoded_times(path)
    for start, end in ((0, 4), (0, 1), (1, 2), (Fraction(151, 100), Fraction(16, 10)), (3, 60), (2, 2), (50, 60)):
        wanted = [pts for pts in every if start <= (pts - every[0]) * base < end]
        assert packet_times(str(path), every[0], Fraction(start), Fraction(end)) == wanted
    assert packet_times(str(path), every[10], Fraction(-1), Fraction(1, 10)) == every[10:13], "earlier frames are lost"


def test_a_file_with_another_number_of_frames_has_lost_some(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", [("red", 10)])
    every, _ = decoded_times(path)
    for frames, wanted in ((10, every), (9, None), (11, None)):
        assert packet_times(str(path), every[0], Fraction(0), Fraction(1), frames=frames) == wanted


@pytest.mark.parametrize(("name", "codec"), [("a.avi", "libx264"), ("a.ts", "libx264"), ("a.mp4", "mpeg4")])
def test_where_a_packet_may_not_be_one_frame_there_are_none(tmp_path: Path, name: str, codec: str) -> None:
    path = make_video(tmp_path / name, [("red", 10)], codec=codec)
    assert packet_times(str(path), 0, Fraction(0), Fraction(1)) is None


@pytest.mark.parametrize("late", range(6))
def test_a_seek_that_lands_too_late_begins_earlier(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, late: int) -> None:
    path = make_video(tmp_path / "slow.mp4", [("red", 120)], rate=2, options={"g": "4"})
    every, _ = decoded_times(path)
    wanted = packet_times(str(path), every[0], Fraction(50), Fraction(52))
    read, begun = frame_times._read, list[int]()

    def landing_late(source: Any, low: int, high: int, *, from_key_frame: bool) -> list[int] | None:
        if len(begun) < late:
            begun.append(next(iter(source.container.demux(source.stream))).pts)
            return None
        return read(source, low, high, from_key_frame=from_key_frame)

    monkeypatch.setattr(frame_times, "_read", landing_late)
    found = packet_times(str(path), every[0], Fraction(50), Fraction(52))
    assert found == (wanted if late < 5 else None)
    assert wanted == every[100:104]
    assert begun == sorted(set(begun), reverse=True), "each attempt begins earlier"
    assert begun[4:] == every[:1] * (late == 5), "the last at the beginning"


@dataclass
class Packet:
    pts: int | None
    is_keyframe: bool = True
    size: int = 1
    is_discard: bool = False
    is_corrupt: bool = False


def times_in(packets: list[Packet], low: int, high: int, *, seek: bool = False) -> tuple[list[int] | None, int]:
    """The times in [low, high), and how many packets were read."""
    given = 0

    def demux(_: object) -> Iterator[Packet]:
        nonlocal given
        for packet in packets:
            given += 1
            yield packet

    source: Any = SimpleNamespace(container=SimpleNamespace(demux=demux), stream=None)
    return frame_times._read(source, low, high, from_key_frame=seek), given


def test_reading_ends_soon_after_the_range_but_not_before_frames_stored_late() -> None:
    stored = [0, 1, 2, *range(10, 26), 3, *range(26, 1000)]  # 3 comes after 16 frames that are shown later
    found, given = times_in([Packet(pts) for pts in stored], 1, 10)
    assert found == [1, 2, 3]
    assert given < 100


def test_after_a_seek_reading_begins_with_a_key_frame_at_or_before_the_range() -> None:
    assert times_in([Packet(5), Packet(6, False), Packet(7, False)], 5, 7, seek=True)[0] == [5, 6]
    assert times_in([Packet(6), Packet(7, False)], 5, 8, seek=True)[0] is None, "too late"
    assert times_in([Packet(4, False), Packet(5)], 5, 8, seek=True)[0] is None, "in the middle of a group"
    assert times_in([Packet(4, False), Packet(5)], 4, 8)[0] == [4, 5], "the beginning of a file needs no key frame"


def test_packets_that_show_nothing_are_passed_over_and_unknown_times_end_it() -> None:
    shown = [Packet(1), Packet(3), Packet(2)]
    assert times_in([*shown, Packet(None, size=0), Packet(4, is_discard=True)], 0, 9)[0] == [1, 2, 3]
    assert times_in([*shown, Packet(None)], 0, 9)[0] is None
    assert times_in([*shown, Packet(4, is_corrupt=True)], 0, 9)[0] is None
    assert times_in([*shown, Packet(3)], 0, 9)[0] is None, "decoding would move one of them"


def test_a_file_that_claims_too_many_frames_is_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame_times, "_MAX_FRAMES", 5)
    packets = [Packet(pts) for pts in range(9)]
    assert times_in(packets, 0, 5)[0] == [0, 1, 2, 3, 4]
    assert times_in(packets, 0, 6)[0] is None
