"""The outcome of a run, kept in its folder: how well sentences find their clips before and after.

outcome.json    the figures of its checkpoint, best by validation
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from files.json_file import read_json
from files.replace import replace_file

if TYPE_CHECKING:
    from app.tuning.run_data import RunData
    from app.tuning.stage_tasks import StageRun
    from encoder.loading import Parent
    from training.configuration import TrainConfig

OUTCOME_FILE = "outcome.json"


def text_outcome(config: TrainConfig, parent: Parent, stage: StageRun, data: RunData, step: int) -> dict[str, Any]:
    """Return what a tuned text tower has learned and forgotten, as JSON values.

    Args:
        config: Of the run, of the stage text.
        parent: The network that it began with, loaded anew.
        stage: Its task, with the weights to measure.
        data: Its data: held-out clips, and other clips among which sentences of everyday life look for their best.
        step: Steps that were done for the weights.
    """
    from app.tuning.stage_tasks import captioned_rows
    from training.everyday import guard_parts
    from training.stages.text import TextStage
    from training.text_evaluation import compare_texts

    network: Any = parent.network
    tokenizer: Any = parent.tokenizer
    before = TextStage(network, tokenizer, tuned="last", guard=0.0)
    before.to(config.loop.device).eval()
    task: Any = stage.task
    task.module.eval()
    others = data.others if data.others is not None and len(data.others) else None
    unseen = guard_parts(data.guard or None)[1]
    found = compare_texts(
        before.encode, task.encode, held_out=captioned_rows(data, "validation"), library=others, unseen=unseen,
        seed=config.loop.seed,
    )  # fmt: skip
    held = found.held_out
    return {
        "step": step,
        "held_out": None
        if held is None
        else {
            "sentences": held.sentences,
            "clips": held.clips,
            "before": {f"R@{k}": value for k, value in held.before.items()},
            "after": {f"R@{k}": value for k, value in held.after.items()},
            "gain_interval": held.interval,
        },
        "everyday": {
            "sentences": len(unseen),
            "own": bool(data.guard),
            "mean_cosine": found.cosine,
            "least_cosine": found.least_cosine,
            "same_best": found.same_best,
            "clips": 0 if others is None else len(others),
        },
    }


def clips_outcome(config: TrainConfig, data: RunData, step: int, figures: dict[str, float]) -> dict[str, Any]:
    """Return what a network that was trained on clips has learned and forgotten, as JSON values.

    Args:
        config: Of the run.
        data: Its data.
        step: Steps that were done for the weights.
        figures: Of their validation; none if nothing was held out.
    """
    from app.tuning.stage_tasks import MOST_HELD_OUT

    held = None
    clips = min(len(data.places("validation")), MOST_HELD_OUT)
    if "recall" in figures:
        held = {
            "sentences": len({data.examples[at].captions[0] for at in data.places("validation")[:clips]}),
            "clips": clips,
            "before": {"R@1": figures.get("recall_before")},
            "after": {"R@1": figures["recall"]},
            "gain_interval": None,
        }
    outcome: dict[str, Any] = {"step": step, "held_out": held, "everyday": None}
    if config.stage == "stage2" and figures:
        outcome["teacher"] = {"clips": clips, **{name: figures.get(name) for name in ("local", "global")}}
    return outcome


def write_outcome(folder: Path, outcome: dict[str, Any]) -> None:
    """Keep it in the folder of a run.

    Raises:
        OSError: It cannot be written.
    """
    replace_file(folder / OUTCOME_FILE, json.dumps(outcome, indent=1).encode())


def read_outcome(folder: Path) -> dict[str, Any] | None:
    """Return what a finished run has learned and forgotten; None if that is not known."""
    try:
        outcome = read_json(folder / OUTCOME_FILE, follow_links=False)
    except (OSError, ValueError):
        return None
    return outcome if isinstance(outcome, dict) else None
