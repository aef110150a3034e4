"""How the models of this instance are loaded and served: each as its own instance would, but in a shared process."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from pathlib import Path

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


class FrameworkModels:
    """Models of one framework, with or without scripts, that share a crew of threads. See `loading.Kind`."""

    def __init__(
        self, framework: str, environment: Mapping[str, str], settings: Settings, *, crew: Crew, say: Say
    ) -> None:
        self._framework = framework
        self._environment = environment
        self._settings = settings
        self._crew = crew
        self._say = say

    def load(self, folder: Path) -> LoadedModel:
        """See `loading.Kind`."""
        try:
            return self._load(folder)
        except MemoryError:
            raise
        except (Exception, SystemExit) as error:
            if not isinstance(error, ModelUnusable) or error.__cause__ is not None:
                traceback.print_exc()
            raise Broken(explain(error, folder)) from error

    def _load(self, folder: Path) -> LoadedModel:
        namespace = Namespace(folder)
        with namespace.entered():
            return toolkit.load(
                folder,
                self._environment,
                self._settings,
                framework=self._framework,
                say=self._say,
                import_script=namespace.import_script,
            )

    def serve(self, model: LoadedModel) -> Begin:
        """See `loading.Kind`."""
        return Invocations(Dispatcher(model, Lane(self._crew)))
