"""Frames and sync of exported clips: every sound track, in many containers and in every mode.

    python -m benchmarks.sync [--only TEXT] [--keep DIR]

Sources have numbered frames, and a noise of its own in each sound track. A clip's frames are compared with those of its
source by number and time, and each track by correlation: `sync` is how much later the worst track is heard than in the
source, beside the same frame, in samples at 48 kHz. Tracks are counted: found of expected. `end` is the largest
deviation of a stated length from that of the range, in milliseconds (exact and smart clips). A copy begins at a key
frame and may go on a little; its frames of the range are counted. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, get_args

import av
import numpy as np
from numpy.typing import NDArray

from app.exporting.clip_writer import write_clips
from app.exporting.request import ClipRequest, ExportedClip, ExportMode
from benchmarks._numbered_sources import KINDS, RATE, Kind, make_source

START, END = Fraction(7, 5), Fraction(38, 10)
REFUSED = "use the exact mode"
WINDOW, SEARCH = (0.4, 1.4), 0.05  # seconds: of the clip that is looked for, and how far off
LEAST_CORRELATION = 0.7
GAP_SAMPLES = 960
ROUNDED_SAMPLES = 49  # a millisecond: many containers, and the edits of MP4, round to that, in source and clip
EXACT_SUFFIXES = (".mp4", ".mov", ".m4v", ".3gp", ".ts", ".m2ts", ".mxf", ".vob", ".ogv", ".nut")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one clip."""

    kind: str
    mode: str
    suffix: str = ""
    frames: int = 0  # of the range that are in the clip, in order
    expected_frames: int = 0
    frame_ms: float = 0.0  # the largest deviation of a frame's time
    tracks: int = 0  # found again
    expected_tracks: int = 0
    sync_samples: int = 0  # of the worst track
    allowed_samples: int = 1  # what lossy codecs blur, or the container's clock rounds away
    end_ms: float = 0.0
    note: str = ""

    @property
    def right(self) -> bool:
        """Whether all is where it should be."""
        complete = self.frames == self.expected_frames > 0 and self.tracks == self.expected_tracks
        return complete and self.frame_ms < 1 and abs(self.sync_samples) <= self.allowed_samples and self.end_ms < 1.5


@dataclass(frozen=True, slots=True)
class Content:
    """A decoded file: (number, seconds) of its frames, and each track as (first second, samples), in its own time."""

    frames: list[tuple[int, float]]
    tracks: list[tuple[float, NDArray[np.float32]]]


def read(path: Path) -> Content:
    """Decode a file."""
    from numbered import number_of

    with av.open(str(path)) as container:
        count = len(container.streams.audio)
        stream = container.streams.video[0]
        frames: list[tuple[int, Any]] = []
        for frame in container.decode(stream):
            picture = frame.to_ndarray(format="rgb24", width=96, height=64)
            frames.append(
                (number_of(picture), None if frame.pts is None else float(frame.pts * (stream.time_base or 0)))
            )
    if any(at is None for _, at in frames):  # program streams state the times of some frames only
        place, known = next((place, at) for place, (_, at) in enumerate(frames) if at is not None)
        frames = [(number, known + (at - place) / 25) for at, (number, _) in enumerate(frames)]
    return Content(frames, [_track(path, number) for number in range(count)])


def _track(path: Path, number: int) -> tuple[float, NDArray[np.float32]]:
    parts: list[tuple[float, NDArray[Any]]] = []
    with av.open(str(path)) as container:
        for frame in container.decode(container.streams.audio[number]):
            if frame.pts is None or frame.sample_rate != RATE:
                continue
            signal = frame.to_ndarray().astype(np.float32)
            if frame.format.is_packed:
                signal = signal.reshape(-1, frame.layout.nb_channels).T
            scale = 1.0 if frame.format.name.startswith("flt") else float(1 << (8 * frame.format.bytes - 1))
            parts.append((float(frame.pts * (frame.time_base or 0)), signal.mean(axis=0) / scale))
    if not parts:
        return 0.0, np.zeros(0, np.float32)
    first = parts[0][0]
    pieces: list[NDArray[Any]] = []
    filled = 0
    for at, signal in parts:  # one after the other, because many containers round times to milliseconds
        gap = round((at - first) * RATE) - filled
        if gap > GAP_SAMPLES:
            pieces.append(np.zeros(gap))
            filled += gap
        pieces.append(signal)
        filled += len(signal)
    return first, np.concatenate(pieces).astype(np.float32)


def lag(source: Content, clip: Content, number: int, zero: tuple[float, float]) -> tuple[int, float]:
    """Return by how many samples a track of the clip is late, and how well it fits the one of the source.

    `zero` is the time of the same frame in source and clip.
    """
    from_source, from_clip = source.tracks[number], clip.tracks[number]
    begin, end = (round((zero[1] + each - from_clip[0]) * RATE) for each in WINDOW)
    piece = from_clip[1][max(0, begin) : end]
    search = round(SEARCH * RATE)
    # Rounded once, so that the clip's own offset within a sample is not lost twice.
    at = round((zero[0] + begin / RATE + from_clip[0] - zero[1] - from_source[0]) * RATE)
    around = from_source[1][max(0, at - search) : at + len(piece) + search]
    if begin < 0 or at < search or len(piece) < RATE // 2 or len(around) < len(piece) + search:
        return 0, 0.0
    scores = np.correlate(around, piece, "valid")
    best = int(scores.argmax())
    match = around[best : best + len(piece)]
    return search - best, float(scores[best] / (np.linalg.norm(match) * np.linalg.norm(piece) + 1e-9))


def compare(kind: Kind, mode: ExportMode, path: Path, source: Content, folder: Path) -> Outcome:
    """Export a range of a source, and compare the clip with it."""
    request = ClipRequest(path=str(path), start_seconds=START, end_seconds=END)
    (made,) = write_clips([request], folder, mode)
    if made.file is None:
        return Outcome(kind=kind.name, mode=mode, expected_tracks=len(source.tracks), note=made.error or "")
    clip = read(made.file)
    first = source.frames[0][1]
    wanted = [(number, at) for number, at in source.frames if float(START) - 5e-4 <= at - first < float(END) - 5e-4]
    found = dict(clip.frames)
    if mode != "copy" and [number for number, _ in clip.frames] != [number for number, _ in wanted]:
        found = {}
    shared = [(at, found[number]) for number, at in wanted if number in found]
    if not shared:
        return Outcome(kind=kind.name, mode=mode, expected_frames=len(wanted), expected_tracks=len(source.tracks),
                       note="other frames")  # fmt: skip
    zero = shared[0]
    deviation = max(abs((own - zero[1]) - (at - zero[0])) for at, own in shared) * 1000
    lags = [lag(source, clip, number, zero) for number in range(min(len(source.tracks), len(clip.tracks)))]
    good = [samples for samples, fit in lags if fit >= LEAST_CORRELATION]
    return Outcome(
        kind=kind.name,
        mode=mode,
        suffix=made.file.suffix,
        frames=len(shared),
        expected_frames=len(wanted),
        frame_ms=round(deviation, 3),
        tracks=len(good),
        expected_tracks=len(source.tracks),
        sync_samples=max(good, key=abs, default=0),
        allowed_samples=1 if mode != "copy" and kind.suffix in EXACT_SUFFIXES else ROUNDED_SAMPLES,
        end_ms=0.0 if mode == "copy" else round(_end_deviation(made.file, made), 2),
        note=made.note or "",
    )


def _end_deviation(file: Path, made: ExportedClip) -> float:
    """Return the largest deviation of a length stated in a clip from that of its range, in milliseconds."""
    seconds = float((made.end_seconds or 0) - (made.start_seconds or 0))
    with av.open(str(file)) as container:
        lengths = [
            float(each.duration * each.time_base) for each in container.streams if each.duration and each.time_base
        ]
        lengths.append((container.duration or 0) / 1e6)
    return max(abs(each - seconds) for each in lengths) * 1000


def main(arguments: list[str]) -> int:
    """Print the table and the line of JSON. Return 1 if anything is not where it should be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="Only kinds whose name holds this text.")
    parser.add_argument("--keep", type=Path, help="Folder for sources and clips; else they are removed.")
    options = parser.parse_args(arguments)
    outcomes = []
    print(f"{'kind':27}{'mode':6} {'clip':5} {'frames':>8} {'ms':>6} {'tracks':>7} {'sync':>5} {'end ms':>7}  note")
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for kind in KINDS:
            if options.only.lower() not in kind.name.lower():
                continue
            path = make_source(kind, folder)
            source = read(path)
            for mode in get_args(ExportMode):
                one = compare(kind, mode, path, source, folder / "clips" / mode)
                outcomes.append(one)
                frames, tracks = f"{one.frames}/{one.expected_frames}", f"{one.tracks}/{one.expected_tracks}"
                print(
                    f"{one.kind:27}{one.mode:6} {one.suffix:5} {frames:>8} {one.frame_ms:6.2f} {tracks:>7} "
                    f"{one.sync_samples:5d} {one.end_ms:7.2f}  {'' if one.right else '! '}{one.note}",
                    flush=True,
                )
    refused = [f"{one.kind} {one.mode}" for one in outcomes if one.mode == "copy" and REFUSED in one.note]
    wrong = [name for one in outcomes if not one.right and (name := f"{one.kind} {one.mode}") not in refused]
    right = len(outcomes) - len(wrong) - len(refused)
    print(
        f"{right} of {len(outcomes)} clips are right, {len(refused)} refused with the mode that can, {len(wrong)} wrong"
    )
    print(
        json.dumps(
            {"clips": len(outcomes), "refused": refused, "wrong": wrong, "outcomes": [asdict(one) for one in outcomes]}
        )
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
