"""OTIO files read back with plain JSON, and by the library."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
from timeline_samples import HOSTILE, MONO, NTSC24, STARTS, STEREO, Known, known, several, timeline, variable, wanted

from app.timelines.writing import WrittenList, write_timeline

otio = pytest.importorskip("opentimelineio", reason="OpenTimelineIO has no wheel for this system")


def write(folder: Path, clips: list[Known], **more: Any) -> tuple[WrittenList, Any]:
    written = write_timeline(timeline(clips, **more), "otio", folder, "selects")
    return written, json.loads(written.path.read_bytes())


def reference(clip: Any) -> Any:
    return clip["media_references"][clip["active_media_reference_key"]]


def cuts(track: Any) -> list[tuple[int, int, int]]:
    """By plain JSON: (first, one past the last, place) of what lies on the track; gaps too."""
    found, at = [], 0
    for clip in track["children"]:
        start, length = clip["source_range"]["start_time"], clip["source_range"]["duration"]
        assert start["rate"] == length["rate"]
        found.append((start["value"], start["value"] + length["value"], at))
        at += length["value"]
    return found


@pytest.mark.parametrize(("rate", "timecode", "label"), STARTS)
@pytest.mark.parametrize("drop", [False, True])
def test_every_cut_reads_back_to_the_frame(
    rate: Fraction, timecode: str, label: int, drop: bool, tmp_path: Path
) -> None:
    clips = several(rate, timecode, label)
    _, read = write(tmp_path, clips, drop_frame=drop, start_timecode="01:00:00:00")
    video, audio = read["tracks"]["children"]
    assert (video["kind"], audio["kind"]) == ("Video", "Audio")
    assert cuts(video) == wanted(clips)
    schemas = [child["OTIO_SCHEMA"].split(".")[0] for child in audio["children"]]
    assert schemas == ["Clip" if each.clip.has_audio else "Gap" for each in clips]
    assert [cut[2] for cut in cuts(audio)] == [cut[2] for cut in wanted(clips)]
    for clip, each in zip(video["children"], clips, strict=True):
        assert clip["source_range"]["duration"]["rate"] == pytest.approx(float(rate), abs=1e-12)
        available = reference(clip)["available_range"]
        assert (available["start_time"]["value"], available["duration"]["value"]) == (label, 100_000)
        assert reference(clip)["target_url"] == f"file://{each.clip.path}"
        ours = clip["metadata"]["prismsearch"]
        assert (ours["in_frame"], ours["out_frame"]) == (each.first, each.last)
        assert Fraction(ours["start_seconds"]) == each.clip.start_seconds
        assert Fraction(ours["frame_rate"]) == rate
        assert ours["drop_frame"] == (";" in timecode)
    dropping = drop and round(rate) in (30, 60)
    hour = {30: 107_892, 60: 215_784}[round(rate)] if dropping else 3600 * round(rate)
    assert read["global_start_time"]["value"] == hour


def test_a_timeline_without_sound_has_no_audio_track(tmp_path: Path) -> None:
    _, read = write(tmp_path, [known(0, 50), known(60, 70)])
    assert [track["kind"] for track in read["tracks"]["children"]] == ["Video"]


def test_each_sound_track_is_on_a_track_of_its_own(tmp_path: Path) -> None:
    sounds = [(), (MONO,), (STEREO, MONO), (MONO,) * 4]
    _, read = write(tmp_path, [known(0, 5, has_audio=bool(sound), audio=sound) for sound in sounds])
    video, *audio = read["tracks"]["children"]
    assert [track["name"] for track in audio] == ["A1", "A2", "A3", "A4"]
    placed = [[child["OTIO_SCHEMA"].split(".")[0] for child in track["children"]] for track in audio]
    assert placed == [
        ["Gap", "Clip", "Clip", "Clip"],
        ["Gap", "Gap", "Clip", "Clip"],
        ["Gap", "Gap", "Gap", "Clip"],
        ["Gap", "Gap", "Gap", "Clip"],
    ]
    last = [track["children"][-1]["metadata"]["prismsearch"]["audio_track"] for track in audio]
    assert last == [1, 2, 3, 4]
    stated = [clip["metadata"]["prismsearch"]["audio_channels"] for clip in video["children"]]
    assert stated == [[], [1], [2, 1], [1, 1, 1, 1]]


def test_the_library_reads_it_and_finds_clips_in_their_files(tmp_path: Path) -> None:
    clips = [known(0, 50, has_audio=True), *variable(), known(48, 72, NTSC24, timecode="01:00:00:00", label=86_400)]
    written, _ = write(tmp_path, clips, frame_rate=Fraction(25))
    read = otio.adapters.read_from_file(str(written.path))
    assert read.name == "Selects"
    for clip, each in zip(read.video_tracks()[0].find_clips(), clips, strict=True):
        found = clip.source_range
        assert (found.start_time.value, found.end_time_exclusive().value) == (
            each.label + each.first,
            each.label + each.last,
        )
        there = clip.available_range()
        assert there.start_time <= found.start_time
        assert found.end_time_exclusive() <= there.end_time_exclusive()
    lengths = [Fraction(each.last - each.first) / each.rate for each in clips]
    assert read.duration().to_seconds() == pytest.approx(float(sum(lengths)), abs=1e-6)
    assert any("varies" in note for note in written.notes)


def test_hostile_names_and_notes_come_back_whole(tmp_path: Path) -> None:
    clips = [known(0, 5, path=path, note=f"\x00{path}", score=float("nan"), rank=4) for path in HOSTILE]
    written, read = write(tmp_path, clips, name="a\n\ud800b")
    assert read["name"] == "a \ufffdb"
    for clip, path in zip(read["tracks"]["children"][0]["children"], HOSTILE, strict=True):
        url = reference(clip)["target_url"]
        if path.startswith("/"):
            assert unquote_to_bytes(url.removeprefix("file://")) == path.encode(errors="surrogateescape")
        assert clip["metadata"]["prismsearch"]["rank"] == 4
        assert "score" not in clip["metadata"]["prismsearch"]
    assert "clip 5: the file's name is not UTF-8" in written.notes[-1]
