"""The quick serializer says exactly what DRF's own says."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models import Prefetch
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer

from audience import services as audience
from audience.api.shapes import ContactSerializer, IdentitySerializer
from audience.models import Contact
from campaigns.api.serializers import CampaignSerializer
from campaigns.models import Campaign
from segments import services as segments
from segments.api.shapes import LeadSerializer, SegmentSerializer
from segments.models import Membership, Segment

pytestmark = pytest.mark.django_db

KNOWN = Prefetch("identities", to_attr="known_identities")
MOMENT = datetime(2026, 1, 31, 9, 0, 0, 123, tzinfo=UTC)


def _as_drf_writes(serializer_class: type, rows: Any) -> bytes:
    """The same serializer with DRF's own way to write a row."""
    slow: Any = type("Slow", (serializer_class,), {"to_representation": serializers.Serializer.to_representation})
    return JSONRenderer().render(slow(rows, many=True).data)


@pytest.mark.usefixtures("organization")
def test_it_writes_what_the_base_class_writes() -> None:
    ada = audience.create_contact(
        name="Ada “L”",
        email="ada@shop.example",
        tags=["vip", "ü"],
        attributes={"plan": "pro", "depth": {"a": [1, None]}},
    )
    Contact.objects.filter(pk=ada.pk).update(first_seen_at=MOMENT, last_seen_at=MOMENT + timedelta(seconds=1))
    audience.create_contact(name="Bob")
    static = segments.create_segment(name="By hand")
    segments.add_contacts(static, [ada.pk])
    rule = {"match": "all", "rules": [{"field": "city", "operator": "equals", "value": "Leeds"}]}
    segments.create_segment(name="Leeds", rule=rule, tags=["north"])
    Campaign.objects.create(name="Spring", starts_at=MOMENT)

    for serializer_class, rows in (
        (ContactSerializer, Contact.objects.prefetch_related(KNOWN).order_by("pk")),
        (IdentitySerializer, ada.identities.all()),
        (LeadSerializer, Membership.objects.all()),
        (SegmentSerializer, Segment.objects.order_by("pk")),
        (CampaignSerializer, Campaign.objects.all()),
    ):
        assert rows.exists()
        quick: Any = serializer_class
        assert JSONRenderer().render(quick(rows, many=True).data) == _as_drf_writes(serializer_class, rows)
