"""Everything about exports but exact frames: copies, names, lists, and what happens when things go wrong."""

from __future__ import annotations

import csv
import errno
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numbered import clicks, constant, ffmpeg, shown, write

from app.exporting import ffmpeg_binary
from app.exporting.clip_writer import write_clips
from app.exporting.ffmpeg_binary import ExportError, find_ffmpeg
from app.exporting.lists import list_writer, write_clip_tables, write_edit_lists
from app.exporting.naming import MAX_NAME_BYTES, ClipFacts, clip_name
from app.exporting.request import ClipRequest, ExportedClip
from app.exporting.source_facts import SourceFacts
from encoder import ClipSpec
from files.publish import publish
from indexer.settings import IndexSettings
from indexer.video_pass import VideoPass

REPOSITORY = Path(__file__).parents[1]
OPEN_GOP = {"x264-params": "open-gop=1:bframes=3:b-adapt=0:keyint=20:min-keyint=20:scenecut=0"}
CLOSED = {"bf": "0", "x264-params": "keyint=20:min-keyint=20:scenecut=0"}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds at 25 frames a second, with sound, a key frame every 20 frames, frames reordered."""
    folder = tmp_path_factory.mktemp("plain")
    options = {"x264-params": "bframes=3:b-adapt=0:keyint=20:min-keyint=20:scenecut=0"}
    return write(folder / "plain.mp4", *constant(100, Fraction(25)), options=options, sound="aac")


def ask(path: Path | str, start: Any = Fraction(1), end: Any = Fraction(2), **more: Any) -> ClipRequest:
    return ClipRequest(path=str(path), start_seconds=start, end_seconds=end, **more)


def facts(source: str, start: Fraction, end: Fraction, rank: int = 1, total: int = 1) -> ClipFacts:
    return ClipFacts(rank=rank, total=total, source=source, start_seconds=start, end_seconds=end)


def file_of(clip: ExportedClip) -> Path:
    assert clip.error is None
    assert clip.file is not None
    return clip.file


def numbers(file: Path) -> list[int]:
    return [frame.number for frame in shown(file)]


# Copies


@pytest.mark.parametrize("kind", ["mp4", "mkv", "mov", "ts", "late mkv", "negative ts", "webm", "open gop mkv"])
def test_a_copy_begins_at_the_key_frame_before_and_says_how_much_earlier(
    kind: str, plain: Path, tmp_path: Path
) -> None:
    source = tmp_path / f"source.{kind.split()[-1]}"
    if kind == "webm":
        fast = {"deadline": "realtime", "cpu-used": "8", "b": "1M"}
        write(source, *constant(60, Fraction(25)), codec="libvpx-vp9", options=fast, sound="libopus", gop=20)
    elif kind == "open gop mkv":
        write(source, *constant(100, Fraction(25)), options=OPEN_GOP, sound="aac")
    else:
        offset = {"late mkv": "100000", "negative ts": "-2.5"}.get(kind, "0")
        ffmpeg(
            "-i", str(plain), "-c", "copy", "-output_ts_offset", offset, "-avoid_negative_ts", "disabled", str(source)
        )
    packets = {frame.number: frame for frame in shown(source)}
    with av.open(str(source)) as container:
        keys = sorted(frame.pts for frame in container.decode(video=0) if frame.key_frame)
        container.seek(0)
    assert len(keys) > 2
    for first, end in [(0, 10), (25, 45), (40, 50), (39, 41), (41, 43)]:
        (clip,) = write_clips([ask(source, packets[first].seconds, packets[end].seconds)], tmp_path / "clips", "copy")
        found = shown(file_of(clip))
        key = first // 20 * 20
        assert clip.file is not None
        assert clip.file.suffix == source.suffix
        assert clip.early_seconds == packets[first].seconds - packets[key].seconds
        whole = [frame.number for frame in found if frame.number >= key]
        assert whole[: end - key] == list(range(key, end)), "every frame from the key frame to the end is there"
        assert found[-1].number - (end - 1) <= 4, "a few more, where frames are reordered across the end"
        beyond = packets[found[-1].number].seconds + Fraction(1, 25) - packets[end].seconds
        assert float(clip.late_seconds) == pytest.approx(max(0.0, float(beyond)), abs=0.002)
        flashes = [float(frame.seconds) for frame in found if frame.flash and frame.seconds > 0.1]
        heard = clicks(clip.file)
        assert all(min(abs(flash - click) for click in heard) < 0.04 for flash in flashes)


def test_sound_that_counts_in_packets_stays_in_its_place(tmp_path: Path) -> None:
    """MP3 in AVI has units of 24 milliseconds, of which no second is a whole number."""
    options = {"bf": "0", "b": "2M"}
    plain = write(
        tmp_path / "plain.mkv", *constant(75, Fraction(25)), codec="mpeg4", options=options, sound="pcm_s16le"
    )
    source = tmp_path / "a.avi"
    ffmpeg("-i", str(plain), "-c:v", "copy", "-c:a", "libmp3lame", str(source))
    (clip,) = write_clips([ask(source, Fraction(12, 25), Fraction(2))], tmp_path / "clips", "copy")
    assert clip.start_seconds is not None
    begins = float(clip.start_seconds - clip.early_seconds)
    before, after = (np.array(clicks(file)) for file in (source, file_of(clip)))
    assert after[0] + begins == pytest.approx(before[np.abs(before - after[0] - begins).argmin()], abs=0.002)


def test_a_copy_loses_nothing(plain: Path, tmp_path: Path) -> None:
    (clip,) = write_clips([ask(plain, Fraction(4, 5), Fraction(8, 5))], tmp_path, "copy")
    before = {frame.number: frame.pixels for frame in shown(plain)}
    for frame in shown(file_of(clip)):
        assert (frame.pixels == before[frame.number]).all()


def test_a_container_that_cannot_hold_the_streams_becomes_matroska(plain: Path, tmp_path: Path) -> None:
    strange = tmp_path / "strange.webm"
    ffmpeg("-i", str(plain), "-c", "copy", "-f", "matroska", str(strange))  # H.264 under a name that may not hold it
    old = write(tmp_path / "old.avi", *constant(50, Fraction(25)), codec="mpeg4", options={"bf": "0", "b": "1M"})
    for source in (strange, old):
        (clip,) = write_clips([ask(source, 1, Fraction(8, 5))], tmp_path / "clips", "copy")
        assert file_of(clip).suffix == ".mkv"
        assert set(range(25, 40)) <= set(numbers(file_of(clip)))


def test_what_has_no_times_cannot_be_copied_from_and_says_what_to_do(tmp_path: Path) -> None:
    raw = write(tmp_path / "a.h264", *constant(50, Fraction(25)))
    (clip,) = write_clips([ask(raw)], tmp_path / "clips", "copy")
    assert clip.file is None
    assert clip.error is not None
    assert "use the exact mode" in clip.error


# Names


def test_names_sort_and_tell_the_range(plain: Path, tmp_path: Path) -> None:
    clips = write_clips([ask(plain, Fraction(312, 100), 3.52), ask(plain, rank=12)], tmp_path)
    assert [file_of(clip).name for clip in clips] == [
        "001_plain_00h00m03.120s-00h00m03.520s.mp4",
        "012_plain_00h00m01.000s-00h00m02.000s.mp4",
    ]
    late = clip_name(facts("film", Fraction(3725_0504, 10_000), Fraction(3726), rank=7, total=1200), ".mkv")
    assert late == "0007_film_01h02m05.050s-01h02m06.000s.mkv"


@pytest.mark.parametrize(
    ("stem", "wanted"),
    [
        ("-rf", "-rf"),
        ("100% real 'quotes' & $HOME", "100% real 'quotes' & $HOME"),
        ('a<b>c:d"e/f\\g|h?i*j', "a_b_c_d_e_f_g_h_i_j"),
        ("tab\there\nand\x00there\x7f", "tab_here_and_there_"),
        ("name. . ", "name"),
        (" .hidden", "hidden"),
        ("CON", "CON"),  # harmless: the number stands before it
        ("e\u0301te\u0301", "\u00e9t\u00e9"),
        (os.fsdecode(b"caf\xe9 \xff"), "caf_ _"),
        ("...", "clip"),
        ("", "clip"),
    ],
)
def test_names_are_safe_everywhere(stem: str, wanted: str) -> None:
    name = clip_name(facts(stem, Fraction(0), Fraction(1)), ".mp4")
    assert name == f"001_{wanted}_00h00m00.000s-00h00m01.000s.mp4"


@pytest.mark.parametrize("stem", ["x" * 300, "\u00e9" * 300, "\U0001f3ac" * 100, "a" + "\u6f22" * 200])
def test_long_names_are_cut_between_characters(stem: str) -> None:
    name = clip_name(facts(stem, Fraction(0), Fraction(1)), ".mp4")
    assert MAX_NAME_BYTES - 12 <= len(name.encode()) <= MAX_NAME_BYTES
    assert stem.startswith(name.split("_")[1])
    assert name.endswith("_00h00m00.000s-00h00m01.000s.mp4")


@pytest.mark.parametrize(
    "name",
    ["-rf.mp4", "100%d.mp4", "it's \"so\".mp4", "a;b|c&d.mp4", "concat:x.mp4", "[0:v].mp4", "x,y=z:w.mp4", " lead.mp4",
     "sp ace .mp4", "e\u0301.mp4", "\u00e9.mp4", os.fsdecode(b"not utf8 \xff\xfe.mp4"), "new\nline.mp4", "\\back.mp4"],
)  # fmt: skip
def test_sources_with_awkward_names_are_read(name: str, plain: Path, tmp_path: Path) -> None:
    odd = tmp_path / "in" / "dir %03d 'x'" / name
    odd.parent.mkdir(parents=True)
    os.link(plain, odd)
    to = tmp_path / "out -dir %d ' : [x]"
    for mode in ("exact", "copy"):
        (clip,) = write_clips([ask(odd, 1, Fraction(6, 5))], to, mode)  # type: ignore[arg-type]
        assert set(numbers(file_of(clip))) >= set(range(25, 30))
        assert file_of(clip).name.encode() == os.fsencode(file_of(clip).name)
    assert len(list(to.iterdir())) == 2


def test_relative_sources_and_folders_work(plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.link(plain, tmp_path / "-i")
    monkeypatch.chdir(tmp_path)
    (clip,) = write_clips([ask("-i", 0, Fraction(1, 5))], "-to")
    assert file_of(clip).parent == tmp_path / "-to"
    assert numbers(file_of(clip)) == [0, 1, 2, 3, 4]


def test_nothing_is_ever_overwritten(plain: Path, tmp_path: Path) -> None:
    taken = tmp_path / "001_plain_00h00m01.000s-00h00m02.000s.mp4"
    taken.write_text("mine")
    dangling = tmp_path / "001_plain_00h00m01.000s-00h00m02.000s_2.mp4"
    dangling.symlink_to(tmp_path / "nowhere")
    clips = write_clips([ask(plain, rank=1), ask(plain, rank=1)], tmp_path)
    assert [file_of(clip).name for clip in clips] == [
        "001_plain_00h00m01.000s-00h00m02.000s_3.mp4",
        "001_plain_00h00m01.000s-00h00m02.000s_4.mp4",
    ]
    assert taken.read_text() == "mine"
    assert dangling.is_symlink()
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("code", [errno.EPERM, errno.EOPNOTSUPP, None])
def test_names_are_reserved_where_there_are_no_hard_links(
    code: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(source: object, target: object) -> None:
        raise OSError(code or 0, "no links here")

    if code is not None:
        monkeypatch.setattr(os, "link", no_links)
    for number in range(3):
        draft = tmp_path / "draft"
        draft.write_text(str(number))
        publish(draft, tmp_path, "clip.mp4")
        assert not draft.exists()
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "clip.mp4": "0",
        "clip_2.mp4": "1",
        "clip_3.mp4": "2",
    }


# When things go wrong


def test_a_clip_that_fails_says_why_and_the_others_go_on(plain: Path, tmp_path: Path) -> None:
    broken, text, empty, folder = (tmp_path / name for name in ("broken.mp4", "text.mp4", "empty.mp4", "folder.mp4"))
    broken.write_bytes(plain.read_bytes()[:500])
    text.write_text("no video at all " * 50)
    empty.touch()
    folder.mkdir()
    told: list[tuple[int, int, bool]] = []
    asked = [
        ask(tmp_path / "gone.mp4"), ask(plain), ask(broken), ask(text), ask(empty), ask(folder),
        ask(plain, 1000, 1001), ask(plain, Fraction(1010, 1000), Fraction(1020, 1000)), ask(plain, 3, 99),
    ]  # fmt: skip
    clips = write_clips(
        asked, tmp_path / "clips", on_clip=lambda done, total, clip: told.append((done, total, clip.error is None))
    )
    errors = [clip.error for clip in clips]
    assert [error is None for error in errors] == [False, True, False, False, False, False, False, False, True]
    for error, words in zip(
        errors,
        (
            "no longer there",
            None,
            "cannot be opened",
            "Not a video",
            "empty",
            "folder",
            "past the end",
            "further apart",
            None,
        ),
        strict=True,
    ):
        assert (error is None) == (words is None)
        assert words is None or (error is not None and words in error), error
    assert told == [(number + 1, 9, error is None) for number, error in enumerate(errors)]
    assert sorted(path.name for path in (tmp_path / "clips").iterdir()) == sorted(
        file_of(clip).name for clip in clips if clip.error is None
    ), "and no drafts are left"
    assert clips[8].end_seconds == 4, "a range that goes on past the end stops there"


def test_a_full_disk_fails_that_clip_in_words_and_leaves_nothing(plain: Path, tmp_path: Path) -> None:
    """Files are limited to 6 KB in a process of its own; the short clip fits, the long one does not."""
    script = f"""
import json, resource, signal, sys
sys.path.insert(0, {str(REPOSITORY)!r})
from app.exporting.request import ClipRequest
from app.exporting.clip_writer import write_clips
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000))
asked = [ClipRequest(path={str(plain)!r}, start_seconds=a, end_seconds=b) for a, b in ((0, 4), (1, 1.04))]
print(json.dumps([clip.error for clip in write_clips(asked, {str(tmp_path / "clips")!r})]))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    first, second = json.loads(done.stdout)
    assert first is not None
    assert "no file of this size" in first
    assert second is None
    assert len(list((tmp_path / "clips").iterdir())) == 1


def test_a_killed_export_leaves_no_half_clip_under_a_name_and_its_draft_is_swept(plain: Path, tmp_path: Path) -> None:
    """ffmpeg is played by a program that writes half a file and waits; then the whole group is killed."""
    slow = tmp_path / "slow-ffmpeg"
    slow.write_text(
        f"#!{sys.executable}\nimport sys, time\n"
        "draft = next(word for word in sys.argv if 'draft' in word)\n"
        "open(draft.removeprefix('file:'), 'wb').write(b'half')\nprint(flush=True)\ntime.sleep(60)\n"
    )
    slow.chmod(0o755)
    to = tmp_path / "clips"
    script = (
        f"import sys; sys.path.insert(0, {str(REPOSITORY)!r})\n"
        "from app.exporting.request import ClipRequest\n"
        "from app.exporting.clip_writer import write_clips\n"
        f"asked = [ClipRequest(path={str(plain)!r}, start_seconds=1, end_seconds=2)]\n"
        f"write_clips(asked, {str(to)!r}, ffmpeg={str(slow)!r})\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script], start_new_session=True)
    deadline = time.monotonic() + 60
    while not (to.is_dir() and any(path.stat().st_size for path in to.iterdir())):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    (draft,) = to.iterdir()
    assert draft.name.startswith(".prismsearch-draft-"), "nothing has a clip's name"
    write_clips([ask(plain)], to)
    assert draft.exists(), "it might be another run's, being written now"
    os.utime(draft, (0, 0))
    mine = to / "mine.mp4"
    mine.touch()
    os.utime(mine, (0, 0))
    write_clips([ask(plain)], to)
    assert not draft.exists()
    assert mine.exists()


def test_an_interrupt_ends_ffmpeg_and_leaves_no_draft(
    plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    processes: list[subprocess.Popen[bytes]] = []

    def interrupted(process: subprocess.Popen[bytes], *_: Any) -> str:
        processes.append(process)
        raise KeyboardInterrupt

    monkeypatch.setattr(ffmpeg_binary, "_read", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_clips([ask(plain)], tmp_path / "clips")
    assert [process.returncode for process in processes] == [-signal.SIGKILL]
    assert list((tmp_path / "clips").iterdir()) == []


def test_a_cancelled_export_keeps_what_is_done(plain: Path, tmp_path: Path) -> None:
    done: list[int] = []
    clips = write_clips(
        [ask(plain, 0, 1), ask(plain), ask(plain)],
        tmp_path,
        on_clip=lambda number, total, clip: done.append(number),
        cancelled=lambda: len(done) >= 1,
    )
    assert [clip.error for clip in clips] == [None, "stopped before it was written", "stopped before it was written"]
    assert len(list(tmp_path.iterdir())) == 1


def test_sound_that_cannot_be_decoded_is_left_out_and_said(plain: Path, tmp_path: Path) -> None:
    """The codec's name in the file is replaced by one that nobody knows."""
    source = tmp_path / "strange.mkv"
    ffmpeg("-i", str(plain), "-c:v", "copy", "-c:a", "pcm_s16le", str(source))
    content = source.read_bytes()
    assert content.count(b"A_PCM/INT/LIT") == 1
    source.write_bytes(content.replace(b"A_PCM/INT/LIT", b"A_XYZ/INT/LIT"))
    (clip,) = write_clips([ask(source)], tmp_path / "clips")
    assert numbers(file_of(clip)) == list(range(25, 50))
    assert not clip.has_audio
    assert clip.note is not None
    assert "without its sound" in clip.note


def test_the_folder_is_made_or_said_to_be_impossible(plain: Path, tmp_path: Path) -> None:
    (clip,) = write_clips([ask(plain)], tmp_path / "a" / "b")
    assert file_of(clip).parent == tmp_path / "a" / "b"
    (tmp_path / "file").touch()
    with pytest.raises(ExportError, match="cannot be created"):
        write_clips([ask(plain)], tmp_path / "file" / "x")


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv"])
def test_facts_of_a_file_are_those_of_the_indexed_video(suffix: str, plain: Path, tmp_path: Path) -> None:
    file = tmp_path / f"source.{suffix}"
    ffmpeg("-i", str(plain), "-c", "copy", "-timecode", "01:00:00:12", str(file))
    video_pass = VideoPass(str(file), ClipSpec(1, 16), IndexSettings(), fingerprint="f")
    list(video_pass)
    facts = SourceFacts.of_file(str(file))
    assert facts is not None
    assert facts.timecode == "01:00:00:12"
    assert abs(facts.video_seconds - 4) < Fraction(1, 10), "the header counts the sound too"
    assert replace(facts, video_seconds=Fraction(4)) == SourceFacts.of_video(video_pass.video)
    assert SourceFacts.of_file(str(tmp_path / "gone.mp4")) is None


def test_the_packaged_ffmpeg_is_found_unless_another_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import imageio_ffmpeg

    packaged = imageio_ffmpeg.get_ffmpeg_exe()
    assert find_ffmpeg() == packaged
    own = tmp_path / "ffmpeg"
    own.write_text("#!/bin/sh\n")
    own.chmod(0o755)
    assert find_ffmpeg(str(own)) == str(own)
    with pytest.raises(ExportError, match="not a program"):
        find_ffmpeg(str(tmp_path / "nothing"))

    def none() -> str:
        raise RuntimeError("No ffmpeg exe could be found.")

    monkeypatch.setattr(imageio_ffmpeg, "get_ffmpeg_exe", none)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_ffmpeg() == str(own)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ExportError, match="no ffmpeg for this system"):
        find_ffmpeg()


@pytest.mark.parametrize(
    ("start", "end"), [(2, 1), (1, 1), (-1, 1), (float("nan"), 1), (0, float("inf")), (0, float("nan"))]
)
def test_ranges_that_are_none_are_refused(start: float, end: float) -> None:
    with pytest.raises(ValueError, match="range"):
        ClipRequest(path="x.mp4", start_seconds=start, end_seconds=end)


def test_a_mode_or_padding_that_is_none_is_refused(plain: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="exact, smart or copy"):
        write_clips([ask(plain)], tmp_path, "fast")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="negative"):
        write_clips([ask(plain)], tmp_path, pad_seconds=-1)


# Lists


def test_lists_say_what_was_exported(plain: Path, tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b'odd, "name" \xff.mp4')
    os.link(plain, odd)
    asked = [ask(odd, Fraction(52, 25), Fraction(3), rank=3, score=0.25), ask(tmp_path / "gone.mp4", 1, 2)]
    clips = [*write_clips(asked, tmp_path), *write_clips([ask(plain, Fraction(13, 25), 1)], tmp_path, "copy")]
    table, document = write_clip_tables(clips, list_writer(tmp_path, None, ""))
    assert (table.name, document.name) == ("clips.csv", "clips.json")
    records = json.loads(document.read_bytes())["clips"]
    with table.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert rows == [{key: "" if value is None else str(value) for key, value in each.items()} for each in records]
    first, failed, copied = records
    assert first == {
        "clip": file_of(clips[0]).name, "source": str(odd), "start_seconds": 2.08, "end_seconds": 3.0,
        "start_frame": 52, "end_frame": 75, "start_timecode": "00:00:02:02", "end_timecode": "00:00:03:00",
        "frame_rate": "25", "frames": 23, "mode": "exact", "early_seconds": 0.0, "late_seconds": 0.0, "rank": 3,
        "score": 0.25, "note": None, "error": None,
    }  # fmt: skip
    assert "no longer there" in failed["error"]
    assert failed == {
        "clip": None, "source": str(tmp_path / "gone.mp4"), "start_seconds": 1.0, "end_seconds": 2.0,
        "start_frame": None, "end_frame": None, "start_timecode": None, "end_timecode": None, "frame_rate": None,
        "frames": 0, "mode": "exact", "early_seconds": 0.0, "late_seconds": 0.0, "rank": None, "score": None,
        "note": None, "error": failed["error"],
    }  # fmt: skip
    assert (copied["mode"], copied["early_seconds"]) == ("copy", 0.52)
    again = write_clip_tables(clips[:1], list_writer(tmp_path, None, ""))
    assert [path.name for path in again] == ["clips_2.csv", "clips_2.json"]
    assert json.loads(document.read_bytes())["clips"] == records


def test_what_has_no_rank_is_listed_at_its_position(tmp_path: Path) -> None:
    known = SourceFacts(video_seconds=Fraction(60), frame_rate=Fraction(25))
    ranked = [(None, 0.5), (7, None), (0, 1.0), (None, None)]
    asked = [ask("/films/a.mp4", rank=rank, facts=known, score=score) for rank, score in ranked]
    (document,), notes = write_edit_lists(asked, [], ["json"], list_writer(tmp_path, None, ""), "Reel")
    listed = json.loads(document.read_bytes())["clips"]
    assert [(each["rank"], each["score"]) for each in listed] == [(1, 0.5), (7, None), (0, 1.0), (4, None)]
    assert notes == []


def test_a_clip_whose_source_is_gone_is_listed_by_the_rate_it_was_cut_at(tmp_path: Path) -> None:
    gone = ask(tmp_path / "gone.mp4", 1, 2)
    unknown = ExportedClip(request=gone, mode="exact")
    (document,), notes = write_edit_lists(
        [gone, gone],
        [unknown, replace(unknown, frame_rate=Fraction(30))],
        ["json"],
        list_writer(tmp_path, None, ""),
        "Reel",
    )
    (listed,) = json.loads(document.read_bytes())["clips"]
    assert (listed["frame_rate"], listed["start_frame"], listed["end_frame"], listed["rank"]) == ("30", 30, 60, 2)
    assert len(notes) == 1
    assert write_edit_lists([gone], [], ["json"], list_writer(tmp_path, None, ""), "Reel") == ([], notes)
