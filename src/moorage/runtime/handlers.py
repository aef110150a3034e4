"""What serves a model that brings no script, or not every hook: loading, predicting, and the shape of the answers.

A request in an envelope (`{"instances": …}`) that asks for JSON gets an object: predictions, and probabilities if the
model has them. Everything else gets the predictions alone, as the AWS containers answer.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any, Final

from moorage.runtime import codecs
from moorage.runtime.failures import ModelUnusable, RequestRefused, say
from moorage.runtime.media import JSON

_MODEL_NAMES: Final = ("model.joblib", "model.pkl")
NO_MODEL: Final = "No model file in the archive: expected model.joblib or model.pkl, or code/inference.py with model_fn"


def load_model(folder: Path) -> Any:
    """The model in `folder`. Raises ModelUnusable if there is none, or it cannot be loaded."""
    path = find_model(folder)
    try:
        return _load(path)
    except Exception as error:
        raise ModelUnusable(f"{path.name} cannot be loaded: {say(error)}") from error


def find_model(folder: Path) -> Path:
    """model.joblib, else model.pkl, else the only *.joblib or *.pkl. Raises ModelUnusable."""
    for name in _MODEL_NAMES:
        if (folder / name).is_file():
            return folder / name
    candidates = sorted(path for pattern in ("*.joblib", "*.pkl") for path in folder.glob(pattern) if path.is_file())
    if len(candidates) > 1:
        names = ", ".join(path.name for path in candidates)
        raise ModelUnusable(f"Several model files in the archive ({names}): name one of them model.joblib or model.pkl")
    if not candidates:
        raise ModelUnusable(NO_MODEL)
    return candidates[0]


def predict(data: Any, model: Any) -> Any:
    """`model.predict`. Data of a shape or type the model does not take is the request's fault."""
    try:
        return model.predict(data)
    except (ValueError, TypeError) as error:
        raise RequestRefused(400, say(error)) from error


def answer(model: Any, request: codecs.Decoded, accept: str) -> bytes:
    """The whole default path from decoded data to a body."""
    predictions = predict(request.data, model)
    if not (request.enveloped and accept == JSON):
        return codecs.encode(predictions, accept)
    content = {"predictions": predictions}
    if hasattr(model, "predict_proba"):
        content["probabilities"] = model.predict_proba(request.data)
    return codecs.encode(content, accept)


def _load(path: Path) -> Any:
    try:
        import joblib
    except ImportError:
        with open(path, "rb") as file:
            return pickle.load(file)
    return joblib.load(path)
