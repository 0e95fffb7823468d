"""The everyday sentences that a tuned text tower should go on reading as before, made by a small grammar.

They are what people type into a search for videos: a word, a phrase or a sentence, of people, animals, vehicles, food
and weather, with what they do, where, and how it was filmed. 2,000 hold the tower while it is tuned, and 250 more,
which it is never held to, tell what it forgot. The lists are fixed: no chance decides about them, and a test knows
their digest, for what was forgotten can be compared only over the same sentences.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence

COUNT, UNSEEN = 2000, 250
"""The number of sentences that hold the tower, and of those that tell what it forgot."""

_PEOPLE = (
    "a man", "a woman", "a child", "a boy", "a girl", "a baby", "an old man", "an old woman", "two friends",
    "a family", "a crowd", "a teacher", "a doctor", "a farmer", "a chef", "a musician", "a dancer", "a runner",
    "a football player", "a police officer", "a worker", "a bride and groom", "a group of tourists", "children",
)  # fmt: skip
_HUMAN_ACTIONS = (
    "walking", "running", "sitting", "standing still", "jumping", "dancing", "singing", "talking", "laughing",
    "crying", "waving", "clapping", "reading a book", "writing a letter", "drinking coffee", "eating", "cooking",
    "cutting bread", "playing the guitar", "playing football", "riding a bicycle", "driving a car", "climbing",
    "swimming", "sleeping", "looking at a phone", "opening a door", "carrying a box", "throwing a ball",
    "painting a wall", "washing the dishes", "planting flowers", "taking a photo", "shaking hands", "hugging",
    "waiting", "turning around", "falling down",
)  # fmt: skip
_HUMAN_PLACES = (
    "in a kitchen", "in an office", "in the street", "in a park", "on the beach", "at a party", "in a classroom",
    "on a stage", "in a hospital", "at the station", "in a garden", "in front of a house", "in a shop", "in the snow",
    "in the rain", "at night", "in the forest", "on a bridge", "on a red sofa", "by the window",
)  # fmt: skip
_ANIMALS = (
    "a dog", "a cat", "a horse", "a cow", "a bird", "a duck", "a sheep", "a pig", "a goat", "a rabbit", "a mouse",
    "a fox", "a wolf", "a bear", "a lion", "an elephant", "a monkey", "a deer", "an eagle", "an owl", "a fish",
    "a shark", "a whale", "a dolphin", "a turtle", "a snake", "a frog", "a bee", "a butterfly", "a spider",
)  # fmt: skip
_ANIMAL_ACTIONS = (
    "running", "sleeping", "eating", "drinking", "jumping", "swimming", "flying away", "hunting", "playing", "resting",
    "moving to the left", "moving to the right", "coming closer", "moving away", "turning in circles",
    "standing still", "looking into the camera", "climbing up", "going down", "hiding",
)  # fmt: skip
_WILD_PLACES = (
    "in the grass", "in a field", "in the woods", "on a farm", "in the water", "under water", "in the sea",
    "on a rock", "in the sky", "in a tree", "in the desert", "in a zoo", "behind a fence", "on a white background",
    "in the dark", "under the stars",
)  # fmt: skip
_VEHICLES = (
    "a car", "a red car", "a bus", "a train", "a truck", "a taxi", "a bicycle", "a motorcycle", "a boat", "a sailboat",
    "a plane", "a helicopter", "a rocket", "a tractor", "a fire engine", "an ambulance", "a tram", "a ship",
)  # fmt: skip
_VEHICLE_ACTIONS = (
    "driving past", "stopping", "turning left", "turning right", "starting", "moving slowly", "going very fast",
    "standing still", "coming closer", "moving away", "passing a bridge", "crossing the picture from left to right",
    "crossing the picture from right to left", "rising", "going down",
)  # fmt: skip
_ROADS = (
    "on a road", "in a city", "on a motorway", "in a tunnel", "at a harbour", "in front of a brick wall", "in the fog",
    "at sunset", "in the mountains", "on a lake", "in the desert", "at night", "in the rain",
)  # fmt: skip
_THINGS = (
    "a cup of coffee", "a slice of pizza", "a birthday cake", "an apple", "a banana", "a bowl of soup",
    "a glass of water", "a book", "a lamp", "an umbrella", "a chair", "a table", "a phone", "a clock", "a key",
    "a hammer", "a shoe", "a guitar", "a piano", "a violin", "a flower", "a sunflower", "a cactus", "a tree",
    "a mushroom", "a house", "a tent", "a bridge", "a tower", "a snowman", "a flag", "a balloon", "a candle", "a ball",
    "a bag", "a letter",
)  # fmt: skip
_SIGHTS = (
    "a sunset over the sea", "a sunrise", "snow falling", "rain on a window", "clouds in a blue sky", "a storm",
    "a river", "a waterfall", "waves on the beach", "a mountain lake", "a starry night", "fireworks", "fire", "smoke",
    "fog", "a city at night", "an empty street", "an empty room", "a field of flowers", "falling leaves", "a map",
    "a graph", "a screen with text", "a newspaper", "credits", "a black screen",
)  # fmt: skip
_FILMED = (
    "close up of {}", "a wide shot of {}", "an aerial view of {}", "slow motion of {}", "a time lapse of {}",
    "black and white film of {}", "a drawing of {}", "a video of {}", "a blurry picture of {}", "{} seen from above",
)  # fmt: skip


def everyday_sentences() -> tuple[str, ...]:
    """Return the COUNT sentences that hold the tower, each once, always the same and in the same order."""
    return tuple(sentence for at, sentence in enumerate(_all()) if at % _EVERY)


def guard_parts(sentences: Sequence[str] | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the sentences that hold a tower and those, never held, that tell what it forgot.

    Args:
        sentences: A person's own, of which every tenth is never held; None for those of everyday life.
    """
    if sentences is None:
        return everyday_sentences(), unseen_sentences()
    return tuple(text for at, text in enumerate(sentences) if at % 10), tuple(sentences[::10])


def unseen_sentences() -> tuple[str, ...]:
    """Return the UNSEEN sentences of the same kinds that tell what a tower forgot; none is an everyday sentence."""
    return _all()[::_EVERY]


_EVERY = (COUNT + UNSEEN) // UNSEEN


@functools.cache
def _all() -> tuple[str, ...]:
    kinds = (
        (450, _products(_PEOPLE, _HUMAN_ACTIONS, _HUMAN_PLACES)),
        (220, _products(_PEOPLE, _HUMAN_ACTIONS)),
        (400, _products(_ANIMALS, _ANIMAL_ACTIONS, _WILD_PLACES)),
        (180, _products(_ANIMALS, _ANIMAL_ACTIONS)),
        (280, _products(_VEHICLES, _VEHICLE_ACTIONS, _ROADS)),
        (170, _products(_THINGS, _HUMAN_PLACES)),
        (300, _products(_FILMED, (*_SIGHTS, *_THINGS, *_ANIMALS, *_VEHICLES, *_PEOPLE))),
        (len(_SIGHTS), iter(_SIGHTS)),
        (len(_THINGS), iter(_THINGS)),
        (len(_ANIMALS), iter(each.split(" ", 1)[1] for each in _ANIMALS)),
        (COUNT + UNSEEN, _products((*_SIGHTS, *_VEHICLES), (*_ROADS, *_WILD_PLACES))),
    )
    found: dict[str, None] = {}
    for count, sentences in kinds:
        wanted = min(COUNT + UNSEEN, len(found) + count)
        while len(found) < wanted and (sentence := next(sentences, None)) is not None:
            found[sentence] = None
    return tuple(found)


def _products(*parts: tuple[str, ...]) -> Iterator[str]:
    """Yield combinations of parts, each once, those that share words far apart; a part with {} takes the next one."""
    total = 1
    for words in parts:
        total *= len(words)
    stride = next(step for step in range(round(total * 0.618), 2 * total) if math.gcd(step, total) == 1)
    for turn in range(total):
        rest, chosen = turn * stride % total, []
        for words in parts:
            rest, at = divmod(rest, len(words))
            chosen.append(words[at])
        yield chosen[0].format(chosen[1]) if "{}" in chosen[0] else " ".join(chosen)
