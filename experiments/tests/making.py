"""What the tests of this room need: people, what they did, and experiments."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from audience.models import Contact, EventDefinition
from audience.notices import EventsRecorded, RecordedEvent
from audience.services import partitions
from common import tenancy
from experiments import services
from experiments.domain.moments import Moments
from experiments.models import Experiment, MetricDaily
from experiments.services import ArmDraft

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)
HALVES = (ArmDraft("control", "Control"), ArmDraft("treatment", "Treatment"))
ORDERED = {"key": "ordered", "name": "Ordered", "kind": "conversion", "event": "Order Completed", "role": "primary"}
REVENUE = {"key": "revenue", "name": "Revenue", "kind": "sum", "event": "Order Completed", "cuped_days": 30}


def people(count: int) -> list[Contact]:
    return Contact.objects.bulk_create(Contact(name=f"P{number}", user_id=f"u{number}") for number in range(count))


def experiment(*, arms: Sequence[ArmDraft] = HALVES, **values: Any) -> Experiment:
    return services.create_experiment({"name": "Checkout", "metrics": [ORDERED, REVENUE], **values}, arms)


def running(*, arms: Sequence[ArmDraft] = HALVES, **values: Any) -> Experiment:
    return services.start(experiment(arms=arms, **values))


def did(
    who: Contact | int, name: str, moment: datetime, minor: int | None = None, **properties: Any
) -> RecordedEvent:
    """An event as the audience stores it."""
    contact_id = who if isinstance(who, int) else who.pk
    definition, _ = EventDefinition.objects.get_or_create(name=name)
    seen = {key: "number" if isinstance(value, int | float) else "text" for key, value in properties.items()}
    if seen.keys() - definition.properties.keys():
        definition.properties |= seen
        definition.save()
    with tenancy.engine(), connection.cursor() as cursor:
        partitions.ensure_months({moment})
        cursor.execute(
            """INSERT INTO audience_event (organization_id, contact_id, definition_id, message_key, happened_at,
                                           received_at, properties, context, value_minor, currency)
               VALUES (%s, %s, %s, %s, %s, %s, %s, '{}', %s, %s) RETURNING id""",
            [
                tenancy.required(), contact_id, definition.pk, uuid.uuid4(), moment, moment, json.dumps(properties),
                minor, "GBP" if minor is not None else None,
            ],
        )  # fmt: skip
        event_id = cursor.fetchone()[0]
    return RecordedEvent(event_id, contact_id, definition.pk, name, moment)


def notice(*events: RecordedEvent) -> EventsRecorded:
    return EventsRecorded(list(events))


def sums(experiment: Experiment, metric: str) -> dict[str, tuple[int, ...]]:
    """Arm key → (n, y, yy, x, xx, xy) over all days."""
    found: dict[str, tuple[int, ...]] = {}
    for row in MetricDaily.objects.filter(experiment=experiment, metric=metric).select_related("arm"):
        values = (row.n, row.y, row.yy, row.x, row.xx, row.xy)
        before = found.get(row.arm.key, (0,) * 6)
        found[row.arm.key] = tuple(int(one + other) for one, other in zip(before, values, strict=True))
    return found


def later(days: float) -> datetime:
    return NOON + timedelta(days=days)


def stand(experiment: Experiment, metric: str, *arms: Moments, epoch: int = 0, day: float = 0) -> None:
    """Sums of a metric and of its people, as if so many had been counted on one day."""
    for arm, moments in zip(experiment.arms.order_by("position"), arms, strict=True):
        for name, one in ((metric, moments), ("", Moments(moments.n, moments.n, moments.n))):
            MetricDaily.objects.get_or_create(
                experiment=experiment, arm=arm, metric=name, epoch=epoch, day=later(day).date(), defaults=asdict(one)
            )


def share(n: int, did_it: int) -> Moments:
    """The moments of a conversion."""
    return Moments(n, did_it, did_it)
