"""The JSON of contacts and events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Prefetch
from rest_framework import serializers

from audience.models import Contact, Event, Identity, Priority
from common.api.shapes import QuickModelSerializer, StrictSerializer

KNOWN_IDENTITIES = Prefetch("identities", Identity.objects.order_by("pk"), to_attr="known_identities")


class IdentitySerializer(QuickModelSerializer):
    class Meta:
        model = Identity
        fields = ["kind", "value"]


class ContactSerializer(QuickModelSerializer):
    assignee = serializers.IntegerField(source="assignee_id", allow_null=True, help_text="Id of the member.")
    identities = IdentitySerializer(many=True, source="known_identities")
    attributes = serializers.DictField(help_text="Custom attributes.")
    tags = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = Contact
        fields = [
            "id", "name", "email", "phone", "user_id", "status", "priority", "source", "value_minor", "currency",
            "city", "region", "country", "timezone", "locale", "assignee", "tags", "attributes", "identities",
            "first_seen_at", "last_seen_at", "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = fields


# A page of contacts straight from its columns: models of so many fields cost more than the query.
CONTACT_COLUMNS = [
    {"assignee": "assignee_id"}.get(name, name) for name in ContactSerializer.Meta.fields if name != "identities"
]


def contacts(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of CONTACT_COLUMNS as ContactSerializer writes them; one query for all their identities."""
    known: dict[int, list[dict[str, str]]] = {row["id"]: [] for row in rows}
    identities = Identity.objects.filter(contact__in=known).order_by("pk").values_list("contact_id", "kind", "value")
    for contact_id, kind, value in identities:
        known[contact_id].append({"kind": kind, "value": value})
    for row in rows:
        row["identities"] = known[row["id"]]
        row["assignee"] = row.pop("assignee_id")
    return [{name: row[name] for name in ContactSerializer.Meta.fields} for row in rows]


class ContactInput(StrictSerializer):
    """All fields are optional; what is left out stays as it is."""

    also_accepts = frozenset({"id", "identities", "first_seen_at", "last_seen_at", "created_at", "updated_at"})

    name = serializers.CharField(required=False, allow_blank=True, max_length=300)
    email = serializers.EmailField(required=False, allow_blank=True, max_length=320)
    phone = serializers.CharField(required=False, allow_blank=True, max_length=40)
    user_id = serializers.CharField(required=False, max_length=300, help_text="Your own id of this person.")
    status = serializers.CharField(required=False, max_length=40)
    priority = serializers.ChoiceField(required=False, choices=Priority.choices)
    source = serializers.CharField(required=False, allow_blank=True, max_length=100)
    value_minor = serializers.IntegerField(required=False, min_value=0, help_text="Value estimate in minor units.")
    currency = serializers.CharField(required=False, allow_blank=True, max_length=3)
    city = serializers.CharField(required=False, allow_blank=True, max_length=100)
    region = serializers.CharField(required=False, allow_blank=True, max_length=100)
    country = serializers.CharField(required=False, allow_blank=True, max_length=60)
    timezone = serializers.CharField(required=False, allow_blank=True, max_length=64)
    locale = serializers.CharField(required=False, allow_blank=True, max_length=20)
    assignee = serializers.IntegerField(required=False, allow_null=True, help_text="Id of a member.")
    tags = serializers.ListField(required=False, child=serializers.CharField(max_length=100))
    attributes = serializers.DictField(required=False, help_text="Custom attributes; null takes one away.")


class EventSerializer(QuickModelSerializer):
    name = serializers.CharField(source="definition.name")
    properties = serializers.DictField()
    context = serializers.DictField()

    class Meta:
        model = Event
        fields = ["id", "name", "happened_at", "received_at", "properties", "context", "value_minor", "currency"]
        read_only_fields = fields
