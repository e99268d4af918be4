"""`/api/v1/deliverability/…`: how our senders stand. Reading only; pauses end and warm-ups begin by a person."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from common import clock
from common.api import periods
from common.api.views import ApiView
from common.errors import Invalid
from delivery import deliverability, lanes, standing
from delivery.deliverability import Traffic
from delivery.domain import mailboxes, warmup
from delivery.domain.checkup import Status
from delivery.models import PauseScope
from delivery.standing import DomainStanding


class TrafficSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """Counts of e-mails by what became of them; tests apart."""

    sent = serializers.IntegerField()
    delivered = serializers.IntegerField(help_text="Taken, and not sent back later.")
    deferred = serializers.IntegerField(help_text="Needed more than one try.")
    bounced = serializers.IntegerField()
    complained = serializers.IntegerField()
    opened = serializers.IntegerField(help_text="By people; machines apart.")
    clicked = serializers.IntegerField(help_text="By people; machines apart.")


class ProviderTrafficSerializer(TrafficSerializer):
    provider = serializers.ChoiceField(choices=list(mailboxes.LABELS))
    label = serializers.CharField()


class ProvidersSerializer(serializers.Serializer):  # type: ignore[type-arg]
    total = TrafficSerializer()
    providers = ProviderTrafficSerializer(many=True)


class ZoneCheckSerializer(serializers.Serializer):  # type: ignore[type-arg]
    name = serializers.CharField()
    status = serializers.ChoiceField(choices=[status.value for status in Status])
    found = serializers.CharField()
    means = serializers.CharField()


class SendingDomainSerializer(serializers.Serializer):  # type: ignore[type-arg]
    name = serializers.CharField()
    step = serializers.IntegerField(allow_null=True, help_text="Of the warm-up, from 1; null without one.")
    goal_per_day = serializers.IntegerField(allow_null=True)
    per_day = serializers.IntegerField(allow_null=True, help_text="Marketing mails today; null: no limit.")
    used_today = serializers.IntegerField()
    waiting = serializers.IntegerField(help_text="Mails that wait for their turn, counted up to 10,000.")
    reason = serializers.CharField(help_text="Why it stands where it stands.")
    needs = serializers.ListField(child=serializers.CharField(), help_text="What the next step needs.")
    is_paused = serializers.BooleanField()
    signs = serializers.BooleanField(help_text="Whether we sign its mail with our own DKIM key.")
    checked_at = serializers.DateTimeField(allow_null=True)
    checks = ZoneCheckSerializer(many=True)
    broken = serializers.ListField(child=serializers.CharField(), help_text="Checks that passed before.")


class SendingDomainsSerializer(serializers.Serializer):  # type: ignore[type-arg]
    domains = SendingDomainSerializer(many=True)


class SendingPauseSerializer(serializers.Serializer):  # type: ignore[type-arg]
    scope = serializers.ChoiceField(choices=PauseScope.values)
    target = serializers.CharField(help_text="The domain, or the campaign's number.")
    measure = serializers.ChoiceField(choices=["bounces", "complaints"])
    sent = serializers.IntegerField()
    bad = serializers.IntegerField()
    reason = serializers.CharField()
    advice = serializers.CharField(help_text="What to do now.")
    paused_at = serializers.DateTimeField()
    recovers_at = serializers.DateTimeField(allow_null=True, help_text="Null: it waits for a person.")


class SendingPausesSerializer(serializers.Serializer):  # type: ignore[type-arg]
    pauses = SendingPauseSerializer(many=True)


class PlannedDaySerializer(serializers.Serializer):  # type: ignore[type-arg]
    day = serializers.DateField()
    number = serializers.IntegerField()
    mails = serializers.IntegerField()
    watch = serializers.CharField()


class WarmupPlanSerializer(serializers.Serializer):  # type: ignore[type-arg]
    days = PlannedDaySerializer(many=True)


class Providers(ApiView):
    """What each mailbox provider did with our mail in a period, the busiest first."""

    resource = "delivery"

    @extend_schema(
        operation_id="deliverability_providers", parameters=periods.PARAMETERS, responses=ProvidersSerializer
    )
    def get(self, request: Request) -> Response:
        period = periods.read(request.query_params)
        parts = deliverability.traffic(period.starts_at, period.ends_at, "UTC")
        found = sorted(deliverability.add_up(parts, "provider").items(), key=lambda item: (-item[1].sent, item[0]))
        providers = [{"provider": name, "label": mailboxes.LABELS[name], **asdict(counts)} for name, counts in found]
        total = asdict(sum(parts.values(), Traffic()))
        return Response(ProvidersSerializer({"total": total, "providers": providers}).data)


class Domains(ApiView):
    """Every sending domain: its warm-up, today's amount and use, and what was last found in its zone."""

    resource = "delivery"

    @extend_schema(operation_id="deliverability_domains", responses=SendingDomainsSerializer)
    def get(self, request: Request) -> Response:
        return Response(
            SendingDomainsSerializer({"domains": [_domain(each) for each in standing.domain_standings()]}).data
        )


def _domain(each: DomainStanding) -> dict[str, Any]:
    row = each.domain
    return {
        "name": row.name,
        "step": None if row.tier is None else row.tier + 1,
        "goal_per_day": None if row.tier is None else row.goal_per_day,
        "per_day": each.per_day,
        "used_today": each.used,
        "waiting": each.waiting,
        "reason": row.tier_reason,
        "needs": each.needs,
        "is_paused": each.stop is not None,
        "signs": row.signs,
        "checked_at": row.checked_at,
        "checks": row.report,
        "broken": row.broken,
    }


class Pauses(ApiView):
    """Domains and campaigns whose marketing stands still, and what to do about it."""

    resource = "delivery"

    @extend_schema(operation_id="deliverability_pauses", responses=SendingPausesSerializer)
    def get(self, request: Request) -> Response:
        pauses = [
            {
                **{
                    name: getattr(stop.pause, name)
                    for name in ("scope", "target", "measure", "sent", "bad", "reason")
                },
                "advice": stop.advice,
                "paused_at": stop.pause.paused_at,
                "recovers_at": stop.recovers_at,
            }
            for stop in standing.stops()
        ]
        return Response(SendingPausesSerializer({"pauses": pauses}).data)


class Plan(ApiView):
    """The calendar for a new domain: how many mails on which day, and what to watch."""

    resource = "delivery"

    @extend_schema(
        operation_id="deliverability_plan",
        parameters=[OpenApiParameter("volume", int, required=True, description="Mails a day in the end.")],
        responses=WarmupPlanSerializer,
    )
    def get(self, request: Request) -> Response:
        text = request.query_params.get("volume", "")
        goal = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0
        if not warmup.TIERS[0].per_day < goal <= warmup.MOST_PER_DAY:
            sentence = f"Write a number from {warmup.TIERS[0].per_day + 1} to {warmup.MOST_PER_DAY}."
            raise Invalid("The volume is wrong.", details={"volume": sentence})
        days = [asdict(day) for day in warmup.plan(goal, lanes.today(clock.now()).date)]
        return Response(WarmupPlanSerializer({"days": days}).data)
