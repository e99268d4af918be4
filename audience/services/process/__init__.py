"""Accepted → applied. One processor per organisation at a time, thousands of events per transaction."""

from audience.services.process.work import identity_lock, process

__all__ = ["identity_lock", "process"]
