"""One suite for every Encoder: what the rest of the program relies on, whichever network is behind it."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import goldens
import numpy as np
import pytest
from fakes import ColourEncoder
from numpy.typing import NDArray
from small_clip import write_small_clip
from torch import nn

from encoder import ClipSpec, Encoder, EncoderError, Fit, load_encoder
from encoder.checkpoints.converted import digests
from encoder.frame_features import FEWER_FRAMES, by_frame
from encoder.lazy import LazyEncoder, describe
from encoder.model_files import DEMO_FOLDER
from encoder.protocol import former_id, with_tokens

GOLDEN = Path(__file__).parent / "golden"
Make = Callable[[int | None, Fit], Encoder]


@dataclass(frozen=True)
class Case:
    make: Make
    frames: int  # not its own number
    has_fit: bool = True


def colour(frames: int | None, fit: Fit) -> Encoder:
    return ColourEncoder() if frames is None else ColourEncoder(frames=frames)


def demo(frames: int | None, fit: Fit) -> Encoder:
    if not (DEMO_FOLDER / "videoprism_lvt_demo.npz").exists():
        pytest.skip("the demo encoder's weights are not in this checkout")
    return load_encoder("demo", "cpu", frames=frames, fit=fit)


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint as a person may have one: weights in the official layout, the vocabulary beside them."""
    folder = tmp_path_factory.mktemp("tiny")
    shutil.copy(GOLDEN / "tiny_params.npz", folder / "weights.npz")
    shutil.copy(GOLDEN / "t5like_spm.model", folder / "vocabulary.model")
    return folder


@pytest.fixture(scope="session")
def small_clip(tmp_path_factory: pytest.TempPathFactory) -> str:
    if importlib.util.find_spec("open_clip") is None:
        pytest.skip("the extra 'clip' is not installed")
    return write_small_clip(tmp_path_factory.mktemp("clip"))


@pytest.fixture(scope="session")
def plain_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plain checkpoint: the video encoder of the tiny network alone."""
    with np.load(GOLDEN / "tiny_params.npz") as file:
        prefix = "params/vision_encoder/"
        arrays = {f"params/{key.removeprefix(prefix)}": file[key] for key in file.files if key.startswith(prefix)}
    path = tmp_path_factory.mktemp("plain") / "weights.npz"
    np.savez(path, **arrays)
    return path


def lazy(frames: int | None, fit: Fit) -> Encoder:
    described = describe(colour(frames, fit), [])
    return LazyEncoder(described, lambda: colour(frames, fit))


@pytest.fixture(scope="session", params=["colour", "lazy", "videoprism", "plain", "demo", "open_clip"])
def case(request: pytest.FixtureRequest, tiny_folder: Path) -> Case:
    if request.param == "plain":
        plain = request.getfixturevalue("plain_weights")
        return Case(lambda frames, fit: load_encoder(plain, "cpu", frames=frames, fit=fit), 5)
    if request.param == "open_clip":
        name: str = request.getfixturevalue("small_clip")
        return Case(lambda frames, fit: load_encoder(name, "cpu", frames=frames, fit=fit), 3)
    cases = {
        "colour": Case(colour, 3, has_fit=False),
        "lazy": Case(lazy, 3, has_fit=False),
        "videoprism": Case(lambda frames, fit: load_encoder(tiny_folder, "cpu", frames=frames, fit=fit), 5),
        "demo": Case(demo, 5),
    }
    return cases[request.param]


@pytest.fixture(scope="session")
def encoder(case: Case) -> Encoder:
    return case.make(None, "stretch")


@pytest.fixture
def reader(encoder: Encoder) -> Encoder:
    """An encoder that reads sentences; a plain network has its own tests of that in test_loading."""
    if not encoder.has_text:
        pytest.skip("this encoder has no text tower")
    return encoder


def clips_for(encoder: Encoder, number: int, seed: int = 0) -> NDArray[np.uint8]:
    spec = encoder.clip_spec
    random = np.random.default_rng(seed)
    return random.integers(0, 256, (number, spec.frames, spec.size, spec.size, 3), dtype=np.uint8)


def assert_rows(encoder: Encoder, rows: NDArray[np.float32], number: int) -> None:
    assert rows.dtype == np.float32
    assert rows.shape == (number, encoder.dim)
    assert np.abs(np.linalg.norm(rows.astype(np.float64), axis=1) - 1).max(initial=0) < 1e-5


def test_it_keeps_the_protocol(encoder: Encoder) -> None:
    assert isinstance(encoder, Encoder)
    assert encoder.dim > 0
    assert encoder.notice is None or len(encoder.notice) > 10
    assert encoder.batch > 0


def test_preparing_changes_nothing(case: Case) -> None:
    encoder = case.make(None, "stretch")
    before = (encoder.id, encoder.dim, encoder.clip_spec, encoder.batch)
    for _ in range(2):
        encoder.prepare()
    assert (encoder.id, encoder.dim, encoder.clip_spec, encoder.batch) == before
    assert_rows(encoder, encoder.encode_clips(clips_for(encoder, 1)), 1)


def test_truncated_texts_are_those_whose_end_is_not_read(reader: Encoder) -> None:
    encoder = reader
    short, long = "a red ball", "word " * 2_000
    assert encoder.truncated([]) == []
    assert len(encoder.truncated(TEXTS)) == len(TEXTS)
    cut_short, cut_long = encoder.truncated([short, long])
    assert not cut_short
    rows = encoder.encode_texts([long, long + "red"])
    assert cut_long == bool(np.abs(rows[0] - rows[1]).max() < 1e-6)


def test_clips_become_unit_rows(encoder: Encoder) -> None:
    clips = clips_for(encoder, 3)
    before = clips.copy()
    assert_rows(encoder, encoder.encode_clips(clips), 3)
    assert (clips == before).all()


def test_nothing_becomes_no_rows(encoder: Encoder) -> None:
    assert_rows(encoder, encoder.encode_clips(clips_for(encoder, 0)), 0)
    if encoder.has_text:
        assert_rows(encoder, encoder.encode_texts([]), 0)


def test_a_row_does_not_depend_on_its_batch(encoder: Encoder) -> None:
    clips = clips_for(encoder, 5)
    together = encoder.encode_clips(clips)
    alone = np.concatenate([encoder.encode_clips(clip[None]) for clip in clips])
    assert np.abs(together - alone).max() < 1e-5
    if not encoder.has_text:
        return
    texts = ["a red ball", "the dog that chased a very small cat through the long wet grass", ""]
    assert np.abs(encoder.encode_texts(texts) - np.concatenate([encoder.encode_texts([t]) for t in texts])).max() < 1e-5


def test_the_same_again_is_the_same(encoder: Encoder) -> None:
    clips = clips_for(encoder, 2)
    assert (encoder.encode_clips(clips) == encoder.encode_clips(clips)).all()
    if encoder.has_text:
        assert (encoder.encode_texts(["a red ball"]) == encoder.encode_texts(["a red ball"])).all()


def test_different_things_are_different(encoder: Encoder) -> None:
    a, b = encoder.encode_clips(clips_for(encoder, 2))
    assert np.abs(a - b).max() > 1e-4
    if encoder.has_text:
        red, blue = encoder.encode_texts(["red", "blue"])
        assert np.abs(red - blue).max() > 1e-4


def test_black_and_white_are_no_special_case(encoder: Encoder) -> None:
    clips = clips_for(encoder, 2)
    clips[0], clips[1] = 0, 255
    rows = encoder.encode_clips(clips)
    assert_rows(encoder, rows, 2)
    assert np.abs(rows[0] - rows[1]).max() > 1e-4


def test_a_view_is_as_good_as_an_array(encoder: Encoder) -> None:
    """Clips come out of a ring of frames, or turned round: not contiguous."""
    clips = clips_for(encoder, 2)
    turned = np.ascontiguousarray(clips[:, ::-1])[:, ::-1]
    assert not turned.flags.c_contiguous or encoder.clip_spec.frames == 1
    assert np.abs(encoder.encode_clips(turned) - encoder.encode_clips(clips)).max() < 1e-6


def test_other_shapes_and_types_are_refused(encoder: Encoder) -> None:
    clips = clips_for(encoder, 2)
    wrong = [
        clips.astype(np.float32),
        clips.astype(np.int64),
        clips[0],
        clips[:, :-1],
        np.concatenate([clips, clips], axis=1),
        clips[:, :, :-1],
        clips[:, :, :, 1:],
        clips[..., :2],
        np.moveaxis(clips, -1, 2),
        clips_for(encoder, 0)[..., :1],
    ]
    for array in wrong:
        with pytest.raises(ValueError, match="clips must be uint8"):
            encoder.encode_clips(array)


TEXTS = ["", " ", "\n", "?!", "x" * 10_000, "word " * 2_000, "🐕🏃\u200d♂️", "犬が走る", "\x00", "half \udcff a pair"]


def test_any_text_becomes_a_unit_row(reader: Encoder) -> None:
    encoder = reader
    assert_rows(encoder, encoder.encode_texts(TEXTS), len(TEXTS))
    assert_rows(encoder, encoder.encode_texts(["a dog"] * 130), 130)
    assert_rows(encoder, encoder.encode_texts(("a tuple", "of texts")), 2)


def test_rows_stay_in_order(reader: Encoder) -> None:
    encoder = reader
    texts = [f"number {n}" for n in range(140)]
    rows = encoder.encode_texts(texts)
    for n in (0, 63, 64, 65, 139):
        assert np.abs(rows[n] - encoder.encode_texts([texts[n]])[0]).max() < 1e-5


def test_clips_and_texts_share_a_space(reader: Encoder) -> None:
    encoder = reader
    clips, texts = encoder.encode_clips(clips_for(encoder, 2)), encoder.encode_texts(["a dog", "red", "blue"])
    scores = clips @ texts.T
    assert scores.shape == (2, 3)
    assert (np.abs(scores) <= 1 + 1e-5).all()


def test_the_id_names_the_space(case: Case, encoder: Encoder) -> None:
    """Stable over loading again; another one for another number of frames, or another way to make pictures square."""
    assert encoder.id.encode("utf-8")
    assert case.make(None, "stretch").id == encoder.id
    other = case.make(case.frames, "stretch")
    assert other.clip_spec.frames == case.frames
    assert_rows(other, other.encode_clips(clips_for(other, 1)), 1)
    ids = {encoder.id, other.id}
    if case.has_fit:
        cropped, padded = case.make(None, "crop"), case.make(None, "pad")
        assert (cropped.clip_spec.fit, padded.clip_spec.fit) == ("crop", "pad")
        ids |= {cropped.id, padded.id}
    assert len(ids) == (4 if case.has_fit else 2)


def test_the_text_id_names_what_encodes_sentences(case: Case, encoder: Encoder) -> None:
    """Stable over loading again, and the same for any shape of clips; "" without a text tower."""
    assert encoder.text_id.encode("utf-8") or not encoder.has_text
    assert bool(encoder.text_id) == encoder.has_text
    assert encoder.text_id != encoder.id
    assert case.make(None, "stretch").text_id == encoder.text_id
    assert case.make(case.frames, "stretch").text_id == encoder.text_id
    assert former_id(encoder) != encoder.id


Digests = Callable[[], tuple[str, str]]


@pytest.fixture(params=["videoprism", "open_clip"])
def digests_of(request: pytest.FixtureRequest) -> tuple[nn.Module, Digests, tuple[str, ...]]:
    """A network, a function that returns the digests of its space and of its text tower, and the latter's names."""
    if request.param == "videoprism":
        network = goldens.lvt("tiny")
        return network, lambda: (digests(network).space, digests(network).text), ("text_encoder.",)
    folder = Path(request.getfixturevalue("small_clip").partition("local-dir:")[2])
    from encoder.openclip import digests as openclip
    from encoder.openclip.encoder import OpenCLIP

    loaded = load_encoder(f"open_clip:local-dir:{folder}", "cpu")
    assert isinstance(loaded, OpenCLIP)
    model, tokenizer = loaded._model, loaded._tokenizer
    names = ("transformer.", "token_embedding.", "positional_embedding", "text_projection", "ln_final.")
    return model, lambda: (openclip.space_digest(model), openclip.text_digest(model, tokenizer)), names


def test_every_weight_belongs_to_one_of_the_two_ids(digests_of: tuple[nn.Module, Digests, tuple[str, ...]]) -> None:
    """Those of the text tower never change the space; all others do, auxiliary layers and pooler included."""
    model, names, text_tower = digests_of
    before = names()
    texts = 0
    for key, value in model.state_dict().items():
        if key in ("logit_scale", "logit_bias") or not value.is_floating_point():
            continue
        first = value.reshape(-1)[0].clone()
        value.reshape(-1)[0] += 1
        of_text = key.startswith(text_tower)
        texts += of_text
        after = names()
        value.reshape(-1)[0] = first
        assert (after[0] != before[0], after[1] != before[1]) == (not of_text, of_text), key
    assert 0 < texts < len(model.state_dict())
    assert names() == before


def test_tokens_are_those_of_frames_and_patches(encoder: Encoder) -> None:
    if encoder.id.startswith("open_clip:"):
        with pytest.raises(EncoderError, match="has no tokens"):
            with_tokens(encoder)
        return
    tokens_of = with_tokens(encoder)
    clips = clips_for(encoder, 3)
    tokens = tokens_of.encode_tokens(clips)
    assert tokens.dtype == np.float32
    assert tokens.shape[::2] == (3, tokens_of.token_dim)
    assert tokens.shape[1] % encoder.clip_spec.frames == 0
    assert tokens_of.token_dim % tokens_of.attention_heads == 0
    assert np.isfinite(tokens).all()
    assert tokens_of.encode_tokens(clips[:0]).shape == (0, *tokens.shape[1:])
    assert np.abs(tokens_of.encode_tokens(clips[1:2])[0] - tokens[1]).max() < 2e-5
    with pytest.raises(ValueError, match="clips must be uint8"):
        tokens_of.encode_tokens(clips[:, :-1])


def test_both_halves_make_the_same_rows(encoder: Encoder) -> None:
    halves, clips = by_frame(encoder), clips_for(encoder, 3)
    features = halves.frame_features(clips.reshape(-1, *clips.shape[2:]))
    assert len(features) == 3 * encoder.clip_spec.frames
    stacked = features.reshape(3, -1, *features.shape[1:])
    before = stacked.copy()
    rows = halves.encode_features(stacked)
    assert_rows(encoder, rows, 3)
    assert np.abs(rows - encoder.encode_clips(clips)).max() < 1e-5
    assert (stacked == before).all()


def test_features_of_a_frame_do_not_depend_on_others(encoder: Encoder) -> None:
    halves, clips = by_frame(encoder), clips_for(encoder, 2)
    frames = clips.reshape(-1, *clips.shape[2:])
    order = np.random.default_rng(5).permutation(len(frames))
    features, mixed = halves.frame_features(frames), halves.frame_features(frames[order])
    assert np.abs(mixed.astype(np.float64) - features[order]).max() < 1e-4
    window = order[: encoder.clip_spec.frames]  # of both clips, in another order
    rows = halves.encode_features(features[window][None])
    assert np.abs(rows - encoder.encode_clips(frames[window][None])).max() < 1e-5


def test_clips_of_fewer_frames_have_rows_of_the_same_space(case: Case) -> None:
    encoder = case.make(FEWER_FRAMES + 3, "stretch")
    halves, clips = by_frame(encoder), clips_for(encoder, 2)
    clips[0], clips[1] = 0, 255
    features = halves.frame_features(clips[:, :FEWER_FRAMES].reshape(-1, *clips.shape[2:]))
    rows = halves.encode_features(features.reshape(2, FEWER_FRAMES, *features.shape[1:]))
    assert_rows(encoder, rows, 2)
    assert (rows @ encoder.encode_clips(clips).T).argmax(axis=1).tolist() == [0, 1]


def test_halves_refuse_other_shapes(encoder: Encoder) -> None:
    halves, clips = by_frame(encoder), clips_for(encoder, 1)
    for wrong in (clips, clips[0].astype(np.float32), clips[0][:, 1:], clips[0][..., :2]):
        with pytest.raises(ValueError, match="frames must be uint8"):
            halves.frame_features(wrong)
    features = halves.frame_features(clips[0])
    for wrong in (features[None, :0], np.concatenate([features, features])[None]):
        with pytest.raises(ValueError, match="features of 1 to"):
            halves.encode_features(wrong)
    assert len(halves.frame_features(clips[0][:0])) == 0
    assert_rows(encoder, halves.encode_features(features[None][:0]), 0)


def test_where_motion_decides_the_halves_keep_its_decision() -> None:
    encoder = load_encoder("demo", "cpu", still_frames=2)
    clips = clips_for(encoder, 2)
    clips[0] = 90
    halves = by_frame(encoder)
    features = halves.frame_features(clips.reshape(-1, *clips.shape[2:])).reshape(clips.shape)
    assert np.abs(halves.encode_features(features) - encoder.encode_clips(clips)).max() < 1e-6


def test_a_clip_has_one_frame_and_one_pixel_or_more() -> None:
    assert ClipSpec(1, 1).shape == (1, 1, 1, 3)
    assert ClipSpec(2, 5, "pad").shape == (2, 5, 5, 3)
    for frames, size in ((0, 1), (1, 0), (-1, 1), (1, -1)):
        with pytest.raises(ValueError, match="at least one frame and one pixel"):
            ClipSpec(frames, size)
    for fit in ("", "zoom", "Crop"):
        with pytest.raises(ValueError, match="fit must be"):
            ClipSpec(1, 1, fit)  # type: ignore[arg-type]
