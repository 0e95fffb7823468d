"""The plan of a run: memory, time, disk, what must be indexed again. Nothing is trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from app.tuning.examples import sides_of
from app.tuning.stage_tasks import AHEAD, MOST_HELD_OUT

if TYPE_CHECKING:
    from app.tuning.run_data import RunData
    from encoder import Encoder
    from encoder.config import VideoPrismConfig
    from training.configuration import TrainConfig

LONG_SECONDS = 12 * 3600.0
"""From which time a plan advises something else."""
SLOWER: Mapping[str, float] = MappingProxyType(
    {
        "text": 2.0,  # demo encoder, 4 and 8 clips: 1.8 to 2.1
        "lit": 2.0,  # base weights drawn at random, 8 frames, 2 clips: 2.0; demo encoder, 4 and 8 clips: 1.4 to 2.1
        "adapter": 2.0,  # not measured; the parts are those of lit
        "stage1": 2.0,  # not measured; the parts are those of lit
        "stage2": 1.1,  # demo encoder, 4 and 8 clips: 1.1
    }
)
"""How much slower a step of each stage is than its multiplications of matrices alone, about.

Measured on one thread of a CPU that multiplied float32 matrices of 1,024 x 1,024 at 66 to 81 GFLOP/s, as the seconds of
a step over its operations by `training.cost`. --measure takes the place of this.
"""
_NOT_THE_NETWORK = 0.6e9
"""Bytes of the program itself with torch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run would need and change.

    Attributes:
        stage: The stage.
        trained, frozen: Parts of the network, in words.
        trained_parameters, parameters: How many, and of how many.
        clips, held_out, test: Examples of each side.
        videos: Contents.
        captions: Different sentences.
        cut_captions: Those longer than the text tower reads.
        left_out: Stretches that cannot be trained on.
        steps, batch: Of the run.
        epochs: How often each clip is seen.
        tera_flops_a_step: Operations of a step, in 10^12.
        seconds_a_step, seconds: Of a step, and of the run.
        measured: Whether the time was measured by steps; else it was computed.
        flops_a_second: Of the device, by a multiplication of matrices; None if steps were measured.
        memory_bytes, disk_bytes, checkpoint_bytes: About.
        index_again: Whether the library must be indexed with the new encoder.
        library_videos, library_seconds: What that would be.
        index_seconds: How long the encoder would compute for that; None if that is not known.
    """

    stage: str
    trained: str
    frozen: str
    trained_parameters: int
    parameters: int
    clips: int
    held_out: int
    test: int
    videos: int
    captions: int
    cut_captions: int
    left_out: int
    steps: int
    batch: int
    epochs: float
    tera_flops_a_step: float
    seconds_a_step: float
    seconds: float
    measured: bool
    flops_a_second: float | None
    memory_bytes: int
    disk_bytes: int
    checkpoint_bytes: int
    index_again: bool
    library_videos: int
    library_seconds: float
    index_seconds: float | None

    def record(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class LibrarySize:
    """How much would be indexed again."""

    videos: int = 0
    seconds: float = 0.0
    segments: int = 0


def make_plan(
    config: TrainConfig,
    network: VideoPrismConfig,
    data: RunData,
    left_out: int,
    encoder: Encoder | None,
    library: LibrarySize,
    *,
    seconds_a_step: float | None,
    flops_a_second: float,
    peak_bytes: int | None = None,
) -> Plan:
    """Return the plan of a run.

    Args:
        config: The configuration.
        network: Dimensions of the network that it begins with.
        data: What it would be trained on.
        left_out: How many stretches cannot be trained on.
        encoder: Says which captions it would cut; None for a stage without words.
        library: What would be indexed again.
        seconds_a_step: By steps; None computes it.
        flops_a_second: Of the device.
        peak_bytes: The memory that steps took; None computes it.
    """
    from training import cost
    from training.trained_parts import parameters, said_parts, trained_parameters

    sides = sides_of(data.examples)
    sentences = sorted({text for each in data.examples for text in each.captions})
    batch = min(config.batch, max(1, sides["train"]))
    step = cost.step_cost(config, network)
    flops = step.flops * batch / config.batch
    trained, every = trained_parameters(config, network), parameters(network)
    measured = seconds_a_step is not None
    pace = seconds_a_step if seconds_a_step is not None else flops * SLOWER[config.stage] / flops_a_second
    frozen = every - trained if config.stage != "stage2" else 2 * every - trained
    state = cost.state_bytes(trained, frozen, config)
    checkpoint = cost.checkpoint_bytes(trained, config)
    clip = 0 if config.stage == "text" else _clip_bytes(network, config)
    waiting = clip * (batch * (AHEAD + 1) + min(sides["validation"], MOST_HELD_OUT))
    computed = state + step.activation_bytes * batch / config.batch + waiting + _NOT_THE_NETWORK
    index_again = config.stage != "text"
    frames = config.frames or network.frames
    index_seconds = library.segments * cost.forward_flops(network, frames) / flops_a_second if index_again else 0.0
    trained_text, frozen_text = said_parts(config)
    return Plan(
        stage=config.stage,
        trained=trained_text,
        frozen=frozen_text,
        trained_parameters=trained,
        parameters=every,
        clips=sides["train"],
        held_out=sides["validation"],
        test=sides["test"],
        videos=len({each.content for each in data.examples}),
        captions=len(sentences),
        cut_captions=sum(encoder.truncated(sentences)) if encoder is not None and sentences else 0,
        left_out=left_out,
        steps=config.loop.steps,
        batch=batch,
        epochs=round(config.loop.steps * batch / sides["train"], 2) if sides["train"] else 0.0,
        tera_flops_a_step=flops / 1e12,
        seconds_a_step=pace,
        seconds=pace * config.loop.steps,
        measured=measured,
        flops_a_second=None if measured else flops_a_second,
        memory_bytes=int(peak_bytes or computed),
        disk_bytes=int(checkpoint * (config.loop.keep + 2) + clip * len(data.examples)),
        checkpoint_bytes=checkpoint,
        index_again=index_again,
        library_videos=library.videos,
        library_seconds=library.seconds,
        index_seconds=index_seconds,
    )


def _clip_bytes(network: VideoPrismConfig, config: TrainConfig) -> int:
    return (config.frames or network.frames) * network.size**2 * 3
