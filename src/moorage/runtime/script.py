"""The model's own code: found, imported, and its hooks made callable in one way.

The contract is that of the SageMaker inference toolkit: `code/inference.py`, or what `SAGEMAKER_PROGRAM` names, may
define model_fn, input_fn, predict_fn and output_fn, or transform_fn in place of the last three; each may take one
argument more, the context.
"""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from moorage.runtime.context import Context
from moorage.runtime.failures import ModelUnusable

Hook = Callable[..., Any]
"""Called with the hook's arguments and, by keyword, `context`."""

_DEFAULT_PROGRAM: Final = "inference.py"
_ARGUMENTS: Final = {"model_fn": 1, "input_fn": 2, "predict_fn": 2, "output_fn": 2, "transform_fn": 4}


@dataclass(frozen=True, slots=True)
class Hooks:
    """The hooks a script defines. None where it leaves the default."""

    model_fn: Hook | None = None
    input_fn: Hook | None = None
    predict_fn: Hook | None = None
    output_fn: Hook | None = None
    transform_fn: Hook | None = None


def load_hooks(model_folder: Path, environment: Mapping[str, str]) -> Hooks:
    """Import the script, if there is one. Raises ModelUnusable, or whatever the script raises."""
    program = find_program(model_folder, environment.get("SAGEMAKER_PROGRAM"))
    if program is None:
        return Hooks()
    return hooks_of(_import(program))


def find_program(model_folder: Path, named: str | None) -> Path | None:
    """The script in `code/` or beside the model. Raises ModelUnusable if one is named that is not there."""
    name = (named or _DEFAULT_PROGRAM).removeprefix("code/")
    for folder in (model_folder / "code", model_folder):
        if (folder / name).is_file():
            return folder / name
    if named and name != _DEFAULT_PROGRAM:
        raise ModelUnusable(f"SAGEMAKER_PROGRAM names {named}, but there is no code/{name} in the archive")
    return None


def hooks_of(script: ModuleType) -> Hooks:
    """The hooks that `script` defines. Raises ModelUnusable if they exclude each other."""
    found = {
        field.name: adapt(function, _ARGUMENTS[field.name])
        for field in fields(Hooks)
        if callable(function := getattr(script, field.name, None))
    }
    if "transform_fn" in found and found.keys() & {"input_fn", "predict_fn", "output_fn"}:
        raise ModelUnusable(
            "Cannot use transform_fn implementation in conjunction with input_fn, predict_fn, and/or output_fn"
            " implementation"
        )
    return Hooks(**found)


def adapt(function: Callable[..., Any], arguments: int) -> Hook:
    """`function` with a `context` keyword, which is passed on as the last argument only if there is room for it."""
    takes_context = _takes(function, arguments + 1)

    def call(*values: Any, context: Context) -> Any:
        return function(*values, context) if takes_context else function(*values)

    return call


def _takes(function: Callable[..., Any], arguments: int) -> bool:
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:  # some functions written in C do not tell
        return False
    return sum(parameter.kind in positional for parameter in parameters) >= arguments


def _import(program: Path) -> ModuleType:
    """Import `program` under its own name, with its folder first on the path, so that it can import its neighbours."""
    sys.dont_write_bytecode = True  # the folder is shared by every instance of the model
    sys.path.insert(0, str(program.parent))
    specification = importlib.util.spec_from_file_location(program.stem, program)
    if specification is None or specification.loader is None:
        raise ModelUnusable(f"SAGEMAKER_PROGRAM names {program.name}, which is not a Python file")
    module = importlib.util.module_from_spec(specification)
    sys.modules[program.stem] = module
    specification.loader.exec_module(module)
    return module
