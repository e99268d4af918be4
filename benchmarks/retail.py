"""A real year of a shop, and whom each automatic campaign must find in it: told once more by plain Python.

The raw lines are read from ../shared/data/retail (UCI Online Retail). What is mapped: an invoice of a known customer
that is no cancellation is an `order_completed` at its minute (UTC); its total is the sum of quantity × price in GBP;
its place is the line's country; a line's category is the first word of CATEGORIES in its description. Nothing of the
product is used to count.
"""

from __future__ import annotations

import csv
import gzip
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

FILE = Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "retail" / "online_retail.csv.gz"
CATEGORIES = (
    "CHRISTMAS", "BAG", "MUG", "CAKE", "CANDLE", "T-LIGHT", "LANTERN", "LIGHT", "HEART", "CARD", "CLOCK",
    "SIGN", "TIN", "BOX", "BOTTLE", "FRAME", "CUSHION", "GARDEN", "NECKLACE", "PAPER", "RETROSPOT",
)  # fmt: skip
WINDOW = timedelta(days=90)
CURRENCY = "GBP"
VIP_SPENT, LOYAL, NEW, PLACES, QUIET_DAYS = Decimal(5000), 20, 5, 2, 30


@dataclass
class Order:
    customer: str
    at: datetime
    country: str
    total: Decimal = Decimal(0)
    categories: set[str] = field(default_factory=set)


def orders(keep: int | None = None) -> list[Order]:
    """Every order of a known customer, oldest first; `keep` of a hundred customers, by the end of their number."""
    found: dict[str, Order] = {}
    with gzip.open(FILE, "rt", encoding="utf-8") as file:
        for number, _, name, quantity, at, price, customer, country in _rows(file):
            if not customer or number.startswith("C") or (keep and int(float(customer)) % 100 >= keep):
                continue
            order = found.get(number)
            if order is None:
                moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
                order = found[number] = Order(str(int(float(customer))), moment, country)
            order.total += int(quantity) * Decimal(price)
            if category := _category(name):
                order.categories.add(category)
    return sorted(found.values(), key=lambda order: (order.at, order.customer))


def _rows(file: Iterable[str]) -> Iterator[list[str]]:
    rows = csv.reader(file)
    next(rows)
    return rows


def _category(name: str) -> str:
    words = name.upper().split()
    return next((known for known in CATEGORIES if known in words), "")


def expected(history: Iterable[Order], now: datetime) -> dict[str, set[str]]:
    """Preset → the customers it must find at `now`, with the thresholds it begins with."""
    theirs: dict[str, list[Order]] = defaultdict(list)
    for order in history:
        if now - WINDOW < order.at <= now:
            theirs[order.customer].append(order)
    return {
        "vip_rewards": {who for who, made in theirs.items() if sum(order.total for order in made) >= VIP_SPENT},
        "loyalty_bonus": {who for who, made in theirs.items() if len(made) >= LOYAL},
        "location_promo": {who for who, made in theirs.items() if len({order.country for order in made}) <= PLACES},
        "re_engagement": {
            who for who, made in theirs.items() if max(order.at for order in made) <= now - timedelta(days=QUIET_DAYS)
        },
        "welcome_bonus": {who for who, made in theirs.items() if len(made) < NEW},
        "milestone_reward": {who for who, made in theirs.items() if _is_growing(made, now)},
        "category_focus": {who for who, made in theirs.items() if any(order.categories for order in made)},
    }


def _is_growing(made: list[Order], now: datetime) -> bool:
    spent = [Decimal(0)] * 3
    for order in made:
        spent[min(2, (now - order.at) // (WINDOW / 3))] += order.total
    newest, middle, oldest = spent
    return 0 < oldest < middle < newest


def favourites(history: Iterable[Order], now: datetime) -> dict[str, str]:
    """Customer → the category of most orders; of those the one whose orders are worth most; then by the alphabet."""
    times: dict[str, Counter[str]] = defaultdict(Counter)
    worth: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for order in history:
        if now - WINDOW < order.at <= now:
            times[order.customer].update(order.categories)
            for category in order.categories:
                worth[order.customer, category] += order.total
    return {
        who: min(counts, key=lambda name: (-counts[name], -worth[who, name], name))
        for who, counts in times.items()
        if counts
    }


PEOPLE_SQL = """
INSERT INTO audience_contact
  (organization_id, name, user_id, country, first_seen_at, last_seen_at, created_at, updated_at)
SELECT %(organization)s, customer, customer, country, first_at, first_at, first_at, first_at
FROM unnest(%(customers)s::text[], %(countries)s::text[], %(first)s::timestamptz[])
     row(customer, country, first_at)"""
EVENTS_SQL = """
INSERT INTO audience_event
  (organization_id, contact_id, definition_id, message_key, happened_at, received_at, properties)
SELECT %(organization)s, contact.id, %(definition)s, gen_random_uuid(), at, at,
       jsonb_build_object('total', total, 'currency', %(currency)s::text, 'country', row.country, 'lines',
         (SELECT coalesce(jsonb_agg(jsonb_build_object('category', word)), '[]')
          FROM unnest(string_to_array(categories, '|')) word WHERE word <> ''))
FROM unnest(%(customers)s::text[], %(at)s::timestamptz[], %(totals)s::numeric[], %(countries)s::text[],
            %(categories)s::text[]) row(customer, at, total, country, categories)
JOIN audience_contact contact ON contact.user_id = row.customer AND contact.organization_id = %(organization)s"""


def load(history: list[Order]) -> None:
    """Write the orders as events of contacts, into the organisation at hand."""
    from django.db import connection

    from audience.models import EventDefinition
    from audience.services import partitions
    from common import tenancy

    kinds = {"total": "number", "currency": "text", "country": "text", "lines": "list"}
    row, _ = EventDefinition.objects.get_or_create(name="order_completed", defaults={"properties": kinds})
    first: dict[str, Order] = {}
    for order in history:
        first.setdefault(order.customer, order)
    values: dict[str, Any] = {"organization": tenancy.required(), "definition": row.pk, "currency": CURRENCY}
    with tenancy.engine(), connection.cursor() as cursor:
        partitions.ensure_months(sorted({order.at.replace(day=1) for order in history}))
        cursor.execute(PEOPLE_SQL, values | {
            "customers": list(first), "countries": [order.country for order in first.values()],
            "first": [order.at for order in first.values()],
        })  # fmt: skip
        cursor.execute("ANALYZE audience_contact")
        cursor.execute(EVENTS_SQL, values | {
            "customers": [order.customer for order in history], "at": [order.at for order in history],
            "totals": [order.total for order in history], "countries": [order.country for order in history],
            "categories": ["|".join(sorted(order.categories)) for order in history],
        })  # fmt: skip
        cursor.execute("ANALYZE audience_event")
