"""From a name or a path to an encoder: files found, refused, converted, and the id that names the space."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import goldens
import numpy as np
import pytest
import torch
from stand_in_hub import StandInHub, stand_in_hub

from encoder import EncoderUnavailable, ModelNotFound, WeightsMismatch, load_encoder, loading
from encoder.checkpoints import checkpoint as checkpoint_files
from encoder.checkpoints import converted
from encoder.checkpoints.download_policy import Sources
from encoder.config import CONFIGS
from encoder.loading import choose_device, load

TEXTS = ["a dog runs", "", "two red balls"]


def checkpoint(folder: Path, name: str = "weights.npz", *, vocabulary: str | None = "vocabulary.model") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(goldens.GOLDEN / "tiny_params.npz", folder / name)
    if vocabulary:
        shutil.copy(goldens.GOLDEN / "t5like_spm.model", folder / vocabulary)
    return folder / name


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    """Nothing from outside the test: no network, no cache of this machine."""
    return Sources(models=tmp_path / "models", cache_dir=tmp_path / "cache", offline=True)


def test_a_file_and_its_folder_are_the_same_encoder(tmp_path: Path, sources: Sources) -> None:
    path = checkpoint(tmp_path / "here")
    by_file, by_folder = load(path, "cpu", sources=sources), load(str(path.parent), "cpu", sources=sources)
    assert by_file.id == by_folder.id
    assert by_file.clip_spec.frames == 6
    assert by_file.clip_spec.size == 72
    golden = goldens.golden("tiny")
    found = by_file.encode_clips(golden["in/clip16_u8"][None, :6].astype(np.uint8))
    assert np.abs(found[0] - golden["video/main/emb"][0]).max() < 2e-6


def test_the_id_names_weights_and_vocabulary_not_the_file(tmp_path: Path, sources: Sources) -> None:
    here = load(checkpoint(tmp_path / "here"), "cpu", sources=sources).id
    assert load(checkpoint(tmp_path / "there", "renamed \udcff.npz"), "cpu", sources=sources).id == here
    ours = tmp_path / "here" / "converted.safetensors"
    checkpoint_files.write_safetensors(ours, goldens.lvt("tiny"))
    assert load(ours, "cpu", sources=sources).id == here

    path = checkpoint(tmp_path / "other")
    with np.load(path) as file:
        arrays = dict(file)
    arrays["params/text_encoder/unimodal_ln/bias"][3] += np.float32(1e-3)
    np.savez(path, **arrays)
    assert load(path, "cpu", sources=sources).id != here


def test_another_vocabulary_is_another_space(tmp_path: Path, sources: Sources) -> None:
    """The same weights number other words with it, so texts land elsewhere: rows of the two must never mix."""
    path = checkpoint(tmp_path)
    before = load(path, "cpu", sources=sources)
    shutil.copy(loading.DEMO_FOLDER / "vocabulary.model", path.parent / "vocabulary.model")
    after = load(path, "cpu", sources=sources)
    assert np.abs(after.encode_texts(["a red ball"]) - before.encode_texts(["a red ball"])).max() > 1e-3
    assert after.id != before.id


def test_our_own_form_gives_the_same_rows(tmp_path: Path, sources: Sources) -> None:
    official = load(checkpoint(tmp_path / "here"), "cpu", sources=sources)
    ours = tmp_path / "here" / "converted.safetensors"
    checkpoint_files.write_safetensors(ours, goldens.lvt("tiny"))
    assert np.abs(load(ours, "cpu", sources=sources).encode_texts(TEXTS) - official.encode_texts(TEXTS)).max() < 1e-6


def test_frames_of_ones_own(tmp_path: Path, sources: Sources) -> None:
    found = load(checkpoint(tmp_path), "cpu", frames=3, fit="crop", sources=sources)
    assert (found.clip_spec.frames, found.clip_spec.fit) == (3, "crop")
    with pytest.raises(ValueError, match="one frame or more"):
        load(checkpoint(tmp_path), "cpu", frames=0, sources=sources)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bas", "did you mean base"),
        ("videoprism_lvt_public_v1_bse", "did you mean videoprism_lvt_public_v1_base"),
        ("xyzzy", "Known: base, demo, large"),
        ("videoprism_public_v1_base", "plain video encoder"),
        ("videoprism_public_v1_large", "cannot search"),
    ],
)
def test_names_that_cannot_be_loaded(name: str, expected: str, sources: Sources) -> None:
    with pytest.raises(ValueError, match=expected):
        load(name, "cpu", sources=sources)


@pytest.mark.parametrize("name", ["base", "large", "videoprism_lvt_public_v1_base"])
def test_a_model_that_is_not_here_is_one_clear_error(name: str, sources: Sources) -> None:
    with pytest.raises(ModelNotFound, match=r"flax_lvt_.*_repeated\.npz.*GB|flax_lvt_.*_repeated\.npz.*MB") as caught:
        load(name, "cpu", sources=sources)
    assert "--encoder demo" in str(caught.value)


def test_without_anybody_to_ask_nothing_large_is_downloaded(
    tmp_path: Path, hub: StandInHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub_sources = publish_tiny(hub, tmp_path, monkeypatch)
    monkeypatch.setattr("encoder.checkpoints.hub.SMALL_BYTES", 300_000)
    with pytest.raises(ModelNotFound, match="nobody was asked"):
        load("tiny", "cpu", sources=hub_sources)
    assert hub.asked("GET") == []


@pytest.fixture
def hub() -> Iterator[StandInHub]:
    with stand_in_hub() as running:
        yield running


def publish_tiny(hub: StandInHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sources:
    """Make `tiny` a published checkpoint of the stand-in hub."""
    content = (goldens.GOLDEN / "tiny_params.npz").read_bytes()
    published = hub.publish(content, repo="org/tiny", file="flax_tiny.npz")
    vocabulary = (goldens.GOLDEN / "t5like_spm.model").read_bytes()
    monkeypatch.setattr(
        loading, "VOCABULARY", hub.publish(vocabulary, repo="org/words", file="spiece.model", pinned=True)
    )
    config = replace(goldens.config("tiny"), weights=published)
    monkeypatch.setattr(loading, "CONFIGS", {**CONFIGS, "tiny": config})
    return Sources(models=tmp_path / "m", cache_dir=tmp_path / "c", endpoint=hub.endpoint, offline=False)


def test_a_published_model_is_fetched_with_its_vocabulary_once(
    tmp_path: Path, hub: StandInHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub_sources = publish_tiny(hub, tmp_path, monkeypatch)
    first = load("tiny", "cpu", sources=hub_sources)
    assert [line.split()[1] for line in hub.asked("GET")] == [
        "/org/tiny/resolve/main/flax_tiny.npz",
        "/org/words/resolve/main/spiece.model",
    ]
    hub.requests.clear()
    second = load("tiny", "cpu", sources=replace(hub_sources, offline=True))
    assert hub.requests == []
    assert first.id == second.id
    assert first.id.startswith("tiny@")
    local = load(checkpoint(tmp_path / "here"), "cpu", sources=hub_sources)
    assert np.abs(local.encode_texts(TEXTS) - first.encode_texts(TEXTS)).max() < 1e-6


def test_a_plain_encoder_in_a_file_is_refused(tmp_path: Path, sources: Sources) -> None:
    with np.load(goldens.GOLDEN / "tiny_params.npz") as file:
        prefix = "params/vision_encoder/"
        plain = {f"params/{key.removeprefix(prefix)}": file[key] for key in file.files if key.startswith(prefix)}
    np.savez(tmp_path / "plain.npz", **plain)
    with pytest.raises(ValueError, match="plain video encoder"):
        load(tmp_path / "plain.npz", "cpu", sources=sources)
    (tmp_path / "plain.npz").rename(tmp_path / "flax_base_f16r288_repeated.npz")
    with pytest.raises(ValueError, match="plain video encoder"):
        load(tmp_path / "flax_base_f16r288_repeated.npz", "cpu", sources=sources)


def test_an_official_name_promises_an_official_network(tmp_path: Path, sources: Sources) -> None:
    with pytest.raises(WeightsMismatch, match="videoprism_lvt_public_v1_base"):
        load(checkpoint(tmp_path, "flax_lvt_base_f16r288_repeated.npz"), "cpu", sources=sources)


def test_paths_that_lead_nowhere(tmp_path: Path, sources: Sources) -> None:
    for path in (tmp_path / "gone.npz", tmp_path / "gone", str(tmp_path / "gone"), "gone.safetensors", Path("base")):
        with pytest.raises(ModelNotFound, match="no checkpoint at"):
            load(path, "cpu", sources=sources)
    with pytest.raises(ModelNotFound, match="holds no checkpoint"):
        load(tmp_path, "cpu", sources=sources)
    (tmp_path / "video.mp4").write_bytes(b"x")
    with pytest.raises(ValueError, match="is no checkpoint"):
        load(tmp_path / "video.mp4", "cpu", sources=sources)


def test_a_folder_with_two_checkpoints_wants_a_choice(tmp_path: Path, sources: Sources) -> None:
    checkpoint(tmp_path, "one.npz")
    checkpoint(tmp_path, "two.npz")
    with pytest.raises(ValueError, match=r"one\.npz, two\.npz"):
        load(tmp_path, "cpu", sources=sources)


def test_a_missing_vocabulary_says_where_it_belongs(tmp_path: Path, sources: Sources) -> None:
    with pytest.raises(ModelNotFound, match=r"vocabulary\.model") as caught:
        load(checkpoint(tmp_path, vocabulary=None), "cpu", sources=sources)
    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize("name", loading.VOCABULARY_NAMES)
def test_a_vocabulary_may_have_its_usual_names(tmp_path: Path, name: str, sources: Sources) -> None:
    assert load(checkpoint(tmp_path, vocabulary=name), "cpu", sources=sources).encode_texts(["dog"]).shape == (1, 32)


def test_a_vocabulary_larger_than_the_network_is_refused(tmp_path: Path, sources: Sources) -> None:
    shutil.copy(goldens.GOLDEN / "odd_params.npz", tmp_path / "odd.npz")  # 60 tokens, and t5like_spm has 377
    config = replace(goldens.config("odd"), name="odd")
    network = goldens.network("odd")
    checkpoint_files.write_safetensors(tmp_path / "odd.safetensors", network)
    (tmp_path / "odd.npz").unlink()
    shutil.copy(goldens.GOLDEN / "t5like_spm.model", tmp_path / "vocabulary.model")
    assert config.vocabulary == 60
    with pytest.raises(WeightsMismatch, match=r"377 tokens.*only 60"):
        load(tmp_path, "cpu", sources=sources)


def test_damaged_and_dangerous_files_are_refused(tmp_path: Path, sources: Sources) -> None:
    path = checkpoint(tmp_path)
    whole = path.read_bytes()
    for content in (b"", b"no zip", whole[: len(whole) // 2]):
        path.write_bytes(content)
        with pytest.raises(WeightsMismatch, match="fetch it again"):
            load(path, "cpu", sources=sources)
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1  # the archive's own checksum of that array
    path.write_bytes(flipped)
    with pytest.raises(WeightsMismatch):
        load(path, "cpu", sources=sources)
    np.savez(path, **{"params/x": np.array([{"a": "pickle"}], dtype=object)})
    with pytest.raises(WeightsMismatch):
        load(path, "cpu", sources=sources)
    ours = tmp_path / "ours.safetensors"
    ours.write_bytes(b"no safetensors")
    with pytest.raises(WeightsMismatch):
        load(ours, "cpu", sources=sources)


class TestConverted:
    """A large official checkpoint is read once; then its copy is mapped."""

    @pytest.fixture(autouse=True)
    def everything_is_large(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(converted, "CONVERT_FROM_BYTES", 1000)
        monkeypatch.setattr(converted, "_KEEP_FREE_BYTES", 0)

    @staticmethod
    def official_files_may_not_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(path: Path) -> object:
            raise AssertionError(f"{path} was read")

        monkeypatch.setattr(checkpoint_files, "read_npz", refuse)

    def test_the_second_start_reads_the_copy(
        self, tmp_path: Path, sources: Sources, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = checkpoint(tmp_path / "here")
        first = load(path, "cpu", sources=sources)
        (copy,) = (tmp_path / "models" / "converted").iterdir()
        assert copy.suffix == ".safetensors"
        self.official_files_may_not_be_read(monkeypatch)
        second = load(path, "cpu", sources=sources)
        assert second.id == first.id
        # Mapped memory lies otherwise, and sums are taken in another order: the last bit may differ.
        assert np.abs(second.encode_texts(TEXTS) - first.encode_texts(TEXTS)).max() < 1e-6
        clips = np.random.default_rng(0).integers(0, 256, (2, 6, 72, 72, 3), dtype=np.uint8)
        assert np.abs(second.encode_clips(clips) - first.encode_clips(clips)).max() < 1e-6

    def test_a_copy_that_was_touched_is_not_trusted(self, tmp_path: Path, sources: Sources) -> None:
        path = checkpoint(tmp_path / "here")
        first = load(path, "cpu", sources=sources)
        (copy,) = (tmp_path / "models" / "converted").iterdir()
        damaged = bytearray(copy.read_bytes())
        damaged[-1000:] = bytes(1000)
        copy.write_bytes(damaged)
        again = load(path, "cpu", sources=sources)
        assert np.abs(again.encode_texts(TEXTS) - first.encode_texts(TEXTS)).max() < 1e-6
        assert copy.read_bytes() != damaged  # and it was written anew

    def test_other_weights_at_the_same_path_are_other_weights(self, tmp_path: Path, sources: Sources) -> None:
        path = checkpoint(tmp_path / "here")
        first = load(path, "cpu", sources=sources)
        with np.load(path) as file:
            arrays = dict(file)
        arrays["params/text_encoder/unimodal_ln/bias"][3] += np.float32(0.5)
        np.savez(path, **arrays)
        second = load(path, "cpu", sources=sources)
        assert second.id != first.id
        assert np.abs(second.encode_texts(TEXTS) - first.encode_texts(TEXTS)).max() > 1e-3

    @pytest.mark.parametrize("obstacle", ["full disk", "no folder", "write fails"])
    def test_without_room_for_a_copy_all_works(
        self, tmp_path: Path, sources: Sources, monkeypatch: pytest.MonkeyPatch, obstacle: str
    ) -> None:
        path = checkpoint(tmp_path / "here")
        if obstacle == "full disk":
            monkeypatch.setattr(converted, "_KEEP_FREE_BYTES", 1 << 62)
        elif obstacle == "no folder":
            (tmp_path / "models").write_text("a file where the folder should be")
        else:

            def fail(tensors: object, path: Path, metadata: object) -> None:
                path.write_bytes(b"half")
                raise OSError(28, "No space left on device")

            monkeypatch.setattr("safetensors.torch.save_file", fail)
        first, second = load(path, "cpu", sources=sources), load(path, "cpu", sources=sources)
        assert first.id == second.id
        assert not [p for p in tmp_path.rglob("*") if ".safetensors" in p.name]


def test_devices() -> None:
    assert choose_device("cpu") == "cpu"
    assert choose_device("auto") in ("cpu", "cuda", "mps")
    for name in ("gpu", "", "cuda:", "cuda:x", "cpu:1", "cuda:-1"):
        with pytest.raises(ValueError, match="a device is auto"):
            choose_device(name)
    if not torch.cuda.is_available():
        with pytest.raises(EncoderUnavailable, match="--device cpu"):
            choose_device("cuda")
    with pytest.raises(EncoderUnavailable):
        choose_device("cuda:99")
    if not torch.backends.mps.is_available():
        with pytest.raises(EncoderUnavailable, match="--device cpu"):
            choose_device("mps")


def test_a_device_that_is_not_there_is_told_before_weights_are_read(tmp_path: Path, sources: Sources) -> None:
    with pytest.raises(EncoderUnavailable):
        load(checkpoint(tmp_path), "cuda:99", sources=sources)


def test_the_demo_encoder_says_what_it_is() -> None:
    if not (loading.DEMO_FOLDER / "videoprism_lvt_demo.npz").exists():
        pytest.skip("the demo encoder's weights are not in this checkout")
    found = load_encoder("demo", "cpu")
    assert found.notice is not None
    assert "--encoder base" in found.notice
    assert found.id.startswith("videoprism_lvt_demo@")


def test_importing_these_rooms_is_cheap() -> None:
    code = (
        "import sys, encoder, encoder.config, encoder.loading, encoder.checkpoints.hub\n"
        "import encoder.tokenizer, encoder.reference_outputs\n"
        "heavy = {'torch', 'sentencepiece', 'huggingface_hub', 'open_clip', 'safetensors'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parent.parent)
