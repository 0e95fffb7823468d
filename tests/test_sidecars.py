"""Files beside videos: which belong to which video, what their names say, and that none leads out of its folder."""

# ruff: noqa: E501  tables

from __future__ import annotations

import os
import unicodedata
from fractions import Fraction
from pathlib import Path

import pytest
from db_samples import make_video

from indexer.text.languages import language_tag
from indexer.text.name_parts import read_name
from indexer.text.sidecars import SidecarFolder, find_sidecars, is_current
from indexer.text.sources import read_sidecars

SRT = "1\n00:00:01,000 --> 00:00:02,000\n{}\n"


def put(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(SRT.format(name), encoding="utf-8", errors="replace")


def names(folder: Path, video: str) -> list[str]:
    return [sidecar.name for sidecar in find_sidecars(str(folder / video))]


def test_names_that_belong_to_a_video(tmp_path: Path) -> None:
    mine = [
        "Film.srt", "Film.en.srt", "Film.forced.de.vtt", "Film.commentary.ass", "Film.mp4.srt", "film.SRT", "FILM.fr.ssa",
        "Film_en.srt", "Film-German.vtt", "Film (English).srt", "Film.json", "Film.txt", "Film.xmp", "Film.sub", "Film.idx",
    ]  # fmt: skip
    put(
        tmp_path,
        "Film.mp4",
        *mine,
        "Film_2.srt",
        "Film 2.srt",
        "Filmed.srt",
        "Other.srt",
        "Film.jpg",
        "Film.srt.bak",
        ".srt",
    )
    assert set(names(tmp_path, "Film.mp4")) == set(mine)


def test_the_longest_name_of_a_video_wins(tmp_path: Path) -> None:
    put(tmp_path, "clip.mp4", "clip.part2.mp4", "clip.srt", "clip.part2.srt", "clip.part2.en.srt", "clip.en.srt")
    assert names(tmp_path, "clip.mp4") == ["clip.en.srt", "clip.srt"]
    assert names(tmp_path, "clip.part2.mp4") == ["clip.part2.en.srt", "clip.part2.srt"]


def test_videos_of_one_name_share_their_files(tmp_path: Path) -> None:
    put(tmp_path, "a.mp4", "a.mov", "a.srt")
    assert names(tmp_path, "a.mp4") == names(tmp_path, "a.mov") == ["a.srt"]


@pytest.mark.parametrize(("of_video", "of_file"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_composed_and_decomposed_names_are_the_same(tmp_path: Path, of_video: str, of_file: str) -> None:
    put(tmp_path, unicodedata.normalize(of_video, "Café.mp4"), unicodedata.normalize(of_file, "CAFÉ.en.srt"))  # type: ignore[arg-type]
    video = str(tmp_path / unicodedata.normalize(of_video, "Café.mp4"))  # type: ignore[arg-type]
    (sidecar,) = find_sidecars(video)
    assert sidecar.name == "CAFÉ.en.srt"  # in NFC
    assert read_sidecars(make_video(video)).texts[0].lines


def test_folders_for_subtitles(tmp_path: Path) -> None:
    put(tmp_path, "Film.mkv", "Subs/2_English.srt", "Subs/Film.de.srt", "Subs/readme.nfo", "Other/x.srt")
    assert names(tmp_path, "Film.mkv") == ["Subs/2_English.srt", "Subs/Film.de.srt"]
    put(tmp_path, "Second.mkv", "subtitles/second.en.srt", "Subs/Second/3_French.srt", "Subs/Film/4_Dutch.srt")
    assert names(tmp_path, "Film.mkv") == ["Subs/Film.de.srt", "Subs/Film/4_Dutch.srt"]
    assert names(tmp_path, "Second.mkv") == ["Subs/Second/3_French.srt", "subtitles/second.en.srt"]
    languages = {sidecar.name: sidecar.parts.language for sidecar in find_sidecars(str(tmp_path / "Second.mkv"))}
    assert languages == {"Subs/Second/3_French.srt": "fr", "subtitles/second.en.srt": "en"}


@pytest.mark.parametrize(
    ("rest", "language", "title", "flags"),
    [
        ("", "", "", ""),
        (".en", "en", "", ""),
        (".en-us", "en-US", "", ""),
        (".pt_br", "pt-BR", "", ""),
        (".ger.forced", "de", "", "forced"),
        (".forced.de", "de", "", "forced"),
        (".English.SDH", "en", "", "for_deaf"),
        (".en.hi", "en", "", "for_deaf"),
        (".hi", "hi", "", ""),
        (".default.zh-hant", "zh-Hant", "", "default"),
        (".chs", "zh-Hans", "", ""),
        (".zh.chs", "zh-Hans", "", ""),
        ("2_English", "en", "", ""),
        (".en-orig", "en", "", ""),
        (".Director's commentary.fr", "fr", "Director's commentary", ""),
        (".日本語", "ja", "", ""),
        (".x" * 1000, "", "x x x x x x x x", ""),
    ],
)
def test_what_a_name_says(rest: str, language: str, title: str, flags: str) -> None:
    parts = read_name(rest)
    assert (parts.language, parts.title) == (language, title)
    assert "".join(flag for flag in ("default", "forced", "for_deaf") if getattr(parts, flag)) == flags


@pytest.mark.parametrize(
    ("name", "tag"),
    [("EN", "en"), ("ger", "de"), ("fre", "fr"), ("und", ""), ("", ""), ("xx", ""), ("Brazilian", "pt-BR"), ("es-419", "es-419"), ("zh_hans", "zh-Hans")],
)  # fmt: skip
def test_languages(name: str, tag: str) -> None:
    assert language_tag(name) == tag


def test_links_that_lead_out_of_the_folder_are_named_and_not_read(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    put(inside, "a.mp4", "real.srt")
    put(outside, "secret.srt", "subs/b.srt")
    (inside / "a.srt").symlink_to(outside / "secret.srt")
    (inside / "a.en.srt").symlink_to(inside / "real.srt")
    (inside / "a.de.srt").symlink_to(outside / "nothing.srt")
    (inside / "Subs").symlink_to(outside / "subs")
    found = read_sidecars(make_video(str(inside / "a.mp4")))
    assert {text.source.file: [line.text for line in text.lines] for text in found.texts} == {
        "a.de.srt": [], "a.en.srt": ["real.srt"], "a.srt": [],
    }  # fmt: skip
    assert [str(problem) for problem in found.problems] == [
        "a.de.srt: it is a link that leads out of its folder, and is not read",
        "a.srt: it is a link that leads out of its folder, and is not read",
    ]


def test_pipes_and_folders_are_passed_over(tmp_path: Path) -> None:
    put(tmp_path, "a.mp4")
    os.mkfifo(tmp_path / "a.srt")
    (tmp_path / "a.vtt").mkdir()
    assert names(tmp_path, "a.mp4") == []


def test_a_file_that_becomes_a_pipe_or_goes_is_no_reason_to_wait(tmp_path: Path) -> None:
    put(tmp_path, "a.mp4", "a.srt", "a.vtt", "a.ass")
    sidecars = find_sidecars(str(tmp_path / "a.mp4"))
    (tmp_path / "a.srt").unlink()
    os.mkfifo(tmp_path / "a.srt")
    (tmp_path / "a.vtt").unlink()
    (tmp_path / "a.ass").unlink()
    (tmp_path / "a.ass").symlink_to("/etc/hostname")
    found = read_sidecars(make_video(str(tmp_path / "a.mp4")), sidecars)
    assert [problem.origin for problem in found.problems] == ["a.ass", "a.srt", "a.vtt"]
    assert found.texts == ()


def test_a_folder_that_is_gone(tmp_path: Path) -> None:
    found = read_sidecars(make_video(str(tmp_path / "gone" / "a.mp4")))
    assert found.texts == ()
    assert "cannot be read" in str(found.problems[0])


def test_a_changed_file_is_seen_and_an_unchanged_one_is_not_read(tmp_path: Path) -> None:
    put(tmp_path, "a.mp4", "a.srt", "a.txt")
    video = make_video(str(tmp_path / "a.mp4"))
    sources = [text.source for text in read_sidecars(video).texts]
    assert is_current(find_sidecars(video.path), sources)
    assert is_current([], [])
    assert not is_current(find_sidecars(video.path), sources[:1])  # another one has come
    put(tmp_path, "a.de.srt")
    assert not is_current(find_sidecars(video.path), sources)
    (tmp_path / "a.de.srt").unlink()
    assert is_current(find_sidecars(video.path), sources)
    os.utime(tmp_path / "a.srt", ns=(1, 1))
    assert not is_current(find_sidecars(video.path), sources)
    again = [text.source for text in read_sidecars(video).texts]
    assert [source.content_hash for source in again] == [source.content_hash for source in sources]
    (tmp_path / "a.srt").write_text(SRT.format("other"))
    assert read_sidecars(video).texts[0].source.content_hash != sources[0].content_hash
    (tmp_path / "a.srt").unlink()
    assert not is_current(find_sidecars(video.path), again)


def test_a_folder_is_listed_once_for_all_its_videos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(50):
        put(tmp_path, f"{number}.mp4", f"{number}.srt")
    listed = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: listed.append(path) or scandir(path))
    folder = SidecarFolder(str(tmp_path))
    assert [[each.name for each in folder.of(f"/x/{number}.mp4")] for number in range(50)] == [
        [f"{n}.srt"] for n in range(50)
    ]
    assert len(listed) == 1


def test_names_that_are_not_utf_8(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9")
    put(tmp_path, f"{name}.mp4")
    (tmp_path / f"{name}.en.srt").write_text(SRT.format("x"))
    (text,) = read_sidecars(make_video(str(tmp_path / f"{name}.mp4"))).texts
    assert (text.source.language, text.source.file) == ("en", f"{name}.en.srt")


def test_the_frames_of_microdvd_are_those_of_the_video(tmp_path: Path) -> None:
    put(tmp_path, "a.mp4")
    (tmp_path / "a.sub").write_text("{50}{100}x\n")
    for rate, start in ((Fraction(25), 2000), (Fraction(50), 1000), (Fraction(24000, 1001), 2085)):
        (text,) = read_sidecars(make_video(str(tmp_path / "a.mp4"), frame_rate=rate)).texts
        assert text.lines[0].start_ms == start
