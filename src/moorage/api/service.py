"""What a service is: a class whose methods carry `@operation`, one per AWS operation it implements.

A handler is a small coroutine from a typed request to a typed answer: wire to domain, one decision, one save, one
wake, domain to wire. It raises `aws.errors.ServiceError` for every answer other than success.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from moorage.core.iam.principal import Requirement

Handler = Callable[["Caller", Any], Awaitable[Any]]
F = TypeVar("F", bound=Callable[..., Awaitable[Any]])

_ATTRIBUTE = "__moorage_operation__"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls and where to: the principal proven by the signature, and the region of the credential scope."""

    account_id: str
    arn: str
    user_id: str
    access_key_id: str
    region: str
    request_id: str
    user_name: str = ""
    """Empty for root."""


class Service:
    """Base of the service folders' classes. `name` is botocore's service name (`sagemaker`, `s3`, `iam`, …)."""

    name: ClassVar[str]

    @classmethod
    def operations(cls) -> Mapping[str, str]:
        """The implemented operations: AWS's name to the method's."""
        found: dict[str, str] = {}
        for attribute in dir(cls):
            name = getattr(getattr(cls, attribute), _ATTRIBUTE, None)
            if name is not None:
                found[name] = attribute
        return found

    async def requirements(self, operation: str, caller: Caller, request: Mapping[str, Any]) -> Sequence[Requirement]:
        """What the caller must be allowed to do for `operation` to be carried out: all of it."""
        return [Requirement(f"{self.name}:{operation}")]

    def handlers(self) -> Mapping[str, Handler]:
        """The implemented operations, by AWS's operation name."""
        return {name: getattr(self, attribute) for name, attribute in self.operations().items()}


def operation(name: str) -> Callable[[F], F]:
    """Mark a method as the handler of an AWS operation."""

    def mark(function: F) -> F:
        setattr(function, _ATTRIBUTE, name)
        return function

    return mark
