"""The map of a library: near rows near, the same for the same library, kept, grown and made anew as the stamp says."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest
from db_samples import DIM, ids_of, make_parts, make_video, unit_rows
from numpy.typing import NDArray

from db.library import Library
from db.records import Filters
from encoder import load_encoder
from indexer.pipeline import index_folders
from indexer.settings import IndexSettings
from search import layout
from search.layout import Landmarks, choose_landmarks, lay_out
from search.projection import Projection, ProjectionCancelled, ProjectionStore

DEMO = Path(__file__).resolve().parent.parent / "app" / "demo_library"


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library.open(tmp_path / "library")


def store(library: Library) -> ProjectionStore:
    return ProjectionStore(library, "enc", library.directory / "map")


def add_rows(library: Library, name: str, rows: NDArray[np.float32]) -> int:
    video = make_video(f"/films/{name}.mp4", fingerprint=name, seconds=len(rows) + 1)
    shots, segments = make_parts(video, len(rows))
    return library.add_video(video, shots, segments, rows, encoder_id="enc", recipe="r1")


def clusters(count: int, dim: int = 64, groups: int = 24, seed: int = 0) -> NDArray[np.float32]:
    """Groups of unequal size in families, each spread along a few directions of its own."""
    made = np.random.default_rng(seed)
    families = made.standard_normal((6, dim))
    centres = families[np.arange(groups) % 6] + 0.8 * made.standard_normal((groups, dim))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    which = made.choice(groups, count, p=made.dirichlet(np.ones(groups)))
    axes = made.standard_normal((groups, 4, dim)) / dim**0.5
    rows = centres[which] + 0.4 * np.einsum("nk,nkd->nd", made.standard_normal((count, 4)), axes[which])
    rows += 0.15 / dim**0.5 * made.standard_normal((count, dim))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def principal(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    centred = rows - rows.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    return np.asarray(centred @ axes[:2].T)


def trust(rows: NDArray[np.float32], points: NDArray[np.float32], neighbours: int) -> float:
    from sklearn.manifold import trustworthiness

    return float(trustworthiness(rows, points, n_neighbors=neighbours))


# Quality


def test_neighbours_stay_neighbours_far_better_than_with_principal_components() -> None:
    rows = clusters(1500)
    chosen = choose_landmarks(rows, 500)
    landmarks = Landmarks(rows[chosen], lay_out(rows[chosen]))
    points = landmarks.place(np.arange(len(rows)), rows)
    by_components = trust(rows, principal(rows), 10)
    assert trust(rows[chosen], landmarks.points, 10) > 0.97
    assert trust(rows, points, 10) > 0.97
    assert by_components < 0.93


def test_the_demo_library_is_mapped_better_than_with_principal_components(tmp_path: Path) -> None:
    encoder = load_encoder("demo", device="cpu")
    library = Library.open(tmp_path / "library")
    index_folders(library, encoder, [DEMO], IndexSettings())
    made = ProjectionStore(library, encoder.id, tmp_path / "map").update()
    rows = library.embedding_rows(encoder.id, made.ids)
    assert len(made.ids) == library.stats().segments
    assert trust(rows, made.points, 5) > max(0.975, trust(rows, principal(rows), 5) + 0.02)


def test_a_rare_kind_of_shot_has_a_landmark_of_its_own() -> None:
    common = clusters(4000, groups=5)
    rare = np.zeros((3, common.shape[1]), np.float32)
    rare[:, :2] = [[0.6, -0.8], [0.61, -0.79], [0.59, -0.81]]
    rare /= np.linalg.norm(rare, axis=1, keepdims=True)
    rows = np.concatenate([common[:2001], rare, common[2001:]])
    assert set(choose_landmarks(rows, 200)) & {2001, 2002, 2003}


# Small and odd libraries


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 6, 9])
@pytest.mark.parametrize("equal", [False, True])
def test_small_libraries_have_a_map(library: Library, count: int, equal: bool) -> None:
    if count:
        add_rows(library, "aa", np.repeat(unit_rows(1), count, axis=0) if equal else unit_rows(count))
    made = store(library).update()
    assert made.points.shape == (count, 2)
    assert np.isfinite(made.points).all()
    assert np.abs(made.points).max(initial=0) <= 1.0001
    assert len(np.unique(made.points.round(3), axis=0)) == count
    assert made.ids.tolist() == sorted(made.ids.tolist())


def test_many_equal_rows_beside_others_stay_apart() -> None:
    rows = np.concatenate([np.repeat(unit_rows(1, seed=5), 80, axis=0), unit_rows(40)])
    points = lay_out(rows)
    assert np.isfinite(points).all()
    placed = Landmarks(rows, points).place(np.arange(120), rows)
    assert len(np.unique(placed[:80], axis=0)) == 80


# Kept, grown, made anew


def same(one: Projection, other: Projection) -> bool:
    equal = all(np.array_equal(getattr(one, name), getattr(other, name)) for name in ("ids", "points", "landmarks"))
    return equal and one.stamp == other.stamp and one.made_from == other.made_from


def test_the_map_is_the_same_for_the_same_library_and_is_kept(library: Library) -> None:
    add_rows(library, "aa", clusters(300, DIM))
    assert store(library).load_saved() is None
    made = store(library).update()
    kept = store(library).load_saved()
    assert kept is not None
    assert same(made, kept)
    assert same(made, store(library).update(rebuild=True))


def test_a_few_new_rows_move_nothing(library: Library) -> None:
    rows = clusters(330, DIM)
    first = add_rows(library, "aa", rows[:300])
    before = store(library).update()
    second = add_rows(library, "bb", np.concatenate([rows[300:], rows[:1]]))
    assert store(library).load_saved() is None
    after = store(library).update()
    assert after.made_from == 300
    assert np.array_equal(after.points[:300], before.points)
    assert after.ids.tolist() == ids_of(library, first) + ids_of(library, second)
    assert np.linalg.norm(after.points[-1] - before.points[0]) < 0.1  # the copy of the first row lies beside it
    assert trust(library.embedding_rows("enc", after.ids), after.points, 5) > 0.9
    kept = store(library).load_saved()
    assert kept is not None
    assert same(after, kept)


def test_many_new_rows_make_it_anew_even_when_they_came_a_few_at_a_time(library: Library) -> None:
    rows = clusters(140, DIM)
    add_rows(library, "aa", rows[:100])
    store(library).update()
    add_rows(library, "bb", rows[100:115])
    assert store(library).update().made_from == 100
    add_rows(library, "cc", rows[115:125])
    assert store(library).update().made_from == 125


def test_a_row_that_went_makes_it_anew(library: Library) -> None:
    rows = clusters(120, DIM)
    add_rows(library, "aa", rows[:100])
    second = add_rows(library, "bb", rows[100:])
    store(library).update()
    library.remove_videos([second])
    after = store(library).update()
    assert len(after.ids) == after.made_from == 100


def test_a_damaged_file_only_costs_time(library: Library) -> None:
    add_rows(library, "aa", clusters(60, DIM))
    made = store(library).update()
    (file,) = (library.directory / "map").glob("*.npz")
    file.write_bytes(file.read_bytes()[:-40] + b"x" * 40)
    assert store(library).load_saved() is None
    assert same(store(library).update(), made)


def test_a_folder_that_cannot_be_written_only_costs_time(library: Library) -> None:
    add_rows(library, "aa", clusters(60, DIM))
    (library.directory / "map").write_text("in the way")
    assert len(store(library).update().ids) == 60
    assert store(library).load_saved() is None


def test_old_files_do_not_pile_up(library: Library) -> None:
    add_rows(library, "aa", clusters(60, DIM))
    store(library).update()
    (first,) = (library.directory / "map").glob("*.npz")
    orphan = first.with_name(first.name.replace(".npz", "0.npz"))
    orphan.write_bytes(b"left by a killed process")
    os.utime(orphan, (time.time() - 7200,) * 2)
    store(library).update(rebuild=True)
    (second,) = (library.directory / "map").glob("*.npz")
    assert second not in (first, orphan)


def test_it_says_how_far_it_is_and_can_be_stopped(library: Library) -> None:
    add_rows(library, "aa", clusters(60, DIM))
    told: list[tuple[float, str]] = []
    store(library).update(progress=lambda share, text: told.append((share, text)))
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    with pytest.raises(ProjectionCancelled):
        store(library).update(rebuild=True, cancelled=lambda: True)
    assert store(library).load_saved() is not None


def test_rows_that_change_while_it_is_made_leave_a_map_that_is_made_again(library: Library) -> None:
    rows = clusters(200, DIM)
    add_rows(library, "aa", rows[:100])
    second = add_rows(library, "bb", rows[100:])

    def meddle(share: float, text: str) -> None:
        if text.startswith("Placing"):
            library.remove_videos([second])

    made = store(library).update(progress=meddle)
    assert len(made.ids) in (100, 200)
    assert store(library).load_saved() is None
    assert len(store(library).update().ids) == 100


@pytest.mark.parametrize("count", [10, 50, 99])
def test_no_more_landmarks_are_chosen_than_wanted(count: int) -> None:
    rows = clusters(300)
    chosen = choose_landmarks(rows, count)
    assert count * 0.85 <= len(chosen) <= count
    assert (chosen[0], chosen[-1]) == (0, 299)
    assert (np.diff(chosen) > 0).all()
    assert choose_landmarks(rows[:count], count).tolist() == list(range(count))


def test_a_row_has_the_same_point_in_any_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, ids = clusters(100), np.arange(1, 101)
    landmarks = Landmarks(rows[:40], lay_out(rows[:40]))
    whole = landmarks.place(ids, rows)
    monkeypatch.setattr(layout, "_BATCH", 7)
    np.testing.assert_allclose(landmarks.place(ids, rows), whole, atol=1e-6)
    for at in (0, 6, 7, 99):
        np.testing.assert_allclose(landmarks.place(ids[at : at + 1], rows[at : at + 1])[0], whole[at], atol=1e-6)


def test_equal_rows_lie_spread_over_a_disc() -> None:
    points = lay_out(np.tile(unit_rows(1), (200, 1)))
    radii = np.linalg.norm(points, axis=1)
    assert radii[0] == 0
    assert (np.diff(radii) > 0).all()
    assert radii[-1] <= 0.5
    apart = np.linalg.norm(points[:, None] - points, axis=2)
    np.fill_diagonal(apart, 1)
    assert apart.min() > 0.03, "no two points lie close to each other"
    assert np.abs(points.mean(axis=0)).max() < 0.02, "no direction is preferred"


@pytest.mark.parametrize("count", [2, 255, 256, 257, 600])
def test_the_spacing_of_landmarks_is_that_of_nearest_neighbours(count: int) -> None:
    points = np.random.default_rng(count).uniform(-1, 1, (count, 2)).astype(np.float32)
    apart = np.linalg.norm(points[:, None] - points, axis=2)
    np.fill_diagonal(apart, np.inf)
    assert layout._median_distance(points) == pytest.approx(np.median(apart.min(axis=1)))
    assert layout._median_distance(points[:1]) == 0


def test_a_row_lies_on_the_island_of_its_most_similar_landmark() -> None:
    """Never in the empty space between two islands, however much it resembles rows of both."""
    one, other = np.eye(2, 8, dtype=np.float32)
    near = np.linspace(0, 0.02, 10, dtype=np.float32)
    points = np.concatenate([np.stack([-0.9 + near, near], 1), np.stack([0.9 - near, near], 1)])
    landmarks = Landmarks(np.tile(one, (10, 1)), points[:10])
    both = Landmarks(
        np.concatenate([np.tile(one, (5, 1)), np.tile(other, (5, 1))]), points[[*range(5), *range(10, 15)]]
    )
    between = np.array([(one * 0.72 + other * 0.69)], np.float32)
    assert landmarks.place(np.array([1]), between)[0, 0] < -0.8
    assert both.place(np.array([1]), between)[0, 0] < -0.8


def test_a_landmark_keeps_its_point_even_the_last_row_of_all(library: Library) -> None:
    rows = clusters(60, dim=DIM)
    add_rows(library, "a", rows)
    made = store(library).update()
    ids = library.segment_ids(Filters(), "enc")
    assert made.landmarks.tolist() == ids.tolist()
    np.testing.assert_allclose(made.points, lay_out(library.embedding_rows("enc", ids)), atol=1e-6)
