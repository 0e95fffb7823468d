"""The folder of one run: settings, environment, journal, checkpoints. It can be moved: nothing in it names a path.

settings.json      all settings that shape the result, by dotted names
environment.json   versions, machine and threads of the first start
journal.jsonl      what happened, and figures (`journal`)
checkpoints/       states to go on from (`checkpoints`)
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from files.folder_lock import NoLocks, lock_folder
from files.json_file import read_json
from files.links import is_link
from files.replace import replace_file
from training.checkpoints import Checkpoints
from training.errors import RunError, SettingsDiffer
from training.journal import Journal
from training.loop_settings import FREE

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

SETTINGS_FILE = "settings.json"
ENVIRONMENT_FILE = "environment.json"


class RunFolder:
    """A run's folder. Make one with `open` or `existing`.

    Attributes:
        path: The folder.
        settings: All settings, by dotted names; JSON values.
        digest: Of those that a resumed run may not change.
        journal: The journal.
        checkpoints: The checkpoints.
    """

    def __init__(
        self,
        path: Path,
        settings: Mapping[str, Any],
        free: Collection[str] = (),
        before: Mapping[str, Any] | None = None,
    ) -> None:
        self.path = path
        self.settings = dict(settings)
        self._free = FREE | set(free)
        self._before = {name: value for name, value in (before or {}).items() if name in self.settings}
        self.journal = Journal(path / "journal.jsonl")
        self.checkpoints = Checkpoints(path / "checkpoints")

    @classmethod
    def open(
        cls,
        path: Path,
        settings: Mapping[str, Any] | DataclassInstance,
        *,
        free: Collection[str] = (),
        before: Mapping[str, Any] | DataclassInstance | None = None,
    ) -> RunFolder:
        """Create the folder of a run, or open it to go on. Several processes may do so at once.

        Args:
            path: The folder, which need not exist.
            settings: All settings that shape the result, nested or not; JSON values only.
            free: More names, without what is before the last dot, of settings that a resumed run may change.
            before: What was done before there was a setting, nested or not: a run that an earlier version began without
                it has this.

        Raises:
            SettingsDiffer: The run began with other settings.
            RunError: The folder holds something else, or its settings cannot be read.
            TypeError: A value is none of JSON.
            OSError: It cannot be made or written.
        """
        folder = cls(path, flatten(settings), free, flatten(before or {}))
        if (path / SETTINGS_FILE).exists():
            folder.require(cls.existing(path).settings)
        elif path.exists() and any(not each.name.startswith(".") for each in path.iterdir()):
            raise RunError(f"{path} holds no run of training; name a folder that is empty or does not exist")
        path.mkdir(parents=True, exist_ok=True)
        replace_file(path / SETTINGS_FILE, json.dumps(folder.settings, indent=1).encode(), durable=True)
        return folder

    @classmethod
    def existing(cls, path: Path) -> RunFolder:
        """Open the folder of a run, to look at it.

        Raises:
            RunError: There is none, its settings cannot be read, or its folder of checkpoints is a link.
        """
        try:
            settings = read_json(path / SETTINGS_FILE, follow_links=False)
        except FileNotFoundError as error:
            raise RunError(f"{path} holds no run of training") from error
        except (OSError, ValueError) as error:
            raise RunError(f"the settings of the run in {path} cannot be read: {error}") from error
        if not isinstance(settings, dict):
            raise RunError(f"the settings of the run in {path} are damaged")
        folder = cls(path, settings)
        if is_link(folder.checkpoints.directory):
            raise RunError(
                f"{folder.checkpoints.directory} is a link, and checkpoints are only kept inside a run's own folder; "
                f"put the folder itself there"
            )
        return folder

    @property
    def digest(self) -> str:
        """SHA-256 of the settings that a resumed run may not change."""
        kept = {name: value for name, value in self.settings.items() if not self._is_free(name)}
        return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()

    def differences(self, former: Mapping[str, Any]) -> list[str]:
        """Return the settings that are not what they were, such as "seed was 1, now 2"."""
        former = self._before | dict(former)
        names = [name for name in {**former, **self.settings} if not self._is_free(name)]
        return [
            f"{name} was {_told(former, name)}, now {_told(self.settings, name)}"
            for name in names
            if former.get(name, _MISSING) != self.settings.get(name, _MISSING)
        ]

    def require(self, former: Mapping[str, Any]) -> None:
        """Raise SettingsDiffer where settings are not what they were."""
        if differences := self.differences(former):
            raise SettingsDiffer(differences)

    def write_environment(self, facts: Mapping[str, Any]) -> None:
        """Keep what the run was made with.

        Raises:
            OSError: It cannot be written.
        """
        replace_file(self.path / ENVIRONMENT_FILE, json.dumps(facts, indent=1).encode(), durable=True)

    def environment(self) -> dict[str, Any]:
        """Return what `write_environment` kept; nothing if that cannot be read."""
        with contextlib.suppress(OSError, ValueError):
            facts = read_json(self.path / ENVIRONMENT_FILE, follow_links=False)
            return facts if isinstance(facts, dict) else {}
        return {}

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other processes from training in this folder within the block, where the system has such locks.

        Raises:
            RunError: Another process trains in it.
        """
        try:
            descriptor = lock_folder(self.path)
        except BlockingIOError as error:
            raise RunError(f"another process trains in {self.path}; wait for it, or stop it") from error
        except NoLocks:
            yield
            return
        try:
            yield
        finally:
            os.close(descriptor)

    def is_locked(self) -> bool:
        """Return whether a process trains in this folder, as far as the system tells."""
        try:
            os.close(lock_folder(self.path))
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def _is_free(self, name: str) -> bool:
        return name.rpartition(".")[2] in self._free


_MISSING = object()


def _told(settings: Mapping[str, Any], name: str) -> str:
    return json.dumps(settings[name]) if name in settings else "not there"


def flatten(settings: Mapping[str, Any] | DataclassInstance) -> dict[str, Any]:
    """Return nested settings by dotted names, as JSON reads them back.

    Raises:
        TypeError: A value is none of JSON, such as a path.
        ValueError: A number is not finite.
    """
    nested = settings if isinstance(settings, Mapping) else dataclasses.asdict(settings)
    flat: dict[str, Any] = {}
    for name, value in json.loads(json.dumps(nested, allow_nan=False)).items():
        if isinstance(value, dict):
            flat |= {f"{name}.{inner}": each for inner, each in flatten(value).items()}
        else:
            flat[name] = value
    return flat
