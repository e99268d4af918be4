"""What happens, and who is then credited with how much."""

from __future__ import annotations

from attribution import services, subscribers
from attribution.models import Credit
from attribution.tests.river import Happening, store
from common import tenancy


def flow(*happenings: Happening) -> None:
    """Store events, tell the room, draw credits."""
    subscribers.on_events(store(happenings))
    services.work(tenancy.required())


def credits(model: str) -> dict[str, int]:
    """Credited pence by source of the touchpoint."""
    rows = Credit.objects.filter(model=model).values_list("touchpoint__source", "amount_minor")
    found: dict[str, int] = {}
    for source, amount in rows:
        found[source] = found.get(source, 0) + amount
    return found
