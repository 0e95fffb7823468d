"""The values of an index run: the options of its order over those that the library keeps."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from app import compose
from app.compose import Settings
from app.cut_settings import cut_settings_of, renewed
from app.encoder_choice import canonical, choice_of
from app.encoder_names import JOINT, encoder_names
from app.encoding_again import Shaping
from app.jobs.orders import IndexOrder, RetryOrder
from app.shell.file_options import new_settings
from db.records import EncoderChoice

if TYPE_CHECKING:
    from db.library import Library
    from encoder import Encoder
    from indexer.settings import IndexSettings, RunOptions


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RunValues:
    """Values of one run.

    Attributes:
        settings: With the encoder, frames, fit and still frames of the run; None for an encoder's own.
        cuts: How videos become segments in the run.
        own: What the library keeps, before the run.
        choices: Likewise: how it loads encoders.
    """

    settings: Settings
    cuts: IndexSettings
    own: Shaping
    choices: tuple[EncoderChoice, ...] = ()

    def shaping(self, encoder: Encoder) -> Shaping:
        """Return the shaping of the run, with its encoder."""
        from encoder.protocol import former_id  # here, because it imports numpy

        spec, ids = encoder.clip_spec, (encoder.id, former_id(encoder))
        still_frames = self.settings.still_frames
        if still_frames is None:  # of a file with the weights of a space of the library
            still_frames = next((each.still_frames for each in self.choices if each.encoder_id in ids), 0)
        choice = EncoderChoice(
            name=canonical(compose.encoder_name(self.settings)),
            encoder_id=encoder.id,
            frames=spec.frames,
            fit=spec.fit,
            still_frames=still_frames,
            text_id=encoder.text_id,
        )
        return Shaping(choice=choice, cuts=self.cuts)

    def stored_choice(self, library: Library) -> EncoderChoice | None:
        """Return how the library loaded the encoder of this run before; None if it never did."""
        settings = self.settings
        return next(
            (
                choice
                for choice in library.encoder_choices()
                if choice.name == canonical(compose.encoder_name(settings))
                and settings.frames in (None, choice.frames)
                and choice.fit == (settings.fit or "stretch")
                and choice.still_frames == (settings.still_frames or 0)
            ),
            None,
        )


def run_values(
    settings: Settings, order: IndexOrder | RetryOrder, library: Library | None, *, renew: bool = False
) -> RunValues:
    """Return the values of a run: the order's options over the library's stored or renewed ones.

    Args:
        settings: The library, the device and the encoder, unless the order names one.
        order: The options.
        library: None if it does not exist yet.
        renew: Use the detector and defaults of a new library instead of this library's.

    Raises:
        WrongSetting: What the settings file says of new libraries does not go together.
    """
    settings = dataclasses.replace(settings, encoder=order.encoder or settings.encoder)
    settings = compose.with_library_encoder(order.shaping.encoder_settings(settings), library)
    if library is None or choice_of(library, settings.encoder) is None:
        settings = order.new_library.filled(settings)
    new = new_settings(order.new_library)
    cuts = cut_settings_of(library, new=new)
    own = Shaping(choice=None if library is None else choice_of(library), cuts=cuts)
    shaped = order.shaping.index_settings(renewed(cuts, new) if renew else cuts)
    choices = () if library is None else tuple(library.encoder_choices())
    return RunValues(settings=settings, cuts=shaped, own=own, choices=choices)


def values_of_each(
    settings: Settings, order: IndexOrder, library: Library | None, *, renew: bool = False
) -> list[RunValues]:
    """Return what `run_values` does for each encoder that is named, in order; else for the library's own."""
    named = order.encoder or settings.encoder
    if named is None and (library is None or choice_of(library) is None):
        named = settings.new_encoder
    names = () if named is None else encoder_names(named)
    if len(names) < 2:
        return [run_values(settings, order, library, renew=renew)]
    return [run_values(settings, dataclasses.replace(order, encoder=name), library, renew=renew) for name in names]


def joint_name(choices: Iterable[EncoderChoice]) -> str:
    """Return the name by which an order names the encoders of a run."""
    return JOINT.join(choice.name for choice in choices)


def set_aside(order: IndexOrder | RetryOrder, own: Shaping) -> dict[str, Any]:
    """Return what the settings file says of new libraries where this library keeps another value, by option name."""
    kept = {name: getattr(own.cuts, name) for name in ("detector", "segment_seconds", "overlap_seconds", "decode")}
    kept["hash_content"] = own.cuts.hash_content
    if own.choice is not None:
        kept |= {name: getattr(own.choice, name) for name in ("frames", "fit", "still_frames")}
    new = {name: getattr(order.new_library, name) for name in kept}
    return {
        name.replace("_", "-"): float(value) if isinstance(value, Fraction) else value
        for name, value in new.items()
        if value not in (None, kept[name])
    }


def run_options(order: IndexOrder | RetryOrder, *, dry_run: bool = False) -> RunOptions:
    """Return the options of the pipeline for an order; what the order leaves open has the pipeline's defaults."""
    from indexer.settings import RunOptions

    if isinstance(order, RetryOrder):
        options = RunOptions(retry_failed=True, sweep=False, dry_run=dry_run)
        given: dict[str, Any] = {}
    else:
        options = RunOptions(
            exclude=order.exclude,
            include_exports=order.include_exports,
            redo=order.redo,
            retry_failed=order.retry_failed,
            dry_run=dry_run,
        )
        given = {"decode_workers": order.workers, "batch_size": order.batch_size}
    given |= {"stall_seconds": order.shaping.stall_seconds, "decode_memory_gib": order.shaping.decode_memory}
    return dataclasses.replace(options, **{name: value for name, value in given.items() if value is not None})
