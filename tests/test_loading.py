"""From a name or a path to an encoder: files found, refused, converted, and the id that names the space."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import goldens
import numpy as np
import pytest
import torch
from stand_in_hub import COMMIT, StandInHub, stand_in_hub

from encoder import (
    Encoder,
    EncoderError,
    EncoderUnavailable,
    ModelNotFound,
    WeightsMismatch,
    load_encoder,
    loading,
    model_files,
)
from encoder.checkpoints import checkpoint as checkpoint_files
from encoder.checkpoints import converted, verified
from encoder.checkpoints.download_policy import Sources
from encoder.config import CONFIGS, HubFile
from encoder.loading import choose_device, load
from encoder.model import vision_of
from encoder.protocol import former_id, with_tokens

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


def names(encoder: Encoder) -> tuple[str, str, str | None]:
    return encoder.id, encoder.text_id, former_id(encoder)


def changed(path: Path, key: str) -> Path:
    """Change one number of a checkpoint."""
    with np.load(path) as file:
        arrays = dict(file)
    arrays[key].flat[3] += np.float32(1e-3)
    np.savez(path, **arrays)
    return path


def test_the_ids_name_weights_and_vocabulary_not_the_file(tmp_path: Path, sources: Sources) -> None:
    here = names(load(checkpoint(tmp_path / "here"), "cpu", sources=sources))
    assert names(load(checkpoint(tmp_path / "there", "renamed \udcff.npz"), "cpu", sources=sources)) == here
    ours = tmp_path / "here" / "converted.safetensors"
    checkpoint_files.write_safetensors(ours, goldens.lvt("tiny"))
    assert names(load(ours, "cpu", sources=sources)) == here


def test_another_text_tower_keeps_the_space(tmp_path: Path, sources: Sources) -> None:
    here = load(checkpoint(tmp_path / "here"), "cpu", sources=sources)
    tuned = load(
        changed(checkpoint(tmp_path / "tuned"), "params/text_encoder/unimodal_ln/bias"), "cpu", sources=sources
    )
    assert tuned.id == here.id
    assert tuned.text_id != here.text_id
    assert former_id(tuned) != former_id(here), "earlier versions took them for two spaces"
    picture = np.random.default_rng(0).integers(0, 256, (1, *here.clip_spec.shape), dtype=np.uint8)
    assert (tuned.encode_clips(picture) == here.encode_clips(picture)).all()
    assert np.abs(tuned.encode_texts(["a dog"]) - here.encode_texts(["a dog"])).max() > 1e-5


@pytest.mark.parametrize(
    "key",
    ["params/vision_encoder/temporal_ln/bias", "params/contrastive_vision_pooler/pooling_attention_layer_norm/bias"],
)
def test_another_video_side_is_another_space_with_the_same_text_tower(
    tmp_path: Path, sources: Sources, key: str
) -> None:
    here = load(checkpoint(tmp_path / "here"), "cpu", sources=sources)
    other = load(changed(checkpoint(tmp_path / "other"), key), "cpu", sources=sources)
    assert other.id != here.id
    assert other.text_id == here.text_id


def test_the_text_id_belongs_to_any_shape_of_clips(tmp_path: Path, sources: Sources) -> None:
    path = checkpoint(tmp_path)
    here = load(path, "cpu", sources=sources)
    shaped = load(path, "cpu", frames=3, fit="pad", still_frames=2, sources=sources)
    assert shaped.text_id == here.text_id
    assert shaped.id == here.id.replace(":6f:stretch", ":3f:pad:still2")
    assert former_id(shaped) == str(former_id(here)).replace(":6f:stretch", ":3f:pad:still2")


def test_a_text_tower_of_another_size_stays_in_the_family(monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = goldens.config("tiny")
    monkeypatch.setattr(loading, "CONFIGS", {"tiny": tiny})
    assert loading._family(replace(tiny, name="mine", text_layers=9, vocabulary=70, text_tokens=16)) == "tiny"
    assert loading._family(replace(tiny, name="mine", mlp=3)) == "videoprism_lvt"
    assert loading._family(tiny.plain) == "videoprism"


def test_another_vocabulary_is_another_text_encoder(tmp_path: Path, sources: Sources) -> None:
    """The same weights number other words with it, so sentences land elsewhere, and clips where they were."""
    path = checkpoint(tmp_path)
    before = load(path, "cpu", sources=sources)
    shutil.copy(model_files.DEMO_FOLDER / "vocabulary.model", path.parent / "vocabulary.model")
    after = load(path, "cpu", sources=sources)
    assert np.abs(after.encode_texts(["a red ball"]) - before.encode_texts(["a red ball"])).max() > 1e-3
    assert after.text_id != before.text_id
    assert after.id == before.id


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
        load(name, "cpu", sources=sources, needs_text=True)


@pytest.mark.parametrize("name", ["base", "large", "videoprism_lvt_public_v1_base"])
def test_a_model_that_is_not_here_is_one_clear_error(name: str, sources: Sources) -> None:
    with pytest.raises(
        ModelNotFound, match=r"(\d GB|\d MB)\) is not on this machine.*fetch-model (base|large)"
    ) as caught:
        load(name, "cpu", sources=sources)
    assert "flax_lvt_" in caught.value.advice
    assert "--encoder demo" in caught.value.advice


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
        model_files, "VOCABULARY", hub.publish(vocabulary, repo="org/words", file="spiece.model", pinned=True)
    )
    config = replace(goldens.config("tiny"), weights=published)
    for module in (loading, model_files):
        monkeypatch.setattr(module, "CONFIGS", {**CONFIGS, "tiny": config})
    return Sources(models=tmp_path / "m", cache_dir=tmp_path / "c", endpoint=hub.endpoint, offline=False)


def test_a_published_model_is_fetched_with_its_vocabulary_once(
    tmp_path: Path, hub: StandInHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub_sources = publish_tiny(hub, tmp_path, monkeypatch)
    first = load("tiny", "cpu", sources=hub_sources)
    assert [line.split()[1] for line in hub.asked("GET")] == [
        f"/org/tiny/resolve/{COMMIT}/flax_tiny.npz",
        f"/org/words/resolve/{COMMIT}/spiece.model",
    ]
    hub.requests.clear()
    second = load("tiny", "cpu", sources=replace(hub_sources, offline=True))
    assert hub.requests == []
    assert first.id == second.id
    assert first.id.startswith("tiny@")
    local = load(checkpoint(tmp_path / "here"), "cpu", sources=hub_sources)
    assert np.abs(local.encode_texts(TEXTS) - first.encode_texts(TEXTS)).max() < 1e-6


def plain_checkpoint(folder: Path) -> Path:
    """The video encoder of `tiny` as a plain checkpoint in the official layout."""
    with np.load(goldens.GOLDEN / "tiny_params.npz") as file:
        prefix = "params/vision_encoder/"
        plain = {f"params/{key.removeprefix(prefix)}": file[key] for key in file.files if key.startswith(prefix)}
    np.savez(folder / "plain.npz", **plain)
    return folder / "plain.npz"


def test_a_plain_encoder_in_a_file_is_refused_where_text_is_needed(tmp_path: Path, sources: Sources) -> None:
    plain = plain_checkpoint(tmp_path)
    with pytest.raises(ValueError, match="plain video encoder"):
        load(plain, "cpu", sources=sources, needs_text=True)
    official = plain.rename(tmp_path / "flax_base_f16r288_repeated.npz")
    with pytest.raises(ValueError, match="plain video encoder"):
        load(official, "cpu", sources=sources, needs_text=True)
    with pytest.raises(WeightsMismatch, match="videoprism_public_v1_base"):
        load(official, "cpu", sources=sources)


def test_a_plain_encoder_has_tokens_rows_and_no_text(tmp_path: Path, sources: Sources) -> None:
    encoder = load(plain_checkpoint(tmp_path), "cpu", sources=sources)
    golden = goldens.golden("tiny")
    clips = np.stack([golden["in/clip16_u8"][:6], golden["in/clip_b_u8"]]).astype(np.uint8)
    tokens = with_tokens(encoder).encode_tokens(clips)
    assert np.abs(tokens - golden["video/main/spatiotemporal"]).max() < goldens.SIDE
    means = tokens.mean(axis=1)
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    assert np.abs(encoder.encode_clips(clips) - means).max() < goldens.UNIT
    assert not encoder.has_text
    for call in (encoder.encode_texts, encoder.truncated, lambda texts: encoder.unread(texts[0])):
        with pytest.raises(EncoderError, match=r"plain video encoder.*base, demo, large"):
            call(["a dog"])  # type: ignore[operator]
    assert encoder.id.startswith("videoprism@")
    assert encoder.id.endswith(":6f:stretch")


def test_the_id_of_a_plain_encoder_names_its_weights(tmp_path: Path, sources: Sources) -> None:
    plain = plain_checkpoint(tmp_path)
    before = load(plain, "cpu", sources=sources).id
    ours = tmp_path / "converted.safetensors"
    checkpoint_files.write_safetensors(ours, checkpoint_files.load_network(plain))
    assert load(ours, "cpu", sources=sources).id == before
    with np.load(plain) as file:
        arrays = dict(file)
    arrays["params/temporal_ln/bias"][3] += np.float32(1e-3)
    np.savez(plain, **arrays)
    assert load(plain, "cpu", sources=sources).id != before


@pytest.mark.parametrize("name", ["videoprism_public_v1_base", "videoprism_public_v1_large"])
def test_a_plain_network_that_is_not_here_says_how_to_get_it(name: str, sources: Sources) -> None:
    with pytest.raises(ModelNotFound, match=rf"the model {name} .*fetch-model {name}"):
        load(name, "cpu", sources=sources)


@pytest.mark.parametrize("name", ["videoprism_public_v1_base", "videoprism_public_v1_large"])
def test_a_plain_network_needs_no_vocabulary(name: str, monkeypatch: pytest.MonkeyPatch, sources: Sources) -> None:
    monkeypatch.setattr(Sources, "fetch", lambda self, hub_file: Path(hub_file.repo, hub_file.file))
    weights = CONFIGS[name].weights
    assert weights is not None
    assert model_files.files_of(name) == [Path(weights.repo, weights.file)]


def test_the_video_encoder_of_any_checkpoint(tmp_path: Path, sources: Sources) -> None:
    expected = vision_of(goldens.lvt("tiny")).state_dict()
    for path in (checkpoint(tmp_path / "lvt"), plain_checkpoint(tmp_path)):
        found = loading.load_video_encoder(path, sources=sources).state_dict()
        torch.testing.assert_close(dict(found), dict(expected), atol=0, rtol=0)
    with pytest.raises(ValueError, match="no video encoder"):
        loading.load_video_encoder("open_clip:ViT-B-32/openai", sources=sources)


def test_an_official_name_promises_an_official_network(tmp_path: Path, sources: Sources) -> None:
    with pytest.raises(WeightsMismatch, match="videoprism_lvt_public_v1_base"):
        load(checkpoint(tmp_path, "flax_lvt_base_f16r288_repeated.npz"), "cpu", sources=sources)


def test_paths_that_lead_nowhere(tmp_path: Path, sources: Sources) -> None:
    for path in (tmp_path / "gone.npz", tmp_path / "gone", str(tmp_path / "gone"), "gone.safetensors", Path("base")):
        with pytest.raises(ModelNotFound, match="no checkpoint at"):
            load(path, "cpu", sources=sources)
    with pytest.raises(ModelNotFound, match="contains no checkpoint"):
        load(tmp_path, "cpu", sources=sources)
    (tmp_path / "video.mp4").write_bytes(b"x")
    with pytest.raises(ValueError, match="is not a checkpoint"):
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


@pytest.mark.parametrize("name", model_files.VOCABULARY_NAMES)
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
        assert names(second) == names(first)
        # Mapped memory lies otherwise, and sums are taken in another order: the last bit may differ.
        assert np.abs(second.encode_texts(TEXTS) - first.encode_texts(TEXTS)).max() < 1e-6
        clips = np.random.default_rng(0).integers(0, 256, (2, 6, 72, 72, 3), dtype=np.uint8)
        assert np.abs(second.encode_clips(clips) - first.encode_clips(clips)).max() < 1e-6

    def test_our_own_form_is_mapped_as_it_is_and_its_digest_computed_once(
        self, tmp_path: Path, sources: Sources, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ours = checkpoint(tmp_path / "here").with_suffix(".safetensors")
        checkpoint_files.write_safetensors(ours, goldens.lvt("tiny"))
        first = load(ours, "cpu", sources=sources)
        assert not (tmp_path / "models" / "converted").exists()
        monkeypatch.setattr(converted, "digests", lambda network: pytest.fail("the digests were computed again"))
        assert names(load(ours, "cpu", sources=sources)) == names(first)
        assert not (tmp_path / "models" / "converted").exists()

    def test_a_record_of_an_earlier_version_gains_the_digests_of_the_parts(
        self, tmp_path: Path, sources: Sources, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = checkpoint(tmp_path / "here")
        first = load(path, "cpu", sources=sources)
        receipt = verified.record_path_for(tmp_path / "models", path)
        record = json.loads(receipt.read_text())
        assert (record.pop("space"), record.pop("text")) != (None, None)
        receipt.write_text(json.dumps(record))
        self.official_files_may_not_be_read(monkeypatch)
        assert names(load(path, "cpu", sources=sources)) == names(first), "its copy is still mapped"
        assert json.loads(receipt.read_text())["space"] in first.id
        monkeypatch.setattr(converted, "digests", lambda network: pytest.fail("the digests were computed again"))
        assert names(load(path, "cpu", sources=sources)) == names(first)

    def test_small_checkpoints_leave_nothing_behind(
        self, tmp_path: Path, sources: Sources, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = checkpoint(tmp_path / "here")
        monkeypatch.setattr(converted, "CONVERT_FROM_BYTES", path.stat().st_size + 1)
        load(path, "cpu", sources=sources)
        assert not (tmp_path / "models").exists()
        monkeypatch.setattr(converted, "CONVERT_FROM_BYTES", path.stat().st_size)
        load(path, "cpu", sources=sources)
        assert len(list((tmp_path / "models" / "converted").iterdir())) == 1

    def test_a_checkpoint_that_changes_while_it_is_read_is_not_kept(
        self, tmp_path: Path, sources: Sources, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = checkpoint(tmp_path / "here")
        read = checkpoint_files.read_npz

        def read_slowly(path: Path) -> object:
            arrays = read(path)
            path.touch()
            os.utime(path, (1, 1))
            return arrays

        monkeypatch.setattr(checkpoint_files, "read_npz", read_slowly)
        load(path, "cpu", sources=sources)
        assert not (tmp_path / "models").exists()

    def test_a_file_that_cannot_be_read_is_one_clear_error(
        self, tmp_path: Path, sources: Sources, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(path: Path) -> object:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(checkpoint_files, "read_npz", fail)
        with pytest.raises(ModelNotFound, match=r"cannot be read.*Permission denied"):
            load(checkpoint(tmp_path / "here"), "cpu", sources=sources)

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
        assert second.text_id != first.text_id
        assert second.id == first.id
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


@pytest.mark.parametrize(
    ("cuda", "mps", "best"),
    [(False, False, "cpu"), (True, False, "cuda"), (False, True, "mps"), (True, True, "cuda")],
)
def test_auto_is_the_best_device_there_is(monkeypatch: pytest.MonkeyPatch, cuda: bool, mps: bool, best: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert choose_device("auto") == best


@pytest.mark.parametrize("count", [1, 2, 11])
def test_gpus_are_numbered_from_0_to_the_last_one(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    for name in ("cuda", "cuda:0", f"cuda:{count - 1}"):
        assert choose_device(name) == name
    with pytest.raises(EncoderUnavailable, match=f"no cuda:{count}: the GPUs here are cuda:0 to cuda:{count - 1}"):
        choose_device(f"cuda:{count}")


@pytest.mark.parametrize("available", [False, True])
def test_without_gpus_none_can_be_chosen(monkeypatch: pytest.MonkeyPatch, available: bool) -> None:
    """A driver may be there without a GPU, and a GPU without a driver that torch can use."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: available)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0 if available else 1)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    for name in ("cuda", "cuda:0", "mps"):
        with pytest.raises(EncoderUnavailable, match=f"no .* GPU \\({name[:4].rstrip(':')}\\); use --device cpu"):
            choose_device(name)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert choose_device("mps") == "mps"
    with pytest.raises(ValueError, match="a device must be auto"):
        choose_device("mps:0")


def test_devices() -> None:
    assert choose_device("cpu") == "cpu"
    assert choose_device("auto") in ("cpu", "cuda", "mps")
    for name in ("gpu", "", "cuda:", "cuda:x", "cpu:1", "cuda:-1"):
        with pytest.raises(ValueError, match="a device must be auto"):
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
    if not (model_files.DEMO_FOLDER / "videoprism_lvt_demo.npz").exists():
        pytest.skip("the demo encoder's weights are not in this checkout")
    found = load_encoder("demo", "cpu")
    assert found.notice is not None
    assert "demo library" in found.notice
    assert found.id.startswith("videoprism_lvt_demo@")


def test_importing_these_rooms_is_cheap() -> None:
    code = (
        "import sys, encoder, encoder.config, encoder.loading, encoder.checkpoints.hub\n"
        "import encoder.tokenizer, encoder.reference_outputs\n"
        "heavy = {'torch', 'sentencepiece', 'huggingface_hub', 'open_clip', 'safetensors'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parent.parent)


@dataclass(frozen=True)
class NothingIsFetched(Sources):
    """Sources that fail the test when a file is asked for."""

    def fetch(self, hub_file: HubFile) -> Path:
        raise AssertionError(f"{hub_file.file} was asked for")


@pytest.mark.parametrize(
    ("device", "precision", "error"),
    [
        ("cpu", "half", ValueError),
        ("cpu", "", ValueError),
        ("cpu", "bfloat16", EncoderUnavailable),
        ("auto", "bfloat16", EncoderUnavailable),
        ("cpu", "int8", EncoderUnavailable),
        ("cuda:99", "auto", EncoderUnavailable),
        ("cuda:99", "float32", EncoderUnavailable),
        ("gpu", "auto", ValueError),
    ],
)
def test_what_cannot_run_here_is_told_before_anything_is_fetched(
    monkeypatch: pytest.MonkeyPatch, device: str, precision: str, error: type[Exception]
) -> None:
    for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported", "_is_vnni_supported"):
        monkeypatch.setattr(torch.cpu, name, lambda: False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(error):
        load("base", device, precision=precision, sources=NothingIsFetched())


def test_options_reach_the_encoder(tmp_path: Path, sources: Sources, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, object] = {}
    monkeypatch.setattr(
        "encoder.videoprism.VideoPrism", lambda network, words, device, **given: asked.update(given, device=device)
    )
    monkeypatch.setattr(loading, "choose_precision", lambda *given: given)
    load(checkpoint(tmp_path), "cpu", frames=5, fit="pad", still_frames=2, precision="float32", sources=sources)
    ids = [asked.pop(name) for name in ("weights_id", "text_id", "former_weights_id")]
    assert asked == {
        "device": "cpu", "frames": 5, "fit": "pad", "still_frames": 2, "precision": ("float32", "cpu", 32),
        "notice": None,
    }  # fmt: skip
    assert ids == [
        "videoprism_lvt@610642b5fd3c1129", "videoprism_lvt:text@e12f90e2b575348c", "videoprism_lvt@028d798de66896da"
    ], "libraries have stored these ids: another one asks for all to be encoded again"  # fmt: skip


def test_the_ids_do_not_depend_on_device_and_precision(
    tmp_path: Path, sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[object, ...]] = []
    ids = ("weights_id", "text_id", "former_weights_id")
    monkeypatch.setattr("encoder.videoprism.VideoPrism", lambda *_, **given: asked.append(tuple(map(given.get, ids))))
    for name in ("choose_device", "checked_precision", "choose_precision"):
        monkeypatch.setattr(loading, name, lambda first, *rest: first)
    path = checkpoint(tmp_path)
    for device, precision in (("cpu", "float32"), ("cpu", "int8"), ("cuda:1", "bfloat16"), ("mps", "auto")):
        load(path, device, precision=precision, sources=sources)
    assert None not in asked[0]
    assert len(asked) == 4
    assert len(set(asked)) == 1


class TestOpenClip:
    """Names of OpenCLIP, without open_clip: what is asked of its room."""

    @pytest.fixture
    def asked(self, monkeypatch: pytest.MonkeyPatch) -> list[tuple[tuple[object, ...], dict[str, object]]]:
        seen: list[tuple[tuple[object, ...], dict[str, object]]] = []
        monkeypatch.setattr("encoder.openclip.encoder.load", lambda *given, **named: seen.append((given, named)))
        return seen

    @pytest.mark.parametrize("precision", ["auto", "float32", "int8"])
    def test_options_reach_it(
        self,
        asked: list[tuple[tuple[object, ...], dict[str, object]]],
        sources: Sources,
        precision: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(loading, "checked_precision", lambda choice, device: choice)
        load("open_clip:ViT-B-32/openai", "cpu", frames=3, fit="crop", precision=precision, sources=sources)
        assert asked == [
            (
                ("open_clip:ViT-B-32/openai", "cpu"),
                {"frames": 3, "fit": "crop", "precision": precision, "sources": sources, "shapes": None},
            )
        ]

    @pytest.mark.parametrize("precision", ["half", ""])
    def test_a_precision_that_there_is_not_is_told(self, asked: list[object], precision: str) -> None:
        with pytest.raises(ValueError, match="a precision is"):
            load("open_clip:ViT-B-32/openai", "cpu", precision=precision)
        assert asked == []

    def test_it_has_no_still_frames(self, asked: list[object]) -> None:
        with pytest.raises(ValueError, match="sees each frame by itself"):
            load("open_clip:ViT-B-32/openai", "cpu", still_frames=1)
        assert asked == []

    def test_a_device_that_is_not_there_is_told(self, asked: list[object]) -> None:
        with pytest.raises(EncoderUnavailable):
            load("open_clip:ViT-B-32/openai", "cuda:99")
        assert asked == []

    def test_its_files_are_unknown_before_loading(self) -> None:
        assert model_files.files_of("open_clip:ViT-B-32/openai", NothingIsFetched()) == []


def test_an_unknown_name_is_answered_with_all_that_can_be_loaded(sources: Sources) -> None:
    with pytest.raises(ValueError, match="xyzzy") as caught:
        load("xyzzy", "cpu", sources=sources)
    assert str(caught.value) == (
        "there is no encoder called 'xyzzy'. Known: base, demo, large, videoprism_lvt_public_v1_base, "
        "videoprism_lvt_public_v1_large, a path of an .npz or .safetensors file, or open_clip:MODEL/PRETRAINED"
    )
    with pytest.raises(ValueError, match=r"\(did you mean large or base\?\)"):
        load("lbarge", "cpu", sources=sources)


@pytest.mark.parametrize(
    ("alias", "name"),
    [("base", "videoprism_lvt_public_v1_base"), ("large", "videoprism_lvt_public_v1_large")],
)
def test_files_of_published_names_are_those_that_are_fetched(
    monkeypatch: pytest.MonkeyPatch, alias: str, name: str
) -> None:
    monkeypatch.setattr(Sources, "fetch", lambda self, hub_file: Path(hub_file.repo, hub_file.file))
    weights = CONFIGS[name].weights
    assert weights is not None
    expected = [Path(weights.repo, weights.file), Path("google/siglip-base-patch16-224/spiece.model")]
    assert model_files.files_of(alias) == model_files.files_of(name) == expected


def test_files_of_the_demo_encoder_are_in_the_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(model_files, "DEMO_FOLDER", tmp_path)
    weights, vocabulary = tmp_path / "videoprism_lvt_demo.npz", tmp_path / "vocabulary.model"
    for path in (weights, vocabulary):
        with pytest.raises(ModelNotFound, match=f"{path.name} is missing.*install prismsearch again"):
            load("demo", "cpu", sources=NothingIsFetched())
        path.touch()
    assert model_files.files_of("demo", NothingIsFetched()) == [weights, vocabulary]
    assert model_files.files_of("videoprism_lvt_demo", NothingIsFetched()) == [weights, vocabulary]


def test_files_of_a_path_are_known_by_an_official_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert model_files.files_of(checkpoint(tmp_path / "own"), NothingIsFetched()) == []
    official = checkpoint(tmp_path / "here", "flax_lvt_base_f16r288_repeated.npz", vocabulary="spiece.model")
    beside = official.parent / "spiece.model"
    assert model_files.files_of(official, NothingIsFetched()) == [official, beside]
    assert model_files.files_of(str(official.parent), NothingIsFetched()) == [official, beside]
    beside.unlink()
    monkeypatch.setattr(Sources, "fetch", lambda self, hub_file: Path(hub_file.file))
    assert model_files.files_of(official) == [official, Path("spiece.model")]


def test_a_vocabulary_of_the_first_usual_name_is_taken(tmp_path: Path) -> None:
    official = checkpoint(tmp_path, "flax_lvt_base_f16r288_repeated.npz", vocabulary="c4_en.model")
    for name in reversed(model_files.VOCABULARY_NAMES):
        shutil.copy(goldens.GOLDEN / "t5like_spm.model", tmp_path / name)
        assert model_files.files_of(official, NothingIsFetched()) == [official, tmp_path / name]


def test_a_copy_of_the_demo_encoder_is_the_demo_encoder(tmp_path: Path, sources: Sources) -> None:
    if not (model_files.DEMO_FOLDER / "videoprism_lvt_demo.npz").exists():
        pytest.skip("the demo encoder's weights are not in this checkout")
    shutil.copy(model_files.DEMO_FOLDER / "videoprism_lvt_demo.npz", tmp_path / "renamed.npz")
    demo, copy = load("demo", "cpu", sources=sources), load(tmp_path / "renamed.npz", "cpu", sources=sources)
    assert (copy.id, copy.notice) == (demo.id, demo.notice)


def test_in_a_folder_the_official_file_is_meant_and_hidden_ones_are_not_seen(tmp_path: Path) -> None:
    checkpoint(tmp_path, ".hidden.npz")
    with pytest.raises(ModelNotFound, match="contains no checkpoint"):
        model_files.files_of(tmp_path, NothingIsFetched())
    for name in ("converted.safetensors", "other.npz", "flax_lvt_large_f8r288_repeated.npz"):
        official = checkpoint(tmp_path, name)
    assert model_files.files_of(tmp_path, NothingIsFetched()) == [official, tmp_path / "vocabulary.model"]


def test_a_tilde_is_the_home_folder(tmp_path: Path, sources: Sources, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    with pytest.raises(ModelNotFound, match="no checkpoint at") as caught:
        load("~/gone.npz", "cpu", sources=sources)
    assert str(tmp_path / "gone.npz") in str(caught.value)


def test_a_frame_is_enough(tmp_path: Path, sources: Sources) -> None:
    assert load(checkpoint(tmp_path), "cpu", frames=1, sources=sources).clip_spec.frames == 1
