"""Faults that one part finds and another reports, and that belong to no port."""

from __future__ import annotations


class ModelDataUnusable(Exception):
    """Model data cannot be had, and asking again would end the same way. `str` is one sentence for a person.

    Raised by whatever fetches model data; it becomes the `FailureReason` of the endpoint.
    """


class NotInForceYet(Exception):
    """A change of users, keys or policies is saved, but somebody may still go by what was before."""
