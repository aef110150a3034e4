"""How many threads a model may compute with: one, unless OMP_NUM_THREADS says more.

One, because an instance has a worker process for each of its processors, and because pools of threads do not live on in
processes that are forked later.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Final

from moorage.runtime.failures import ModelUnusable
from moorage.runtime.frameworks.base import Say

VARIABLE: Final = "OMP_NUM_THREADS"
_MAX: Final = 1024


def share(environment: Mapping[str, str]) -> int:
    """The threads of one worker. Raises ModelUnusable if the variable is no such number."""
    text = environment.get(VARIABLE, "1")
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= _MAX):
        raise ModelUnusable(f"{VARIABLE} is {text!r}: it has to be a whole number from 1 to {_MAX}")
    return int(text)


def need_one(environment: MutableMapping[str, str], processes: int, say: Say) -> None:
    """Set the share to one thread where `processes`, more than one, are to be forked from the loaded model.

    A pool of threads that the model was loaded with is not there after a fork, and a prediction would wait for it for
    good: seen with XGBoost, whose OpenMP does not look. Raises ModelUnusable as `share` does.
    """
    count = share(environment)
    if processes > 1 and count > 1:
        say(f"{VARIABLE} is {count}, but each of {processes} processes computes with one thread")
        environment[VARIABLE] = "1"
