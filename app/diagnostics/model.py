"""Whether weights on this machine put out what was published for them: texts always, video where the clip is given."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from app.compose import Settings, WrongSetting
from app.diagnostics.result import Finding

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from encoder import ClipSpec
    from encoder.reference_outputs import CheckResult

NEAR = 2e-3
"""A video row this near is the right network on slightly other pixels: decoders and scalers differ in the last bit."""


def examine_model(settings: Settings, name: str, clip: str | None) -> Iterator[Finding]:
    """Load the weights called `name` and compare. EncoderError where they are missing, WrongSetting for the name."""
    from encoder import load_encoder
    from encoder.checkpoints.hub import fetch
    from encoder.config import VOCABULARY
    from encoder.reference_outputs import LVT, check, check_vocabulary
    from encoder.tokenizer import Tokenizer

    try:
        # What was published was computed in float32.
        precision = "float32" if settings.precision == "auto" else settings.precision
        encoder = load_encoder(name, settings.device, precision=precision)
    except ValueError as error:
        raise WrongSetting(str(error)) from error
    if encoder.id.partition("@")[0] not in LVT:
        raise WrongSetting(f"nothing was published to compare {encoder.id} with; there are {', '.join(LVT)}")
    yield Finding("weights", "ok", encoder.id)
    for result in check_vocabulary(Tokenizer(fetch(VOCABULARY))):
        yield _finding(result)
    pixels = None if clip is None else published_frames(clip, encoder.clip_spec)
    for result in check(encoder, pixels):
        yield _finding(result)
    if clip is None:
        yield Finding(
            "video", "note", "not compared", "give the clip of the official demo: --clip water_bottle_drumming.mp4"
        )


def _finding(result: CheckResult) -> Finding:
    text = f"{result.name}: differs by {result.max_difference:.2g}, allowed {result.tolerance:.2g}"
    kind = result.name.partition(" ")[0]
    if result.ok:
        return Finding(kind, "ok", text)
    if kind == "video" and result.max_difference <= NEAR:
        return Finding(
            kind, "note", text, "the network is right; this machine decodes or scales pixels a little otherwise"
        )
    return Finding(kind, "bad", text, "these are not the published weights; prismsearch fetch-model gets them again")


def published_frames(path: str, spec: ClipSpec) -> NDArray[np.uint8]:
    """The clip as the published outputs were made from it: T of the n frames, at floor(k * n / T), each resized whole.

    uint8 (T, S, S, 3). Lanczos by Pillow, not the indexer's own scaler, so that only the network is compared.
    Raises UnreadableVideo.
    """
    import numpy as np
    from PIL import Image

    from indexer.media.decode import Decoding, no_frames
    from indexer.media.probe import open_source

    with open_source(path) as source:
        decoding = Decoding(source)
        frames = [frame.picture.to_ndarray(format="rgb24") for frame in decoding]
        if not frames:
            raise no_frames(source, decoding.damaged)
    chosen = [frames[k * len(frames) // spec.frames] for k in range(spec.frames)]
    square = (spec.size, spec.size)
    return np.stack([np.asarray(Image.fromarray(each).resize(square, Image.Resampling.LANCZOS)) for each in chosen])
