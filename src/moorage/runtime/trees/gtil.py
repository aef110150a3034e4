"""treelite's General Tree Inference Library, called without its Python layer.

`treelite.gtil.predict` makes a configuration and reads five attributes through C on every call: three times as long as
the forest itself takes for three rows (87 µs of 28). What is here is the C interface of treelite 4 (treelite/c_api.h).
"""

from __future__ import annotations

import ctypes
import functools
import json
from typing import Any, Final

import numpy as np

Array = np.ndarray[Any, Any]

_RAW: Final = "raw"
_DEFAULT: Final = "default"


class Scorer:
    """The scores of rows by one model, in the calling thread.

    `raw` leaves out the last step, such as a sigmoid: the sums of the leaves alone.
    """

    def __init__(self, model: Any, *, raw: bool) -> None:
        self._model = model  # owns what the handle refers to
        self._library = _library()
        self._configuration = self._configure(_RAW if raw else _DEFAULT)
        self._input_type = model.input_type.encode()
        self._output_dtype = np.dtype(model.output_type)
        self.dtype = np.dtype(model.input_type)
        self.features: int = model.num_feature
        self._shape = self._output_shape(rows=1)[1:]

    def __call__(self, rows: Array) -> Array:
        """Scores as (rows, targets, classes) for C-contiguous rows of `dtype` with `features` columns."""
        count = len(rows)
        scores = np.zeros((count, *self._shape), self._output_dtype)
        failed = self._library.TreeliteGTILPredict(
            self._model.handle, rows.ctypes.data, self._input_type, count, scores.ctypes.data, self._configuration
        )
        self._check(failed)
        return scores

    def _configure(self, kind: str) -> ctypes.c_void_p:
        handle = ctypes.c_void_p()
        configuration = json.dumps({"predict_type": kind, "nthread": 1}).encode()
        self._check(self._library.TreeliteGTILParseConfig(configuration, ctypes.byref(handle)))
        return handle

    def _output_shape(self, rows: int) -> tuple[int, ...]:
        shape = ctypes.POINTER(ctypes.c_uint64)()
        dimensions = ctypes.c_uint64()
        failed = self._library.TreeliteGTILGetOutputShape(
            self._model.handle, rows, self._configuration, ctypes.byref(shape), ctypes.byref(dimensions)
        )
        self._check(failed)
        return tuple(shape[index] for index in range(dimensions.value))

    def _check(self, failed: int) -> None:
        if failed:
            raise RuntimeError(f"treelite: {self._library.TreeliteGetLastError().decode(errors='replace')}")


@functools.cache
def _library() -> ctypes.CDLL:
    from treelite.libpath import find_lib_path

    pointer, text, number = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_uint64
    library = ctypes.CDLL(str(find_lib_path()[0]))
    library.TreeliteGetLastError.restype = text
    library.TreeliteGTILParseConfig.argtypes = [text, pointer]
    library.TreeliteGTILGetOutputShape.argtypes = [pointer, number, pointer, pointer, pointer]
    library.TreeliteGTILPredict.argtypes = [pointer, pointer, text, number, pointer, pointer]
    return library
