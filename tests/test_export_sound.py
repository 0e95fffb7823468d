"""Sound tracks of clips: all of them, with their channels, languages and titles, in every mode."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import pytest
from av.stream import Disposition
from numbered import ffmpeg
from tones import heard, tones

from app.exporting.audio_choice import parse_audio
from app.exporting.clip_writer import write_clips
from app.exporting.graph import separate_graphs
from app.exporting.request import ClipRequest, ExportedClip, ExportMode
from app.exporting.tracks import sound_tracks
from indexer.media.probe import open_source

MODES: tuple[ExportMode, ...] = ("exact", "smart", "copy")
BAD_CODEC = (b"A_PCM/INT/LIT", b"A_XYZ/INT/LIT")


def cut(source: Path, mode: ExportMode, audio: str = "all", start: str = "0.8", end: str = "1.6") -> ExportedClip:
    asked = ClipRequest(path=str(source), start_seconds=Fraction(start), end_seconds=Fraction(end))
    (clip,) = write_clips([asked], source.parent / "clips", mode, audio=audio)
    assert clip.error is None
    return clip


@pytest.fixture(scope="module")
def microphones(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four microphones, a track each, as cameras write them."""
    path = tmp_path_factory.mktemp("sound") / "four.mxf"
    sound = ("-c:a", "pcm_s16le", "-timecode", "10:00:00:00")
    return tones(path, [300], [600], [900], [1200], video=("-c:v", "mpeg2video", "-g", "5"), more=sound)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two languages, the second with a title, subtitles and chapters."""
    folder = tmp_path_factory.mktemp("film")
    subtitles, chapters = folder / "s.srt", folder / "c.txt"
    subtitles.write_text("1\n00:00:00,900 --> 00:00:01,500\nHello\n")
    chapters.write_text(
        ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1200\ntitle=One\n"
        "[CHAPTER]\nTIMEBASE=1/1000\nSTART=1200\nEND=3000\ntitle=T\\=wo\n"
    )
    plain = tones(folder / "plain.mkv", [300], [600, 900], more=("-c:a", "aac", "-bf", "0"))
    ffmpeg(
        "-i", str(plain), "-i", str(subtitles), "-i", str(chapters), "-map", "0", "-map", "1", "-map_chapters", "2",
        "-c", "copy", "-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=deu",
        "-metadata:s:a:1", "title=Kommentar: 1", "-disposition:a:1", "comment", str(folder / "film.mkv"),
    )  # fmt: skip
    return folder / "film.mkv"


@pytest.mark.parametrize("mode", MODES)
def test_every_sound_track_is_exported(mode: ExportMode, microphones: Path) -> None:
    clip = cut(microphones, mode)
    assert heard(clip.file) == [[300], [600], [900], [1200]]
    assert clip.has_audio


@pytest.mark.parametrize("mode", MODES)
def test_tracks_keep_their_language_title_and_place(mode: ExportMode, film: Path) -> None:
    clip = cut(film, mode)
    assert heard(clip.file) == [[300], [600, 900]]
    with av.open(str(clip.file)) as container:
        first, second = container.streams.audio
        assert (first.language, second.language) == ("eng", "deu")
        assert [bool(each.disposition & Disposition.default) for each in (first, second)] == [True, False]
        assert mode != "copy" or second.disposition == Disposition.comment, "MP4 has no place for it"
    with open_source(str(clip.file)) as source:
        assert [track.title for track in sound_tracks(source)] == ["", "Kommentar: 1"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_titles_of_tracks_in_mp4_stay_in_its_clips(suffix: str, mode: ExportMode, film: Path) -> None:
    source = film.with_suffix(suffix)
    ffmpeg("-i", str(film), "-map", "0:v", "-map", "0:a", "-c", "copy", str(source))
    with open_source(str(cut(source, mode).file)) as clip:
        assert [track.title for track in sound_tracks(clip)] == ["", "Kommentar: 1"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("audio", "wanted", "note"),
    [
        ("first", [300], ""),
        ("2,4", [600, 1200], ""),
        ("none", [], ""),
        ("3,7,9", [900], "no sound tracks 7 and 9"),
        ("7", [], "no sound track 7"),
    ],
)
def test_chosen_tracks_are_exported_and_missing_ones_are_said(
    mode: ExportMode, audio: str, wanted: Sequence[int], note: str, microphones: Path
) -> None:
    clip = cut(microphones, mode, audio)
    assert heard(clip.file) == [[each] for each in wanted]
    assert clip.has_audio == bool(wanted)
    assert note in (clip.note or "")
    assert ("sound track" in (clip.note or "")) == bool(note)


@pytest.mark.parametrize("text", ["", "some", "0", "1,0", "-1", "1.5", ",", "1000", "2;3", "9" * 5000])
def test_a_choice_that_is_none_is_refused(text: str, microphones: Path) -> None:
    with pytest.raises(ValueError, match=r"sound tracks must be all, first, none|integer"):
        parse_audio(text)


def test_a_choice_has_one_form() -> None:
    assert [parse_audio(each) for each in (" ALL", "First", "3, 1,3", "2 1")] == ["all", "first", "1,3", "1,2"]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("count", [4, 6, 16])
def test_channels_without_a_layout_stay_as_they_are(count: int, mode: ExportMode, tmp_path: Path) -> None:
    """AAC would take six of them for surround, with one for low frequencies, and sixteen not at all."""
    frequencies = [300 + 200 * number for number in range(count)]
    source = tones(tmp_path / "many.mkv", frequencies, [250], more=("-c:a", "pcm_s24le", "-bf", "0"))
    clip = cut(source, mode)
    assert clip.note is None or "sound" not in clip.note
    assert clip.file is not None
    assert clip.file.suffix == (".mkv" if mode == "copy" else ".mov")
    assert heard(clip.file) == [frequencies, [250]]
    with av.open(str(clip.file)) as container:
        assert container.streams.audio[0].codec_context.name == "pcm_s24le"


@pytest.mark.parametrize(("layout", "count"), [("mono", 1), ("stereo", 2), ("5.1", 6), ("5.1(side)", 6), ("7.1", 8)])
def test_layouts_that_players_know_are_kept_in_mp4(layout: str, count: int, tmp_path: Path) -> None:
    """The channel for low frequencies comes fourth, and has one."""
    frequencies = [300, 600, 900, 50, 1200, 1500, 1800, 2100][:count]
    source = tones(
        tmp_path / "a.mov", frequencies, more=("-af", f"aformat=channel_layouts={layout}", "-c:a", "pcm_s16le")
    )
    clip = cut(source, "exact")
    assert clip.file is not None
    assert clip.file.suffix == ".mp4"
    assert heard(clip.file) == [frequencies]
    with av.open(str(clip.file)) as container:
        assert container.streams.audio[0].layout.name == layout.replace("(side)", "")


@pytest.mark.parametrize("mode", ["exact", "smart"])
def test_a_track_that_is_silent_in_the_range_breaks_no_clip(mode: ExportMode, tmp_path: Path) -> None:
    source = tones(tmp_path / "a.mkv", [300], [600], more=("-c:a", "aac"))
    short = tmp_path / "short.mkv"
    ffmpeg("-i", str(source), "-t", "0.5", "-i", str(source), "-map", "0:v", "-map", "0:a:0", "-map", "1:a:1",
           "-c", "copy", str(short))  # fmt: skip
    clip = cut(short, mode)
    assert heard(clip.file) == [[300], [0]]
    with av.open(str(clip.file)) as container:
        lengths = [float(each.duration * each.time_base) for each in container.streams if each.duration]
    assert lengths == pytest.approx([0.8] * 3, abs=1e-3)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("suffix", [".mkv", ".ts"])
def test_a_track_without_a_single_sample_breaks_no_clip(suffix: str, mode: ExportMode, tmp_path: Path) -> None:
    full = tones(tmp_path / f"full{suffix}", [300], [600], more=("-c:a", "aac", "-bf", "0"))
    empty = tmp_path / f"empty{suffix}"
    ffmpeg("-i", str(full), "-map", "0", "-c", "copy", "-bsf:a:1", "noise=drop=1", str(empty))
    clip = cut(empty, mode)
    with av.open(str(clip.file)) as container:
        assert sum(1 for _ in container.decode(audio=0)) > 30
        assert len(container.streams.audio) == (1 if suffix == ".ts" else 2)
    assert ("without sound track 2 (" in str(clip.note)) == (suffix == ".ts"), "a stream says nothing of an empty track"


@pytest.mark.parametrize("kind", ["exact", "smart", "intra"])
def test_a_track_that_cannot_be_decoded_is_left_out_alone_and_named(kind: str, tmp_path: Path) -> None:
    video = ("-c:v", "mjpeg") if kind == "intra" else ("-c:v", "libx264", "-bf", "0", "-g", "10")
    source = tones(tmp_path / "a.mkv", [300], [600], [900], video=video, more=("-c:a:0", "aac", "-c:a:1", "pcm_s16le",
                                                                              "-c:a:2", "aac"))  # fmt: skip
    content = source.read_bytes()
    assert content.count(BAD_CODEC[0]) == 1
    source.write_bytes(content.replace(*BAD_CODEC))
    clip = cut(source, "exact" if kind == "exact" else "smart")
    assert heard(clip.file) == [[300], [900]]
    assert clip.note is not None
    assert "without sound track 2 (there is no decoder for" in clip.note
    assert (clip.copied_frames > 0) == (kind != "exact")


@pytest.mark.parametrize("mode", MODES)
def test_what_a_clip_lacks_of_its_source_is_said(mode: ExportMode, film: Path) -> None:
    clip = cut(film, mode)
    with av.open(str(clip.file)) as container:
        subtitles, chapters = len(container.streams.subtitles), container.chapters()
    if mode != "copy":
        assert "without its subtitle track and its chapters" in str(clip.note)
        assert (subtitles, chapters) == (0, [])
        return
    assert subtitles == 1
    assert "without" not in str(clip.note)
    # Key frames are 0.4 s apart: the clip is 0.8 to 1.6.
    spans = [(each["metadata"]["title"], each["start"], each["end"]) for each in chapters]
    assert [title for title, _, _ in spans] == ["One", "T=wo"]
    assert [float(time * (chapters[0]["time_base"] or 0)) for _, *times in spans for time in times] == pytest.approx(
        [0, 0.4, 0.4, 0.8]
    )


def test_subtitles_and_chapters_of_mp4_are_not_taken_for_data(film: Path, tmp_path: Path) -> None:
    """In MP4, chapters are a track of their own, which FFmpeg reads as data."""
    source = tmp_path / "film.mp4"
    ffmpeg("-i", str(film), "-map", "0", "-c", "copy", "-c:s", "mov_text", str(source))
    clip = cut(source, "copy")
    assert clip.file is not None
    assert (clip.file.suffix, "without" in str(clip.note)) == (".mp4", False)
    with av.open(str(clip.file)) as container:
        assert len(container.streams.subtitles) == 1
        assert [each["metadata"]["title"] for each in container.chapters()] == ["One", "T=wo"]
    assert "without its subtitle track and its chapters" in str(cut(source, "smart").note)


def test_graphs_with_nothing_in_common_are_separate() -> None:
    assert separate_graphs("[0:0]trim=start_pts=1[s0];[0:1]atrim=start=1[s1];[s0]crop=max(2\\;3)[s2];[s1]apad[s3]") == [
        "[0:0]trim=start_pts=1[s0];[s0]crop=max(2\\;3)[s2]",
        "[0:1]atrim=start=1[s1];[s1]apad[s3]",
    ]
    assert separate_graphs("[0:0]split[a][b];[a]null[c];[1:0]null[d];[b][d]overlay[e]") == [
        "[1:0]null[d];[0:0]split[a][b];[a]null[c];[b][d]overlay[e]"
    ]
