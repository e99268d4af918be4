"""What things cost, one amount per day, campaign and channel."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TextIO

from django.db import transaction

from accounts import audit
from attribution.domain.channels import Channel
from attribution.models import Cost
from attribution.services.conversions import currency as organization_currency
from campaigns.models import Campaign
from common import money
from common.errors import Invalid, NotFound

COLUMNS = ("day", "campaign", "channel", "amount", "currency", "note")
NEEDED = {"day", "amount"}
MOST_ROWS = 100_000
MOST_MINOR = 10**15


@dataclass(frozen=True)
class CostDraft:
    """A cost to store. Empty campaign and channel: of everything. `currency` "": the organisation's."""

    day: date
    amount_minor: int
    campaign_id: int | None = None
    channel: str = ""
    currency: str = ""
    note: str = ""


@dataclass
class ImportReport:
    """What an import did: rows stored, and what was wrong with others (line → sentence)."""

    stored: int = 0
    wrong: dict[int, str] = field(default_factory=dict)


def save_cost(draft: CostDraft) -> Cost:
    """Store a cost in the place of one for the same day, campaign, channel and currency.

    Raises `Invalid`, `NotFound`.
    """
    _check(draft)
    note = draft.note[:200]
    with transaction.atomic():
        key = _key(draft)
        cost = Cost.objects.filter(**key).select_for_update().first()
        if cost is None:
            cost = Cost.objects.create(**key, amount_minor=draft.amount_minor, note=note)
            audit.created(cost)
            return cost
        with audit.changing(cost):
            cost.amount_minor, cost.note = draft.amount_minor, note
            cost.save(update_fields=["amount_minor", "note"])
    return cost


def change_cost(cost: Cost, draft: CostDraft) -> Cost:
    """Change a stored cost. Raises `Invalid` when another stands for that day, campaign and channel."""
    _check(draft)
    key = _key(draft)
    if Cost.objects.filter(**key).exclude(pk=cost.pk).exists():
        raise Invalid("There is a cost for this day, campaign and channel already; change that one.")
    with transaction.atomic(), audit.changing(cost):
        for name, value in {**key, "amount_minor": draft.amount_minor, "note": draft.note[:200]}.items():
            setattr(cost, name, value)
        cost.save()
    return cost


def delete_cost(cost: Cost) -> None:
    with transaction.atomic():
        audit.deleted(cost)
        cost.delete()


def import_costs(file: TextIO, *, dry_run: bool = False) -> ImportReport:
    """Read a CSV with the columns day, amount and if wanted campaign (id, tag or name), channel, currency, note.

    All rows are stored or, when any is wrong, none. The same file twice changes nothing.
    """
    try:
        return _import(csv.DictReader(file), dry_run)
    except (UnicodeDecodeError, csv.Error) as error:
        raise Invalid(f"The file is not a CSV in UTF-8: {error}.") from error


def _import(reader: csv.DictReader[str], dry_run: bool) -> ImportReport:
    names = {name.strip().lower() for name in reader.fieldnames or []}
    if missing := sorted(NEEDED - names):
        raise Invalid(f"The file lacks the column {missing[0]}; it needs day and amount, separated by commas.")
    if unknown := sorted(names - set(COLUMNS)):
        raise Invalid(f'The column "{unknown[0]}" is unknown; there are {", ".join(COLUMNS)}.')
    report, drafts = _read(reader)
    if report.wrong or dry_run:
        return report
    with transaction.atomic():
        for draft in drafts:
            save_cost(draft)
    return report


def _read(reader: csv.DictReader[str]) -> tuple[ImportReport, list[CostDraft]]:
    report, drafts = ImportReport(), []
    campaigns, currency = _campaigns_by_name(), organization_currency()
    for line, row in enumerate(_plain(reader), start=2):
        if line > MOST_ROWS + 1:
            raise Invalid(f"The file has more than {MOST_ROWS} rows; split it.")
        try:
            draft = _draft(row, campaigns, currency)
            _check(draft)
            drafts.append(draft)
        except (Invalid, NotFound) as error:
            report.wrong[line] = error.message
    report.stored = len(drafts)
    return report, drafts


def _plain(reader: csv.DictReader[str]) -> Iterable[dict[str, str]]:
    for row in reader:
        yield {str(name).strip().lower(): str(value or "").strip() for name, value in row.items() if name}


def _draft(row: dict[str, str], campaigns: dict[str, int], currency: str) -> CostDraft:
    try:
        day = date.fromisoformat(row["day"])
    except ValueError:
        raise Invalid(f'"{row["day"]}" is not a day; write it like 2027-01-31.') from None
    named = row.get("campaign", "").lower()
    if named and named not in campaigns:
        raise Invalid(f'There is no campaign "{row["campaign"]}" here; name it by id, tag or name.')
    used = (row.get("currency") or currency).upper()
    return CostDraft(
        day=day,
        amount_minor=money.to_minor(row["amount"].replace(",", ""), used),
        campaign_id=campaigns.get(named) if named else None,
        channel=row.get("channel", "").lower().replace(" ", "_"),
        currency=used,
        note=row.get("note", ""),
    )


def _campaigns_by_name() -> dict[str, int]:
    """Campaign ids by id, tag and name, in lower case; the newest of a name counts."""
    rows = list(Campaign.objects.order_by("pk").values_list("pk", "utm_campaign", "name"))
    by_name = {name.lower(): pk for pk, _, name in rows}
    by_tag = {tag.lower(): pk for pk, tag, _ in rows if tag}
    return by_name | by_tag | {str(pk): pk for pk, _, _ in rows}


def _check(draft: CostDraft) -> None:
    wrong = {}
    if not 0 <= draft.amount_minor <= MOST_MINOR:
        wrong["amount_minor"] = "An amount is zero or more."
    if draft.channel and draft.channel not in set(Channel):
        wrong["channel"] = f'"{draft.channel}" is not a channel; known: {", ".join(Channel)}.'
    if draft.currency and not (len(draft.currency) == 3 and draft.currency.isascii() and draft.currency.isalpha()):
        wrong["currency"] = "A currency is three letters, like GBP."
    if wrong:
        raise Invalid(" ".join(wrong.values()), details=wrong)
    if draft.campaign_id is not None and not Campaign.objects.filter(pk=draft.campaign_id).exists():
        raise NotFound("There is no such campaign.", details={"campaign_id": "There is no such campaign."})


def _key(draft: CostDraft) -> dict[str, Any]:
    return {
        "day": draft.day,
        "campaign_id": draft.campaign_id,
        "channel": draft.channel,
        "currency": (draft.currency or organization_currency()).upper(),
    }
