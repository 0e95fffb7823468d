"""A person's own questions: a CSV file of what they would type to find something, and where in their videos it is.

Several lines with one question are several answers. A line without a file says that nothing like this is in the
library. Columns that are not known here, and the order of lines, are kept.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, field, replace
from pathlib import Path

from app.times import FileRange, parse_seconds
from files.regular import read_regular

FILE_NAME = "questions.csv"
"""The file of the questions that are written on the page, in the folder of the library."""

COLUMNS = ("question", "file", "start", "end", "note", "kind", "fingerprint")
"""Known columns. `fingerprint` is that of the content, which finds a video again that has moved."""
REQUIRED = COLUMNS[:2]
MAX_BYTES = 16_000_000
MAX_LINES = 100_000
MAX_QUESTION_CHARACTERS = 1_000
MAX_CELL_CHARACTERS = 20_000

# Spreadsheets run a cell that begins so as a formula. One more apostrophe keeps it text, and is taken off again.
_FORMULA = re.compile("'*[=+\\-@\t\r\uff1d\uff0b\uff0d\uff20]")
_GUARDED = ("question", "file", "note", "kind")
_LONE = re.compile("[\ud800-\udfff]")


class QuestionsError(ValueError):
    """A file of questions that cannot be used; one sentence, with the line."""


@dataclass(frozen=True, slots=True)
class QuestionLine:
    """One line: a question, and one place that answers it.

    Attributes:
        question: What a person would type, on one line.
        file: Path, or name, of a video; "" if nothing in the library answers the question.
        start, end: As typed, such as `1:20`; "" for the beginning or the end of the video.
        note, kind: For the person; results are also given for each kind.
        fingerprint: Of the video's content, or "".
        others: Cells of the other columns, in the order of the table.
        number: Line in the file, from 1; 0 for a new one.
    """

    question: str
    file: str = ""
    start: str = ""
    end: str = ""
    note: str = ""
    kind: str = ""
    fingerprint: str = ""
    others: tuple[str, ...] = ()
    number: int = field(default=0, compare=False)

    @property
    def range(self) -> FileRange:
        """The place, in exact seconds from the first frame shown.

        Raises:
            ValueError: A time is no time, or the end is not after the start.
        """
        start, end = (parse_seconds(text) if text else None for text in (self.start, self.end))
        return FileRange(self.file, start, end)


@dataclass(frozen=True, slots=True)
class QuestionTable:
    """All lines of a file.

    Attributes:
        lines: In order.
        columns: Names as spelled in the file, with those of `others` among them.
        delimiter: What stands between cells.
    """

    lines: tuple[QuestionLine, ...] = ()
    columns: tuple[str, ...] = COLUMNS
    delimiter: str = ","

    def keys(self) -> list[str]:
        """Return a key for each line: it tells equal lines apart, and changes whenever the line does."""
        seen: dict[QuestionLine, int] = {}
        keys = []
        for line in self.lines:
            seen[line] = seen.get(line, 0) + 1
            content = repr((astuple(replace(line, number=0)), seen[line])).encode("utf-8", "surrogatepass")
            keys.append(hashlib.blake2b(content, digest_size=9).hexdigest())
        return keys


@dataclass(frozen=True, slots=True)
class OwnQuestion:
    """A question with all its answers; without any, nothing like it is in the library."""

    text: str
    answers: tuple[QuestionLine, ...] = ()
    kind: str = ""


def read_questions(path: Path, *, follow_links: bool = True) -> QuestionTable:
    """Read a file of questions.

    Args:
        path: UTF-8, with or without a byte order mark; cells between commas, semicolons or tabs.
        follow_links: Whether the file may be a link.

    Raises:
        QuestionsError: It cannot be used; the sentence names the line.
        OSError: It cannot be read.
    """
    try:
        content = read_regular(path, max_bytes=MAX_BYTES, follow_links=follow_links)
    except ValueError as error:
        raise QuestionsError(str(error)) from error
    return parse_questions(content)


def parse_questions(content: bytes) -> QuestionTable:
    """Return the lines of a file's content. Raise QuestionsError, see `read_questions`."""
    text = content.decode("utf-8-sig", "surrogateescape")
    if "\0" in text:
        raise QuestionsError("it is not text in UTF-8; save it as CSV in UTF-8")
    delimiter, columns = _header(text)
    names = [name.strip().casefold() for name in columns]
    for name in COLUMNS:
        if names.count(name) > 1:
            raise QuestionsError(f"line 1 names the column `{name}` twice")
    lines: list[QuestionLine] = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    number = 1
    try:
        for cells in reader:
            if number > 1 and any(cell.strip() for cell in cells):
                lines.append(_line(cells, names, number))
            if len(lines) > MAX_LINES:
                raise QuestionsError(f"it has more than {MAX_LINES:,} lines")
            number = reader.line_num + 1
    except csv.Error as error:
        raise QuestionsError(f"line {number} is not CSV: {error}") from error
    questions_of(lines)
    return QuestionTable(tuple(lines), tuple(columns), delimiter)


def render_questions(table: QuestionTable) -> bytes:
    """Return the content of a file, which `parse_questions` reads as the same lines.

    It is UTF-8 with a byte order mark, as spreadsheets need it, and CRLF. Columns that are known and missing follow
    the others.
    """
    names = [name.strip().casefold() for name in table.columns]
    missing = [name for name in COLUMNS if name not in names]
    sheet = io.StringIO(newline="")
    writer = csv.writer(sheet, delimiter=table.delimiter)
    writer.writerow([*table.columns, *missing])
    for line in table.lines:
        others = iter(line.others)
        cells = [_guarded(line, name) if name in COLUMNS else next(others, "") for name in names]
        writer.writerow([*cells, *(_guarded(line, name) for name in missing)])
    return b"\xef\xbb\xbf" + sheet.getvalue().encode("utf-8", "surrogateescape")


def questions_of(lines: Iterable[QuestionLine]) -> list[OwnQuestion]:
    """Return the questions with their answers, in the order of their first lines.

    Raises:
        QuestionsError: A question has answers and a line that says that there are none.
    """
    found: dict[str, list[QuestionLine]] = {}
    for line in lines:
        found.setdefault(line.question, []).append(line)
    questions = []
    for text, own in found.items():
        answers = tuple(dict.fromkeys(line for line in own if line.file))
        none = [line for line in own if not line.file]
        if answers and none:
            raise QuestionsError(
                f"line {none[0].number} says that nothing answers “{_short(text)}”, and line {answers[0].number} "
                "names an answer"
            )
        questions.append(OwnQuestion(text, answers, next((line.kind for line in own if line.kind), "")))
    return questions


def one_line(question: str) -> str:
    """Return a question as it is kept: without line breaks, and with single spaces."""
    return " ".join(question.split())


def _header(text: str) -> tuple[str, list[str]]:
    """Return the delimiter, and the names of the columns."""
    for delimiter in ",;\t":
        try:
            cells = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
        except csv.Error:
            continue
        names = [cell.strip().casefold() for cell in cells]
        if set(REQUIRED) <= set(names):
            return delimiter, cells
    if not text.strip():
        raise QuestionsError("it is empty; its first line must be: question,file,start,end")
    raise QuestionsError("line 1 does not name the columns `question` and `file`; it must be: question,file,start,end")


def _line(cells: Sequence[str], names: Sequence[str], number: int) -> QuestionLine:
    if len(cells) > len(names):
        raise QuestionsError(
            f"line {number} has {len(cells)} cells for {len(names)} columns; put quotes around text that has commas"
        )
    padded = [*cells, *[""] * (len(names) - len(cells))]
    if any(len(cell) > MAX_CELL_CHARACTERS for cell in padded):
        raise QuestionsError(f"line {number} has more than {MAX_CELL_CHARACTERS:,} characters in a cell")
    known = {name: _plain(name, cell) for name, cell in zip(names, padded, strict=True) if name in COLUMNS}
    others = tuple(cell for name, cell in zip(names, padded, strict=True) if name not in COLUMNS)
    line = QuestionLine(**{**known, "question": one_line(known["question"])}, others=others, number=number)
    if not line.question:
        raise QuestionsError(f"line {number} has no question")
    if len(line.question) > MAX_QUESTION_CHARACTERS:
        raise QuestionsError(f"line {number} has a question of more than {MAX_QUESTION_CHARACTERS:,} characters")
    if _LONE.search(line.question):
        raise QuestionsError(f"line {number} is not in UTF-8; save the file as CSV in UTF-8")
    if not line.file and (line.start or line.end):
        raise QuestionsError(f"line {number} has a time and no file")
    try:
        _ = line.range
    except ValueError as error:
        raise QuestionsError(f"line {number}: {error}") from error
    return line


def _plain(name: str, cell: str) -> str:
    text = cell if name in ("file", "note") and cell.strip() else cell.strip()  # names may begin or end with spaces
    return text[1:] if name in _GUARDED and text.startswith("'") and _FORMULA.match(text) else text


def _guarded(line: QuestionLine, name: str) -> str:
    text: str = getattr(line, name)
    return f"'{text}" if name in _GUARDED and _FORMULA.match(text) else text


def _short(text: str, most: int = 60) -> str:
    return f"{text[:most]}..." if len(text) > most else text
