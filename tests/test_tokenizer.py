"""The tokenizer against what the official pipeline gives (tests/golden/TOKENIZER.md)."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest

from encoder import ModelNotFound, WeightsMismatch
from encoder.tokenizer import Tokenizer, canonical

GOLDEN = Path(__file__).parent / "golden"
RECORDED = json.loads((GOLDEN / "tokenizer_golden.json").read_text())
SETTINGS = ("default", "no_bos", "raw_no_bos", "default_len16")


def model_file(name: str) -> Path:
    path = GOLDEN / f"{name}.model"
    if not path.exists():
        pytest.skip(f"{path.name} (SentencePiece's own test model, the one with a BOS) is not kept here")
    return path


def unpadded(ids: np.ndarray, paddings: np.ndarray) -> list[int]:
    return [int(i) for i, pad in zip(ids, paddings, strict=True) if pad == 0]


@pytest.fixture(scope="module")
def t5like() -> Tokenizer:
    return Tokenizer(GOLDEN / "t5like_spm.model")


def test_canonical_form_is_the_official_one() -> None:
    assert len(RECORDED["texts"]) == 48
    assert [canonical(text) for text in RECORDED["texts"]] == RECORDED["canonical"]


@pytest.mark.parametrize("name", RECORDED["models"])
@pytest.mark.parametrize("setting", SETTINGS)
def test_ids_are_the_official_ones(name: str, setting: str) -> None:
    path = model_file(name)
    recorded = RECORDED["models"][name]["cases"][setting]
    tokenizer = Tokenizer(path, recorded["width"])
    if setting == "raw_no_bos":
        found = [tokenizer.raw_ids(text)[: recorded["width"]] for text in RECORDED["texts"]]
    else:
        ids, paddings = tokenizer.encode(RECORDED["texts"])
        assert ids.shape == paddings.shape == (48, recorded["width"])
        found = [unpadded(*row) for row in zip(ids, paddings, strict=True)]
        if setting == "no_bos" and RECORDED["models"][name]["bos"] >= 0:
            found = [tokenizer.raw_ids(canonical(text))[: recorded["width"]] for text in RECORDED["texts"]]
    assert found == recorded["ids"]


def test_rows_are_padded_on_the_right_with_zero(t5like: Tokenizer) -> None:
    ids, paddings = t5like.encode(["dog", "a video of playing drums."])
    assert ids.dtype == np.int32
    assert paddings.dtype == np.float32
    for row, pad, length in zip(ids, paddings, t5like.lengths(["dog", "a video of playing drums."]), strict=True):
        assert (pad[:length] == 0).all()
        assert (pad[length:] == 1).all()
        assert (row[length:] == 0).all()
        assert 1 not in row[:length]  # no EOS


def test_no_text_at_all_gives_no_rows(t5like: Tokenizer) -> None:
    ids, paddings = t5like.encode([])
    assert ids.shape == paddings.shape == (0, 64)


def test_a_cut_text_is_told(t5like: Tokenizer) -> None:
    word = t5like.lengths(["word"])[0] - 1  # the period is one
    fits = " ".join(["word"] * (63 // word))
    texts = ["dog", fits, fits + " word" * 4, "x" * 10_000]
    assert t5like.truncated(texts) == [False, False, True, True]
    assert t5like.lengths(texts)[1] <= 64 < t5like.lengths(texts)[2]
    assert (t5like.encode(texts)[1][2:] == 0).all()  # full rows, no padding left


def test_a_vocabulary_with_a_bos_gets_it_first_and_it_counts(tmp_path: Path) -> None:
    """The golden's own BOS model is not here, so the rule is checked on a small vocabulary made now."""
    import sentencepiece

    made = io.BytesIO()
    captions = iter(["a red ball moves left.", "a blue star falls down.", "the green tree is still."] * 20)
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=captions, model_writer=made, vocab_size=28, bos_id=1, eos_id=2, unk_id=0, minloglevel=2
    )
    path = tmp_path / "bos.model"
    path.write_bytes(made.getvalue())
    tokenizer = Tokenizer(path, 5)
    assert tokenizer.pieces == 28
    ids, _ = tokenizer.encode(["a red ball moves left"])
    assert ids[0].tolist() == [1, *tokenizer.raw_ids("a red ball moves left.")[:4]]
    assert tokenizer.lengths([""]) == [1 + len(tokenizer.raw_ids("."))]


def test_half_a_surrogate_pair_is_no_crash(t5like: Tokenizer) -> None:
    ids, paddings = t5like.encode(["dog \udcff runs", "\ud83d"])
    assert (paddings.sum(axis=1) < 64).all()
    assert (ids >= 0).all()


def test_a_name_that_is_not_utf8_can_be_opened(tmp_path: Path, t5like: Tokenizer) -> None:
    odd = tmp_path / "voc\udcff.model"
    try:
        odd.write_bytes((GOLDEN / "t5like_spm.model").read_bytes())
    except (OSError, UnicodeError):
        pytest.skip("this file system takes only UTF-8 names")
    assert Tokenizer(odd).raw_ids("dog") == t5like.raw_ids("dog")


def test_a_missing_vocabulary_says_so(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match=r"gone\.model"):
        Tokenizer(tmp_path / "gone.model")


@pytest.mark.parametrize("content", [b"", b"not a vocabulary at all", b"\x00" * 100])
def test_a_file_that_is_no_vocabulary_says_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.model"
    path.write_bytes(content)
    with pytest.raises(WeightsMismatch, match=r"bad\.model"):
        Tokenizer(path)


def test_a_cut_vocabulary_says_so(tmp_path: Path) -> None:
    path = tmp_path / "cut.model"
    path.write_bytes((GOLDEN / "t5like_spm.model").read_bytes()[:100_001])
    with pytest.raises(WeightsMismatch, match=r"cut\.model"):
        Tokenizer(path)


def test_a_text_has_room_for_one_token_or_more() -> None:
    one = Tokenizer(GOLDEN / "t5like_spm.model", 1)
    assert one.max_tokens == 1
    assert one.encode(["a red ball"])[0].tolist() == [one.raw_ids("a red ball.")[:1]]
    for wrong in (0, -1):
        with pytest.raises(ValueError, match=f"at least one token, got {wrong}"):
            Tokenizer(GOLDEN / "t5like_spm.model", wrong)


def test_a_vocabulary_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    (tmp_path / "folder.model").mkdir()
    with pytest.raises(ModelNotFound, match=r"folder\.model cannot be read"):
        Tokenizer(tmp_path / "folder.model")


@pytest.mark.parametrize(
    ("text", "unread"),
    [
        ("a dog runs", ""),
        ("...", "..."),
        (" !!! \n", "!!!"),
        ("собака бежит", "собака бежит"),
        ("犬 dog, 🎂", "犬 🎂"),
        ("a dog — “runs”…", ""),
        ("", ""),
    ],
)
def test_words_without_a_piece_are_unread(t5like: Tokenizer, text: str, unread: str) -> None:
    assert t5like.unread(text) == unread
