"""Models of recognition: announced, pinned, downloaded as the weights of encoders are, and found in folders."""

from __future__ import annotations

import hashlib
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from stand_in_hub import COMMIT, StandInHub, stand_in_hub
from stand_in_recognition import blocks
from tiny_whisper import make_tiny_whisper

from app.model_downloads import fetch_from
from encoder import ModelNotFound, WeightsMismatch
from encoder.checkpoints import hub, transfer
from encoder.checkpoints.download_policy import Sources
from recognition.errors import EngineUnavailable, ModelUnusable
from recognition.models import ModelDescription, ModelFile
from recognition.screen import models as screen_models
from recognition.speech.models import DEFAULT_MODEL, SPEECH_MODELS, WhisperFolder, find_model, folder_of
from recognition.speech.whisper import WhisperTranscriber

CONTENTS = {
    "model.bin": b"weights" * 2_000_000, "config.json": b"{}", "tokenizer.json": b"[]", "vocabulary.txt": b"a b",
}  # fmt: skip
REPO = "Systran/faster-whisper-tiny"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandInHub]:
    monkeypatch.setattr(transfer, "_PAUSE_SECONDS", 0.001)
    with stand_in_hub() as running:
        yield running


def publish(server: StandInHub, contents: dict[str, bytes]) -> ModelDescription:
    for name, content in contents.items():
        server.publish(content, repo=REPO, file=name)
    files = tuple(
        ModelFile(REPO, name, len(content), COMMIT, hashlib.sha256(content).hexdigest(), "MIT")
        for name, content in contents.items()
    )
    return ModelDescription("whisper-tiny", "for tests", "MIT", files)


def sources(server: StandInHub, tmp_path: Path, said: list[str] | None = None, agree: bool = True) -> Sources:
    def confirm(message: str) -> bool:
        if said is not None:
            said.append(message)
        return agree

    return Sources(
        models=tmp_path / "models",
        confirm=confirm,
        offline=False,
        cache_dir=tmp_path / "cache",
        endpoint=server.endpoint,
    )


@pytest.mark.parametrize("name", sorted(SPEECH_MODELS))
def test_published_models_are_described_and_pinned(name: str) -> None:
    described = SPEECH_MODELS[name]
    assert described.licence == "MIT"
    assert 100_000_000 < described.size_bytes < 1_000_000_000
    assert described.files[0].file == "model.bin"  # so that a refused download is refused before anything comes
    assert {file.file for file in described.files} == {"model.bin", "config.json", "tokenizer.json", "vocabulary.txt"}
    for file in described.files:
        assert re.fullmatch(r"[0-9a-f]{40}", file.revision)
        assert re.fullmatch(r"[0-9a-f]{64}", file.sha256)
    assert DEFAULT_MODEL in SPEECH_MODELS


def test_a_model_is_announced_downloaded_once_and_found_again(server: StandInHub, tmp_path: Path) -> None:
    described, said = publish(server, CONTENTS), []
    fetch = fetch_from(sources(server, tmp_path, said))
    folder = folder_of(described, fetch)
    assert {path.name: path.read_bytes() for path in folder.path.iterdir()} == CONTENTS
    assert folder == WhisperFolder("whisper-tiny", folder.path, described.files[0].sha256)
    assert len(said) == 1
    assert "model.bin (14.0 MB, MIT)" in said[0]
    server.requests.clear()
    assert folder_of(described, fetch) == folder
    assert server.requests == []


def test_a_refused_download_takes_nothing(server: StandInHub, tmp_path: Path) -> None:
    described = publish(server, CONTENTS)
    with pytest.raises(ModelNotFound, match="declined") as caught:
        folder_of(described, fetch_from(sources(server, tmp_path, agree=False)))
    assert server.asked("GET") == []
    assert str(tmp_path / "models" / REPO / "model.bin") in caught.value.advice
    assert "--encoder" not in caught.value.advice


def test_other_content_than_the_pinned_one_is_refused(server: StandInHub, tmp_path: Path) -> None:
    described = publish(server, CONTENTS)
    server.publish(b"weighty" * 2_000_000, repo=REPO, file="model.bin")
    with pytest.raises(WeightsMismatch, match=r"model\.bin"):
        folder_of(described, fetch_from(sources(server, tmp_path)))


def test_a_model_put_there_by_hand_is_used(server: StandInHub, tmp_path: Path) -> None:
    described = publish(server, CONTENTS)
    mine = tmp_path / "models" / REPO
    mine.mkdir(parents=True)
    for name, content in CONTENTS.items():
        (mine / name).write_bytes(content)
    assert folder_of(described, fetch_from(sources(server, tmp_path))).path == mine
    assert server.requests == []


def test_files_in_two_folders_are_told(server: StandInHub, tmp_path: Path) -> None:
    described = publish(server, CONTENTS)
    mine = tmp_path / "models" / REPO
    mine.mkdir(parents=True)
    (mine / "config.json").write_bytes(CONTENTS["config.json"])
    with pytest.raises(ModelUnusable, match="put all of them into one"):
        folder_of(described, fetch_from(sources(server, tmp_path)))


def test_names_of_models_lead_to_their_repository(tmp_path: Path) -> None:
    asked: list[ModelFile] = []

    def fetch(file: ModelFile) -> Path:
        asked.append(file)
        return tmp_path / file.file

    assert find_model("base", fetch).name == "whisper-base"
    assert {file.repo for file in asked} == {"Systran/faster-whisper-base"}


def test_unknown_names_and_wrong_folders_are_told(tmp_path: Path) -> None:
    def fetch(file: ModelFile) -> Path:
        raise AssertionError("nothing is fetched")

    with pytest.raises(ValueError, match=r"there is no speech model 'huge'.*base, small"):
        find_model("huge", fetch)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelUnusable, match=r"lacks model\.bin, tokenizer\.json"):
        find_model(tmp_path, fetch)


def test_a_folder_is_a_model_named_by_its_weights(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    for name, content in CONTENTS.items():
        (folder / name).write_bytes(content)
    found = find_model(folder, lambda file: Path())
    engine = WhisperTranscriber(found, threads=1)
    assert engine.id == f"mine@{hashlib.sha256(CONTENTS['model.bin']).hexdigest()[:12]}:int8"
    (folder / "model.bin").unlink()
    with pytest.raises(ModelUnusable, match="cannot be read"):
        _ = engine.id


def test_a_damaged_model_is_one_line(tmp_path: Path) -> None:
    pytest.importorskip("faster_whisper", reason="the extra 'speech' is not installed")
    folder = make_tiny_whisper(tmp_path / "tiny")
    weights = folder / "model.bin"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(ModelUnusable, match="cannot be loaded") as caught:
        list(WhisperTranscriber(WhisperFolder("tiny", folder), threads=1).transcribe(blocks(np.zeros(9, np.float32))))
    assert "\n" not in str(caught.value)


def test_engines_need_a_thread_and_a_device_that_there_is(tmp_path: Path) -> None:
    from recognition.screen.rapid import RapidTextReader

    model = WhisperFolder("tiny", tmp_path)
    with pytest.raises(ValueError, match="threads"):
        WhisperTranscriber(model, threads=0)
    with pytest.raises(ValueError, match="device"):
        WhisperTranscriber(model, threads=1, device="mps")
    with pytest.raises(ValueError, match="threads"):
        RapidTextReader(threads=0)


def test_a_missing_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import sys

    from recognition.screen.rapid import RapidTextReader

    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    with pytest.raises(EngineUnavailable, match=r"pip install 'prismsearch\[speech\]'"):
        WhisperTranscriber(WhisperFolder("tiny", tmp_path), threads=1).prepare()
    monkeypatch.setattr(screen_models, "_MODULE", "no_such_module_anywhere")
    assert not screen_models.installed()
    with pytest.raises(EngineUnavailable, match=r"pip install 'prismsearch\[ocr\]'"):
        RapidTextReader(threads=1).prepare()


def test_models_in_the_wheel_are_verified(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if importlib.util.find_spec("rapidocr") is None:
        pytest.skip("the extra 'ocr' is not installed")
    found = screen_models.find_models()
    assert found.detector.is_file()
    assert screen_models.SCREEN_MODEL.size_bytes == 0  # nothing has to be downloaded
    (tmp_path / "models").mkdir()
    copy = tmp_path / "models" / found.detector.name
    monkeypatch.setattr(screen_models, "_folder", lambda: tmp_path)
    with pytest.raises(ModelUnusable, match="lacks its model"):
        screen_models.find_models()
    copy.write_bytes(b"other")
    with pytest.raises(ModelUnusable, match="damaged, or of another version"):
        screen_models.find_models()


def test_a_models_files_do_not_collide_with_those_of_others(tmp_path: Path) -> None:
    """Every Whisper has a model.bin: by hand, each lies in the folder of its repository."""
    said: list[str] = []
    fetch = fetch_from(Sources(models=tmp_path, offline=True, cache_dir=tmp_path / "cache"))
    for name in SPEECH_MODELS:
        with pytest.raises(ModelNotFound) as caught:
            fetch(SPEECH_MODELS[name].files[0])
        said.append(caught.value.advice)
        assert "run this once with a connection" in str(caught.value)
    assert len(set(said)) == len(SPEECH_MODELS)
    assert all(described.files[0].size_bytes > hub.SMALL_BYTES for described in SPEECH_MODELS.values())
