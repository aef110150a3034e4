"""Several requests' data as one, and one prediction as several: arrays, lists, tensors, frames, and dicts of such.

By duck typing, so that nothing has to be installed. The first dimension counts rows; what has none stays alone.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import Any, Final


class NotRows(Exception):
    """A prediction does not have one row for each row of the data."""


def kind(data: Any) -> Hashable | None:
    """What two requests' data must have in common to be joined: type, dtype, all dimensions but the first.

    None for what is not joined with anything.
    """
    of = _family(data)
    if of == "array":
        return None if data.ndim == 0 or data.dtype.kind == "O" else ("array", data.dtype, data.shape[1:])
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
    return _cut(prediction, list(pairwise(accumulate(counts, initial=0))), sum(counts))


def _cut(prediction: Any, bounds: Sequence[tuple[int, int]], total: int) -> list[Any]:
    of = _family(prediction)
    if of in ("dict", "tuple") and not prediction:
        raise NotRows(f"it answers with an empty {of}")
    if of == "dict":
        columns = [_cut(part, bounds, total) for part in prediction.values()]
        return [dict(zip(prediction, row, strict=True)) for row in zip(*columns, strict=True)]
    if of == "tuple":
        return list(zip(*[_cut(part, bounds, total) for part in prediction], strict=True))
    if of is None or (of in ("array", "tensor") and prediction.ndim == 0):
        raise NotRows(f"it answers with a {type(prediction).__name__}, which has no rows")
    if len(prediction) != total:
        raise NotRows(f"it answers {total} rows with {len(prediction)}")
    rows = prediction.iloc if of == "frame" else prediction
    return [rows[start:end] for start, end in bounds]


def _kind_of_parts(name: str, data: Mapping[Any, Any]) -> Hashable | None:
    kinds = tuple((key, kind(part)) for key, part in data.items())
    if not kinds or any(of is None for _, of in kinds):
        return None
    counts = {rows(part) for part in data.values()}
    return (name, kinds) if len(counts) == 1 else None


def _family(data: object) -> str | None:
    """The type of `data` by its name, as far as it is one that has rows."""
    return _family_of(type(data))  # type: ignore[arg-type] # mypy takes the instances' __hash__ for the class's own


@lru_cache(maxsize=256)
def _family_of(kind_of_data: type) -> str | None:
    return _FAMILIES.get((kind_of_data.__module__.partition(".")[0], kind_of_data.__name__))


_FAMILIES: Final = {
    ("numpy", "ndarray"): "array",
    ("torch", "Tensor"): "tensor",
    ("pandas", "DataFrame"): "frame",
    ("pandas", "Series"): "frame",
    ("builtins", "list"): "list",
    ("builtins", "dict"): "dict",
    ("builtins", "tuple"): "tuple",
}
