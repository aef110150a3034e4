"""Where the sum of a boosted ensemble begins.

Frameworks begin with the first guess and add tree after tree; treelite adds the trees and then the guess. Sums of
floating-point numbers differ by that.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from moorage.runtime.trees.gtil import Array


def begin_with_guess(model: Any, guesses: Array | None = None) -> None:
    """Add the first guess of each score to the leaves of the first tree that it sums, in a `treelite.Model`.

    `guesses`, by target and class, are those that the model itself holds if none are given.
    """
    header = model.get_header_accessor()
    held = header.get_field("base_scores")
    targets, kinds = header.get_field("target_id"), header.get_field("class_id")
    classes = int(header.get_field("num_class").max())
    waiting = dict(enumerate((held if guesses is None else guesses).tolist()))
    for index, score in enumerate((np.maximum(targets, 0) * classes + np.maximum(kinds, 0)).tolist()):
        guess = waiting.pop(score, None)
        if guess is None:
            continue
        tree = model.get_tree_accessor(index)
        leaves = tree.get_field("leaf_value").copy()
        tree.set_field("leaf_value", leaves + leaves.dtype.type(guess))
    header.set_field("base_scores", np.zeros(len(held)))
