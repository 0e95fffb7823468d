"""Values of the settings file as defaults of a command's options, by click's `default_map`."""

from __future__ import annotations

from collections import UserDict
from collections.abc import Callable
from functools import cached_property
from typing import Any

import click
from click.core import ParameterSource

from app.settings_file import TABLE_OF, TABLES, SettingsFile, WrongSetting, read_settings_file


class FileDefaults(UserDict[str, Any]):
    """The defaults of one command, for the context of click. The file is read when a command that runs looks one up.

    Help and completion look values up too, in a context that click calls resilient. For these there are none, so that
    `--help` works whatever is in the file.
    """

    def __init__(
        self,
        command: click.Command | Callable[[], click.Command],
        name: str,
        read: Callable[[], SettingsFile] = read_settings_file,
    ) -> None:
        """Make the defaults.

        Args:
            command: The command, or a function that returns it.
            name: Its name.
            read: Returns the settings file.
        """
        self.place = ""  # file and table, once it was read
        self._command = command
        self._name = name
        self._read = read

    @property
    def data(self) -> dict[str, Any]:  # type: ignore[override]
        """The values by the names of click's parameters, as they would be typed."""
        context = click.get_current_context(silent=True)
        return {} if context is not None and context.resilient_parsing else self._values

    @cached_property
    def _values(self) -> dict[str, Any]:
        file, table = self._read(), TABLE_OF[self._name]
        self.place = f"{file.path}: [{table}]"
        command = self._command if isinstance(self._command, click.Command) else self._command()
        options = {name: option for option in command.params for name in long_names(option)}
        values: dict[str, Any] = {}
        for name, value in file.tables.get(table, {}).items():
            if (option := options.get(name)) is not None and option.name is not None:
                values[option.name] = _as_typed(option, value, f"{self.place} {name}")
        return values


def long_names(parameter: click.Parameter) -> list[str]:
    """Return the long names of an option, without the dashes; none for an argument."""
    return [each[2:] for each in parameter.opts if each.startswith("--")] if isinstance(parameter, click.Option) else []


def parsed_options(command: click.Command, name: str) -> dict[str, tuple[Any, bool]]:
    """Return the values that a command without a command line has, by their names in the settings file.

    Args:
        command: A command that reads a table of the file.
        name: Its name.

    Returns:
        Each value, and whether it comes from the file.

    Raises:
        WrongSetting: The file has a wrong value.
    """
    known = TABLES[TABLE_OF[name]]
    options = {each: option for option in command.params for each in long_names(option) if each in known}
    bare = click.Command(name, params=list(options.values()))
    try:
        context = bare.make_context(name, [], default_map=FileDefaults(command, name))
    except click.BadParameter as error:
        raise WrongSetting(f"{place_of(error) or name}: {error.message}") from error
    return {
        each: (
            context.params[str(options[each].name)],
            context.get_parameter_source(str(options[each].name)) is ParameterSource.DEFAULT_MAP,
        )
        for each in known
        if each in options
    }


def place_of(error: click.BadParameter) -> str | None:
    """Return the file, table and name that a wrong value came from, or None if it was typed."""
    context, parameter = error.ctx, error.param
    if context is None or parameter is None or parameter.name is None:
        return None
    if context.get_parameter_source(parameter.name) is not ParameterSource.DEFAULT_MAP:
        return None
    return f"{getattr(context.default_map, 'place', '')} {' or '.join(long_names(parameter))}"


def _as_typed(option: click.Parameter, value: object, place: str) -> Any:
    """Return a value in the form that click parses. Numbers may stand for texts such as 8 for 8 seconds.

    Raises:
        WrongSetting: It is of another type than the option takes.
    """
    if isinstance(option, click.Option) and option.is_flag:
        if isinstance(value, bool):
            return value
        raise WrongSetting(f"{place} needs true or false")
    if option.multiple:
        if isinstance(value, list) and all(isinstance(each, str) and "\0" not in each for each in value):
            return value
        raise WrongSetting(f'{place} needs a list of strings: {place.rpartition(" ")[2]} = ["...", "..."]')
    if isinstance(value, str):
        if value.strip() and "\0" not in value and not _is_number(option.type):
            return value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        whole = isinstance(value, int) or not isinstance(option.type, click.types.IntParamType)
        if whole and not isinstance(option.type, click.Choice):
            return str(value)
    what = "a number" if _is_number(option.type) else "a text in quotes"
    if isinstance(option.type, click.types.IntParamType):
        what = "a whole number"
    raise WrongSetting(f"{place} needs {what}")


def _is_number(kind: object) -> bool:
    return isinstance(kind, click.types.IntParamType | click.types.FloatParamType)
