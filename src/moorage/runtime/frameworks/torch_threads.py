"""How many threads PyTorch computes with in this process."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

import torch

from moorage.runtime.frameworks import threads


def limit_threads(environment: Mapping[str, str]) -> None:
    """A worker's share of them. Raises ModelUnusable for a share that is no number."""
    torch.set_num_threads(threads.share(environment))
    with contextlib.suppress(RuntimeError):  # can be said only once in a process
        torch.set_num_interop_threads(1)
