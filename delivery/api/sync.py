"""Late news from apps that were offline."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from common import clock
from common.api.shapes import StrictSerializer
from common.api.views import ApiView
from common.errors import Invalid
from delivery.api.authentication import FromApps
from delivery.api.inbox import FROM_APPS, WHOSE
from delivery.domain import syncing
from delivery.domain.syncing import Item
from delivery.models import SyncKind, SyncOutcome
from delivery.services.syncing import take_in

MOST_ITEMS = 1_000


class OfflineItemInput(StrictSerializer):
    id = serializers.CharField(max_length=100, help_text="The app's own id of the item; the same id counts once.")
    kind = serializers.ChoiceField(choices=SyncKind.choices)
    happened_at = serializers.DateTimeField(help_text="By the clock of the device.")
    message_id = serializers.IntegerField(min_value=1, max_value=2**63 - 1, required=False)
    url = serializers.CharField(max_length=2000, required=False, default="")
    order_id = serializers.CharField(max_length=200, required=False, default="")
    value_minor = serializers.IntegerField(min_value=0, max_value=2**53, required=False, default=None)
    currency = serializers.RegexField("^[A-Z]{3}$", required=False, default="")


class OfflineInput(StrictSerializer):
    sent_at = serializers.DateTimeField(
        required=False, help_text="The device's clock when it sent the queue; sets its times right."
    )
    items = OfflineItemInput(many=True)


class OfflineVerdict(StrictSerializer):
    id = serializers.CharField()
    outcome = serializers.ChoiceField(choices=SyncOutcome.choices)
    reason = serializers.CharField()


class OfflineAnswer(StrictSerializer):
    results = OfflineVerdict(many=True)


class SyncView(FromApps, ApiView):
    """Opens, clicks and conversions that an app kept while it was offline."""

    resource = "inbox"
    authentication_classes = FROM_APPS

    @extend_schema(parameters=[WHOSE], request=OfflineInput, responses=OfflineAnswer)
    def post(self, request: Request) -> Response:
        """Take in a queue of at most 1,000 items, in any order. A repeated call changes nothing.

        A fact counts at the time it happened, also for attribution. What cannot be true is `refused`, what we saw
        ourselves is `merged`, and an order with another amount than the one on record is a `conflict`.
        """
        received_at = clock.now()
        serializer = OfflineInput(data=request.data)
        serializer.is_valid(raise_exception=True)
        data: dict[str, Any] = serializer.validated_data
        if len(data["items"]) > MOST_ITEMS:
            raise Invalid(f"Send at most {MOST_ITEMS:,} items at once.", code="too_many_items")
        items = [_item(each, data.get("sent_at"), received_at) for each in data["items"]]
        verdicts = take_in(self.contact(request), items)
        return Response(
            {
                "results": [
                    {"id": item.client_id, "outcome": verdict.outcome, "reason": verdict.reason}
                    for item, verdict in zip(items, verdicts, strict=True)
                ]
            }
        )


def _item(data: dict[str, Any], sent_at: Any, received_at: Any) -> Item:
    return Item(
        client_id=data["id"],
        kind=data["kind"],
        happened_at=syncing.corrected(data["happened_at"], sent_at, received_at),
        message_id=data.get("message_id"),
        url=data["url"],
        order_id=data["order_id"],
        value_minor=data["value_minor"],
        currency=data["currency"],
    )
