"""The configuration of a run, as a TOML file: stage, data, and how it is trained. Importing this imports no torch.

stage = "text"
encoder = "base"
captions = "captions.csv"

[loop]
steps = 300
"""

from __future__ import annotations

import dataclasses
import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from training.errors import ConfigurationError
from training.loop_settings import LoopSettings
from training.setting_values import toml, typed
from training.stage_defaults import DEFAULTS, FIGURES, OF_STAGE, STAGES, Stage

PATHS = ("encoder", "captions", "folder", "library", "guard_file")
"""Fields that say where things are. They shape nothing: what is read from there is kept by its digest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """Everything that a run is made from. Make one with `config_of`, which knows a stage's defaults.

    The default of a field, here and in `LoopSettings`, is what was done before there was the field: runs that were
    begun before have it (`begun_config`). Where new runs of a stage shall have another, that is in `stage_defaults`.

    Attributes:
        stage: text: the text tower, on stored rows. lit: all but the locked video encoder. adapter: lit, and low-rank
            adapters in the video encoder. stage1: everything, by contrast with captions. stage2: the video encoder, by
            masked distillation, without words.
        encoder: Name or path of the network to begin with.
        captions: File of captions; "" for a stage without words.
        folder: Where the videos are.
        library: The library whose stored rows `text` is trained on; "" for the other stages.
        validation: Share of the groups of clips that are never trained on.
        batch: B, clips of a step.
        micro: Clips and sentences of a step whose activations are in memory at once, the rest being encoded twice
            (GradCache): the gradients stay those of the whole batch. 0 for the whole batch.
        weight_decay: Of matrices; nothing else decays.
        frames: T; 0 for the network's own number.
        fit: How a frame that is not square becomes square.
        checkpointing: Compute activations again in the backward pass: less memory, a third more time.
        temperature: By which cosines are multiplied at first. 100 is what the published demo uses, 1/0.07 CLIP's start
            from scratch (NOT PUBLISHED by VideoPrism).
        drop: Share of the patches that is dropped, the same ones in every frame.
        tuned: Of the text tower: low-rank adapters (lora), or its last layers (last).
        rank, alpha: Of low-rank adapters.
        layers: The last so many layers of the text tower, for `last`.
        guard: Weight of the distance that sentences of everyday life may move.
        guard_file: File of other sentences to hold the tower by, one per line; "" for those of everyday life.
        mask: Which tokens are hidden together.
        mask_ratio: Share of the tokens that is hidden.
        shuffle: Deal the tokens to the local decoder in random order.
        global_weight: Weight of the global distillation beside the local one, which has 1.
        loop: Steps, optimizer, schedule, checkpoints.

    Raises:
        ConfigurationError: A value is out of range.
    """

    stage: Stage
    encoder: str = ""
    captions: str = ""
    folder: str = ""
    library: str = ""
    validation: float = 0.1
    batch: int = 32
    micro: int = 0
    weight_decay: float = 0.0
    frames: int = 0
    fit: Literal["stretch", "crop", "pad"] = "stretch"
    checkpointing: bool = False
    temperature: float = 100.0
    drop: float = 0.0
    tuned: Literal["lora", "last"] = "lora"
    rank: int = 16
    alpha: float = 16.0
    layers: int = 4
    guard: float = 1.0
    guard_file: str = ""
    mask: Literal["bevt", "tube", "random"] = "bevt"
    mask_ratio: float = 0.65
    shuffle: bool = True
    global_weight: float = 1.0
    loop: LoopSettings = field(default_factory=lambda: LoopSettings(steps=1))

    def __post_init__(self) -> None:
        for name, low, high in (
            ("validation", 0, 0.9), ("batch", 1, 1e6), ("micro", 0, 1e6), ("weight_decay", 0, 1e3), ("frames", 0, 1e4),
            ("temperature", 1, 100), ("drop", 0, 0.95), ("rank", 1, 1e4), ("alpha", 1e-6, 1e6),
            ("layers", 1, 1e3), ("guard", 0, 1e6), ("mask_ratio", 0, 0.99), ("global_weight", 0, 1e6),
        ):  # fmt: skip
            if not low <= getattr(self, name) <= high:
                raise ConfigurationError(f"{name} is from {low:g} to {high:g}, got {getattr(self, name):g}")

    def values(self) -> dict[str, Any]:
        """Return the fields that this stage has, `loop` as a dictionary."""
        every = dataclasses.asdict(self)
        return {name: value for name, value in every.items() if _has(self.stage, name)}

    def shaping(self) -> dict[str, Any]:
        """Return what shapes the result: without the names of places."""
        return {name: value for name, value in self.values().items() if name not in PATHS}

    def before(self) -> dict[str, Any]:
        """Return what shaped the result of a run of this stage before there were these settings."""
        return TrainConfig(stage=self.stage).shaping()

    def to_toml(self) -> str:
        """Return a TOML document that `from_toml` reads back as this configuration."""
        values = self.values()
        loop = values.pop("loop")
        lines = [f"{name} = {toml(value)}" for name, value in values.items()]
        return "\n".join([*lines, "", "[loop]", *(f"{name} = {toml(value)}" for name, value in loop.items()), ""])

    def changed(self, given: Mapping[str, Any]) -> TrainConfig:
        """Return this configuration with other values; those of the loop are in `loop` or named `loop.NAME`.

        Raises:
            ConfigurationError: As `config_of`. The stage cannot be changed.
        """
        flat = _checked(given)
        if flat.get("stage", self.stage) != self.stage:
            raise ConfigurationError(f"this run is of the stage {self.stage}, not {flat['stage']}; begin another one")
        return _made(self.stage, _merged(self.values(), flat))


def config_of(given: Mapping[str, Any]) -> TrainConfig:
    """Return the configuration of a new run from values, on top of the defaults of their stage.

    Args:
        given: Values by name; those of the loop are in `loop` or named `loop.NAME`. The stage is text by default.

    Raises:
        ConfigurationError: A name is unknown or of another stage, or a value is not possible.
    """
    flat = _checked(given)
    stage = _stage(flat)
    values = _merged({"stage": stage} | dict(DEFAULTS[stage]), flat)
    loop = values["loop"]
    share = loop.pop("warmup")
    if isinstance(loop["steps"], int) and not isinstance(loop["steps"], bool):
        loop.setdefault("warmup_steps", min(round(share * loop["steps"]), max(loop["steps"] - 1, 0)))
        loop.setdefault("validate_every", max(1, loop["steps"] // 10))
        loop.setdefault("save_every", max(1, min(500, loop["steps"] // 4)))
        loop.setdefault("journal_every", max(1, min(50, loop["steps"] // 20)))
    return _made(stage, values)


def begun_config(given: Mapping[str, Any]) -> TrainConfig:
    """Return the configuration of a run that was begun, from all values that were kept of it.

    One that is missing is a setting of later versions, and the run has what was done before: the default of the field.

    Args:
        given: As in `config_of`.

    Raises:
        ConfigurationError: As `config_of`.
    """
    flat = _checked(given)
    return TrainConfig(stage=_stage(flat)).changed(flat)


def from_toml(text: str) -> dict[str, Any]:
    """Return the values in a TOML document, for `config_of`, `begun_config` or `changed`.

    Raises:
        ConfigurationError: It is no TOML, or a name is unknown.
    """
    try:
        values = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigurationError(f"it is not TOML: {error}") from error
    return _checked(values)


def _stage(flat: Mapping[str, Any]) -> Stage:
    stage: Stage = flat.get("stage", "text")
    if stage not in STAGES:
        raise ConfigurationError(f"there is no stage {stage!r}; the stages are {', '.join(STAGES)}")
    return stage


def _has(stage: str, name: str) -> bool:
    return name in OF_STAGE[stage] or not any(name in of for of in OF_STAGE.values())


def _checked(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return values under dotted names. Raise ConfigurationError for an unknown name."""
    flat: dict[str, Any] = {}
    for name, value in given.items():
        if name == "loop" and isinstance(value, Mapping):
            flat |= {f"loop.{inner}": each for inner, each in value.items()}
        else:
            flat[name] = value
    known = [each.name for each in dataclasses.fields(TrainConfig) if each.name != "loop"]
    known += [f"loop.{each.name}" for each in dataclasses.fields(LoopSettings)]
    for name in flat:
        if name not in known:
            last = name.rpartition(".")[2]
            near = [each for each in known if each.rpartition(".")[2] == last]
            near = near or difflib.get_close_matches(name, known, n=1)
            raise ConfigurationError(f"there is no setting {name}" + (f"; is {near[0]} meant?" if near else ""))
    return flat


def _merged(values: Mapping[str, Any], flat: Mapping[str, Any]) -> dict[str, Any]:
    """Return values with others, under dotted names, in their place."""
    merged = {**values, "loop": dict(values["loop"])}
    for name, value in flat.items():
        if name.startswith("loop."):
            merged["loop"][name.removeprefix("loop.")] = value
        else:
            merged[name] = value
    return merged


def _made(stage: str, values: dict[str, Any]) -> TrainConfig:
    for name in values:
        if not _has(stage, name):
            having = [each for each in STAGES if name in OF_STAGE[each]]
            raise ConfigurationError(f"{name} is a setting of {', '.join(having)}, not of the stage {stage}")
    try:
        loop = LoopSettings(**typed(LoopSettings, values["loop"], "loop."))
        if loop.best_by not in ("", *FIGURES[stage]):
            raise ConfigurationError(f"loop.best_by is {', '.join(FIGURES[stage])}, got {loop.best_by!r}")
        return TrainConfig(**typed(TrainConfig, {**values, "loop": loop}))
    except ConfigurationError:
        raise
    except ValueError as error:
        raise ConfigurationError(str(error)) from error
