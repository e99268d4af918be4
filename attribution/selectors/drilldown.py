"""The filter behind every figure: which rows of which list it was made of."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse

from common.periods import Period


@dataclass(frozen=True)
class Rows:
    """The rows of a figure: a list of the admin with its filter, and the same over the API ("" where it has none)."""

    admin: str
    api: str = ""


def conversions(period: Period, goal_id: int | None = None, **filters: object) -> Rows:
    """Conversions that totals count in a period, e.g. `campaign=3, model="linear"`; of revenue goals, or of one."""
    filters["counted"] = goal_id if goal_id is not None else "revenue"
    query = {"happened_after": _text(period.starts_at), "happened_before": _text(period.ends_at), **_said(filters)}
    admin = {"happened_at__gte": query["happened_after"], "happened_at__lt": query["happened_before"]}
    admin |= _said(filters)
    return Rows(
        admin=f"{reverse('admin:attribution_conversion_changelist')}?{urlencode(admin)}",
        api=f"{reverse('attribution-conversion-list')}?{urlencode(query)}",
    )


def touchpoints(period: Period, **filters: object) -> Rows:
    query = {"happened_after": _text(period.starts_at), "happened_before": _text(period.ends_at), **_said(filters)}
    admin = {"happened_at__gte": query["happened_after"], "happened_at__lt": query["happened_before"]}
    names = {"campaign": "campaign__id__exact", "channel": "channel__exact"}
    admin |= {names[name]: value for name, value in _said(filters).items() if name in names}
    return Rows(
        admin=f"{reverse('admin:attribution_touchpoint_changelist')}?{urlencode(admin)}",
        api=f"{reverse('attribution-touchpoint-list')}?{urlencode(query)}",
    )


def costs(period: Period, campaign_id: int) -> Rows:
    query = {"day__gte": period.first_day, "day__lte": period.last_day, "campaign__id__exact": campaign_id}
    api = {"day_after": period.first_day, "day_before": period.last_day, "campaign": campaign_id}
    return Rows(
        admin=f"{reverse('admin:attribution_cost_changelist')}?{urlencode(query)}",
        api=f"{reverse('attribution-cost-list')}?{urlencode(api)}",
    )


def messages(period: Period, campaign_id: int) -> Rows:
    """The messages of a campaign that were sent in a period."""
    query = {
        "source_type__exact": "campaign",
        "source_id": campaign_id,
        "sent_at__gte": _text(period.starts_at),
        "sent_at__lt": _text(period.ends_at),
    }
    return Rows(admin=f"{reverse('admin:delivery_message_changelist')}?{urlencode(query)}")


def _said(filters: dict[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in filters.items() if value not in (None, "")}


def _text(moment: object) -> str:
    return str(moment).replace(" ", "T").replace("+00:00", "Z")
