"""A space that an earlier version named otherwise keeps its rows and caches, and two text towers share one library."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from db_samples import add, make_video
from fakes import ColourEncoder
from numpy.typing import NDArray
from older_formats import to_format

from app import compose
from app.compose import Settings
from app.encoder_choice import other_text, saved_note, shapes_of, take_over_former_space
from app.evaluation.row_store import RowStore, names_file, rows_file
from app.evaluation.token_store import TokenStore
from db.errors import LibraryError
from db.library import Library
from db.records import EncoderChoice
from encoder import Shape
from files.stamped import StampedFiles
from search.cache_file import cache_name
from search.calibration.calibration import null_name
from search.calibration.folder import calibration_folder
from search.duplicate_threshold import DuplicateThreshold
from search.projection import ProjectionStore
from search.query import Query, TextTerm

TESTS = Path(__file__).parent
FORMER, SPACE = "colour@0123:4f:stretch", "colour@4567:4f:stretch"


class Named(ColourEncoder):
    """The same encoder as an earlier version names it (`former` is None), or as this one does."""

    def __init__(self, id: str = SPACE, former: str | None = FORMER, text_id: str = "colour:text@1") -> None:
        super().__init__(text_id=text_id)
        self._id, self.former_id, self.encoded = id, former, 0

    @property
    def id(self) -> str:
        return self._id

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.encoded += len(texts)
        return super().encode_texts(texts)


BEFORE = Named(FORMER, None)


def former_library(directory: Path, shots: int = 60) -> list[tuple[int | None, float, object]]:
    """A library as an earlier version leaves it: format 6, with a map and a threshold; return what it finds."""
    with Library.open(directory) as library:
        for number in range(2):
            video = make_video(f"/f/{number}.mp4", f"a{number}", seconds=400)
            add(library, video, count=shots // 2, seed=number, encoder_id=FORMER)
        library.use_encoders(EncoderChoice(name="colour", encoder_id=FORMER, frames=4, fit="stretch"))
        library.searches.save("Red ones", "q=red")
        DuplicateThreshold(directory, FORMER).save(np.full(40, 0.93, np.float32))
    before = found(directory, BEFORE)
    with Library.open(directory) as library:
        ProjectionStore(library, FORMER, directory / "map").update()
        nulls = calibration_folder(directory)
        made = StampedFiles(nulls, cache_name(null_name(FORMER, BEFORE.text_id)))
        assert made.hand_over(StampedFiles(nulls, cache_name(f"{FORMER} null")), lambda record: record)
        with library._database.writing_without_foreign_keys() as connection:
            to_format(connection, 6)
    return before


def found(directory: Path, encoder: Named) -> list[tuple[int | None, float, object]]:
    with Library.open(directory) as library:
        hits = compose.open_engine(Settings(library=directory), library, encoder).search(Query([TextTerm("red")], k=7))
        return [(hit.segment.id, hit.score, hit.strength) for hit in hits]


def test_a_library_of_an_earlier_version_searches_at_once_and_finds_the_same(tmp_path: Path) -> None:
    before, now = former_library(tmp_path), Named()
    assert before
    assert None not in before[0]
    assert found(tmp_path, now) == before
    assert now.encoded == 1, "null questions were encoded again"
    assert now.batches == []
    with Library.open(tmp_path) as library:
        (row,) = library.encoders()
        assert (row.id, row.former_id, row.segments) == (SPACE, FORMER, 60)
        (choice,) = library.encoder_choices()
        assert (choice.encoder_id, choice.name, choice.text_id) == (SPACE, "colour", now.text_id)
        assert [each.text_id for each in library.searches.all()] == [now.text_id]
        assert DuplicateThreshold(tmp_path, SPACE).load() is not None
        saved = ProjectionStore(library, SPACE, tmp_path / "map").load_saved()
        assert saved is not None
        assert saved.stamp == library.stamp(SPACE)
        assert library.check() == []
    left = [path.name for path in tmp_path.rglob("*") if "0123" in path.name and path.parent.name != "claims"]
    assert left == []
    assert found(tmp_path, now) == before


KILL = f"""
import os, sys
sys.path[:0] = [{str(TESTS.parent)!r}, {str(TESTS)!r}]
from pathlib import Path
from sqlalchemy import event
from app.encoder_choice import take_over_former_space
from db.library import Library
from files.stamped import StampedFiles
from test_spaces import Named
def die(*_):
    os.kill(os.getpid(), 9)
library = Library.open(Path(sys.argv[1]))
step = sys.argv[2]
if step.isdigit():  # within the renaming of caches
    calls, replace = [], Path.replace
    def replaced(path, to):
        calls.append(path)
        return die() if len(calls) > int(step) else replace(path, to)
    Path.replace = replaced
elif step == "caches":
    library.rename_space = die
else:
    event.listen(library._database.engine, "commit", die)  # SQLAlchemy calls it just before COMMIT
take_over_former_space(library, Named())
"""


@pytest.mark.parametrize("step", ["1", "caches", "commit"])
def test_kill_9_while_a_space_is_renamed_loses_nothing(tmp_path: Path, step: str) -> None:
    before = former_library(tmp_path)
    killed = subprocess.run([sys.executable, "-c", KILL, str(tmp_path), step], check=False, timeout=120)
    assert killed.returncode == -signal.SIGKILL
    with Library.open(tmp_path) as library:
        assert [row.id for row in library.encoders()] == [FORMER]
    now = Named()
    assert [row[:2] for row in found(tmp_path, now)] == [row[:2] for row in before]
    with Library.open(tmp_path) as library:
        assert [row.id for row in library.encoders()] == [SPACE]
        assert library.check() == []
    assert now.batches == []


def test_other_rows_keep_their_name(tmp_path: Path) -> None:
    """Those of another encoder, and those of a former name where the present one has rows, too."""
    with Library.open(tmp_path) as library:
        add(library, make_video("/f/1.mp4", "a1"), encoder_id="another@1")
        take_over_former_space(library, Named())
        assert [row.id for row in library.encoders()] == ["another@1"]
        add(library, make_video("/f/2.mp4", "a2"), encoder_id=FORMER)
        add(library, make_video("/f/3.mp4", "a3"), encoder_id=SPACE)
        take_over_former_space(library, Named())
        assert {row.id: row.former_id for row in library.encoders()} == {"another@1": None, FORMER: None, SPACE: None}
        assert not library.rename_space(FORMER, SPACE, "t")
        assert not library.rename_space("unknown", "new", "t")


def test_a_choice_without_rows_is_renamed_too_and_one_that_is_there_stays(tmp_path: Path) -> None:
    old = EncoderChoice(name="colour", encoder_id=FORMER, frames=4, fit="stretch")
    new = EncoderChoice(name="mine", encoder_id=SPACE, frames=4, fit="stretch", text_id="t")
    with Library.open(tmp_path) as library:
        library.use_encoders(old)
        take_over_former_space(library, Named())
        assert [(each.encoder_id, each.text_id) for each in library.encoder_choices()] == [(SPACE, "colour:text@1")]
        library.use_encoders(new, old)
        take_over_former_space(library, Named())
        assert library.encoder_choices() == [new]


def test_searches_of_a_library_that_last_used_another_encoder_stay_unknown(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        add(library, make_video(), encoder_id=FORMER)
        library.use_encoders(
            EncoderChoice(name="colour", encoder_id=FORMER, frames=4, fit="stretch"),
            EncoderChoice(name="other", encoder_id="other@1:8f:crop", frames=8, fit="crop"),
        )
        known = library.searches.save("Known", "q=a", text_id="mine")
        library.searches.save("Unknown", "q=b")
        take_over_former_space(library, Named())
        assert {each.name: each.text_id for each in library.searches.all()} == {"Known": "mine", "Unknown": ""}
        assert known.text_id == "mine"


@pytest.mark.skipif(os.name != "posix" or not hasattr(os, "geteuid"), reason="permissions of a file system")
def test_a_library_that_can_only_be_read_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Library.open(tmp_path) as library:
        add(library, make_video(), encoder_id=FORMER)
        monkeypatch.setattr(Library, "read_only", property(lambda self: True))
        with pytest.raises(LibraryError, match="is read-only, and an earlier version named its rows"):
            take_over_former_space(library, Named())
        take_over_former_space(library, Named(former=None))
        assert [row.id for row in library.encoders()] == [FORMER]


# Two text towers over one library


def test_each_text_tower_has_strengths_of_its_own_over_the_same_rows(tmp_path: Path) -> None:
    former_library(tmp_path)
    base, tuned = Named(), Named(former="colour@89ab:4f:stretch", text_id="colour:text@2")
    first = found(tmp_path, base)
    rows = [row[:2] for row in first]
    assert [row[:2] for row in found(tmp_path, tuned)] == rows
    assert tuned.encoded == 257, "256 null questions are made again for another text tower"
    assert (base.batches, tuned.batches) == ([], [])
    again, tuned_again = Named(), Named(text_id="colour:text@2")
    assert found(tmp_path, again) == first
    found(tmp_path, tuned_again)
    assert (again.encoded, tuned_again.encoded) == (1, 1), "each has its file"


def test_the_other_text_tower_is_told(tmp_path: Path) -> None:
    base, tuned = Named(), Named(text_id="colour:text@2")
    with Library.open(tmp_path) as library:
        assert other_text(library, base) is None
        library.use_encoders(EncoderChoice(name="c", encoder_id=SPACE, frames=4, fit="stretch"))
        assert other_text(library, base) is None, "not known"
        library.use_encoders(EncoderChoice(name="c", encoder_id=SPACE, frames=4, fit="stretch", text_id=base.text_id))
        assert other_text(library, base) is None
        assert other_text(library, tuned) == base.text_id
        search = library.searches.save("Red ones", "q=red", text_id=base.text_id)
        assert saved_note(search, base.text_id) == saved_note(search, "") == ""
        assert saved_note(library.searches.save("Old", "q=red"), base.text_id) == ""
        assert saved_note(search, tuned.text_id) == "made with another text encoder: strengths may differ"


def test_a_file_takes_the_shape_that_the_library_has_for_its_weights(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        library.use_encoders(
            EncoderChoice(name="a", encoder_id="w@1:8f:crop", frames=8, fit="crop"),
            EncoderChoice(name="a", encoder_id="w@1:4f:pad:still2", frames=4, fit="pad", still_frames=2),
            EncoderChoice(name="b", encoder_id="of another form", frames=8, fit="crop"),
        )
        assert shapes_of(library) == {"w@1": Shape(4, "pad", 2)}, "the one used last"
        known = compose.with_library_encoder(Settings(library=tmp_path, encoder="a"), library)
        assert (known.frames, known.fit, known.still_frames, known.shapes) == (4, "pad", 2, {})
        unknown = compose.with_library_encoder(Settings(library=tmp_path, encoder="mine.npz"), library)
        assert (unknown.frames, unknown.shapes) == (None, {"w@1": Shape(4, "pad", 2)})
        library.use_encoders(EncoderChoice(name="c", encoder_id="open_clip:x@1:8f:pad:ends", frames=8, fit="pad"))
        assert shapes_of(library)["open_clip:x@1"] == Shape(8, "pad", 0)
        asked = compose.with_library_encoder(Settings(library=tmp_path, encoder="mine.npz", frames=8), library)
        assert (asked.frames, asked.shapes) == (8, {})


def test_rows_and_tokens_of_evaluations_get_the_new_name_and_names_of_classes_the_text_tower(tmp_path: Path) -> None:
    with RowStore(rows_file(tmp_path, FORMER, "float32"), 2) as store:
        store.add("a", np.array([1, 0], np.float32))
    with RowStore(rows_file(tmp_path, SPACE, "float32", FORMER), 2) as store:
        assert "a" in store
    assert rows_file(tmp_path, SPACE, "float32", FORMER).exists()
    TokenStore(tmp_path, FORMER, "float32", (1, 2)).add("a", np.ones((1, 2), np.float32))
    assert "a" in TokenStore(tmp_path, SPACE, "float32", (1, 2), FORMER)
    assert names_file(tmp_path, Named()) != names_file(tmp_path, Named(text_id="colour:text@2"))
