"""Checkpoints of a run: whole states to go on from, written so that a kill or a full disk leaves the former ones.

Each is a folder, `step-00000500`, which takes its name once its files are on the disk: `state.pt`, which
`torch.load(weights_only=True)` reads, and `manifest.json`, its size, checksum and facts. Importing this module does not
import torch.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import secrets
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from files.durability import checksum, flush, flush_directory
from files.json_file import read_json
from files.links import is_link, remove_tree
from files.regular import open_regular
from training.errors import DamagedCheckpoint, TrainingError

STATE_FILE, MANIFEST_FILE = "state.pt", "manifest.json"
_FORM = re.compile(r"step-([0-9]{8,18})")


@dataclass(frozen=True)
class Best:
    """The best validation so far.

    Attributes:
        step: Steps done before it.
        name: The figure that it is best in.
        value: Of that figure.
        figures: All figures of the validation.
    """

    step: int
    name: str
    value: float
    figures: Mapping[str, float] = field(default_factory=dict)

    @staticmethod
    def of(facts: Mapping[str, Any]) -> Best | None:
        """Return the best validation that facts of a checkpoint name, if any. Raise DamagedCheckpoint if it is none."""
        if facts.get("best") is None:
            return None
        try:
            best = Best(**facts["best"])
        except TypeError as error:
            raise DamagedCheckpoint("the best validation that the checkpoint names is none") from error
        if type(best.step) is not int or not isinstance(best.value, int | float):
            raise DamagedCheckpoint("the best validation that the checkpoint names is none")
        return best

    def record(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return asdict(self)


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint that was read.

    Attributes:
        step: Steps done.
        state: Tensors and numbers, as they were saved.
        facts: JSON object: settings, best validation and the like.
    """

    step: int
    state: dict[str, Any]
    facts: dict[str, Any]


class Checkpoints:
    """The checkpoints of one run. The constructor does not access the disk."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def steps(self) -> list[int]:
        """Return the steps that have a checkpoint, damaged ones among them, in order."""
        with contextlib.suppress(OSError):
            matches = [_FORM.fullmatch(each.name) for each in self.directory.iterdir() if not is_link(each)]
            return sorted(int(match[1]) for match in matches if match)
        return []

    def facts(self, step: int) -> dict[str, Any]:
        """Return the facts of a checkpoint, from its manifest; its state is not looked at.

        Raises:
            DamagedCheckpoint: They cannot be read.
        """
        return self._manifest(step)["facts"]  # type: ignore[no-any-return]

    def save(self, step: int, state: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
        """Write a checkpoint, in place of any of that step.

        Args:
            step: Steps done.
            state: Tensors, numbers, text, and mappings and lists of these.
            facts: A JSON object.

        Raises:
            TrainingError: It could not be written; nothing is left of it, and the others stay.
        """
        import torch

        draft = self.directory / f".step-{secrets.token_hex(6)}"
        try:
            draft.mkdir(parents=True)
            with (draft / STATE_FILE).open("xb") as file:
                torch.save({"step": step, "facts": json.dumps(facts), "state": dict(state)}, file)
            flush(draft / STATE_FILE)
            manifest = {
                "step": step,
                "size_bytes": (draft / STATE_FILE).stat().st_size,
                "crc32": checksum(draft / STATE_FILE),
                "facts": facts,
            }
            (draft / MANIFEST_FILE).write_text(json.dumps(manifest, indent=1))
            flush(draft / MANIFEST_FILE)
            flush_directory(draft)
            self.remove(step)
            os.rename(draft, self.path_of(step))
        except (OSError, RuntimeError) as error:  # torch's writer raises RuntimeError where a file cannot be written
            shutil.rmtree(draft, ignore_errors=True)
            raise TrainingError(
                f"the checkpoint of step {step} could not be written: {_cause(error)}; those before it are kept; "
                "free some space, and run the same command again to continue"
            ) from error
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        flush_directory(self.directory)

    def load(self, step: int) -> Checkpoint:
        """Read a checkpoint.

        Raises:
            DamagedCheckpoint: It is not what was written, or cannot be read.
        """
        import torch

        manifest, path = self._manifest(step), self.path_of(step) / STATE_FILE
        try:
            with open_regular(path, follow_links=False) as file:
                if os.fstat(file.fileno()).st_size != manifest["size_bytes"] or checksum(path) != manifest["crc32"]:
                    raise DamagedCheckpoint(f"the checkpoint of step {step} is not what was written")
                content = torch.load(io.BufferedReader(file), map_location="cpu", weights_only=True)
            facts = json.loads(content["facts"])
            if content["step"] != step or facts != manifest["facts"]:
                raise DamagedCheckpoint(f"the checkpoint of step {step} is another's")
            return Checkpoint(step, content["state"], facts)
        except OSError as error:
            raise DamagedCheckpoint(f"the checkpoint of step {step} cannot be read: {_cause(error)}") from error
        except DamagedCheckpoint:
            raise
        except Exception as error:  # torch and pickle raise what they like for content that is not theirs
            raise DamagedCheckpoint(f"the checkpoint of step {step} holds something else") from error

    def newest(self, on_note: Callable[[str], object] = lambda _: None) -> Checkpoint | None:
        """Return the newest checkpoint that is whole, or None if there is none at all.

        Args:
            on_note: Told of each damaged one that is passed over.

        Raises:
            DamagedCheckpoint: There are checkpoints, and all are damaged.
        """
        reasons = []
        for step in reversed(self.steps()):
            try:
                found = self.load(step)
            except DamagedCheckpoint as error:
                reasons.append(str(error))
                continue
            for reason in reasons:
                on_note(f"{reason}; the run goes on from step {step}")
            return found
        if reasons:
            raise DamagedCheckpoint(
                f"no checkpoint in {self.directory} can be read ({reasons[0]}); remove that folder to begin again"
            )
        return None

    def prune(self, newest: int, keep: int, best: int | None) -> None:
        """Remove all but the `keep` newest checkpoints up to step `newest` and that of step `best`. Never raises.

        Those of later steps are damaged ones that the run had passed over.
        """
        usual = [step for step in self.steps() if step <= newest]
        kept = {*usual[-keep:], best}
        for step in self.steps():
            if step not in kept:
                self.remove(step)

    def sweep(self) -> None:
        """Remove what a killed process left half written. For the process that has the run's lock. Never raises."""
        with contextlib.suppress(OSError):
            for each in self.directory.iterdir():
                if each.name.startswith(".step-"):
                    remove_tree(each, self.directory)

    def remove(self, step: int) -> None:
        """Remove a checkpoint if there is one. Never raises."""
        path = self.path_of(step)
        if not path.exists():
            return
        away = self.directory / f".step-{secrets.token_hex(6)}"  # a half removed one would be a damaged one
        with contextlib.suppress(OSError):
            os.rename(path, away)
            remove_tree(away, self.directory)

    def path_of(self, step: int) -> Path:
        """Return the folder of the checkpoint of a step."""
        return self.directory / f"step-{step:08d}"

    def _manifest(self, step: int) -> dict[str, Any]:
        try:
            manifest = read_json(self.path_of(step) / MANIFEST_FILE, follow_links=False)
        except (OSError, ValueError) as error:
            raise DamagedCheckpoint(f"the manifest of step {step} cannot be read: {_cause(error)}") from error
        if not isinstance(manifest, dict) or not isinstance(manifest.get("facts"), dict):
            raise DamagedCheckpoint(f"the manifest of step {step} is not what was written")
        return manifest


def _cause(error: BaseException) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error).splitlines()[0]
