"""Attempts of an exact cut: what is tried again from further back, and what is said of a file that is damaged."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
from numbered import write

from app.exporting import cut_exact
from app.exporting.clip_writer import write_clips
from app.exporting.ffmpeg_binary import ExportError
from app.exporting.request import ClipRequest
from app.exporting.survey import Survey
from app.exporting.tracks import SoundTrack

SURVEY = Survey(
    path="a.mp4",
    format_name="mp4",
    codec="h264",
    video_index=0,
    audio_index=1,
    sound=(SoundTrack(index=1, number=1),),
    time_base=Fraction(1, 25),
    frame_rate=Fraction(25),
    first_pts=0,
    pts=(10, 11, 12, 13, 14),
    end_pts=15,
    first_frame_number=None,
    container_start_seconds=Fraction(0),
    high_bit_depth=False,
    is_rgb=False,
)


@pytest.fixture
def encoder(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """In place of ffmpeg: `counts` of frames, attempt by attempt; `sound`: the error of attempts with sound."""
    state: dict[str, Any] = {"counts": [], "sound": None, "leads": []}

    def encode(program: str, survey: Survey, draft: Path, lead: Fraction | None, on_progress: Any, draw: Any) -> int:
        if survey.sound and state["sound"]:
            raise ExportError(state["sound"])
        state["leads"].append(lead)
        count: int | str = state["counts"].pop(0)
        if isinstance(count, str):
            raise ExportError(count)
        return count

    monkeypatch.setattr(cut_exact, "_encode", encode)
    return state


@pytest.mark.parametrize(
    ("counts", "leads"),
    [
        ([5], [1]),
        ([1, 5], [1, 5]),
        ([0, 5], [1, 5]),
        ([2, 4, 5], [1, 5, 30]),
        ([0, 1, 2, 5], [1, 5, 30, None]),
    ],
)
def test_a_seek_that_landed_too_late_goes_further_back(
    counts: list[int], leads: list[int | None], encoder: dict[str, Any]
) -> None:
    encoder["counts"] = list(counts)
    cut = cut_exact.cut_exact("ffmpeg", SURVEY, Path("draft"))
    assert (cut.frames, cut.has_audio, cut.note, cut.suffix) == (5, True, None, ".mp4")
    assert encoder["leads"] == leads


@pytest.mark.parametrize(
    ("counts", "attempts", "frames"), [([3, 3], 2, 3), ([1, 1], 2, 1), ([1, 2, 2], 3, 2), ([1, 2, 3, 4], 4, 4)]
)
def test_frames_that_no_attempt_finds_are_said_to_be_damaged(
    counts: list[int], attempts: int, frames: int, encoder: dict[str, Any]
) -> None:
    encoder["counts"] = list(counts)
    cut = cut_exact.cut_exact("ffmpeg", SURVEY, Path("draft"))
    assert (cut.frames, len(encoder["leads"])) == (frames, attempts)
    assert cut.note == f"{frames} of 5 frames, because the file is damaged there"


def test_no_frame_at_all_is_an_error(encoder: dict[str, Any]) -> None:
    encoder["counts"] = [0, 0]
    with pytest.raises(ExportError, match="could decode no frame"):
        cut_exact.cut_exact("ffmpeg", SURVEY, Path("draft"))


def test_what_cannot_be_sought_is_read_once_from_the_beginning(encoder: dict[str, Any]) -> None:
    encoder["counts"] = [4]
    cut = cut_exact.cut_exact("ffmpeg", replace(SURVEY, first_frame_number=10), Path("draft"))
    assert (cut.frames, encoder["leads"]) == (4, [None])
    assert cut.note == "4 of 5 frames, because the file is damaged there"


def test_sound_that_fails_alone_is_left_out_and_said(encoder: dict[str, Any]) -> None:
    encoder |= {"sound": "ffmpeg: no decoder", "counts": [5]}
    cut = cut_exact.cut_exact("ffmpeg", SURVEY, Path("draft"))
    assert (cut.frames, cut.has_audio, cut.note) == (5, False, "without its sound (ffmpeg: no decoder)")
    encoder["counts"] = [4, 4]
    cut = cut_exact.cut_exact("ffmpeg", SURVEY, Path("draft"))
    assert cut.note == "4 of 5 frames, because the file is damaged there; without its sound (ffmpeg: no decoder)"
    encoder["counts"] = ["ffmpeg: nothing works"]
    with pytest.raises(ExportError, match="no decoder"):
        cut_exact.cut_exact("ffmpeg", SURVEY, Path("draft"))
    encoder["counts"] = ["ffmpeg: nothing works"]
    with pytest.raises(ExportError, match="nothing works"):
        cut_exact.cut_exact("ffmpeg", replace(SURVEY, sound=()), Path("draft"))


def test_times_finer_than_a_microsecond_are_rounded_to_one(tmp_path: Path) -> None:
    times = [0, 333_333, 666_667, 1_000_001, 1_333_334, 1_666_669]
    source = write(tmp_path / "fine.mp4", times, Fraction(1, 10_000_000), rate=Fraction(30))
    asked = ClipRequest(path=str(source), start_seconds=Fraction(times[1], 10_000_000), end_seconds=Fraction(1, 6))
    (clip,) = write_clips([asked], tmp_path / "clips")
    assert clip.error is None
    with av.open(str(clip.file)) as container:
        stream = container.streams.video[0]
        assert stream.time_base == Fraction(1, 1_000_000)
        found = [frame.pts for frame in container.decode(stream)]
    assert found == [round((each - times[1]) / 10) for each in times[1:5]]
