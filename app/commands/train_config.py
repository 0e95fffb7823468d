"""The configuration of a run, from options, a TOML file, and the folder of a run that goes on."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app import compose
from app.compose import Settings
from app.encoder_choice import canonical
from app.shell.errors import CommandError
from app.shell.exit_codes import MISSING, USAGE
from app.shell.options import PathWord, Whole
from app.shell.terminal import display_path
from files.regular import read_regular
from training.stage_defaults import STAGES

if TYPE_CHECKING:
    from training.configuration import TrainConfig

CONFIG_FILE = "config.toml"
_MOST_BYTES = 1_000_000
_PATH_NAMES = ("captions", "folder", "library", "guard_file")


def config_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that make a configuration; the command receives them as `given`."""
    for option in (
        click.option(
            "--set",
            "assignments",
            multiple=True,
            metavar="NAME=VALUE",
            help="Any setting of docs/training.md, such as loop.beta2=0.98. May be repeated.",
        ),
        click.option("--seed", type=Whole(0, 2**31 - 1), help="Of all chance; by default 0."),
        click.option("--lr", "learning_rate", type=float, metavar="X", help="Highest learning rate."),
        click.option("--batch", type=Whole(1, 1_000_000), help="Clips of a step."),
        click.option("--steps", type=Whole(1, 1_000_000_000), help="Steps of the whole run."),
        click.option("--config", "config_file", type=PathWord(), metavar="FILE.toml", help="Settings in a file."),
        click.option("--folder", type=PathWord(), metavar="DIR", help="Where the videos of the captions are."),
        click.option("--captions", type=PathWord(), metavar="FILE", help="Captions: CSV or JSONL."),
        click.option("--stage", type=click.Choice(STAGES), help="What is trained; by default text."),
    ):
        command = option(command)
    return command


def make_config(settings: Settings, given: Mapping[str, Any], run: Path | None = None) -> tuple[TrainConfig, Settings]:
    """Return the configuration of a run, and the settings that its encoder is opened with.

    Args:
        settings: Of the command: library, encoder, device.
        given: What `config_options` passed.
        run: The folder of the run. If it has a configuration, that is the base, and only what is given is changed.

    Raises:
        CommandError: A setting is unknown or not possible, a file cannot be read, or captions are missing.
        LibraryError, WrongSetting, EncoderError: As in `app.compose`.
    """
    from training.errors import ConfigurationError

    options = _options(given)
    stored = None if run is None else run / CONFIG_FILE
    try:
        if stored is not None and stored.is_file():
            config = _stored(stored)
            for name in ("encoder", "library"):
                if name in settings.given:
                    options[name] = _place(name, str(getattr(settings, name)))
            if "device" in settings.given:
                options["loop.device"] = _device(settings)
            config = _on_device(settings, config.changed(options))
            return config, _with(settings, config)
        file = {} if given["config_file"] is None else _values(Path(given["config_file"]))
        base = "" if given["config_file"] is None else os.path.dirname(os.path.abspath(given["config_file"]))
        for name in (*_PATH_NAMES, "encoder"):
            if file.get(name) and (name != "encoder" or os.sep in file[name]):
                file[name] = os.path.join(base, os.path.expanduser(file[name]))
        return _new(settings, file | options)
    except ConfigurationError as error:
        raise CommandError(str(error), USAGE) from error


def stored_config(settings: Settings, run: Path) -> tuple[TrainConfig, Settings]:
    """Return the configuration that a run has, and the settings that its encoder is opened with.

    Raises:
        CommandError: It is missing, or cannot be read.
    """
    config = _stored(run / CONFIG_FILE)
    return config, _with(settings, config)


def _new(settings: Settings, values: dict[str, Any]) -> tuple[TrainConfig, Settings]:
    """Complete the configuration of a new run by what the library and the captions' place say."""
    from training.configuration import config_of
    from training.errors import ConfigurationError

    for name in ("encoder", "library"):
        if name in settings.given or not values.get(name):
            values[name] = str(getattr(settings, name) or "")
    settings = replace(settings, encoder=values["encoder"] or None, library=Path(values["library"]))
    with compose.open_existing_library(settings) as library:
        settings = compose.with_library_encoder(settings, library)
    if library is None and values.get("stage", "text") == "text":
        compose.open_library(settings)  # says that there is none, before a fact about the encoder is kept in its folder
    values["encoder"] = _place("encoder", compose.encoder_name(settings))
    values["library"] = os.path.abspath(values["library"])
    values.setdefault("frames", settings.frames or 0)
    values.setdefault("fit", settings.fit or "stretch")
    if "device" in settings.given or "loop.device" not in values:
        values["loop.device"] = _device(settings)
    stage = values.get("stage", "text")
    if values.get("captions"):
        values["captions"] = os.path.abspath(values["captions"])
        values["folder"] = os.path.abspath(values.get("folder") or os.path.dirname(values["captions"]))
        if not os.path.isfile(values["captions"]):
            raise CommandError(f"there is no file of captions {display_path(values['captions'])}", MISSING)
    elif stage != "stage2":
        raise ConfigurationError(f"the stage {stage} needs captions: --captions FILE")
    elif values.get("folder"):
        values["folder"] = os.path.abspath(values["folder"])
    if values.get("guard_file"):
        values["guard_file"] = os.path.abspath(values["guard_file"])
    config = _on_device(settings, config_of(values))
    return config, _with(settings, config)


def _with(settings: Settings, config: TrainConfig) -> Settings:
    """Return the settings with which the encoder of a configuration is opened."""
    library = Path(config.library) if config.library else settings.library
    frames = config.frames or None
    return replace(settings, encoder=config.encoder, library=library, frames=frames, fit=config.fit)


def _options(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what stands on the command line, by the names of the configuration; single options come last."""
    from training.errors import ConfigurationError
    from training.setting_values import parse_assignment

    try:
        options = dict(parse_assignment(each) for each in given["assignments"])
    except ConfigurationError as error:
        raise click.UsageError(f"--set: {error}") from error
    for name in ("stage", "captions", "folder", "batch"):
        if given[name] is not None:
            options[name] = os.path.abspath(given[name]) if name in _PATH_NAMES else given[name]
    for name in ("steps", "learning_rate", "seed"):
        if given[name] is not None:
            options[f"loop.{name}"] = given[name]
    return options


def _place(name: str, value: str) -> str:
    """Return the name of an encoder as it is, and a path as an absolute one: a run goes on from any folder."""
    return os.path.abspath(value) if name == "library" else canonical(value)


def _on_device(settings: Settings, config: TrainConfig) -> TrainConfig:
    """Return a configuration with the device that it means.

    Raises:
        WrongSetting, EncoderUnavailable: There is no such device, or it does not compute in the precision.
    """
    from training.loop_settings import resolve_precision

    device = _device(replace(settings, device=config.loop.device))
    resolve_precision(config.loop.precision, device)
    return config.changed({"loop.device": device})


def _device(settings: Settings) -> str:
    """Return the device to train on. Raise WrongSetting or EncoderUnavailable if there is none of this name."""
    from encoder.loading import choose_device

    try:
        return choose_device(settings.device)
    except ValueError as error:
        raise compose.WrongSetting(str(error)) from error


def _stored(path: Path) -> TrainConfig:
    """Return the configuration in the folder of a run. Raise CommandError if it cannot be read."""
    from training.configuration import begun_config
    from training.errors import ConfigurationError

    try:
        return begun_config(_values(path))
    except ConfigurationError as error:
        raise CommandError(f"{display_path(str(path))}: {error}", USAGE) from error


def _values(path: Path) -> dict[str, Any]:
    """Return the values in a TOML file. Raise CommandError if it cannot be read."""
    from training.configuration import from_toml
    from training.errors import ConfigurationError

    try:
        return from_toml(_text(path))
    except ConfigurationError as error:
        raise CommandError(f"{display_path(str(path))}: {error}", USAGE) from error


def _text(path: Path) -> str:
    try:
        return read_regular(path, max_bytes=_MOST_BYTES).decode("utf-8-sig")
    except ValueError as error:
        raise CommandError(f"{display_path(str(path))}: it is no TOML file in UTF-8 ({error})", USAGE) from error
    except OSError as error:
        raise CommandError(f"{display_path(str(path))}: {error.strerror or error}", MISSING) from error
