"""The seven automatic campaigns: what an organisation begins with, how they are changed, and how they read."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db import transaction

from accounts import audit, versions
from accounts.models import Organization
from campaigns.domain.offers import Terms
from campaigns.models import AutoPreset, EmailTemplate, OfferKind, PresetKind
from common import money
from common.errors import Invalid

HOME_CURRENCY = "currency"  # stands for the organisation's own in DEFAULTS
VIP_SPENT = 5_000

# kind → what it begins with. To add one: a kind, a row here; conditions that are not named do not count.
DEFAULTS: dict[PresetKind, dict[str, Any]] = {
    PresetKind.VIP_REWARDS: {
        "offer_kind": OfferKind.CASHBACK, "offer_value": Decimal(5), "duration_days": 30,
    },
    PresetKind.LOYALTY_BONUS: {
        "least_transactions": 20,
        "offer_kind": OfferKind.POINTS, "offer_value": Decimal(10), "offer_unit": "points_per_unit",
        "duration_days": 60,
    },
    PresetKind.LOCATION_PROMO: {
        "most_locations": 2,
        "offer_kind": OfferKind.DISCOUNT, "offer_value": Decimal(15), "duration_days": 30,
    },
    PresetKind.RE_ENGAGEMENT: {
        "inactive_days": 30,
        "offer_kind": OfferKind.DISCOUNT, "offer_value": Decimal(20), "duration_days": 14,
    },
    PresetKind.WELCOME_BONUS: {
        "fewer_than_transactions": 5,
        "offer_kind": OfferKind.BONUS, "offer_value": Decimal(25), "duration_days": 21,
    },
    PresetKind.MILESTONE_REWARD: {
        "growth_percent": 0,
        "offer_kind": OfferKind.BONUS, "offer_value": Decimal(50), "offer_unit": HOME_CURRENCY, "duration_days": 90,
    },
    PresetKind.CATEGORY_FOCUS: {
        "is_for_favourite": True,
        "offer_kind": OfferKind.DISCOUNT, "offer_value": Decimal(10), "duration_days": 30,
    },
}  # fmt: skip
CONDITIONS = ("least_spent_minor", "least_transactions", "fewer_than_transactions", "most_locations",
              "inactive_days", "growth_percent", "is_for_favourite")  # fmt: skip
FIELDS = frozenset({
    "name", "policy", *CONDITIONS, "least_people", "offer_kind", "offer_value", "offer_unit", "duration_days",
    "holdout_percent", "template_id", "cooldown_days",
})  # fmt: skip


def presets() -> list[AutoPreset]:
    """All seven in their order; those the organisation does not have yet are made as they begin."""
    rows = {row.kind: row for row in AutoPreset.objects.select_related("template")}
    if missing := [kind for kind in DEFAULTS if kind not in rows]:
        currency = Organization.objects.get().currency
        AutoPreset.objects.bulk_create((_beginning(kind, currency) for kind in missing), ignore_conflicts=True)
        rows = {row.kind: row for row in AutoPreset.objects.select_related("template")}
    return [rows[kind] for kind in DEFAULTS]


def save_preset(preset: AutoPreset, changes: Mapping[str, Any], *, expected_version: int | None = None) -> AutoPreset:
    """Change whom a preset looks for or what it offers, from the next cycle on. Raises `Invalid`, `Conflict`."""
    if unknown := sorted(set(changes) - FIELDS):
        raise Invalid(f"A preset has no {', '.join(unknown)}.", details=dict.fromkeys(unknown, "Unknown field."))
    with transaction.atomic():
        held = versions.lock(AutoPreset, preset.pk)
        versions.check(held, expected_version)
        with audit.changing(held):
            versions.write(held, changes)
            _check(held)
    return held


def _check(preset: AutoPreset) -> None:
    wrong: dict[str, str] = {}
    least, fewer = preset.least_transactions, preset.fewer_than_transactions
    if least is not None and fewer is not None and fewer <= least:
        wrong["fewer_than_transactions"] = f"Nobody has {least:,} or more and fewer than {fewer:,}."
    if not any(getattr(preset, name) not in (None, False) for name in CONDITIONS):
        wrong["least_transactions"] = "Set at least one condition; without any it would be everybody."
    if preset.template_id and not EmailTemplate.objects.filter(pk=preset.template_id).exists():
        wrong["template_id"] = f"There is no template {preset.template_id}."
    wrong |= {f"offer_{name}": said for name, said in Terms.problems(_terms(preset)).items()}
    if wrong:
        raise Invalid("This automatic campaign cannot be kept so.", details=wrong)


def _terms(preset: AutoPreset) -> Terms:
    return Terms(preset.offer_kind, preset.offer_value, preset.offer_unit)


def _beginning(kind: PresetKind, currency: str) -> AutoPreset:
    values = {"offer_unit": "percent", **DEFAULTS[kind]}
    if values["offer_unit"] == HOME_CURRENCY:
        values["offer_unit"] = currency
    if kind == PresetKind.VIP_REWARDS:
        values["least_spent_minor"] = money.to_minor(VIP_SPENT, currency)
    return AutoPreset(kind=kind, name=kind.label, **values)


def conditions(preset: AutoPreset, currency: str, window_days: int) -> str:
    """Whom it looks for, in words: `Spent $5,000.00 or more in the last 90 days.`"""
    said = [sentence for name in CONDITIONS if (sentence := _condition(name, getattr(preset, name), currency))]
    whole = " and ".join(said)
    return f"{whole[:1].upper()}{whole[1:]}, in the last {window_days} days."


def _condition(name: str, value: Any, currency: str) -> str:
    if value is None or value is False:
        return ""
    match name:
        case "least_spent_minor":
            return f"spent {money.show(value, currency)} or more"
        case "least_transactions":
            return f"made {value:,} transactions or more"
        case "fewer_than_transactions":
            return f"made fewer than {value:,} transactions"
        case "most_locations":
            return "bought in one place" if value == 1 else f"bought in 1 to {value:,} places"
        case "inactive_days":
            return f"bought, but nothing for {value:,} days"
        case "growth_percent":
            return "spent more in each third than in the one before" + (f", by {value} % or more" if value else "")
        case _:
            return "have a favourite category"


def offer(preset: AutoPreset) -> str:
    """What it offers, in words: `5 % cashback for 30 days`."""
    about = " on the favourite category" if preset.is_for_favourite else ""
    return f"{_terms(preset).sentence}{about} for {preset.duration_days} days"
