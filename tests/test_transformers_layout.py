"""`model.safetensors` of transformers' VideoPrism: the same encoder as the official file, or one clear line."""

from __future__ import annotations

import json
import shutil
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import goldens
import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from test_loading import TEXTS, checkpoint, names
from torch import Tensor
from transformers_state import POSITIONS, their_name, transformers_state

from encoder import ModelNotFound, WeightsMismatch, config, load_encoder
from encoder.checkpoints import checkpoint as checkpoint_files
from encoder.checkpoints import converted, hub
from encoder.checkpoints.checkpoint import load_network
from encoder.checkpoints.download_policy import Sources
from encoder.config import CONFIGS, HubFile
from encoder.loading import load
from encoder.weights import entries

COMMIT = "fb6d" + "0" * 36


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    return Sources(models=tmp_path / "models", cache_dir=tmp_path / "cache", offline=True)


def official_gains(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Put the official file's own `scale` in, since gain - 1 of our state has lost its last bit."""
    with np.load(goldens.GOLDEN / "tiny_params.npz") as file:
        arrays = {key: file[key] for key in file.files}
    for entry in entries(goldens.config("tiny")):
        if entry.kind == "gain":
            scale = arrays[entry.flax] if entry.layer is None else arrays[entry.flax][entry.layer]
            state[their_name(entry.torch)] = torch.from_numpy(scale.copy())
    return state


@pytest.fixture(scope="module")
def tiny() -> dict[str, Tensor]:
    return official_gains(transformers_state(goldens.lvt("tiny")))


def write(folder: Path, state: dict[str, Tensor], name: str = "model.safetensors") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    save_file({key: value.clone().contiguous() for key, value in state.items()}, folder / name, {"format": "pt"})
    shutil.copy(goldens.GOLDEN / "t5like_spm.model", folder / "vocabulary.model")
    return folder / name


def test_it_is_the_encoder_of_the_official_file_bit_for_bit(
    tmp_path: Path, sources: Sources, tiny: dict[str, Tensor]
) -> None:
    official = checkpoint(tmp_path / "official")
    theirs = write(tmp_path / "theirs", tiny)
    expected, found = load_network(official).state_dict(), load_network(theirs).state_dict()
    assert sorted(found) == sorted(expected)
    assert all(torch.equal(value, expected[key]) for key, value in found.items())
    ours, mine = load(official, "cpu", sources=sources), load(theirs.parent, "cpu", sources=sources)
    assert names(mine) == names(ours)
    clips = np.random.default_rng(0).integers(0, 256, (2, 6, 72, 72, 3), dtype=np.uint8)
    assert mine.encode_clips(clips).tobytes() == ours.encode_clips(clips).tobytes()
    assert mine.encode_texts(TEXTS).tobytes() == ours.encode_texts(TEXTS).tobytes()


def test_their_table_of_text_positions_is_not_used_and_may_be_missing(tmp_path: Path, tiny: dict[str, Tensor]) -> None:
    whole = load_network(write(tmp_path, tiny)).state_dict()
    for state in (
        tiny | {POSITIONS: torch.full((64, 32), torch.nan)},
        {key: value for key, value in tiny.items() if not key.startswith("text_model.embeddings.position")},
    ):
        found = load_network(write(tmp_path, state)).state_dict()
        assert all(torch.equal(value, whole[key]) for key, value in found.items())


def test_a_video_encoder_alone_has_the_heads_of_a_published_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = goldens.plain("tiny")
    path = write(tmp_path, transformers_state(network))
    with pytest.raises(WeightsMismatch, match=r"number of attention heads is not in .* use its \.npz"):
        load_network(path)
    known = replace(network.config, name="published")
    monkeypatch.setattr("encoder.checkpoints.transformers_layout.CONFIGS", {**CONFIGS, known.name: known})
    found = load_network(path)
    assert found.config == known
    assert all(torch.allclose(value, network.state_dict()[key]) for key, value in found.state_dict().items())


Change = Callable[[dict[str, Tensor]], object]
BIAS = "video_model.head.q_proj.bias"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda s: s.pop(BIAS), f"missing: {BIAS}"),
        (lambda s: s.pop("text_model.layers.0.mlp.fc2.weight"), "missing: text_model.layers.0.mlp.fc2.weight"),
        (lambda s: s.update({"video_model.extra": torch.zeros(2)}), "left over: video_model.extra"),
        (lambda s: s.update({BIAS: torch.zeros(7)}), rf"{BIAS} has shape \(7,\), expected \("),
        (lambda s: s.update({BIAS: s[BIAS].half()}), f"{BIAS} is F16, expected F32"),
        (lambda s: s.update({BIAS: s[BIAS] * torch.nan}), "pooler.q.bias has numbers that are not finite"),
        (lambda s: s.update({"video_model.head.per_dim_scale": torch.zeros(0)}), "shapes are not possible"),
        (lambda s: s.update({"video_model.head.per_dim_scale": torch.zeros(5)}), "shapes are not possible"),
        (lambda s: s.pop("video_model.head.per_dim_scale"), "video_model.head.per_dim_scale' is missing"),
        (lambda s: s.pop("video_model.vision_model.spatial_layers.0.layernorm_before.bias"), "left over|missing"),
        (
            lambda s: s.update({f"text_model.layers.{i}.layernorm_before.bias": torch.zeros(1) for i in range(1500)}),
            "shapes are not possible",
        ),
        (lambda s: s.clear(), "is missing"),
    ],
)
def test_other_tensors_are_one_line(tmp_path: Path, tiny: dict[str, Tensor], change: Change, expected: str) -> None:
    state = dict(tiny)
    change(state)
    path = write(tmp_path, state)
    with pytest.raises(WeightsMismatch, match=expected) as caught:
        load_network(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 1500


def header(tensors: dict[str, Any], data: bytes = b"") -> bytes:
    text = json.dumps(tensors).encode()
    return struct.pack("<Q", len(text)) + text + data


HUGE = {"dtype": "F32", "shape": [1 << 40, 0], "data_offsets": [0, 0]}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no safetensors",
        struct.pack("<Q", 1 << 62) + b"{}",
        struct.pack("<Q", 200_000_000) + b"{}",
        struct.pack("<Q", 2) + b"[]",
        header({"a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}),
        header({"a": {"dtype": "F32", "shape": [4], "data_offsets": [8, 24]}}, bytes(24)),
        header({"a": {"dtype": "F32", "shape": [1 << 62, 1 << 62], "data_offsets": [0, 16]}}, bytes(16)),
        header({"a": {"dtype": "F32", "shape": [-4], "data_offsets": [0, 16]}}, bytes(16)),
        header({"a": {"dtype": "F99", "shape": [4], "data_offsets": [0, 16]}}, bytes(16)),
        header({"../../a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}, bytes(16)),
        header({"spatial_embeddings.patch_embeddings.projection.weight": HUGE}),
        header({"video_model.vision_model.spatial_embeddings.patch_embeddings.projection.weight": HUGE}),
    ],
)
def test_hostile_files_are_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(WeightsMismatch) as caught:
        load_network(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_a_file_that_was_cut_or_whose_header_lies_is_refused(tmp_path: Path, tiny: dict[str, Tensor]) -> None:
    path = write(tmp_path, tiny)
    whole = path.read_bytes()
    size = struct.unpack("<Q", whole[:8])[0]
    told = json.loads(whole[8 : 8 + size])
    told[BIAS]["data_offsets"] = told["video_model.head.k_proj.bias"]["data_offsets"]
    for content in (whole[:-1], whole[: len(whole) // 2], whole + b"x", header(told, whole[8 + size :])):
        path.write_bytes(content)
        with pytest.raises(WeightsMismatch, match="fetch it again"):
            load_network(path)


def in_cache(folder: Path, blob: Path, commit: str = COMMIT, name: str = "model.safetensors") -> Path:
    """Put a file into the folder of a repository in the hub's cache, as the client does: a link to a blob."""
    (folder / "blobs").mkdir(parents=True, exist_ok=True)
    shutil.copy(blob, folder / "blobs" / "ab12")
    link = folder / "snapshots" / commit / name
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to("../../blobs/ab12")
    return link


def test_the_hubs_cache_may_be_named_by_file_by_commit_and_by_repository(
    tmp_path: Path, sources: Sources, tiny: dict[str, Tensor]
) -> None:
    made = write(tmp_path / "made", tiny)
    repository = tmp_path / "models--google--videoprism-lvt-tiny"
    link = in_cache(repository, made)
    shutil.copy(made.parent / "vocabulary.model", link.parent)
    in_cache(repository, made, "0" * 40)  # another commit with the same file
    expected = names(load(made, "cpu", sources=sources))
    for path in (link, link.parent):
        assert names(load(path, "cpu", sources=sources)) == expected
    shutil.copy(made.parent / "vocabulary.model", repository / "snapshots" / ("0" * 40))
    assert names(load(repository, "cpu", sources=sources)) == expected
    other = repository / "snapshots" / ("1" * 40) / "model.safetensors"
    other.parent.mkdir()
    shutil.copy(made, other)
    with pytest.raises(ValueError, match=r"several checkpoints; choose one: snapshots/0+/model\.safetensors, snap"):
        load(repository, "cpu", sources=sources)


class TestPublished:
    """A published name takes the file that this machine has, whichever it is."""

    @pytest.fixture
    def published(self, tmp_path: Path, tiny: dict[str, Tensor]) -> HubFile:
        made = write(tmp_path / "made", tiny)
        in_cache(tmp_path / "cache" / "models--org--tiny", made)
        other = HubFile("org/tiny", "model.safetensors", made.stat().st_size, revision=COMMIT, shared_name=True)
        return HubFile("org/tiny", "flax_tiny.npz", 1000, other_form=other)

    def fetch(self, file: HubFile, tmp_path: Path) -> Path:
        return hub.fetch(file, models=tmp_path / "models", cache_dir=tmp_path / "cache", offline=True)

    def test_the_other_form_is_taken_where_it_is_and_verified_once(
        self, published: HubFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        found = self.fetch(published, tmp_path)
        assert found.name == "model.safetensors"
        monkeypatch.setattr("encoder.checkpoints.verified.sha256_of", lambda path: pytest.fail(f"{path} is read again"))
        assert self.fetch(published, tmp_path) == found

    def test_the_official_form_comes_first(self, published: HubFile, tmp_path: Path) -> None:
        (tmp_path / "models").mkdir()
        (tmp_path / "models" / "flax_tiny.npz").write_bytes(bytes(1000))
        assert self.fetch(published, tmp_path).name == "flax_tiny.npz"

    def test_another_file_of_its_name_is_neither_taken_nor_deleted(self, published: HubFile, tmp_path: Path) -> None:
        assert published.other_form is not None
        wrong = replace(published, other_form=replace(published.other_form, sha256="0" * 64))
        with pytest.raises(ModelNotFound, match=r"flax_tiny\.npz of org/tiny is not on this machine"):
            self.fetch(wrong, tmp_path)
        assert (tmp_path / "cache" / "models--org--tiny" / "blobs" / "ab12").is_file()

    def test_what_is_known_of_the_published_files_is_pinned(self) -> None:
        for each in CONFIGS.values():
            if each.weights is not None:
                other = each.weights.other_form
                assert other is not None
                assert (other.repo, len(other.revision)) == (each.weights.repo, 40)
        base = CONFIGS["videoprism_lvt_public_v1_base"].weights
        assert base is not None
        assert base.other_form is not None
        assert base.other_form.sha256 is not None
        assert len(base.other_form.sha256) == 64

    def test_the_name_loads_it(
        self, published: HubFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sources: Sources
    ) -> None:
        known = replace(goldens.config("tiny"), name="tiny", weights=published)
        for module in ("encoder.loading", "encoder.model_files", "encoder.checkpoints.transformers_layout"):
            monkeypatch.setattr(f"{module}.CONFIGS", {**CONFIGS, "tiny": known})
        vocabulary = goldens.GOLDEN / "t5like_spm.model"
        monkeypatch.setattr(Sources, "fetch", _fetch_all_but(config.VOCABULARY, vocabulary, Sources.fetch))
        assert load("tiny", "cpu", sources=sources).id.startswith("tiny@")


def _fetch_all_but(special: HubFile, path: Path, fetch: Callable[[Sources, HubFile], Path]) -> Any:
    return lambda self, file: path if file == special else fetch(self, file)


def test_the_second_start_maps_a_converted_copy(
    tmp_path: Path, sources: Sources, tiny: dict[str, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(converted, "CONVERT_FROM_BYTES", 1000)
    monkeypatch.setattr(converted, "_KEEP_FREE_BYTES", 0)
    path = write(tmp_path / "theirs", tiny)
    first = load_encoder(path, "cpu", sources=sources)
    assert len(list((tmp_path / "models" / "converted").iterdir())) == 1
    monkeypatch.setattr(checkpoint_files, "read_transformers", lambda *given: pytest.fail("it was read again"))
    assert names(load_encoder(path, "cpu", sources=sources)) == names(first)
