"""The words of the grown world: verbs for motions, relations and cameras; which are new, and which never trained on.

A verb has two forms, "ascends" and "ascending". A new verb for an old motion is its own key in
`scenes.held_out_things`; all verbs of a new motion, of chasing, hiding and emerging share the key of that motion or
relation, because it is never shown with those things at all.
"""

from __future__ import annotations

from dataclasses import dataclass

from demo import scenes


@dataclass(frozen=True)
class Verb:
    """A verb in two forms, and the key by which it is held out from things; "" for a word of today's world."""

    says: str
    saying: str
    key: str = ""

    def allowed(self, thing: str) -> bool:
        """Return whether training may say it of a thing."""
        return not self.key or thing not in scenes.held_out_things(self.key)


def _old(*forms: tuple[str, str]) -> tuple[Verb, ...]:
    return tuple(Verb(says, saying) for says, saying in forms)


def _new(*forms: tuple[str, str], key: str = "") -> tuple[Verb, ...]:
    return tuple(Verb(says, saying, key or says) for says, saying in forms)


MOTION_VERBS: dict[str, tuple[Verb, ...]] = {
    "left": _old(("moves to the left", "moving to the left"), ("slides left", "sliding left"),
                 ("drifts to the left", "drifting left"))
            + _new(("heads for the left", "heading for the left"), ("glides to the left", "gliding to the left")),
    "right": _old(("moves to the right", "moving to the right"), ("slides right", "sliding right"),
                  ("drifts to the right", "drifting right"))
            + _new(("heads for the right", "heading for the right"), ("glides to the right", "gliding to the right")),
    "rise": _old(("rises", "rising"), ("moves up", "moving up"), ("goes upward", "going up"))
            + _new(("ascends", "ascending"), ("soars", "soaring")),
    "fall": _old(("falls", "falling"), ("moves down", "moving down"), ("sinks to the bottom", "sinking"))
            + _new(("descends", "descending"), ("tumbles down", "tumbling down")),
    "still": _old(("stays still", "standing still"), ("does not move", "not moving"), ("rests in place", "at rest"))
            + _new(("stays put", "staying put"), ("waits", "waiting")),
    "grow": _old(("grows larger", "growing larger"), ("gets bigger", "getting bigger"),
                 ("comes closer", "coming closer"))
            + _new(("swells", "swelling"), ("approaches", "approaching")),
    "shrink": _old(("shrinks", "shrinking"), ("gets smaller", "getting smaller"), ("moves away", "moving away"))
            + _new(("dwindles", "dwindling"), ("recedes", "receding")),
    "spin": _old(("spins around", "spinning"), ("rotates", "rotating"), ("whirls", "whirling"))
            + _new(("twirls", "twirling"), ("pirouettes", "pirouetting")),
    "zigzag": _new(("zigzags", "zigzagging"), ("weaves from side to side", "weaving from side to side"),
                   ("moves in a zigzag", "moving in a zigzag"), key="zigzag"),
    "bounce": _new(("bounces", "bouncing"), ("hops up and down", "hopping up and down"),
                   ("jumps up and down", "jumping up and down"), key="bounce"),
    "circle": _new(("circles", "circling"), ("moves in a circle", "moving in a circle"),
                   ("goes round in a loop", "going round in a loop"), key="circle"),
    "appear": _new(("appears", "appearing"), ("fades in", "fading in"), ("comes into view", "coming into view"),
                   key="appear"),
    "disappear": _new(("disappears", "disappearing"), ("fades away", "fading away"),
                      ("goes out of sight", "going out of sight"), key="disappear"),
}  # fmt: skip
"""By motion, the canonical verb first. (Today's captions have more, in `captions`.)"""

NEW_VERBS: dict[str, tuple[str, Verb]] = {
    verb.key: (motion, verb) for motion, verbs in MOTION_VERBS.items() for verb in reversed(verbs) if verb.key
}
"""By key, a motion and the canonical verb of that key."""

UNSEEN_VERBS: dict[str, tuple[Verb, ...]] = {
    "left": (Verb("veers leftward", "veering leftward"),),
    "right": (Verb("veers rightward", "veering rightward"),),
    "rise": (Verb("levitates", "levitating"), Verb("is lifted up", "being lifted up")),
    "fall": (Verb("plummets", "plummeting"), Verb("drops to the floor", "dropping to the floor")),
    "grow": (Verb("inflates", "inflating"),),
    "shrink": (Verb("becomes minuscule", "becoming minuscule"),),
    "spin": (Verb("revolves", "revolving"), Verb("keeps turning", "turning and turning")),
    "zigzag": (Verb("swerves to and fro", "swerving to and fro"),),
    "bounce": (Verb("leaps up and down", "leaping up and down"),),
    "circle": (Verb("orbits", "orbiting"), Verb("travels in a ring", "travelling in a ring")),
    "appear": (Verb("materializes", "materializing"), Verb("pops into view", "popping into view")),
    "disappear": (Verb("vanishes", "vanishing"), Verb("fades out", "fading out")),
}
"""Verbs that no training sentence has, some of familiar parts: what an encoder makes of them is only reported."""

CHASING: tuple[tuple[str, str], ...] = (
    ("chases", "chasing"), ("follows", "following"), ("runs after", "running after"),
)  # fmt: skip
HIDING: tuple[tuple[str, str], ...] = (("hides behind", "hiding behind"), ("goes behind", "going behind"))
EMERGING: tuple[tuple[str, str], ...] = (
    ("comes out from behind", "coming out from behind"), ("emerges from behind", "emerging from behind"),
)  # fmt: skip

CAMERA_VERBS: dict[str, tuple[Verb, ...]] = {
    "pan left": _old(("pans left", "panning left"), ("pans to the left", "panning to the left"),
                     ("sweeps left", "sweeping left")),
    "pan right": _old(("pans right", "panning right"), ("pans to the right", "panning to the right"),
                      ("sweeps right", "sweeping right")),
    "tilt up": _old(("tilts up", "tilting up"), ("tilts upward", "tilting upward")),
    "tilt down": _old(("tilts down", "tilting down"), ("tilts downward", "tilting downward")),
    "zoom in": _old(("zooms in", "zooming in"), ("closes in", "closing in")),
    "zoom out": _old(("zooms out", "zooming out"), ("pulls back", "pulling back")),
}  # fmt: skip
