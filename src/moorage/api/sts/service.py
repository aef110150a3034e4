"""The operations of STS."""

from __future__ import annotations

from typing import ClassVar

from moorage.api.service import Caller, Service, operation
from moorage.aws.types.sts import GetCallerIdentityRequest, GetCallerIdentityResponse


class Sts(Service):
    """Answers from the signature alone."""

    name: ClassVar[str] = "sts"

    @operation("GetCallerIdentity")
    async def get_caller_identity(self, caller: Caller, _: GetCallerIdentityRequest) -> GetCallerIdentityResponse:
        """Account, id and ARN of the principal whose key signed the request."""
        return {"UserId": caller.user_id, "Account": caller.account_id, "Arn": caller.arn}
