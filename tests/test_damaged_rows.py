"""Damage within the database: one line that names the video, while all others can be listed and searched."""

from __future__ import annotations

import random
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from db_samples import add, make_video, unit_rows

from db.errors import LibraryDamaged, LibraryError
from db.library import FILE_NAME, Library
from db.media_facts import MediaFacts
from db.records import CutSettings, EncoderChoice, Filters, NewSubclip, Video
from search.vectors.faiss_index import FaissIndex

GOOD, BAD = "/f/good.mp4", "/f/bad one.mp4"


def sql(directory: Path, statement: str, *values: Any) -> None:
    with sqlite3.connect(directory / FILE_NAME) as connection:
        connection.execute(statement, values)
    connection.close()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A library of two videos, of which the second, with the segments 4 to 6, is about to be damaged."""
    with Library.open(tmp_path / "library") as library:
        add(library, make_video(GOOD, "aa"))
        add(library, make_video(BAD, "bb"), seed=1)
        assert library.check() == []
    return tmp_path / "library"


DAMAGE = [
    "UPDATE videos SET time_base_den = 0 WHERE id = 2",
    "UPDATE videos SET time_base_num = -1 WHERE id = 2",
    "UPDATE videos SET end_pts = start_pts - 9 WHERE id = 2",
    "UPDATE videos SET frames = 'many' WHERE id = 2",
    "UPDATE videos SET width = 'wide', modified_ns = 1e300 WHERE id = 2",
    "UPDATE videos SET codec = x'00ff', fingerprint = 17 WHERE id = 2",
    "UPDATE videos SET frame_rate_den = 9.5 WHERE id = 2",
    "UPDATE videos SET height = 49 WHERE id = 2",
    "UPDATE videos SET rotation = 45 WHERE id = 2",
    "UPDATE videos SET end_pts = 9223372036854775807, start_pts = -9223372036854775807 WHERE id = 2",
    "UPDATE segments SET end_pts = start_pts WHERE id = 5",
    "UPDATE segments SET start_pts = 'then' WHERE id = 5",
    "UPDATE segments SET end_pts = end_pts + 1 WHERE id = 5",
    "UPDATE shots SET start_pts = end_pts + 5 WHERE video_id = 2 AND number = 1",
    "UPDATE embeddings SET row = zeroblob(32) WHERE segment_id = 5",
    "UPDATE embeddings SET row = x'007e' || zeroblob(30) WHERE segment_id = 5",
    "UPDATE embeddings SET row = x'00' WHERE segment_id = 5",
    "UPDATE embeddings SET row = row || row WHERE segment_id = 5",
    "UPDATE embeddings SET row = 'text' WHERE segment_id = 5",
    "UPDATE embeddings SET row = (SELECT row FROM embeddings WHERE segment_id = 1) WHERE segment_id = 5",
]


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_one_line_that_names_the_video_and_the_others_work(
    directory: Path, damage: str, tmp_path: Path
) -> None:
    sql(directory, damage)
    with Library.open(directory) as library:
        (line,) = [line for line in library.check() if BAD in line]
        assert "\n" not in line
        assert "prismsearch index --redo '/f/bad one.mp4'" in line
        assert not any(GOOD in line for line in library.check())
        assert GOOD in [video.path for video in library.videos()]
        assert GOOD in [each.video.path for each in library.overview()]
        assert library.stats().videos == 2
        assert {GOOD} <= set(library.known_files("enc"))
        for filters in (Filters(), Filters(min_seconds=0.1), Filters(folder="/f"), Filters(min_short_side=1)):
            assert {1, 2, 3} <= set(library.segment_ids(filters, "enc").tolist())
        index = FaissIndex.open(library, "enc", tmp_path / "vectors")
        ids, scores = index.search(unit_rows(1), 6)
        assert {1, 2, 3} <= set(ids[0].tolist())
        assert np.isfinite(scores).all()
        assert {1, 2, 3} <= set(library.segments(range(1, 7)))
        library.segments_of(2), library.shots(2)


@pytest.mark.parametrize("damage", DAMAGE)
def test_indexing_the_video_again_mends_it(directory: Path, damage: str) -> None:
    sql(directory, damage)
    with Library.open(directory) as library:
        add(library, make_video(BAD, "bb"), seed=1)
        assert library.check() == []


def test_every_writer_keeps_the_checksums_right(directory: Path) -> None:
    from fractions import Fraction

    with Library.open(directory) as library:
        library.touch_video(2, path="/f/moved.mp4", size_bytes=5, modified_ns=6)
        assert library.check() == []
        facts = MediaFacts(nominal_rate=Fraction(30), reel="A1")
        library.set_facts(2, timecode="01:00:00:00", facts=facts, kinds=frozenset({"hdr"}))
        assert library.check() == []
        library.copy_video(2, path="/f/copy.mp4", size_bytes=5, modified_ns=7)
        library.set_content_hash(2, "ab" * 32)
        assert library.check() == []
        add(library, make_video("/f/moved.mp4", "bb"), seed=2, encoder_id="other")
        assert library.check() == []
    with sqlite3.connect(directory / FILE_NAME) as connection:
        for table in ("videos", "encodings"):
            assert connection.execute(f"SELECT COUNT(*) FROM {table} WHERE checksum IS NULL").fetchone() == (0,)
    connection.close()


def test_neither_facts_nor_a_copy_hide_earlier_damage(directory: Path) -> None:
    from fractions import Fraction

    sql(directory, "UPDATE videos SET height = 49 WHERE id = 2")
    with Library.open(directory) as library:
        library.set_facts(2, timecode="", facts=MediaFacts(nominal_rate=Fraction(30)), kinds=frozenset())
        library.copy_video(2, path="/f/copy.mp4", size_bytes=5, modified_ns=7)
        assert sum("damaged" in line for line in library.check()) == 2


def test_an_older_library_gets_its_checksums_by_migration(tmp_path: Path) -> None:
    from test_db_opening import library_of_version_1

    library_of_version_1(tmp_path / "library")
    Library.open(tmp_path / "library").close()
    sql(tmp_path / "library", "UPDATE embeddings SET row = x'0000003c' WHERE segment_id = 2")
    sql(tmp_path / "library", "UPDATE segments SET end_pts = 7 WHERE id = 1")
    with Library.open(tmp_path / "library") as library:
        assert [f"/f/{number}.mp4" in line for number, line in enumerate(library.check(), 1)] == [True, True]


@pytest.mark.parametrize("dim", [0, -1, 1 << 40, 17, "'wide'"])
def test_an_encoder_of_an_impossible_width_is_damage(directory: Path, dim: object) -> None:
    sql(directory, f"UPDATE encoders SET dim = {dim}")
    with Library.open(directory) as library:
        if dim == 17:
            assert np.isnan(np.concatenate([rows for _, rows in library.embeddings("enc")])).all()
        else:
            with pytest.raises(LibraryDamaged, match="columns"):
                list(library.embeddings("enc"))
        assert any(BAD in line for line in library.check())


def uses(library: Library) -> list[Any]:
    """What commands and the page ask of a library."""
    shown = [(video, library.shots(video.id or 0), library.segments_of(video.id or 0)) for video in library.videos()]
    rows = [(ids.tolist(), rows.tobytes()) for ids, rows in library.embeddings("enc")]
    filtered = library.segment_ids(Filters(min_seconds=0.5, folder="/f"), "enc").tolist()
    return [shown, rows, filtered, library.overview(), library.stats(), library.segments(range(1, 200))]


def facts_of(used: list[Any]) -> Any:
    """What checksums cover: not where files are, when they changed, and which volume they are on."""
    moving = {"path", "size_bytes", "modified_ns", "file_id", "volume", "content_hash", "recorded_at"}

    def plain(video: Video) -> dict[str, Any]:
        return {name: getattr(video, name) for name in video.__slots__ if name not in moving}

    return [[(plain(video), *parts) for video, *parts in used[0]], used[1]]


def test_flipped_bits_are_seen_wherever_they_change_facts_or_vectors(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        for number in range(6):
            add(library, make_video(f"/f/{number}.mp4", f"f{number:02}"), count=12, seed=number)
        before = facts_of(uses(library))
    sql(tmp_path, "PRAGMA journal_mode = DELETE")
    content = (tmp_path / FILE_NAME).read_bytes()
    used = [at for at, byte in enumerate(content) if byte]  # empty pages would be hit most
    dice, seen = random.Random(13), 0
    for _ in range(60):
        at, bit = dice.choice(used), dice.randrange(8)
        (tmp_path / FILE_NAME).write_bytes(content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1 :])
        for name in ("-wal", "-shm", "-journal"):
            (tmp_path / f"{FILE_NAME}{name}").unlink(missing_ok=True)
        try:
            with Library.open(tmp_path) as library:
                found = library.check()
                after = facts_of(uses(library))
        except LibraryError:
            seen += 1
        else:
            assert found or after == before, f"bit {bit} of byte {at} is silent"
            seen += bool(found)
    assert seen > 20


def test_counts_that_are_no_numbers_are_damage(directory: Path) -> None:
    sql(directory, "UPDATE encoders SET generation = '{}'")
    with Library.open(directory) as library, pytest.raises(LibraryDamaged, match="counts of embeddings by enc"):
        library.stamp("enc")


@pytest.mark.parametrize("kind", ["poster", "preview"])
def test_media_of_another_size_are_named(tmp_path: Path, kind: str) -> None:
    from test_hostile_library import with_media

    video = with_media(tmp_path)
    with Library.open(tmp_path) as library:
        assert library.check() == []
        file = getattr(library, f"{kind}_path")(video, 1)
        file.write_bytes(file.read_bytes() + b"more")
        (line,) = library.check()
        assert "size has changed" in line
        assert video.path in line


@pytest.mark.parametrize(
    "damage",
    [
        "start_pts = 'then'", "time_base_den = 0", "name = x'92ff'", "revision = 1.5", "fingerprint = x'07'",
        "video_start_pts = x'00'",
    ],
)  # fmt: skip
def test_a_damaged_subclip_is_left_out_of_its_collection(directory: Path, damage: str) -> None:
    with Library.open(directory) as library:
        tray = library.collections.tray()
        kept, _ = library.collections.add(tray.id, [NewSubclip(segment_id=1), NewSubclip(segment_id=2)])
        sql(directory, f"UPDATE subclips SET {damage} WHERE id = 2")
        assert library.collections.subclips(tray.id) == [kept]
        sql(directory, "UPDATE segments SET start_pts = 'then' WHERE id IN (1, 3)")
        assert [each.id for each in library.collections.subclips(tray.id)] == [kept.id]


@pytest.mark.parametrize("damage", ["name = x'92'", "revision = 'one'", "updated_at = x'00'"])
def test_a_damaged_collection_or_saved_search_is_left_out(directory: Path, damage: str) -> None:
    with Library.open(directory) as library:
        tray, other = library.collections.tray(), library.collections.create("Other")
        library.searches.save("mine", "?q=red")
        sql(directory, f"UPDATE collections SET {damage} WHERE id = {tray.id}")
        sql(directory, "UPDATE saved_searches SET link = x'92'")
        assert library.collections.all() == [other] == [library.collections.tray()]
        assert library.searches.all() == []
        with pytest.raises(KeyError):
            library.collections.get(tray.id)


def test_damaged_settings_are_left_out_or_named(directory: Path) -> None:
    choice = EncoderChoice(name="demo", encoder_id="enc", frames=None, fit="stretch")
    cuts = CutSettings(detector="blend", detector_options={}, segment_seconds=8, overlap_seconds=0.5, decode="all")
    with Library.open(directory) as library:
        library.use_encoders(choice, replace(choice, encoder_id="other", fit="crop"))
        library.use_cut_settings(cuts)
        sql(directory, "UPDATE encoder_choices SET fit = 'bent' WHERE encoder_id = 'other'")
        assert library.encoder_choices() == [choice]
        sql(directory, "UPDATE encoders SET segments = 'seven'")
        assert library.encoders() == []
        sql(directory, "UPDATE library SET segment_seconds = 'long'")
        with pytest.raises(LibraryDamaged, match="lengths of segments"):
            library.cut_settings()
