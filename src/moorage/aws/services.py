"""The services we answer for, and botocore's models of them, each loaded on first use.

The table says what can be told of a request from its head without loading a model (sagemaker's takes 127 ms); a test
holds it equal to the models. Adding a service is one entry here.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from botocore.loaders import Loader
from botocore.model import ServiceModel

from moorage.aws.call import Protocol


@dataclass(frozen=True, slots=True)
class ServiceEntry:
    """How requests for a service are recognised.

    `name` is botocore's, `signing_name` stands in the credential scope, `protocols` are those we speak, the preferred
    one first. `target_prefix` precedes the operation in `X-Amz-Target`; `version` is a query API's `Version`.
    """

    name: str
    signing_name: str
    protocols: tuple[Protocol, ...]
    target_prefix: str | None = None
    version: str | None = None


ENTRIES: Final = (
    ServiceEntry("sagemaker", "sagemaker", (Protocol.JSON,), target_prefix="SageMaker"),
    ServiceEntry("sagemaker-runtime", "sagemaker", (Protocol.REST_JSON,)),
    ServiceEntry("s3", "s3", (Protocol.REST_XML,)),
    ServiceEntry("iam", "iam", (Protocol.QUERY,), version="2010-05-08"),
    ServiceEntry("sts", "sts", (Protocol.QUERY,), version="2011-06-15"),
    ServiceEntry("secretsmanager", "secretsmanager", (Protocol.JSON,), target_prefix="secretsmanager"),
    ServiceEntry(
        "application-autoscaling", "application-autoscaling", (Protocol.JSON,), target_prefix="AnyScaleFrontendService"
    ),
    ServiceEntry(
        "cloudwatch",
        "monitoring",
        (Protocol.CBOR, Protocol.JSON, Protocol.QUERY),
        target_prefix="GraniteServiceVersion20100801",
        version="2010-08-01",
    ),
    ServiceEntry("sns", "sns", (Protocol.QUERY,), version="2010-03-31"),
    ServiceEntry("logs", "logs", (Protocol.JSON,), target_prefix="Logs_20140328"),
    ServiceEntry("ecr", "ecr", (Protocol.JSON,), target_prefix="AmazonEC2ContainerRegistry_V20150921"),
    ServiceEntry("moorage", "moorage", (Protocol.JSON,), target_prefix="Moorage"),
)

OWN_MODELS: Final = Path(__file__).parent / "models"
"""The model of our own operations, in botocore's form: with `AWS_DATA_PATH` set to it, every AWS client knows them."""

NAMES: Final = tuple(entry.name for entry in ENTRIES)


@functools.cache
def service(name: str) -> ServiceModel:
    """Botocore's model of the service of that botocore name. Raises botocore's UnknownServiceError for a wrong one."""
    return ServiceModel(_loader().load_service_model(name, "service-2"), name)


@functools.cache
def _loader() -> Loader:
    return Loader(extra_search_paths=[str(OWN_MODELS)])
