"""The quick serializer says exactly what DRF's own says."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer

from audience import services as audience
from audience.api import shapes as contact_shapes
from audience.api.shapes import ContactSerializer, IdentitySerializer
from audience.models import Contact, Identity
from campaigns.api.serializers import CampaignSerializer
from campaigns.models import Campaign
from common.api.renderers import QuickJSONRenderer
from common.api.shapes import QuickModelSerializer
from segments import services as segments
from segments.api import shapes as segment_shapes
from segments.api.shapes import LeadSerializer, SegmentSerializer
from segments.models import Membership, Segment

pytestmark = pytest.mark.django_db

KNOWN = contact_shapes.KNOWN_IDENTITIES
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


@pytest.mark.usefixtures("organization")
def test_pages_read_straight_from_columns_say_the_same() -> None:
    ada = audience.create_contact(
        name="Ada", email="ada@shop.example", user_id="a1", tags=["vip"], attributes={"a": 1}
    )
    audience.create_contact(name="Bob")
    static = segments.create_segment(name="By hand")
    segments.add_contacts(static, [ada.pk])
    people, leads = Contact.objects.order_by("pk"), Membership.objects.all()

    quick = contact_shapes.contacts(list(people.values(*contact_shapes.CONTACT_COLUMNS)))
    assert _json(quick) == _json(ContactSerializer(people.prefetch_related(KNOWN), many=True).data)
    quick = segment_shapes.leads(leads.values(*segment_shapes.LEAD_COLUMNS))
    assert _json(quick) == _json(LeadSerializer(leads, many=True).data)


def _json(data: Any) -> Any:
    return json.loads(QuickJSONRenderer().render(data))


class OneIdentity(QuickModelSerializer):
    word = serializers.SerializerMethodField()

    class Meta:
        model = Identity
        fields = ["value", "word"]

    def get_word(self, identity: Identity) -> str:
        return str(self.context["word"])


class WithContext(QuickModelSerializer):
    identities = OneIdentity(many=True)
    word = serializers.SerializerMethodField()

    class Meta:
        model = Contact
        fields = ["name", "identities", "word"]

    def get_word(self, contact: Contact) -> str:
        return str(self.context["word"])


@pytest.mark.usefixtures("organization")
@pytest.mark.parametrize("many", [True, False])
def test_what_the_class_remembers_holds_nothing_of_a_request(many: bool) -> None:
    ada = audience.create_contact(name="Ada", email="ada@shop.example")
    for word in ("first", "second"):
        data: Any = WithContext([ada] if many else ada, many=many, context={"word": word}).data
        said = data[0] if many else data
        assert said == {
            "name": "Ada",
            "identities": [{"value": "ada@shop.example", "word": word}],
            "word": word,
        }
