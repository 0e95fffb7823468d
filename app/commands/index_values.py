"""The values of an index run: the options of its order over those that the library keeps."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

from app import compose
from app.compose import Settings
from app.cut_settings import cut_settings_of, renewed
from app.encoder_choice import canonical, choice_of
from app.encoding_again import Shaping
from app.jobs.orders import IndexOrder, RetryOrder
from db.records import EncoderChoice

if TYPE_CHECKING:
    from app.shell.index_options import ShapingOptions
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
    """

    settings: Settings
    cuts: IndexSettings
    own: Shaping

    def shaping(self, encoder: Encoder) -> Shaping:
        """Return the shaping of the run, with its encoder."""
        spec = encoder.clip_spec
        choice = EncoderChoice(
            name=canonical(compose.encoder_name(self.settings)),
            encoder_id=encoder.id,
            frames=spec.frames,
            fit=spec.fit,
            still_frames=self.settings.still_frames or 0,
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
    """
    settings = dataclasses.replace(settings, encoder=order.encoder or settings.encoder)
    settings = compose.with_library_encoder(order.shaping.encoder_settings(settings), library)
    cuts = cut_settings_of(library)
    own = Shaping(choice=None if library is None else choice_of(library), cuts=cuts)
    return RunValues(settings=settings, cuts=order.shaping.index_settings(renewed(cuts) if renew else cuts), own=own)


def run_options(
    *,
    workers: int | None = None,
    batch_size: int | None = None,
    exclude: Sequence[str] = (),
    include_exports: bool = False,
    redo: bool = False,
    retry_failed: bool = False,
    sweep: bool = True,
    dry_run: bool = False,
    limits: ShapingOptions | None = None,
) -> RunOptions:
    """Return the options of the pipeline; None stands for its defaults. limits: of time and memory."""
    from indexer.settings import RunOptions

    options = RunOptions(
        include_exports=include_exports,
        redo=redo,
        retry_failed=retry_failed,
        sweep=sweep,
        dry_run=dry_run,
        exclude=tuple(exclude),
    )
    if workers is not None:
        options = dataclasses.replace(options, decode_workers=workers)
    if batch_size is not None:
        options = dataclasses.replace(options, batch_size=batch_size)
    if limits is not None and limits.stall_seconds is not None:
        options = dataclasses.replace(options, stall_seconds=limits.stall_seconds)
    if limits is not None and limits.decode_memory is not None:
        options = dataclasses.replace(options, decode_memory_gib=limits.decode_memory)
    return options
