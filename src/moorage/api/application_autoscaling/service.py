"""The Application Auto Scaling service, put together from its parts."""

from __future__ import annotations

from moorage.api.application_autoscaling.activities import Activities
from moorage.api.application_autoscaling.policies import Policies
from moorage.api.application_autoscaling.scheduled_actions import ScheduledActions
from moorage.api.application_autoscaling.tags import Tags
from moorage.api.application_autoscaling.targets import Targets


class ApplicationAutoScaling(Targets, Policies, ScheduledActions, Activities, Tags):
    """Everything but predictive scaling, for variants of endpoints."""
