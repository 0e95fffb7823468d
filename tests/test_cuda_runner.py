"""The GPU's runner: on a CPU everything but streams and compilation; on a GPU (-m gpu) the whole."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import goldens
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from encoder import EncoderUnavailable
from encoder.config import CONFIGS
from encoder.runtime import cuda
from encoder.runtime.cuda import CudaRunner, bytes_a_token
from encoder.runtime.kernel_trust import trusted
from encoder.runtime.plain_kernels import PlainKernels
from encoder.runtime.runner import PlainRunner, make_runner
from encoder.runtime.token_layout import Sequences

ROOT = Path(__file__).resolve().parent.parent
CPU = torch.device("cpu")


def clips(count: int, frames: int = 6) -> NDArray[np.uint8]:
    return np.stack([goldens.recipe().clip_u8(seed, frames, 72) for seed in range(count)])


def on_cpu(**options: Any) -> CudaRunner:
    return CudaRunner(goldens.lvt("tiny"), "cpu", dtype=torch.float32, **options)


def test_rows_and_sentences_are_those_of_the_network() -> None:
    runner, plain = on_cpu(), PlainRunner(goldens.lvt("tiny"), "cpu")
    np.testing.assert_allclose(runner.encode_clips(clips(5)), plain.encode_clips(clips(5)), atol=goldens.UNIT)
    g = goldens.golden("tiny")
    ids, paddings = g["in/text/len64/ids"], g["in/text/len64/paddings"]
    np.testing.assert_allclose(runner.encode_texts(ids, paddings), g["text/len64/emb"], atol=goldens.UNIT)


def test_chunks_keep_their_order_and_their_own_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = on_cpu().encode_clips(clips(7))
    monkeypatch.setattr(cuda, "_CHUNK_TOKENS", 2 * 6 * 16)
    runner = on_cpu()
    assert runner.batch == 4
    np.testing.assert_allclose(runner.encode_clips(clips(7)), whole, atol=1e-6)


@pytest.mark.parametrize("chunk", [1, 2, 8])
def test_the_halves_make_the_rows_of_the_network(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda, "_CHUNK_TOKENS", chunk * 6 * 16)
    for network in (goldens.lvt("tiny"), goldens.plain("tiny")):
        runner, plain = CudaRunner(network, "cpu", dtype=torch.float32), PlainRunner(network, "cpu")
        some = clips(5)
        for each in (runner, plain):
            features = each.frame_features(some.reshape(-1, *some.shape[2:]))
            before = features.copy()
            rows = each.encode_features(features.reshape(5, 6, *features.shape[1:]))
            np.testing.assert_allclose(rows, plain.encode_clips(some), atol=goldens.UNIT)
            assert (features == before).all()


@pytest.mark.parametrize("chunk", [1, 2, 8])
def test_tokens_are_those_of_the_network(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda, "_CHUNK_TOKENS", chunk * 6 * 16)
    for network in (goldens.lvt("tiny"), goldens.plain("tiny")):
        runner, plain = CudaRunner(network, "cpu", dtype=torch.float32), PlainRunner(network, "cpu")
        tokens = runner.encode_tokens(clips(5))
        np.testing.assert_allclose(tokens, plain.encode_tokens(clips(5)), atol=goldens.SIDE)
        np.testing.assert_allclose(runner.encode_clips(clips(5)), plain.encode_clips(clips(5)), atol=goldens.UNIT)


def test_tokens_that_do_not_fit_are_tried_in_smaller_chunks() -> None:
    runner = on_cpu()
    whole, tokens, tried = runner.encode_tokens(clips(5)), runner._tower.tokens, []

    def narrow(part: torch.Tensor) -> torch.Tensor:
        tried.append(len(part))
        if len(part) > 2:
            raise torch.OutOfMemoryError
        return tokens(part)

    runner._tower.tokens = narrow  # type: ignore[method-assign]
    np.testing.assert_allclose(runner.encode_tokens(clips(5)), whole, atol=1e-6)
    assert tried == [5, 3, 2, 2, 1]


def test_what_does_not_fit_is_tried_in_smaller_chunks(caplog: pytest.LogCaptureFixture) -> None:
    runner = on_cpu()
    whole = runner.encode_clips(clips(7))
    tower, tried = runner._tower, []

    def narrow(part: torch.Tensor) -> torch.Tensor:
        tried.append(len(part))
        if len(part) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return tower(part)

    runner._tower = narrow  # type: ignore[assignment]
    np.testing.assert_allclose(runner.encode_clips(clips(7)), whole, atol=1e-6)
    assert tried == [7, 4, 2, 2, 2, 1]
    runner.encode_clips(clips(3))
    assert tried[6:] == [2, 1], "what was learnt is kept"
    assert "going on with 2" in caplog.text


def test_one_clip_that_does_not_fit_is_an_error() -> None:
    runner = on_cpu()

    def full(part: torch.Tensor) -> torch.Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory")

    runner._tower = full  # type: ignore[assignment]
    with pytest.raises(RuntimeError, match="out of memory"):
        runner.encode_clips(clips(2))


class Skewed(PlainKernels):
    def attend(self, qkv: torch.Tensor, sequences: Sequences, heads: int, cap: float) -> torch.Tensor:
        return super().attend(qkv, sequences, heads, cap / 8)


class NotANumber(PlainKernels):
    def shifted_norm(self, x: torch.Tensor, *vectors: torch.Tensor) -> torch.Tensor:
        return super().shifted_norm(x, *vectors) * torch.nan


class OnlyTheFirstClip(PlainKernels):
    def attend(self, qkv: torch.Tensor, sequences: Sequences, heads: int, cap: float) -> torch.Tensor:
        rows = super().attend(qkv, sequences, heads, cap)
        rows[len(rows) // 3 :] = 0
        return rows


class NormOfTheFirstClip(PlainKernels):
    def shifted_norm(self, x: torch.Tensor, *vectors: torch.Tensor) -> torch.Tensor:
        rows = super().shifted_norm(x, *vectors)
        rows[len(rows) // 3 :] = 0
        return rows


class NotTheLastHead(PlainKernels):
    def attend(self, qkv: torch.Tensor, sequences: Sequences, heads: int, cap: float) -> torch.Tensor:
        rows = super().attend(qkv, sequences, heads, cap)
        if sequences.inner > 1:  # across frames
            rows[-4:, -rows.shape[1] // heads :] = 0
        return rows


class NothingOfLongClips(PlainKernels):
    """As if one block of queries were too few for clips of 16 frames, which this encoder is asked for."""

    def attend(self, qkv: torch.Tensor, sequences: Sequences, heads: int, cap: float) -> torch.Tensor:
        rows = super().attend(qkv, sequences, heads, cap)
        return rows * 0 if sequences.length == 16 * 16 else rows


@pytest.mark.parametrize(
    "wrong",
    [Skewed, NotANumber, OnlyTheFirstClip, NormOfTheFirstClip, NotTheLastHead, NothingOfLongClips, None],
)
def test_kernels_that_fail_or_disagree_are_not_used_and_a_sentence_says_so(
    wrong: type[PlainKernels] | None, caplog: pytest.LogCaptureFixture
) -> None:
    def make() -> PlainKernels:
        if wrong is None:
            raise ImportError("No module named 'triton'\nand more")
        return wrong()

    with caplog.at_level(logging.WARNING):
        found = trusted(make, CPU, torch.float32, goldens.config("tiny"), (16, 0))
    assert type(found) is PlainKernels
    assert len(caplog.messages) == 1
    assert "going on without" in caplog.text
    assert "and more" not in caplog.text


def test_kernels_that_agree_are_used() -> None:
    class Same(PlainKernels):
        pass

    assert isinstance(trusted(Same, CPU, torch.float32, goldens.config("tiny"), (16, 3)), Same)


def test_a_card_without_bfloat16_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (7, 5))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "GeForce")
    with pytest.raises(EncoderUnavailable, match=r"GeForce does not compute in bfloat16; use --precision float32"):
        make_runner(goldens.lvt("tiny"), "cuda", "bfloat16")


def test_memory_of_a_clip() -> None:
    base = CONFIGS["videoprism_lvt_public_v1_base"]
    assert 60e6 < bytes_a_token(base) * base.frames * base.rows * base.columns < 80e6


INTERPRETED = """
import numpy as np, torch
import goldens
from encoder.runtime.cuda import CudaRunner
from encoder.runtime.plain_kernels import PlainKernels
from encoder.runtime.token_layout import Sequences
from encoder.runtime.triton_kernels import TritonKernels

for name, frames in (("tiny", 6), ("odd", 3)):
    network = goldens.lvt(name)
    c = network.config
    rng = np.random.default_rng(4)
    some = rng.integers(0, 256, (2, frames, c.rows * c.patch, c.columns * c.patch, 3), dtype=np.uint8)
    rows = [
        CudaRunner(network, "cpu", kernels=kernels, dtype=torch.float32).encode_clips(some)
        for kernels in (TritonKernels(exact=True), PlainKernels())
    ]
    assert np.abs(rows[0] - rows[1]).max() < goldens.UNIT, (name, np.abs(rows[0] - rows[1]).max())

# Several blocks of queries and keys, the last of them not full, and scores up to the cap.
qkv = torch.randn(150, 3 * 64, generator=torch.Generator().manual_seed(2)) * 3
found, expected = (
    k.attend(qkv, Sequences.within_clips(1, 3, 50), 1, 50.0) for k in (TritonKernels(exact=True), PlainKernels())
)
assert float((found - expected).abs().max()) < 1e-4
"""


def test_the_kernels_themselves_in_tritons_interpreter() -> None:
    pytest.importorskip("triton", reason="comes with CUDA builds of torch")
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests"), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", INTERPRETED],
        env={**os.environ, "TRITON_INTERPRET": "1", "PYTHONPATH": paths},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.gpu
@pytest.mark.parametrize("name", ["tiny", "lvt_base"])
def test_on_a_gpu(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """Fused kernels are used, agree with the golden network, and chunks and streams mix nothing up."""
    network = goldens.lvt(name)
    c = network.config
    some = np.stack([goldens.recipe().clip_u8(seed, c.frames, c.size) for seed in range(9)])
    expected = PlainRunner(network, "cuda").encode_clips(some)
    with caplog.at_level(logging.WARNING):
        runner = make_runner(goldens.lvt(name), "cuda", "bfloat16")
    assert caplog.messages == []
    assert isinstance(runner, CudaRunner)
    for tokens in (cuda._CHUNK_TOKENS, 2 * c.frames * c.rows * c.columns):
        runner._tokens_at_once = tokens
        cosines = (runner.encode_clips(some) * expected).sum(axis=1)
        assert cosines.min() > (0.9998 if name == "lvt_base" else 0.999)
        features = runner.frame_features(some.reshape(-1, *some.shape[2:]))
        rows = runner.encode_features(features.reshape(9, c.frames, *features.shape[1:]))
        assert (rows * runner.encode_clips(some)).sum(axis=1).min() > 0.9999
