"""Check of model weights against published outputs: texts always, video if the official clip is given.

Of weights that were trained here, nothing was published but what they have kept; they say what they were made from.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from app.compose import Settings, WrongSetting
from app.diagnostics.check_result import CheckResult
from app.shell.terminal import count_text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from encoder import ClipSpec, Encoder
    from encoder.checkpoints.network_facts import NetworkFacts
    from encoder.reference_outputs import Comparison

NEAR = 2e-3
"""A video row this close comes from the right network on slightly different pixels: decoders differ in the last bit."""


def check_model(settings: Settings, name: str, clip: str | None) -> Iterator[CheckResult]:
    """Load weights and compare their outputs with the published ones, or say what they were trained from.

    Args:
        settings: Device and precision to compute with; `auto` means float32, as the published outputs were computed.
        name: Name or path of the weights.
        clip: Path of the official demo clip; None leaves the video side out.

    Raises:
        EncoderError: The weights are missing.
        WrongSetting: The name is unknown, or no outputs were published for it and it was not trained here.
    """
    from encoder import load_encoder
    from encoder.checkpoints.hub import fetch
    from encoder.config import VOCABULARY
    from encoder.published_outputs import LVT
    from encoder.reference_outputs import check, check_vocabulary
    from encoder.tokenizer import Tokenizer

    # The published outputs were computed in float32.
    settings = replace(settings, precision="float32" if settings.precision == "auto" else settings.precision)
    try:
        encoder = load_encoder(name, settings.device, precision=settings.precision, needs_text=True)
    except ValueError as error:
        raise WrongSetting(str(error)) from error
    facts, known = _facts_of(name), _family(encoder)
    if facts is None and known not in LVT:
        raise WrongSetting(f"there are no published outputs for {encoder.id}; there are for {', '.join(LVT)}")
    yield CheckResult("weights", "ok", encoder.id)
    keeps_video: bool | None = True
    if facts is not None:
        keeps_video = _has_video_side_of(encoder, known, settings) if facts.stage == "text" else False
        yield from _as_trained(encoder, facts, known, keeps_video)
    if known not in LVT:
        return
    for result in check_vocabulary(Tokenizer(fetch(VOCABULARY))):
        yield _as_result(result)
    pixels = None if clip is None or not keeps_video else reference_clip(clip, encoder.clip_spec)
    for result in check(encoder, pixels):
        if facts is None or result.name == "video":
            yield _as_result(result)
    if clip is None and keeps_video:
        yield CheckResult(
            "video", "note", "not compared", "give the clip of the official demo: --clip water_bottle_drumming.mp4"
        )


def _facts_of(name: str) -> NetworkFacts | None:
    """Return what weights that can be loaded say of their training; None if they were not trained here."""
    from encoder.checkpoints.download_policy import Sources
    from encoder.checkpoints.network_facts import read_facts
    from encoder.model_files import resolve
    from encoder.openclip.pretrained import PREFIX

    return None if name.startswith(PREFIX) else read_facts(resolve(name, Sources())[1])


def _family(encoder: Encoder) -> str:
    """Return the first part of an encoder's id: the known network that has its video side's dimensions, if any."""
    return encoder.id.partition("@")[0]


def _has_video_side_of(encoder: Encoder, known: str, settings: Settings) -> bool | None:
    """Return whether an encoder's rows of clips are those of a known network; None if that is not on this machine."""
    from encoder import EncoderError, load_encoder
    from encoder.config import CONFIGS

    if known not in CONFIGS:
        return False
    try:
        return load_encoder(known, settings.device, precision=settings.precision).id == encoder.id
    except EncoderError:
        return None


def _as_trained(encoder: Encoder, facts: NetworkFacts, known: str, keeps_video: bool | None) -> Iterator[CheckResult]:
    """Say what weights that were trained here are made of.

    Args:
        encoder: Of the weights.
        facts: About them.
        known: A known network of the same dimensions.
        keeps_video: Whether its video side is theirs, too; None if that is not known.
    """
    from encoder.config import ALIASES

    base = next((alias for alias, name in ALIASES.items() if name == known), known)
    steps = count_text(facts.steps, "step")
    yield CheckResult("training", "ok", f"trained here: stage {facts.stage}, {steps} on {facts.trained_on}")
    if facts.stage == "text":
        if keeps_video:
            yield CheckResult("video side", "ok", f"that of {base}: what a library stored with it stays valid")
        elif keeps_video is None:
            advice = f"prismsearch fetch-model {base}"
            yield CheckResult("video side", "note", f"not compared: {base} is not on this machine", advice)
        else:
            yield CheckResult("video side", "ok", "that of weights which were trained before")
        yield CheckResult("text tower", "ok", f"tuned: {encoder.text_id}")
    yield CheckResult(
        "quality",
        "note",
        "not compared: no outputs were published for what was trained here",
        "prismsearch train evaluate FILE.npz --on CAPTIONS measures it",
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
