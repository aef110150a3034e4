"""The operations of STS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from moorage.api.service import Caller, Service, operation
from moorage.aws.types.sts import GetCallerIdentityRequest, GetCallerIdentityResponse
from moorage.core.iam.principal import Requirement


class Sts(Service):
    """Answers from the signature alone."""

    name: ClassVar[str] = "sts"

    async def requirements(self, operation: str, caller: Caller, request: Mapping[str, Any]) -> Sequence[Requirement]:
        """Nothing for GetCallerIdentity: who one is, everybody may know of themselves."""
        if operation == "GetCallerIdentity":
            return []
        return await super().requirements(operation, caller, request)

    @operation("GetCallerIdentity")
    async def get_caller_identity(self, caller: Caller, _: GetCallerIdentityRequest) -> GetCallerIdentityResponse:
        """Account, id and ARN of the principal whose key signed the request."""
        return {"UserId": caller.user_id, "Account": caller.account_id, "Arn": caller.arn}
