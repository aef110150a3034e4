"""The IAM service, put together from its parts."""

from __future__ import annotations

from moorage.api.iam.policies import Policies
from moorage.api.iam.policy_versions import PolicyVersions
from moorage.api.iam.role_policies import RolePolicies
from moorage.api.iam.roles import Roles


class Iam(Roles, RolePolicies, Policies, PolicyVersions):
    """Roles and policies. They are kept and answered as written; nothing is evaluated here."""
