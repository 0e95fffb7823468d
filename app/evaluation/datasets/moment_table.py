"""Tables of a person's own questions for moments, with the columns of `bench mine`."""

from __future__ import annotations

from pathlib import Path

from app.evaluation.datasets.captioned import video_id
from app.evaluation.moment_questions import MomentQuestion, MomentSet, has_length, moment_set
from app.text_files import read_table, wrong
from app.times import parse_seconds


def read_moment_table(path: Path) -> MomentSet:
    """Read a table with the columns question, file, start and end, as `bench mine` reads it.

    Several lines with one question about one file are several true moments. Lines without a file or times are left out.

    Raises:
        OSError: The file cannot be read.
        TextFileError: It is no such table, or a time is none.
    """
    moments: dict[tuple[str, str], list[tuple[float, float]]] = {}
    left_out = 0
    for row in read_table(path, required=("question",)):
        question, file = " ".join(row.cells["question"].split()), row.cells.get("file", "")
        if not question:
            continue
        try:
            times = [float(parse_seconds(row.cells[name])) for name in ("start", "end") if row.cells.get(name)]
        except ValueError as error:
            raise wrong(path, row.line, str(error)) from error
        if not file or len(times) < 2 or not has_length(*times):
            left_out += 1
            continue
        moments.setdefault((video_id(file), question), []).append((times[0], times[1]))
    return moment_set(path, (MomentQuestion(*key, tuple(each)) for key, each in moments.items()), left_out)
