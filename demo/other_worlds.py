"""Questions that nothing in the demo world answers: plain ones about the real world, and nonsense.

None of their words occurs in a caption of the demo world, apart from articles and prepositions. They are not among the
null questions that the product ships: with these its strengths are measured, so they must not be made of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

Item = TypeVar("Item")

FORMS: tuple[str, ...] = ("word", "thing", "motion", "sentence")

_SUBJECTS = (
    "waiter", "violinist", "nurse", "surfer", "welder", "barber", "toddler", "choir", "referee", "postman", "ballerina",
    "fisherman", "goalkeeper", "tailor", "monk", "sculptor", "firefighter", "grandmother", "beekeeper", "drummer",
)  # fmt: skip
_NOUNS = (
    "passport", "ladder", "typewriter", "chandelier", "escalator", "lighthouse", "wristwatch", "blackboard", "compass",
    "waterfall", "telescope", "mailbox", "wheelchair", "scaffold", "bonfire", "fountain", "elevator", "microscope",
    "bulldozer", "crossroads", "vineyard", "glacier", "tunnel", "staircase", "newspaper", "candle", "sofa", "teapot",
    "notebook", "windmill", "suitcase", "bottle", "necklace", "statue", "drone", "forklift", "puddle", "rainbow",
    "saddle", "lantern", "barn", "canoe", "trampoline", "podium", "mirror", "pillow", "curtain", "bucket", "rope",
    "anchor", "helmet", "crane", "skateboard", "dentist", "bride", "crowd", "jury", "orchestra", "accordion", "cello",
    "toaster", "fridge", "laptop", "stapler", "scissors", "envelope", "calendar", "bathtub", "towel", "pavement",
    "subway", "pier", "dune", "swamp", "meadow", "volcano", "canyon", "thunderstorm", "fireworks", "parade",
)  # fmt: skip
_ADJECTIVES = (
    "wooden", "rusty", "crowded", "empty", "broken", "wet", "ancient", "shiny", "leather", "folded", "noisy", "frozen",
    "abandoned", "striped", "heavy", "dusty", "foggy", "burning",
)  # fmt: skip
_ACTIONS = (
    ("pours tea", "pouring tea"), ("shakes hands", "shaking hands"), ("ties a knot", "tying a knot"),
    ("reads aloud", "reading aloud"), ("chops onions", "chopping onions"), ("jogs", "jogging"), ("knits", "knitting"),
    ("laughs", "laughing"), ("signs a contract", "signing a contract"), ("sweeps dust", "sweeping dust"),
    ("paddles", "paddling"), ("claps", "clapping"), ("welds a pipe", "welding a pipe"), ("dances", "dancing"),
    ("lights a match", "lighting a match"), ("sneezes", "sneezing"), ("opens an envelope", "opening an envelope"),
    ("juggles", "juggling"), ("kneads dough", "kneading dough"), ("blows kisses", "blowing kisses"),
    ("packs luggage", "packing luggage"), ("yawns", "yawning"), ("paints a fence", "painting a fence"),
)  # fmt: skip
_PLACES = (
    "at the office", "near a harbour", "beside the hospital", "during a wedding", "inside a cathedral", "at dawn",
    "near the stadium", "in heavy rain", "at the market", "behind the counter", "in a kitchen", "after the concert",
    "beneath a bridge", "among tall trees", "in a laboratory", "at the airport", "beside a campfire", "in thick fog",
)  # fmt: skip
_SALAD = (
    "theorem", "invoice", "gravel", "whisper", "quorum", "syntax", "lukewarm", "parliament", "velocity", "although",
    "mortgage", "seventeen", "nevertheless", "hypothesis", "tuesday", "margin", "envy", "bureaucracy", "perhaps",
    "residue", "monetary", "oblique", "verdict", "entropy", "fiscal", "grammar", "hence", "irony", "jargon", "karma",
    "lattice", "nuance", "paradox", "quota", "rebate", "sarcasm", "tariff", "utopia", "vowel", "weekday",
)  # fmt: skip
_KEYBOARD = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "1234567890")
_LETTERS = "bcdfghjklmnpqrstvwxz" + "aeiou"


def plain_questions(count: int, rng: np.random.Generator, forms: tuple[str, ...] = FORMS) -> list[tuple[str, str]]:
    """Return (form, question) of the real world, all different, the forms in equal shares.

    Raises:
        ValueError: More are asked for than there are.
    """
    return _different(count, [lambda form=form: (form, _plain(form, rng)) for form in forms])


def nonsense_questions(count: int, rng: np.random.Generator) -> list[tuple[str, str]]:
    """Return (kind, question), all different: as many `salad` of unrelated real words as `noise` of a keyboard.

    Raises:
        ValueError: More are asked for than there are.
    """
    return _different(count, [lambda: ("salad", _salad(rng)), lambda: ("noise", _noise(rng))])


def _different(count: int, makers: list[Callable[[], tuple[str, str]]]) -> list[tuple[str, str]]:
    """Return `count` pairs with different second items, from the makers in turn."""
    found: dict[str, str] = {}
    for _ in range(1000 + 200 * count):
        if len(found) == count:
            return [(kind, text) for text, kind in found.items()]
        kind, text = makers[len(found) % len(makers)]()
        found.setdefault(text, kind)
    raise ValueError(f"there are not {count} different questions")


def _one(choices: Sequence[Item], rng: np.random.Generator) -> Item:
    return choices[int(rng.integers(len(choices)))]


def _plain(form: str, rng: np.random.Generator) -> str:
    noun = _one(_NOUNS, rng) if rng.random() < 0.5 else _one(_SUBJECTS, rng)
    action, doing = _one(_ACTIONS, rng)
    if form == "word":
        return noun if rng.random() < 0.8 else _one([ing for _, ing in _ACTIONS if " " not in ing], rng)
    if form == "thing":
        noun = f"{_one(_ADJECTIVES, rng)} {noun}"
        place = f" {_one(_PLACES, rng)}" if rng.random() < 0.3 else ""
        return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}{place}"
    if form == "motion":
        return doing if rng.random() < 0.4 else f"{doing} {_one(_PLACES, rng)}"
    subject = _one(_SUBJECTS, rng)
    subject = f"the {subject}" if rng.random() < 0.4 else f"a {_one(_ADJECTIVES, rng)} {subject}"
    return f"{subject} {action if rng.random() < 0.6 else f'is {doing}'} {_one(_PLACES, rng)}"


def _salad(rng: np.random.Generator) -> str:
    return " ".join(rng.choice(_SALAD, size=int(rng.integers(1, 7)), replace=False))


def _noise(rng: np.random.Generator) -> str:
    def run() -> str:
        """Neighbouring keys, as a hand that slides over the keyboard strikes them."""
        row = _one(_KEYBOARD, rng)
        start, length = int(rng.integers(len(row) - 3)), int(rng.integers(3, 7))
        return row[start : start + length] * int(rng.integers(1, 3))

    def letters() -> str:
        return "".join(rng.choice(list(_LETTERS), size=int(rng.integers(2, 10))))

    return " ".join((run if rng.random() < 0.5 else letters)() for _ in range(int(rng.integers(1, 7))))
