"""The environment of an instance: all of it, since nothing is inherited."""

from __future__ import annotations

import os
import re
from pathlib import Path

from moorage.core.model import Container, InstanceSpec
from moorage.runners.process.container_folders import ContainerFolders


def instance_environment(
    spec: InstanceSpec, container: Container, *, folders: ContainerFolders, work_folder: Path, python: Path
) -> dict[str, str]:
    """What the AWS containers set as far as it is true here, then what the container asks for, which wins.

    But for SAGEMAKER_SUBMIT_DIRECTORY in S3: code finds the folder it was unpacked to, as in an AWS container.
    """
    return {
        "PATH": f"{python.parent}:{os.defpath}",
        "HOME": str(work_folder),
        "TMPDIR": str(work_folder),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "SM_MODEL_DIR": str(folders.model),
        **{_channel_variable(name): str(path) for name, path in folders.channels.items()},
        "SAGEMAKER_REGION": spec.endpoint.region,
        "AWS_REGION": spec.endpoint.region,
        "AWS_DEFAULT_REGION": spec.endpoint.region,
        **({"SAGEMAKER_MULTI_MODEL": "true"} if container.is_multi_model else {}),
        **container.environment,
        **({"SAGEMAKER_SUBMIT_DIRECTORY": str(folders.code)} if folders.code else {}),
    }


def _channel_variable(name: str) -> str:
    """As the training containers call theirs: SM_CHANNEL_ and the name in capitals (sagemaker-training-toolkit)."""
    return "SM_CHANNEL_" + re.sub("[^A-Z0-9_]", "_", name.upper())


def nursery_environment() -> dict[str, str]:
    """No secret of the agent's: a process's first environment can be read in /proc for its whole life.

    BLAS and OpenMP get one thread: a nursery must have no other when it forks, and instances share the machine.
    """
    return {
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    }
