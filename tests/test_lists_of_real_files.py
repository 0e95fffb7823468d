"""Lists of files as cameras, recorders and phones write them, each read back by a program that is not ours.

From a file on disk to what another program finds: timecode, rate, size, fields, channels, and the file itself.
"""

from __future__ import annotations

import csv
import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

import imageio_ffmpeg
import pytest
from click.testing import CliRunner
from synthetic import make_video

from app.cli import main
from app.timelines.writing import FORMATS

otio = pytest.importorskip("opentimelineio", reason="OpenTimelineIO has no wheel for this system")

STEREO = "sine=d=0.4,aformat=channel_layouts=stereo"


@dataclass(frozen=True, kw_only=True)
class Read:
    """What a reader found of the only clip. None: the format, or its reader, says nothing about it."""

    first: int  # frame of the file, from 00:00:00:00 of its timecode
    frames: int
    file: str = ""
    rate: Fraction | None = None
    size: tuple[int, int] | None = None
    fields: str | None = None
    channels: tuple[int, ...] | None = None  # of each sound track
    reel: str | None = None


def drop_frame(folder: Path) -> Path:
    """30 frames a second exactly, and a timecode track that is flagged as drop-frame, as recorders write it."""
    path = ffmpeg(folder / "drop frame.mov", "testsrc=s=64x48:r=30:d=1", options=("-timecode", "16:36:10:06"))
    content = bytearray(path.read_bytes())
    content[content.index(b"tmcd", content.index(b"stsd", content.index(b"gmhd"))) + 19] = 1
    path.write_bytes(content)
    return path


def tagged(folder: Path) -> Path:
    return ffmpeg(folder / "tagged.mkv", "testsrc=s=64x48:r=25:d=1", options=("-metadata", "timecode=10:00:00:00"))


def portrait(folder: Path) -> Path:
    return make_video(folder / "portrait.mp4", [("red", 30)], rate=30, rotation=90, audio_seconds=1)


def interlaced(folder: Path) -> Path:
    options = ("-c:v", "libx264", "-preset", "ultrafast", "-x264-params", "tff=1", "-vf", "setfield=tff")
    return ffmpeg(folder / "fields.mov", "color=s=1920x1080:r=25:d=0.4", STEREO, options=options)


def four_tracks(folder: Path) -> Path:
    options = ("-c:v", "mpeg2video", "-c:a", "pcm_s16le", "-ar", "48000", "-timecode", "10:00:00:00")
    tape = ("-metadata", "reel_name=Tape 0042")
    return ffmpeg(folder / "mono4.mxf", "testsrc=s=64x48:r=25:d=1", *["sine=d=1"] * 4, options=(*options, *tape))


def ffmpeg(path: Path, *sources: str, options: tuple[str, ...]) -> Path:
    inputs = [word for source in sources for word in ("-f", "lavfi", "-i", source)]
    maps = [word for number in range(len(sources)) for word in ("-map", str(number))]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *inputs, *maps, *options, str(path)]
    subprocess.run(command, check=True)
    return path


SOURCES: dict[Callable[[Path], Path], Read] = {
    # 16:36:10:06 without dropping is frame 1,793,106, labelled 16:37:10;02: 298,851/5 s, as Final Cut Pro counts it.
    drop_frame: Read(first=1_793_106 + 6, frames=6, rate=Fraction(30), size=(64, 48), fields="none", channels=()),
    tagged: Read(first=900_000 + 5, frames=5, rate=Fraction(25), size=(64, 48), fields="none", channels=()),
    portrait: Read(first=6, frames=6, rate=Fraction(30), size=(48, 64), fields="none", channels=(2,)),
    interlaced: Read(first=5, frames=5, rate=Fraction(25), size=(1920, 1080), fields="upper", channels=(2,)),
    four_tracks: Read(first=900_000 + 5, frames=5, rate=Fraction(25), size=(64, 48), fields="none", channels=(1,) * 4),
}
REELS = {drop_frame: "DROP_FRA", tagged: "TAGGED", portrait: "PORTRAIT", interlaced: "FIELDS", four_tracks: "TAPE_004"}


def read_edl(path: Path, rate: Fraction) -> Read:
    """By OpenTimelineIO, which knows drop-frame labels at 29.97 only; an EDL states no rate."""
    text = path.read_text("utf-8")
    at = rate * Fraction(1000, 1001) if ";" in text else rate
    read = otio.adapters.read_from_string(text, "cmx_3600", rate=float(at))
    clip = next(iter(read.video_tracks()[0].find_clips()))
    return Read(**_range(clip), file=_url(clip.media_reference.target_url), reel=clip.metadata["cmx_3600"]["reel"])


def read_fcp7(path: Path, rate: Fraction) -> Read:
    read = otio.adapters.read_from_file(str(path), "fcp_xml")
    clip = next(iter(read.video_tracks()[0].find_clips()))
    media = clip.media_reference.metadata["fcp_xml"]["media"]
    video, sound = media["video"]["samplecharacteristics"], media.get("audio", ())
    sounds = [sound] if hasattr(sound, "keys") else list(sound)  # one element is no list to the adapter
    assert len(read.audio_tracks()) == len(sounds)
    start = clip.media_reference.available_range.start_time
    assert (clip.source_range.start_time - start).value == round(rate / 5)
    return Read(
        **_range(clip),
        file=_url(clip.media_reference.target_url),
        rate=Fraction(clip.source_range.duration.rate),
        size=(int(video["width"]), int(video["height"])),
        fields=video["fielddominance"],
        channels=tuple(int(each["channelcount"]) for each in sounds),
    )


def read_fcpxml(path: Path, rate: Fraction) -> Read:
    """By OpenTimelineIO for the length, and as XML for what the adapter, which is one for version 1.8, leaves out."""
    (read,) = otio.adapters.read_from_file(str(path), "fcpx_xml")
    found = next(iter(read.tracks.find_clips()))
    root = ElementTree.parse(path).getroot()
    (clip,), (asset,) = root.iter("asset-clip"), root.iter("asset")
    form = root.find(f"resources/format[@id='{asset.get('format')}']")
    assert form is not None
    begin, first, frame = _seconds(asset.get("start")), _seconds(clip.get("start")), _seconds(form.get("frameDuration"))
    assert begin <= first < begin + _seconds(asset.get("duration"))
    assert clip.get("tcFormat") == ("DF" if path.stem == "drop frame" else "NDF")
    tracks = int(asset.get("audioSources", 0))
    return Read(
        first=int(first / frame),
        frames=round(found.source_range.duration.value),
        file=_url(str(asset[0].get("src"))),
        rate=1 / frame,
        size=(int(form.get("width", 0)), int(form.get("height", 0))),
        fields={"upper first": "upper", "lower first": "lower"}.get(form.get("fieldOrder", ""), "none"),
        channels=(int(asset.get("audioChannels", 0)) // tracks,) * tracks if tracks else (),
    )


def read_otio(path: Path, rate: Fraction) -> Read:
    read = otio.adapters.read_from_file(str(path))
    clip = next(iter(read.video_tracks()[0].find_clips()))
    ours = clip.metadata["prismsearch"]
    assert [len(list(track.find_clips())) for track in read.audio_tracks()] == [1] * len(ours["audio_channels"])
    return Read(
        **_range(clip),
        file=_url(clip.media_reference.target_url),
        rate=Fraction(clip.source_range.duration.rate),
        size=(ours["width"], ours["height"]),
        fields={"tff": "upper", "bff": "lower"}.get(ours["field_order"], "none"),
        channels=tuple(ours["audio_channels"]),
    )


def read_csv(path: Path, rate: Fraction) -> Read:
    with path.open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    return _of_row(row, file=row["source"], channels=tuple(map(int, row["audio_channels"].split())))


def read_json(path: Path, rate: Fraction) -> Read:
    (row,) = json.loads(path.read_text("utf-8"))["clips"]
    return _of_row(row, file=_url(row["url"]), channels=tuple(track["channels"] for track in row["audio"]))


READERS = {
    "edl": read_edl,
    "fcpxml": read_fcpxml,
    "fcp7": read_fcp7,
    "otio": read_otio,
    "csv": read_csv,
    "json": read_json,
}


def _of_row(row: Any, *, file: str, channels: tuple[int, ...]) -> Read:
    rate = Fraction(row["frame_rate"])
    at = rate * Fraction(1000, 1001) if ";" in row["start_timecode"] else rate
    return Read(
        first=round(otio.opentime.from_timecode(row["start_timecode"], float(at)).value),
        frames=int(row["length_frames"]),
        file=file,
        rate=rate,
        size=(int(row["width"]), int(row["height"])),
        fields={"tff": "upper", "bff": "lower"}.get(row["field_order"] or "", "none"),
        channels=channels,
    )


def _range(clip: Any) -> dict[str, int]:
    found = clip.source_range
    return {"first": round(found.start_time.value), "frames": round(found.duration.value)}


def _url(url: str) -> str:
    return unquote(url.removeprefix("file://").removeprefix("localhost"))


def _seconds(text: str | None) -> Fraction:
    return Fraction((text or "").removesuffix("s"))


def write_lists(source: Path, folder: Path) -> dict[str, Path]:
    """Export the range from 0.2 to 0.4 s as a list of each format; return the files by format."""
    where = ["--to", str(folder), "--lists-only", "--list", ",".join(FORMATS), "--library", str(folder / "no library")]
    ran = CliRunner().invoke(main, ["export", f"{source}@0.2-0.4", *where])
    assert ran.exit_code == 0, ran.output
    return {name: next(folder.glob(f"*{form.suffix}")) for name, form in FORMATS.items()}


@pytest.mark.parametrize("make", SOURCES, ids=lambda make: make.__name__)
def test_other_programs_find_in_each_list_what_the_file_is(make: Callable[[Path], Path], tmp_path: Path) -> None:
    source, wanted = make(tmp_path), SOURCES[make]
    for name, path in write_lists(source, tmp_path / "lists").items():
        found = READERS[name](path.rename(path.with_stem(source.stem)), wanted.rate or Fraction(25))
        complete = replace(wanted, file=str(source))
        if name == "edl":  # has no place for the rest
            complete = replace(complete, rate=None, size=None, fields=None, channels=None, reel=REELS[make])
        assert found == complete, name
