"""Heads: the numbers of the official classifier, its tree both ways, and files that are strict about what they hold."""

from __future__ import annotations

import importlib.util
import io
import json
import os
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import goldens
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from encoder import WeightsMismatch, head_files, load_encoder
from encoder.checkpoints.checkpoint import encoder_of_classifier, network_from_state, read_npz
from encoder.checkpoints.download_policy import Sources
from encoder.classifier_weights import classifier_from_flax, flax_from_classifier, flax_from_head, head_from_flax
from encoder.head_files import HeadFacts, read_head, sidecar_of, write_head
from encoder.heads import LinearHead, MapHead
from encoder.model import VideoEncoder, vision_of
from encoder.protocol import with_tokens
from encoder.weights import state_dict_from_flax

Arrays = dict[str, NDArray[np.float32]]


@pytest.fixture(scope="module")
def recipe() -> ModuleType:
    sys.modules["param_recipe"] = goldens.recipe()
    spec = importlib.util.spec_from_file_location("classifier_recipe", goldens.GOLDEN / "classifier_recipe.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def golden() -> Arrays:
    return goldens.golden("classifier")


def encoder_of(name: str, arrays: Arrays) -> VideoEncoder:
    """The encoder in a tree; the table of `odd` is not square, so its configuration cannot be told by its shapes."""
    config = goldens.config(name).plain
    below = {
        key.replace("/encoder/", "/", 1): each for key, each in arrays.items() if key.startswith("params/encoder/")
    }
    network = network_from_state(config, state_dict_from_flax(below, config))
    assert isinstance(network, VideoEncoder)
    return network


def clips_of(recipe: ModuleType, name: str) -> torch.Tensor:
    return torch.from_numpy(np.stack(recipe.clips(name)))


class TestOfficialLayout:
    @pytest.mark.parametrize("name", ["tiny", "odd"])
    def test_keys_and_shapes_are_those_of_a_flax_init(self, name: str, recipe: ModuleType, golden: Arrays) -> None:
        listed = dict(zip(golden[f"{name}/keys"].tolist(), golden[f"{name}/shapes"].tolist(), strict=True))
        config = goldens.config(name)
        head = MapHead(config.dim, config.heads, recipe.CLASSES)
        ours = flax_from_classifier(vision_of(goldens.network(name)), head)
        assert {key: "x".join(map(str, array.shape)) for key, array in ours.items()} == listed
        assert {array.dtype for array in ours.values()} == {np.dtype(np.float32)}

    @pytest.mark.parametrize("name", ["tiny", "odd"])
    def test_the_numbers_of_the_official_code(self, name: str, recipe: ModuleType, golden: Arrays) -> None:
        arrays = recipe.params(name)
        encoder = encoder_of(name, arrays)
        head = head_from_flax({key: each for key, each in arrays.items() if not key.startswith("params/encoder/")})
        with torch.inference_mode():
            tokens = encoder(clips_of(recipe, name))
            pooled = head.embed(tokens)
        assert goldens.difference(tokens[:, ::7], golden[f"{name}/tokens"]) < goldens.SIDE
        assert goldens.difference(pooled, golden[f"{name}/pooled"]) < goldens.RAW
        logits = head.logits(tokens.numpy())
        assert np.abs(logits - golden[f"{name}/logits"]).max() < goldens.RAW
        assert logits.dtype == np.float32

    def test_a_tree_of_ours_gave_the_same_logits_in_the_official_code(self, recipe: ModuleType, golden: Arrays) -> None:
        """The head was made by MapHead, exported around LvT's video encoder, and loaded by Flax: `ours/logits`."""
        stored = {key.removeprefix("ours/"): each for key, each in golden.items() if key.startswith("ours/params/")}
        head = head_from_flax(stored)
        encoder = vision_of(goldens.lvt("tiny"))
        with torch.inference_mode():
            logits = head(encoder(clips_of(recipe, "tiny")))
        assert goldens.difference(logits, golden["ours/logits"]) < goldens.RAW
        again = flax_from_head(head)
        assert again.keys() == stored.keys()
        for key, array in again.items():
            np.testing.assert_allclose(array, stored[key], atol=1e-7, err_msg=key)  # norms are stored as gain - 1

    def test_there_and_back(self, recipe: ModuleType) -> None:
        arrays = recipe.params("tiny")
        encoder, head = classifier_from_flax(arrays)
        again = flax_from_classifier(encoder, head)
        assert again.keys() == arrays.keys()
        for key, array in again.items():
            np.testing.assert_allclose(array, arrays[key], atol=1e-6, err_msg=key)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda a: a.pop("params/projection/linear/bias"), "missing: params/projection/linear/bias"),
            (lambda a: a.pop("params/projection/linear/kernel"), "no params/projection/linear/kernel"),
            (lambda a: a.pop("params/encoder/temporal_ln/bias"), "missing: params/temporal_ln/bias"),
            (lambda a: a.update({"params/other": a["params/projection/linear/bias"]}), "left over: params/other"),
            (
                lambda a: a.update({"params/projection/linear/bias": np.zeros(4, np.float32)}),
                r"params/projection/linear/bias has shape \(4,\), expected \(5,\)",
            ),
            (
                lambda a: a.update({"params/projection/linear/bias": np.zeros(5, np.float64)}),
                "params/projection/linear/bias is float64, expected float32",
            ),
            (
                lambda a: a.update({"params/projection/linear/bias": np.full(5, np.nan, np.float32)}),
                "params/projection/linear/bias has a value that is not finite",
            ),
            (
                lambda a: a.update({"params/encoder/temporal_ln/bias": np.full(32, np.inf, np.float32)}),
                "params/temporal_ln/bias has a value that is not finite",
            ),
            (
                lambda a: a.update(flax_from_head(MapHead(32, 4, 5))),
                "the head has 32 columns and 4 attention heads, the encoder 32 and 2",
            ),
            (lambda a: a.clear(), "not a head of the official classifier"),
        ],
    )
    def test_whatever_is_wrong_is_named_in_one_line(self, change: Any, message: str, recipe: ModuleType) -> None:
        arrays = recipe.params("tiny")
        change(arrays)
        with pytest.raises(WeightsMismatch, match=message) as caught:
            classifier_from_flax(arrays)
        assert "\n" not in str(caught.value)

    def test_a_head_of_other_tokens_is_not_put_around_an_encoder(self) -> None:
        with pytest.raises(ValueError, match="does not belong to tiny"):
            flax_from_classifier(vision_of(goldens.lvt("tiny")), MapHead(32, 4, 5))


class TestMapHead:
    def test_it_begins_as_the_official_code_does(self) -> None:
        head = MapHead(64, 4, 1000, seed=3)
        arrays = flax_from_head(head)
        deviations = {
            "atten_pooler/pooling_attention_query": 1,
            "atten_pooler/pooling_attention/query/w": (64 * 4) ** -0.5,  # lecun_normal counts D x heads inputs
            "atten_pooler/pooling_attention/post/w": (64 * 4) ** -0.5,
            "projection/linear/kernel": 64**-0.5,
        }
        for key, expected in deviations.items():
            array = arrays[f"params/{key}"]
            assert array.std() == pytest.approx(expected, rel=0.25 if array.size < 100 else 0.03)
            assert np.abs(array).max() <= 2 * expected / 0.8796 + 1e-6
        neutral = [key for key in arrays if key.rsplit("/", 1)[1] in ("b", "bias", "scale", "per_dim_scale")]
        assert len(neutral) == 8
        assert not any(arrays[key].any() for key in neutral)

    def test_the_same_seed_is_the_same_head(self) -> None:
        torch.manual_seed(5)
        a, b, other = MapHead(8, 2, 3, seed=1), MapHead(8, 2, 3, seed=1), MapHead(8, 2, 3, seed=2)
        before = torch.get_rng_state()
        for key, array in flax_from_head(a).items():
            assert np.array_equal(array, flax_from_head(b)[key])
        assert not np.array_equal(a.projection.weight.detach(), other.projection.weight.detach())
        assert torch.equal(before, torch.get_rng_state())

    def test_it_learns(self) -> None:
        tokens = torch.randn(6, 5, 8, generator=torch.Generator().manual_seed(1))
        head, truth = MapHead(8, 2, 3), torch.tensor([0, 1, 2, 0, 1, 2])
        loss = torch.nn.functional.cross_entropy(head(tokens), truth)
        loss.backward()
        gradients = {key: p.grad for key, p in head.named_parameters()}
        for key, gradient in gradients.items():
            assert key == "pooler.k.bias" or (gradient is not None and bool(gradient.abs().max() > 0)), key

    def test_batches_change_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        head = MapHead(8, 2, 3)
        tokens = np.random.default_rng(1).normal(size=(7, 5, 8)).astype(np.float32)
        whole = head.logits(tokens)
        assert whole.shape == (7, 3)
        monkeypatch.setattr("encoder.heads._ELEMENTS_AT_ONCE", 2 * 5 * 8)
        np.testing.assert_allclose(head.logits(tokens), whole, atol=1e-6)
        assert head.logits(tokens[:0]).shape == (0, 3)
        tokens[2, 1, 1] = np.nan
        with pytest.raises(ValueError, match="not a finite number"):
            head.logits(tokens)

    @pytest.mark.parametrize("shape", [(2, 5), (2, 5, 7), (2, 0, 8), (8,)])
    def test_other_shapes_are_refused(self, shape: tuple[int, ...]) -> None:
        with pytest.raises(ValueError, match=r"tokens \(B, L, 8\)"):
            MapHead(8, 2, 3).logits(np.zeros(shape, np.float32))

    @pytest.mark.parametrize(("dim", "heads", "classes"), [(8, 3, 2), (0, 1, 2), (8, 0, 2), (8, 2, 0)])
    def test_numbers_that_make_no_head(self, dim: int, heads: int, classes: int) -> None:
        with pytest.raises(ValueError, match="cannot have"):
            MapHead(dim, heads, classes)


class TestLinearHead:
    def test_a_logit_is_a_product_and_a_bias(self) -> None:
        head = LinearHead(np.array([[1, 0], [0.5, -1]]), np.array([0, 2]))  # type: ignore[arg-type]
        assert (head.dim, head.classes) == (2, 2)
        assert head.logits(np.array([[3, 4]], np.float32)).tolist() == [[3, -0.5]]
        assert head.logits(np.zeros((0, 2), np.float32)).shape == (0, 2)
        with pytest.raises(ValueError, match=r"rows \(B, 2\)"):
            head.logits(np.zeros((1, 3), np.float32))
        with pytest.raises(ValueError, match="not a finite number"):
            head.logits(np.full((1, 2), np.nan, np.float32))

    @pytest.mark.parametrize(("weights", "bias"), [((2,), (2,)), ((2, 3), (3,)), ((0, 3), (0,)), ((2, 0), (2,))])
    def test_arrays_that_do_not_belong_together(self, weights: tuple[int, ...], bias: tuple[int, ...]) -> None:
        with pytest.raises(ValueError, match="a linear head has"):
            LinearHead(np.zeros(weights, np.float32), np.zeros(bias, np.float32))


FACTS = HeadFacts("map", ("run", "sit", "fly"), False, "tiny@1:6f:stretch", 8, "ten clips of each, seed 1", "0.1.0")


def linear() -> LinearHead:
    random = np.random.default_rng(2)
    return LinearHead(random.normal(size=(3, 8)).astype(np.float32), np.zeros(3, np.float32))


def stored(folder: Path, kind: str = "map") -> Path:
    path = folder / "head.npz"
    if kind == "map":
        write_head(path, MapHead(8, 2, 3, seed=4), FACTS)
    else:
        write_head(path, linear(), replace(FACTS, kind="linear"))
    return path


def changed(path: Path, **values: Any) -> None:
    """Change a sidecar; a value of None takes it out."""
    record = json.loads(sidecar_of(path).read_text()) | values
    sidecar_of(path).write_text(json.dumps({key: value for key, value in record.items() if value is not None}))


def renewed(path: Path, content: bytes) -> None:
    """Replace the arrays, with a sidecar that was written for them."""
    path.write_bytes(content)
    changed(path, arrays=head_files._checksum(path))


def npz(**arrays: NDArray[Any]) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)  # type: ignore[arg-type]
    return stream.getvalue()


class TestFiles:
    def test_a_head_on_tokens(self, tmp_path: Path) -> None:
        found = read_head(stored(tmp_path), encoder_id=FACTS.encoder_id)
        assert found.facts == FACTS
        tokens = np.random.default_rng(1).normal(size=(2, 5, 8)).astype(np.float32)
        assert isinstance(found.head, MapHead)
        np.testing.assert_allclose(found.head.logits(tokens), MapHead(8, 2, 3, seed=4).logits(tokens), atol=1e-6)
        assert sorted(os.listdir(tmp_path)) == ["head.json", "head.npz"]
        with np.load(tmp_path / "head.npz") as file:
            assert sorted(file.files) == sorted(flax_from_head(MapHead(8, 2, 3)))

    def test_a_head_on_rows(self, tmp_path: Path) -> None:
        found = read_head(stored(tmp_path, "linear"))
        assert found.facts == replace(FACTS, kind="linear")
        rows = np.eye(8, dtype=np.float32)
        assert isinstance(found.head, LinearHead)
        np.testing.assert_array_equal(found.head.logits(rows), linear().logits(rows))

    def test_a_whole_classifier(self, tmp_path: Path) -> None:
        network = vision_of(goldens.lvt("tiny"))
        path, head = tmp_path / "whole.npz", MapHead(32, 2, 3, seed=4)
        write_head(path, head, replace(FACTS, dim=32), encoder=network)
        with np.load(path) as file:
            encoder, again = classifier_from_flax(dict(file))
        for key, value in network.state_dict().items():
            torch.testing.assert_close(encoder.state_dict()[key], value, atol=1e-6, rtol=0)
        torch.testing.assert_close(again.state_dict(), head.state_dict(), atol=1e-6, rtol=0)
        assert read_head(path).facts.dim == 32

    def test_a_classifier_of_the_official_code_is_an_encoder_and_a_head(
        self, tmp_path: Path, recipe: ModuleType, golden: Arrays
    ) -> None:
        """As a person would use one that was trained elsewhere; its encoder has the id of the same plain checkpoint."""
        arrays = recipe.params("tiny")
        np.savez(tmp_path / "classifier.npz", **arrays)
        np.savez(tmp_path / "plain.npz", **encoder_of_classifier(arrays))
        sources = Sources(models=tmp_path / "models", cache_dir=tmp_path / "cache", offline=True)
        encoder, plain = (
            load_encoder(tmp_path / f"{name}.npz", "cpu", sources=sources) for name in ("classifier", "plain")
        )
        assert encoder.id == plain.id
        _, head = classifier_from_flax(read_npz(tmp_path / "classifier.npz"))
        facts = replace(FACTS, classes=tuple("abcde"), encoder_id=encoder.id, dim=32)
        write_head(tmp_path / "head.npz", head, facts)
        found = read_head(tmp_path / "head.npz", encoder_id=plain.id)
        logits = found.head.logits(with_tokens(encoder).encode_tokens(np.stack(recipe.clips("tiny"))))
        assert np.abs(logits - golden["tiny/logits"]).max() < goldens.RAW

    def test_names_of_any_kind_come_back(self, tmp_path: Path) -> None:
        facts = replace(FACTS, classes=("a\nb", "犬", "half \udcff"), trained_on="\udcff")
        write_head(tmp_path / "a \udcff.npz", MapHead(8, 2, 3), facts)
        assert read_head(tmp_path / "a \udcff.npz").facts == facts

    @pytest.mark.parametrize(
        ("name", "facts", "message"),
        [
            ("head.txt", FACTS, r"ends in \.npz"),
            ("head.npz", replace(FACTS, kind="linear"), "of the other kind"),
            ("head.npz", replace(FACTS, classes=("run",)), "3 classes, and names for 1"),
            ("head.npz", replace(FACTS, classes=("run", "run", "sit")), "same name"),
            ("head.npz", replace(FACTS, classes=("run", "", "sit")), "one has none"),
            ("head.npz", replace(FACTS, dim=9), "8 columns, and said to be for 9"),
        ],
    )
    def test_what_does_not_belong_together_is_not_written(
        self, tmp_path: Path, name: str, facts: HeadFacts, message: str
    ) -> None:
        with pytest.raises(ValueError, match=message):
            write_head(tmp_path / name, MapHead(8, 2, 3), facts)
        assert os.listdir(tmp_path) == []

    def test_a_head_that_went_wrong_is_not_written(self, tmp_path: Path) -> None:
        head = MapHead(8, 2, 3)
        with torch.no_grad():
            head.projection.weight[1, 1] = float("nan")
        with pytest.raises(ValueError, match="projection/linear/kernel has a value that is not finite"):
            write_head(tmp_path / "head.npz", head, FACTS)
        with pytest.raises(ValueError, match="a linear head is stored alone"):
            write_head(
                tmp_path / "head.npz",
                linear(),
                replace(FACTS, kind="linear"),
                encoder=vision_of(goldens.lvt("tiny")),
            )
        assert os.listdir(tmp_path) == []

    def test_a_full_disk_leaves_the_old_head(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = stored(tmp_path)
        before = path.read_bytes()

        def full(*_: Any, **__: Any) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(np, "savez", full)
        with pytest.raises(OSError, match="No space left"):
            write_head(path, MapHead(8, 2, 3), FACTS)
        assert path.read_bytes() == before
        assert read_head(path).facts == FACTS
        assert sorted(os.listdir(tmp_path)) == ["head.json", "head.npz"]

    def test_the_head_of_another_encoder(self, tmp_path: Path) -> None:
        with pytest.raises(WeightsMismatch, match="for the encoder tiny@1:6f:stretch, not for base@2"):
            read_head(stored(tmp_path), encoder_id="base@2")

    @pytest.mark.parametrize(
        ("values", "message"),
        [
            ({"kind": None}, "'kind' is missing"),
            ({"kind": "tree"}, "its kind is 'tree', not map or linear"),
            ({"kind": "linear"}, "a linear head has the arrays weights and bias"),
            ({"classes": ["run", 3, "fly"]}, "its classes are not"),
            ({"classes": "run"}, "its classes is not of the type list"),
            ({"classes": ["run", "sit"]}, "3 classes, and names for 2"),
            ({"dim": 9}, "said to be for 9"),
            ({"dim": True}, "its dim is not of the type int"),
            ({"multi_label": 1}, "its multi_label is not of the type bool"),
            ({"arrays": "0" * 32}, "is not the file that head.json was written for"),
        ],
    )
    def test_a_sidecar_that_is_wrong(self, tmp_path: Path, values: dict[str, Any], message: str) -> None:
        path = stored(tmp_path)
        changed(path, **values)
        with pytest.raises(WeightsMismatch, match=message) as caught:
            read_head(path)
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b"x" * 20_000_000])
    def test_a_sidecar_that_is_none(self, tmp_path: Path, content: bytes) -> None:
        path = stored(tmp_path)
        sidecar_of(path).write_bytes(content)
        with pytest.raises(WeightsMismatch, match=r"head\.json is not a"):
            read_head(path)

    def test_half_a_head(self, tmp_path: Path) -> None:
        path = stored(tmp_path)
        sidecar_of(path).rename(tmp_path / "kept")
        with pytest.raises(WeightsMismatch, match=r"head\.json is missing"):
            read_head(path)
        (tmp_path / "kept").rename(sidecar_of(path))
        path.unlink()
        with pytest.raises(FileNotFoundError):
            read_head(path)

    def test_arrays_that_are_none(self, tmp_path: Path) -> None:
        path = stored(tmp_path)
        whole = path.read_bytes()
        single = io.BytesIO()
        np.save(single, np.zeros(3))
        pickled = io.BytesIO()
        np.save(pickled, np.array([{"a": 1}], object), allow_pickle=True)
        for content in (b"", b"x" * 100, whole[: len(whole) // 2], single.getvalue(), pickled.getvalue()):
            renewed(path, content)
            with pytest.raises(WeightsMismatch, match=r"not a readable \.npz of a head"):
                read_head(path)

    def test_arrays_of_another_kind(self, tmp_path: Path) -> None:
        path = stored(tmp_path, "linear")
        head = linear()
        for arrays, message in [
            ({"weights": head.weights}, "arrays weights and bias, not weights"),
            ({"weights": head.weights, "bias": head.bias.astype(np.float64)}, "bias is float64, expected float32"),
            ({"weights": head.weights, "bias": head.bias * np.nan}, "not a finite number"),
            ({"weights": head.weights * np.float32(1e38), "bias": head.bias}, "weights has numbers above 1e"),
            ({"weights": head.weights, "bias": head.bias[:2]}, "a linear head has"),
            ({"weights": head.weights[:2], "bias": head.bias[:2]}, "2 classes, and names for 3"),
            ({"weights": np.array([{}], object), "bias": head.bias}, "not a readable"),
        ]:
            renewed(path, npz(**arrays))
            with pytest.raises(WeightsMismatch, match=message):
                read_head(path)

    def test_too_much_is_not_read(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = stored(tmp_path)
        header = io.BytesIO()
        np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": (1 << 60,)})
        bomb = io.BytesIO()
        with zipfile.ZipFile(bomb, "w") as file:
            file.writestr("weights.npy", header.getvalue())
        renewed(path, bomb.getvalue())
        with pytest.raises(WeightsMismatch, match="not a readable"):
            read_head(path)
        stored(tmp_path)
        monkeypatch.setattr(head_files, "_MAX_BYTES", 1000)
        with pytest.raises(WeightsMismatch, match="too large for a head"):
            read_head(path)

    @pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
    def test_a_compression_that_numpy_does_not_write_is_refused(self, tmp_path: Path, compression: int) -> None:
        path = stored(tmp_path)
        odd = io.BytesIO()
        with zipfile.ZipFile(odd, "w", compression) as file:
            file.writestr("weights.npy", bytes(1000))
        content = bytearray(odd.getvalue())
        content[45:60] = b"\xff" * 15  # LZMAError and an OSError without a number would come of it
        renewed(path, bytes(content))
        with pytest.raises(WeightsMismatch, match="compressed as no "):
            read_head(path)

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
    def test_a_pipe_is_not_waited_for(self, tmp_path: Path) -> None:
        path = stored(tmp_path)
        path.unlink()
        os.mkfifo(path)
        with pytest.raises(OSError, match="not a regular file"):
            read_head(path)
