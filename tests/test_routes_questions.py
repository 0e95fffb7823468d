"""A person's own questions over HTTP: what is drawn, written, changed in two tabs, undone and downloaded."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from page_library import client_of, index, segment_ids, small_library
from starlette.testclient import TestClient
from synthetic import make_video

from app.evaluation.own_questions import read_questions
from db.library import Library

HOSTILE = ["<script>alert(1)</script>", "=1+1", "a \"quoted\", 'name'; DROP", "🎬" * 100, "\u202egpj.exe", "x,y;z\tw"]


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with small_library(tmp_path) as library:
        yield library


@pytest.fixture
def client(library: Library) -> TestClient:
    return client_of(library)


def listed(client: TestClient, query: str = "") -> dict[str, Any]:
    answer = client.get(f"/api/questions{query}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def written(client: TestClient, question: str, segment: int | None = None) -> str:
    answer = client.post("/api/questions", json={"question": question, "segment": segment})
    assert answer.status_code == 200, answer.text
    key: str = answer.json()["key"]
    return key


def test_without_questions_there_is_no_file(client: TestClient, library: Library) -> None:
    found = listed(client)
    assert (found["total"], found["questions"], found["none"], found["lines"]) == (0, 0, 0, [])
    assert found["command"] == f"prismsearch bench mine --library {library.directory}"
    assert not (library.directory / "questions.csv").exists()


def test_every_shot_is_drawn_and_then_again(client: TestClient, library: Library) -> None:
    first = client.get("/api/questions/draw?seed=7").json()
    second = client.get(f"/api/questions/draw?seed=7&after={first['shot']['segment']}").json()
    assert {first["shot"]["segment"], second["shot"]["segment"]} == set(segment_ids(library))
    assert [(each["seed"], each["number"], each["count"]) for each in (first, second)] == [(7, 1, 2), (7, 2, 2)]
    assert sorted((each["shot"]["start"], each["shot"]["end"]) for each in (first, second)) == [(0, 0.8), (0.8, 1.6)]
    third = client.get(f"/api/questions/draw?seed=7&after={second['shot']['segment']}").json()
    assert (third["seed"], third["number"]) == (8, 1)
    assert client.get("/api/questions/draw?seed=7&after=nonsense").json() == first
    assert client.get("/api/questions/draw?seed=x").status_code == 400


def test_a_question_is_kept_with_the_whole_shot(client: TestClient, library: Library) -> None:
    second = segment_ids(library)[1]
    key = written(client, "  the   blue\none ", second)
    (video,) = library.videos()
    (line,) = read_questions(library.directory / "questions.csv").lines
    assert (line.question, line.file, line.start, line.end) == (
        "the blue one", video.path, "00:00:00.800", "00:00:01.600",
    )  # fmt: skip
    assert line.fingerprint == video.fingerprint
    (told,) = listed(client)["lines"]
    assert told == {
        "key": key, "question": "the blue one", "file": "a.mp4", "path": video.path, "start": 0.8, "end": 1.6,
        "note": "", "kind": "", "segment": second, "trouble": "",
    }  # fmt: skip
    written(client, "a boat")
    found = listed(client, "?limit=1")
    assert (found["total"], found["questions"], found["none"]) == (2, 1, 1)
    (newest,) = found["lines"]
    assert (newest["question"], newest["file"], newest["segment"], newest["start"]) == ("a boat", "", None, None)


def test_hostile_words_are_kept_as_they_are(client: TestClient) -> None:
    for question in HOSTILE:
        written(client, question)
    assert [line["question"] for line in listed(client)["lines"]][::-1] == [" ".join(each.split()) for each in HOSTILE]


def test_what_cannot_be_kept_is_refused(client: TestClient, library: Library) -> None:
    for body, status in (
        ({"question": "x"}, 400),
        ({"question": " ", "segment": None}, 400),
        ({"question": "x" * 1001, "segment": None}, 400),
        ({"question": "a\0b", "segment": None}, 400),
        ({"question": "x", "segment": "1"}, 400),
        ({"question": "x", "segment": 99999}, 404),
        (None, 400),
    ):
        assert client.post("/api/questions", json=body).status_code == status, body
    assert not (library.directory / "questions.csv").exists()


def test_a_change_of_what_another_tab_has_changed_is_refused(client: TestClient) -> None:
    key = written(client, "a boat")
    changed = client.patch(f"/api/questions/{key}", json={"question": "a ship"}).json()["key"]
    for method in ("PATCH", "DELETE"):
        refused = client.request(method, f"/api/questions/{key}", json={"question": "late"})
        assert refused.status_code == 409
        assert "changed or deleted elsewhere" in refused.json()["error"]
    assert [(line["key"], line["question"]) for line in listed(client)["lines"]] == [(changed, "a ship")]


def test_a_deleted_question_is_put_back_in_its_place(client: TestClient) -> None:
    keys = [written(client, question) for question in ("a", "b", "c")]
    assert client.delete(f"/api/questions/{keys[1]}").status_code == 200
    assert [line["question"] for line in listed(client)["lines"]] == ["c", "a"]
    assert client.post(f"/api/questions/{keys[1]}/put-back").json() == {"key": keys[1]}
    assert [line["question"] for line in listed(client)["lines"]] == ["c", "b", "a"]
    assert client.post(f"/api/questions/{keys[1]}/put-back").status_code == 404


def test_a_contradiction_is_a_sentence(client: TestClient, library: Library) -> None:
    written(client, "a boat")
    refused = client.post("/api/questions", json={"question": "a boat", "segment": segment_ids(library)[0]})
    assert refused.status_code == 409
    assert "says that nothing answers “a boat”" in refused.json()["error"]


def test_a_file_that_was_broken_by_hand_is_told_and_kept(client: TestClient, library: Library) -> None:
    path = library.directory / "questions.csv"
    path.write_text("question,file\nx,a.mp4,1\n")
    for answer in (
        client.get("/api/questions"),
        client.post("/api/questions", json={"question": "y", "segment": None}),
    ):
        assert answer.status_code == 409
        assert answer.json()["error"].startswith("questions.csv cannot be used: line 2 has 3 cells")
    assert path.read_text() == "question,file\nx,a.mp4,1\n"


def test_a_folder_or_pipe_in_the_place_of_the_file_is_told(client: TestClient, library: Library) -> None:
    place = library.directory / "questions.csv"
    for make in (Path.mkdir, os.mkfifo):
        make(place)  # type: ignore[operator]
        for answer in (
            client.get("/api/questions"),
            client.post("/api/questions", json={"question": "a", "segment": None}),
        ):
            assert answer.status_code == 409
            assert answer.json()["error"] == f"{place} is a folder or a pipe, not a file; remove it."
        place.rmdir() if place.is_dir() else place.unlink()


def test_a_link_in_the_place_of_the_file_is_not_followed(client: TestClient, library: Library, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("question,file\nsecret,\n")
    (library.directory / "questions.csv").symlink_to(secret)
    assert client.get("/api/questions").status_code >= 400
    assert client.get("/api/questions/file").status_code >= 400
    assert client.post("/api/questions", json={"question": "y", "segment": None}).status_code >= 400
    assert secret.read_text() == "question,file\nsecret,\n"


def test_a_moved_video_keeps_its_questions(client: TestClient, library: Library, tmp_path: Path) -> None:
    written(client, "blue", segment_ids(library)[1])
    (tmp_path / "videos/sub").mkdir()
    os.rename(tmp_path / "videos/a.mp4", tmp_path / "videos/sub/b.mp4")
    make_video(tmp_path / "videos/other.mp4", shots=[("green", 20)])
    index(library, tmp_path / "videos", added=1)
    (line,) = listed(client)["lines"]
    assert (line["trouble"], line["segment"]) == ("", segment_ids(library)[1])
    library.remove_videos([video.id for video in library.videos() if video.id is not None])
    (line,) = listed(client)["lines"]
    assert line["segment"] is None
    assert line["trouble"].endswith("a.mp4 is not in the library.")


def test_the_file_can_be_downloaded(client: TestClient, library: Library) -> None:
    written(client, "blue", segment_ids(library)[1])
    answer = client.get("/api/questions/file")
    assert answer.headers["content-disposition"] == 'attachment; filename="questions.csv"'
    assert answer.content == (library.directory / "questions.csv").read_bytes()
