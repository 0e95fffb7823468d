"""Heads on made features: what is kept, what is streamed, what is scored, and that the same seed gives the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fakes import ColourEncoder

from app.evaluation.applied import classify_stretches
from app.evaluation.feature_maker import FeatureMaker, Watch
from app.evaluation.head_scores import measure_scores, probabilities
from app.evaluation.head_training import train_head, usual_kind
from app.evaluation.labelled import LabelledStretch, Stretch
from app.evaluation.probing import ProbeBench, ProbePlan, run_probe_bench
from app.evaluation.task import ProbeTask, TaskError, shared_groups, task_of, train_and_test
from app.evaluation.token_store import NoRoom, TokenStore, delete_tokens, kept_tokens, unit_mean
from encoder import ClipSpec
from indexer.media.errors import Cancelled, UnreadableVideo
from metrics.classification import accuracy_by_class
from training.heads.map_probe import MapRecipe, fit_map

COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}


class Painted:
    """Reads a file that names a colour as a clip of it, with noise that its name seeds."""

    name = "painted"

    def __init__(self) -> None:
        self.read: list[str] = []

    def __call__(self, stretch: Stretch, spec: ClipSpec) -> np.ndarray:
        self.read.append(stretch.path)
        colour = Path(stretch.path).read_text().split()[0]
        if colour == "broken":
            raise UnreadableVideo(stretch.path, "broken", "No frame can be decoded.")
        rng = np.random.default_rng(sum(map(ord, Path(stretch.path).name)))
        return np.clip(rng.normal(COLOURS[colour], 60, spec.shape), 0, 255).astype(np.uint8)


@pytest.fixture
def labelled(tmp_path: Path) -> list[LabelledStretch]:
    """30 clips of three colours in 15 groups; a third of the groups are the test."""
    found = []
    for number in range(30):
        colour = list(COLOURS)[number % 3]
        path = tmp_path / f"{number}.mp4"
        path.write_text(f"{colour} {number}")
        split = "test" if (number // 3) % 3 == 2 else "train"
        found.append(LabelledStretch(Stretch(str(path)), frozenset([colour]), f"group {number // 3}", split))
    return found


def run(task: ProbeTask, work: Path, read: Painted | None = None, **plan: object) -> ProbeBench:
    settings = {"draws": 2, "shots": (1, 4, None), "recipe": MapRecipe(1e-2, least_steps=30), **plan}
    return run_probe_bench(
        task,
        ColourEncoder(),
        read or Painted(),
        ProbePlan(**settings),
        work=work,
        precision="float32",  # type: ignore[arg-type]
    )


def test_three_heads_learn_from_a_few_examples(tmp_path: Path, labelled: list[LabelledStretch]) -> None:
    found = run(task_of(labelled), tmp_path / "work")
    assert [(each.head, each.shots, each.draws) for each in found.figures] == [
        (head, shots, draws) for shots, draws in ((1, 2), (4, 2), (None, 1)) for head in ("linear", "mean", "map")
    ]
    assert len(found.test) == 9
    assert found.shared == ()
    for figure in found.figures:
        assert figure.accuracy.value is not None
        assert figure.accuracy.interval is not None
        if figure.shots is None:
            assert figure.accuracy.value == 1
            assert figure.examples == 21
    for trial in found.trials:
        assert trial.scores.shape == (9, 3)


def test_the_same_seed_gives_the_same_scores_bit_for_bit(tmp_path: Path, labelled: list[LabelledStretch]) -> None:
    first, second = (run(task_of(labelled), tmp_path / name, shots=(2,)) for name in ("a", "b"))
    other = run(task_of(labelled), tmp_path / "a", shots=(2,), seed=1)
    assert [each.scores.tobytes() for each in first.trials] == [each.scores.tobytes() for each in second.trials]
    assert [each.scores.tobytes() for each in first.trials] != [each.scores.tobytes() for each in other.trials]
    assert [each.accuracy for each in first.figures] == [each.accuracy for each in second.figures]


def test_tokens_of_the_test_are_not_kept_and_nothing_is_read_twice(
    tmp_path: Path, labelled: list[LabelledStretch]
) -> None:
    read = Painted()
    run(task_of(labelled), tmp_path / "work", read, shots=(2,), heads=("map",), draws=1)
    assert kept_tokens(tmp_path / "work")[0] == 6
    assert len(read.read) == 6 + 9
    run(task_of(labelled), tmp_path / "work", read, shots=(2,), heads=("map",), draws=1)
    assert len(read.read) == 6 + 9
    delete_tokens(tmp_path / "work")
    assert kept_tokens(tmp_path / "work") == (0, 0)


def test_what_cannot_be_read_is_named_and_left_out(tmp_path: Path, labelled: list[LabelledStretch]) -> None:
    Path(labelled[0].stretch.path).write_text("broken")
    Path(labelled[6].stretch.path).unlink()
    for heads in (("linear", "map"), ("map",), ("mean",)):
        found = run(task_of(labelled), tmp_path / "-".join(heads), shots=(None,), heads=heads)
        assert {each.stretch.path for each in found.unread} == {labelled[0].stretch.path, labelled[6].stretch.path}
        assert len(found.test) == 8
        assert all(trial.examples == 20 and trial.scores.shape == (8, 3) for trial in found.trials)


@pytest.mark.parametrize("heads", [("linear",), ("map",)])
def test_a_class_without_an_example_that_can_be_read_is_named(
    tmp_path: Path, labelled: list[LabelledStretch], heads: tuple[str, ...]
) -> None:
    for each in labelled:
        if each.labels == {"green"} and each.split == "train":
            Path(each.stretch.path).write_text("broken")
    with pytest.raises(TaskError, match="of green"):
        run(task_of(labelled), tmp_path / "work", heads=heads)
    same = [LabelledStretch(each.stretch, each.labels | {"all"}, each.group, each.split) for each in labelled]
    with pytest.raises(TaskError, match="shows all"):
        run(task_of([each for each in same if "green" not in each.labels]), tmp_path / "work", heads=heads)


def test_a_stopped_run_goes_on_with_what_it_made(tmp_path: Path, labelled: list[LabelledStretch]) -> None:
    read = Painted()
    task, plan = task_of(labelled), ProbePlan(shots=(2,), draws=1, heads=("map",))
    stages: list[str] = []
    watch = Watch(on_progress=lambda stage, done, total: stages.append(stage), cancelled=lambda: "training" in stages)
    with pytest.raises(Cancelled):
        run_probe_bench(task, ColourEncoder(), read, plan, work=tmp_path, precision="float32", watch=watch)
    assert kept_tokens(tmp_path)[0] == 6
    run_probe_bench(task, ColourEncoder(), read, plan, work=tmp_path, precision="float32")
    assert len(read.read) == 6 + 9


def test_several_labels_are_measured_by_average_precision(tmp_path: Path, labelled: list[LabelledStretch]) -> None:
    both = [
        LabelledStretch(
            each.stretch, each.labels | ({"warm"} if each.labels == {"red"} else set()), each.group, each.split
        )
        for each in labelled
    ]
    task = task_of(both)
    assert task.multi_label
    assert task.classes == ("blue", "green", "red", "warm")
    found = run(task, tmp_path / "work", shots=(4,))
    assert all(each.class_averaged is None for each in found.figures)
    assert found.figures[0].accuracy.value == pytest.approx(1, abs=0.05)


def test_without_splits_whole_groups_are_the_test(labelled: list[LabelledStretch]) -> None:
    bare = [LabelledStretch(each.stretch, each.labels, each.group) for each in labelled]
    train, test = train_and_test(task_of(bare), 0)
    assert len(train) + len(test) == 30
    assert 12 <= len(test) <= 18
    assert shared_groups(train, test) == []
    assert train_and_test(task_of(bare), 0) == (train, test)
    assert train_and_test(task_of(bare), 1) != (train, test)
    alone = [LabelledStretch(each.stretch, each.labels, "one") for each in labelled]
    with pytest.raises(TaskError, match="0 to test on"):
        train_and_test(task_of(alone), 0)


def test_groups_on_both_sides_are_named(tmp_path: Path, labelled: list[LabelledStretch]) -> None:
    mixed = [LabelledStretch(each.stretch, each.labels, "same", each.split) for each in labelled]
    assert run(task_of(mixed), tmp_path, shots=(2,), heads=("linear",)).shared == ("same",)


@pytest.mark.parametrize(("labels", "names"), [([], "none"), (["a"], "a")])
def test_one_class_is_no_task(labels: list[str], names: str) -> None:
    stretches = [LabelledStretch(Stretch("x"), frozenset(labels), "x")] if labels else []
    with pytest.raises(TaskError, match=f"the labels name {names}"):
        task_of(stretches)


# One head


@pytest.mark.parametrize("kind", ["linear", "map"])
def test_a_head_is_trained_on_the_split_that_is_named_and_knows_other_clips(
    tmp_path: Path, labelled: list[LabelledStretch], kind: str
) -> None:
    from encoder.head_files import HeadFacts, StoredHead

    encoder, watch, steps = ColourEncoder(), Watch(), []
    maker = FeatureMaker(encoder, Painted(), work=tmp_path / "work", precision="float32")
    watch = Watch(on_progress=lambda stage, done, total: steps.append((stage, done)))
    trained = train_head(task_of(labelled), kind, maker, seed=0, watch=watch)  # type: ignore[arg-type]
    assert len(trained.task.stretches) == 21
    assert (trained.strength is None) == (kind == "map")
    again = train_head(task_of(labelled), kind, maker, seed=0, watch=watch)  # type: ignore[arg-type]
    facts = HeadFacts(kind, trained.task.classes, False, encoder.id, trained.head.dim, "", "")  # type: ignore[arg-type]
    test = [each for each in labelled if each.split == "test"]
    answers = [
        classify_stretches([each.stretch for each in test], StoredHead(one.head, facts), maker)
        for one in (trained, again)
    ]
    assert [facts.classes[each.best(1)[0][0]] for each in answers[0]] == [min(each.labels) for each in test]
    for first, second in zip(*answers, strict=True):
        assert first.probabilities.tobytes() == second.probabilities.tobytes()
        assert first.probabilities.sum() == pytest.approx(1)


def test_a_map_head_is_the_default_for_many_clips_of_an_encoder_with_tokens() -> None:
    assert [usual_kind(clips, ColourEncoder()) for clips in (10, 99, 100)] == ["linear", "linear", "map"]


def test_labels_that_tell_nothing_apart_are_one_line(tmp_path: Path, labelled: list[LabelledStretch]) -> None:
    same = [LabelledStretch(each.stretch, frozenset(["a", "b"]), each.group) for each in labelled]
    maker = FeatureMaker(ColourEncoder(), Painted(), work=tmp_path / "work", precision="float32")
    with pytest.raises(TaskError, match="examples that it is not in"):
        train_head(task_of(same), "linear", maker, seed=0, watch=Watch())


def test_dropout_and_smoothing_change_the_head_and_come_out_the_same_again() -> None:
    rng = np.random.default_rng(0)
    tokens = rng.normal(size=(12, 5, 8)).astype(np.float32)
    targets = np.eye(3, dtype=bool)[np.arange(12) % 3]

    def logits(recipe: MapRecipe) -> bytes:
        return fit_map(tokens, targets, 2, recipe=recipe, seed=3).logits(tokens).tobytes()

    plain = MapRecipe(1e-3, batch=5, epochs=3)
    dropped = MapRecipe(1e-3, batch=5, epochs=3, dropout=0.5)
    smoothed = MapRecipe(1e-3, batch=5, epochs=3, label_smoothing=0.1)
    assert len({logits(plain), logits(dropped), logits(smoothed)}) == 3
    for recipe in (plain, dropped, smoothed):
        assert logits(recipe) == logits(recipe)
    tokens[4, 2, 1] = np.nan
    with pytest.raises(ValueError, match="finite"):
        logits(plain)


def test_a_step_over_parts_of_a_batch_is_that_over_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    tokens = rng.normal(size=(12, 5, 8)).astype(np.float32)
    targets = np.eye(3, dtype=bool)[np.arange(12) % 3]
    recipe = MapRecipe(1e-3, batch=12, epochs=5)
    whole = fit_map(tokens, targets, 2, recipe=recipe).logits(tokens)
    monkeypatch.setattr("training.heads.map_probe._ELEMENTS_AT_ONCE", 5 * 8 * 5)
    assert np.allclose(fit_map(tokens, targets, 2, recipe=recipe).logits(tokens), whole, atol=1e-4)


def test_a_few_clips_are_seen_more_often() -> None:
    assert MapRecipe().epochs_of(1000) == 10
    assert MapRecipe(least_steps=200).epochs_of(80) == 100
    assert MapRecipe(least_steps=200).epochs_of(4000) == 10
    with pytest.raises(ValueError, match="shares"):
        MapRecipe(dropout=1)


# Tokens on disk


def test_tokens_are_kept_as_halves_of_the_size_and_a_part_of_a_file_is_made_again(tmp_path: Path) -> None:
    store = TokenStore(tmp_path, "encoder", "float32", (3, 4))
    tokens = np.arange(12, dtype=np.float32).reshape(3, 4) / 7
    store.add("a", tokens)
    assert np.array_equal(np.load(store["a"]), tokens.astype(np.float16))
    assert "a" in store
    assert "b" not in store
    assert store.need(["a", "b", "b"]).needed == 24
    store["a"].write_bytes(store["a"].read_bytes()[:40])
    assert "a" not in store, "a copy that was cut short"
    assert "a" not in TokenStore(tmp_path, "encoder", "bfloat16", (3, 4))


@pytest.mark.parametrize("tokens", [np.zeros((2, 4)), np.full((3, 4), np.nan), np.full((3, 4), 1e6)])
def test_tokens_that_are_not_numbers_are_refused(tmp_path: Path, tokens: np.ndarray) -> None:
    with pytest.raises(ValueError, match="tokens"):
        TokenStore(tmp_path, "encoder", "float32", (3, 4)).add("a", tokens.astype(np.float32))


def test_without_room_nothing_is_made(
    tmp_path: Path, labelled: list[LabelledStretch], monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    usage = shutil.disk_usage(tmp_path)._replace(free=2**30 + 100)
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage)
    read = Painted()
    with pytest.raises(NoRoom, match="are free"):
        run(task_of(labelled), tmp_path / "work", read, shots=(2,), heads=("map",))
    assert read.read == []


def test_the_mean_of_tokens_has_length_one() -> None:
    tokens = np.random.default_rng(0).normal(size=(3, 5, 4)).astype(np.float32)
    means = unit_mean(tokens)
    assert np.allclose(np.linalg.norm(means, axis=1), 1)
    assert np.allclose(means * np.linalg.norm(tokens.mean(1), axis=1, keepdims=True), tokens.mean(1), atol=1e-6)
    assert np.array_equal(unit_mean(np.zeros((1, 2, 3), np.float32)), np.zeros((1, 3), np.float32))


# Scores


def test_probabilities_are_softmax_or_sigmoid_for_any_logits() -> None:
    logits = np.array([[1000.0, 0.0, -1000.0], [0.0, 0.0, 0.0]], np.float32)
    assert np.allclose(probabilities(logits, False), [[1, 0, 0], [1 / 3] * 3])
    assert np.allclose(probabilities(logits, True), [[1, 0.5, 0], [0.5] * 3])


def test_measures_of_a_known_table() -> None:
    targets = np.eye(7, dtype=bool)[[0, 0, 0, 1, 2, 2]]
    scores = np.eye(7)[[0, 0, 1, 1, 1, 2]]
    report = measure_scores(targets, scores, list("aabbcc"), multi_label=False)
    assert report.top_1 is not None
    assert report.class_averaged is not None
    assert report.top_1.value == pytest.approx(4 / 6)
    assert report.class_averaged.value == pytest.approx((2 / 3 + 1 + 1 / 2) / 3)
    assert report.top_1.interval is not None
    assert report.by_class == (pytest.approx(2 / 3), 1.0, 0.5, None, None, None, None)
    assert report.count_by_class == (3, 1, 2, 0, 0, 0, 0)
    assert [(each.truth, each.predicted, each.count) for each in report.confusions] == [(0, 1, 1), (2, 1, 1)]
    assert set(report.figures()) == {"top_1", "top_5", "class_averaged", "kappa"}
    assert report.class_averaged.value == accuracy_by_class(targets.argmax(1), scores).mean
    others = measure_scores(targets, scores, list("aabbcc"), multi_label=False, background=0)
    assert others.class_averaged is not None
    assert others.class_averaged.value == accuracy_by_class(targets.argmax(1), scores, background=0).mean == 0.75
    alone = measure_scores(targets, scores, ["a"] * 6, multi_label=False)
    assert alone.top_1 is not None
    assert alone.top_1.interval is None
