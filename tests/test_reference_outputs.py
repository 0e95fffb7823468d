"""The check of real checkpoints, tried on a stand-in whose outputs are known, and on wrong ones."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import goldens
import numpy as np
import pytest
from fakes import ColourEncoder
from numpy.typing import NDArray

from encoder import Encoder, load_encoder
from encoder.config import CONFIGS
from encoder.model import VideoEncoder
from encoder.published_outputs import DEMO_QUERIES, LVT, RAW_IDS, TOKENS, LvtOutputs
from encoder.reference_outputs import TEXT_TOLERANCE, check, check_tokens, check_vocabulary
from encoder.tokenizer import Tokenizer, canonical

STAND_IN = LvtOutputs(
    # Recorded from this project's network, which equals the JAX goldens on ids (test_parity), with t5like_spm's ids.
    text=(
        (0.19642116, 0.212852, 0.39662173),
        (0.2824592, 0.14720362, 0.42246494),
        (0.27183202, 0.1918854, 0.42225567),
        (0.22654648, 0.21694338, 0.4153509),
        (0.29519516, 0.1678972, 0.40370622),
    ),
    # tiny_golden.npz, video/main/emb: from the JAX code.
    video=(
        0.10430829, -0.25554436, 0.06218776, -0.16650818, -0.15093616, 0.2509174, -0.0650816, 0.03952517, -0.0697427,
    ),
)  # fmt: skip


def tiny(folder: Path, change: str | None = None, *, vocabulary: str = "t5like_spm.model") -> Encoder:
    """The tiny checkpoint; `change` names an array of it that is made a little larger."""
    with np.load(goldens.GOLDEN / "tiny_params.npz") as file:
        arrays = dict(file)
    if change is not None:
        arrays[change] = arrays[change] * np.float32(1.02)  # adding to all columns would vanish in a norm
    np.savez(folder / "weights.npz", **arrays)
    shutil.copy(goldens.GOLDEN / vocabulary, folder / "vocabulary.model")
    return load_encoder(folder, "cpu")


@pytest.fixture(scope="module")
def clip() -> NDArray[np.uint8]:
    found: NDArray[np.uint8] = goldens.golden("tiny")["in/clip16_u8"][:6].astype(np.uint8)
    return found


def test_the_right_weights_pass(tmp_path: Path, clip: NDArray[np.uint8]) -> None:
    results = check(tiny(tmp_path), clip, outputs=STAND_IN)
    assert [r.ok for r in results] == [True] * 6
    assert results[-1].name == "video"
    assert all(0 <= r.max_difference < r.tolerance for r in results)
    assert {query for query in DEMO_QUERIES if any(query in r.name for r in results)} == set(DEMO_QUERIES)


def test_without_the_clip_only_texts_are_compared(tmp_path: Path) -> None:
    assert len(check(tiny(tmp_path), outputs=STAND_IN)) == 5


@pytest.mark.parametrize(
    ("change", "texts_ok", "video_ok"),
    [
        ("params/text_encoder/unimodal_ln/bias", False, True),
        ("params/contrastive_vision_pooler/pooling_attention_layer_norm/scale", True, False),
        ("params/vision_encoder/spatial_pos_emb/emb_var", True, False),
        ("params/text_encoder/token_emb/emb_var", False, True),
    ],
)
def test_slightly_wrong_weights_fail_where_they_are_wrong(
    tmp_path: Path, clip: NDArray[np.uint8], change: str, texts_ok: bool, video_ok: bool
) -> None:
    results = check(tiny(tmp_path, change), clip, outputs=STAND_IN)
    assert all(r.ok for r in results[:5]) is texts_ok
    assert results[5].ok is video_ok
    assert all(r.ok == (r.max_difference <= r.tolerance) for r in results)


def test_another_clip_fails(tmp_path: Path, clip: NDArray[np.uint8]) -> None:
    assert not check(tiny(tmp_path), clip[::-1], outputs=STAND_IN)[-1].ok


def test_swapped_queries_fail(tmp_path: Path) -> None:
    swapped = replace(STAND_IN, text=STAND_IN.text[1::-1] + STAND_IN.text[2:])
    assert [r.ok for r in check(tiny(tmp_path), outputs=swapped)] == [False, False, True, True, True]


def test_not_a_number_fails() -> None:
    class Broken(ColourEncoder):
        def encode_texts(self, texts: object) -> NDArray[np.float32]:
            return np.full((5, 16), np.nan, np.float32)

    assert not any(r.ok for r in check(Broken(), outputs=STAND_IN))


def test_an_encoder_that_nothing_was_published_for_says_so() -> None:
    with pytest.raises(ValueError, match="no outputs were published"):
        check(ColourEncoder())


def test_the_published_outputs_are_found_by_the_encoders_id() -> None:
    class Named(ColourEncoder):
        @property
        def id(self) -> str:
            return "videoprism_lvt_public_v1_large@0123456789abcdef:8f:stretch"

    results = check(Named())
    assert len(results) == 5
    assert not any(r.ok for r in results)


def test_every_searchable_checkpoint_has_outputs_and_none_is_close_to_another() -> None:
    """Two rows nearer than the tolerance could be taken for one another."""
    real = {name for name, config in CONFIGS.items() if config.weights is not None}
    assert set(LVT) | set(TOKENS) == real
    assert set(LVT) == {name for name in real if CONFIGS[name].has_text}
    rows = [row for outputs in LVT.values() for row in outputs.text]
    assert all(len(row) == 3 for row in rows)
    for i, a in enumerate(rows):
        for b in rows[:i]:
            assert max(abs(x - y) for x, y in zip(a, b, strict=True)) > 10 * TEXT_TOLERANCE


def test_a_plain_encoder_is_checked_by_its_tokens(clip: NDArray[np.uint8]) -> None:
    network = goldens.lvt("tiny").vision_encoder
    assert isinstance(network, VideoEncoder)
    expected = goldens.golden("tiny")["video/main/spatiotemporal"][0, :3, :3]
    assert [r.ok for r in check_tokens(network, clip, tokens=expected)] == [True] * 3
    assert not any(r.ok for r in check_tokens(network, clip[::-1], tokens=expected))


class KnownIds(Tokenizer):
    """A stand-in for the real vocabulary, which is not here: gives the ids that are known of it."""

    def __init__(self, wrong: str | None = None) -> None:
        super().__init__(goldens.GOLDEN / "t5like_spm.model")
        known = {canonical(text): list(ids) for text, ids in DEMO_QUERIES.items()}
        self.known = known | {text: list(ids) for text, ids in RAW_IDS.items()}
        if wrong is not None:
            self.known[wrong][0] += 1

    def raw_ids(self, text: str) -> list[int]:
        return self.known[text]


def test_the_real_vocabulary_passes_and_another_fails() -> None:
    assert [r.ok for r in check_vocabulary(KnownIds())] == [True] * (len(DEMO_QUERIES) + len(RAW_IDS))
    wrong = [r for r in check_vocabulary(KnownIds("a photo of a dog")) if not r.ok]
    assert [(r.name, r.max_difference) for r in wrong] == [("ids of 'a photo of a dog'", 1.0)]
    other = check_vocabulary(Tokenizer(goldens.GOLDEN / "t5like_spm.model"))
    assert not any(r.ok for r in other if "video" in r.name)
    assert not all(r.ok for r in other)
