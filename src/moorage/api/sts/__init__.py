"""AWS Security Token Service: who am I."""

from moorage.api.sts.service import Sts

__all__ = ["Sts"]
