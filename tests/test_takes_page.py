"""What the page is told of takes: of hits that stack them, and of hits that are shown apart."""

from __future__ import annotations

from pathlib import Path

from test_takes_stacking import RED, engine, fill, relate

from app.web.services.shot_cards import hit_card, shot_card
from db.library import Library
from db.records import Filters
from search.query import Query


def test_a_card_has_the_other_takes_with_their_numbers(tmp_path: Path) -> None:
    with Library.open(tmp_path / "library") as library:
        ids = fill(library)
        relate(library, ids)
        best, other, _ = engine(library).search(Query([RED], takes="stack"))
        card = hit_card(best, 1.0, {}, stacks_takes=True)
        assert card["take"] == {"number": 3, "count": 3}
        assert card["takes"] == [
            {"number": 1, "ids": [ids["second"], ids["copy"]]},
            {"number": 2, "ids": [ids["third"]]},
        ]
        assert hit_card(other, 1.0, {}, stacks_takes=True)["takes"] == []
        assert hit_card(other, 1.0, {}, stacks_takes=True)["take"] is None
        filtered, *_ = engine(library).search(Query([RED], takes="stack", filters=Filters(recorded_since=150)))
        card = hit_card(filtered, 1.0, {}, stacks_takes=True)
        assert (card["take"], card["takes"]) == ({"number": 3, "count": 3}, [{"number": 2, "ids": [ids["third"]]}])


def test_hits_that_are_shown_apart_only_say_which_take_they_are(tmp_path: Path) -> None:
    with Library.open(tmp_path / "library") as library:
        relate(library, fill(library))
        hits = engine(library).search(Query([RED]))
        cards = [hit_card(hit, 1.0, {}) for hit in hits]
        assert [card["take"] and card["take"]["number"] for card in cards] == [3, 1, 1, 2, None, None]
        assert all(card["takes"] == [] for card in cards)
        assert "take" not in shot_card(hits[0].segment, hits[0].video, {})
