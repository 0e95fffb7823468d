"""Accuracy of shot boundary detection, on hard cuts, dissolves, wipes and fades, and its cost per frame.

    python -m benchmarks.detection [--film JSON] [--footage DIR] [--leave-out NAME...] [--videos FILE...]

It measures on the edited videos of `--film` (a list of cuts marked by eye), on `--videos` (each with its truth as JSON
beside it), on the bundled demo library, and on videos assembled from the clips in DIR, or from single shots of the demo
library: one per seed, with frame rates of 24, 25, 30, 50 and variable, wide, square and upright sizes, hard cuts, and
dissolves, wipes and fades of 0.3 to 1.2 s. --leave-out names clips that are edited themselves.
Clips of DIR are also measured as they are: whatever is found there is false. --only chooses detectors.

A found cut is right if it lies within a transition or at most two frames beside it (the convention of TRECVID and
ClipShots for single positions); each transition and each cut counts once. For each set and detector it prints how many
of each kind were found, precision, recall, F1, false cuts a minute and CPU milliseconds of one core per frame beside
decoding and scaling. The last line is JSON. All detectors see the same planes in one run; "reference frames" sees only
frames that others are decoded from. "the network alone" is the learned detector without the cuts of blend; its time
includes blend's. ffmpeg's scdet sees whole frames.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks._assembled import KINDS, Assembled, Plan, Source, Transition, assemble, read_truth
from benchmarks._stock_detectors import STOCK, StockDetector, scdet
from encoder.shot_boundaries import ShotBoundaryScorer, installed_weights
from indexer.settings import LEARNED
from indexer.shots.detector import CutDetector

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

    from indexer.media.scale import Scaler

HERE = Path(__file__).resolve().parent
LIBRARY = HERE.parent / "app" / "demo_library"
BESIDE = 2  # frames beside a transition
FADE_FRAMES = 12  # on either side of the middle of the demo library's fade
RATES = (25, 24, 30, 50, None)
SIZES = ((640, 360), (320, 180), (480, 360), (320, 180), (360, 640), (640, 360), (320, 240))


@dataclass(frozen=True, slots=True)
class Way:
    """A detector on one kind of planes."""

    name: str
    detector: str
    pixels: int  # long side
    reference_only: bool = False
    options: Mapping[str, float] = field(default_factory=dict)


SCDET = "ffmpeg scdet"
WAYS = (
    *(Way(name, name, 256) for name in STOCK),
    Way("content", "content", 256),
    Way("adaptive", "adaptive", 256),
    Way("blend", "blend", 128),
    Way("blend, planes of 256", "blend", 256),
    Way("the network alone", "learned", 128, options={"support": 1.0}),
    Way("learned", "learned", 128),
    Way("adaptive, reference frames", "adaptive", 256, reference_only=True),
    Way("blend, reference frames", "blend", 128, reference_only=True),
    Way("learned, reference frames", "learned", 128, reference_only=True),
)
"""In the sizes of planes that `index` gives them, but for one."""


@dataclass(slots=True)
class Tally:
    """The counts of one detector in one set."""

    found: Counter[str] = field(default_factory=Counter)
    there: Counter[str] = field(default_factory=Counter)
    cuts: int = 0
    frames: int = 0
    seconds: float = 0.0
    minutes: float = 0.0  # of video
    lateness: list[float] = field(default_factory=list)  # seconds from a cut's place to when it was known
    wrong: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)

    def row(self) -> dict[str, Any]:
        right, there = self.found.total(), self.there.total()
        precision = right / self.cuts if self.cuts else 1.0
        recall = right / there if there else 1.0
        return {
            **{kind: [self.found[kind], self.there[kind]] for kind in KINDS},
            "wrong": self.cuts - right,
            "wrong_a_minute": round((self.cuts - right) / max(self.minutes, 1e-9), 2),
            "precision": round(precision, 3),
            "recall": round(recall, 3),
            "f1": round(2 * precision * recall / (precision + recall), 3) if right else 0.0 if there else 1.0,
            "ms_a_frame": round(1000 * self.seconds / max(1, self.frames), 3),
            "late_seconds": [round(float(np.quantile(self.lateness or [0.0], part)), 2) for part in (0.5, 1.0)],
        }


def frames(path: Path, *, reference_only: bool = False) -> Iterator[tuple[Fraction, Fraction, VideoFrame]]:
    """Yield time base, nominal rate and frame, in ascending time."""
    import av

    with av.open(str(path)) as source:
        stream = source.streams.video[0]
        stream.codec_context.thread_count = 1  # so that the time of a detector is its own
        if reference_only:
            stream.codec_context.skip_frame = "NONREF"
        rate = Fraction(stream.average_rate or 25)
        last = None
        for frame in source.decode(stream):
            if frame.pts is None or (last is not None and frame.pts <= last):
                continue
            last = frame.pts
            assert stream.time_base is not None
            yield stream.time_base, rate, frame


def scaler(first: VideoFrame) -> Scaler:
    """Return the indexer's own scaler, for the planes that it would make."""
    from encoder import ClipSpec
    from indexer.media.orientation import Orientation
    from indexer.media.scale import Scaler

    made = Scaler(ClipSpec(16, 288), orientation=Orientation(), sample_aspect=Fraction(1))
    made.start(first)
    return made


def measure(
    video: Assembled, ways: Sequence[Way], tallies: dict[str, Tally], scorer: ShotBoundaryScorer | None = None
) -> None:
    """Run every detector over the video and add its cuts to its counts; the learned ones if there is a scorer."""
    ways = [way for way in ways if scorer is not None or way.detector not in LEARNED]
    times: list[Fraction] = []
    for reference_only in (False, True):
        chosen = [way for way in ways if way.reference_only == reference_only]
        detectors: dict[str, CutDetector | StockDetector] = {}
        cuts: dict[str, list[float]] = {way.name: [] for way in chosen}
        start = 0
        base = Fraction(1)
        scalers: dict[int, Scaler] = {}
        for number, (base, rate, frame) in enumerate(frames(video.path, reference_only=reference_only)):
            pts = frame.pts or 0
            if number == 0:
                start = pts
                scalers = {pixels: scaler(frame) for pixels in {way.pixels for way in chosen}}
                detectors = {way.name: _make(way, base, rate, pts, scorer) for way in chosen}
            now = float((pts - start) * base)
            if not reference_only:
                times.append((pts - start) * base)
            planes = {pixels: made.plane(made.reduce(frame), pixels) for pixels, made in scalers.items()}
            for way in chosen:
                tally = tallies.setdefault(way.name, Tally())
                began = time.process_time()
                found = detectors[way.name].feed(pts, planes[way.pixels])
                tally.seconds += time.process_time() - began
                tally.frames += 1
                seconds = [float((cut - start) * base) for cut in found]
                cuts[way.name] += seconds
                tally.lateness += [now - each for each in seconds]
        for way in chosen:
            began = time.process_time()
            cuts[way.name] += [float((cut - start) * base) for cut in detectors[way.name].finish()]
            tallies[way.name].seconds += time.process_time() - began
            judge(video, [float(each) for each in times], sorted(cuts[way.name]), tallies[way.name])

    tally = tallies.setdefault(SCDET, Tally())
    found, cpu = scdet(video.path)
    tally.seconds += cpu
    tally.frames += len(times)
    judge(video, [float(each) for each in times], found, tally)


def _make(
    way: Way, base: Fraction, rate: Fraction, pts: int, scorer: ShotBoundaryScorer | None
) -> CutDetector | StockDetector:
    if way.detector in STOCK:
        return StockDetector(way.detector, base, rate, pts)
    return CutDetector(way.detector, way.options, time_base=base, frame_rate=rate, start_pts=pts, scorer=scorer)


def judge(video: Assembled, times: Sequence[float], cuts: Sequence[float], tally: Tally) -> None:
    """Match cuts and transitions one to one, the closest pairs first. times: of all frames, in seconds."""
    beside = (BESIDE + 0.01) * (times[-1] / max(1, len(times) - 1))
    pairs = []
    for there, change in enumerate(video.transitions):
        first, last = times[change.start] - beside, times[min(change.end, len(times) - 1)] + beside
        middle = times[change.frame]
        pairs += [(abs(cut - middle), there, k) for k, cut in enumerate(cuts) if first <= cut <= last]
    matched: dict[int, int] = {}
    used: set[int] = set()
    for _, there, k in sorted(pairs):
        if there not in matched and k not in used:
            matched[there] = k
            used.add(k)
    tally.cuts += len(cuts)
    tally.minutes += times[-1] / 60
    for there, change in enumerate(video.transitions):
        tally.there[change.type] += 1
        if there in matched:
            tally.found[change.type] += 1
        else:
            tally.missed.append(f"{video.path.name} {change.type} {change.style} {change.start}-{change.end}")
    tally.wrong += [f"{video.path.name} {cut:.2f} s" for k, cut in enumerate(cuts) if k not in used]


def demo_library() -> list[Assembled]:
    """Return the bundled videos with the shots of their captions."""
    made = []
    for entry in json.loads((LIBRARY / "captions.json").read_text(encoding="utf-8"))["files"]:
        changes = []
        for shot in entry["shots"][1:]:
            frame, kind = int(shot["start_frame"]), str(shot["transition"])
            around = 0 if kind == "cut" else FADE_FRAMES
            changes.append(Transition(kind, frame, frame - around, frame + around))
        made.append(Assembled(LIBRARY / entry["file"], changes))
    return made


def read_film(marks: Path) -> list[Assembled]:
    """Return the videos of a list of cuts marked by eye: `cuts` and, each with first and last frame, `gradual` ones."""
    videos = []
    for name, entry in json.loads(marks.read_text(encoding="utf-8"))["videos"].items():
        places = (folder / entry.get("path", name) for folder in marks.resolve().parents)
        path = next(place for place in places if place.is_file())
        changes = [Transition("cut", cut, cut, cut) for cut in entry["cuts"]]
        for first, last, what in entry.get("gradual", []):
            kind = next((kind for kind in KINDS if kind in what), "dissolve")
            changes.append(Transition(kind, (first + last) // 2, first, last))
        videos.append(Assembled(path, sorted(changes, key=lambda change: change.frame)))
    return videos


def single_shots(most: int = 60) -> list[Source]:
    """Return shots of the demo library, as footage for assembling."""
    sources = []
    for entry in json.loads((LIBRARY / "captions.json").read_text(encoding="utf-8"))["files"]:
        for shot in entry["shots"]:
            if shot["end_seconds"] - shot["start_seconds"] >= 1.5:
                sources.append(Source(LIBRARY / entry["file"], shot["start_seconds"] + 0.1, shot["end_seconds"] - 0.1))
    return sources[:: max(1, len(sources) // most)]


def show(title: str, tallies: dict[str, Tally], *, details: bool) -> dict[str, Any]:
    print(f"\n{title}\n{'':28}{'cuts':>9}{'dissolves':>11}{'wipes':>9}{'fades':>9}{'wrong':>7}", end="")
    print(f"{'/min':>7}{'precision':>11}{'recall':>8}{'F1':>8}{'ms/frame':>10}{'s late':>12}")
    rows = {}
    for name, tally in tallies.items():
        row = rows[name] = tally.row()
        kinds = "".join(
            f"{'{}/{}'.format(*row[kind]):>{width}}" for kind, width in zip(KINDS, (9, 11, 9, 9), strict=True)
        )
        late = "{:.2f}-{:.2f}".format(*row["late_seconds"])
        print(
            f"{name:28}{kinds}{row['wrong']:7}{row['wrong_a_minute']:7.2f}{row['precision']:11.3f}{row['recall']:8.3f}{row['f1']:8.3f}"
            f"{row['ms_a_frame']:10.3f}{late:>12}",
            flush=True,
        )
        if details and (tally.missed or tally.wrong):
            print(f"    missed: {'; '.join(tally.missed) or '-'}\n    wrong: {'; '.join(tally.wrong) or '-'}")
    return rows


def main() -> None:
    import cv2

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--footage", type=Path, help="folder of clips to assemble videos from")
    parser.add_argument("--leave-out", nargs="*", default=[], metavar="NAME", help="clips in it with cuts of their own")
    parser.add_argument("--videos", nargs="*", type=Path, default=[], help="videos with their truth beside them")
    parser.add_argument("--film", type=Path, help="JSON with the cuts of edited videos")
    parser.add_argument("--seeds", nargs="*", type=int, default=[30, 31, 32])
    parser.add_argument("--only", nargs="*", metavar="NAME", help="of the detectors, as in the table")
    parser.add_argument("--keep", type=Path, help="folder for the assembled videos, taken from there if they are there")
    parser.add_argument("--details", action="store_true", help="name what was missed and what was wrong")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    ways = [way for way in WAYS if not options.only or way.name in options.only]
    scorer = None
    if installed_weights():
        import torch

        torch.set_num_threads(1)
        from encoder.shot_boundaries.model import ShotBoundaryModel

        scorer = ShotBoundaryModel.load()
    sets: dict[str, dict[str, Tally]] = {}
    rows = {}
    film = read_film(options.film) if options.film else []
    if film:
        sets["film"] = {}
        for video in film:
            measure(video, ways, sets["film"], scorer)
        rows["film"] = show(f"{len(film)} edited films", sets["film"], details=options.details)
    left_out = {*options.leave_out, *(video.path.name for video in film)}
    for video in options.videos:
        sets[video.name] = {}
        measure(read_truth(video), ways, sets[video.name], scorer)
        rows[video.name] = show(video.name, sets[video.name], details=options.details)
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        clips = single_shots()
        if options.footage:
            names = [path for path in sorted(options.footage.iterdir()) if path.name not in left_out]
            clips = [Source(path) for path in names if path.is_file()]
        tallies: dict[str, Tally] = {}
        for seed in options.seeds:
            plan = Plan(seed, RATES[seed % len(RATES)], SIZES[seed % len(SIZES)])
            path = folder / f"seed{seed:02}.mp4"
            made = read_truth(path) if path.with_suffix(".json").exists() else assemble(plan, clips, path)
            measure(made, ways, tallies, scorer)
        if options.seeds:
            rows["assembled"] = show(f"{len(options.seeds)} assembled videos", tallies, details=options.details)
    tallies = {}
    for video in demo_library() if options.seeds else ():
        measure(video, ways, tallies, scorer)
    rows["demo library"] = show("the demo library", tallies, details=options.details)
    if options.footage:
        tallies = {}
        for clip in clips:
            measure(Assembled(clip.path), ways, tallies, scorer)
        rows["unedited clips"] = show(f"{len(clips)} unedited clips", tallies, details=options.details)
    print(json.dumps({"benchmark": "detection", "seeds": options.seeds, "sets": rows}))


if __name__ == "__main__":
    main()
