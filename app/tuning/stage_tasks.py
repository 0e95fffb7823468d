"""From a configuration, a network and the data of a run to the task and the batches of the training loop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.tuning.run_data import RunData

if TYPE_CHECKING:
    from app.tuning.footage import Footage
    from encoder.loading import Parent
    from encoder.model import Network
    from training.batches import BatchSource, CaptionedBatch
    from training.configuration import TrainConfig
    from training.row_batches import CaptionedRows
    from training.task import Task


AHEAD = 2
"""Batches of clips that are read while a step is taken."""

MOST_HELD_OUT = 256
"""Clips that are held in memory for validation: of the base encoder, 1 GB."""


class NotTrainable(ValueError):
    """A network or its data do not suit a stage; one sentence says why."""


@dataclass(frozen=True, slots=True)
class StageRun:
    """What the loop trains, and on what.

    Attributes:
        task: The task, which has `exported()`.
        batches: Batch n depends on the seed and n alone.
    """

    task: Task
    batches: BatchSource[Any]

    def exported(self) -> Network:
        """Return the trained network as an encoder has it: adapters merged, decoders and temperature left out."""
        network: Network = self.task.exported()  # type: ignore[attr-defined]
        return network


def stage_run(
    config: TrainConfig,
    parent: Parent,
    data: RunData,
    footage: Footage | None,
    *,
    to_train: bool = True,
    rank: int = 0,
    processes: int = 1,
) -> StageRun:
    """Return the task and the batches of a run, made in the same way each time.

    Args:
        config: The configuration.
        parent: The network to begin with; it is changed in place.
        data: The run's.
        footage: The clips of all examples; None for a stage that trains on rows.
        to_train: False if only its trained network is wanted: then nothing is prepared for steps and validations.
        rank, processes: Which part of each batch is drawn here. Only the first process validates.

    Raises:
        NotTrainable: The network has no text tower where one is needed, or there is nothing to train on.
    """
    from encoder.model import VideoPrismLvT, vision_of

    places = data.places("train")
    if not places:
        raise NotTrainable("nothing is left to train on")
    width = vision_of(parent.network).config.dim
    if config.stage in ("text", "adapter") and config.rank > width:
        raise NotTrainable(f"the rank of adapters is at most the network's width of {width}, not {config.rank}")
    if config.stage != "stage2" and not isinstance(parent.network, VideoPrismLvT):
        raise NotTrainable(f"the stage {config.stage} needs a network with a text tower; {config.encoder} has none")
    if footage is None:
        stage = _text(config, parent, data, to_train, rank, processes)
    else:
        stage = _clips(config, parent, data, footage, to_train, rank, processes)
    if config.checkpointing:
        from encoder.layers import checkpoint_activations

        checkpoint_activations(stage.task.module)
    return stage


def _clips(
    config: TrainConfig, parent: Parent, data: RunData, footage: Footage, to_train: bool, rank: int, processes: int
) -> StageRun:
    from training.sampling import CaptionedBatches

    places = data.places("train")
    held_out = _held_out(footage, data.places("validation"), config.batch) if to_train and rank == 0 else []
    task = _clip_task(config, parent, held_out)
    size = _shared(min(config.batch, len(places)), processes)
    return StageRun(task, CaptionedBatches(footage, places, size, config.loop.seed, rank=rank, processes=processes))


def _clip_task(config: TrainConfig, parent: Parent, held_out: Sequence[CaptionedBatch]) -> Task:
    """Return the task of a stage that reads clips."""
    network: Any = parent.network
    tokenizer: Any = parent.tokenizer
    more: dict[str, Any] = {
        "weight_decay": config.weight_decay,
        "seed": config.loop.seed,
        "held_out": held_out,
    }
    if config.stage == "stage2":
        from training.stages.stage2 import Distillation, Stage2

        how = Distillation(
            mask=config.mask, ratio=config.mask_ratio, shuffle=config.shuffle, global_weight=config.global_weight
        )
        return Stage2(network, distillation=how, frames=config.frames or None, **more)
    more |= {"temperature": config.temperature, "micro": config.micro or None}
    if config.stage == "stage1":
        from training.stages.stage1 import Stage1

        return Stage1(network, tokenizer, drop=config.drop, **more)
    from training.stages.lit import Lit

    if config.stage == "adapter":
        more |= {"rank": config.rank, "alpha": config.alpha}
    return Lit(network, tokenizer, **more)


def _held_out(footage: Footage, places: Sequence[int], size: int) -> list[CaptionedBatch]:
    """Return held-out clips with one sentence each, as batches; not all of them, if they are many."""
    import numpy as np

    from training.batches import CaptionedBatch
    from training.sampling import positives

    batches = []
    for start in range(0, min(len(places), MOST_HELD_OUT), size):
        part = places[start : min(start + size, MOST_HELD_OUT)]
        clips = np.stack([footage.clip(place) for place in part])
        said = [footage.captions(place) for place in part]
        sentences = tuple(each[0] if each else "" for each in said)
        together = positives(said, sentences) if all(said) else np.eye(len(part), dtype=bool)
        batches.append(CaptionedBatch(clips, sentences, together))
    return batches


def _shared(size: int, processes: int) -> int:
    """Return the size of a batch that so many processes share evenly. Raise NotTrainable if there is none."""
    if size < processes:
        raise NotTrainable(f"a batch of {size} is too small for {processes} processes; each needs a clip")
    return size // processes * processes


def _text(config: TrainConfig, parent: Parent, data: RunData, to_train: bool, rank: int, processes: int) -> StageRun:
    from training.row_batches import RowBatches
    from training.stages.text import TextStage

    held_out = captioned_rows(data, "validation")
    network: Any = parent.network
    tokenizer: Any = parent.tokenizer
    task = TextStage(
        network,
        tokenizer,
        tuned=config.tuned,
        rank=config.rank,
        alpha=config.alpha,
        layers=config.layers,
        guard=config.guard if to_train else 0.0,
        guard_sentences=data.guard or None,
        temperature=config.temperature,
        weight_decay=config.weight_decay,
        micro=config.micro,
        seed=config.loop.seed,
        validation=held_out if to_train and len(held_out) else None,  # in all: buffers are equal
    )
    others = data.others if data.others is not None and len(data.others) else None
    rows = captioned_rows(data, "train")
    size = _shared(min(config.batch, len(rows)), processes)
    return StageRun(task, RowBatches(rows, size, config.loop.seed, others=others, rank=rank, processes=processes))


def captioned_rows(data: RunData, side: str) -> CaptionedRows:
    """Return the rows of one side, with their sentences and groups."""
    from training.row_batches import CaptionedRows

    assert data.rows is not None
    places = data.places(side)
    examples = [data.examples[place] for place in places]
    return CaptionedRows(
        data.rows[places], tuple(each.captions for each in examples), tuple(each.group for each in examples)
    )
