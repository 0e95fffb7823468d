"""Options from the settings file alone, for what the page starts: no command line is parsed there."""

from __future__ import annotations

from typing import Any

import click

from app.cut_settings import new_library_settings
from app.settings_file import WrongSetting, settings_path
from app.shell.clip_options import clip_options
from app.shell.index_options import ShapingOptions, shaping_options
from app.shell.search_options import SearchOptions, search_options
from app.shell.settings_values import FileDefaults, parsed_options, place_of
from app.shell.work_options import work_options
from indexer.settings import IndexSettings


def index_options() -> dict[str, Any]:
    """Return the fields of an IndexOrder that the settings file gives: work, shaping, and what a new library gets.

    Raises:
        WrongSetting, OSError: The file has a wrong value, or cannot be read.
    """
    return dict(_options_of(_index, "index"))


def new_settings(new_library: ShapingOptions) -> IndexSettings:
    """Return the cut settings of a new library: what the settings file said of these, over the defaults.

    Raises:
        WrongSetting: They do not go together.
    """
    try:
        return new_library.index_settings(new_library_settings())
    except click.UsageError as error:
        raise WrongSetting(f"{settings_path()}: [index] {error.message}") from error


def retry_options() -> dict[str, Any]:
    """Return the fields of a RetryOrder that the settings file gives. Raises as `index_options`."""
    return {name: value for name, value in index_options().items() if name in ("shaping", "new_library")}


def search_defaults() -> SearchOptions:
    """Return the search options that the settings file gives. Raises as `index_options`."""
    options: SearchOptions = _options_of(_search, "search")
    return options


def export_options() -> dict[str, Any]:
    """Return the options of clips that the settings file gives, and only these. Raises as `index_options`."""
    return {name: value for name, (value, from_file) in parsed_options(_export, "export").items() if from_file}


@click.command()
@work_options
@shaping_options
def _index(**options: Any) -> dict[str, Any]:
    return options


@click.command()
@search_options
def _search(options: SearchOptions) -> SearchOptions:
    return options


@click.command()
@clip_options
def _export(**_: Any) -> None:
    """Only its options are of use."""


def _options_of(command: click.Command, name: str) -> Any:
    """Return what a command returns that is run without a command line, over the defaults of the settings file."""
    try:
        defaults = FileDefaults(command, name)
        return command.main([], prog_name=name, standalone_mode=False, default_map=defaults)
    except click.UsageError as error:
        place = place_of(error) if isinstance(error, click.BadParameter) else None
        raise WrongSetting(f"{place or name}: {error.message}") from error
