"""Models to serve, trained on the spot, and requests for them that all differ."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

REQUESTS: Final = 512

_SCRIPT: Final = """
import joblib, os

def model_fn(folder):
    return joblib.load(os.path.join(folder, "model.joblib"))

def predict_fn(data, model):
    return {"predictions": model.predict(data).tolist()}
"""


@dataclass(frozen=True, slots=True)
class Served:
    """A model, how it is made, and what it is asked."""

    name: str
    make: Callable[[Path], Sequence[bytes]]
    """Writes the model into a folder and answers bodies for it."""
    framework: str = "sklearn"
    content_type: str = "application/json"
    environments: dict[str, dict[str, str]] = field(default_factory=lambda: {"": {}})
    """What to serve it with, by a name for the table."""

    def requests(self, bodies: Sequence[bytes]) -> list[bytes]:
        """Whole requests."""
        head = b"POST /invocations HTTP/1.1\r\nHost: localhost\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n"
        return [head % (self.content_type.encode(), len(body)) + body for body in bodies]


def _iris() -> Any:
    from sklearn.datasets import load_iris

    return load_iris(return_X_y=True)


def _three_rows(rows: Any) -> list[bytes]:
    count = len(rows) - 3
    return [json.dumps({"instances": rows[n % count : n % count + 3].tolist()}).encode() for n in range(REQUESTS)]


def _forest(folder: Path) -> Sequence[bytes]:
    import joblib
    from sklearn.ensemble import RandomForestClassifier

    rows, classes = _iris()
    joblib.dump(RandomForestClassifier(100, random_state=42).fit(rows, classes), folder / "model.joblib")
    return _three_rows(rows)


def _pipeline(folder: Path) -> Sequence[bytes]:
    import joblib
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    rows, classes = _iris()
    joblib.dump(make_pipeline(StandardScaler(), SVC()).fit(rows, classes), folder / "model.joblib")
    return _three_rows(rows)


def _scripted(folder: Path) -> Sequence[bytes]:
    (folder / "code").mkdir()
    (folder / "code" / "inference.py").write_text(_SCRIPT)
    return _pipeline(folder)


def _boosted(folder: Path) -> Sequence[bytes]:
    import xgboost
    from sklearn.datasets import make_classification

    rows, classes = make_classification(2_000, 20, random_state=42)
    booster = xgboost.XGBClassifier(n_estimators=100, max_depth=6).fit(rows, classes).get_booster()
    booster.save_model(folder / "model.json")
    return [",".join(map(str, row)).encode() for row in rows[:REQUESTS].tolist()]


_BATCHED: Final = {"one by one": {"MOORAGE_BATCHING": "off"}, "batched": {"MOORAGE_BATCHING": "on"}}
MODELS: Final = (
    Served("iris forest", _forest, environments={"compiled": {}, "as it is": {"MOORAGE_COMPILE": "off"}}),
    Served("XGBoost, a row of CSV", _boosted, "xgboost", "text/csv", {"compiled": {}}),
    Served("scaler and SVC", _pipeline, environments=_BATCHED),
    Served("predict_fn", _scripted, environments=_BATCHED),
)
