"""What each framework's container does where a script leaves it to the default. One module a framework.

A module defines `FRAMEWORK`, which follows `base.Framework`. It is imported only by instances of that framework.
"""

from __future__ import annotations

import importlib

from moorage.runtime.frameworks.base import Framework


def find(name: str) -> Framework:
    """The framework called `name`: `sklearn`, `xgboost`, … Raises ImportError for none, or one that lacks a package."""
    framework: Framework = importlib.import_module(f"moorage.runtime.frameworks.{name}").FRAMEWORK
    return framework
