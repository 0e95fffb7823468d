"""Words: text read in a made video (recall, precision, CPU of a frame), and what the extras for words cost.

    python -m benchmarks.words [--height 720] [--clips FOLDER] [--threads 1] [--runs 3]

The video has twenty captions in five sizes and two scripts, four in each shot, over moving squares of many colours.
Its shots are read as an index run would: one to three frames, more where text changes, merged over time. A caption is
found if a line has its text (all characters but one in five, digits exactly) at a time when it is shown; a line is
right if it is such a one.
--clips: also print what is read in the middle of each video of a folder. It needs the extras `ocr` and `speech`.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from recognition.protocol import SAMPLE_RATE, RecognizedLine
from recognition.screen.frame_times import FrameReading, frame_times, more_times, shown_ranges
from recognition.screen.merging import LEAST_CONFIDENCE, Shown, merge_shown
from recognition.screen.rapid import RapidTextReader
from recognition.screen.same_text import is_same

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from captions import CHINESE_FROM, Caption, captions, paint

ROOT = Path(__file__).resolve().parent.parent
RATE = 25
SHOT_SECONDS = 4
SHARES = (45, 30, 20, 13, 8)
"""Heights of letters: the picture's height over these."""

EXTRAS = {
    "speech": ("faster-whisper", "ctranslate2", "onnxruntime", "tokenizers"),
    "ocr": ("rapidocr", "onnxruntime", "shapely", "pyclipper", "omegaconf"),
}
"""What each brings that the rest of the program does not need."""

IMPORTS = (
    "pass",
    "import recognition, recognition.speech.whisper, recognition.screen.rapid",
    "import faster_whisper",
    "from rapidocr import RapidOCR",
)


@dataclass(frozen=True)
class Placed:
    """A caption in the made video."""

    caption: Caption
    share: int
    script: str
    start_ms: int
    end_ms: int


@dataclass
class Reading:
    """What reading a video cost and gave."""

    lines: list[RecognizedLine] = field(default_factory=list)
    frames: int = 0
    shots: int = 0
    cpu_seconds: float = 0.0


def plan() -> list[Placed]:
    """Return where the captions are: four in a shot, the last two of them only from its third part on."""
    placed = []
    numbers = [i + script for i in range(10) for script in (0, CHINESE_FROM)]
    for n, number in enumerate(numbers):
        shot, row = divmod(n, 4)
        begin, end = shot * SHOT_SECONDS * 1000, (shot + 1) * SHOT_SECONDS * 1000
        late = row >= 2
        script = "Chinese" if number >= CHINESE_FROM else "Latin"
        placed.append(
            Placed(
                captions()[number],
                SHARES[n // 2 % len(SHARES)],
                script,
                begin + (end - begin) * 7 // 20 if late else begin,
                end,
            )
        )
    return placed


def make_video(path: Path, height: int, placed: list[Placed]) -> None:
    """Write the video: H.264, 16:9, so that captions have gone through a codec."""
    width = height * 16 // 9 // 2 * 2
    rng = np.random.default_rng(18)
    shots = max(each.end_ms for each in placed) // (SHOT_SECONDS * 1000)
    with av.open(str(path), "w") as target:
        stream = target.add_stream("libx264", rate=RATE, options={"preset": "veryfast", "crf": "23"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for shot in range(shots):
            blobs = rng.uniform(30, 200, (height // 40 + 1, width // 40 + 2, 3))
            ground = np.repeat(np.repeat(blobs, 40, 0), 40, 1)
            for i in range(SHOT_SECONDS * RATE):
                frame = ground[:height, i % 40 : i % 40 + width].astype(np.uint8)
                now = (shot * SHOT_SECONDS * 1000) + i * 1000 // RATE
                for row, each in enumerate(placed[shot * 4 : shot * 4 + 4]):
                    if each.start_ms <= now < each.end_ms:
                        paint(
                            frame, each.caption, height / each.share, width // 20, round(height * (0.04 + 0.24 * row))
                        )
                target.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")))
        target.mux(stream.encode(None))


def frames_at(path: Path, times_ms: tuple[int, ...]) -> Iterator[NDArray[np.uint8]]:
    """Yield the frame shown at each of these times, uint8 (H, W, 3)."""
    with av.open(str(path)) as source:
        stream = source.streams.video[0]
        assert stream.time_base is not None
        for wanted in times_ms:
            source.seek(int(wanted / 1000 / stream.time_base), stream=stream)
            shown = None
            for frame in source.decode(stream):
                if shown is not None and round((frame.time or 0) * 1000) > wanted:
                    break
                shown = frame
            if shown is not None:
                yield shown.to_ndarray(format="rgb24")


def read_video(path: Path, shots: list[tuple[int, int]], reader: RapidTextReader) -> Reading:
    """Read the shots of a video, given in milliseconds. Decoding is not counted."""
    reading, shown = Reading(shots=len(shots)), []
    for start, end in shots:
        known: list[FrameReading] = []
        times = frame_times(start, end)
        while times:
            for at, frame in zip(times, frames_at(path, times), strict=True):
                began = time.process_time()
                known.append(FrameReading(at, tuple(reader.read(frame))))
                reading.cpu_seconds += time.process_time() - began
            times = more_times(known)
        known.sort(key=lambda each: each.time_ms)
        ranges = shown_ranges([each.time_ms for each in known], start, end)
        shown += [Shown(a, b, each.texts) for (a, b), each in zip(ranges, known, strict=True)]
        reading.frames += len(known)
    reading.lines = list(merge_shown(shown))
    return reading


def scores(placed: list[Placed], lines: list[RecognizedLine]) -> dict[str, Any]:
    """Return recall, of all and by size and script, precision, and how well the times are known."""

    def matching(each: Placed) -> list[RecognizedLine]:
        return [
            line
            for line in lines
            if is_same(line.text, each.caption.text) and line.start_ms < each.end_ms and line.end_ms > each.start_ms
        ]

    def share(chosen: list[Placed]) -> float:
        return round(sum(bool(matching(each)) for each in chosen) / len(chosen), 3)

    right = {id(line) for each in placed for line in matching(each)}
    off = [
        max(abs(line.start_ms - each.start_ms), abs(line.end_ms - each.end_ms))
        for each in placed
        for line in matching(each)[:1]
    ]
    return {
        "recall": share(placed),
        "precision": round(len(right) / len(lines), 3) if lines else None,
        "by_size": {f"1/{s}": share([each for each in placed if each.share == s]) for s in SHARES},
        "by_script": {s: share([each for each in placed if each.script == s]) for s in ("Latin", "Chinese")},
        "times_off_ms": statistics.median(off) if off else None,
        "missed": [each.caption.text for each in placed if not matching(each)],
        "wrong": [line.text for line in lines if id(line) not in right],
    }


def installed_mb(package: str) -> float:
    """Return the size of the files of an installed package."""
    files = importlib.metadata.files(package) or []
    return sum(path.stat().st_size for file in files if (path := Path(str(file.locate()))).is_file()) / 1e6


def import_seconds(code: str, runs: int) -> tuple[float, float]:
    """Return the medians of wall and CPU seconds of a process that runs this code."""
    wall, cpu = [], []
    timed = f"import time\n{code}\nprint(time.process_time())"
    for _ in range(runs + 1):
        began = time.perf_counter()
        said = subprocess.run(
            [sys.executable, "-c", timed], check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True
        ).stdout
        wall.append(time.perf_counter() - began)
        cpu.append(float(said.splitlines()[-1]))
    return statistics.median(wall[1:]), statistics.median(cpu[1:])


def voice_seconds() -> float:
    """Return CPU seconds of voice detection in an hour of sound, measured on a minute."""
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    sound = np.random.default_rng(1).normal(0, 0.05, 30 * SAMPLE_RATE).astype(np.float32)
    get_speech_timestamps(sound, VadOptions())
    began = time.process_time()
    for _ in range(2):
        get_speech_timestamps(sound, VadOptions())
    return (time.process_time() - began) * 60


def read_clips(folder: Path, reader: RapidTextReader) -> dict[str, list[tuple[str, float]]]:
    """Return what is read in the middle of each video of a folder, from `LEAST_CONFIDENCE` on."""
    found = {}
    for path in sorted(path for path in folder.iterdir() if path.suffix in (".mp4", ".webm", ".mkv", ".mov")):
        with av.open(str(path)) as source:
            length = int((source.duration or 0) / 1000)
        times = frame_times(0, max(1, length))
        reading = read_video(path, [(0, max(1, length))], reader)
        found[path.name] = [(line.text, round(line.confidence or 0, 2)) for line in reading.lines]
        each = reading.cpu_seconds / max(1, reading.frames)
        print(f"  {path.name:40}{len(times)}..{reading.frames} frames {each:5.2f} s  {found[path.name]}", flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--height", type=int, nargs="*", default=[720, 1080])
    parser.add_argument("--clips", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()

    results: dict[str, Any] = {"least_confidence": LEAST_CONFIDENCE, "installed_mb": {}, "imports": {}, "read": {}}
    for extra, packages in EXTRAS.items():
        results["installed_mb"][extra] = {package: round(installed_mb(package), 1) for package in packages}
        sizes = results["installed_mb"][extra]
        print(f"{extra:8} installed {sum(sizes.values()):6.1f} MB: {sizes}")
    for code in IMPORTS:
        wall, cpu = import_seconds(code, options.runs)
        results["imports"][code] = {"wall_s": round(wall, 3), "cpu_s": round(cpu, 3)}
        print(f"{code:84}{wall:6.2f} s wall {cpu:6.2f} s CPU", flush=True)
    results["voice_cpu_s_an_hour"] = round(voice_seconds(), 1)
    print(f"voice detection, CPU s an hour of sound: {results['voice_cpu_s_an_hour']}")

    reader = RapidTextReader(threads=options.threads)
    reader.prepare()
    reader.read(np.full((360, 640, 3), 90, np.uint8))
    placed = plan()
    shots = sorted({(p.end_ms - SHOT_SECONDS * 1000, p.end_ms) for p in placed})
    for height in options.height:
        with tempfile.TemporaryDirectory() as temporary:
            path = Path(temporary) / "captions.mp4"
            make_video(path, height, placed)
            reading = read_video(path, shots, reader)
        found = scores(placed, reading.lines)
        found |= {
            "frames": reading.frames,
            "cpu_s_a_frame": round(reading.cpu_seconds / reading.frames, 3),
            "cpu_s_a_shot": round(reading.cpu_seconds / reading.shots, 3),
        }
        results["read"][height] = found
        print(f"\n{height} lines: " + ", ".join(f"{name} {value}" for name, value in found.items()), flush=True)
    if options.clips is not None:
        print(f"\n{options.clips.name}, confidence from {LEAST_CONFIDENCE} on")
        results["clips"] = read_clips(options.clips, reader)
    print(json.dumps({"benchmark": "words"} | results, ensure_ascii=False))


if __name__ == "__main__":
    main()
