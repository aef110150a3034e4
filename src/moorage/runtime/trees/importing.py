"""Ensembles of scikit-learn's trees into treelite, from any version that has them.

treelite reads trees as scikit-learn has had them since 1.3: with a direction for missing values, and with shares of the
classes in the leaves of classifiers. Older trees had none, and weights of the classes.
"""

from __future__ import annotations

import copy
from types import SimpleNamespace
from typing import Any, Final

import numpy as np

from moorage.runtime.trees.translation import NotCompiled

NODES_MAX: Final = 2_000_000
"""A node costs 1 µs at load and 110 bytes beside the framework's own 100."""

_FIELDS: Final = (
    "node_count",
    "children_left",
    "children_right",
    "feature",
    "threshold",
    "n_node_samples",
    "weighted_n_node_samples",
    "impurity",
)


def import_histograms(ensemble: Any) -> Any:
    """The `treelite.Model` of histogram-based boosting, whose trees are of another kind, the same in all versions."""
    import treelite.sklearn

    return treelite.sklearn.import_model(ensemble)


def import_trees(ensemble: Any) -> tuple[Any, list[Any]]:
    """The `treelite.Model` of any other fitted ensemble, and scikit-learn's own trees in the form they have today.

    Raises NotCompiled, or what treelite does for what it cannot take.
    """
    import treelite.sklearn

    trees = [estimator.tree_ for estimator in np.ravel(ensemble.estimators_)]
    nodes = sum(tree.node_count for tree in trees)
    if nodes > NODES_MAX:
        raise NotCompiled(f"it has {nodes} nodes, more than {NODES_MAX}")
    if not hasattr(trees[0], "missing_go_to_left"):
        ensemble = _as_of_today(ensemble)
    model = treelite.sklearn.import_model(ensemble)
    trees = [estimator.tree_ for estimator in np.ravel(ensemble.estimators_)]
    if hasattr(ensemble.estimators_[0], "predict_proba"):
        _keep_votes(model, trees)
    return model, trees


def _keep_votes(model: Any, trees: list[Any]) -> None:
    """Undo treelite's own division of each leaf's shares by their sum, which is not always 1 to the last bit."""
    for index, tree in enumerate(trees):
        votes = tree.value[tree.children_left < 0].reshape(-1)
        model.get_tree_accessor(index).set_field("leaf_vector", votes)


def _as_of_today(ensemble: Any) -> Any:
    """A shallow copy with trees that have what today's have. It is for reading only."""
    view = copy.copy(ensemble)
    view.estimators_ = np.empty(np.shape(ensemble.estimators_), object)
    for place, estimator in np.ndenumerate(np.asarray(ensemble.estimators_, object)):
        view.estimators_[place] = copy.copy(estimator)
        view.estimators_[place].tree_ = _tree(estimator)
    return view


def _tree(estimator: Any) -> Any:
    tree = estimator.tree_
    fields = {name: getattr(tree, name) for name in _FIELDS}
    votes = hasattr(estimator, "predict_proba")
    value = tree.value / tree.value.sum(axis=2, keepdims=True) if votes else tree.value
    return SimpleNamespace(**fields, value=value, missing_go_to_left=np.zeros(tree.node_count, np.uint8))
