"""Write `docs/coverage.md`: every AWS operation that Moorage implements, from the handlers themselves.

Run it after adding a handler; a test holds the page equal to what this makes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from moorage.api.application_autoscaling import ApplicationAutoScaling
from moorage.api.bearer_keys import BearerKeys, MetricsKeys
from moorage.api.capacity import Capacity
from moorage.api.cloudwatch import CloudWatch
from moorage.api.costs.service import Costs
from moorage.api.iam import Iam
from moorage.api.logs import Logs
from moorage.api.s3 import S3
from moorage.api.sagemaker import SageMaker
from moorage.api.secretsmanager import SecretsManager
from moorage.api.service import Service
from moorage.api.sns import Sns
from moorage.api.sts import Sts
from moorage.api.traffic import Traffic
from moorage.aws.services import NAMES, service

TARGET: Final = Path(__file__).resolve().parent.parent / "docs" / "coverage.md"

SERVICES: Final[tuple[type[Service], ...]] = (
    SageMaker,
    S3,
    Iam,
    Sts,
    SecretsManager,
    Logs,
    BearerKeys,
    MetricsKeys,
    Traffic,
    Capacity,
    Costs,
    Sns,
    CloudWatch,
    ApplicationAutoScaling,
)
IN_THE_GATEWAY: Final[Mapping[str, frozenset[str]]] = {
    "sagemaker-runtime": frozenset({"InvokeEndpoint", "InvokeEndpointWithResponseStream"})
}

HEAD: Final = """# What is implemented

Made by `tools/generate_coverage.py` from the handlers. Every other operation of these services is recognised, its
signature checked, and answered with `NotImplemented` (HTTP 501).
"""


def generate() -> str:
    """The page."""
    implemented = dict(IN_THE_GATEWAY)
    for each in SERVICES:
        implemented[each.name] = implemented.get(each.name, frozenset()) | frozenset(each.operations())
    return "\n".join([HEAD, *_sections(implemented)])


def _sections(implemented: Mapping[str, frozenset[str]]) -> Iterator[str]:
    for name in NAMES:
        model = service(name)
        done = implemented.get(name, frozenset())
        yield f"## {model.metadata['serviceFullName']} (`{name}`)\n"
        names = ", ".join(f"`{operation}`" for operation in sorted(done))
        yield f"{len(done)} of {len(model.operation_names)} operations{': ' if done else ''}{names}.\n"


if __name__ == "__main__":
    TARGET.write_text(generate())
    sys.stdout.write(f"{TARGET}\n")
