"""How the models of this instance are loaded and served: each as its own instance would, but in a shared process."""

from __future__ import annotations

import asyncio
import contextlib
import traceback
from collections.abc import Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import Final

from moorage.runtime import script, toolkit
from moorage.runtime.dispatch import Dispatcher
from moorage.runtime.failures import ModelUnusable, explain
from moorage.runtime.frameworks.base import Say
from moorage.runtime.multi_model.faults import Broken
from moorage.runtime.multi_model.lane import Crew, Lane
from moorage.runtime.multi_model.namespace import Namespace
from moorage.runtime.server import Invocations
from moorage.runtime.settings import Settings
from moorage.runtime.toolkit import LoadedModel
from moorage.runtime.trees.verdict import Verdict
from moorage.wire.messages import Begin

_COMPILE: Final = "MOORAGE_COMPILE"
_NOT_INSTALLED: Final = "code/requirements.txt is not installed for one model among many"
_OF_TREES: Final = frozenset({"sklearn", "xgboost", "lightgbm"})


class FrameworkModels:
    """Models of one framework, with or without scripts, that share a crew of threads.

    They are loaded in `threads`. Trees are compiled where that pays, which is not at the first requests: it takes
    several times as long as loading.
    """

    def __init__(
        self,
        framework: str,
        environment: Mapping[str, str],
        settings: Settings,
        *,
        crew: Crew,
        threads: Executor,
        say: Say,
    ) -> None:
        self._framework = framework
        self._compiles = framework in _OF_TREES and environment.get(_COMPILE, "on") == "on"
        self._environment = {**environment, _COMPILE: "off"} if self._compiles else environment
        self._settings = settings
        self._crew = crew
        self._threads = threads
        self._say = say
        self._loop = asyncio.get_running_loop()

    async def load(self, name: str, folder: Path) -> LoadedModel:
        """See `loading.Kind`."""
        return await self._loop.run_in_executor(self._threads, self._load, name, folder)

    async def judge(self, name: str, model: LoadedModel) -> Verdict | None:
        """Whether the model may be compiled; None if it is not one to compile."""
        if not self._compiles or model.hooks.predict_fn is not None or model.hooks.transform_fn is not None:
            return None
        return await self._loop.run_in_executor(self._threads, self._judge, name, model)

    async def compile(self, name: str, model: LoadedModel, verdict: Verdict) -> LoadedModel:
        """The same model compiled, as far as the verdict on it allows."""
        return await self._loop.run_in_executor(self._threads, self._compile, name, model, verdict)

    def serve(self, model: LoadedModel) -> Begin:
        """See `loading.Kind`."""
        return Invocations(Dispatcher(model, Lane(self._crew)))

    def _load(self, name: str, folder: Path) -> LoadedModel:
        try:
            return self._load_apart(name, folder)
        except MemoryError:
            raise
        except BaseException as error:  # see `failures.fault_of`
            if not isinstance(error, ModelUnusable) or error.__cause__ is not None:
                traceback.print_exc()
            raise Broken(explain(error, folder) + _hint(error, folder)) from error

    def _load_apart(self, name: str, folder: Path) -> LoadedModel:
        if _asks_for_packages(folder):
            self._say_of(name)(_NOT_INSTALLED)
        namespace = Namespace(folder)
        has_modules = script.find_program(folder, self._settings) is not None
        # Models with scripts wait for each other; without one, a model that takes long holds up no other.
        with namespace.entered() if has_modules else contextlib.nullcontext():
            return toolkit.load(
                folder,
                self._environment,
                self._settings,
                framework=self._framework,
                say=self._say_of(name),
                import_script=namespace.import_script,
            )

    def _judge(self, name: str, model: LoadedModel) -> Verdict:
        from moorage.runtime.trees import compiling  # not every environment has what this needs

        return compiling.compile_checked(model.model, self._say_of(name))[1]

    def _compile(self, name: str, model: LoadedModel, verdict: Verdict) -> LoadedModel:
        from moorage.runtime.trees import compiling

        compiled = compiling.compile_as(model.model, verdict)
        return LoadedModel(compiled, model.hooks, model.folder, self._settings, self._say_of(name))

    def _say_of(self, name: str) -> Say:
        return lambda text: self._say(f"{name}: {text}")


def _hint(error: BaseException, folder: Path) -> str:
    """What the reader may not know of an import that fails."""
    return f"; {_NOT_INSTALLED}" if isinstance(error, ImportError) and _asks_for_packages(folder) else ""


def _asks_for_packages(folder: Path) -> bool:
    return (folder / "code" / "requirements.txt").is_file()
