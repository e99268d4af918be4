"""Every write of this room."""

from audience.domain.internal import InternalEvent
from audience.services.ingest import accept, organization_of, record
from audience.services.process import process

__all__ = ["InternalEvent", "accept", "organization_of", "process", "record"]
