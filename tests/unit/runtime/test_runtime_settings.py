"""Variables of the environment: what they mean, and the sentence for one that makes no sense."""

from __future__ import annotations

import re
from typing import Any

import pytest

from moorage.runtime.failures import ModelUnusable
from moorage.runtime.settings import Settings, read_settings


@pytest.mark.parametrize(
    ("environment", "changed"),
    [
        ({}, {}),
        ({"SAGEMAKER_PROGRAM": "", "SAGEMAKER_MODEL_SERVER_WORKERS": ""}, {}),
        ({"SAGEMAKER_PROGRAM": "serve.py"}, {"program": "serve.py"}),
        ({"SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}, {"submit_directory": "/opt/ml/model/code"}),
        ({"SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "text/csv"}, {"default_accept": "text/csv"}),
        ({"SAGEMAKER_MODEL_SERVER_WORKERS": "4"}, {"workers": 4}),
        ({"SAGEMAKER_MODEL_SERVER_TIMEOUT": "90"}, {"timeout_s": 90.0}),
        ({"SAGEMAKER_MODEL_SERVER_TIMEOUT": "90", "SAGEMAKER_MODEL_SERVER_TIMEOUT_SECONDS": "5"}, {"timeout_s": 5.0}),
        ({"SAGEMAKER_MAX_PAYLOAD_IN_MB": "6"}, {"body_bytes_max": 6 * 1024 * 1024}),
        ({"SAGEMAKER_CONTAINER_LOG_LEVEL": "10"}, {"log_level": 10}),
        ({"SAGEMAKER_CONTAINER_LOG_LEVEL": "WARNING"}, {"log_level": 30}),
        ({"MOORAGE_BATCHING": "on"}, {"batching": "on"}),
    ],
)
def test_what_they_mean(environment: dict[str, str], changed: dict[str, Any]) -> None:
    assert Settings(**changed) == read_settings(environment)


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("SAGEMAKER_MODEL_SERVER_WORKERS", "0", "it must be a whole number from 1 to 512"),
        ("SAGEMAKER_MODEL_SERVER_WORKERS", "two", "it must be a whole number from 1 to 512"),
        ("SAGEMAKER_MODEL_SERVER_WORKERS", "²", "it must be a whole number from 1 to 512"),
        ("SAGEMAKER_MODEL_SERVER_TIMEOUT", "1.5", "it must be a whole number from 1 to 3600"),
        ("SAGEMAKER_MODEL_SERVER_TIMEOUT_SECONDS", "-1", "it must be a whole number from 1 to 3600"),
        ("SAGEMAKER_MAX_PAYLOAD_IN_MB", "1025", "it must be a whole number from 1 to 1024"),
        ("SAGEMAKER_CONTAINER_LOG_LEVEL", "loud", "it must be a whole number from 0 to 50, or one of debug, info"),
        ("MOORAGE_BATCHING", "yes", "it must be one of auto, on, off"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_by_name_and_rule(name: str, value: str, rule: str) -> None:
    with pytest.raises(ModelUnusable, match=re.escape(f"{name} is {value!r}: {rule}")):
        read_settings({name: value})
