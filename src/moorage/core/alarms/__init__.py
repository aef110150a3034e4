"""Alarms: when one rings, and why."""
