"""Reasons why videos whose content has not changed would be decoded and encoded again, for a person to decide."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from app.cut_settings import detector_and_length, settings_of_recipe
from indexer.kinds import plain_recipe

if TYPE_CHECKING:
    from db.library import Library
    from db.records import EncoderChoice, Fit, KnownFile
    from encoder import ClipSpec
    from encoder.lazy import EncoderDescription
    from indexer.settings import IndexSettings

_WORDS = {"segment_seconds": "segment seconds", "overlap_seconds": "overlap seconds"}
_ANOTHER_VERSION = "this version of prismsearch cuts differently"
_UNKNOWN = "cut with other options, or by another version of prismsearch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shaping:
    """What shapes the rows of a library: its encoder and its cuts."""

    choice: EncoderChoice | None  # None: the library has no encoder yet
    cuts: IndexSettings

    def changed_by(self, other: Shaping) -> bool:
        """Return whether the options of a run, whose shaping is the other one, differ from those of the library."""
        own, now = self.choice, other.choice
        if _cut_differences(self.cuts, other.cuts):
            return True
        if own is None or now is None or own.encoder_id == now.encoder_id:  # another text tower shapes no row of a clip
            return False
        return bool(_choice_differences(own, now))


def reasons(
    records: Iterable[KnownFile], recipe: str, spec: ClipSpec, *, own: Shaping, now: Shaping
) -> list[tuple[str, int]]:
    """Return why videos would be encoded again, with the number of videos for each reason, most first.

    Args:
        records: How the videos were indexed, as to the encoder of the run.
        recipe: The recipe of the run.
        spec: The clip shape of its encoder.
        own: The shaping of the library before the run.
        now: That of the run.
    """
    known: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for record in records:
        if not record.embedded:
            reason = _encoder_reason(own.choice, now.choice)
        else:
            if record.recipe not in known:
                known[record.recipe] = _recipe_reason(record.recipe, recipe, spec, own.cuts, now.cuts)
            reason = known[record.recipe]
        counts[reason] += 1
    return counts.most_common()


def _encoder_reason(own: EncoderChoice | None, now: EncoderChoice | None) -> str:
    if own is None or now is None or own.encoder_id == now.encoder_id:
        return "an encoder or frames other than the library's own"
    if (differences := _choice_differences(own, now)) or not now.encoder_id.startswith(f"{own.encoder_id}:"):
        return differences or "the weights of the encoder have changed"
    return "this version gives the encoder other frames of a shot"


def _choice_differences(own: EncoderChoice, now: EncoderChoice) -> str:
    named: list[tuple[str, object, object]] = [("encoder", own.name, now.name)]
    if None not in (own.frames, now.frames):
        named.append(("frames", own.frames, now.frames))
    named += [("fit", own.fit, now.fit), ("still frames", own.still_frames, now.still_frames)]
    return _differences(named)


def _recipe_reason(old: str, recipe: str, spec: ClipSpec, own: IndexSettings, now: IndexSettings) -> str:
    """Return what differs between the recipe of a video and that of the run."""
    plain = plain_recipe(old)
    if plain == recipe:
        return "this version treats such videos (HDR, interlaced, transparent or with jumping timestamps) differently"
    lengths = (own.overlap_seconds, now.overlap_seconds)
    before = own if own.recipe(spec) == plain else settings_of_recipe(plain, lengths)
    if before is not None:
        return _cut_differences(before, now) or _ANOTHER_VERSION
    detector, seconds = detector_and_length(plain)
    named = [("detector", detector, now.detector), (_WORDS["segment_seconds"], seconds, now.segment_seconds)]
    # Another version cannot compute the recipe of its predecessor: what the library has stored is the next best.
    return _differences(named) or _cut_differences(own, now) or (_ANOTHER_VERSION if detector else _UNKNOWN)


def _cut_differences(before: IndexSettings, now: IndexSettings) -> str:
    own, options = before.all_detector_options, now.all_detector_options
    named: list[tuple[str, object, object]] = [
        (_WORDS.get(each.name, each.name), getattr(before, each.name), getattr(now, each.name))
        for each in fields(before)
        if each.name in ("detector", "decode", *_WORDS)
    ]
    if before.detector == now.detector:
        named += [(name, own[name], value) for name, value in options.items()]
    return _differences(named)


def _differences(named: Iterable[tuple[str, object, object]]) -> str:
    """Return `frames 16 -> 4, fit stretch -> crop`; empty without a difference."""
    return ", ".join(f"{name} {_text(old)} -> {_text(new)}" for name, old, new in named if old != new)


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def stored_description(
    library: Library, choice: EncoderChoice | None, frames: int | None = None, fit: Fit | None = None
) -> EncoderDescription:
    """Return an encoder as the library knows it, so that a plan can be made without loading it.

    Args:
        library: The library.
        choice: How the encoder was last loaded; None for an encoder that is new to the library, whose id is then "":
            it has embedded nothing.
        frames: Frames of a clip of a new encoder, if they are given.
        fit: Likewise.
    """
    from encoder.lazy import EncoderDescription
    from encoder.protocol import ENDS

    size, dim, encoder_id = 288, 1, ""
    if choice is not None:
        encoder_id, frames, fit = choice.encoder_id, choice.frames, choice.fit
        dim = next((row.dim for row in library.encoders() if row.id == encoder_id), dim)
        recipes = (record.recipe for record in library.known_files(encoder_id).values() if record.embedded)
        size = next((found for found in map(_clip_size, recipes) if found), size)
    return EncoderDescription(
        id=encoder_id,
        text_id="",
        former_id=None,
        dim=dim,
        frames=frames or 16,
        size=size,
        fit=fit or "stretch",
        notice=None,
        batch=1,
        has_text=True,
        token_dim=0,
        attention_heads=0,
        files=(),
        code="",
        ends=encoder_id.endswith(ENDS),
    )


def _clip_size(recipe: str) -> int | None:
    """Return the size of the clips of a recipe, `blend-8s-16x288-0123`."""
    _, _, size = recipe.split("-")[2].partition("x") if recipe.count("-") >= 3 else ("", "", "")
    return int(size) if size.isdigit() else None
