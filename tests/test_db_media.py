"""Posters and previews: there exactly when a row names them, gone when none does."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from db_samples import add, make_parts, make_video, stage, unit_rows
from older_formats import to_format
from postgres import in_a_folder
from sqlalchemy import event, text

from db import media as media_module
from db.library import Library


@pytest.fixture
def library(place: Path | str) -> Iterator[Library]:
    with Library.open(place) as opened:
        yield opened


def media_files(library: Library) -> list[str]:
    root = library._media.directory
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def test_staged_files_become_visible_with_the_video(library: Library) -> None:
    video = make_video()
    media = stage(library, video, 3)
    assert all(name.startswith(".partial-") for name in media_files(library))
    assert not library.poster_path(video, 0).exists()
    add(library, video, media=media)
    (stored,) = library.videos()
    assert library.poster_path(stored, 2).read_bytes() == b"poster 2"
    assert library.preview_path(stored, 0).read_bytes() == b"poster moves 0"
    assert library.poster_path(stored, 1).is_relative_to(library._media.directory / "ab")
    assert len(media_files(library)) == 6
    media.discard()  # as in a `finally`: what is in place stays
    assert len(media_files(library)) == 6
    assert library.stats().media_bytes == sum(len(f"poster {i}") + len(f"poster moves {i}") for i in range(3))
    assert library.check() == []


def test_without_media_paths_lead_nowhere(library: Library) -> None:
    add(library)
    (video,) = library.videos()
    assert not library.poster_path(video, 0).exists()
    assert library.check() == []


def test_same_content_again_brings_new_media_or_keeps_the_old(library: Library) -> None:
    video = make_video()
    add(library, video, media=stage(library, video, 3, "old"))
    add(library, video, encoder_id="two")
    (stored,) = library.videos()
    assert library.poster_path(stored, 0).read_bytes() == b"old 0"
    add(library, video, media=stage(library, video, 3, "new"))
    assert library.poster_path(stored, 0).read_bytes() == b"new 0"
    assert len(media_files(library)) == 6


def test_media_go_with_the_last_video_that_shares_them(library: Library) -> None:
    video = make_video()
    first = add(library, video, media=stage(library, video, 3))
    copy = library.copy_video(first, path="/films/copy.mp4", size_bytes=1, modified_ns=1)
    library.remove_videos([first])
    (left,) = library.videos()
    assert left.id == copy
    assert library.poster_path(left, 0).read_bytes() == b"poster 0"
    other = replace(video, path="/films/copy.mp4", fingerprint="ffff")
    add(library, other, media=stage(library, other, 3, "other"))
    assert [each.video_id for each in library.vanished_videos()] == [copy]
    assert len(media_files(library)) == 12, "rows of a video that was replaced are kept for a while, with their media"
    library.remove_vanished([copy])
    assert [name.split("/")[0] for name in media_files(library)] == ["ff"] * 6
    library.touch_video(add(library, make_video("/films/x.mp4", "eeee")), path=other.path, size_bytes=1, modified_ns=1)
    library.remove_vanished([each.video_id for each in library.vanished_videos()])
    assert media_files(library) == []


@pytest.mark.parametrize("name", ["{outside}", "../outside", ".", ""])
def test_a_library_of_somebody_else_cannot_have_other_folders_removed(
    library: Library, tmp_path: Path, name: str
) -> None:
    """Its rows may name any folder of this machine as their media."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious.txt").touch()
    kept = add(library, make_video("/films/kept.mp4", "bbbb"), media=stage(library, make_video("/k.mp4", "bbbb"), 3))
    video = add(library, make_video("/films/a.mp4", "aaaa"))
    with library._database.writing() as connection:
        change = text("UPDATE videos SET media = :name WHERE id = :id")
        connection.execute(change, {"name": name.format(outside=outside), "id": video})
    library.remove_videos([video])
    assert (outside / "precious.txt").exists()
    assert len(media_files(library)) == 6
    assert [each.id for each in library.videos()] == [kept]


def test_an_add_that_fails_leaves_media_and_rows_as_before(library: Library) -> None:
    video = make_video()
    add(library, video, media=stage(library, video, 3, "old"))
    before = (media_files(library), library.videos(), library.stamp("enc"))
    shots, segments = make_parts(video)
    changed = replace(video, fingerprint="ffff")
    with pytest.raises(ValueError, match="unit length"):
        library.add_video(
            changed, shots, segments, unit_rows(3) * 2, encoder_id="enc", recipe="r", media=stage(library, changed, 3)
        )
    with pytest.raises(ValueError, match="3 segments, and media of 2"):
        add(library, changed, media=stage(library, changed, 2))
    with pytest.raises(ValueError, match="another library or video"):
        add(library, changed, media=stage(library, video, 3))
    gone = stage(library, changed, 3)
    for file in (library._media.directory).glob(".partial-*/*"):
        file.unlink()
    next((library._media.directory).glob(".partial-*")).rmdir()
    with pytest.raises(FileNotFoundError):  # someone tidied up: found out before the commit
        add(library, changed, media=gone)
    assert (media_files(library), library.videos(), library.stamp("enc")) == before


def test_an_error_after_the_commit_does_not_take_the_media_away(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C may come at any line: here between the commit and the removal of the old folder."""
    video = make_video()
    add(library, video, media=stage(library, video, 3, "old"))

    drop, calls = library._media.drop, []

    def interrupted(name: str) -> None:
        calls.append(name)
        if len(calls) == 1:
            raise KeyboardInterrupt
        drop(name)

    monkeypatch.setattr(library._media, "drop", interrupted)
    with pytest.raises(KeyboardInterrupt):
        add(library, video, media=stage(library, video, 3, "new"))
    monkeypatch.undo()
    (stored,) = library.videos()
    assert library.poster_path(stored, 1).read_bytes() == b"new 1"
    assert library.check() == []


def test_discard_and_leaving_the_context_remove_what_was_staged(library: Library) -> None:
    stage(library, make_video(), 2).discard()
    with library.stage_media("abcd", "r") as media:
        media.add(0, b"x", b"")
        with pytest.raises(ValueError, match="no poster"):
            media.add(1, b"", b"x")
    assert media_files(library) == []
    library.stage_media("abcd", "r").discard()  # nothing was added
    with pytest.raises(ValueError, match="fingerprint"):
        library.stage_media("../../etc", "r")


def _age(path: Path, hours: float) -> None:
    then = time.time() - hours * 3600
    os.utime(path, (then, then))


def test_leftovers_are_swept_once_their_process_is_gone_and_others_when_old(library: Library) -> None:
    video = make_video()
    add(library, video, media=stage(library, video, 3))
    being_made = stage(library, make_video(fingerprint="bbbb"), 1)
    stage(library, make_video(fingerprint="cccc"), 1).publish()  # killed between rename and commit
    older = library._media.directory / ".partial-0000"  # an earlier version does not lock it
    older.mkdir()
    kept = len(media_files(library))
    (orphan,) = (library._media.directory / "cc").iterdir()
    for folder in (library._media.directory / "ab").iterdir():
        _age(folder, 1000)
    (partial,) = (library._media.directory).glob(".partial-owned-*")
    _age(partial, 1000)
    Library.open(library.place).close()
    assert library.check() == []
    assert len(media_files(library)) == kept, "neither young ones nor those of a process that lives"
    del being_made  # its lock goes with it, as with a process that is killed
    Library.open(library.place).close()
    assert not partial.exists()
    assert older.exists()
    _age(older, 2)
    _age(orphan, 2)
    assert library.check() == []
    assert not older.exists()
    assert not orphan.exists()
    assert len(media_files(library)) == 6
    older.mkdir()
    _age(older, 25)
    Library.open(library.place).close()
    assert not older.exists()


def test_media_are_on_the_disk_before_the_row_that_names_them(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    real = media_module.flush
    monkeypatch.setattr(media_module, "flush", lambda path: (done.append(path.name), real(path)))
    monkeypatch.setattr(media_module, "flush_directory", lambda path: done.append("folder"))
    committed = event.listens_for(library._database.engine, "commit")
    committed(lambda connection: done.append("commit"))
    video = make_video()
    add(library, video, media=stage(library, video, 3))
    assert sorted(done[:6]) == [*(f"poster-{n:05d}.jpg" for n in range(3)), *(f"preview-{n:05d}.mp4" for n in range(3))]
    assert done[6:] == ["folder", "folder", "folder", "commit"]


def test_check_names_posters_that_are_missing_or_empty(library: Library) -> None:
    video = make_video()
    add(library, video, media=stage(library, video, 3))
    (stored,) = library.videos()
    library.poster_path(stored, 0).unlink()
    library.poster_path(stored, 2).write_bytes(b"")
    assert library.check() == ["2 posters of '/films/a.mp4' are missing: index it again."]


def test_bytes_of_media_are_known_without_looking(library: Library) -> None:
    def on_disk() -> int:
        return sum(path.stat().st_size for path in (library._media.directory).rglob("*") if path.is_file())

    first = add(library, media=stage(library, make_video(), 3))
    other = make_video("/films/b.mp4", "bb01")
    add(library, other, count=2, media=stage(library, other, 2, "another poster"))
    assert library.stats().media_bytes == on_disk() > 0
    library.copy_video(first, path="/films/copy.mp4", size_bytes=1, modified_ns=1)
    assert library.stats().media_bytes == on_disk(), "copies share their files"
    add(library, media=stage(library, make_video(), 3, "a longer poster than before"))
    add(library, encoder_id="two")
    assert library.stats().media_bytes == on_disk()
    library.remove_videos([video.id for video in library.videos() if video.id is not None])
    assert library.stats().media_bytes == on_disk() == 0


@in_a_folder
def test_a_library_of_format_2_is_measured_when_it_is_migrated(library: Library) -> None:
    add(library, media=stage(library, make_video(), 3))
    add(library, make_video("/films/b.mp4", "bb01"))
    held = library.stats().media_bytes
    with library._database.writing() as connection:
        to_format(connection, 2)
    library.close()
    with Library.open(library.place) as migrated:
        assert migrated.stats().media_bytes == held > 0
        assert migrated.check() == []
