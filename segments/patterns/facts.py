"""Purchases and buyers of an organisation as two tables of the work's transaction, made by two statements."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from accounts.models import Organization
from common import clock, money, tenancy
from segments.patterns import leaves
from segments.patterns.meaning import Meaning
from segments.rules.operands import number_of

YEAR = 365
# An amount of money is read as a rule reads it: a number, a text that is one, or nothing.
READ = number_of("(event.properties -> %(money)s)", "(event.properties ->> %(money)s)")
# No business sells for 10^15.
AMOUNT = f"(SELECT CASE WHEN abs(amount) < 1e15 THEN amount END FROM (SELECT {READ} AS amount) money_read)"
CURRENCY = "nullif(event.properties ->> 'currency', '')"

CURRENCIES_SQL = f"""
SELECT {CURRENCY}, count(*) FROM audience_event event
WHERE event.organization_id = %(organization)s AND event.definition_id = %(definition)s
  AND event.happened_at <= %(now)s AND {AMOUNT} IS NOT NULL
GROUP BY 1 ORDER BY 2 DESC, 1"""
# Plan: one pass over event_by_definition joined to living contacts; a gap under a day is the same visit.
PURCHASES_SQL = f"""
CREATE TEMPORARY TABLE purchase ON COMMIT DROP AS
SELECT event.contact_id, event.happened_at,
       CASE WHEN %(any_currency)s OR {CURRENCY} IS NOT DISTINCT FROM %(currency)s
            THEN {AMOUNT} END AS amount,
       event.happened_at - lag(event.happened_at) OVER byperson AS gap,
       row_number() OVER byperson AS number
FROM audience_event event
JOIN audience_contact contact ON contact.id = event.contact_id AND contact.organization_id = %(organization)s
 AND contact.merged_into_id IS NULL
WHERE event.organization_id = %(organization)s AND event.definition_id = %(definition)s
  AND event.happened_at <= %(now)s
WINDOW byperson AS (PARTITION BY event.contact_id ORDER BY event.happened_at, event.id)"""
BUYERS_SQL = """
CREATE TEMPORARY TABLE buyer ON COMMIT DROP AS
SELECT contact_id, min(happened_at) AS first_at, max(happened_at) AS last_at, count(*) AS ever,
       max(happened_at) FILTER (WHERE number = 2) AS second_at,
       count(*) FILTER (WHERE happened_at > %(now)s - %(window)s * interval '1 day') AS recent,
       sum(amount) FILTER (WHERE happened_at > %(now)s - %(window)s * interval '1 day') AS spent,
       count(*) FILTER (WHERE happened_at > %(now)s - interval '365 days') AS year,
       sum(amount) FILTER (WHERE happened_at > %(now)s - interval '365 days') AS spent_year
FROM purchase GROUP BY contact_id"""
COUNTS_SQL = """
SELECT (SELECT count(*) FROM audience_contact WHERE organization_id = %(organization)s AND merged_into_id IS NULL),
       count(*), coalesce(sum(ever), 0)::bigint, count(*) FILTER (WHERE recent > 0), min(first_at) FROM buyer"""


@dataclass(frozen=True)
class Currency:
    """The currency that amounts are summed in. `filters` keep others out, where there are others."""

    code: str
    filters: tuple[dict[str, Any], ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Facts:
    """Counts, and a way to ask the tables `purchase` and `buyer` of the present transaction."""

    meaning: Meaning
    now: datetime
    currency: Currency
    contacts: int
    buyers: int
    purchases: int
    recent_buyers: int
    first_at: datetime | None

    def one(self, sql: str, **parameters: Any) -> tuple[Any, ...]:
        """The only row of a statement."""
        return self.all(sql, **parameters)[0]

    def all(self, sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """Rows of a statement; `organization`, `definition`, `now` and `window` are bound."""
        with tenancy.engine(), connection.cursor() as cursor:
            cursor.execute(sql, _bound(self.meaning, self.now) | parameters)
            return list(cursor.fetchall())

    def amount(self, value: Decimal | float) -> str:
        """Money as people read it."""
        return money.show(money.to_minor(value, self.currency.code), self.currency.code)


def gather(meaning: Meaning) -> Facts:
    """Make both tables; inside a transaction, which drops them at its end."""
    now = clock.now()
    bound = _bound(meaning, now)
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(CURRENCIES_SQL, bound)
        currency, any_currency, code = main_currency(cursor.fetchall(), home())
        cursor.execute("DROP TABLE IF EXISTS purchase, buyer")
        cursor.execute("SET LOCAL work_mem = '64MB'; SET LOCAL jit = off")
        cursor.execute(PURCHASES_SQL, bound | {"any_currency": any_currency, "currency": code})
        cursor.execute(BUYERS_SQL, bound)
        cursor.execute("ANALYZE purchase; ANALYZE buyer")
        cursor.execute(COUNTS_SQL, bound)
        contacts, buyers, purchases, recent_buyers, first_at = cursor.fetchone()
    return Facts(meaning, now, currency, contacts, buyers, purchases, recent_buyers, first_at)


def _bound(meaning: Meaning, now: datetime) -> dict[str, Any]:
    return {
        "organization": tenancy.required(),
        "definition": meaning.definition_id,
        "money": meaning.money_property,
        "now": now,
        "window": meaning.window_days,
    }


def home() -> str:
    """The organisation's own currency."""
    return Organization.objects.get(pk=tenancy.required()).currency


def main_currency(found: Sequence[tuple[Any, ...]], home: str) -> tuple[Currency, bool, str | None]:
    """The currency of most purchases; whether there is but one; and how events name it.

    `found` are rows of how events name it and how many do, most first.
    """
    if len(found) < 2:
        return Currency(_code(found[0][0] if found else None, home)), True, None
    named, count = found[0]
    others = sum(row[1] for row in found[1:])
    condition = leaves.where("currency", "not_set") if named is None else leaves.where("currency", "equals", named)
    note = (
        f"Amounts are those in {_code(named, home)} ({count:,} purchases); "
        f"{others:,} in {_listed([_code(row[0], home) for row in found[1:]])} are left out of sums."
    )
    return Currency(_code(named, home), (condition,), note), False, named


def _code(named: str | None, home: str) -> str:
    """A currency code that can be shown; whatever else an event says is not one."""
    return named.upper() if named and len(named) == 3 and named.isascii() and named.isalpha() else home


def _listed(codes: Sequence[str]) -> str:
    shown = sorted(set(codes))[:5]
    return ", ".join(shown) + (" and others" if len(set(codes)) > len(shown) else "")


def whole_days(span: float | Decimal) -> int:
    """Days of a rule's window that hold `span` days: at least one."""
    return max(1, math.ceil(span))


def floored(amount: Decimal) -> float:
    """A threshold in hundredths, never above the amount: whoever has exactly that is in."""
    hundredths = math.floor(Decimal(amount) * 100)
    return hundredths // 100 if hundredths % 100 == 0 else hundredths / 100
