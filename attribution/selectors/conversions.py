"""Narrowing lists of conversions to the rows behind a figure."""

from __future__ import annotations

from collections.abc import Mapping

from django.db.models import Exists, OuterRef, QuerySet

from attribution.models import Conversion, Credit
from attribution.selectors.sums import organization_currency

REVENUE = "revenue"
CREDITED_BY = {
    "model": "model",
    "campaign": "touchpoint__campaign_id",
    "channel": "touchpoint__channel",
    "campaign_name": "touchpoint__campaign_name",
}


def narrow(queryset: QuerySet[Conversion], words: Mapping[str, str]) -> QuerySet[Conversion]:
    """Conversions credited as `words` say (model, campaign, channel, campaign_name: all of one credit),
    `unattributed`, and `counted` in totals ("revenue", or a goal's id). Unknown words narrow nothing; a number
    that is none matches nothing.
    """
    credited = {CREDITED_BY[name]: words[name] for name in CREDITED_BY if words.get(name)}
    if (
        not words.get("campaign", "0").isdecimal()
        or not words.get("counted", REVENUE).replace(REVENUE, "0").isdecimal()
    ):
        return queryset.none()
    if credited:
        queryset = queryset.filter(Exists(Credit.objects.filter(conversion=OuterRef("pk"), **credited)))
    if words.get("unattributed") in ("true", "false"):
        found = Exists(Credit.objects.filter(conversion=OuterRef("pk")))
        queryset = queryset.exclude(found) if words["unattributed"] == "true" else queryset.filter(found)
    if counted := words.get("counted"):
        goal = {"goal__counts_as_revenue": True} if counted == REVENUE else {"goal_id": int(counted)}
        queryset = queryset.filter(currency=organization_currency(), **goal)
    return queryset
