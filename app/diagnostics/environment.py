"""Checks of programs and files: ffmpeg, model weights, the library, free disk space."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from app.compose import Settings
from app.diagnostics.check_result import CheckResult
from app.shell.root_states import known_roots
from app.shell.terminal import count_text, size_text
from files.filesystems import is_network
from indexer.media_roots import state_text

LOW_DISK_BYTES = 2_000_000_000


def check_ffmpeg(settings: Settings) -> CheckResult:
    """Check the ffmpeg program that `export` needs. Indexing and searching do not use it."""
    from app.exporting.ffmpeg_binary import ExportError, find_ffmpeg

    try:
        program = find_ffmpeg(settings.ffmpeg)
        out = subprocess.run(
            [program, "-version"], stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=True
        )
    except (ExportError, OSError, subprocess.SubprocessError) as error:
        return CheckResult(
            "ffmpeg", "bad", str(error), "only export needs it: pip install --force-reinstall imageio-ffmpeg"
        )
    words = out.stdout.decode(errors="replace").split()
    version = words[2] if words[:2] == ["ffmpeg", "version"] else "of unknown version"
    return CheckResult("ffmpeg", "ok", f"{version}, {program}")


def check_library(settings: Settings) -> CheckResult:
    """Check that the library can be opened and is sound."""
    from app.compose import open_library
    from db.errors import LibraryError, LibraryMissing

    try:
        with open_library(settings) as opened:
            problems, held = opened.check(), opened.stats()
    except LibraryMissing:
        return CheckResult("library", "note", f"none yet in {settings.shown}", "prismsearch index FOLDER creates it")
    except LibraryError as error:
        return CheckResult("library", "bad", str(error), f"see {settings.shown}")
    text = f"{count_text(held.videos, 'video')}, {count_text(held.shots, 'shot')} in {settings.shown}"
    if held.quick_videos:
        full, quick = (
            sum(row.segments for row in held.encoders if (row.quick_of is not None) == is_quick)
            for is_quick in (False, True)
        )
        text += f"; {held.quick_videos:,} of them quick so far: {full:,} full and {quick:,} quick embeddings"
    if problems:
        return CheckResult(
            "library", "bad", f"{text}: {'; '.join(problems)}", "prismsearch index FOLDER --redo makes them again"
        )
    return CheckResult("library", "ok", f"{text}, no problem found")


def check_roots(settings: Settings) -> Iterator[CheckResult]:
    """Check that the roots of media, those of the library included, can be reached from this machine."""
    from app.compose import open_existing_library
    from db.errors import LibraryError

    try:
        with open_existing_library(settings) as library:
            found = known_roots(settings.roots, library)
    except LibraryError:  # said before
        found = known_roots(settings.roots, None)
    for each in found:
        text = f"{count_text(each.videos, 'video')} in {each.folder or '-'}: {each.state}"
        advice = state_text(settings.roots, each.name, each.state) or ""
        if each.others:
            text = f"{count_text(each.others, 'video')} in {each.folder} from before it was a root"
            advice = f"prismsearch roots adopt {each.name}"
        is_fine = each.state == "reachable" and not each.others
        yield CheckResult(f"root {each.name}", "ok" if is_fine else "note", text, advice)


def check_disk(settings: Settings) -> CheckResult:
    """Check the free disk space at the library's location."""
    place = settings.library.absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    try:
        free = shutil.disk_usage(place).free
    except OSError as error:
        return CheckResult("disk", "bad", f"{place}: {error.strerror}", "choose another folder with --library")
    if not os.access(place, os.W_OK):
        return CheckResult("disk", "bad", f"{place} cannot be written", "choose another folder with --library")
    text = f"{size_text(free)} free for {settings.library}"
    if is_network(place):
        return CheckResult("disk", "note", f"{text}, on a network drive", "use it on one machine at a time")
    return (
        CheckResult("disk", "note", text, "free some space before indexing many videos")
        if free < LOW_DISK_BYTES
        else CheckResult("disk", "ok", text)
    )


def check_models() -> Iterator[CheckResult]:
    """Check which weights are on this machine. Weights that were never verified are read in full now."""
    from encoder import EncoderError, ModelNotFound
    from encoder.checkpoints.hub import fetch
    from encoder.config import ALIASES, CONFIGS, DEMO, VOCABULARY

    for alias, name in ALIASES.items():
        published = CONFIGS[name].weights
        if name == DEMO.name or published is None:
            continue
        title = f"model {alias}"
        try:
            path = fetch(published, offline=True)
            fetch(VOCABULARY, offline=True)
        except ModelNotFound as error:
            advice = f"prismsearch fetch-model {alias} (about {size_text(published.size_bytes)}); or {error.advice}"
            yield CheckResult(title, "note", "not on this machine", advice)
        except EncoderError as error:
            yield CheckResult(title, "bad", str(error), f"prismsearch fetch-model {alias}")
        else:
            yield CheckResult(title, "ok", str(path))
    yield _check_demo_model()


def _check_demo_model() -> CheckResult:
    folder = Path(__file__).resolve().parents[2] / "encoder" / "demo"
    weights = [path for path in folder.glob("*") if path.suffix in (".npz", ".safetensors")]
    if weights:
        return CheckResult(
            "model demo", "ok", f"{weights[0].name}, {size_text(weights[0].stat().st_size)}; knows only the demo world"
        )
    return CheckResult("model demo", "bad", "its weights are not in this installation", "install the project again")
