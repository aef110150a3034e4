"""What the machine offers to instances, as operations of Moorage's own."""

from moorage.api.capacity.service import Capacity

__all__ = ["Capacity"]
