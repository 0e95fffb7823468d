"""Generator of the demo library: short files of many kinds, whose every shot is a take that training never showed.

    python demo/make_library.py [--out app/demo_library]

The files cover what an indexer meets: codecs, containers, sizes, frame rates, a variable frame rate, a rotation flag,
non-square pixels, a late start, B-frames, sound, a fade. `captions.json` beside them is the ground truth: for each file
its shots, with first and last frame, seconds, thing, background, motion, and transition (start, cut or fade).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from demo import captions, world

Pixels = NDArray[np.uint8]
NTSC, FILM = Fraction(30000, 1001), Fraction(24000, 1001)
SEED = 20261121


@dataclass(frozen=True)
class File:
    """The properties of one file. `rate` is the rate at which takes are drawn, also where the file's own varies."""

    name: str
    codec: str
    width: int
    height: int
    rate: Fraction
    seconds: tuple[float, ...]  # of each shot
    options: dict[str, str] = field(default_factory=dict)
    pixels: str = "yuv420p"
    fades: tuple[int, ...] = ()  # shots that come in through black
    sample_aspect: Fraction = Fraction(1)
    rotation: int = 0  # degrees that a player turns the picture clockwise
    variable: bool = False  # every second shot at a third of the rate
    first_seconds: int = 0  # time stamp of the first frame
    sound: bool = False


def h264(**options: str) -> dict[str, str]:
    return {"crf": "27", "preset": "slow", **options}


R = Fraction
FILES = (
    File("01_widescreen_25.mp4", "libx264", 480, 270, R(25), (2.0, 2.4, 2.2, 1.8), h264(bf="3"), sound=True),
    File("02_widescreen_ntsc.mp4", "libx264", 480, 270, NTSC, (2.2, 1.8, 2.6), h264(bf="2")),
    File("03_film_rate.mkv", "libx264", 480, 270, FILM, (2.0, 2.5, 2.1, 1.9), h264(bf="3")),
    File("04_academy_ratio.mp4", "libx264", 360, 270, R(24), (2.3, 2.0, 2.2), h264()),
    File("05_square.mp4", "libx264", 320, 320, R(30), (2.0, 2.0, 2.0, 2.0), h264()),
    File("06_portrait.mp4", "libx264", 270, 480, R(30), (2.4, 2.0, 2.2), h264(), sound=True),
    File("07_phone_turned.mp4", "libx264", 480, 270, R(30), (2.1, 2.3, 2.0), h264(), rotation=90),
    File("08_variable_rate.mp4", "libx264", 480, 270, R(30), (2.2, 2.4, 2.0, 2.6), h264(bf="0"), variable=True),
    File("09_variable_rate.mkv", "libvpx-vp9", 480, 270, R(24), (2.0, 2.5, 2.2), {"crf": "38", "b": "0"},
         variable=True),
    File("10_wide_pixels.mp4", "libx264", 360, 270, R(25), (2.2, 2.0, 2.4), h264(), sample_aspect=R(4, 3)),
    File("11_late_start.mkv", "libx264", 480, 270, R(25), (2.0, 2.2, 2.0), h264(), first_seconds=100),
    File("12_through_black.mp4", "libx264", 480, 270, R(25), (2.4, 2.6, 2.2), h264(), fades=(1,)),
    File("13_one_shot.mp4", "libx264", 480, 270, R(25), (4.0,), h264()),
    File("14_hevc.mp4", "libx265", 480, 270, R(25), (2.2, 2.0, 2.3), {"crf": "30", "x265-params": "log-level=none"}),
    File("15_hevc_10bit.mkv", "libx265", 480, 270, R(24), (2.0, 2.2, 1.8),
         {"crf": "30", "x265-params": "log-level=none"}, pixels="yuv420p10le"),
    File("16_vp9.webm", "libvpx-vp9", 480, 270, R(30), (2.0, 2.2, 2.1), {"crf": "38", "b": "0"}),
    File("17_vp8.webm", "libvpx", 480, 270, R(25), (2.0, 2.2, 2.0), {"crf": "24", "b": "500k"}),
    File("18_av1.mkv", "libsvtav1", 480, 270, R(25), (2.2, 2.0, 2.0), {"crf": "42", "preset": "6"}),
    File("19_mpeg4.avi", "mpeg4", 360, 270, R(25), (2.0, 2.2, 1.8), {"qscale": "6", "bf": "0"}),
    File("20_mpeg2.ts", "mpeg2video", 480, 270, R(25), (2.0, 2.0, 2.2), {"b": "500k", "bf": "2"}),
    File("21_motion_jpeg.mov", "mjpeg", 240, 136, R(12), (2.0, 2.2, 2.0), {"qscale": "7"}, pixels="yuvj420p"),
    File("22_fifty.mp4", "libx264", 480, 270, R(50), (1.8, 2.0, 1.9), h264()),
    File("23_slow_twelve.mp4", "libx264", 480, 270, R(12), (2.4, 2.6, 2.5), h264()),
    File("24_larger.mp4", "libx264", 640, 360, R(25), (2.0, 2.4, 2.2, 2.0), h264(bf="3")),
    File("25_scope.mp4", "libx264", 480, 200, R(24), (2.2, 2.0, 2.3), h264()),
    File("26_full_range.mp4", "libx264", 480, 270, R(25), (2.0, 2.2, 2.1), h264(), pixels="yuvj420p"),
    File("27_quick_cuts.mp4", "libx264", 480, 270, R(30), (1.0, 1.2, 1.0, 0.9, 1.1, 1.0), h264(bf="3")),
    File("28_long_takes.mp4", "libx264", 480, 270, R(15), (5.0, 6.0), h264()),
)  # fmt: skip
FADE_SECONDS = 0.4  # to black, and as long from black


def choose_takes(count: int, rng: np.random.Generator) -> list[world.Take]:
    """Return held-out takes, each once, motions in equal shares, neighbours differing in background and thing."""
    pool = sorted(captions.held_out())
    rng.shuffle(pool)  # type: ignore[arg-type]
    chosen: list[world.Take] = []
    while len(chosen) < count:
        motion = world.MOTIONS[len(chosen) % 8 ^ (len(chosen) // 8) % 8]
        take = next(
            take
            for take in pool
            if take.motion == motion
            and not (chosen and (take.background == chosen[-1].background or take.thing == chosen[-1].thing))
        )
        pool.remove(take)
        chosen.append(take)
    return chosen


def frame_times(file: File) -> list[list[Fraction]]:
    """Return for each shot the time of each of its frames within the file."""
    shots: list[list[Fraction]] = []
    at = Fraction(0)
    for number, seconds in enumerate(file.seconds):
        step = 1 / file.rate * (3 if file.variable and number % 2 else 1)
        frames = round(Fraction(seconds) / step)
        shots.append([at + i * step for i in range(frames)])
        at += frames * step
    return shots


def shot_pixels(file: File, take: world.Take, frames: int, rng: np.random.Generator) -> Pixels:
    """Return the frames of a shot as seen, before any rotation: (frames, height, width, 3)."""
    aspect = float(Fraction(file.width, file.height) * file.sample_aspect)
    width, height = (file.width, file.height) if file.rotation % 180 == 0 else (file.height, file.width)
    if file.rotation % 180:
        aspect = 1 / aspect
    staging = world.stage([take], rng)
    times = ((np.arange(frames) + 0.5) / frames).astype(np.float32)
    return world.draw(staging, times[None], height, width, aspect=aspect)[0]


def pictures(file: File, takes: list[world.Take], rng: np.random.Generator) -> Iterator[tuple[Fraction, Pixels]]:
    """Yield every frame with its time, with fades applied, rotated as the file stores it."""
    times = frame_times(file)
    fade = round(FADE_SECONDS * file.rate)
    for number, (take, shot) in enumerate(zip(takes, times, strict=True)):
        frames = shot_pixels(file, take, len(shot), rng)
        gain = np.ones(len(shot))
        if number in file.fades:
            gain[:fade] = np.linspace(0, 1, fade)
        if number + 1 in file.fades:
            gain[-fade:] = np.linspace(1, 0, fade)
        for time, frame, factor in zip(shot, frames, gain, strict=True):
            shown = frame if factor == 1 else (frame * factor).astype(np.uint8)
            yield time, np.ascontiguousarray(np.rot90(shown, file.rotation // 90))


def encode(file: File, takes: list[world.Take], path: Path, rng: np.random.Generator) -> None:
    """Write the file, without its rotation flag."""
    base = Fraction(1, 1000) if path.suffix in (".mkv", ".webm") else 1 / (file.rate * 512)
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(file.codec, rate=file.rate)
        stream.width, stream.height, stream.pix_fmt = file.width, file.height, file.pixels
        stream.options = file.options
        context = stream.codec_context
        context.time_base = base if file.variable else 1 / file.rate
        context.sample_aspect_ratio = file.sample_aspect
        context.thread_count = 1  # the same bytes at every run
        audio: Any = None
        if file.sound:
            audio = container.add_stream("aac", rate=44100)
            audio.bit_rate = 32000
        end = Fraction(0)
        for time, pixels in pictures(file, takes, rng):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format=file.pixels)
            frame.time_base = context.time_base
            frame.pts = round((time + file.first_seconds) / context.time_base)
            container.mux(stream.encode(frame))
            end = time + 1 / file.rate
        container.mux(stream.encode(None))
        if audio is not None:
            for chunk in tone(float(end)):
                container.mux(audio.encode(chunk))
            container.mux(audio.encode(None))


def tone(seconds: float, rate: int = 44100) -> Iterator[av.AudioFrame]:
    """Yield a quiet tone that rises by an octave, so that sound out of step can be heard and measured."""
    n = int(seconds * rate)
    time = np.arange(n) / rate
    wave = (0.05 * np.sin(2 * np.pi * 220 * (time + time**2 / (2 * seconds)))).astype(np.float32)
    for start in range(0, n, 1024):
        part = wave[start : start + 1024]
        frame = av.AudioFrame.from_ndarray(part[None], format="fltp", layout="mono")
        frame.sample_rate = rate
        frame.pts = start
        frame.time_base = Fraction(1, rate)
        yield frame


def flag_rotation(path: Path, degrees: int) -> None:
    """Write the display matrix with the packaged ffmpeg, because PyAV cannot."""
    import imageio_ffmpeg

    plain = path.with_name(f"plain_{path.name}")
    path.rename(plain)
    subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-display_rotation", str(-degrees), "-i", str(plain),
         "-c", "copy", "-y", str(path)],
        check=True,
    )  # fmt: skip
    plain.unlink()


def truth(file: File, takes: list[world.Take]) -> dict[str, object]:
    """Return the file's entry in captions.json; seconds count from its first frame."""
    shots = []
    first = 0
    times = frame_times(file)
    for number, (take, shot) in enumerate(zip(takes, times, strict=True)):
        end = times[number + 1][0] if number + 1 < len(times) else shot[-1] + (shot[-1] - shot[-2])
        shots.append(
            {
                "start_frame": first,
                "end_frame": first + len(shot),
                "start_seconds": round(float(shot[0]), 6),
                "end_seconds": round(float(end), 6),
                "transition": "start" if number == 0 else "fade" if number in file.fades else "cut",
                "thing": take.thing,
                "background": take.background,
                "motion": take.motion,
                "caption": captions.describe(take),
            }
        )
        first += len(shot)
    return {"file": file.name, "frame_rate": str(file.rate), "variable": file.variable, "shots": shots}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "app/demo_library")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    takes = choose_takes(sum(len(file.seconds) for file in FILES), np.random.default_rng(SEED))
    listed = []
    for number, file in enumerate(FILES):
        mine, takes = takes[: len(file.seconds)], takes[len(file.seconds) :]
        path = args.out / file.name
        encode(file, mine, path, np.random.default_rng((SEED, number)))
        if file.rotation:
            flag_rotation(path, file.rotation)
        listed.append(truth(file, mine))
        print(f"{path.stat().st_size:>9} {file.name}")
    (args.out / "captions.json").write_text(json.dumps({"files": listed}, indent=1) + "\n")
    total = sum(path.stat().st_size for path in args.out.iterdir())
    print(f"{total:>9} in {len(FILES)} files, {sum(len(file.seconds) for file in FILES)} shots")


if __name__ == "__main__":
    main()
