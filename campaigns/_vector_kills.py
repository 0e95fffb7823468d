"""SIGKILL while vector files are written: what is opened afterwards answers from all rows of the library."""

from __future__ import annotations

from pathlib import Path

from campaigns._campaign import Case
from campaigns._children import Fault, call
from campaigns._endless import kill_endless

ENCODER, DIM = "enc", 32
CODED_ROWS = 600


def kill_vectors(case: Case) -> None:
    """One library that grows, whose index is refreshed and optimized, killed again and again."""
    library = case.folder / "library"
    for turn in range(5):
        kill_endless(case, turn, lambda seed: grow(library, seed), "vector files")
    for problem in call(compare, library, case.random.randrange(10**6), log=case.log("compare")):
        raise Fault(problem)


def _shrink() -> None:
    """Treat a library of hundreds of rows as one of hundreds of thousands."""
    import importlib

    for name, value in {
        "vector_index.CODED_ROWS": CODED_ROWS,
        "faiss_index.LONGEST_TAIL": 60,
        "sync.LONGEST_TAIL": 60,
        "base._MIN_LISTS": 16,
        "snapshot.FEW_ROWS": 200,
        "snapshot.BLOCK_ROWS": 256,
        "rows.BLOCK_ROWS": 128,
    }.items():
        module, constant = name.split(".")
        setattr(importlib.import_module(f"search.vectors.{module}"), constant, value)


def grow(directory: Path, seed: int) -> None:
    """Add, replace and remove videos for ever, and keep the index up to date."""
    import random

    from db_samples import add, make_video

    from db.library import Library
    from search.vectors.faiss_index import FaissIndex

    _shrink()
    draw = random.Random(seed)
    with Library.open(directory) as library:
        index = FaissIndex.open(library, ENCODER, directory / "vectors")
        while True:
            number = draw.randrange(60)
            add(library, make_video(f"/f/{number}.mp4", f"{draw.randrange(10**9):x}"), count=30, dim=DIM, seed=number)
            if draw.random() < 0.1:
                library.remove_videos([video.id for video in library.videos()[:2] if video.id is not None])
            (index.optimize if draw.random() < 0.4 else index.refresh)()


def shorten_vectors(case: Case) -> None:
    """A mapped file becomes shorter under an index: it costs time, not the process, and no answer is wrong."""
    library = case.folder / "library"
    for problem in call(shorten, library, case.random.randrange(10**6), log=case.log("shorten")):
        raise Fault(problem)
    case.count("files shortened under an index")


def shorten(directory: Path, seed: int) -> list[str]:
    """Open an index, cut one of its files as another program would, and return what is wrong with its answers."""
    import os
    import random

    import numpy as np
    from db_samples import add, make_video

    from db.library import Library
    from search.vectors.faiss_index import FaissIndex

    _shrink()
    draw = random.Random(seed)
    with Library.open(directory) as library:
        for number in range(1, 31):
            add(library, make_video(f"/f/{number}.mp4", f"{number:x}"), count=30, dim=DIM, seed=number)
        index = FaissIndex.open(library, ENCODER, directory / "vectors")
        index.optimize()
        files = [file for file in (directory / "vectors").iterdir() if file.suffix != ".json"]
        file = draw.choice(sorted(files))
        os.truncate(file, draw.choice([0, draw.randrange(file.stat().st_size), file.stat().st_size // 4096 * 4096]))
        ids, rows = (np.concatenate(parts) for parts in zip(*library.embeddings(ENCODER), strict=True))
        for _ in range(4):
            work, pick = draw.choice(["search", "count", "rows", "optimize", "refresh"]), draw.randrange(len(ids))
            if work == "search":
                found, scores = index.search(rows[pick : pick + 1].astype(np.float32), 1)
                if abs(scores[0, 0] - (rows @ rows[pick]).max()) > 2e-3 or found[0, 0] not in ids:
                    return [f"{file.suffix} was cut, and a search does not find the nearest row"]
            elif work == "count" and index.count(rows[pick].astype(np.float32), -2.0) != len(ids):
                return [f"{file.suffix} was cut, and a count is wrong"]
            elif work == "rows" and not np.allclose(index.rows_of(ids[pick : pick + 1])[0], rows[pick], atol=1e-3):
                return [f"{file.suffix} was cut, and a row is another"]
            elif work in ("optimize", "refresh"):
                getattr(index, work)()
    return []


def compare(directory: Path, seed: int) -> list[str]:
    """Return what is wrong with the answers of an index that is opened now."""
    import numpy as np

    from db.library import Library
    from search.vectors.faiss_index import FaissIndex

    _shrink()
    with Library.open(directory) as library:
        if problems := library.check():
            return problems
        parts = list(library.embeddings(ENCODER))
        if not parts:
            return []
        ids, rows = np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])
        index = FaissIndex.open(library, ENCODER, directory / "vectors")
        index.refresh()
        if len(index) != len(ids):
            return [f"the index has {len(index)} rows and the library {len(ids)}"]
        picks = np.random.default_rng(seed).integers(0, len(ids), 20)
        found, scores = index.search(rows[picks].astype(np.float32), 1)
        best = np.array([float((rows @ rows[pick]).max()) for pick in picks])
        if np.abs(scores[:, 0] - best).max() > 2e-3 or not np.isin(found[:, 0], ids).all():
            return ["the nearest row is not found"]
        near = [int(found[at, 0]) for at in range(len(picks))]
        stored = dict(zip(ids.tolist(), rows, strict=True))
        wrong = [
            each for at, each in enumerate(near) if abs(float(stored[each] @ rows[picks[at]]) - scores[at, 0]) > 2e-3
        ]
        return [f"{len(wrong)} scores are those of other rows"] if wrong else []
