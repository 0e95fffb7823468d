"""Videos with known shot boundaries, assembled from real clips: hard cuts, dissolves, wipes and fades.

The truth is written beside each video as JSON: `transitions`, each with a `type`, the `frame` of the cut (0-based, the
first frame of the new shot; of a gradual transition the middle) and, where gradual, `start` and `end`, its first and
last blended frame. The same seed gives the same pictures from the same clips.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

KINDS = ("cut", "dissolve", "wipe", "fade")
_TICKS = 600  # a second, in which frame times of a variable rate are written


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan of a video. `rate` None: a variable frame rate, with frames 1/60 to 1/12 s apart."""

    seed: int
    rate: int | None = 25
    size: tuple[int, int] = (640, 360)  # width, height
    shots: int = 40
    gradual: float = 0.55  # share of the transitions that are not hard cuts
    shot_seconds: tuple[float, float] = (1.2, 4.0)  # between the middles of transitions, apart from these
    gradual_seconds: tuple[float, float] = (0.32, 1.2)


@dataclass(frozen=True, slots=True)
class Transition:
    """The frame numbers of a transition, see the module; `start` and `end` of a hard cut are its frame."""

    type: str
    frame: int
    start: int
    end: int
    style: str = ""


@dataclass(frozen=True, slots=True)
class Assembled:
    """A video and its transitions."""

    path: Path
    transitions: Sequence[Transition] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class Source:
    """Footage without a cut: all of `path`, or its seconds from `start` to `end`."""

    path: Path
    start: float = 0.0
    end: float | None = None


def read_truth(video: Path) -> Assembled:
    """Read the transitions from the JSON beside `video`. Raise FileNotFoundError if it is missing."""
    given = json.loads(video.with_suffix(".json").read_text(encoding="utf-8"))
    return Assembled(
        video,
        [
            Transition(t["type"], t["frame"], t.get("start", t["frame"]), t.get("end", t["frame"]), t.get("style", ""))
            for t in given["transitions"]
        ],
    )


def assemble(plan: Plan, clips: Sequence[Source], to: Path) -> Assembled:
    """Write the video of `plan` to `to` (.mp4, H.264) and its truth beside it, from three clips or more."""
    import av
    from av.video.frame import VideoFrame

    if len(clips) < 3:
        raise ValueError(f"a video is assembled from at least three clips, got {len(clips)}")
    rng = np.random.default_rng(plan.seed)
    times = _frame_times(plan, rng)
    spans = _spans(plan, rng, times)
    order = _order(len(clips), plan.shots, rng)
    to.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(to), "w") as out:
        stream = cast(
            Any, out.add_stream("libx264", rate=plan.rate or 30, options={"preset": "veryfast", "threads": "1"})
        )
        stream.width, stream.height = plan.size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, _TICKS)
        for number, pixels in enumerate(_pictures(plan, spans, [clips[i] for i in order], times, rng)):
            picture = VideoFrame.from_ndarray(pixels, format="rgb24")
            picture.pts, picture.time_base = round(times[number] * _TICKS), Fraction(1, _TICKS)
            out.mux(stream.encode(picture))
        out.mux(stream.encode(None))
    made = {"plan": asdict(plan), "transitions": [asdict(span) for span in spans[:-1]]}
    to.with_suffix(".json").write_text(json.dumps(made), encoding="utf-8")
    return Assembled(to, spans[:-1])


def _frame_times(plan: Plan, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return the times in seconds of more frames than any plan of this many shots needs."""
    longest = plan.shots * (plan.shot_seconds[1] + plan.gradual_seconds[1])
    if plan.rate is not None:
        return np.arange(int(longest * plan.rate)) / plan.rate
    steps = rng.choice([10, 20, 20, 20, 30, 50], int(longest * 60))  # ticks
    times = np.cumsum(steps) / _TICKS
    return cast("NDArray[np.float64]", times[times < longest])


def _spans(plan: Plan, rng: np.random.Generator, times: NDArray[np.float64]) -> list[Transition]:
    """Return one transition more than there are shots: the last is the end of the video."""
    spans: list[Transition] = []
    at = 0.0
    styles = {
        "dissolve": ["linear", "smooth"],
        "wipe": ["right", "left", "down", "up", "down-right", "up-left", "iris", "doors"],
        "fade": ["black", "black", "black", "white"],
    }
    for _ in range(plan.shots):
        at += rng.uniform(*plan.shot_seconds)
        begin = int(np.searchsorted(times, at))
        if rng.random() >= plan.gradual:
            spans.append(Transition("cut", begin, begin, begin))
            continue
        kind = str(rng.choice(KINDS[1:], p=(0.5, 0.25, 0.25)))
        at += rng.uniform(*plan.gradual_seconds)
        end = max(begin + 1, int(np.searchsorted(times, at)) - 1)
        style = str(rng.choice(styles[kind]))
        if kind == "wipe":
            style += rng.choice(["", " soft"])
        elif kind == "fade":
            style += rng.choice(["", "", " held"])
        spans.append(Transition(kind, (begin + end + 1) // 2, begin, end, style))
    return spans


def _order(clips: int, shots: int, rng: np.random.Generator) -> list[int]:
    """Choose the clip of each shot: all in turn, shuffled, none twice in a row."""
    order: list[int] = []
    while len(order) < shots:
        turn = [int(i) for i in rng.permutation(clips)]
        order += turn[1:] + turn[:1] if order and turn[0] == order[-1] else turn
    return order[:shots]


def _pictures(
    plan: Plan,
    spans: Sequence[Transition],
    clips: Sequence[Source],
    times: NDArray[np.float64],
    rng: np.random.Generator,
) -> Iterator[Pixels]:
    """Yield each frame, (h, w, 3) RGB. The last span only marks the end of the last shot."""
    starts = [0, *(span.start for span in spans[:-1])]
    ends = [span.end if span.type != "cut" else span.end - 1 for span in spans[:-1]] + [spans[-1].start - 1]
    shots = [
        Shot(clip, plan.size, times[first : last + 1] - times[first], rng)
        for clip, first, last in zip(clips, starts, ends, strict=True)
    ]
    number = 0
    for k, shot in enumerate(shots):
        leaving = spans[k] if k < len(spans) - 1 else None
        stop = leaving.start if leaving else spans[-1].start
        while number < stop:
            yield shot.next()
            number += 1
        if leaving is None or leaving.type == "cut":
            continue
        for n in range(leaving.start, leaving.end + 1):
            done = (n - leaving.start + 1) / (leaving.end - leaving.start + 2)
            yield blend(shot.next(), shots[k + 1].next(), done, leaving.type, leaving.style)
            number += 1


class Shot:
    """A part of a clip, scaled to fill `size` (width, height), at the given seconds from its beginning."""

    def __init__(
        self, clip: Source, size: tuple[int, int], times: NDArray[np.float64], rng: np.random.Generator
    ) -> None:
        self._clip, self._size, self._times = clip, size, times
        self._where = rng.random()
        self._frames: Iterator[Pixels] | None = None

    def next(self) -> Pixels:
        """Return the next frame; a clip that is too short is played backwards at its end."""
        if self._frames is None:
            self._frames = self._read()
        return next(self._frames)

    def _read(self) -> Iterator[Pixels]:
        import av

        needed = float(self._times[-1])
        stop = self._clip.end
        if stop is None:
            with av.open(str(self._clip.path)) as source:
                stop = float(source.duration or 0) / 1e6
        begin = self._clip.start + self._where * max(0.0, stop - self._clip.start - needed - 0.2)
        held: list[Pixels] = []
        wanted = iter(self._times)
        time = next(wanted, None)
        with av.open(str(self._clip.path)) as source:
            zero: float | None = None
            last: Any = None
            for frame in source.decode(video=0):
                zero = float(frame.time) if zero is None else zero
                while last is not None and time is not None and frame.time - zero > begin + time:
                    held.append(self._fill(last))
                    yield held[-1]
                    time = next(wanted, None)
                if time is None:
                    return
                if self._clip.end is not None and frame.time - zero > self._clip.end - 0.05:
                    break
                last = frame
            if not held:
                held.append(self._fill(last))
        back = [*held[-2::-1], *held[1:]] if len(held) > 1 else held
        at = 0
        while time is not None:
            yield back[at % len(back)]
            at += 1
            time = next(wanted, None)

    def _fill(self, frame: Any) -> Pixels:
        """Scale a frame to cover the size, and crop it to the middle."""
        import cv2

        width, height = self._size
        scale = max(width / frame.width, height / frame.height)
        inside = max(width, round(frame.width * scale)), max(height, round(frame.height * scale))
        pixels = cv2.resize(frame.to_ndarray(format="rgb24"), inside, interpolation=cv2.INTER_AREA)
        top, left = (inside[1] - height) // 2, (inside[0] - width) // 2
        return np.asarray(pixels[top : top + height, left : left + width], np.uint8)


def blend(old: Pixels, new: Pixels, done: float, kind: str, style: str) -> Pixels:
    """Return one frame of a gradual transition; `done` in 0..1 is its progress."""
    if kind == "fade":
        colour = 255.0 if style.startswith("white") else 0.0
        pause = 0.15 if style.endswith("held") else 0.0  # on either side of the middle
        way = min(1.0, abs(done - 0.5) / (0.5 - pause) - pause / (0.5 - pause)) if abs(done - 0.5) > pause else 0.0
        picture = old if done < 0.5 else new
        return _mixed(np.full_like(picture, colour), picture, np.asarray(way))
    if kind == "dissolve":
        return _mixed(old, new, np.asarray(done if style == "linear" else done * done * (3 - 2 * done)))
    edge = 0.12 if style.endswith("soft") else 1e-3
    way = _way(style.removesuffix(" soft"), *old.shape[:2])
    shown = np.clip((done * (1 + edge) - way) / edge, 0, 1)
    return _mixed(old, new, shown[..., None])


def _mixed(old: Pixels, new: Pixels, share: NDArray[Any]) -> Pixels:
    return np.asarray(old * (1 - share) + new * share + 0.5).astype(np.uint8)


def _way(direction: str, height: int, width: int) -> NDArray[np.float64]:
    """Return for each pixel of a wipe, (h, w) in 0..1, the progress at which it changes."""
    y, x = np.mgrid[0:height, 0:width]
    y, x = (y + 0.5) / height, (x + 0.5) / width
    ways = {
        "right": x,
        "left": 1 - x,
        "down": y,
        "up": 1 - y,
        "down-right": (x + y) / 2,
        "up-left": 1 - (x + y) / 2,
        "iris": np.hypot(x - 0.5, y - 0.5) / np.hypot(0.5, 0.5),
        "doors": np.abs(x - 0.5) * 2,
    }
    return np.asarray(ways[direction], np.float64)
