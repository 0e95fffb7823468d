"""Charades-STA: videos of about 30 s, with sentences about parts of them (Gao et al., ICCV 2017, arXiv 1705.02101).

Files that are read: `charades_sta_test.txt` and `charades_sta_train.txt` of the authors, of lines such as

    3MSZA 24.3 30.4##person turn a light on.

with the id of a video, start and end in seconds, and the sentence. Video files are those of Charades, named by the id.
Each line is a question of its own, with one true moment.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from app.evaluation.datasets.captioned import video_id
from app.evaluation.moment_questions import MomentQuestion, MomentSet, has_length, moment_set
from app.text_files import read_lines, wrong


def read_charades_sta(path: Path) -> MomentSet:
    """Read an annotation file.

    Raises:
        OSError: The file cannot be read.
        TextFileError: A line is none of those above.
    """
    left_out = 0

    def questions() -> Iterator[MomentQuestion]:
        nonlocal left_out
        for number, line in read_lines(path):
            place, separator, sentence = line.partition("##")
            sentence = " ".join(sentence.split())
            try:
                name, start_text, end_text = place.split()
                start, end = float(start_text), float(end_text)
            except ValueError:
                separator = ""
            if not (separator and sentence):
                raise wrong(path, number, "a line is expected to be `VIDEO START END##SENTENCE`")
            if has_length(start, end):
                yield MomentQuestion(video_id(name), sentence, ((start, end),))
            else:
                left_out += 1

    found = list(questions())
    return moment_set(path, found, left_out)
