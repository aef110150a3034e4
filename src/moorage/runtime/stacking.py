"""Several requests' data as one, and one prediction as several: arrays, lists, tensors, frames, and dicts of such.

By duck typing, so that nothing has to be installed. The first dimension counts rows; what has none stays alone.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any


class NotRows(Exception):
    """A prediction does not have one row for each row of the data."""


def kind(data: Any) -> Hashable | None:
    """What two requests' data must have in common to be joined: type, dtype, all dimensions but the first.

    None for what is not joined with anything.
    """
    of = _family(data)
    if of == "array":
        return None if data.ndim == 0 or data.dtype.kind == "O" else ("array", data.dtype.str, data.shape[1:])
    if of == "tensor":
        return None if data.ndim == 0 else ("tensor", data.dtype, data.device, tuple(data.shape[1:]))
    if of == "frame":
        return "frame", tuple(data.columns), tuple(data.dtypes)
    if of == "list":
        return ("list", type(data[0])) if data else None
    if of == "dict":
        return _kind_of_parts("dict", data)
    return None


def rows(data: Any) -> int:
    """How many rows there are in data that has a `kind`."""
    return len(next(iter(data.values()))) if isinstance(data, dict) else len(data)


def join(parts: Sequence[Any]) -> Any:
    """Data of one kind, one below the other."""
    first = parts[0]
    of = _family(first)
    if of == "array":
        import numpy as np

        return np.concatenate(parts)
    if of == "tensor":
        import torch

        return torch.cat(list(parts))
    if of == "frame":
        import pandas as pd

        return pd.concat(parts, ignore_index=True)
    if of == "list":
        return [row for part in parts for row in part]
    return {name: join([part[name] for part in parts]) for name in first}


def split(prediction: Any, counts: Sequence[int]) -> list[Any]:
    """A prediction of joined data, as one for each of its parts, which had `counts` rows. Raises NotRows."""
    bounds = list(pairwise(accumulate(counts, initial=0)))
    return [_cut(prediction, start, end, bounds[-1][1]) for start, end in bounds]


def _cut(prediction: Any, start: int, end: int, total: int) -> Any:
    of = _family(prediction)
    if of == "dict":
        return {name: _cut(part, start, end, total) for name, part in prediction.items()}
    if of == "tuple":
        return tuple(_cut(part, start, end, total) for part in prediction)
    if of is None or (of in ("array", "tensor") and prediction.ndim == 0):
        raise NotRows(f"it answers with a {type(prediction).__name__}, which has no rows")
    if len(prediction) != total:
        raise NotRows(f"it answers {total} rows with {len(prediction)}")
    return prediction.iloc[start:end] if of == "frame" else prediction[start:end]


def _kind_of_parts(name: str, data: Mapping[Any, Any]) -> Hashable | None:
    kinds = tuple((key, kind(part)) for key, part in data.items())
    if not kinds or any(of is None for _, of in kinds):
        return None
    counts = {rows(part) for part in data.values()}
    return (name, kinds) if len(counts) == 1 else None


def _family(data: Any) -> str | None:
    """The type of `data` by its name, as far as it is one that has rows."""
    return _FAMILIES.get((type(data).__module__.partition(".")[0], type(data).__name__))


_FAMILIES = {
    ("numpy", "ndarray"): "array",
    ("torch", "Tensor"): "tensor",
    ("pandas", "DataFrame"): "frame",
    ("pandas", "Series"): "frame",
    ("builtins", "list"): "list",
    ("builtins", "dict"): "dict",
    ("builtins", "tuple"): "tuple",
}
