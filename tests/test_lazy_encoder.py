"""LazyEncoder: a described encoder is loaded only when it has to encode; one that has changed is not trusted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes import ColourEncoder

from app.encoder_choice import CACHE_FILE, EncoderRequest, open_lazily
from encoder import Encoder, EncoderError, lazy
from encoder.lazy import EncoderChanged, EncoderDescription, LazyEncoder, describe
from encoder.protocol import former_id, with_tokens


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    file = tmp_path / "weights.npz"
    file.write_bytes(b"weights")
    return file


class Loader:
    """Counts how often it is asked for an encoder."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder
        self.times = 0

    def __call__(self) -> Encoder:
        self.times += 1
        return self.encoder


def test_it_answers_without_being_loaded_and_encodes_as_the_encoder_does(weights: Path) -> None:
    real = ColourEncoder()
    load = Loader(real)
    encoder = LazyEncoder(describe(real, [weights]), load)
    assert isinstance(encoder, Encoder)
    seen = (encoder.id, encoder.text_id, encoder.dim, encoder.clip_spec, encoder.notice, encoder.batch)
    assert seen == (real.id, real.text_id, real.dim, real.clip_spec, real.notice, real.batch)
    assert former_id(encoder) is None
    renamed = replace(describe(real, [weights]), former_id="colour-as-it-was")
    assert former_id(LazyEncoder(renamed, load)) == "colour-as-it-was"
    assert load.times == 0
    clips = np.random.default_rng(1).integers(0, 255, (2, *real.clip_spec.shape), dtype=np.uint8)
    assert np.array_equal(encoder.encode_clips(clips), real.encode_clips(clips))
    assert np.array_equal(encoder.encode_texts(["red"]), real.encode_texts(["red"]))
    assert load.times == 1


def test_it_has_tokens_if_the_encoder_has(weights: Path) -> None:
    real = ColourEncoder()
    load = Loader(real)
    encoder = with_tokens(LazyEncoder(describe(real, [weights]), load))
    assert (encoder.token_dim, encoder.attention_heads, load.times) == (4, 2, 0)
    clips = np.random.default_rng(1).integers(0, 255, (2, *real.clip_spec.shape), dtype=np.uint8)
    assert np.array_equal(encoder.encode_tokens(clips), real.encode_tokens(clips))
    assert load.times == 1
    without = replace(describe(real, [weights]), token_dim=0, attention_heads=0)
    with pytest.raises(EncoderError, match="has no tokens of video"):
        with_tokens(LazyEncoder(without, load))


def test_threads_that_need_it_at_once_load_it_once(weights: Path) -> None:
    load = Loader(ColourEncoder())
    encoder = LazyEncoder(describe(load.encoder, [weights]), load)
    encoder.prepare()
    threads = [threading.Thread(target=encoder.encode_texts, args=(["red"],)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert load.times == 1


def test_another_encoder_than_the_known_one_is_refused(weights: Path) -> None:
    known = describe(ColourEncoder(), [weights])
    other = EncoderDescription.from_record(known.as_record() | {"id": "another"})
    with pytest.raises(EncoderChanged, match="start the same again"):
        LazyEncoder(other, ColourEncoder).encode_texts(["red"])


@pytest.mark.parametrize("change", ["bytes", "time", "gone", "code"])
def test_what_is_known_holds_until_something_changes(
    weights: Path, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = EncoderDescription.from_record(json.loads(json.dumps(describe(ColourEncoder(), [weights]).as_record())))
    assert known.is_current()
    if change == "bytes":
        weights.write_bytes(b"other weights")
    elif change == "time":
        os.utime(weights, (1, 1))
    elif change == "gone":
        weights.unlink()
    else:
        monkeypatch.setattr(lazy, "code_stamp", lambda: "another version")
    assert not known.is_current()


def test_the_code_stamp_covers_every_module_of_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Checkpoints and runtime decide ids and rows as well, and lie in packages of their own."""
    package = tmp_path / "encoder"
    (package / "checkpoints").mkdir(parents=True)
    inner = package / "checkpoints" / "converted.py"
    inner.write_text("one = 1\n")
    monkeypatch.setattr(lazy, "__file__", str(package / "lazy.py"))
    before = lazy.code_stamp()
    inner.write_text("one = 100\n")
    assert lazy.code_stamp() != before


def test_described_once_and_then_lazy_under_the_same_choice(tmp_path: Path, weights: Path) -> None:
    library, load = tmp_path / "library", Loader(ColourEncoder())

    def opened(frames: int | None = None) -> Encoder:
        return open_lazily(library, EncoderRequest("colours", "auto", frames, "stretch"), load, lambda: [weights])

    assert opened() is load.encoder
    assert isinstance(opened(), LazyEncoder)
    assert load.times == 1
    own = load.encoder.clip_spec.frames
    assert isinstance(opened(own), LazyEncoder), "what the encoder has of its own"
    assert opened(own + 1) is load.encoder
    fields = ("colours", "auto", None, "stretch")
    for other in (
        EncoderRequest(*fields, still_frames=2),
        EncoderRequest(*fields, precision="int8"),
        EncoderRequest("colours", "cpu", None, "stretch"),
    ):
        assert open_lazily(library, other, load, lambda: [weights]) is load.encoder
    assert isinstance(opened(), LazyEncoder)
    weights.write_bytes(b"changed")
    assert opened() is load.encoder
    (library / CACHE_FILE).write_text("torn {")
    assert opened() is load.encoder
    assert isinstance(opened(), LazyEncoder)


def test_what_cannot_be_told_by_files_is_loaded_each_time(tmp_path: Path) -> None:
    load = Loader(ColourEncoder())
    for _ in range(2):
        assert open_lazily(tmp_path, EncoderRequest("colours", "auto", None, "stretch"), load, list) is load.encoder


def test_index_with_nothing_new_imports_no_torch(tmp_path: Path) -> None:
    """The whole command, on a video of the demo library."""
    video = Path(__file__).parent.parent / "app" / "demo_library" / "05_square.mp4"
    library = str(tmp_path / "library")
    program = (
        "import sys\nfrom app.cli import main\n"
        f"main(['--library', {library!r}, 'index', {str(video)!r}, '--encoder', 'demo', '--detector', 'blend'],"
        " standalone_mode=False)\n"
        "print(sorted({'torch', 'av', 'cv2', 'scenedetect', 'faiss'} & set(sys.modules)))\n"
    )
    runs = [subprocess.run([sys.executable, "-c", program], capture_output=True, text=True) for _ in range(2)]
    assert [run.returncode for run in runs] == [0, 0], runs[0].stderr + runs[1].stderr
    assert "torch" in runs[0].stdout.splitlines()[-1]
    assert runs[1].stdout.splitlines()[-1] == "[]"


def test_preparing_loads_ahead(weights: Path) -> None:
    asked = threading.Event()

    def load() -> Encoder:
        asked.set()
        return ColourEncoder()

    LazyEncoder(describe(ColourEncoder(), [weights]), load).prepare()
    assert asked.wait(20)


def test_an_error_of_loading_is_raised_where_the_model_is_needed_and_the_next_call_tries_again(
    weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, failed = ColourEncoder(), threading.Event()
    escaped: list[object] = []
    monkeypatch.setattr(threading, "excepthook", escaped.append)

    def load() -> Encoder:
        if failed.is_set():
            return real
        raise OSError("the disk is not there")

    encoder = LazyEncoder(describe(real, [weights]), load)
    encoder.prepare()
    for thread in threading.enumerate():
        if thread.name == "load-encoder":
            thread.join(20)
    assert escaped == []
    for call in (
        lambda: encoder.encode_clips(np.zeros((1, *real.clip_spec.shape), np.uint8)),
        lambda: encoder.encode_texts(["red"]),
        lambda: encoder.truncated(["red"]),
    ):
        with pytest.raises(OSError, match="the disk is not there"):
            call()
    failed.set()
    assert np.array_equal(encoder.encode_texts(["red"]), real.encode_texts(["red"]))


@pytest.mark.parametrize("change", [{"dim": 17}, {"frames": 5}, {"size": 17}, {"fit": "crop"}])
def test_another_shape_than_the_known_one_is_refused(weights: Path, change: dict[str, object]) -> None:
    known = describe(ColourEncoder(), [weights])
    encoder = LazyEncoder(EncoderDescription.from_record(known.as_record() | change), ColourEncoder)
    with pytest.raises(EncoderChanged, match="start the same again"):
        encoder.encode_texts(["red"])


def test_another_text_tower_than_the_known_one_is_refused(weights: Path) -> None:
    known = describe(ColourEncoder(), [weights])
    with pytest.raises(EncoderChanged, match=r"text encoder is now mine .*start the same again"):
        LazyEncoder(known, lambda: ColourEncoder(text_id="mine")).encode_texts(["red"])


def test_one_changed_file_of_several_is_enough(weights: Path, tmp_path: Path) -> None:
    vocabulary = tmp_path / "vocabulary.model"
    vocabulary.write_bytes(b"words")
    known = describe(ColourEncoder(), [weights, vocabulary])
    assert known.is_current()
    vocabulary.write_bytes(b"other words")
    assert not known.is_current()
