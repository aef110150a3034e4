"""The modules of one model's scripts, apart from those of every other model in the process.

Many models have a `code/inference.py`, and a `utils.py` beside it, each their own. So while a model is loaded, its
folder comes first in the search for modules, and what was imported from there leaves `sys.modules` again afterwards. A
function that imports a neighbour later, when it is called, finds its own one: every module from the folder has an
`__import__` that looks there first.
"""

from __future__ import annotations

import builtins
import contextlib
import os
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from importlib.machinery import (
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    ModuleSpec,
    PathFinder,
    SourceFileLoader,
)
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, Final, cast

_ONE_AT_A_TIME: Final = threading.RLock()
"""`sys.modules` is one for the whole process: only one model's modules are in it."""


class Namespace:
    """The modules in one model's folder."""

    def __init__(self, folder: Path) -> None:
        self._prefix = f"{folder}{os.sep}"
        self._root: str | None = None
        self._modules: dict[str, ModuleType] = {}
        self._is_entered = False
        self._builtins = {**vars(builtins), "__import__": self._import}

    def import_script(self, program: Path) -> ModuleType:
        """Import a script under its own name, which finds its neighbours. To be called while entered."""
        self._root = str(program.parent)
        loader = self._loader(program.stem, str(program))
        specification = spec_from_file_location(program.stem, program, loader=loader)
        assert specification is not None, "a loader was given"
        module = module_from_spec(specification)
        sys.modules[program.stem] = module
        loader.exec_module(module)
        return module

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """For as long as this lasts, imports find the model's modules. Other models wait for their turn."""
        with _ONE_AT_A_TIME:
            if self._is_entered:
                yield
                return
            self._is_entered = True
            before = dict(sys.modules)
            sys.modules.update(self._modules)
            sys.meta_path.insert(0, self)
            try:
                yield
            finally:
                self._is_entered = False
                sys.meta_path.remove(self)
                self._take_out(before)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """See `importlib.abc.MetaPathFinder`."""
        if path is None:
            return self._find(name, self._root) if self._root is not None else None
        found = (self._find(name, each) for each in path if each.startswith(self._prefix))
        return next((each for each in found if each is not None), None)

    def _find(self, name: str, folder: str) -> ModuleSpec | None:
        sources = (cast(Any, self._loader), SOURCE_SUFFIXES)
        finder = FileFinder(folder, (ExtensionFileLoader, EXTENSION_SUFFIXES), sources)
        found = finder.find_spec(name)
        if found is not None and found.loader is None and PathFinder.find_spec(name) is not None:
            return None  # a mere folder hides no module
        return found

    def _loader(self, name: str, path: str) -> SourceFileLoader:
        return _Loader(name, path, self._builtins)

    def _import(
        self,
        name: str,
        variables: Mapping[str, Any] | None = None,
        scope: Mapping[str, Any] | None = None,
        members: Sequence[str] = (),
        level: int = 0,
    ) -> ModuleType:
        """What an `import` statement in one of the model's modules does."""
        if level == 0 and not self._is_own(name.partition(".")[0]):
            return builtins.__import__(name, variables, scope, members, level)
        with self.entered():
            return builtins.__import__(name, variables, scope, members, level)

    def _is_own(self, name: str) -> bool:
        return name in self._modules or self.find_spec(name) is not None

    def _take_out(self, before: Mapping[str, ModuleType]) -> None:
        for name, module in list(sys.modules.items()):
            if before.get(name) is module or not self._is_from_here(module):
                continue
            self._modules[name] = module
            if name in before:
                sys.modules[name] = before[name]
            else:
                del sys.modules[name]

    def _is_from_here(self, module: ModuleType) -> bool:
        file = getattr(module, "__file__", None)
        places = [file] if file is not None else list(getattr(module, "__path__", ()))
        return any(str(place).startswith(self._prefix) for place in places)


class _Loader(SourceFileLoader):
    """Executes a module with builtins of its own, and leaves no bytecode in the model's folder."""

    def __init__(self, name: str, path: str, own: Mapping[str, Any]) -> None:
        super().__init__(name, path)
        self._own = own

    def exec_module(self, module: ModuleType) -> None:
        module.__dict__["__builtins__"] = self._own
        super().exec_module(module)

    def set_data(self, path: str, data: Any, *, _mode: int = 0o666) -> None:
        """Write no bytecode: the folder is read-only."""
