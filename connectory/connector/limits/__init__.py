"""Limits: how much of an external system a service uses, by connector and by credential."""

from connectory.connector.limits.declared import LimitChanges, Limits

__all__ = ["LimitChanges", "Limits"]
