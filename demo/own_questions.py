"""Questions about the demo library, as `prismsearch bench mine` reads them: each caption, and what is not there.

python -m demo.own_questions --to questions.csv
"""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path

CAPTIONS = Path(__file__).resolve().parent.parent / "app" / "demo_library" / "captions.json"
ABSENT = (
    "a violin spins in front of a desert",
    "a person reads a newspaper in a train",
    "snow falls on a harbour at night",
)


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, required=True, metavar="FILE", help="The table to write.")
    options = parser.parse_args()
    count = write_questions(options.to)
    print(f"{count} questions in {options.to}")


def write_questions(path: Path) -> int:
    """Write the questions about the demo library, and return their number.

    Raises:
        OSError: The file cannot be written.
    """
    rows: list[tuple[object, ...]] = []
    for video in json.loads(CAPTIONS.read_text(encoding="utf-8"))["files"]:
        for shot in video["shots"]:
            rows.append((shot["caption"], video["file"], shot["start_seconds"], shot["end_seconds"], shot["motion"]))
    rows += [(question, "", "", "", "") for question in ABSENT]
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("question", "file", "start", "end", "kind"))
        table.writerows(rows)
    return len(rows)


if __name__ == "__main__":
    main()
