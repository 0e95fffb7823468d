"""The data of a run, kept in its folder: a run goes on with what it began with, whatever becomes of its sources.

data.jsonl    a line for each example: file, times, sentences, content, side and group
rows.npy      their stored rows, float32 (n, D), for a stage that trains on rows
others.npy    stored rows of other shots of the library, float32 (m, D), which no caption holds for
guard.json    sentences that hold the text tower, if the person chose some
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.text_files import TextFileError, wrong
from app.tuning.examples import Example
from files.json_file import parse_json, read_json
from files.regular import open_regular
from files.replace import replace_file, replacing

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

EXAMPLES_FILE = "data.jsonl"
ROWS_FILE = "rows.npy"
OTHERS_FILE = "others.npy"
GUARD_FILE = "guard.json"


@dataclass(frozen=True, slots=True)
class RunData:
    """What a run is trained and validated on.

    Attributes:
        examples: In order; each has a side.
        rows: Their stored rows, float32 (n, D); None for a stage that reads clips.
        others: Stored rows of other shots, float32 (m, D); None where there are none.
        guard: Sentences that the text tower should go on reading as before; none for those of everyday life.
    """

    examples: list[Example]
    rows: NDArray[np.float32] | None
    others: NDArray[np.float32] | None = None
    guard: tuple[str, ...] = ()

    def places(self, side: str) -> list[int]:
        """Return the positions of the examples of one side."""
        return [place for place, each in enumerate(self.examples) if each.split == side]

    @property
    def digest(self) -> str:
        """Of everything that shapes a run, so not of the names of files."""
        digest = hashlib.blake2b(digest_size=16)
        for each in self.examples:
            shaping = {name: value for name, value in asdict(each).items() if name != "path"}
            digest.update(json.dumps(shaping, sort_keys=True).encode())
        for rows in (self.rows, self.others):
            if rows is not None and len(rows):
                digest.update(repr(rows.shape).encode())
                digest.update(rows.tobytes())
        if self.guard:
            digest.update(json.dumps(self.guard).encode())
        return digest.hexdigest()


def write_run_data(folder: Path, data: RunData) -> None:
    """Keep the data of a run in its folder. The examples come last: with them, the data are complete.

    Raises:
        OSError: A file cannot be written.
    """
    import numpy as np

    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in ((ROWS_FILE, data.rows), (OTHERS_FILE, data.others)):
        if rows is not None:
            with replacing(folder / name, durable=True) as draft, draft.open("wb") as stream:
                np.save(stream, np.asarray(rows, np.float32))
    if data.guard:
        replace_file(folder / GUARD_FILE, json.dumps(data.guard).encode(), durable=True)
    lines = [json.dumps(asdict(each)) for each in data.examples]
    replace_file(folder / EXAMPLES_FILE, ("\n".join(lines) + "\n").encode(), durable=True)


def read_run_data(folder: Path, *, with_rows: bool) -> RunData | None:
    """Return the data of a run; None if it has none yet.

    Args:
        folder: The run's.
        with_rows: Whether its stage trains on rows.

    Raises:
        TextFileError: They are damaged.
        OSError: They cannot be read.
    """
    path = folder / EXAMPLES_FILE
    examples = []
    try:
        with open_regular(path, follow_links=False) as file:
            for number, line in enumerate(file, start=1):
                try:
                    examples.append(_example(parse_json(line)))
                except (ValueError, TypeError, KeyError) as error:
                    raise wrong(path, number, f"this is not what the run wrote ({error}); begin another run") from error
    except FileNotFoundError:
        return None
    if not with_rows:
        return RunData(examples, None)
    others = _rows(folder / OTHERS_FILE, None) if (folder / OTHERS_FILE).exists() else None
    return RunData(examples, _rows(folder / ROWS_FILE, len(examples)), others, _guard(folder / GUARD_FILE))


def _rows(path: Path, count: int | None) -> NDArray[np.float32]:
    """Return the rows in a file; `count` of them, unless any number is right."""
    import numpy as np

    try:
        open_regular(path, follow_links=False).close()
        # Mapped, so that a header cannot ask for more memory than the file has; zip files and pickles are refused.
        rows = np.array(np.lib.format.open_memmap(path, mode="r"))
    except (ValueError, EOFError, OverflowError) as error:
        raise TextFileError(f"{path.name}: it is damaged ({error}); begin another run") from error
    if rows.dtype != np.float32 or rows.ndim != 2 or len(rows) != (len(rows) if count is None else count):
        raise TextFileError(f"{path.name}: it does not belong to {EXAMPLES_FILE}; begin another run")
    return np.asarray(rows, np.float32)


def _guard(path: Path) -> tuple[str, ...]:
    try:
        sentences = read_json(path, follow_links=False)
    except FileNotFoundError:
        return ()
    except ValueError as error:
        raise TextFileError(f"{path.name}: it is damaged ({error}); begin another run") from error
    if not isinstance(sentences, list) or not all(isinstance(each, str) for each in sentences):
        raise TextFileError(f"{path.name}: this is not what the run wrote; begin another run")
    return tuple(sentences)


def _example(values: Any) -> Example:
    if not isinstance(values, dict):
        raise TypeError("it is no object")
    captions, times = values.pop("captions"), (values.get("start_seconds"), values.get("end_seconds"))
    texts = [values[name] for name in ("path", "content", "split", "group")] + list(captions)
    if not all(isinstance(each, str) for each in texts):
        raise TypeError("one of its texts is none")
    if not all(each is None or isinstance(each, int | float) for each in times):
        raise TypeError("one of its times is none")
    if values["split"] not in ("train", "validation", "test"):
        raise ValueError("it has no side")
    return Example(captions=tuple(captions), **values)
