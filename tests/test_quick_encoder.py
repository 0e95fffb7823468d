"""Quick encoders: the same weights and text side over fewer frames, in a space of their own."""

from __future__ import annotations

import numpy as np
import pytest
from fakes import ColourEncoder

from encoder import EncoderError, load_encoder
from encoder.lazy import LazyEncoder, describe
from encoder.protocol import Encoder
from encoder.quick import QUICK_FRAMES, quick_encoder, quick_id, quick_of


def test_the_id_is_that_of_the_full_encoder_with_the_frames() -> None:
    full = ColourEncoder(frames=8)
    quick = quick_encoder(full)
    assert quick.id == quick_id(full.id) == f"{full.id}:quick{QUICK_FRAMES}f"
    assert (quick.text_id, quick.dim, quick.has_text) == (full.text_id, full.dim, full.has_text)
    assert (quick.clip_spec.frames, quick.clip_spec.size) == (4, full.clip_spec.size)
    assert quick.batch == 16  # as many frames as the full encoder's
    assert np.array_equal(quick.encode_texts(["red"]), full.encode_texts(["red"]))


def test_which_encoder_an_id_is_of() -> None:
    full, other = ColourEncoder(frames=8), ColourEncoder(frames=16)
    found = quick_of(full, quick_id(full.id))
    assert found is not None
    assert found.id == quick_id(full.id)
    assert quick_of(full, full.id) is None
    assert quick_of(full, quick_id(other.id)) is None


def test_an_encoder_of_few_frames_has_no_quick_one() -> None:
    with pytest.raises(EncoderError, match="would save nothing"):
        quick_encoder(ColourEncoder(frames=4))


def test_clips_of_other_shapes_are_refused() -> None:
    quick = quick_encoder(ColourEncoder(frames=8))
    with pytest.raises(ValueError, match="clips must be"):
        quick.encode_clips(np.zeros((1, *ColourEncoder(frames=8).clip_spec.shape), np.uint8))


def test_a_lazy_encoder_is_loaded_by_the_first_quick_clip() -> None:
    full, loaded = ColourEncoder(frames=8), list[Encoder]()

    def load() -> Encoder:
        loaded.append(full)
        return full

    quick = quick_encoder(LazyEncoder(describe(full, []), load))
    assert quick.id == quick_id(full.id)
    assert not loaded
    clips = np.full((2, *quick.clip_spec.shape), 200, np.uint8)
    assert np.array_equal(quick.encode_clips(clips), quick_encoder(full).encode_clips(clips))
    assert len(loaded) == 1


def test_rows_are_those_of_the_encoder_loaded_for_as_many_frames() -> None:
    full = load_encoder("demo", "cpu")
    quick, few = quick_encoder(full), load_encoder("demo", "cpu", frames=QUICK_FRAMES)
    clips = np.random.default_rng(1).integers(0, 256, (2, *quick.clip_spec.shape), np.uint8)
    assert np.allclose(quick.encode_clips(clips), few.encode_clips(clips), atol=1e-5)
    assert np.allclose(np.linalg.norm(quick.encode_clips(clips), axis=1), 1.0, atol=1e-5)
    assert quick.encode_clips(clips[:0]).shape == (0, full.dim)
