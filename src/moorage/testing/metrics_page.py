"""The page of metrics, as whoever scrapes it reads it."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterable

from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families

_OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def read_page(url: str, key: str) -> str:
    """The page of a Moorage at `url`, in OpenMetrics. Raises OSError."""
    headers = {"Authorization": f"Bearer {key}", "Accept": _OPENMETRICS}
    with urllib.request.urlopen(urllib.request.Request(f"{url}/metrics", headers=headers), timeout=30) as answer:
        text: str = answer.read().decode()
    return text


def sum_of(page: str, name: str, **labels: str) -> float:
    """What the samples of that name with these labels come to. The page has to be flawless OpenMetrics."""
    families: Iterable[Metric] = text_string_to_metric_families(page)  # type: ignore[no-untyped-call]
    samples = (sample for family in families for sample in family.samples)
    return float(sum(each.value for each in samples if each.name == name and labels.items() <= each.labels.items()))
