"""Decoding only the frames that others refer to: counted and timed as if all were decoded, cut where shots begin."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import av
import numpy as np
import pytest
from synthetic import Pattern, make_video

from encoder import ClipSpec
from indexer.media.decode import Decoding
from indexer.media.hardware import DeviceUnavailable, choose_device
from indexer.media.probe import open_source
from indexer.settings import IndexSettings
from indexer.video_pass import SegmentClip, VideoPass

SPEC = ClipSpec(8, 32)
SHOTS: list[tuple[Pattern, int]] = [("red", 41), ("cyan", 37), ("green", 44)]
CODECS = [
    ("mp4", "libx264", {"preset": "veryfast", "bf": "3", "g": "60"}),
    ("mkv", "libx265", {"x265-params": "bframes=4:keyint=60:log-level=0"}),
    ("webm", "libvpx-vp9", {"deadline": "realtime", "cpu-used": "8", "g": "60"}),
]


def video(folder: Path, kind: tuple[str, str, dict[str, str]]) -> Path:
    extension, codec, options = kind
    return make_video(folder / f"shots.{extension}", SHOTS, codec=codec, options=options)


def indexed(path: Path, decode: str) -> tuple[VideoPass, list[SegmentClip]]:
    done = VideoPass(os.fspath(path), SPEC, IndexSettings(decode=decode, detector="adaptive"), fingerprint="content")
    return done, list(done)


@pytest.mark.parametrize("kind", CODECS, ids=lambda kind: kind[1])
def test_every_frame_is_told_of_decoded_or_not(tmp_path: Path, kind: tuple[str, str, dict[str, str]]) -> None:
    path = video(tmp_path, kind)
    with open_source(os.fspath(path)) as source:
        shown = [frame.pts for frame in Decoding(source)]
    with open_source(os.fspath(path)) as source:
        decoding = Decoding(source, reference_only=True)
        told, decoded = [], 0
        for frame in decoding:
            told += [*frame.skipped, frame.pts]
            decoded += 1
        told += decoding.skipped_after
    assert told == shown
    if kind[1] != "libvpx-vp9":  # whose frames nearly all refer to each other
        assert decoded < 0.8 * len(shown)


@pytest.mark.parametrize("kind", CODECS[:2], ids=lambda kind: kind[1])
def test_the_video_and_its_shots_are_the_same(tmp_path: Path, kind: tuple[str, str, dict[str, str]]) -> None:
    path = video(tmp_path, kind)
    (full, all_clips), (part, clips) = indexed(path, "all"), indexed(path, "reference")
    assert part.video == full.video
    frame = full.video.end_pts // full.video.frames
    late = [(a.start_pts - b.start_pts) / frame for a, b in zip(part.segments, full.segments, strict=True)]
    # An encoder that sees the cut begins anew there: that frame is decoded. Else the cut is late by what was left out.
    most = 0 if kind[1] == "libx264" else 4
    assert all(0 <= each <= most for each in late)
    for mine, exact in zip(clips, all_clips, strict=True):
        assert mine.clip.shape == exact.clip.shape
        near = np.abs(mine.clip.astype(int).mean((1, 2, 3)) - exact.clip.astype(int).mean((1, 2, 3)))
        assert near.max() < 30  # of a neighbouring frame, not of another shot


def ends_after(path: Path, frames: int) -> Path:
    """Shorten the edit list of an MP4 of 25 frames a second: players end there, though packets go on."""
    data = bytearray(path.read_bytes())
    ticks_per_second = struct.unpack_from(">I", data, data.index(b"mvhd") + 16)[0]
    struct.pack_into(">I", data, data.index(b"elst") + 12, frames * ticks_per_second // 25)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("skipped", [1, 2, 3])
def test_frames_skipped_at_the_end_belong_to_the_video(tmp_path: Path, skipped: int) -> None:
    options = {"bf": "3", "b_strategy": "0", "b-pyramid": "0"}
    whole = make_video(tmp_path / "whole.mp4", [("red", 40)], options=options)
    path = ends_after(whole, 17 + skipped)  # frame 16 is the last one shown that others refer to
    with open_source(os.fspath(path), threads=4) as source:
        decoding = Decoding(source, reference_only=True)
        last = list(decoding)[-1].pts
    frame = last // 16
    assert decoding.skipped_after == tuple(last + frame * (k + 1) for k in range(skipped))
    assert decoding.damaged == 0
    (full, _), (part, clips) = indexed(path, "all"), indexed(path, "reference")
    assert full.video.frames == 17 + skipped
    assert full.video.end_pts == full.video.frames * frame
    assert part.video == full.video
    assert part.segments == full.segments
    assert len(clips) == 1


def test_frames_left_out_keep_their_places_when_clips_are_taken(tmp_path: Path) -> None:
    """A ramp grows brighter frame by frame: the frames taken lie evenly, within two frames of where they should."""

    def brighter(index: int) -> np.ndarray:
        return np.full((48, 64, 3), 4 * index, np.uint8)

    path = make_video(tmp_path / "ramp.mp4", [(brighter, 60)], options={"bf": "3", "b_strategy": "0", "b-pyramid": "0"})
    (_, exact), (_, near) = indexed(path, "all"), indexed(path, "reference")
    step = np.diff(exact[0].clip.mean((1, 2, 3))).mean() / (60 / SPEC.frames)  # brightness a frame
    assert step > 0
    offsets = (near[0].clip.mean((1, 2, 3)) - exact[0].clip.mean((1, 2, 3))) / step
    assert np.abs(offsets).max() < 2.5
    assert np.abs(offsets).max() > 0.5  # some were left out, or this shows nothing


def test_where_packets_do_not_tell_the_times_all_frames_are_decoded(tmp_path: Path) -> None:
    path = make_video(tmp_path / "old.avi", SHOTS, codec="mpeg4")
    with open_source(os.fspath(path)) as source:
        decoding = Decoding(source, reference_only=True)
        assert sum(1 for _ in decoding) == sum(count for _, count in SHOTS)
        assert not decoding.skips


def test_what_is_decoded_is_part_of_the_recipe_and_what_decodes_it_is_not() -> None:
    usual = IndexSettings().recipe(SPEC)
    assert IndexSettings(decode="reference").recipe(SPEC) != usual
    assert IndexSettings(hardware="cuda").recipe(SPEC) == usual
    for wrong in ({"decode": "some"}, {"hardware": "abacus"}):
        with pytest.raises(ValueError, match="must be one of"):
            IndexSettings(**wrong)  # type: ignore[arg-type]


def test_hardware_that_is_not_there_is_refused_by_name_and_passed_over_by_auto(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("av.codec.hwaccel.hwdevices_available", list)
    assert choose_device("none") is None
    assert choose_device("auto") is None
    with pytest.raises(DeviceUnavailable, match="choose another device, auto for whatever there is, or none"):
        choose_device("cuda")
    path = make_video(tmp_path / "one.mp4", [("red", 10)])
    done = VideoPass(os.fspath(path), SPEC, IndexSettings(hardware="auto"), fingerprint="content")
    assert len(list(done)) == 1
    assert done.fell_back


def test_the_first_device_that_can_be_opened_for_any_format_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[tuple[str, str]] = []

    class Acceleration:
        """`cuda` decodes nothing here, `vaapi` is occupied, `qsv` decodes HEVC."""

        def __init__(self, device: str, **_: object) -> None:
            self.device = device

        def create(self, codec: av.codec.codec.Codec) -> None:
            opened.append((self.device, codec.name))
            if self.device == "vaapi":
                raise av.error.ExternalError(1, "device busy")
            if self.device != "qsv" or not codec.name.startswith("hevc"):
                raise NotImplementedError

    monkeypatch.setattr("av.codec.hwaccel.hwdevices_available", lambda: ["qsv", "vaapi", "cuda"])
    monkeypatch.setattr("av.codec.hwaccel.HWAccel", Acceleration)
    assert choose_device("auto") == "qsv"
    assert list(dict.fromkeys(device for device, _ in opened)) == ["cuda", "vaapi", "qsv"]
    assert choose_device("qsv") == "qsv"
    for device, says in (
        ("cuda", "decodes no format"),
        ("vaapi", "cannot be opened: device busy"),
        ("vulkan", "made without it"),
    ):
        with pytest.raises(DeviceUnavailable, match=f"{device} cannot decode here .*{says}"):
            choose_device(device)


def test_a_file_is_decoded_where_its_device_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The device was there when the run began and is gone when the file is opened."""
    path = make_video(tmp_path / "one.mp4", [("red", 10)])
    opened = av.open

    def fails(*args: object, **options: object) -> object:
        if "hwaccel" in options:
            raise av.error.ExternalError(1, "no device")
        return opened(*args, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(av, "open", fails)
    with open_source(os.fspath(path), device="cuda") as source:
        assert sum(1 for _ in Decoding(source)) == 10
        assert not source.on_device
