"""Facts of sources for edit lists: the same through the library as from the file itself."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from synthetic import make_video

from app.exporting.source_facts import SourceFacts
from encoder import ClipSpec
from indexer.settings import IndexSettings
from indexer.video_pass import VideoPass

KINDS: dict[str, dict[str, Any]] = {
    "plain.mp4": {"audio_seconds": 0.4},
    "portrait.mp4": {"rotation": 90},
    "upside down.mp4": {"rotation": 180, "mirrored": True},
    "anamorphic.mp4": {"sample_aspect": Fraction(64, 45)},
    "both.mp4": {"rotation": 270, "sample_aspect": Fraction(4, 3)},
    "dropped.mp4": {"times": [at for at in range(40) if at % 10 != 9], "time_base": Fraction(1, 30), "rate": 30},
    "slow.mp4": {"rate": Fraction(25, 2)},
    "film.mkv": {"rate": Fraction(24000, 1001)},
}  # fmt: skip


def indexed(path: Path) -> Any:
    video_pass = VideoPass(str(path), ClipSpec(2, 16), IndexSettings(), fingerprint="content")
    list(video_pass)
    return video_pass.video


def made(folder: Path, name: str) -> Path:
    options = dict(KINDS[name])
    return make_video(folder / name, [("red", len(options.get("times", range(12))))], **options)


@pytest.mark.parametrize("name", KINDS)
def test_library_and_file_state_the_same(name: str, tmp_path: Path) -> None:
    path = made(tmp_path, name)
    through_library, from_file = SourceFacts.of_video(indexed(path)), SourceFacts.of_file(str(path))
    assert from_file is not None
    assert replace(from_file, video_seconds=Fraction(0), frame_rate=Fraction(1)) == replace(
        through_library, video_seconds=Fraction(0), frame_rate=Fraction(1)
    )
    assert abs(from_file.video_seconds - through_library.video_seconds) < Fraction(1, 20)
    assert from_file.varies is through_library.varies is False


@pytest.mark.parametrize(
    ("name", "size", "rate"),
    [
        ("portrait.mp4", (48, 64), 25),
        ("upside down.mp4", (64, 48), 25),
        ("anamorphic.mp4", (91, 48), 25),
        ("both.mp4", (48, 85), 25),
        ("dropped.mp4", (64, 48), 30),
        ("slow.mp4", (64, 48), Fraction(25, 2)),  # timecode counts each frame twice, numbers of frames once
        ("film.mkv", (64, 48), Fraction(24000, 1001)),
    ],
)
def test_size_as_shown_and_nominal_rate(name: str, size: tuple[int, int], rate: Fraction | int, tmp_path: Path) -> None:
    facts = SourceFacts.of_file(str(made(tmp_path, name)))
    assert facts is not None
    assert ((facts.width, facts.height), facts.rate) == (size, rate)
    assert facts.square_pixels == (name not in ("anamorphic.mp4", "both.mp4"))


def test_a_file_that_cannot_be_opened_has_none(tmp_path: Path) -> None:
    assert SourceFacts.of_file(str(tmp_path / "gone.mp4")) is None
    (tmp_path / "text.mp4").write_text("no video")
    assert SourceFacts.of_file(str(tmp_path / "text.mp4")) is None


def test_a_video_whose_header_was_never_read_is_counted_by_its_average(tmp_path: Path) -> None:
    video = replace(indexed(made(tmp_path, "dropped.mp4")), facts=None, frame_rate=Fraction(2987, 100))
    facts = SourceFacts.of_video(video)
    assert facts.rate == Fraction(30000, 1001)
    assert (facts.audio, facts.field_order, facts.reel, facts.varies) == ((), "", "", False)


@pytest.mark.parametrize(
    ("average", "seconds", "varies"),
    [
        (Fraction(2997, 100), 100, False),  # 3 of 3000 frames were dropped
        (Fraction(298, 10), 600, False),  # a phone that drops some
        (Fraction(284, 10), 10, True),
        (Fraction(31), 10, True),
        (Fraction(28), 1, False),  # 2 frames: the end of a short clip
        (Fraction(1), 600, True),  # a screen that stands still
    ],
)
def test_some_dropped_frames_are_no_rate_that_varies(average: Fraction, seconds: int, varies: bool) -> None:
    facts = SourceFacts(video_seconds=Fraction(seconds), frame_rate=average, stated_rate=Fraction(30))
    assert facts.varies is varies


def test_the_length_of_a_recording_whose_clock_jumps_is_that_of_its_frames(tmp_path: Path) -> None:
    """Two recordings in one file, the second from hours later on."""
    parts = [
        make_video(
            tmp_path / f"{start}.ts", [("noise", 25)], times=[start + at for at in range(25)], time_base=Fraction(1, 25)
        )
        for start in (0, 90_000 * 13)
    ]
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    facts = SourceFacts.of_file(str(joined))
    assert facts is not None
    assert float(facts.video_seconds) == pytest.approx(2, abs=0.1)
    assert facts.rate == 25


@pytest.mark.parametrize(("start", "tagged"), [(0, True), (100, True), (0, False), (100, False)])
def test_the_length_of_matroska_is_that_of_the_pictures(start: int, tagged: bool, tmp_path: Path) -> None:
    """Its sound is longer; its times need not begin at 0."""
    times = [start * 1000 + 40 * at for at in range(25)]
    seconds = 1.5 if tagged else 0.5
    path = make_video(
        tmp_path / "a.mkv",
        [("red", 25)],
        times=times,
        time_base=Fraction(1, 1000),
        audio_seconds=0 if start else seconds,
    )
    if not tagged:
        path.write_bytes(path.read_bytes().replace(b"DURATION", b"NOTHINGS"))
    facts = SourceFacts.of_file(str(path))
    assert facts is not None
    assert float(facts.video_seconds) == pytest.approx(1, abs=0.001)
