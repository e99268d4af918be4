"""Recent customers, read from their transactions in one pass: what a purchase is, is what segments mean by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

from common import tenancy
from segments.patterns import meaning
from segments.patterns.facts import AMOUNT, CURRENCY, Currency, home, main_currency
from segments.patterns.meaning import Meaning
from segments.rules import catalogue
from segments.rules.operands import of_contact
from segments.rules.parameters import Parameters
from segments.rules.tree import Kind

# Where a transaction says it took place, best first; else the place of the contact is looked at.
PLACES = ("location", "store", "store_id", "branch", "shop", "city", "region", "country")
LONGEST = 200  # what a category may be called at most

# Plan: event_by_definition, the range of the window in the partitions of its months, once; everything after this
# reads the temporary table.
BOUGHT_SQL = """
CREATE TEMPORARY TABLE bought ON COMMIT DROP AS
SELECT event.contact_id, event.happened_at, {amount} AS amount, {currency} AS currency,
       {place} AS place, {categories} AS categories
FROM audience_event event
WHERE event.organization_id = %(organization)s AND event.definition_id = %(definition)s
  AND event.happened_at > %(since)s AND event.happened_at <= %(now)s"""
CURRENCIES_SQL = "SELECT currency, count(*) FROM bought WHERE amount IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1"
IN_LINES = """ARRAY(
    SELECT DISTINCT left(line ->> %(category)s, {longest}) FROM jsonb_array_elements(
      CASE WHEN jsonb_typeof(event.properties -> %(lines)s) = 'array' THEN event.properties -> %(lines)s END) line
    WHERE jsonb_typeof(line) = 'object' AND jsonb_typeof(line -> %(category)s) = 'string')"""
PLAINLY = """CASE WHEN jsonb_typeof(event.properties -> %(category)s) = 'string'
    THEN ARRAY[left(event.properties ->> %(category)s, {longest})] END"""
# Plan: two hash aggregates over `bought`, people by place first; a third by category; joined by hash.
CUSTOMER_SQL = """
CREATE TEMPORARY TABLE customer ON COMMIT DROP AS
WITH visited AS (
  SELECT contact_id, place, count(*) AS times, max(happened_at) AS last_at, sum(amount) AS spent,
         sum(amount) FILTER (WHERE happened_at > %(newest)s) AS newest,
         sum(amount) FILTER (WHERE happened_at > %(middle)s AND happened_at <= %(newest)s) AS middle,
         sum(amount) FILTER (WHERE happened_at <= %(middle)s) AS oldest
  FROM (SELECT contact_id, place, happened_at,
               CASE WHEN %(any_currency)s OR currency IS NOT DISTINCT FROM %(currency)s THEN amount END AS amount
        FROM bought) sale
  GROUP BY contact_id, place),
person AS (
  SELECT contact_id, sum(times)::bigint AS transactions, max(last_at) AS last_at, coalesce(sum(spent), 0) AS spent,
         count(*) FILTER (WHERE place <> '') AS places, coalesce(sum(newest), 0) AS newest,
         coalesce(sum(middle), 0) AS middle, coalesce(sum(oldest), 0) AS oldest
  FROM visited GROUP BY contact_id),
favourite AS (
  SELECT DISTINCT ON (contact_id) contact_id, category FROM (
    SELECT contact_id, category, count(*) AS times, sum(amount) AS worth
    FROM bought CROSS JOIN LATERAL unnest(categories) category WHERE category <> '' GROUP BY 1, 2) tally
  ORDER BY contact_id, times DESC, worth DESC NULLS LAST, category COLLATE "C")
SELECT person.contact_id, transactions, last_at, spent, {places} AS locations, newest, middle, oldest,
       favourite.category AS favourite
FROM person
JOIN audience_contact contact ON contact.id = person.contact_id AND contact.organization_id = %(organization)s
 AND contact.merged_into_id IS NULL
LEFT JOIN favourite ON favourite.contact_id = person.contact_id"""
COUNTS_SQL = "SELECT count(*), coalesce(sum(transactions), 0)::bigint, coalesce(sum(spent), 0) FROM customer"


@dataclass(frozen=True)
class Read:
    """What an analysis rests on: `place` and `category` are names of properties or fields, empty where none."""

    event: str
    money: str
    place: str
    category: str
    window_days: int
    since: datetime
    until: datetime
    currency: str
    note: str
    customers: int = 0
    transactions: int = 0
    spent: Decimal = Decimal(0)

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {
            "since": self.since.isoformat(), "until": self.until.isoformat(), "spent": str(self.spent),
        }  # fmt: skip


def gather(now: datetime) -> Read | str:
    """Make the table `customer` of this transaction: a row for each living contact with a purchase in the window.

    Answers with a sentence instead where nothing says what a purchase is.
    """
    known = catalogue.load()
    said = meaning.load(known)
    if said.definition_id is None:
        return "No event here looks like a purchase; say in the pattern settings which one is."
    place = _place_property(list(known.events[said.purchase_event].properties.items()))
    values = _values(said, place, now)
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bought, customer")
        cursor.execute("SET LOCAL work_mem = '128MB'; SET LOCAL jit = off")
        cursor.execute(_bought(said, place), values)
        cursor.execute("ANALYZE bought")
        cursor.execute(CURRENCIES_SQL)
        currency, any_currency, code = main_currency(cursor.fetchall(), home())
        values |= {"any_currency": any_currency, "currency": code}
        cursor.execute(*_customer(said, place, values))
        cursor.execute("ANALYZE customer")
        cursor.execute(COUNTS_SQL)
        return _read(said, place or said.location_field, currency, values, cursor.fetchone())


def _values(said: Meaning, place: str, now: datetime) -> dict[str, Any]:
    days = said.window_days
    return {
        "organization": tenancy.required(), "definition": said.definition_id, "money": said.money_property,
        "place": place, "category": said.category_property or said.product_property, "lines": said.lines_property,
        "now": now, "since": now - timedelta(days=days),
        "middle": now - timedelta(days=days) * 2 / 3, "newest": now - timedelta(days=days) / 3,
    }  # fmt: skip


def _place_property(properties: Sequence[tuple[str, Kind]]) -> str:
    texts = {name.lower(): name for name, kind in properties if kind is Kind.TEXT}
    return next((texts[word] for word in PLACES if word in texts), "")


def _bought(said: Meaning, place: str) -> str:
    categories = "NULL::text[]"
    if said.category_property or said.product_property:
        categories = (IN_LINES if said.lines_property else PLAINLY).format(longest=LONGEST)
    return BOUGHT_SQL.format(
        amount=AMOUNT if said.money_property else "NULL::numeric",
        currency=CURRENCY if said.money_property else "NULL::text",
        place="coalesce(event.properties ->> %(place)s, '')" if place else "''::text",
        categories=categories,
    )


def _customer(said: Meaning, place: str, values: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    places = "places"
    if not place and said.location_field:
        parameters = Parameters(organization=tenancy.required(), now=values["now"])
        places = f"({of_contact(said.location_field, Kind.TEXT, parameters).presence})::int"
        values = values | parameters.values
    return CUSTOMER_SQL.format(places=places), values


def _read(
    said: Meaning, place: str, currency: Currency, values: dict[str, Any], counts: tuple[int, int, Decimal]
) -> Read:
    return Read(
        said.purchase_event, said.money_property, place, values["category"], said.window_days, values["since"],
        values["now"], currency.code, currency.note, *counts,
    )  # fmt: skip
