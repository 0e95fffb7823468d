"""Hits that overlap become one clip, two at most: what was merged never grows on."""

from __future__ import annotations

import json
import random
from fractions import Fraction
from pathlib import Path

import cli_library
import pytest
from click.testing import CliRunner
from fakes import ColourEncoder

from app import compose
from app.cli import main
from app.exporting.merging import merge_overlapping
from app.exporting.request import ClipRequest
from indexer.identity import Identity


def clip(start: float, end: float, rank: int = 1, path: str = "/a.mp4", content: str = "x") -> ClipRequest:
    identity = Identity(fingerprint=content, content_hash="", size_bytes=None, modified_ns=None)
    return ClipRequest(path=path, start_seconds=start, end_seconds=end, rank=rank, score=1 / rank, identity=identity)


def ranges(clips: list[ClipRequest]) -> list[tuple[float, float]]:
    return [(float(each.start_seconds), float(each.end_seconds)) for each in clips]


def test_two_that_overlap_are_one_with_the_place_of_the_better() -> None:
    (one,) = merge_overlapping([clip(5.5, 11, rank=3), clip(0, 6, rank=8)])
    assert (one.start_seconds, one.end_seconds, one.rank, one.score) == (0, 11, 3, 1 / 3)
    assert merge_overlapping([]) == []
    assert ranges(merge_overlapping([clip(2, 3), clip(0, 9)])) == [(0, 9)]


def test_a_long_shot_whose_parts_all_match_does_not_become_one_clip() -> None:
    parts = [clip(5.5 * at, 5.5 * at + 6, rank=at + 1) for at in range(5)]
    assert ranges(merge_overlapping(parts)) == [(0, 11.5), (11, 22.5), (22, 28)]


def test_what_only_touches_or_is_of_another_film_stays_apart() -> None:
    apart = [clip(0, 6), clip(6, 9), clip(1, 2, path="/b.mp4"), clip(1, 2, content="y")]
    assert merge_overlapping(apart) == apart


@pytest.mark.parametrize("seed", range(5))
def test_every_clip_is_covered_and_none_is_of_more_than_two(seed: int) -> None:
    chance = random.Random(seed)
    clips = []
    for rank in range(1, 60):
        start = Fraction(chance.randrange(0, 800), 10)
        clips.append(clip(start, start + Fraction(chance.randrange(1, 80), 10), rank, f"/{chance.randrange(3)}.mp4"))
    merged = merge_overlapping(clips)
    assert len(merged) >= len(clips) / 2
    assert [each.rank for each in merged] == sorted(each.rank or 0 for each in merged)
    for each in clips:
        assert any(
            whole.path == each.path
            and whole.start_seconds <= each.start_seconds
            and each.end_seconds <= whole.end_seconds
            for whole in merged
        )
    assert max(whole.end_seconds - whole.start_seconds for whole in merged) < 16


def test_export_merges_when_asked_and_says_what_stands_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder, red = ColourEncoder(), (255, 0, 0)
    directory = cli_library.build(tmp_path, encoder)
    monkeypatch.setattr(compose, "open_encoder", lambda settings, sources=None: encoder)
    monkeypatch.setattr("search.space.near_duplicate", lambda *_: 0.999)
    monkeypatch.setenv("PRISMSEARCH_LIBRARY", str(directory))
    monkeypatch.chdir(tmp_path)
    with compose.open_library(compose.settings_from()) as library:
        cli_library.add(library, encoder, tmp_path / "films" / "long.mp4", [(red, 0, 4), (red, 3, 7), (red, 6, 10)])

    def exported(folder: str, *options: str) -> tuple[list[tuple[float, float]], str]:
        ways = ("--named", "long", "--to", folder, "--lists-only", "--list", "json")
        result = CliRunner().invoke(main, ("export", "red", *ways, *options))
        assert result.exit_code == 0, result.stderr
        records = json.loads((tmp_path / folder / "clips.json").read_text("utf-8"))["clips"]
        return [(each["start_seconds"], each["end_seconds"]) for each in records], result.stderr

    clips, said = exported("stacked")
    assert clips == [(0, 4)]
    assert "2 near-duplicates of these hits not exported" in said
    clips, said = exported("shown", "--show-duplicates")
    assert clips == [(0, 4), (3, 7), (6, 10)]
    assert "near-duplicate" not in said
    assert exported("merged", "--show-duplicates", "--merge")[0] == [(0, 7), (6, 10)]
    refused = CliRunner().invoke(main, ("export", "--collection", "Tray", "--merge", "--to", "x"))
    assert refused.exit_code == 2
