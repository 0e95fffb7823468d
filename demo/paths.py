"""Paths of things and cameras in scenes, drawn at random, as functions of time from 0 to 1."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demo.scenes import Actor, Scene

Floats = NDArray[np.floating]
Path = Callable[[Floats], Floats]
"""From times (n,) in [0, 1] to (n, 5): x, y, logarithm of the size, angle in radians, opacity."""

_DENSE = np.linspace(0, 1, 33)


@dataclass(frozen=True)
class Staging:
    """Scenes with everything that may vary between two drawings of them.

    Positions are fractions of the picture's width and height, sizes of its shorter side.
    """

    scenes: tuple[Scene, ...]
    paths: tuple[tuple[Path, ...], ...]  # of each scene's actors
    views: tuple[Path | None, ...]  # of each scene's camera: (n, 3) x, y, logarithm of the zoom; None if it is fixed
    tint: NDArray[np.float32]  # (B, 3): factor on the background's colours
    phase: NDArray[np.float32]  # (B, 4): of the background's pattern
    aspect: NDArray[np.float32]  # (B,): width / height of the picture as it is meant to be seen

    def pose(self, row: int, actor: int, times: Floats) -> NDArray[np.float32]:
        """Return x, y, size, angle and opacity (n, 5) of an actor in the picture of scene `row`, at times (n,)."""
        pose = self.paths[row][actor](times)
        view = self.views[row]
        if view is not None:
            x, y, zoom = view(times).T
            pose[:, 0] = 0.5 + (pose[:, 0] - x) * np.exp(zoom)
            pose[:, 1] = 0.5 + (pose[:, 1] - y) * np.exp(zoom)
            pose[:, 2] += zoom
        pose[:, 2] = np.exp(pose[:, 2])
        return pose.astype(np.float32)


def stage(scenes: list[Scene] | tuple[Scene, ...], rng: np.random.Generator, aspect: Floats | float = 1.0) -> Staging:
    """Draw what may vary.

    Args:
        scenes: B scenes.
        rng: The source of all randomness.
        aspect: Width / height of the pictures, for all or (B,).
    """
    n = len(scenes)
    staged = [_staged(scene, rng) for scene in scenes]
    return Staging(
        tuple(scenes),
        tuple(paths for paths, _ in staged),
        tuple(view for _, view in staged),
        rng.uniform(0.94, 1.06, (n, 3)).astype(np.float32),
        rng.random((n, 4)).astype(np.float32),
        np.broadcast_to(np.asarray(aspect, np.float32), n).copy(),
    )


def _staged(scene: Scene, rng: np.random.Generator) -> tuple[tuple[Path, ...], Path | None]:
    if scene.relation:
        return _pair(scene, rng), None
    (actor,) = scene.actors
    if scene.camera == "fixed":
        return (_centred(_acted(actor, rng), rng, room=0.16),), None
    path = _centred(_acted(actor, rng, size=(0.4, 0.6), far=(0.28, 0.4)), rng, room=0.08)
    view = _view(scene.camera, rng)
    if scene.camera.startswith("zoom"):
        middle = float(np.exp(-view(_DENSE)[:, 2].max() / 2))  # so that the thing is neither tiny nor cut off

        def smaller(times: Floats) -> Floats:
            pose = path(times)
            pose[:, :2] = 0.5 + (pose[:, :2] - 0.5) * 0.8
            pose[:, 2] += np.log(middle)
            return pose

        return (smaller,), view
    return (path,), view


def _acted(
    actor: Actor,
    rng: np.random.Generator,
    size: tuple[float, float] = (0.5, 0.78),
    far: tuple[float, float] = (0.38, 0.62),
) -> Path:
    """Return the path of an actor that begins at x = y = 0, its acts one after the other."""
    start = np.zeros(5)
    start[2] = np.log(rng.uniform(*size))
    start[3] = rng.uniform(-0.2, 0.2)
    if actor.acts[0] in ("grow", "shrink"):
        start[2] = np.log(rng.uniform(0.3, 0.4))
    if "spin" in actor.acts:
        start[3] = rng.uniform(-np.pi, np.pi)
    if len(actor.acts) == 1:
        moves = [_move(actor.acts[0], rng, far)]
        cuts = [0.0, 1.0]
    else:
        moves = [_move(act, rng, (0.3, 0.45), turns=(0.45, 0.8)) for act in actor.acts]
        cuts = [0.0, float(rng.uniform(0.44, 0.54)), 1.0]
    if actor.acts[0] == "shrink":
        start[2] -= moves[0](np.ones(1))[0, 2]
    elif actor.acts == ("grow", "shrink") or (len(actor.acts) > 1 and actor.acts[1] == "grow"):
        start[2] = np.log(rng.uniform(0.32, 0.42)) - (moves[0](np.ones(1))[0, 2] if actor.acts[0] == "shrink" else 0)

    def path(times: Floats) -> Floats:
        pose = np.tile(start, (len(times), 1))
        pose[:, 4] = 1
        for move, begin, end in zip(moves, cuts[:-1], cuts[1:], strict=True):
            change = move(np.clip((times - begin) / (end - begin), 0, 1))
            pose[:, :4] += change[:, :4]
            pose[:, 4] *= change[:, 4]
        return pose

    return path


def _centred(path: Path, rng: np.random.Generator, room: float) -> Path:
    """Shift a path so that its middle is near that of the picture: nearer, the more of the picture it takes."""
    dense = path(_DENSE)[:, :2]
    low, high = dense.min(0), dense.max(0)
    loose = room * np.clip(1 - (high - low), 0.5, 1)
    shift = 0.5 - (low + high) / 2 + rng.uniform(-loose, loose)

    def shifted(times: Floats) -> Floats:
        pose = path(times)
        pose[:, :2] += shift
        return pose

    return shifted


def _move(
    motion: str, rng: np.random.Generator, far: tuple[float, float], turns: tuple[float, float] = (0.5, 1.3)
) -> Path:
    """Return what a motion adds to a pose, from times (n,) in [0, 1] to (n, 5); the opacity is a factor."""
    length, sign = float(rng.uniform(*far)), float(rng.choice((-1, 1)))
    zoom, turn = float(rng.uniform(np.log(1.8), np.log(2.6))), float(rng.uniform(*turns)) * 2 * np.pi
    height, periods = float(rng.uniform(0.24, 0.34)), float(rng.choice((1.5, 2.0)))
    radius, begin, upright = float(rng.uniform(0.15, 0.22)), float(rng.uniform(0, 2 * np.pi)), rng.random() < 0.3
    when = float(rng.uniform(0.3, 0.55))

    def move(s: Floats) -> Floats:
        change = np.zeros((len(s), 5))
        change[:, 4] = 1
        if motion in ("left", "right"):
            change[:, 0] = length * s * (1 if motion == "right" else -1)
        elif motion in ("rise", "fall"):
            change[:, 1] = length * s * (1 if motion == "fall" else -1)
        elif motion in ("grow", "shrink"):
            change[:, 2] = zoom * s * (1 if motion == "grow" else -1)
        elif motion == "spin":
            change[:, 3] = sign * turn * s
        elif motion == "zigzag":  # along one axis, to and fro on the other
            along, across = (1, 0) if upright else (0, 1)
            change[:, along] = sign * length * s
            change[:, across] = 0.75 * height * (np.abs((2 * periods * s + 0.5) % 2 - 1) - 0.5)
        elif motion == "bounce":
            change[:, 1] = -height * np.abs(np.sin(periods * np.pi * s))
        elif motion == "circle":
            angle = begin + sign * 2 * np.pi * s
            change[:, 0], change[:, 1] = radius * np.cos(angle), radius * np.sin(angle)
        elif motion in ("appear", "disappear"):
            shown = np.clip((s - when) / 0.12 + 0.5, 0, 1)
            change[:, 4] = shown if motion == "appear" else 1 - shown
        return change

    return move


def _pair(scene: Scene, rng: np.random.Generator) -> tuple[Path, Path]:
    """Return the paths of two things. Along the line between them the first is at the lower coordinate."""
    sizes = rng.uniform(0.38, 0.5, 2)
    tilts = rng.uniform(-0.2, 0.2, 2)
    middle = rng.uniform(-0.05, 0.05, 2) + 0.5
    apart = rng.uniform(0.21, 0.26)
    aside = rng.uniform(-0.05, 0.05, 2)
    places = np.array([[middle[0] - apart, middle[1] + aside[0]], [middle[0] + apart, middle[1] + aside[1]]])
    direction = {"left": -1.0, "right": 1.0}.get(scene.actors[0].acts[0], 0.0)
    changes = np.zeros((2, 2))
    when = float(rng.uniform(0.42, 0.55))
    if scene.relation == "above":
        places = places[:, ::-1]
    elif scene.relation == "chase":
        sizes *= 0.9
        places[:, 0] = middle[0] + np.array([-1, 1]) * direction * rng.uniform(0.17, 0.21)
        changes[:, 0] = direction * rng.uniform(0.24, 0.36)
        places -= changes / 2
    elif scene.relation in ("hide", "emerge"):
        sizes = np.array([sizes[0] * rng.uniform(0.72, 0.85), rng.uniform(0.48, 0.58)])
        places[:] = middle
        way = rng.uniform(0.36, 0.42)
        changes[0, 0] = direction * way
        if scene.relation == "hide":
            places[0, 0] -= changes[0, 0]
        places[:, 0] += direction * way / 3 * (1 if scene.relation == "hide" else -1)
    elif scene.relation == "then":
        sizes = rng.uniform(0.5, 0.7, 2)
        places = 0.5 + rng.uniform(-0.12, 0.12, (2, 2))

    def of(actor: int) -> Path:
        def path(times: Floats) -> Floats:
            pose = np.empty((len(times), 5))
            pose[:, :2] = places[actor] + changes[actor] * times[:, None]
            pose[:, 2], pose[:, 3], pose[:, 4] = np.log(sizes[actor]), tilts[actor], 1
            if scene.relation == "then":
                shown = np.clip((times - when) / 0.08 + (0.5 if actor else 0.9), 0, 1)
                pose[:, 4] = shown if actor else 1 - shown
            return pose

        return path

    return of(0), of(1)


def _view(camera: str, rng: np.random.Generator) -> Path:
    way, zoom = float(rng.uniform(0.26, 0.38)), float(rng.uniform(np.log(1.6), np.log(2.1)))
    sign = -1.0 if camera in ("pan left", "tilt up") else 1.0

    def view(times: Floats) -> Floats:
        state = np.full((len(times), 3), 0.5)
        state[:, 2] = 0
        if camera.startswith("pan"):
            state[:, 0] += sign * way * (times - 0.5)
        elif camera.startswith("tilt"):
            state[:, 1] += sign * way * (times - 0.5)
        else:
            state[:, 2] = zoom * (times if camera == "zoom in" else 1 - times)
        return state

    return view
