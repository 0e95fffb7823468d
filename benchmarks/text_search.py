"""Search in timed text at a million cues: words, phrases, prefixes, scripts without spaces, regular expressions.

    python -m benchmarks.text_search [--cues 1000000] [--each 60] [--folder DIR] [--seed 1]

Makes a library of synthetic cues (benchmarks/_text_library.py) through `Library.texts.replace`, and says how fast that
is and what it takes on disk. Then, for each kind of search, --each searches drawn from what is in the library, each
asked once, after one of another kind: milliseconds, of wall and of this process's CPU, that
`search.text.finding.find_text` takes for 50 hits, segments included. The goals are 10 ms, and 500 ms for regular
expressions. It prints tables, then JSON.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import tempfile
import unicodedata
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from benchmarks._text_library import Language, make_text, percentiles, sampled_lines
from db.library import FILE_NAME, Library
from db.records import Filters
from search.text.finding import TextQuery, find_text
from search.text.terms import TextQueryError

Drawn = tuple[Language, str, str]


def bare(text: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFD", text) if not unicodedata.combining(letter))


def words_of(drawn: Drawn) -> list[str]:
    return drawn[1].split()


def longest(drawn: Drawn, count: int) -> list[str]:
    """The longest words of a cue, in its order."""
    words = words_of(drawn)
    return sorted(sorted(words, key=len)[-count:], key=words.index)


def some(drawn: Drawn, draw: random.Random, count: int) -> str:
    """Words, or characters, in a row."""
    parts = words_of(drawn) if drawn[0].spaced else list(drawn[1])
    at = draw.randrange(max(1, len(parts) - count + 1))
    return (" " if drawn[0].spaced else "").join(parts[at : at + count])


def across(drawn: Drawn) -> str:
    """The end of a cue and the beginning of the next one."""
    language, text, following = drawn
    if language.spaced:
        return f'"{text.split()[-1]} {" ".join(following.split()[:2])}"'
    return f'"{text[-2:]}{following[:2]}"'


Kind = tuple[str, Callable[[Drawn, random.Random], str], dict[str, Any]]
SPACED: tuple[Kind, ...] = (
    ("a word of a cue", lambda line, draw: some(line, draw, 1), {}),
    ("a word of the vocabulary", lambda line, draw: draw.choice(line[0].words), {}),
    ("the most common word", lambda line, draw: line[0].words[draw.randrange(3)], {}),
    ("a phrase of 2 words", lambda line, draw: f'"{some(line, draw, 2)}"', {}),
    ("a phrase of 4 words", lambda line, draw: f'"{some(line, draw, 4)}"', {}),
    ("a phrase over two cues", lambda line, draw: across(line), {}),
    ("prefix of 2 letters", lambda line, draw: draw.choice(line[0].words[:5000])[:2].ljust(2, "a") + "*", {}),
    ("prefix of 4 letters", lambda line, draw: max(words_of(line), key=len)[:4].ljust(2, "a") + "*", {}),
    ("2 words, AND", lambda line, draw: " ".join(draw.sample(words_of(line), 2)), {}),
    ("4 words, OR", lambda line, draw: " OR ".join(draw.choices(line[0].words[:2000], k=4)), {}),
    ("2 words, NOT", lambda line, draw: f"{some(line, draw, 1)} -{line[0].words[draw.randrange(50)]}", {}),
    ("a number", lambda line, draw: draw.choice([word for word in line[0].words if word.isdigit()]), {}),
    ("accents left out", lambda line, draw: bare(some(line, draw, 2)), {}),
    ("one kind, rare", lambda line, draw: some(line, draw, 1), {"kinds": ["screen"]}),
    ("one folder", lambda line, draw: some(line, draw, 1), {"filters": Filters(folder="/footage/reel 0003")}),
    ("half of the videos", lambda line, draw: some(line, draw, 1), {"filters": Filters(codec="H.265")}),
)  # fmt: skip
UNSPACED: tuple[Kind, ...] = (
    ("1 character (CJK)", lambda line, draw: some(line, draw, 1), {}),
    ("2 characters", lambda line, draw: some(line, draw, 2), {}),
    ("3 characters", lambda line, draw: some(line, draw, 3), {}),
    ("6 characters", lambda line, draw: some(line, draw, 6), {}),
    ("4, over two cues", lambda line, draw: across(line), {}),
)
PATTERNS: tuple[Kind, ...] = (
    ("pattern: a word, \\w*", lambda line, draw: rf"\b{re.escape(longest(line, 1)[0])}\w*", {"is_pattern": True}),
    ("pattern: (one|other)", lambda line, draw: f"({'|'.join(longest(line, 2))})s?", {"is_pattern": True}),
    ("pattern: word.*word", lambda line, draw: ".*".join(longest(line, 2)), {"is_pattern": True}),
    ("pattern: no letters", lambda line, draw: r"\b\d{4}\b", {"is_pattern": True}),
    ("pattern: hostile", lambda line, draw: f"({line[1][:3]}|(\\w+)+)+$x", {"is_pattern": True}),
)  # fmt: skip


def measure(library: Library, each: int, seed: int) -> dict[str, dict[str, float]]:
    """Return the milliseconds of each kind of search."""
    draw = random.Random(seed)
    lines = sampled_lines(library, 40 * each, seed)
    spaced = [line for line in lines if line[0].spaced and len(words_of(line)) >= 4]
    unspaced = [line for line in lines if not line[0].spaced and len(line[1]) >= 6]
    times: dict[str, list[float]] = {}
    cpu: dict[str, list[float]] = {}
    hits: dict[str, int] = {}
    partial: dict[str, int] = {}
    asked: dict[str, int] = {}
    for turn in range(each):
        for kinds, drawn in ((SPACED, spaced), (UNSPACED, unspaced), (PATTERNS, spaced)):
            if kinds is PATTERNS and turn % 4:
                continue
            for name, make, options in kinds:
                query = TextQuery(words=make(draw.choice(drawn), draw), **options)
                began, used = perf_counter(), process_time()
                try:
                    answer = find_text(library, query)
                except TextQueryError as error:
                    raise RuntimeError(f"{query.words!r}: {error}") from error
                times.setdefault(name, []).append((perf_counter() - began) * 1000)
                cpu.setdefault(name, []).append((process_time() - used) * 1000)
                asked[name] = asked.get(name, 0) + 1
                hits[name] = hits.get(name, 0) + len(answer.hits)
                partial[name] = partial.get(name, 0) + (not answer.complete)
    return {
        name: percentiles(values)
        | {
            "cpu_p50_ms": percentiles(cpu[name])["p50_ms"],
            "cpu_p95_ms": percentiles(cpu[name])["p95_ms"],
            "hits": hits[name] / asked[name],
            "more_than_looked_at": partial[name] / asked[name],
        }
        for name, values in times.items()
    }


def sizes(library: Library) -> dict[str, float]:
    """Return megabytes on disk by part; the whole database alone if SQLite cannot tell."""
    file = library.directory / FILE_NAME
    found = {
        "database": sum(part.stat().st_size for part in (file, file.with_name(file.name + "-wal")) if part.exists())
    }
    parts = {
        "lines": "text_lines",
        "their source": "ix_text_lines%",
        "words": "text_words%",
        "trigrams": "text_trigrams%",
    }
    try:
        with library._database.reading() as connection:
            for name, like in parts.items():
                statement = "SELECT total(pgsize) FROM dbstat WHERE name LIKE ?"
                found[name] = connection.exec_driver_sql(statement, (like,)).scalar()
    except Exception as error:  # noqa: BLE001 - many builds of SQLite lack dbstat
        print(f"sizes of parts are not known: {error}")
    return {name: size / 1e6 for name, size in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cues", type=int, default=1_000_000)
    parser.add_argument(
        "--each", type=int, default=60, help="Searches of each kind; a quarter for regular expressions."
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="Keep the library here for the next run.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        library, made = make_text((options.folder or Path(temporary)) / f"text-{options.cues}", options.cues)
        with library:
            if made is not None:
                rate = made.cues / made.wall_seconds
                print(
                    f"{made.cues:,} cues stored in {made.wall_seconds:.0f} s ({made.cpu_seconds:.0f} CPU s): "
                    f"{rate:,.0f} a second"
                )
            size = sizes(library)
            print("MB on disk: " + ", ".join(f"{name} {value:,.0f}" for name, value in size.items()))
            find_text(library, TextQuery(words="warm"))
            kinds = measure(library, options.each, options.seed)
    print(
        f"\n{'search':28}{'p50 ms':>9}{'p95 ms':>9}{'max ms':>9}{'CPU p50':>9}{'CPU p95':>9}{'hits':>7}{'partial':>9}"
    )
    for name, kind in kinds.items():
        shown = "".join(
            f"{kind[column]:>9.1f}" for column in ("p50_ms", "p95_ms", "max_ms", "cpu_p50_ms", "cpu_p95_ms")
        )
        print(f"{name:28}{shown}{kind['hits']:>7.0f}{kind['more_than_looked_at']:>9.0%}")
    stored = None if made is None else asdict(made)
    print(
        json.dumps(
            {"benchmark": "text_search", "cues": options.cues, "stored": stored, "megabytes": size, "kinds": kinds}
        )
    )


if __name__ == "__main__":
    main()
