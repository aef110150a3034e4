"""The IAM service, put together from its parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from moorage.api.iam.access_keys import AccessKeys
from moorage.api.iam.permissions import requirements
from moorage.api.iam.policies import Policies
from moorage.api.iam.policy_versions import PolicyVersions
from moorage.api.iam.role_policies import RolePolicies
from moorage.api.iam.roles import Roles
from moorage.api.iam.user_policies import UserPolicies
from moorage.api.iam.users import Users
from moorage.api.service import Caller
from moorage.core.iam.principal import Requirement


class Iam(Users, AccessKeys, UserPolicies, Roles, RolePolicies, Policies, PolicyVersions):
    """Users, whose policies are in force, and roles, whose policies are kept and answered as written."""

    async def requirements(self, operation: str, caller: Caller, request: Mapping[str, Any]) -> Sequence[Requirement]:
        """See `permissions`."""
        return await self._store.run(lambda tx: requirements(tx, operation, caller, request))
