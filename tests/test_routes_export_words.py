"""The words that clips of an export would carry, as the export panel asks beforehand: what an export then does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from page_library import client_of, segment_ids, small_library
from starlette.testclient import TestClient

from app.exporting.collection_clips import collection_clips
from app.exporting.words.choosing import with_words
from db.library import Library
from db.timed_text import TextSource, TimedLine


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """Three videos of two shots of 0.8 s: a with English and German subtitles, b with speech in German, c with chapters
    only. All shots are in the tray. In the second shot of a, nothing is said in English."""
    colours = {"a.mp4": "red", "b.mp4": "green", "c.mp4": "white"}
    videos = {name: {"shots": [(colour, 20), ("blue", 20)]} for name, colour in colours.items()}
    with small_library(tmp_path_factory.mktemp("words"), videos) as made:
        sources: dict[str, list[TextSource]] = {
            "a.mp4": [
                TextSource(kind="subtitle", origin="1", language="en", default=True),
                TextSource(kind="subtitle", origin="2", language="de-CH"),
                TextSource(kind="subtitle", origin="3", language="no language"),
            ],
            "b.mp4": [TextSource(kind="speech", language="de")],
            "c.mp4": [TextSource(kind="chapter", language="fr")],
        }
        for video in made.videos():
            for source in sources[Path(video.path).name]:
                end = 500 if source.language == "en" else 1600
                made.texts.replace(video.id or 0, source, [TimedLine(0, end, "word")])
        client = client_of(made)
        items = [{"segment": each} for each in segment_ids(made)]
        client.post(f"/api/collections/{made.collections.tray().id}/subclips", json={"items": items})
        yield made


@pytest.fixture
def client(library: Library) -> TestClient:
    return client_of(library)


def asked(client: TestClient, library: Library, **question: Any) -> dict[str, Any]:
    body = {"collection": library.collections.tray().id} | question
    answer = client.post("/api/exports/words", json=body)
    told: dict[str, Any] = answer.json() | {"status": answer.status_code}
    return told


def carried(told: dict[str, Any]) -> dict[tuple[str, str], int]:
    return {(each["kind"], each["language"]): each["clips"] for each in told["carried"]}


def test_it_says_which_words_how_many_clips_get(client: TestClient, library: Library) -> None:
    told = asked(client, library)
    assert told["kinds"] == ["subtitle", "speech"]
    assert told["languages"] == ["de", "de-CH", "en"]
    assert carried(told) == {("subtitle", "en"): 2, ("speech", "de"): 2}
    assert (told["silent"], told["without"]) == (1, 2)
    assert told["reasons"] == ["c.mp4: the library has no subtitles or recognised speech of it"]


@pytest.mark.parametrize(
    ("question", "clips", "languages", "silent", "without"),
    [
        ({"language": "de"}, {("subtitle", "de-CH"): 2, ("speech", "de"): 2}, ["de", "de-CH", "en"], 0, 2),
        ({"language": "fr"}, {}, ["de", "de-CH", "en"], 0, 6),
        ({"words_from": "speech"}, {("speech", "de"): 2}, ["de"], 0, 4),
        ({"words_from": "screen"}, {}, [], 0, 6),
        ({"handles_seconds": 0.5}, {("subtitle", "en"): 2, ("speech", "de"): 2}, ["de", "de-CH", "en"], 0, 2),
    ],
)
def test_it_follows_the_choice(
    client: TestClient,
    library: Library,
    question: dict[str, Any],
    clips: dict[tuple[str, str], int],
    languages: list[str],
    silent: int,
    without: int,
) -> None:
    told = asked(client, library, **question)
    assert (carried(told), told["languages"], told["silent"], told["without"]) == (clips, languages, silent, without)
    assert told["kinds"] == ["subtitle", "speech"], "what there is does not depend on what was chosen"


@pytest.mark.parametrize("language", ["", "de", "fr"])
def test_it_is_what_the_export_does(client: TestClient, library: Library, language: str) -> None:
    tray = library.collections.tray()
    clips = collection_clips(library, tray, library.collections.subclips(tray.id), None)
    given, notes = with_words(library, clips, "file", language=language)
    told = asked(client, library, language=language)
    assert sum(carried(told).values()) == sum(clip.words is not None for clip in given)
    heard = [bool(clip.words.cues(*clip.padded(0))) for clip in given if clip.words is not None]  # type: ignore[arg-type]
    assert told["silent"] == heard.count(False)
    assert [note.replace(" without words, because", "") for note in notes][:3] == told["reasons"]


def test_chosen_clips_alone_count(client: TestClient, library: Library) -> None:
    clips = library.collections.subclips(library.collections.tray().id)
    last = [each.id for each in clips if Path(each.path).name == "c.mp4"]
    told = asked(client, library, subclips=last)
    assert (told["kinds"], told["languages"], told["carried"], told["without"]) == ([], [], [], 2)
    none = asked(client, library, subclips=[])
    assert (none["kinds"], none["without"]) == ([], 0)
    assert asked(client, library, subclips=[4711])["without"] == 0, "it was taken out meanwhile"


@pytest.mark.parametrize(
    ("question", "status"),
    [
        ({"collection": 99}, 404), ({"collection": "1"}, 400), ({"language": "<b>"}, 400),
        ({"language": "x" * 36}, 400),
        ({"words_from": "tag"}, 400), ({"handles_seconds": -1}, 400), ({"handles_seconds": 1e308}, 400),
        ({"subclips": "1"}, 400),
    ],
)  # fmt: skip
def test_questions_that_make_no_sense(
    client: TestClient, library: Library, question: dict[str, Any], status: int
) -> None:
    told = asked(client, library, **question)
    assert told["status"] == status
    assert told["error"].endswith(".")
