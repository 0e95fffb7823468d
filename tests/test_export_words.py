"""Words that go with exported clips, read back from the files and compared with the frames of the source."""

from __future__ import annotations

import os
import zipfile
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numbered import Shown, constant, ffmpeg, shown, write

from app.exporting.clip_words import ClipCue, ClipWords, SubtitlePlace, cut_lines, without_overlaps
from app.exporting.exporter import export
from app.exporting.ffmpeg_binary import ExportError, find_ffmpeg
from app.exporting.request import ClipRequest, ExportedClip, ExportMode, ExportRequest
from app.exporting.words.burning import check_burning, missing_glyphs
from app.exporting.words.choosing import choose_source
from app.exporting.words.cue_files import json_bytes, srt_bytes, txt_bytes, vtt_bytes
from db.timed_text import TextSource, TimedLine, TimedWord
from indexer.text.cue_formats import read_cues
from indexer.text.cues import Cue

NTSC = Fraction(30000, 1001)
KEYS = {"x264-params": "bframes=3:b-adapt=0:keyint=15:min-keyint=15:scenecut=0"}
LINES = (
    TimedLine(0, 900, "before"),
    TimedLine(1000, 1400, "straddles the start"),
    TimedLine(1520, 1800, "within\nin two rows"),
    TimedLine(2000, 2600, "straddles the end"),
    TimedLine(3000, 3300, "after"),
)
HOSTILE = r"a {\an8}{b} \N c <b>x</b> & \h 'q' [s]; d,e=f:g %n {\p1}m 0 0 -->"


@pytest.fixture(scope="module", params=["mp4", "ntsc.mp4", "late.mkv", "a.ts", "a.webm", "mjpeg.mov"])
def source(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("words")
    name = request.param
    if name == "mp4":
        return write(folder / "a.mp4", *constant(100, Fraction(25)), options=KEYS, sound="aac")
    if name == "ntsc.mp4":
        return write(folder / "ntsc.mp4", *constant(110, NTSC), rate=NTSC, options=KEYS, sound="aac")
    if name == "late.mkv":
        times = [number * 40 + 7000 for number in range(100)]
        return write(folder / "late.mkv", times, Fraction(1, 1000), options=KEYS, sound="aac")
    if name == "a.ts":
        return write(folder / "a.ts", *constant(100, Fraction(25)), options=KEYS, sound="mp2")
    if name == "a.webm":
        fast = {"deadline": "realtime", "cpu-used": "8", "b": "1M"}
        return write(folder / "a.webm", *constant(90, Fraction(25)), codec="libvpx", options=fast, sound="libopus")
    options = {"b": "3M"}
    return write(folder / "m.mov", *constant(90, Fraction(25)), codec="mjpeg", pixels="yuvj420p", options=options)


def words(place: SubtitlePlace, lines: tuple[TimedLine, ...] = LINES, **values: Any) -> ClipWords:
    return ClipWords(lines=lines, place=place, language="pt-BR", title="A title", **values)


def asked(path: Path, carried: ClipWords | None, start: float = 1.32, end: float = 2.4) -> ClipRequest:
    return ClipRequest(
        path=str(path), start_seconds=Fraction(str(start)), end_seconds=Fraction(str(end)), words=carried
    )


def cut(path: Path, to: Path, mode: ExportMode, place: SubtitlePlace, **values: Any) -> ExportedClip:
    requests = (asked(path, words(place, **values)),)
    (clip,) = export(ExportRequest(folder=to, mode=mode, subtitles=place, requests=requests)).clips
    assert clip.error is None, clip.error
    return clip


def track_cues(path: Path) -> tuple[list[tuple[Fraction, Fraction, str]], dict[str, str]]:
    """The cues of the only subtitle track of a file, in seconds from its first picture, and the track's metadata."""
    with av.open(str(path)) as container:
        first = next(container.decode(video=0))
        assert first.pts is not None
        assert first.time_base is not None
        zero = first.pts * first.time_base
    with av.open(str(path)) as container:
        (stream,) = container.streams.subtitles
        name, cues = stream.codec_context.name, []
        for packet in container.demux(stream):
            content = bytes(packet)[2 if name == "mov_text" else 0 :]
            if content and packet.pts is not None:
                assert packet.duration is not None
                begins = packet.pts * Fraction(packet.time_base) - zero
                text = content.decode(errors="replace")
                cues.append((begins, begins + packet.duration * Fraction(packet.time_base), text))
        return cues, dict(stream.metadata)


def cues_in(content: bytes) -> list[Cue]:
    """The cues of a file, as `index` reads it; none may be damaged."""
    read = read_cues(content.decode("utf-8"), Fraction(25))
    assert read is not None
    assert all(isinstance(each, Cue) for each in read.cues)
    return [each for each in read.cues if isinstance(each, Cue)]


def frame_at(frames: list[Shown], seconds: Fraction) -> int:
    """The number of the frame that is shown at a time."""
    return [frame.number for frame in frames if frame.seconds <= seconds + Fraction(1, 200)][-1]


@pytest.mark.parametrize("mode", ["exact", "smart", "copy"])
def test_the_cues_of_a_track_begin_and_end_with_the_frames_they_belong_to(
    source: Path, tmp_path: Path, mode: ExportMode
) -> None:
    clip = cut(source, tmp_path, mode, "track")
    assert clip.file is not None
    before, after = shown(source), shown(clip.file)
    cues, facts = track_cues(clip.file)
    start = (clip.start_seconds or Fraction(0)) - clip.early_seconds
    texts = ["straddles the start", "within\nin two rows", "straddles the end"]
    expected = [line for line in LINES if line.text in texts or (line.text == "before" and start < Fraction(9, 10))]
    assert [text for _, _, text in cues] == [line.text for line in expected]
    for (begins, ends, _), line in zip(cues, expected, strict=True):
        own_start, own_end = Fraction(line.start_ms, 1000), Fraction(line.end_ms, 1000)
        wanted = (max(own_start, start), min(own_end, clip.end_seconds or own_end))
        for found, sought in zip((begins, ends), wanted, strict=True):
            if sought < (clip.end_seconds or 0):
                assert abs(frame_at(after, found) - frame_at(before, sought)) <= 1
            assert abs(found + start - sought) < Fraction(1, 50)  # half a frame, and never a frame
    assert facts["language"] == "por"
    assert not list(tmp_path.glob("*-words"))


def test_a_text_in_a_track_is_the_text(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", *constant(100, Fraction(25)), options=KEYS)
    for mode in ("exact", "smart", "copy"):
        clip = cut(path, tmp_path / mode, mode, "track", lines=(TimedLine(1300, 1900, HOSTILE),))
        ((_, _, text),), _ = track_cues(clip.file or Path())
        assert text.replace("\u2060", "") == HOSTILE


def test_lines_that_overlap_are_shown_together_in_mp4() -> None:
    cues = [ClipCue(0, 1000, "a"), ClipCue(400, 1500, "b"), ClipCue(2000, 2100, "c")]
    assert without_overlaps(cues) == [
        ClipCue(0, 400, "a"), ClipCue(400, 1000, "a\nb"), ClipCue(1000, 1500, "b"), ClipCue(2000, 2100, "c"),
    ]  # fmt: skip
    apart = [ClipCue(0, 500, "a"), ClipCue(500, 900, "a")]
    assert without_overlaps(apart) == apart


def test_a_line_is_cut_between_words() -> None:
    said = tuple(TimedWord(at * 100, at * 100 + 100, word) for at, word in enumerate(["One,", "two", "three,", "four"]))
    line = TimedLine(0, 400, "One, two three, four.", words=said)
    assert cut_lines([line], Fraction(1, 10), Fraction(32, 100)) == [ClipCue(0, 220, "two three,")]
    assert cut_lines([line], Fraction(0), Fraction(3)) == [ClipCue(0, 400, line.text)]
    assert cut_lines([line], Fraction(16, 100), Fraction(3)) == [ClipCue(0, 240, "three, four.")]
    assert cut_lines([line], Fraction(36, 100), Fraction(3)) == []  # no word has its middle there
    other = replace(line, text="1, 2, 3, 4")
    assert cut_lines([other], Fraction(1, 10), Fraction(3)) == [ClipCue(0, 300, other.text)]


@pytest.mark.parametrize("mode", ["exact", "copy"])
def test_a_file_beside_a_clip_is_cut_as_the_clip_is(tmp_path: Path, mode: ExportMode) -> None:
    path = write(tmp_path / "a.mp4", *constant(100, Fraction(25)), options=KEYS)
    clip = cut(path, tmp_path / "to", mode, "file")
    assert clip.file is not None
    assert clip.subtitles == clip.file.with_suffix(".srt")
    early = round(clip.early_seconds * 1000)
    assert (mode == "copy") == bool(early)
    begins = max(0, early - 320)
    assert [
        (each.start_ms, each.end_ms, each.text)
        for each in cues_in(clip.subtitles.read_bytes())
        if each.text != "before"
    ] == [
        (begins, 80 + early, "straddles the start"),
        (200 + early, 480 + early, "within\nin two rows"),
        (680 + early, 1080 + early, "straddles the end"),
    ]


def test_a_stopped_export_has_its_files_when_it_is_continued(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", *constant(100, Fraction(25)), options=KEYS)
    request = ExportRequest(
        folder=tmp_path / "to", subtitles="file",
        requests=(asked(path, words("file")), asked(path, words("file"), 2.0, 3.2)),
    )  # fmt: skip
    done: list[ExportedClip] = []
    first = export(request, on_clip=lambda *result: done.append(result[2]), cancelled=lambda: bool(done))
    assert first.interrupted
    (tmp_path / "to" / f"{done[0].file.stem}.srt").unlink()  # type: ignore[union-attr]
    second = export(request)
    assert [clip.subtitles is not None and clip.subtitles.is_file() for clip in second.clips] == [True, True]
    assert len(list((tmp_path / "to").glob("*.srt"))) == 2
    assert len(list((tmp_path / "to").glob("*.mp4"))) == 2


def test_other_words_are_another_clip_where_they_are_in_it(tmp_path: Path) -> None:
    from app.exporting.manifest import request_keys

    path = write(tmp_path / "a.mp4", *constant(50, Fraction(25)))

    def key(carried: ClipWords | None) -> str:
        return request_keys([asked(path, carried)], "exact")[0]

    assert key(words("file")) == key(None)
    assert len({key(None), key(words("track")), key(words("burn")), key(words("track", lines=LINES[:2]))}) == 4


def test_a_zip_holds_the_subtitles(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", *constant(100, Fraction(25)))
    result = export(ExportRequest(zip=tmp_path / "a.zip", subtitles="file", requests=(asked(path, words("file")),)))
    (clip,) = result.clips
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert {str(clip.file), str(clip.subtitles)} <= set(archive.namelist())
    assert result.plain()["clips"][0]["subtitles"] == str(clip.subtitles)


def test_words_burnt_in_are_where_they_are_said_and_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = tmp_path / "it's [a], b;c=d:e"
    odd.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(odd))  # its name is in the filter's argument
    path = write(tmp_path / "a.mp4", *constant(100, Fraction(25)), size=(320, 240))
    lines = (TimedLine(1400, 1800, HOSTILE), TimedLine(2000, 2200, "\u05e9\u05dc\u05d5\u05dd"))
    plain = cut(path, tmp_path / "plain", "exact", "none")
    burnt = cut(path, tmp_path / "burnt", "exact", "burn", lines=lines)
    assert burnt.file is not None
    assert plain.file is not None
    pairs = list(zip(shown(plain.file), shown(burnt.file), strict=True))
    for before, after in pairs:
        differs = np.abs(before.pixels.astype(int) - after.pixels).max(axis=2) > 60
        at = before.seconds + (plain.start_seconds or 0)
        is_said = any(line.start_ms <= at * 1000 < line.end_ms for line in lines)
        assert differs[150:].any() == is_said, before.number
        assert not differs[:60].any()  # not moved to the top by a code in the text
    assert list(odd.iterdir()) == []


@pytest.mark.parametrize(("transfer", "share"), [("smpte2084", 0.58), ("arib-std-b67", 0.75), ("bt709", 1.0)])
def test_words_burnt_into_hdr_are_as_bright_as_paper(tmp_path: Path, transfer: str, share: float) -> None:
    path = tmp_path / "deep.mp4"
    tags = f"setparams=color_primaries=bt2020:color_trc={transfer}:colorspace=bt2020nc:range=tv"
    ffmpeg("-f", "lavfi", "-i", "color=black:s=640x360:r=25:d=2.4", "-vf", f"format=yuv420p10le,{tags}",
           "-c:v", "libx265", "-x265-params", "log-level=none", str(path))  # fmt: skip
    burnt = cut(path, tmp_path / "clips", "exact", "burn", lines=(TimedLine(0, 2400, "\u2588" * 8),))
    assert burnt.file is not None
    with av.open(str(tmp_path / "clips" / burnt.file)) as container:
        frame = next(container.decode(video=0))
    assert (frame.format.name, int(frame.color_primaries), int(frame.colorspace)) == ("yuv420p10le", 9, 9)
    luma = frame.to_ndarray()[:360]
    assert np.median(luma[luma > 400]) == pytest.approx(64 + share * 876, abs=6)
    assert np.median(luma[:180]) == 64, "the picture is as it was"


def test_burning_needs_pictures_that_are_encoded(tmp_path: Path) -> None:
    for mode in ("smart", "copy"):
        with pytest.raises(ValueError, match="use the mode exact"):
            ExportRequest(folder=tmp_path, mode=mode, subtitles="burn", requests=(asked(tmp_path, None),))


def test_letters_that_no_font_has_are_said() -> None:
    assert missing_glyphs(find_ffmpeg(), "plain letters") == ""
    assert missing_glyphs(find_ffmpeg(), "a\U0001343f") == "\U0001343f"


@pytest.mark.skipif(os.name == "nt", reason="the stand-in is a shell script")
def test_an_ffmpeg_without_libass_is_said_in_one_line(tmp_path: Path) -> None:
    lacking = tmp_path / "ffmpeg"
    lacking.write_text("#!/bin/sh\necho \"[AVFilterGraph @ 0x1] No such filter: 'subtitles'\" >&2\nexit 8\n")
    lacking.chmod(0o755)
    with pytest.raises(ExportError, match="has no filter `subtitles`") as problem:
        check_burning(str(lacking))
    assert "\n" not in str(problem.value)


def test_files_of_cues_are_read_as_they_were_written() -> None:
    hour = 3_600_000
    cues = [ClipCue(0, 1500, "one\n\n\ntwo"), ClipCue(hour, hour + 1234, HOSTILE), ClipCue(2 * hour, 2 * hour + 9, "7")]
    expected = [(0, 1500, "one\ntwo"), (hour, hour + 1234, HOSTILE), (2 * hour, 2 * hour + 9, "7")]
    for content in (srt_bytes(cues), vtt_bytes(cues)):
        found = [(each.start_ms, each.end_ms, each.text.replace("\u2060", "")) for each in cues_in(content)]
        assert [each[:2] for each in found] == [each[:2] for each in expected]
        assert [each[2] for each in found][::2] == [each[2] for each in expected][::2]
    assert [each.start_ms for each in cues_in(txt_bytes(cues))] == [0, hour, 2 * hour]
    said = (TimedWord(100, 200, "Good", 0.5), TimedWord(200, 300, "day"))
    line = TimedLine(100, 300, "Good day", 0.9, said)
    again = json_bytes([line], "en")
    assert [(each.start_ms, each.end_ms, each.text, each.words) for each in cues_in(again)] == [
        (100, 300, "Good day", said)
    ]
    language = read_cues(again.decode(), Fraction(25))
    assert language is not None
    assert language.language == "en"


def test_which_source_is_carried() -> None:
    def source(kind: Any, origin: str, language: str, **values: Any) -> TextSource:
        return TextSource(kind=kind, origin=origin, language=language, lines=5, **values)

    speech, screen = source("speech", "", "en"), source("screen", "", "")
    signs = source("subtitle", "track 2", "en", forced=True, default=True)
    deaf = source("subtitle", "track 3", "en", for_deaf=True)
    german, brazilian = source("subtitle", "track 4", "de"), source("subtitle", "track 5", "pt-BR")
    every = [screen, speech, signs, deaf, german, brazilian]
    assert choose_source(every) is german
    assert choose_source([*every, source("subtitle", "z", "fr", default=True)]).language == "fr"  # type: ignore[union-attr]
    assert choose_source(every, language="en") is deaf
    assert choose_source(every, language="PT") is brazilian
    assert choose_source(every, language="fr") is None
    assert choose_source([screen, speech]) is speech
    assert choose_source([screen]) is None
    assert choose_source(every, words_from="screen") is screen
    assert choose_source([replace(german, lines=0)]) is None
