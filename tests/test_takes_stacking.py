"""Takes in answers: stacked behind the best of them, hidden or shown, with near-duplicates inside."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from db_samples import ids_of, make_video
from fakes import ColourEncoder, ExactIndex

from app.cli import main
from app.search_link import SearchLink, parse_link
from db.library import Library
from db.records import Filters, Segment, Shot
from search.engine import SearchEngine
from search.query import Hit, Query, QueryError, TextTerm
from search.several.engine import SeveralEngine
from search.space import Space
from search.takes.pair_file import Found, PairFile
from search.takes.relations import Relation
from search.takes.set_ups import SetUp
from search.takes.stacking import TakeClaims, takes_of

ENCODER = ColourEncoder()
RED = TextTerm("red")
NAMES = ("best", "second", "copy", "third", "other", "last")
RECORDED = {"best": 300, "second": 100, "copy": 100, "third": 200, "other": 50, "last": None}
TAKE, SAME = Relation.TAKE, Relation.SAME


def fill(library: Library) -> dict[str, int]:
    """Six one-shot videos, each a little less red than the one before; `copy` is one of `second`."""
    ids = {}
    red = ENCODER.encode_texts(["red"])[0]
    for at, name in enumerate(NAMES):
        video = make_video(f"/{name}.mp4", name, seconds=4, recorded_at=RECORDED[name])
        row = red.copy()
        row[11] += (0.1 if name == "copy" else 0.1 * (at + (name != "second") * 0.01)) * 2
        row /= np.linalg.norm(row)
        spans = {"start_pts": video.start_pts, "end_pts": video.end_pts}
        shots, segments = [Shot(number=0, **spans)], [Segment(number=0, shot_number=0, **spans)]
        video_id = library.add_video(video, shots, segments, row[None], encoder_id=ENCODER.id, recipe="r")
        (ids[name],) = ids_of(library, video_id)
    return ids


def relate(library: Library, ids: dict[str, int]) -> None:
    """best, second (with its copy) and third are takes of one set-up."""
    pairs = {("best", "second"): TAKE, ("best", "copy"): TAKE, ("best", "third"): TAKE, ("second", "third"): TAKE}
    pairs |= {("copy", "third"): TAKE, ("second", "copy"): SAME}
    related = {(min(ids[a], ids[b]), max(ids[a], ids[b])): (kind, 0.8) for (a, b), kind in pairs.items()}
    PairFile(library.directory, ENCODER.id).save(Found(np.array(sorted(ids.values()), np.int64), related))


def open_for_shell(folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Fill a library with these takes, and let commands use it."""
    monkeypatch.setenv("PRISMSEARCH_LIBRARY", str(folder))
    monkeypatch.setattr("app.compose.open_encoder", lambda settings, sources=None: ENCODER)
    with Library.open(folder) as library:
        ids = fill(library)
        relate(library, ids)
    return ids


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library") as library:
        yield library


def engine(library: Library) -> SearchEngine:
    return SearchEngine(library, ENCODER, ExactIndex.of(library, ENCODER.id))


def names(hits: list[Hit]) -> list[str]:
    return [Path(hit.video.path).stem for hit in hits]


def test_other_takes_stand_behind_the_best_in_the_order_of_recording(library: Library) -> None:
    ids = fill(library)
    relate(library, ids)
    answer = engine(library).answer(Query([RED], k=9, takes="stack", duplicates="stack", near_duplicates=0.9999))
    assert names(answer.hits) == ["best", "other", "last"]
    best = answer.hits[0]
    assert best.takes == ((ids["second"], ids["copy"]), (ids["third"],), (ids["best"],))
    assert best.take == 3
    assert best.alike == ()
    assert (answer.stacked, answer.stacked_takes, answer.hidden) == (0, 2, 0)
    assert [hit.takes for hit in answer.hits[1:]] == [(), ()]
    assert [hit.rank for hit in answer.hits] == [1, 2, 3]


def test_copies_of_the_hit_stand_behind_it_though_their_rows_are_further_away(library: Library) -> None:
    ids = fill(library)
    relate(library, ids)
    query = Query([RED], takes="stack", duplicates="stack", near_duplicates=1.0, leave_out=frozenset({ids["best"]}))
    hits = engine(library).search(query)
    assert names(hits) == ["second", "other", "last"]
    assert hits[0].alike == (ids["copy"],)
    assert hits[0].takes == ((ids["second"], ids["copy"]), (ids["third"],), ())
    assert hits[0].take == 1
    shown = engine(library).search(Query([RED], takes="stack", leave_out=frozenset({ids["best"]})))
    assert names(shown) == ["second", "copy", "other", "last"], "near-duplicates are shown"
    assert shown[1].takes == (), "the takes stand behind the first of their hits only"


def test_another_take_is_no_near_duplicate_however_near_its_row(library: Library) -> None:
    ids = fill(library)
    relate(library, ids)
    hits = engine(library).search(Query([RED], takes="stack", duplicates="stack", near_duplicates=0.2))
    assert ids["third"] not in hits[0].alike
    assert ids["second"] not in hits[0].alike
    assert ids["other"] in hits[0].alike
    assert len(hits[0].takes) == 3


def test_they_are_hidden_or_shown_as_asked(library: Library) -> None:
    ids = fill(library)
    relate(library, ids)
    hidden = engine(library).answer(Query([RED], takes="hide"))
    assert names(hidden.hits) == ["best", "other", "last"]
    assert hidden.hidden == 3
    assert all(hit.takes == () and hit.take is None for hit in hidden.hits)
    shown = engine(library).answer(Query([RED]))
    assert names(shown.hits) == ["best", "second", "copy", "third", "other", "last"]
    assert [hit.take for hit in shown.hits] == [3, 1, 1, 2, None, None]
    with pytest.raises(QueryError, match="stack, hide, show"):
        Query([RED], takes="pile")  # type: ignore[arg-type]


def test_the_next_best_take_their_place(library: Library) -> None:
    ids = fill(library)
    relate(library, ids)
    assert names(engine(library).search(Query([RED], k=2, takes="stack"))) == ["best", "other"]
    assert names(engine(library).search(Query([RED], k=1, takes="stack"))) == ["best"]
    limited = engine(library).answer(Query([RED], k=2, takes="stack", per_video=1))
    assert names(limited.hits) == ["best", "other"]
    assert limited.hidden == 0


def test_takes_that_do_not_pass_the_filters_are_not_there_but_keep_their_number(library: Library) -> None:
    ids = fill(library)
    relate(library, ids)
    hits = engine(library).search(Query([RED], takes="stack", filters=Filters(recorded_since=150)))
    assert names(hits) == ["best"]
    assert hits[0].takes == ((), (ids["third"],), (ids["best"],))
    assert hits[0].take == 3
    (alone,) = engine(library).search(Query([RED], takes="stack", filters=Filters(recorded_since=250)))
    assert (alone.takes, alone.take) == ((), None)


def test_what_is_gone_is_no_take(library: Library) -> None:
    ids = fill(library)
    relate(library, ids)
    library.remove_videos([video.id or 0 for video in library.videos() if "third" in video.path])
    hits = engine(library).search(Query([RED], takes="stack"))
    assert hits[0].takes == ((ids["second"], ids["copy"]), (ids["best"],))


def test_takes_without_a_date_come_last(library: Library) -> None:
    ids = fill(library)
    set_up = SetUp(((ids["last"],), (ids["best"],)))
    found = takes_of(
        library, dict.fromkeys((ids["last"], ids["best"]), set_up), [ids["last"]], lambda _: True, once=True
    )
    assert found == {ids["last"]: ((ids["best"],), (ids["last"],))}


def test_an_engine_learns_of_takes_that_were_found_since(library: Library) -> None:
    ids = fill(library)
    search = engine(library)
    assert len(search.search(Query([RED], takes="stack"))) == 6
    relate(library, ids)
    assert len(search.search(Query([RED], takes="stack"))) == 3


def test_several_spaces_stack_what_any_of_them_has_compared(library: Library) -> None:
    """Full rows and quick ones: `third` has no full row yet, so only its quick one tells whose take it is."""
    quick = ColourEncoder(name="quick")
    ids = fill(library)
    relate(library, ids)
    full = Space(library, ENCODER, ExactIndex.of(library, ENCODER.id))
    alone = SeveralEngine([[full]])
    for segment, video in library.segments(list(ids.values())).values():
        rows = library.embedding_rows(ENCODER.id, [segment.id or 0])
        spans = {"start_pts": segment.start_pts, "end_pts": segment.end_pts}
        shots, segments = [Shot(number=0, **spans)], [Segment(number=0, shot_number=0, **spans)]
        library.add_video(video, shots, segments, rows, encoder_id=quick.id, recipe="r")
    pair = (ids["best"], ids["third"])
    PairFile(library.directory, quick.id).save(Found(np.array(sorted(pair), np.int64), {pair: (TAKE, 0.8)}))
    known = [ids[name] for name in NAMES if name != "third"]
    PairFile(library.directory, ENCODER.id).save(Found(np.array(known, np.int64), {}))
    assert len(alone.search(Query([RED], takes="stack"))) == 6
    both = SeveralEngine([[full, Space(library, quick, ExactIndex.of(library, quick.id), is_quick=True)]])
    hits = both.search(Query([RED], takes="stack"))
    assert names(hits) == ["best", "second", "copy", "other", "last"]
    assert hits[0].takes == ((ids["third"],), (ids["best"],))


def test_a_claim_stays_with_the_better_hit() -> None:
    set_up = SetUp(((1, 4), (2,), (3,)))
    claims = TakeClaims(dict.fromkeys((1, 2, 3, 4), set_up))
    claims.claim(2, 0)
    claims.claim(1, 5)
    claims.claim(9, 7)
    assert claims.owner(2) == (0, True)
    assert claims.owner(4) == claims.owner(3) == (0, False)
    assert claims.owner(9) is None


# The shell


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    return open_for_shell(tmp_path / "library", monkeypatch)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_the_shell_says_which_take_a_hit_is(shell: dict[str, int]) -> None:
    lines = run("search", "red").stdout.splitlines()
    assert len(lines) == 3
    assert "/best.mp4  (take 3 of 3)" in lines[0]
    assert "take" not in lines[1]
    shown = run("search", "red", "--takes", "show", "--duplicates", "show").stdout.splitlines()
    assert ["(take" in line for line in shown] == [True, True, True, True, False, False]
    assert "/third.mp4  (take 2 of 3)" in shown[3]
    assert "take" not in run("search", "red", "--takes", "hide").stdout
    assert run("search", "red", "--takes", "pile").exit_code == 2


def test_json_has_the_segments_of_all_takes(shell: dict[str, int]) -> None:
    hits = json.loads(run("search", "red", "--json").stdout)["hits"]
    assert hits[0]["take"] == 3
    assert hits[0]["takes"] == [[shell["second"], shell["copy"]], [shell["third"]], [shell["best"]]]
    assert (hits[1]["take"], hits[1]["takes"]) == (None, [])


def test_export_says_that_other_takes_stay_behind(shell: dict[str, int]) -> None:
    result = run("export", "red", "--top-k", "1", "--to", "clips")
    assert "2 other takes of these hits not exported (--takes show exports all of them)" in result.stderr
    shown = run("export", "red", "--top-k", "4", "--takes", "show", "--duplicates", "show", "--to", "clips")
    assert "other take" not in shown.stderr


def test_links_keep_it() -> None:
    assert parse_link({"q": ["a"], "takes": ["show"]}) == (SearchLink(words="a", takes="show"), [])
    assert SearchLink(words="a", takes="hide").params()["takes"] == ["hide"]
    assert "takes" not in SearchLink(words="a").params()
    link, problems = parse_link({"q": ["a"], "takes": ["pile"]})
    assert link == SearchLink(words="a")
    assert "takes=pile" in problems[0]
