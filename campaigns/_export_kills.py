"""SIGKILL of `export` in every mode, into folders and zips: the same command then ends as if undisturbed."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import signal
import time
import zipfile
from pathlib import Path
from typing import Any

from campaigns._campaign import Case
from campaigns._children import Child, Fault, call, command, require_one_line
from campaigns._libraries import wait_for

MODES = ("exact", "copy", "smart")
MOST_KILLS = 4
CLIPS = ("@0.2-0.9", "@1-1.48", "@0.52-2.2", "@2.04-2.4")


def make_sources(folder: Path) -> Path:
    """Two films with sound and a key frame each 10 frames."""
    from synthetic import make_video

    folder.mkdir(parents=True, exist_ok=True)
    for name in ("one.mp4", "two.mkv"):
        make_video(
            folder / name, [("red", 30), ("blue", 25), ("green", 40)], size=(96, 64), audio_seconds=3.8,
            options={"x264-params": "keyint=10:min-keyint=10:scenecut=0"},
        )  # fmt: skip
    return folder


def kill_export(case: Case) -> None:
    """One export, killed some times, then left to end."""
    sources = Path(case.once("sources", lambda folder: call(make_sources, folder, log=case.log("sources"))))
    draw = case.random
    mode, zipped = MODES[case.number % 3], case.number // 3 % 2 == 1
    lists = draw.choice(["csv,json", "edl,fcpxml,csv", "otio,json", "fcp7"])
    target = case.folder / "out" / ("clips.zip" if zipped else "clips")
    target.parent.mkdir()
    ranges = [f"{sources / name}{clip}" for clip in CLIPS for name in ("one.mp4", "two.mkv")][
        : 5 if mode == "exact" else 8
    ]
    words: list[Any] = ["export", *ranges, "--mode", mode, "--list", lists, "--zip" if zipped else "--to", target]

    def undisturbed(_: Path) -> tuple[dict[str, str], float]:
        began = time.monotonic()
        child = command(words, case.log("undisturbed"))
        child.wait()
        require_one_line(child, "the undisturbed export", codes=[0])
        seconds = time.monotonic() - began
        content = contents(target)
        shutil.rmtree(target.parent)
        target.parent.mkdir()
        return content, seconds

    wanted, seconds = case.once(f"{mode} {zipped} {lists}", undisturbed)
    kinds = f"{mode} {'zip' if zipped else 'folder'}"
    for turn in range(draw.randint(1, MOST_KILLS)):
        child = command(words, case.log(f"run{turn}"))
        if not _killed(case, child, target.parent, len(wanted), seconds):
            break
        case.count("kills")
        case.count(f"kills, {kinds}")
        if " clips in " in child.said:  # it had told people that it was done: asked again, it is another export
            case.count("kills after the last word")
            break
    else:
        child = command(words, case.log("last"))
        child.wait()
    if child.code != -signal.SIGKILL:
        require_one_line(child, f"{kinds}: the export after the kills", codes=[0])
    try:
        require_equal(contents(target), wanted, mode)
        if child.code == 0:
            # An ffmpeg of a killed export lives on for a moment, and may write a draft after the next one has swept.
            left = [path.name for path in target.parent.rglob(".prismsearch*")]
            case.count("drafts of an ffmpeg that lived on", sum("draft" in name for name in left))
            if other := [name for name in left if "draft" not in name]:
                raise Fault(f"left behind: {other[:3]}")
    except Fault as fault:
        case.count("exports unequal")
        raise Fault(f"{kinds}, {lists}: {fault}") from fault


def _killed(case: Case, child: Child, folder: Path, files: int, seconds: float) -> bool:
    """Kill at a moment by the clock, in the last part, or when so many files are there; return whether it was alive."""
    draw, began = case.random, time.monotonic()
    way, moment = draw.random(), draw.uniform(0.02, 1.0)
    at, delay, group = draw.randint(1, files), draw.expovariate(1 / 0.03), draw.random() < 0.6
    if way < 0.3:
        alive = wait_for(child, lambda: time.monotonic() - began > moment * seconds)
    elif way < 0.5:  # the last moments: lists, zip, manifest
        alive = wait_for(child, lambda: _names(folder) >= files) and (time.sleep(delay / 4) or True)
    else:
        alive = wait_for(child, lambda: _names(folder) >= at) and (time.sleep(delay) or True)
    if not alive or child.ended():
        return False
    child.kill(group=group)
    child.sweep()
    return True


def _names(folder: Path) -> int:
    """Return how many files are there or in the making."""
    return sum(len(files) for _, _, files in os.walk(folder))


def contents(target: Path) -> dict[str, str]:
    """Return the hash of each file of an export, or of each member of its zip."""
    if target.suffix == ".zip":
        others = [path.name for path in target.parent.iterdir() if path != target and not path.name.startswith(".")]
        if others:
            raise Fault(f"beside the zip: {others[:3]}")
        with zipfile.ZipFile(target) as archive:
            if len(archive.namelist()) != len(set(archive.namelist())):
                raise Fault("a name is in the zip twice")
            return {name: digest(name, archive.read(name)) for name in archive.namelist()}
    return {path.name: digest(path.name, path.read_bytes()) for path in target.iterdir() if path.name[0] != "."}


def digest(name: str, data: bytes) -> str:
    """Return a hash of a file's bytes, or of a Matroska file's packets, because ffmpeg draws its ids by chance."""
    if not name.endswith(".mkv"):
        return hashlib.sha256(data).hexdigest()
    import av

    found = hashlib.sha256()
    with av.open(io.BytesIO(data)) as container:
        for packet in container.demux():
            facts = (packet.stream_index, packet.pts, packet.dts, packet.duration, packet.size)
            found.update(repr(facts).encode())
            found.update(bytes(packet))
    return found.hexdigest()


def require_equal(found: dict[str, str], wanted: dict[str, str], mode: str) -> None:
    if found.keys() != wanted.keys():
        more, missing = sorted(found.keys() - wanted.keys()), sorted(wanted.keys() - found.keys())
        raise Fault(f"other files than an undisturbed export: in addition {more[:3]}, missing {missing[:3]}")
    if differ := [name for name in wanted if found[name] != wanted[name]]:
        raise Fault(
            f"{len(differ)} of {len(wanted)} files differ from those of an undisturbed export: {sorted(differ)[:3]}"
        )
