"""What a run is trained on: sides by content, rows that a library has, clips that are read once, and data that stay."""

from __future__ import annotations

import itertools
from pathlib import Path

import cli_library
import numpy as np
import pytest
from fakes import ColourEncoder
from synthetic import make_video

from app.media_workers import read_here
from app.text_files import TextFileError
from app.tuning.captions_file import Captioned
from app.tuning.examples import Example, divide, sides_of
from app.tuning.footage import ClipCache, Footage, readable
from app.tuning.guard_file import LEAST, read_guard
from app.tuning.run_data import EXAMPLES_FILE, GUARD_FILE, ROWS_FILE, RunData, read_run_data, write_run_data
from app.tuning.stored_rows import stored_rows
from db.library import Library
from encoder import ClipSpec
from indexer.media.errors import Cancelled


def example(content: str, *, split: str = "", group: str = "", path: str = "/a.mp4") -> Example:
    return Example(path, None, None, ("a zorp",), content, split, group)


def sides(examples: list[Example], share: float = 0.25, seed: int = 0) -> dict[str, str]:
    return {each.content: each.split for each in divide(examples, share, seed)}


def test_copies_of_one_file_are_on_one_side() -> None:
    examples = [example(str(number % 10), path=f"/{number}.mp4") for number in range(40)]
    divided = divide(examples, 0.3, 0)
    assert sides_of(divided) == {"train": 28, "validation": 12, "test": 0}
    for content in range(10):
        assert len({each.split for each in divided if each.content == str(content)}) == 1


def test_order_and_a_newcomer_change_no_side_but_by_the_share() -> None:
    examples = [example(str(number)) for number in range(40)]
    before = sides(examples)
    assert sides(examples[::-1]) == before
    after = sides([*examples, example("new")])
    assert sum(before[content] != after[content] for content in before) <= 1
    assert sides(examples, seed=1) != before


def test_groups_that_share_a_content_are_one() -> None:
    examples = [example("1", group="a"), example("2", group="a"), example("2", group="b"), example("3", group="b")]
    examples += [example(str(number)) for number in range(4, 9)]
    for seed in range(20):
        assert len({sides(examples, seed=seed)[content] for content in "123"}) == 1


def test_what_the_file_says_of_sides_counts_and_training_loses_what_it_says_twice() -> None:
    found = sides([example("1", split="validation"), example("2"), example("3", split="test"), example("4")], 0.9)
    assert found == {"1": "validation", "2": "train", "3": "test", "4": "train"}
    twice = divide([example("1", split="train"), example("1", split="validation"), example("2")], 0, 0)
    assert [each.split for each in twice] == ["validation", "validation", "train"]


@pytest.mark.parametrize(("count", "share", "held"), [(1, 0.9, 0), (2, 0.01, 1), (2, 0.9, 1), (5, 0, 0), (0, 0.5, 0)])
def test_something_is_held_out_and_something_is_left(count: int, share: float, held: int) -> None:
    found = sides([example(str(number)) for number in range(count)], share)
    assert sum(side == "validation" for side in found.values()) == held


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library.open(cli_library.build(tmp_path, ColourEncoder()))


def said(path: Path, *times: float | None, text: str = "a zorp", split: str = "", group: str = "") -> Captioned:
    start, end = times or (None, None)
    return Captioned(str(path), start, end, (text,), split, group)


def test_a_caption_finds_the_segments_that_show_its_stretch(tmp_path: Path, library: Library) -> None:
    red, encoder = tmp_path / "films/red.mp4", ColourEncoder()
    whole = said(red, text="two colours")
    first = said(red, 0.0, 2.0, text="red")
    inside = said(red, 2.5, 3.0, text="blue", group="g")
    found = stored_rows(library, encoder.id, [whole, first, inside])
    assert [(each.start_seconds, each.end_seconds, each.captions) for each in found.examples] == [
        (0.0, 2.0, ("two colours", "red")),
        (2.0, 4.0, ("two colours", "blue")),
    ]
    assert [each.group for each in found.examples] == ["", "g"]
    assert not found.left_out
    video = library.video_at(str(red))
    assert video is not None
    ids = [each.id for each in library.segments_of(video.id or 0)]
    np.testing.assert_array_equal(found.rows, library.embedding_rows(encoder.id, [each for each in ids if each]))


def test_a_caption_that_no_segment_answers_is_left_out_with_its_reason(tmp_path: Path, library: Library) -> None:
    red, gone = tmp_path / "films/red.mp4", tmp_path / "nowhere.mp4"
    across = said(red, 1.2, 2.4)  # two thirds of it lie in the first segment, less than half of any segment in it
    found = stored_rows(library, ColourEncoder().id, [across, said(red, 9.0, 10.0), said(gone)])
    assert [each.start_seconds for each in found.examples] == [0.0]
    assert [(each.path, each.reason) for each in found.left_out] == [
        (str(red), "the video has only 4.0 s"),
        (str(gone), "the library does not have this video; index it first"),
    ]
    nothing = stored_rows(library, "another encoder", [across])
    assert "no rows of this encoder" in nothing.left_out[0].reason
    assert nothing.rows.shape[0] == 0


def test_a_copy_of_an_indexed_file_has_its_rows(tmp_path: Path) -> None:
    from indexer.fingerprint import fingerprint

    copy = tmp_path / "copy.mp4"
    with Library.open(tmp_path / "library") as library:
        cli_library.add(library, ColourEncoder(), tmp_path / "one.mp4", [((255, 0, 0), 0, 2)])
        video = library.video_at(str(tmp_path / "one.mp4"))
        assert video is not None
        cli_library.add(
            library, ColourEncoder(), tmp_path / "two.mp4", [((0, 0, 255), 0, 2)],
            fingerprint=fingerprint(tmp_path / "one.mp4"),
        )  # fmt: skip
        copy.write_bytes((tmp_path / "one.mp4").read_bytes())
        [found] = stored_rows(library, ColourEncoder().id, [said(copy)]).examples
        assert found.path == str(tmp_path / "two.mp4")


SPEC = ClipSpec(4, 16)


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("videos")
    make_video(folder / "red.mp4", [("red", 12)])
    make_video(folder / "blue.mp4", [("blue", 12)])
    (folder / "bad.mp4").write_bytes(b"no video")
    return folder


def test_clips_are_read_once_and_bad_ones_are_left_out_before_a_run(videos: Path, tmp_path: Path) -> None:
    examples = [example(name, path=str(videos / f"{name}.mp4")) for name in ("red", "bad", "blue", "gone")]
    calls: list[str] = []

    def read(*arguments: object, path: str, **keywords: object) -> object:
        calls.append(path)
        return read_here(*arguments, path=path, **keywords)  # type: ignore[arg-type]

    footage = Footage(examples, SPEC, read, ClipCache(tmp_path / "clips", 1 << 20))  # type: ignore[arg-type]
    seen: list[tuple[int, int]] = []
    kept, left_out = readable(footage, examples, lambda *at: seen.append(at), lambda: False)
    assert [each.content for each in kept] == ["red", "blue"]
    assert [Path(each.path).name for each in left_out] == ["bad.mp4", "gone.mp4"]
    assert all(each.reason and not each.reason.startswith("/") for each in left_out)
    assert seen[0] == (0, 4)
    assert seen[-1] == (4, 4)
    again = Footage(kept, SPEC, read, ClipCache(tmp_path / "clips", 1 << 20))  # type: ignore[arg-type]
    before = len(calls)
    clips = [again.clip(place) for place in range(2)]
    assert [each.shape for each in clips] == [(4, 16, 16, 3)] * 2
    assert clips[0][0, 0, 0, 0] > 150
    assert len(calls) == before, "the second time, clips come from the cache"
    with pytest.raises(Cancelled):
        readable(footage, examples, lambda *at: None, lambda: True)


def test_the_cache_is_bounded_and_damage_in_it_is_read_again(videos: Path, tmp_path: Path) -> None:
    examples = [example(name, path=str(videos / f"{name}.mp4")) for name in ("red", "blue")]
    one = SPEC.frames * SPEC.size**2 * 3
    footage = Footage(examples, SPEC, read_here, ClipCache(tmp_path, one + 10))
    clips = [footage.clip(place) for place in range(2)]
    [kept] = tmp_path.iterdir()
    kept.write_bytes(kept.read_bytes()[:50])
    np.testing.assert_array_equal([footage.clip(place) for place in range(2)], clips)
    assert len(list(tmp_path.iterdir())) == 1
    ClipCache(tmp_path, 1).clear()
    assert not tmp_path.exists()


def test_the_data_of_a_run_are_the_same_when_it_goes_on(tmp_path: Path) -> None:
    examples = divide([example(str(number), path=f"/\udcff{number}\u2028.mp4") for number in range(5)], 0.2, 0)
    rows = np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)
    data = RunData(examples, rows)
    assert read_run_data(tmp_path, with_rows=True) is None
    write_run_data(tmp_path, data)
    again = read_run_data(tmp_path, with_rows=True)
    assert again is not None
    assert again.examples == examples
    assert again.digest == data.digest
    np.testing.assert_array_equal(again.rows, rows)
    assert RunData(examples, rows + 1).digest != data.digest
    assert RunData(examples[::-1], rows).digest != data.digest
    assert len(again.places("train")) == 4


def test_a_run_keeps_the_sentences_that_hold_its_tower(tmp_path: Path) -> None:
    data = RunData(divide([example("1")], 0, 0), np.zeros((1, 2), np.float32), guard=("a\u2028cat", "a dog"))
    write_run_data(tmp_path, data)
    again = read_run_data(tmp_path, with_rows=True)
    assert again is not None
    assert again.guard == data.guard
    assert again.digest == data.digest
    assert RunData(data.examples, data.rows, guard=("a dog",)).digest != data.digest


def test_a_file_of_guard_sentences_is_read_and_bounded(tmp_path: Path) -> None:
    path = tmp_path / "guard.txt"
    sentences = [f"take {number}" for number in range(LEAST)]
    path.write_text("# of the catalogue\n\n" + "\r\n".join([*sentences, sentences[0]]), encoding="utf-8-sig")
    assert read_guard(path) == tuple(sentences)
    path.write_text("\n".join(sentences[1:]))
    with pytest.raises(TextFileError, match=rf"guard.txt: a guard has {LEAST} to .* got {LEAST - 1}"):
        read_guard(path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (EXAMPLES_FILE, b"{}\n"),
        (EXAMPLES_FILE, b"[]\n"),
        (EXAMPLES_FILE, b"\xff\n"),
        (EXAMPLES_FILE, b'{"path": 1}\n'),
        (ROWS_FILE, b"no rows"),
        (ROWS_FILE, b""),
        (GUARD_FILE, b"["),
        (GUARD_FILE, b'["a", 1]'),
    ],
)
def test_damaged_data_of_a_run_are_one_line(name: str, content: bytes, tmp_path: Path) -> None:
    write_run_data(tmp_path, RunData(divide([example("1")], 0, 0), np.zeros((1, 2), np.float32)))
    (tmp_path / name).write_bytes(content)
    with pytest.raises(TextFileError, match="begin another run") as refused:
        read_run_data(tmp_path, with_rows=True)
    assert "\n" not in str(refused.value)


def test_every_shuffle_of_a_split_keeps_contents_together() -> None:
    examples = [example("1", group="x"), example("1", group="y"), example("2", group="y"), example("3")]
    found = {tuple(sorted(sides(list(order)).items())) for order in itertools.permutations(examples)}
    assert len(found) == 1
