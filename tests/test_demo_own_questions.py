"""Questions about the demo library: every caption with its shot, and some about what is not there."""

from __future__ import annotations

from pathlib import Path

from app.evaluation.own_questions import questions_of, read_questions
from demo.own_questions import ABSENT, CAPTIONS, write_questions


def test_each_caption_asks_for_its_shot(tmp_path: Path) -> None:
    count = write_questions(tmp_path / "q.csv")
    lines = read_questions(tmp_path / "q.csv").lines
    assert len(lines) == count
    assert {line.file for line in lines if line.file} == {
        each.name for each in CAPTIONS.parent.iterdir() if each.suffix != ".json"
    }
    assert all(float(line.start) < float(line.end) for line in lines if line.file)
    assert [each.text for each in questions_of(lines) if not each.answers] == list(ABSENT)
