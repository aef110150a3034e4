"""The environment of an instance: all of it, since nothing is inherited."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from moorage.core.model import InstanceSpec


def instance_environment(spec: InstanceSpec, *, model_folder: Path, work_folder: Path) -> dict[str, str]:
    """What the AWS containers set as far as it is true here, then what the model asks for, which wins."""
    return {
        "PATH": f"{Path(sys.executable).parent}:{os.defpath}",
        "HOME": str(work_folder),
        "TMPDIR": str(work_folder),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "SM_MODEL_DIR": str(model_folder),
        "SAGEMAKER_REGION": spec.endpoint.region,
        "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "application/json",
        "AWS_REGION": spec.endpoint.region,
        "AWS_DEFAULT_REGION": spec.endpoint.region,
        **spec.variant.containers[0].environment,
    }


def nursery_environment() -> dict[str, str]:
    """No secret of the agent's: a process's first environment can be read in /proc for its whole life.

    BLAS gets one thread: a nursery must have no other when it forks, and instances share the machine.
    """
    return {"PATH": os.defpath, "LANG": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
