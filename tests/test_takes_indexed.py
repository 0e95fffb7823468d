"""Takes of files: found at the end of an index run from stored previews, which no video is read again for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest
from click.testing import CliRunner

from app import takes
from app.cli import main
from app.media_workers import read_here
from app.takes import find_takes, look_reader, stored_set_ups
from db.library import Library
from db.records import Filters
from demo import set_ups
from encoder import load_encoder
from encoder.quick import quick_id
from indexer.media.errors import UnreadableVideo
from indexer.media.small_pictures import MOST_PICTURES, read_small_pictures
from search.takes.look import HEIGHT, WIDTH
from search.takes.pair_file import Found, PairFile
from search.takes.relations import Relation
from search.takes.set_ups import set_ups_of

T = TypeVar("T")


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two takes of a set-up, a copy of the first, and the same thing elsewhere, each in a file."""
    folder = tmp_path_factory.mktemp("films")
    rng = np.random.default_rng(2)
    set_up = replace(set_ups.draw_set_up(rng, thing="penguin", cameras=0.0), seconds=1.5)
    first, second = (set_ups.Shot("take", 0, run, set_ups.pictures_of(set_up, rng)) for run in range(2))
    there = set_ups.Shot(
        "elsewhere", 1, 2, set_ups.pictures_of(replace(set_ups.elsewhere(set_up, rng), seconds=1.5), rng)
    )
    begin = set_ups._BEGIN
    for rush in (
        set_ups.Rush("first.mp4", (first,), begin),
        set_ups.Rush("second.mp4", (second,), begin),
        set_ups.Rush("elsewhere.mp4", (there,), begin),
        set_ups.Rush("copy.mp4", (replace(first, pictures=set_ups.smaller(first.pictures)),), begin, is_copy=True),
    ):
        set_ups.write(rush, folder)
    return folder


def named(library: Library, pairs: dict[tuple[int, int], Relation]) -> dict[frozenset[str], Relation]:
    names = {i: Path(video.path).stem for i, (_, video) in library.segments([i for p in pairs for i in p]).items()}
    return {frozenset(names[each] for each in pair): kind for pair, kind in pairs.items()}


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Index with the demo encoder, and read previews in this process: the paths that were read."""
    paths: list[str] = []

    class Workers:
        def __call__(self, function: Callable[..., T], *arguments: Any, path: str, **keywords: Any) -> T:
            paths.append(path)
            return read_here(function, *arguments, path=path, **keywords)

        def close(self) -> None:
            paths.append("closed")

    monkeypatch.setenv("PRISMSEARCH_ENCODER", "demo")
    monkeypatch.setenv("PRISMSEARCH_LIBRARY", str(tmp_path / "library"))
    monkeypatch.setattr(takes, "MediaWorkers", Workers)
    return paths


def test_an_index_run_finds_them(films: Path, tmp_path: Path, read: list[str]) -> None:
    result = CliRunner().invoke(main, ["index", str(films)])
    assert result.exit_code == 0, result.output
    with Library.open(tmp_path / "library") as library:
        encoder = load_encoder("demo", "cpu")
        related = PairFile(library.directory, encoder.id).load().related
        assert named(library, {pair: kind for pair, (kind, _) in related.items()}) == {
            frozenset({"first", "second"}): Relation.TAKE,
            frozenset({"copy", "second"}): Relation.TAKE,
            frozenset({"first", "copy"}): Relation.SAME,
        }
        (set_up,) = {id(each): each for each in set_ups_of(related).values()}.values()
        assert sorted(len(run) for run in set_up.runs) == [1, 2]
        assert read[-1] == "closed"
        assert {Path(each).parent.parent.parent for each in read[:-1]} == {library.directory / "media"}
        calls: list[int] = []
        again = find_takes(library, encoder, on_progress=lambda *_: calls.append(1), cancelled=lambda: False)
        assert (again, calls) == (0, [])


def test_takes_wait_for_the_full_pass(films: Path, tmp_path: Path, read: list[str]) -> None:
    encoder = load_encoder("demo", "cpu")
    expected = {frozenset({"first", "second"}): Relation.TAKE, frozenset({"copy", "second"}): Relation.TAKE}
    result = CliRunner().invoke(main, ["index", "--quick", str(films)])
    assert result.exit_code == 0, result.output
    with Library.open(tmp_path / "library") as library:
        assert library.stamp(quick_id(encoder.id)).count
        assert not PairFile(library.directory, quick_id(encoder.id)).load().related
        shots = library.segment_ids(Filters(), quick_id(encoder.id)).tolist()
        older = PairFile(library.directory, quick_id(encoder.id))  # written when takes were found among quick rows
        older.save(Found(np.array(shots, np.int64), {(shots[0], shots[1]): (Relation.TAKE, 0.8)}))
        assert stored_set_ups(library) == {}
    result = CliRunner().invoke(main, ["index", str(films)])
    assert result.exit_code == 0, result.output
    with Library.open(tmp_path / "library") as library:
        related = PairFile(library.directory, encoder.id).load().related
        pairs = named(library, {pair: kind for pair, (kind, _) in related.items()})
        assert {pair: kind for pair, kind in pairs.items() if kind is Relation.TAKE} == expected
        assert pairs[frozenset({"first", "copy"})] is Relation.SAME
        assert {i for pair in related for i in pair} <= set(library.segment_ids(Filters(), encoder.id).tolist())
    found = CliRunner().invoke(main, ["search", "penguin", "--top-k", "9"])
    assert found.stdout.count("of 2)") == 1, found.output
    assert len(found.stdout.splitlines()) == 2


# Pictures of previews


def test_pictures_of_a_preview_are_small_and_in_order(films: Path, tmp_path: Path) -> None:
    pictures = read_small_pictures(str(films / "first.mp4"), HEIGHT, WIDTH)
    assert pictures.shape[1:] == (HEIGHT, WIDTH, 3)
    assert 10 < len(pictures) <= MOST_PICTURES
    assert len(read_small_pictures(str(films / "first.mp4"), 2, 2)) == len(pictures)
    with pytest.raises(OSError, match="there"):
        read_small_pictures(str(tmp_path / "there"), HEIGHT, WIDTH)
    for content in (b"", b"no video", (films / "first.mp4").read_bytes()[:300]):
        (tmp_path / "x.mp4").write_bytes(content)
        with pytest.raises((UnreadableVideo, OSError)):
            read_small_pictures(str(tmp_path / "x.mp4"), HEIGHT, WIDTH)


def test_a_preview_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    from db_samples import add, make_video

    with Library.open(tmp_path) as library:
        add(library, make_video(), count=1)
        ((segment, video),) = library.segments([1]).values()
        assert look_reader(library, read_here)(segment, video) is None
