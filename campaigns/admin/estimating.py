"""The live part of the campaign's form: whom it reaches and what will come of it, while somebody chooses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from campaigns import selectors
from campaigns.admin import forecasts
from campaigns.models import Campaign, EmailTemplate
from campaigns.selectors import Chosen
from campaigns.selectors.launching import overlaps

MOST_ROWS = 200
MOST_HOURS = 8760


@dataclass(frozen=True)
class Draft:
    """What stands in the form now, as far as it makes sense."""

    campaign: Campaign
    chosen: Chosen
    has_offers: bool


def read(data: Mapping[str, Any], stored: Campaign | None) -> Draft:
    """A form as it is typed; what is no number counts as empty. Nothing is written."""
    campaign = Campaign(
        pk=stored.pk if stored is not None else None,
        template=EmailTemplate.objects.filter(pk=_number(data.get("template"))).first(),
        topic_id=_number(data.get("topic")),
        shelf_hours=_within(_number(data.get("shelf_hours")), MOST_HOURS),
        holdout_percent=_percent(data.get("holdout_percent")),
        starts_at=stored.starts_at if stored is not None else None,
    )
    rows = [(pk, out) for pk, out in _segments(data) if pk is not None]
    chosen = Chosen([pk for pk, out in rows if not out], [pk for pk, out in rows if out])
    return Draft(campaign, chosen, any(True for _ in _rows(data, "offers", "kind")))


def context(draft: Draft) -> dict[str, Any]:
    """What the part shows."""
    if not draft.chosen.include:
        return {"is_empty": True}
    preview = selectors.audience_preview(draft.campaign, draft.chosen)
    made = selectors.forecast(draft.campaign, preview, draft.chosen, has_offers=draft.has_offers)
    return {
        "preview": preview,
        "foreseen": forecasts.shown(made),
        "record": selectors.track_record(before=draft.campaign if draft.campaign.pk else None),
        "overlaps": overlaps(draft.campaign, draft.chosen),
    }


def _segments(data: Mapping[str, Any]) -> list[tuple[int | None, bool]]:
    return [(_number(row["segment"]), bool(row.get("is_excluded"))) for row in _rows(data, "audience", "segment")]


def _rows(data: Mapping[str, Any], prefix: str, needed: str) -> list[dict[str, Any]]:
    """Rows of a formset that are filled in and not taken away."""
    count = _within(_number(data.get(f"{prefix}-TOTAL_FORMS")), MOST_ROWS) or 0
    names = (needed, "is_excluded", "DELETE")
    rows = [{name: data.get(f"{prefix}-{index}-{name}") for name in names} for index in range(count)]
    return [row for row in rows if row[needed] and not row["DELETE"]]


def _number(text: Any) -> int | None:
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 19 else None


def _within(number: int | None, most: int) -> int | None:
    return min(number, most) if number else None


def _percent(text: Any) -> Decimal:
    try:
        value = Decimal(str(text or 0))
    except InvalidOperation:
        return Decimal(0)
    return min(max(value, Decimal(0)), Decimal(50)) if value.is_finite() else Decimal(0)
