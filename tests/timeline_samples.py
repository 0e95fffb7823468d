"""Clips whose frame numbers are known beforehand, and names no file should have, for the tests of edit lists."""

from __future__ import annotations

import random
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from app.timelines.model import Timeline, TimelineClip
from db.media_facts import AudioTrack

NTSC24, NTSC30, NTSC60 = Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60000, 1001)
RATES = (Fraction(25), NTSC30, NTSC24, Fraction(50), Fraction(60), Fraction(24), Fraction(30), NTSC60)
STARTS = [
    *[(rate, "", 0) for rate in RATES],
    (Fraction(25), "01:00:00:00", 90_000),
    (Fraction(25), "10:59:58:20", 989_970),
    (NTSC24, "01:00:00:00", 86_400),
    (Fraction(50), "01:00:00:49", 180_049),
    (Fraction(60), "00:00:10:00", 600),
    (NTSC30, "01:00:00:00", 108_000),
    (NTSC30, "01:00:00;00", 107_892),
    (NTSC30, "09:59:59;29", 1_078_919),
    (NTSC60, "01:00:00;00", 215_784),
    (NTSC60, "01:00:00:00", 216_000),
    (Fraction(30), "01:00:00;00", 107_892),
    (Fraction(60), "00:01:00;04", 3_600),
]
"""Rates with start timecodes, and the frames that these say."""
HOSTILE = (
    "/films/plain.mp4",
    "/films/mit Leerzeichen & Umlauten äöü/日本語 \U0001f3ac.mov",
    "/films/q\"uo'te#hash?query%41<script>alert(1)</script>&amp;.mp4",
    "/films/line\nbreak\r\nand\ttab\x01\x1b[31m.mp4",
    "/films/not utf-8 \udcff\udce9.mp4",
    "/films/back\\slash]]>--.mp4",
    "/films/=cmd|' /C calc'!A0;=1+1.mp4",
    "/films/" + "x" * 200 + ".mp4",
    "C:\\Users\\Zoë\\My Films\\a#1.mov",
    "D:/forward/slash.mov",
    "\\\\server\\share name\\take 1%.mxf",
    "\\\\?\\C:\\very long\\a.mov",
    "\\\\?\\UNC\\nas\\raw\\b.mov",
)


MONO, STEREO, SURROUND = (
    AudioTrack(codec="pcm_s16le", channels=channels, layout=layout)
    for channels, layout in ((1, "mono"), (2, "stereo"), (6, "5.1"))
)


@dataclass(frozen=True)
class Known:
    """A clip and what every list must say about it: source frames, and frames before the file's first label."""

    clip: TimelineClip
    rate: Fraction
    first: int
    last: int  # one past
    label: int = 0


def known(first: int, last: int, rate: Fraction = Fraction(25), **more: Any) -> Known:
    """Frames [first, last) of a file of 100,000 frames at a constant rate."""
    label = more.pop("label", 0)
    values: dict[str, Any] = {
        "name": "",
        "path": "/films/a.mp4",
        "video_seconds": 100_000 / rate,
        "width": 1920,
        "height": 1080,
    }
    clip = TimelineClip(start_seconds=first / rate, end_seconds=last / rate, frame_rate=rate, **(values | more))
    return Known(clip, rate, first, last, label)


def several(rate: Fraction, timecode: str = "", label: int = 0, seed: int = 1, clips: int = 12) -> list[Known]:
    """Clips of three files at one rate; some with times rounded to milliseconds, as Matroska keeps them."""
    chance = random.Random(seed)
    made = []
    for number in range(clips):
        first = chance.randrange(0, 90_000)
        last = first + chance.choice([1, 2, 7, 250, 9_999])
        each = known(
            first,
            last,
            rate,
            path=f"/films/{number % 3}.mp4",
            name=f"take {number}",
            has_audio=number % 3 != 1,
            timecode=timecode,
            label=label,
        )
        if number % 4 == 3:
            rounded = {name: Fraction(round(getattr(each.clip, name) * 1000), 1000) for name in _TIMES}
            each = Known(_changed(each.clip, **rounded), rate, first, last, label)
        made.append(each)
    return made


def variable() -> list[Known]:
    """A phone's video of 29.87 frames a second on average, which programs count at 29.97."""
    made = []
    for start, end in ((Fraction(0), Fraction(7, 3)), (Fraction(123457, 1000), Fraction(125, 1)), (600, Fraction(611))):
        clip = TimelineClip(
            name="phone",
            path="/films/phone.mp4",
            start_seconds=Fraction(start),
            end_seconds=end,
            video_seconds=Fraction(700),
            frame_rate=Fraction(2987, 100),
            width=1080,
            height=1920,
            has_audio=True,
        )
        made.append(Known(clip, NTSC30, round(start * NTSC30), round(end * NTSC30)))
    return made


def rate_of_opentimelineio(rate: Fraction, text: str) -> float:
    """The rate at which OpenTimelineIO can read this text.

    It knows drop-frame labels at 29.97 and 59.94 only, where they count the same frames as at 30 and 60.
    """
    return float(rate * Fraction(1000, 1001) if ";" in text and rate in (30, 60) else rate)


def timeline(clips: list[Known], **more: Any) -> Timeline:
    return Timeline(name=more.pop("name", "Selects"), clips=tuple(each.clip for each in clips), **more)


def wanted(clips: list[Known]) -> list[tuple[int, int, int]]:
    """(first, one past the last, place) of clips at the timeline's rate; the first two counted from 00:00:00:00."""
    at, cuts = 0, []
    for each in clips:
        cuts.append((each.label + each.first, each.label + each.last, at))
        at += each.last - each.first
    return cuts


_TIMES = ("start_seconds", "end_seconds")


def _changed(clip: TimelineClip, **values: Any) -> TimelineClip:
    from dataclasses import replace

    return replace(clip, **values)


def cuts(track: Any) -> list[tuple[float, float, float]]:
    """What OpenTimelineIO found on a track: (first, one past the last, place) of each clip, the first two from
    00:00:00:00 of the file's timecode, at the file's rate."""
    found = []
    for clip in track.find_clips():
        source = clip.source_range
        at = clip.trimmed_range_in_parent().start_time
        found.append((source.start_time.value, source.end_time_exclusive().value, at.value))
    return found
