"""The model's own code: found, imported, and its hooks made callable in one way.

The contract is that of the SageMaker inference toolkit: `code/inference.py`, or what `SAGEMAKER_PROGRAM` names, may
define model_fn, input_fn, predict_fn and output_fn, or transform_fn in place of the last three; each may take one
argument more, the context. All but model_fn may be `async def`.
"""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from moorage.runtime.context import Context
from moorage.runtime.failures import ModelUnusable
from moorage.runtime.settings import Settings

ImportScript = Callable[[Path], ModuleType]
"""Imports the script at a path. An instance with many models has a way of its own, that keeps their modules apart."""

_DEFAULT_PROGRAM: Final = "inference.py"
_ARGUMENTS: Final = {"model_fn": 1, "input_fn": 2, "predict_fn": 2, "output_fn": 2, "transform_fn": 4}
_MODEL_DIRECTORY: Final = "/opt/ml/model"


@dataclass(frozen=True, slots=True)
class Hook:
    """One function of a script."""

    function: Callable[..., Any]
    takes_context: bool
    is_async: bool

    def __call__(self, *values: Any, context: Context | None) -> Any:
        """Call it, with the context only if there is room for it. A coroutine if it is asynchronous."""
        return self.function(*values, context) if self.takes_context else self.function(*values)


@dataclass(frozen=True, slots=True)
class Hooks:
    """The hooks a script defines. None where it leaves the default."""

    model_fn: Hook | None = None
    input_fn: Hook | None = None
    predict_fn: Hook | None = None
    output_fn: Hook | None = None
    transform_fn: Hook | None = None

    @property
    def of_requests(self) -> tuple[Hook, ...]:
        """Those that requests go through."""
        hooks = (self.input_fn, self.predict_fn, self.output_fn, self.transform_fn)
        return tuple(hook for hook in hooks if hook is not None)


def load_hooks(model_folder: Path, settings: Settings, import_script: ImportScript) -> Hooks:
    """Import the script, if there is one. Raises ModelUnusable, or whatever the script raises."""
    program = find_program(model_folder, settings)
    if program is None:
        return Hooks()
    return hooks_of(import_script(program))


def find_program(model_folder: Path, settings: Settings) -> Path | None:
    """The script, in the submit directory, in `code/`, or beside the model. Raises ModelUnusable if a named one is
    not there."""
    named = settings.program
    name = (named or _DEFAULT_PROGRAM).removeprefix("code/")
    folders = [model_folder / "code", model_folder]
    if settings.submit_directory is not None:
        folders.insert(0, _submit_directory(model_folder, settings.submit_directory))
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    if named and name != _DEFAULT_PROGRAM:
        raise ModelUnusable(f"SAGEMAKER_PROGRAM names {named}, but there is no code/{name} in the archive")
    return None


def _submit_directory(model_folder: Path, named: str) -> Path:
    """`/opt/ml/model/code` is the model's own folder, wherever that lies here."""
    if named.startswith("s3://"):
        raise ModelUnusable(
            f"SAGEMAKER_SUBMIT_DIRECTORY is {named}, and scripts are not fetched from S3: put the script into the model"
            " archive, as code/inference.py"
        )
    path = named.removeprefix("file://")
    if path == _MODEL_DIRECTORY or path.startswith(f"{_MODEL_DIRECTORY}/"):
        return model_folder / path.removeprefix(_MODEL_DIRECTORY).lstrip("/")
    return model_folder / path  # which is `path` itself if that is absolute


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
    if "model_fn" in found and found["model_fn"].is_async:
        raise ModelUnusable("model_fn is an async def, but a model is loaded before there is an event loop")
    return Hooks(**found)


def adapt(function: Callable[..., Any], arguments: int) -> Hook:
    """`function` as a hook that takes so many arguments, and perhaps the context after them."""
    called = function if inspect.isroutine(function) else getattr(function, "__call__", function)  # noqa: B004
    return Hook(function, _takes(function, arguments + 1), inspect.iscoroutinefunction(called))


def _takes(function: Callable[..., Any], arguments: int) -> bool:
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:  # some functions written in C do not tell
        return False
    return sum(parameter.kind in positional for parameter in parameters) >= arguments


def import_script(program: Path) -> ModuleType:
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
