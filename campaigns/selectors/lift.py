"""What a campaign caused: people it reached beside those held out by chance, in conversions and in money."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from accounts.models import Organization
from campaigns.models import Campaign
from common import clock, money, tenancy
from delivery.models import SourceType
from delivery.services.policy import sentences
from experiments.domain import comparison, estimates
from experiments.domain.comparison import Difference
from experiments.domain.moments import Moments
from segments.patterns import meaning

MEASURED_DAYS = 28  # a campaign without an end is measured for so long
BEFORE_DAYS = 90  # what people spent before says much about what they spend: CUPED
LEAST_EACH = 30  # people in each group before the intervals can be trusted
FEW = 50_000  # up to so many people are looked up one by one
# What delivery asks before it draws who is held out.
STOPPED = (
    sentences.ERASED, sentences.MERGED, sentences.NO_ADDRESS, sentences.NO_PHONE, sentences.NO_DEVICE,
    sentences.SUPPRESSED, sentences.EXPIRED, sentences.WITHDRAWN, sentences.UNCONFIRMED, sentences.NO_CONSENT,
)  # fmt: skip

# The people of the analysis (or of a filter): drawn when they were found.
FOUND = """
SELECT contact_id, bool_or(is_held_out) AS is_held FROM campaigns_target
WHERE organization_id = %(organization)s AND campaign_id = %(campaign)s GROUP BY contact_id"""
# A broadcast's: drawn when their message's turn came, after all that stops a message at any time, so whoever was
# stopped by that is in neither group. Plan: messages_by_source, once.
SENT = """
SELECT message.contact_id, bool_or(message.reason = %(held_out)s) AS is_held FROM delivery_message message
WHERE message.organization_id = %(organization)s AND message.source_type = %(source_type)s
  AND message.source_id = %(campaign)s
  AND message.status IN ('sending', 'sent', 'uncertain', 'failed', 'refused')
  AND NOT (message.status = 'refused' AND message.reason = ANY(%(stopped)s)) GROUP BY message.contact_id"""
AMOUNT = "CASE WHEN event.currency = %(currency)s THEN event.value_minor ELSE 0 END"
WITHIN = """event.organization_id = %(organization)s AND event.definition_id = %(purchase)s
      AND event.happened_at > %(before)s AND event.happened_at <= %(until)s"""
COLUMNS = f"""
    (count(*) FILTER (WHERE event.happened_at > %(since)s) > 0)::int AS bought,
    coalesce(sum({AMOUNT}) FILTER (WHERE event.happened_at > %(since)s), 0) AS spent,
    (count(*) FILTER (WHERE event.happened_at <= %(since)s) > 0)::int AS bought_before,
    coalesce(sum({AMOUNT}) FILTER (WHERE event.happened_at <= %(since)s), 0) AS spent_before"""
# Plan: event_by_contact, a range for each of a few people.
ONE_BY_ONE = f"""
CROSS JOIN LATERAL (SELECT {COLUMNS} FROM audience_event event
    WHERE event.contact_id = person.contact_id AND {WITHIN}) AS did"""
# Plan: event_by_definition, the range of the two spans once, hashed by contact.
ALTOGETHER = f"""
LEFT JOIN (SELECT event.contact_id, {COLUMNS} FROM audience_event event WHERE {WITHIN} GROUP BY 1) AS did
       ON did.contact_id = person.contact_id"""
SUMS_SQL = """
WITH person AS MATERIALIZED ({people})
SELECT person.is_held, count(*),
       sum(bought), sum(bought_before), sum(bought * bought_before),
       sum(spent), sum(spent * spent), sum(spent_before), sum(spent_before * spent_before), sum(spent * spent_before)
FROM person {did} GROUP BY 1"""


@dataclass(frozen=True)
class Lift:
    """Treated beside held out, from `since` to `until`. Intervals hold however often one looks.

    `conversion` is a difference of shares, `money` of minor units a person (treated less held out); None while
    there are too few people. `incremental_*` is what the campaign brought in all, in minor units.
    """

    treated_count: int
    held_out_count: int
    since: datetime | None
    until: datetime | None
    currency: str
    sentence: str
    what_now: str
    treated_rate: float | None = None
    held_out_rate: float | None = None
    treated_each_minor: float | None = None
    held_out_each_minor: float | None = None
    conversion: Difference | None = None
    money: Difference | None = None
    incremental_minor: int | None = None
    incremental_low_minor: int | None = None
    incremental_high_minor: int | None = None


@dataclass(frozen=True)
class _Group:
    bought: Moments
    spent: Moments


def lift(campaign: Campaign) -> Lift:
    """What a campaign that began caused so far, by its holdout; two queries, counted at this moment."""
    currency = Organization.objects.get(pk=tenancy.required()).currency
    purchase = meaning.load().definition_id
    if campaign.starts_at is None or campaign.starts_at > clock.now():
        return _nothing(currency, "The campaign has not begun.", "Its effect shows when people have had time to buy.")
    if purchase is None:
        return _nothing(currency, "No event here looks like a purchase.", "Say in the pattern settings which one is.")
    since, until = campaign.starts_at, _until(campaign)
    groups = _groups(campaign, purchase, currency, since, until)
    treated, held = groups.get(False), groups.get(True)
    if held is None or treated is None:
        return _nothing(
            currency, "Nobody was held out, so what the campaign caused cannot be told from what would have come.",
            "Hold some people out of the next one.",
        )  # fmt: skip
    if min(treated.spent.n, held.spent.n) < LEAST_EACH:
        said = f"{treated.spent.n:,} people beside {held.spent.n:,} held out are too few to compare."
        return Lift(treated.spent.n, held.spent.n, since, until, currency, said, f"{LEAST_EACH} in each are needed.")
    return _compared(treated, held, since, until, currency)


def _nothing(currency: str, sentence: str, what_now: str) -> Lift:
    return Lift(0, 0, None, None, currency, sentence, what_now)


def _until(campaign: Campaign) -> datetime:
    assert campaign.starts_at is not None
    end = campaign.ends_at or campaign.starts_at + timedelta(days=MEASURED_DAYS)
    return min(end, clock.now())


def _groups(campaign: Campaign, purchase: int, currency: str, since: datetime, until: datetime) -> dict[bool, _Group]:
    is_drawn = campaign.targets.filter(is_held_out=True).exists()
    count = sum(campaign.runs.values_list("target_count", flat=True))
    values: dict[str, Any] = {
        "organization": tenancy.required(), "campaign": campaign.pk, "purchase": purchase, "currency": currency,
        "since": since, "until": until, "before": since - timedelta(days=BEFORE_DAYS),
        "held_out": sentences.HELD_OUT, "stopped": list(STOPPED), "source_type": SourceType.CAMPAIGN.value,
    }  # fmt: skip
    statement = SUMS_SQL.format(people=FOUND if is_drawn else SENT, did=ONE_BY_ONE if count <= FEW else ALTOGETHER)
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(statement, values)
        return {row[0]: _group([int(value or 0) for value in row[1:]]) for row in cursor.fetchall()}


def _group(sums: list[int]) -> _Group:
    n, bought, before, both, *spent = sums
    return _Group(Moments(n, bought, bought, before, before, both), Moments(n, *spent))


def _compared(treated: _Group, held: _Group, since: datetime, until: datetime, currency: str) -> Lift:
    conversion = _difference(held.bought, treated.bought)
    spent = _difference(held.spent, treated.spent)
    n = treated.spent.n
    whole, low, high = (round(n * value) for value in (spent.value, spent.low, spent.high))
    sentence, what_now = _said(spent, whole, low, high, currency)
    return Lift(
        n, held.spent.n, since, until, currency, sentence, what_now,
        treated.bought.mean, held.bought.mean, treated.spent.mean, held.spent.mean,
        conversion, spent, whole, low, high,
    )  # fmt: skip


def _difference(held: Moments, treated: Moments) -> Difference:
    control, treatment = estimates.adjusted([held, treated])
    return comparison.absolute_at_any_time(control, treatment)


def _said(spent: Difference, whole: int, low: int, high: int, currency: str) -> tuple[str, str]:
    each, between = money.show(abs(round(spent.value)), currency), _between(low, high, currency)
    if not spent.is_significant:
        return (
            f"So far no difference can be told from chance: between {between} in all.",
            "Give it time, or hold more people out of the next one; until then do not count on an effect.",
        )
    more = "more" if spent.value > 0 else "less"
    said = f"People it reached spent {each} {more} each than those held out: {money.show(whole, currency)} in all"
    advice = "It earns money: let it run, and do it again." if spent.value > 0 else "It costs money: end it."
    return f"{said}, between {between}.", advice


def _between(low: int, high: int, currency: str) -> str:
    return f"{money.show(low, currency)} and {money.show(high, currency)}"
