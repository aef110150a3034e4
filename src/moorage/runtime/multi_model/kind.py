"""How the models of this instance are loaded and served: each as its own instance would, but in a shared process."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from moorage.runtime import toolkit
from moorage.runtime.dispatch import Dispatcher
from moorage.runtime.failures import ModelUnusable, explain
from moorage.runtime.frameworks.base import Say
from moorage.runtime.multi_model.faults import Broken
from moorage.runtime.multi_model.lane import Crew, Lane
from moorage.runtime.multi_model.namespace import Namespace
from moorage.runtime.server import Invocations
from moorage.runtime.settings import Settings
from moorage.runtime.toolkit import LoadedModel
from moorage.wire.messages import Begin

_COMPILE: Final = "MOORAGE_COMPILE"
_OF_TREES: Final = frozenset({"sklearn", "xgboost", "lightgbm"})


class FrameworkModels:
    """Models of one framework, with or without scripts, that share a crew of threads. See `loading.Kind`.

    Trees are compiled where that pays, which is not at the first requests: it takes several times as long as loading.
    """

    def __init__(
        self, framework: str, environment: Mapping[str, str], settings: Settings, *, crew: Crew, say: Say
    ) -> None:
        self._framework = framework
        self._compiles = framework in _OF_TREES and environment.get(_COMPILE, "on") == "on"
        self._environment = {**environment, _COMPILE: "off"} if self._compiles else environment
        self._settings = settings
        self._crew = crew
        self._say = say

    def load(self, name: str, folder: Path) -> LoadedModel:
        """See `loading.Kind`."""
        try:
            return self._load(name, folder)
        except MemoryError:
            raise
        except (Exception, SystemExit) as error:
            if not isinstance(error, ModelUnusable) or error.__cause__ is not None:
                traceback.print_exc()
            raise Broken(explain(error, folder) + _hint(error, folder)) from error

    def improve(self, name: str, model: LoadedModel) -> LoadedModel | None:
        """See `loading.Kind`."""
        hooks = model.hooks
        if not self._compiles or hooks.predict_fn is not None or hooks.transform_fn is not None:
            return None
        from moorage.runtime.trees import compiling  # not every environment has what this needs

        compiled = compiling.compile_model(model.model, self._say_of(name))
        if compiled is model.model:
            return None
        return LoadedModel(compiled, hooks, model.folder, self._settings, self._say_of(name))

    def serve(self, model: LoadedModel) -> Begin:
        """See `loading.Kind`."""
        return Invocations(Dispatcher(model, Lane(self._crew)))

    def _load(self, name: str, folder: Path) -> LoadedModel:
        namespace = Namespace(folder)
        with namespace.entered():
            return toolkit.load(
                folder,
                self._environment,
                self._settings,
                framework=self._framework,
                say=self._say_of(name),
                import_script=namespace.import_script,
            )

    def _say_of(self, name: str) -> Say:
        return lambda text: self._say(f"{name}: {text}")


def _hint(error: BaseException, folder: Path) -> str:
    """What the reader may not know of an import that fails."""
    if not isinstance(error, ImportError) or not (folder / "code" / "requirements.txt").is_file():
        return ""
    return "; code/requirements.txt is not installed for one model among many"
