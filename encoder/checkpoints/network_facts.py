"""Facts about a network that was trained here: `NAME.json` beside its official `NAME.npz`.

The arrays of an `.npz` do not tell everything: a table of 32 positions may be of 4 x 8 patches, and how many tokens a
text may have shows nowhere. The file may come from anybody: whatever is wrong with it is one sentence.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from encoder.config import CONFIGS, VideoPrismConfig
from encoder.errors import WeightsMismatch
from files.json_file import read_json
from files.replace import replace_file

FORMAT = "prismsearch-network-1"
_MAX_DIMENSION = 10_000_000
_MAX_LAYERS = 1_000  # the largest of ours has 24
_LONGEST_TEXT = 10_000
_LONGEST_NAME = 255  # of a file, after which a network is called
_ALWAYS = frozenset({"patch", "frames", "rows", "columns", "dim", "heads", "mlp", "text_tokens"})
"""Dimensions that every network has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkFacts:
    """What a network is, and where it comes from.

    Attributes:
        config: Its dimensions.
        stage: The last stage of its training.
        steps: Of that stage.
        parent: Digest of the weights that the stage began with.
        licence: The licence of those weights, which holds for these, too; "" if it is not known.
        trained_on: What it was trained on, in words.
        version: The version of this program that wrote it.
    """

    config: VideoPrismConfig
    stage: str
    steps: int
    parent: str
    licence: str
    trained_on: str
    version: str


def facts_file(weights: Path) -> Path:
    """Return the path of the `.json` that belongs to the `.npz` of a network."""
    return weights.with_suffix(".json")


def write_facts(weights: Path, facts: NetworkFacts) -> None:
    """Write the facts beside the weights of a network. Atomic.

    Raises:
        OSError: The file could not be written.
    """
    config = {key: value for key, value in asdict(facts.config).items() if key != "weights"}
    record = {"format": FORMAT} | asdict(facts) | {"config": config}
    replace_file(facts_file(weights), (json.dumps(record, indent=1, ensure_ascii=True) + "\n").encode())


def read_facts(weights: Path) -> NetworkFacts | None:
    """Return the facts beside the weights of a network; None if there are none, or the file is another program's.

    Raises:
        WeightsMismatch: They are ours and not possible.
    """
    path = facts_file(weights)
    try:
        record = read_json(path)
    except (OSError, ValueError):
        return None
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        return None
    try:
        texts = {name: record[name] for name in ("stage", "parent", "licence", "trained_on", "version")}
        if not all(isinstance(each, str) and len(each) <= _LONGEST_TEXT for each in texts.values()):
            raise TypeError("one of its texts is none")
        if type(record["steps"]) is not int or record["steps"] < 0:
            raise TypeError("its steps are no number")
        return NetworkFacts(config=config_of(record["config"]), steps=record["steps"], **texts)
    except (ValueError, TypeError, KeyError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise WeightsMismatch(f"{path} does not describe a network ({reason}); export it again") from error


def config_of(values: Any) -> VideoPrismConfig:
    """Return the configuration that a file states.

    Raises:
        ValueError, TypeError, KeyError: No network of ours has it.
    """
    if not isinstance(values, dict):
        raise TypeError("its configuration is no object")
    values = dict(values)
    name = values.pop("name")
    if not isinstance(name, str) or len(name) > _LONGEST_NAME:
        raise ValueError("its name is none")
    for key, value in values.items():
        least = 1 if key in _ALWAYS else 0
        most = _MAX_LAYERS if key.endswith("_layers") else _LONGEST_TEXT if key == "text_tokens" else _MAX_DIMENSION
        if type(value) is not int and (key != "logit_cap" or type(value) is not float):
            raise ValueError(f"its {key} is no number")
        if not least <= value <= most:
            raise ValueError(f"its {key} is not possible")
    config = VideoPrismConfig(name=name, **values)
    known = CONFIGS.get(name)
    return known if known is not None and replace(known, weights=None) == config else config
