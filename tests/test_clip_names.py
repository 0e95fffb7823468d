"""The name that the export panel shows beforehand is that of the file which is written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import media_worker_tasks as tasks
import pytest
from page_library import client_of, segment_ids, small_library
from starlette.testclient import TestClient

from app.exporting.collection_clips import collection_clips
from app.exporting.exporter import export
from app.exporting.request import ExportOptions, ExportRequest
from app.exporting.words.choosing import with_words
from app.media_workers import MediaWorkers
from app.web.services import clip_names
from db.library import Library
from db.records import Subclip
from db.timed_text import TextSource, TimedLine

VIDEOS: dict[str, dict[str, Any]] = {
    "twelve and a half.mp4": {"shots": [("red", 20), ("blue", 20)], "rate": Fraction(25, 2), "audio_seconds": 1.6},
    "intra.mov": {"shots": [("red", 20), ("blue", 20)], "codec": "mjpeg", "pix_fmt": "yuvj420p"},
    "camera.MTS": {"shots": [("red", 20), ("blue", 20)], "container": "mpegts"},
    "old.avi": {"shots": [("red", 20), ("blue", 20)], "codec": "mpeg4"},
}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with small_library(tmp_path_factory.mktemp("names"), VIDEOS) as library:
        client = client_of(library)
        here = client.get("/api/collections").json()["tray"]
        items = [{"segment": each} for each in segment_ids(library)]
        client.post(f"/api/collections/{here}/subclips", json={"items": items})
        yield library


@pytest.fixture
def client(library: Library) -> TestClient:
    return client_of(library)


def tray(library: Library) -> list[Subclip]:
    return library.collections.subclips(library.collections.tray().id)


def asked(client: TestClient, library: Library, subclip: Subclip, **question: Any) -> dict[str, Any]:
    given = {"collection": library.collections.tray().id, "clip": subclip.id, "total": 1} | question
    answer = client.get("/api/exports/name", params=given)
    told: dict[str, Any] = answer.json() | {"status": answer.status_code}
    return told


def written(library: Library, clip: Subclip, options: ExportOptions) -> str:
    """The name of the only clip of an export."""
    assert clip.id is not None
    collection = library.collections.tray()
    clips = collection_clips(library, collection, tray(library), {clip.id})
    (done,) = export(ExportRequest.with_options(options, clips, collection.name)).clips
    assert done.error is None, done.error
    assert done.file is not None
    return done.file.name


@pytest.mark.parametrize("mode", ["smart", "exact", "copy"])
@pytest.mark.parametrize("video", VIDEOS)
def test_the_name_is_that_of_the_file(
    client: TestClient, library: Library, tmp_path: Path, video: str, mode: Any
) -> None:
    """Also where handles end between frames, where a container changes, and where the name is taken."""
    clip = next(each for each in tray(library) if os.path.basename(each.path) == video and each.start_pts > 0)
    question = {"mode": mode, "handles": 0.13, "folder": str(tmp_path)}
    options = ExportOptions(folder=tmp_path, mode=mode, handles_seconds=Fraction(13, 100))
    names = []
    for _ in range(2):
        told = asked(client, library, clip, **question)
        assert told == {"name": written(library, clip, options), "why": "", "status": 200}
        names.append(told["name"])
    assert names[1] == "_2".join(os.path.splitext(names[0]))
    in_zip = asked(client, library, clip, **question | {"folder": ""})
    assert in_zip["name"] == names[0]


@pytest.mark.parametrize("video", VIDEOS)
def test_the_name_is_that_of_a_copy_with_a_track_of_its_words(
    client: TestClient, library: Library, tmp_path: Path, video: str
) -> None:
    """Not every container holds text: a transport stream becomes Matroska, but only where there is any."""
    clip = next(each for each in tray(library) if os.path.basename(each.path) == video)
    question = {"mode": "copy", "folder": str(tmp_path), "subtitles": "track", "words_from": "speech"}
    options = ExportOptions(folder=tmp_path, mode="copy", subtitles="track")
    plain = asked(client, library, clip, **question)["name"]
    assert plain == written(library, clip, replace(options, subtitles="none"))
    assert clip.video_id is not None
    source = library.texts.replace(
        clip.video_id, TextSource(kind="speech", language="de"), [TimedLine(0, 1600, "Wort")]
    )
    try:
        told = asked(client, library, clip, **question, pattern="{rank}")["name"]
        assert asked(client, library, clip, **question, language="fr", pattern="{rank}")["name"] == (
            f"{clip_rank(library, clip)}{os.path.splitext(plain)[1]}"
        )
        [request] = collection_clips(library, library.collections.tray(), tray(library), {clip.id or 0})
        [request], _ = with_words(library, [request], "track", words_from="speech")
        (done,) = export(ExportRequest.with_options(replace(options, name_pattern="{rank}"), [request], "x")).clips
        assert done.file is not None
        assert told == done.file.name
        assert told.endswith(".mkv") == (video in ("camera.MTS", "old.avi"))
    finally:
        library.texts.remove([source])


def clip_rank(library: Library, clip: Subclip) -> str:
    return f"{[each.id for each in tray(library)].index(clip.id) + 1:03}"


def test_names_follow_the_pattern_and_the_number_of_clips(client: TestClient, library: Library) -> None:
    told = asked(client, library, tray(library)[-1], pattern="{rank} {collection}", total=1000)
    assert told["name"].startswith("0008 Tray.")


@pytest.mark.parametrize(
    ("question", "status", "words"),
    [
        ({"pattern": "{title}"}, 400, "There is no {title}"),
        ({"pattern": "x" * 201}, 400, "1 to 200 characters"),
        ({"mode": "none"}, 400, "smart"),
        ({"subtitles": "all"}, 400, "none, file, track, burn"),
        ({"subtitles": "burn", "mode": "copy"}, 400, "use the mode exact"),
        ({"words_from": "all"}, 400, "best, subtitle"),
        ({"language": "<b>"}, 400, "such as en"),
        ({"handles": -1}, 400, "andles"),
        ({"audio": "some"}, 400, "ound tracks"),
        ({"collection": 99}, 404, "no such collection"),
        ({"clip": 4711}, 404, "no such clip"),
        ({"clip": ""}, 400, "whole numbers"),
    ],
)
def test_questions_that_make_no_sense(
    client: TestClient, library: Library, question: dict[str, Any], status: int, words: str
) -> None:
    told = asked(client, library, tray(library)[0], **question)
    assert told["status"] == status
    assert words.lower() in told["error"].lower()


@pytest.mark.parametrize("typed", ["clips", "~nobody-of-this-name/clips", "\0", "", "  "])
def test_a_folder_that_is_still_being_typed_does_no_harm(client: TestClient, library: Library, typed: str) -> None:
    told = asked(client, library, tray(library)[0], folder=typed, pattern="{rank}")
    assert told["name"].startswith("001.")


def test_a_clip_that_cannot_be_written_says_why(client: TestClient, library: Library) -> None:
    clip = tray(library)[0]
    content = Path(clip.path).read_bytes()
    Path(clip.path).unlink()
    try:
        told = asked(client, library, clip)
        assert (told["name"], told["why"]) == ("", "The file is no longer there.")
        Path(clip.path).write_bytes(b"another film")
        told = asked(client, library, clip)
        assert (told["name"], "a different file has its name" in told["why"].lower()) == ("", True)
    finally:
        Path(clip.path).write_bytes(content)


def test_a_file_that_takes_long_to_read_holds_nothing(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    workers = MediaWorkers()
    monkeypatch.setattr(clip_names, "MOST_SECONDS", 0.5)
    monkeypatch.setattr(clip_names, "forecast_clip", tasks.hangs)
    told = asked(client_of(library, read=workers), library, tray(library)[0])
    workers.close()
    assert (told["name"], told["why"]) == ("", clip_names._LATER)


def test_a_drive_that_does_not_respond_leaves_the_name(
    client: TestClient, library: Library, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def dead(*_: Any) -> str:
        raise clip_names.NoAnswer("/mnt/dead")

    monkeypatch.setattr("app.web.services.drive_calls.DriveCalls.__call__", dead)
    told = asked(client, library, tray(library)[0], pattern="{rank}", folder=str(tmp_path))
    assert told["name"].startswith("001.")
