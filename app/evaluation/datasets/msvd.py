"""MSVD: 1,970 clips of a few seconds with about 40 sentences each (Chen and Dolan, ACL 2011).

Retrieval is published on the 670 videos of `test_list.txt` (Venugopalan et al., ICCV 2015), each of whose sentences
asks; a video that asks has found its own if it has found any of them. Files that are read:

- `AllVideoDescriptions.txt` of the authors: a heading of lines with #, then `ID sentence` in each line;
- Microsoft's `MSR Video Description Corpus.csv`: columns `VideoID`, `Start`, `End`, `Language`, `Description` and
  others; an id is `VideoID_Start_End`, and only English descriptions count;
- lists of records such as `[{"video": "ID.avi", "caption": [...]}]`.

Layouts: the files as described by the authors and by readers in public repositories; `raw-captions.pkl`, a pickle of
other projects, is not read, because a pickle can run any program.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from app.evaluation.datasets.captioned import CaptionedVideo, captioned, pairs_of, read_captions
from app.text_files import read_table

_COLUMNS = ("videoid", "start", "end", "description")


def read_msvd(path: Path) -> list[CaptionedVideo]:
    """Read a caption file.

    Raises:
        OSError: The file cannot be read.
        TextFileError: It is none of those above.
    """
    content = read_captions(path)
    if not isinstance(content, str):
        return captioned(pairs_of(content, path), path)
    first = content.partition("\n")[0].lower()
    return captioned(_of_table(path) if all(each in first for each in _COLUMNS) else _of_lines(content), path)


def _of_table(path: Path) -> Iterator[tuple[str, str]]:
    for row in read_table(path, required=("videoid",)):
        cells = row.cells
        if cells.get("language", "english").lower() == "english":
            yield "_".join(cells.get(each, "") for each in _COLUMNS[:3]), cells.get("description", "")


def _of_lines(content: str) -> Iterator[tuple[str, str]]:
    for line in content.split("\n"):
        if not line.startswith("#"):
            name, _, sentence = line.strip().partition(" ")
            yield name, sentence
