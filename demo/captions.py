"""Captions of takes: varied sentences, the canonical sentence, and the takes held out of training."""

from __future__ import annotations

import functools
import zlib

import numpy as np

from demo.things import THINGS
from demo.world import BACKGROUNDS, MOTIONS, Take
from demo.world import THINGS as NAMES

_MOVES: dict[str, tuple[str, ...]] = {
    "left": ("moves to the left", "slides left", "drifts to the left", "travels leftward", "goes from right to left"),
    "right": (
        "moves to the right",
        "slides right",
        "drifts to the right",
        "travels rightward",
        "goes from left to right",
    ),
    "rise": ("rises", "moves up", "goes upward", "climbs to the top", "floats up"),
    "fall": ("falls", "moves down", "goes downward", "sinks to the bottom", "drops down"),
    "still": ("stays still", "does not move", "stands motionless", "rests in place", "holds still"),
    "grow": ("grows larger", "gets bigger", "comes closer", "expands", "grows in size"),
    "shrink": ("shrinks", "gets smaller", "moves away", "becomes tiny", "shrinks in size"),
    "spin": ("spins around", "turns in circles", "rotates", "whirls", "spins"),
}
MOVING: dict[str, tuple[str, ...]] = {
    "left": ("moving to the left", "sliding left", "drifting left", "moving left"),
    "right": ("moving to the right", "sliding right", "drifting right", "moving right"),
    "rise": ("rising", "moving up", "going up", "floating upward"),
    "fall": ("falling", "moving down", "going down", "sinking"),
    "still": ("standing still", "not moving", "motionless", "at rest"),
    "grow": ("growing", "getting bigger", "coming closer", "growing larger"),
    "shrink": ("shrinking", "getting smaller", "moving away", "becoming smaller"),
    "spin": ("spinning", "turning around", "rotating", "whirling"),
}
PLACES: dict[str, tuple[str, ...]] = {
    **{name: (f"on a {name} background", f"on {name}", f"in front of a {name} wall", f"with {name} behind it")
       for name in ("red", "blue", "green", "yellow", "purple", "white")},
    "starry night": ("in a starry night", "under the stars", "in the night sky", "on a starry night sky"),
    "brick wall": ("in front of a brick wall", "on a brick wall", "against the bricks", "with a brick wall behind it"),
    "ocean waves": ("on ocean waves", "over the sea", "on the waves", "in the ocean"),
    "checkerboard": ("on a checkerboard", "on a chessboard", "over a checkered floor", "on black and white squares"),
}  # fmt: skip
_OPENINGS = ("", "", "", "a video of ", "a clip of ", "a shot of ", "we see ", "here is ")


def _article(noun: str, rng: np.random.Generator) -> str:
    choice = rng.integers(4)
    if choice == 0:
        return f"the {noun}"
    if choice == 1:
        return noun
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def caption(take: Take, rng: np.random.Generator, mentions: tuple[bool, bool, bool] = (True, True, True)) -> str:
    """Return a random sentence about a take.

    Args:
        take: The take.
        rng: The source of all randomness.
        mentions: Whether the sentence mentions the thing, the background and the motion.
    """
    phrases = THINGS[take.thing][1]
    thing = _article(phrases[rng.integers(len(phrases))], rng)
    place = PLACES[take.background][rng.integers(len(PLACES[take.background]))]
    moves = _MOVES[take.motion][rng.integers(len(_MOVES[take.motion]))]
    moving = MOVING[take.motion][rng.integers(len(MOVING[take.motion]))]
    opening = _OPENINGS[rng.integers(len(_OPENINGS))]
    says_thing, says_place, says_motion = mentions
    subject = thing if says_thing else "something"
    if says_place and says_motion:
        forms = (
            f"{subject} {moves} {place}",
            f"{opening}{subject} {moving} {place}",
            f"{place}, {subject} {moves}",
            f"{place} {subject} is {moving}",
            f"{opening}{subject} {place}, {moving}",
            f"{subject} {place} {moves}",
        )
    elif says_motion:
        forms = (f"{subject} {moves}", f"{opening}{subject} {moving}", f"{subject} is {moving}", f"{moving} {subject}")
    elif says_place:
        forms = (f"{opening}{subject} {place}", f"{place}, {subject}", f"there is {subject} {place}")
    else:
        forms = (f"{opening}{subject}", f"there is {subject}", f"{subject} can be seen")
    return forms[rng.integers(len(forms))]


def motion_words(motion: str, rng: np.random.Generator) -> str:
    """Return random words for a motion alone ("turning around")."""
    return MOVING[motion][rng.integers(len(MOVING[motion]))]


def describe(take: Take) -> str:
    """Return the canonical caption of a take."""
    noun = THINGS[take.thing][1][0]
    article = "an" if noun[0] in "aeiou" else "a"
    return f"{article} {noun} {_MOVES[take.motion][0]} {PLACES[take.background][0]}"


@functools.cache
def held_out() -> frozenset[Take]:
    """Return the takes that training never shows.

    80 of the 800 (thing, background) pairs, one for each thing, are held out in all 8 motions, so that motion alone can
    be measured on combinations never seen; in addition, one in 64 of the other takes. Every thing, background and
    motion, and every (thing, motion) and (background, motion) pair, stays in training.
    """
    held: set[Take] = set()
    for i, thing in enumerate(NAMES):
        whole = BACKGROUNDS[(i * 7 + i // 10) % len(BACKGROUNDS)]
        for background in BACKGROUNDS:
            for motion in MOTIONS:
                code = zlib.crc32(f"{thing}|{background}|{motion}".encode())
                if background == whole or code % 64 == 0:
                    held.add(Take(thing, background, motion))
    return frozenset(held)
