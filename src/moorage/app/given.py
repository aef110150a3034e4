"""Settings as they were given, in moorage.toml or by `MOORAGE_*`, and what they come to: values of the right types.

Each is converted by itself, so that an error names the setting, the rule and where the value stands. What moorage.toml
says and nobody knows is an error as well: a misspelt setting would otherwise be a setting that does nothing.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, is_dataclass
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints

import msgspec

_KINDS: Final[Mapping[Any, str]] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text in quotes",
    tuple: "a list of texts in quotes",
}


class SettingsError(Exception):
    """A setting that cannot be used, named, with the rule it breaks."""


@dataclass(frozen=True, slots=True)
class Given:
    """A value as somebody gave it."""

    value: Any
    place: str
    """For people: the file, or the variable."""


def given_by_file(path: Path, known: Collection[str]) -> dict[str, Given]:
    """What moorage.toml says; nothing if it is not there. Raises SettingsError, also for what is not `known`."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not valid TOML: {error}") from None
    except OSError as error:
        raise SettingsError(f"Cannot read {path}: {error.strerror}") from None
    _check_known(values, known, place=str(path))
    return {name: Given(value, str(path)) for name, value in values.items()}


def given_by_variables(variables: Mapping[str, str], known: Collection[str]) -> dict[str, Given]:
    """What `MOORAGE_*` say. Others of that form are passed over: they may be meant for models, or for containers."""
    keys = {name: f"MOORAGE_{name.upper()}" for name in known}
    return {name: Given(variables[key], key) for name, key in keys.items() if key in variables}


def converted(given: Mapping[str, Given], settings: type[Any]) -> dict[str, Any]:
    """The values in the types that the fields of the dataclass `settings` have. Raises SettingsError."""
    kinds = get_type_hints(settings)
    return {name: _converted(name, each.value, kinds[name], each.place) for name, each in given.items()}


def _converted(name: str, value: Any, kind: Any, place: str) -> Any:
    plain = get_args(kind)[0] if get_origin(kind) is UnionType else kind  # of `X | None`, which TOML cannot say
    if is_dataclass(plain) and isinstance(value, Mapping):
        return _converted_table(name, value, plain, place)
    try:
        return msgspec.convert(value, plain, strict=False)
    except msgspec.ValidationError:
        raise SettingsError(f"{name} must be {_in_words(plain)}, not {value!r} ({place})") from None


def _converted_table(name: str, values: Mapping[str, Any], table: Any, place: str) -> Any:
    kinds = get_type_hints(table)
    _check_known(values, kinds, place=place, of=f"{name}.")
    return table(**{key: _converted(f"{name}.{key}", value, kinds[key], place) for key, value in values.items()})


def _in_words(kind: Any) -> str:
    if isinstance(kind, type) and issubclass(kind, Enum):
        return " or ".join(choice.value for choice in kind)
    if get_origin(kind) is Literal:
        return " or ".join(get_args(kind))
    return _KINDS.get(get_origin(kind) or kind, "a table")


def _check_known(values: Mapping[str, Any], known: Collection[str], *, place: str, of: str = "") -> None:
    for name in values:
        if name not in known:
            similar = difflib.get_close_matches(name, known, n=1)
            hint = f": is {of}{similar[0]} meant?" if similar else ""
            raise SettingsError(f"There is no setting {of}{name} ({place}){hint}")
