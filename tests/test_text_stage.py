"""Tuning of a text tower on stored rows: batches, the loss and its guard, what is trained and what is not, figures."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch

from encoder.checkpoints.converted import digests
from encoder.config import DEMO, VideoPrismConfig
from encoder.model import VideoPrismLvT
from encoder.model_files import DEMO_FOLDER
from encoder.tokenizer import Tokenizer
from encoder.weights import flax_from_state_dict, state_dict_from_flax
from training import everyday
from training.row_batches import CaptionedRows, RowBatches
from training.stage_defaults import FIGURES
from training.stages.text import TextStage
from training.text_evaluation import compare_texts, distinct_sentences

SMALL = VideoPrismConfig(
    name="small", patch=18, frames=2, rows=2, columns=2, dim=32, heads=2, mlp=32, spatial_layers=1, temporal_layers=1,
    auxiliary_layers=1, text_layers=2, vocabulary=DEMO.vocabulary, text_tokens=16,
)  # fmt: skip
WORDS = ("a zorp", "a wug", "a blicket", "a fendle")
EVERYDAY = everyday.everyday_sentences()[:40]


@pytest.fixture(autouse=True)
def one_thread() -> Any:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def tokenizer() -> Tokenizer:
    return Tokenizer(DEMO_FOLDER / "vocabulary.model", SMALL.text_tokens)


def network() -> VideoPrismLvT:
    torch.manual_seed(0)
    made = VideoPrismLvT(SMALL).eval()
    torch.nn.init.normal_(made.text_encoder.token_embedding.weight, std=SMALL.dim**-0.5)
    return made


def unit(rows: Any) -> Any:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def clips(seed: int = 0, each: int = 6) -> CaptionedRows:
    """Clips of four things, around four directions, in videos of two clips each."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(99).standard_normal((len(WORDS), SMALL.dim))
    at = np.repeat(np.arange(len(WORDS)), each)
    rows = centres[at] + 0.3 * rng.standard_normal((len(at), SMALL.dim))
    return CaptionedRows(unit(rows), tuple((WORDS[i],) for i in at), tuple(n // 2 for n in range(len(at))))


def stage(**settings: Any) -> TextStage:
    settings = {"tuned": "last", "layers": 1, "guard_sentences": EVERYDAY, "temperature": 20.0} | settings
    return TextStage(settings.pop("network", None) or network(), tokenizer(), **settings)


def train(task: TextStage, source: CaptionedRows, steps: int = 30, rate: float = 1e-2) -> list[float]:
    batches, losses = RowBatches(source, 8, seed=0), []
    optimizer = torch.optim.AdamW(task.parameter_groups(), lr=rate)
    for number in range(steps):
        loss, _ = task(batches.draw(number))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        task.after_step()
        losses.append(loss.item())
    return losses


def test_everyday_sentences_are_fixed() -> None:
    held, unseen = everyday.everyday_sentences(), everyday.unseen_sentences()
    assert (len(held), len(unseen)) == (2000, 250)
    assert len({*held, *unseen}) == 2250
    digest = hashlib.sha256("\n".join((*held, *unseen)).encode()).hexdigest()
    assert digest == "c6214e0767e9c6e0eaf57ed83554ae5b9fa675d12f935ae05a1a7e30ef288faa"  # figures compare only so


def test_captioned_rows_that_do_not_fit_are_refused() -> None:
    good = clips()
    with pytest.raises(ValueError, match="captions and groups"):
        CaptionedRows(good.rows, good.captions[:-1], good.groups)
    with pytest.raises(ValueError, match="clip 1 has no caption"):
        CaptionedRows(good.rows, (good.captions[0], (), *good.captions[2:]), good.groups)
    for value in (np.nan, 2.0):
        rows = good.rows.copy()
        rows[3] = value
        with pytest.raises(ValueError, match="row 3 is not of unit length"):
            CaptionedRows(rows, good.captions, good.groups)


def test_a_batch_depends_on_seed_and_number_alone_and_epochs_have_every_clip_once() -> None:
    source = clips()
    batches, again = RowBatches(source, 8, seed=3), RowBatches(source, 8, seed=3)
    drawn = [batches.draw(number) for number in range(6)]
    np.testing.assert_array_equal(again.draw(4).rows, drawn[4].rows)
    assert again.draw(4).captions == drawn[4].captions
    for epoch in (drawn[:3], drawn[3:]):
        rows = np.concatenate([batch.rows for batch in epoch])
        assert sorted(map(tuple, rows.tolist())) == sorted(map(tuple, source.rows.tolist()))
    assert not np.array_equal(drawn[0].rows, drawn[3].rows)
    assert not np.array_equal(drawn[0].rows, RowBatches(source, 8, seed=4).draw(0).rows)
    assert len(RowBatches(source, 1000, seed=0).draw(0).rows) == len(source)


def test_sentences_of_a_clip_are_positives_however_they_are_written() -> None:
    rows = unit(np.eye(3, SMALL.dim) + 0.1)
    source = CaptionedRows(rows, (("A fox.", "a zorp"), ("a ZORP!",), ("a wug",)), ("a", "b", "c"))
    seen = set()
    for number in range(8):
        batch = RowBatches(source, 3, seed=0).draw(number)
        at = {tuple(row): clip for clip, row in enumerate(rows.tolist())}
        order = [at[tuple(row)] for row in batch.rows.tolist()]
        where = {clip: place for place, clip in enumerate(order)}
        assert batch.positives.diagonal().all()
        assert batch.positives[where[0], where[1]]  # "a ZORP!" holds for the first clip, whatever is drawn for it
        assert not batch.positives[where[2], [where[0], where[1]]].any()
        says = batch.captions[where[0]]
        assert batch.positives[where[1], where[0]] == (says == "a zorp")
        seen.add(says)
    assert seen == {"A fox.", "a zorp"}


def test_processes_share_a_batch() -> None:
    source = clips()
    whole = RowBatches(source, 8, seed=1).draw(5)
    parts = [RowBatches(source, 8, seed=1, rank=rank, processes=2).draw(5) for rank in range(2)]
    np.testing.assert_array_equal(np.concatenate([part.rows for part in parts]), whole.rows)
    assert parts[0].captions + parts[1].captions == whole.captions
    for part in parts:
        np.testing.assert_array_equal(part.positives, whole.positives)
    with pytest.raises(ValueError, match="too few"):
        RowBatches(source, 1, seed=1, processes=2)


def test_other_clips_are_negatives_of_every_sentence() -> None:
    source, others = clips(), unit(np.random.default_rng(5).standard_normal((9, SMALL.dim)))
    batches = RowBatches(source, 8, seed=1, others=others, others_a_batch=4)
    batch, plain = batches.draw(2), RowBatches(source, 8, seed=1).draw(2)
    assert batch.captions == plain.captions
    np.testing.assert_array_equal(batch.rows[:8], plain.rows)
    assert {tuple(row) for row in batch.rows[8:].tolist()} < {tuple(row) for row in others.tolist()}
    assert len({tuple(row) for row in batch.rows[8:].tolist()}) == 4
    np.testing.assert_array_equal(batch.positives, np.concatenate([plain.positives, np.zeros((4, 8), bool)]))
    assert not np.array_equal(batch.rows[8:], batches.draw(3).rows[8:])
    assert len(RowBatches(source, 8, seed=1, others=others).draw(0).rows) == 17  # all, where there are few
    parts = [
        RowBatches(source, 8, seed=1, others=others, others_a_batch=4, rank=rank, processes=2).draw(2)
        for rank in (0, 1)
    ]
    np.testing.assert_array_equal(np.concatenate([part.rows[4:] for part in parts]), batch.rows[8:])
    expected = np.zeros((12, 8), bool)
    expected[[0, 1, 2, 3, 6, 7, 8, 9]] = plain.positives  # each process has its clips, then two others
    np.testing.assert_array_equal(parts[0].positives, expected)
    task = stage(guard=0.0)
    assert task(batch)[0].item() > task(plain)[0].item()


def test_the_loss_is_the_contrastive_one_and_the_guard() -> None:
    source = clips()
    task = stage(guard=3.0)
    batch = RowBatches(source, 8, seed=0).draw(0)
    loss, figures = task(batch)
    logits = 20 * batch.rows.astype(np.float64) @ task.encode(batch.captions).T.astype(np.float64)

    def one_way(logits: Any, positives: Any) -> float:
        surprise = np.log(np.exp(logits).sum(axis=1, keepdims=True)) - logits
        return float(((surprise * positives).sum(axis=1) / positives.sum(axis=1)).mean())

    expected = (one_way(logits, batch.positives) + one_way(logits.T, batch.positives.T)) / 2
    assert loss.item() == pytest.approx(expected, abs=1e-5)  # nothing has moved yet
    assert float(figures["moved"]) == pytest.approx(0, abs=1e-10)
    with torch.no_grad():
        task.tower.norm.bias.add_(torch.linspace(-1, 1, SMALL.dim))
    loss, figures = task(batch)
    held = everyday.guard_parts(EVERYDAY)[0]  # 36: all are in every step
    old = torch.from_numpy(stage().encode(held))
    moved = (torch.from_numpy(task.encode(held)) - old).square().sum(dim=1).mean()
    assert float(figures["moved"]) == pytest.approx(float(moved), abs=1e-5)
    assert loss.item() == pytest.approx(float(figures["contrast"] + 3 * moved), abs=1e-4)
    assert float(figures["scale"]) == pytest.approx(20)


def test_training_learns_new_words_and_leaves_the_video_side_alone() -> None:
    parent = network()
    former, before = digests(parent), copy.deepcopy(parent.state_dict())
    task = stage(network=parent, guard=0.0, validation=clips(seed=1))
    start = task.validate()
    assert tuple(start) == FIGURES["text"]
    losses = train(task, clips())
    assert np.mean(losses[-5:]) < losses[0] / 2
    end = task.validate()
    assert start["recall"] < 0.8 < end["recall"]
    assert end["score"] > start["score"]
    result = task.exported()
    assert digests(result).space == former.space
    assert digests(result).text != former.text
    trained = {"text_encoder.norm.", "text_encoder.stack.layers.1."}
    for name, value in result.state_dict().items():
        if not any(name.startswith(each) for each in trained):
            assert torch.equal(value, before[name]), name
    assert not torch.equal(result.state_dict()["text_encoder.norm.weight"], before["text_encoder.norm.weight"])
    ids, paddings = map(torch.from_numpy, tokenizer().encode(WORDS))
    with torch.no_grad():
        np.testing.assert_allclose(result.encode_text(ids, paddings).numpy(), task.encode(WORDS), atol=1e-6)
    loaded = state_dict_from_flax(flax_from_state_dict(result.state_dict(), SMALL), SMALL)
    assert loaded.keys() == before.keys()
    assert all("vision" not in name and "pooler" not in name for name in task.state_dict())


def test_adapters_are_merged_into_what_is_exported() -> None:
    parent = network()
    before, video = copy.deepcopy(parent.state_dict()), digests(parent).space
    untouched = stage(network=copy.deepcopy(parent)).encode(WORDS)
    task = stage(network=parent, tuned="lora", rank=2, alpha=4.0, guard=0.0)
    np.testing.assert_allclose(task.encode(WORDS), untouched, atol=1e-6)  # at first nothing changes
    train(task, clips(), steps=3)
    result = task.exported()
    assert result.state_dict().keys() == before.keys()
    assert digests(result).space == video
    assert digests(result).text != digests(network()).text
    changed = {name for name, value in result.state_dict().items() if not torch.equal(value, before[name])}
    assert len(changed) == 8
    assert all(name.startswith("text_encoder.stack.") and name.endswith(".weight") for name in changed)
    ids, paddings = map(torch.from_numpy, tokenizer().encode(WORDS))
    with torch.no_grad():
        rows = result.encode_text(ids, paddings).numpy()
    np.testing.assert_allclose(rows, task.encode(WORDS), atol=1e-6)
    assert np.abs(rows - untouched).max() > 1e-3


def test_micro_batches_change_nothing_but_memory() -> None:
    batch, gradients = RowBatches(clips(), 8, seed=0).draw(0), []
    for micro in (0, 5):
        task = stage(micro=micro)
        task(batch)[0].backward()
        gradients.append(task.tower.stack.layers[1].attention.qkv.weight.grad)
    torch.testing.assert_close(*gradients, atol=1e-6, rtol=1e-5)


def test_the_guard_keeps_everyday_sentences_in_place() -> None:
    kept = {}
    for guard in (0.0, 30.0):
        task = stage(guard=guard, validation=clips(seed=1))
        assert task.validate()["kept"] == pytest.approx(1, abs=1e-6)
        train(task, clips(), steps=20)
        kept[guard] = task.validate()["kept"]
    assert 1 - kept[30.0] < (1 - kept[0.0]) / 2


def test_of_own_guard_sentences_one_in_ten_tells_what_was_forgotten() -> None:
    held, unseen = everyday.guard_parts(EVERYDAY)
    assert unseen == EVERYDAY[::10]
    assert sorted((*held, *unseen)) == sorted(EVERYDAY)
    task = stage(guard_sentences=EVERYDAY, validation=clips(seed=1))
    assert (task._sentences, task._unseen) == (held, unseen)
    assert everyday.guard_parts(None) == (everyday.everyday_sentences(), everyday.unseen_sentences())


def test_the_score_is_the_loss_with_its_sign_changed() -> None:
    held_out = clips(seed=1, each=2)
    task = stage(validation=held_out, guard=0.0)
    batch = RowBatches(CaptionedRows(held_out.rows, held_out.captions, held_out.groups), 8, seed=0).draw(0)
    # Four sentences ask, each once; in the batch each is there for both of its clips, so only clips to words differ.
    text = torch.from_numpy(task.encode(distinct_sentences(held_out.captions)[0]))
    logits = 20 * text @ torch.from_numpy(held_out.rows).T
    about = torch.eye(4).repeat_interleave(2, dim=1)
    of_words = -(torch.log_softmax(logits, dim=1) * about / 2).sum(dim=1).mean()
    of_clips = -(torch.log_softmax(logits.T, dim=1) * about.T).sum(dim=1).mean()
    assert task.validate()["score"] == pytest.approx(-float(of_words + of_clips) / 2, abs=1e-5)
    assert stage().validate() == {}
    assert task(batch)[0].item() > 0


def test_the_temperature_is_trained_and_bounded() -> None:
    task = stage()
    names = {name for name, each in task.named_parameters() if each.requires_grad}
    assert "temperature.log_scale" in names
    with torch.no_grad():
        task.temperature.log_scale.fill_(9.0)
    task.after_step()
    assert task.temperature.value == pytest.approx(100)


@pytest.mark.parametrize("wrong", [{"guard": -1.0}, {"layers": 0}, {"micro": -1}, {"temperature": 1000.0}])
def test_numbers_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        stage(**wrong)


def test_two_towers_are_compared() -> None:
    table: dict[str, int] = {"a zorp.": 0, "a wug.": 1}
    basis = np.eye(8, dtype=np.float32)

    def before(sentences: Sequence[str]) -> Any:
        return np.stack([basis[7] for _ in sentences])  # knows no difference

    def after(sentences: Sequence[str]) -> Any:
        return np.stack([basis[table[each]] if each in table else basis[6] for each in sentences])

    own = CaptionedRows(basis[[0, 1, 2]], (("a zorp",), ("A wug!",), ("a wug",)), ("one", "two", "three"))
    figures = compare_texts(before, after, held_out=own, library=basis[[0, 6, 7]])
    assert figures.held_out is not None
    assert (figures.held_out.sentences, figures.held_out.clips) == (2, 3)
    assert figures.held_out.before[1] == pytest.approx((1 / 3 + 2 / 3) / 2)  # by chance
    assert figures.held_out.after == {1: 1.0, 5: 1.0}
    assert figures.held_out.gain == pytest.approx(0.5)
    assert figures.held_out.interval is not None
    assert (figures.cosine, figures.least_cosine, figures.same_best) == (0.0, 0.0, 0.0)
    same = compare_texts(before, before, old=own, library=basis[[0, 7]])
    assert same.held_out is None
    assert same.old is not None
    assert (same.old.gain, same.cosine, same.same_best) == (0.0, 1.0, 1.0)
