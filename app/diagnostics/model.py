"""Check of model weights against published outputs: texts always, video if the official clip is given."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from app.compose import Settings, WrongSetting
from app.diagnostics.check_result import CheckResult

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from encoder import ClipSpec
    from encoder.reference_outputs import Comparison

NEAR = 2e-3
"""A video row this close comes from the right network on slightly different pixels: decoders differ in the last bit."""


def check_model(settings: Settings, name: str, clip: str | None) -> Iterator[CheckResult]:
    """Load weights and compare their outputs with the published ones.

    Args:
        settings: Device and precision to compute with; `auto` means float32, as the published outputs were computed.
        name: Name or path of the weights.
        clip: Path of the official demo clip; None leaves the video side out.

    Raises:
        EncoderError: The weights are missing.
        WrongSetting: The name is unknown, or no outputs were published for it.
    """
    from encoder import load_encoder
    from encoder.checkpoints.hub import fetch
    from encoder.config import VOCABULARY
    from encoder.published_outputs import LVT
    from encoder.reference_outputs import check, check_vocabulary
    from encoder.tokenizer import Tokenizer

    try:
        # The published outputs were computed in float32.
        precision = "float32" if settings.precision == "auto" else settings.precision
        encoder = load_encoder(name, settings.device, precision=precision, needs_text=True)
    except ValueError as error:
        raise WrongSetting(str(error)) from error
    if encoder.id.partition("@")[0] not in LVT:
        raise WrongSetting(f"there are no published outputs for {encoder.id} with; there are {', '.join(LVT)}")
    yield CheckResult("weights", "ok", encoder.id)
    for result in check_vocabulary(Tokenizer(fetch(VOCABULARY))):
        yield _as_result(result)
    pixels = None if clip is None else reference_clip(clip, encoder.clip_spec)
    for result in check(encoder, pixels):
        yield _as_result(result)
    if clip is None:
        yield CheckResult(
            "video", "note", "not compared", "give the clip of the official demo: --clip water_bottle_drumming.mp4"
        )


def _as_result(result: Comparison) -> CheckResult:
    text = f"{result.name}: differs by {result.max_difference:.2g}, allowed {result.tolerance:.2g}"
    kind = result.name.partition(" ")[0]
    if result.ok:
        return CheckResult(kind, "ok", text)
    if kind == "video" and result.max_difference <= NEAR:
        return CheckResult(
            kind, "note", text, "the network is right; this machine decodes or scales pixels slightly differently"
        )
    return CheckResult(
        kind, "bad", text, "these are not the published weights; prismsearch fetch-model gets them again"
    )


def reference_clip(path: str, spec: ClipSpec) -> NDArray[np.uint8]:
    """Read the clip as it was sampled for the published outputs: T of its n frames, at floor(k * n / T), resized whole.

    Pillow's Lanczos is used instead of the indexer's scaler, so that only the network is compared.

    Returns:
        uint8 (T, S, S, 3) RGB.

    Raises:
        UnreadableVideo: The file has no frame that can be decoded.
    """
    import numpy as np
    from PIL import Image

    from indexer.media.decode import Decoding, no_frames_error
    from indexer.media.probe import open_source

    with open_source(path) as source:
        decoding = Decoding(source)
        frames = [frame.picture.to_ndarray(format="rgb24") for frame in decoding]
        if not frames:
            raise no_frames_error(source, decoding.damaged)
    chosen = [frames[k * len(frames) // spec.frames] for k in range(spec.frames)]
    square = (spec.size, spec.size)
    return np.stack([np.asarray(Image.fromarray(each).resize(square, Image.Resampling.LANCZOS)) for each in chosen])
