"""What a model's environment says about serving it: the variables of the AWS containers, and one of our own.

A value that makes no sense fails the launch with a sentence that names variable and rule. Variables that have no
meaning here (SAGEMAKER_BASE_DIR, SAGEMAKER_MODEL_SERVER_VMARGS, SAGEMAKER_STARTUP_TIMEOUT) are not read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, cast, get_args

from moorage.runtime.failures import ModelUnusable

Batching = Literal["auto", "on", "off"]
"""Whether requests are predicted together: by the framework's own prediction only, by a script's `predict_fn` as well
once trials have shown that it makes no difference, or never."""

WORKERS_MAX: Final = 512
_MIB: Final = 1024 * 1024
_LOG_LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}


@dataclass(frozen=True, slots=True)
class Settings:
    """The defaults are those of the AWS containers."""

    program: str | None = None
    """SAGEMAKER_PROGRAM: the script's name."""
    submit_directory: str | None = None
    """SAGEMAKER_SUBMIT_DIRECTORY: where the script lies."""
    default_accept: str | None = None
    """SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT: the type of an answer for which a caller accepts anything."""
    workers: int | None = None
    """SAGEMAKER_MODEL_SERVER_WORKERS: how many processes serve the model; None for one a vCPU of the instance."""
    timeout_s: float = 60.0
    """SAGEMAKER_MODEL_SERVER_TIMEOUT_SECONDS, or SAGEMAKER_MODEL_SERVER_TIMEOUT: how long one call of the model may
    take before its process counts as stuck."""
    body_bytes_max: int = 25 * _MIB
    """SAGEMAKER_MAX_PAYLOAD_IN_MB: the largest body that is handed to the model."""
    log_level: int = 20
    """SAGEMAKER_CONTAINER_LOG_LEVEL: from which level on a script's logging is written, as `logging` counts."""
    batching: Batching = "auto"
    """MOORAGE_BATCHING."""


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings in `environment`. Raises ModelUnusable, naming variable and rule."""
    default = Settings()
    timeout = "SAGEMAKER_MODEL_SERVER_TIMEOUT"
    if environment.get(f"{timeout}_SECONDS"):
        timeout = f"{timeout}_SECONDS"
    payload_mb = _whole(environment, "SAGEMAKER_MAX_PAYLOAD_IN_MB", most=1024)
    return Settings(
        program=environment.get("SAGEMAKER_PROGRAM") or None,
        submit_directory=environment.get("SAGEMAKER_SUBMIT_DIRECTORY") or None,
        default_accept=environment.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT") or None,
        workers=_whole(environment, "SAGEMAKER_MODEL_SERVER_WORKERS", most=WORKERS_MAX),
        timeout_s=float(_whole(environment, timeout, most=3600) or default.timeout_s),
        body_bytes_max=default.body_bytes_max if payload_mb is None else payload_mb * _MIB,
        log_level=_log_level(environment),
        batching=_batching(environment),
    )


def _whole(environment: Mapping[str, str], name: str, *, most: int) -> int | None:
    text = environment.get(name)
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= most):
        raise ModelUnusable(f"{name} is {text!r}: it must be a whole number from 1 to {most}")
    return int(text)


def _log_level(environment: Mapping[str, str]) -> int:
    name = "SAGEMAKER_CONTAINER_LOG_LEVEL"
    text = environment.get(name, "20")
    if text.lower() in _LOG_LEVELS:
        return _LOG_LEVELS[text.lower()]
    if not (text.isascii() and text.isdigit() and int(text) <= 50):
        names = ", ".join(_LOG_LEVELS)
        raise ModelUnusable(f"{name} is {text!r}: it must be a whole number from 0 to 50, or one of {names}")
    return int(text)


def _batching(environment: Mapping[str, str]) -> Batching:
    name = "MOORAGE_BATCHING"
    text = environment.get(name, "auto")
    if text not in get_args(Batching):
        raise ModelUnusable(f"{name} is {text!r}: it must be one of {', '.join(get_args(Batching))}")
    return cast(Batching, text)
