"""The outcome of a run: what it has learned and forgotten, measured at its end and shown wherever it is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.commands.train_session import load_parent
from app.shell.terminal import count_text, table

if TYPE_CHECKING:
    from app.tuning.run_data import RunData
    from app.tuning.stage_tasks import StageRun
    from training.configuration import TrainConfig
    from training.run_folder import RunFolder
    from training.run_result import RunResult


def measured_outcome(
    folder: RunFolder, config: TrainConfig, data: RunData, stage: StageRun, result: RunResult
) -> dict[str, Any]:
    """Measure a finished run, unless that was done, and keep the figures in its folder.

    The weights are those of its best checkpoint, which the task gets.

    Raises:
        TrainingError: The checkpoint cannot be read.
        EncoderError: The network that it began with is not there any more.
        OSError: The figures cannot be written.
    """
    from app.tuning.outcome import clips_outcome, read_outcome, text_outcome, write_outcome
    from training.run_state import load_trained

    step = result.step if result.best is None else result.best.step
    known = read_outcome(folder.path)
    if known is not None and known.get("step") == step:
        return known
    if config.stage == "text":
        load_trained(folder, stage.task)
        outcome = text_outcome(config, load_parent(config), stage, data, step)
    else:
        outcome = clips_outcome(config, data, step, dict(result.best.figures) if result.best is not None else {})
    write_outcome(folder.path, outcome)
    return outcome


def outcome_lines(outcome: dict[str, Any]) -> list[str]:
    """Return lines that tell what was learned and forgotten."""
    try:
        return [f"before -> after step {outcome['step']:,}:", *(f"  {line}" for line in _lines(outcome))]
    except (KeyError, TypeError, ValueError):
        return ["outcome.json of this run cannot be read; run it again to measure what it has forgotten"]


def _lines(outcome: dict[str, Any]) -> list[str]:
    rows: list[tuple[str, ...]] = []
    held, everyday, teacher = outcome["held_out"], outcome["everyday"], outcome.get("teacher")
    if held is not None:
        about = f"{count_text(held['sentences'], 'held-out sentence')}, {count_text(held['clips'], 'clip')}"
        for name, after in held["after"].items():
            before = held["before"][name]
            gain = "" if before is None else f"{after - before:+.3f}"
            if name == "R@1" and held["gain_interval"] is not None:
                gain += " ({:+.3f} to {:+.3f})".format(*held["gain_interval"])
            rows.append((about, name, f"{_number(before)} -> {after:.3f}", gain))
            about = ""
    elif teacher is None:
        rows.append(("nothing was held out, so nothing tells whether it got better", "", "", ""))
    if everyday is not None:
        mean, least, same = everyday["mean_cosine"], everyday["least_cosine"], everyday["same_best"]
        kind = "sentences of the guard, never held" if everyday.get("own") else "sentences of everyday life"
        about = f"{everyday['sentences']:,} {kind}"
        rows.append((about, "cosine with before", f"1.000 -> {mean:.3f}", f"least {least:.3f}"))
        if same is not None:
            among = f"of {count_text(everyday['clips'], 'other clip')}"
            rows.append(("", "same best clip", f"1.000 -> {same:.3f}", among))
    if teacher is not None:
        about = f"cosine with its teacher, {count_text(teacher['clips'], 'held-out clip')}"
        for name in ("local", "global"):
            if teacher[name] is not None:
                rows.append((about, name, f"{teacher[name]:.3f}", ""))
                about = ""
    return table(rows, "<<<<")


def _number(value: float | None) -> str:
    return "?" if value is None else f"{value:.3f}"
