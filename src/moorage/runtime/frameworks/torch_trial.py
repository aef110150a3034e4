"""Rows to try a module with. A module does not say what it takes, but its first weights tell what a row is like."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

import numpy as np
import torch

from moorage.runtime.frameworks.rowwise import Ask, Trial, try_rows

_ROWS: Final = 3
_SIDES: Final = (28, 32, 64, 224)
"""Of images and sequences: what data sets and pretrained models commonly have."""


def try_module(module: torch.nn.Module, ask: Ask) -> Trial:
    """The first trial with rows that the module takes at all. Without one, nobody knows if rows may go together."""
    random = np.random.default_rng(0)
    for shape in _shapes(module):
        trial = try_rows(ask, {"input": random.standard_normal((_ROWS, *shape)).astype(np.float32)})
        if math.isfinite(trial.row_s):
            return trial
    return Trial("its first weights do not tell what a row looks like, so it was not tried", row_s=math.inf)


def _shapes(module: torch.nn.Module) -> Iterator[tuple[int, ...]]:
    """What a row may look like: features for a linear layer, channels and sides for a convolution."""
    first = next((weights for weights in module.parameters() if weights.dim() > 1), None)
    if first is None:
        return
    width = first.shape[1]
    sides = first.dim() - 2
    if sides == 0:
        yield (width,)
    elif sides <= 2:
        for side in _SIDES:
            yield (width, *[side] * sides)
