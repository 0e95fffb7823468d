"""Broken media of every container through the whole of `index`, with its workers: no run ends, the good ones are in.

A case is a folder of 24 broken files and two good ones. Every broken file is indexed or fails by itself, with a reason.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

from campaigns._campaign import Case, Kind, main
from campaigns._children import Fault, call, command, require_one_line
from campaigns._libraries import BLEND, examine
from campaigns._media_corpus import broken, make_corpus

FILES = 24
SECONDS = 420


def fuzz(case: Case) -> None:
    corpus = Path(case.once("corpus", lambda folder: call(make_corpus, folder, log=case.log("corpus"))))
    films, draw = case.folder / "films", case.random
    films.mkdir()
    sources = sorted(corpus.iterdir())
    ways = {}
    for number in range(FILES):
        source, other = draw.choice(sources), draw.choice(sources)
        way, data = broken(source.read_bytes(), other.read_bytes(), draw)
        file = films / f"{number:02d}.{source.name.partition('.')[2]}"
        file.write_bytes(data)
        ways[str(file)] = f"{source.suffix[1:]}, {way}"
    for name in ("film.mp4", "film.mkv"):
        shutil.copy(corpus / name, films / f"good.{name}")
    library = case.folder / "library"
    run = command(["index", films, *BLEND, "--workers", "2", "--json"], case.log("index"), library=library)
    run.wait(SECONDS)
    run.sweep()
    case.count("files", FILES)
    require_one_line(run, "index", codes=[0, 1])
    report = json.loads(run.printed)
    failed = {each["path"]: each for each in report["failed"]}
    present = examine(library)
    good = {str(films / f"good.{name}") for name in ("film.mp4", "film.mkv")}
    if lost := good - present:
        raise Fault(f"good files were not indexed: {sorted(os.path.basename(path) for path in lost)}")
    for path, way in ways.items():
        if path in present:
            case.count("indexed")
        elif path in failed:
            case.count(f"failed: {failed[path]['kind']}")
            if failed[path]["kind"] == "error":  # nothing that is known of files: perhaps ours
                print(f"note: {case.kind}:{case.number}: {way}: {failed[path]['reason']}", flush=True)
            if not failed[path]["reason"].strip() or "\n" in failed[path]["reason"]:
                raise Fault(f"{way}: no reason in one line: {failed[path]['reason']!r}")
        else:
            case.count("neither indexed nor failed")


KINDS = {"fuzz": Kind(fuzz)}

if __name__ == "__main__":
    sys.exit(main("media", KINDS, sys.argv[1:], __doc__))
