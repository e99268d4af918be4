"""What means what in an organisation: the purchase, its money and products, the place. Said, or else detected."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from audience.message_events import MessageEvent, names_of
from common import tenancy
from segments.models import PatternSettings
from segments.rules import catalogue
from segments.rules.catalogue import Catalogue, KnownEvent
from segments.rules.tree import Kind

# Best first, as words of a name: `Order Completed`, `orderCompleted` and `order_completed` are the same here.
PURCHASES = ("order_completed", "purchase", "purchase_completed", "transaction", "transaction_completed",
             "payment_succeeded", "payment_completed", "order_paid", "order_placed", "checkout_completed",
             "invoice_paid", "subscription_paid")  # fmt: skip
AMOUNTS = ("total", "revenue", "amount", "value", "price")
LINES = ("lines", "products", "items", "line_items", "lineitems")
PRODUCTS = ("name", "product_name", "product", "title", "sku", "product_id", "id")
CATEGORIES = ("category", "product_category", "category_name", "department")
PLACES = ("city", "region", "country")
# What we do to people is no behaviour of theirs: whom a campaign chose would stand out by having been chosen.
OURS = (*names_of(MessageEvent.SENT), *names_of(MessageEvent.BOUNCED))
LEAST_COVERED = 0.5  # a place that fewer contacts have says little about them

# The youngest events are enough to see what stands in their lines. Plan: event_by_definition, backwards.
KEYS_SQL = """
SELECT DISTINCT jsonb_object_keys(line) FROM (
  SELECT event.properties -> %(lines)s AS lines FROM audience_event event
  WHERE event.organization_id = %(organization)s AND event.definition_id = %(definition)s
  ORDER BY event.happened_at DESC LIMIT 200) recent
CROSS JOIN LATERAL jsonb_array_elements(CASE WHEN jsonb_typeof(lines) = 'array' THEN lines ELSE '[]' END) line
WHERE jsonb_typeof(line) = 'object'"""
COVERED_SQL = """
SELECT count(*), {counts} FROM audience_contact contact
WHERE contact.organization_id = %(organization)s AND contact.merged_into_id IS NULL"""


@dataclass(frozen=True)
class Meaning:
    """Names as they stand in events and contacts; empty where there is no such thing."""

    purchase_event: str = ""
    definition_id: int | None = None
    money_property: str = ""
    lines_property: str = ""
    product_property: str = ""
    category_property: str = ""
    location_field: str = ""
    goal_event: str = ""
    window_days: int = 90
    top_percent: int = 10

    def as_json(self) -> dict[str, Any]:
        names = ("purchase_event", "money_property", "lines_property", "product_property", "category_property",
                 "location_field", "goal_event", "window_days", "top_percent")  # fmt: skip
        return {name: getattr(self, name) for name in names}


def load(known: Catalogue | None = None) -> Meaning:
    """The organisation's settings, with whatever is left empty detected from its catalogue."""
    known = known or catalogue.load()
    return _filled(PatternSettings.objects.first() or PatternSettings(), known)


def detected(known: Catalogue | None = None) -> Meaning:
    """What would hold if nobody had said anything."""
    return _filled(PatternSettings(), known or catalogue.load())


def purchase_event(known: Catalogue) -> str:
    """What a purchase is called here; empty when nobody said so and no event has a telling name."""
    said = PatternSettings.objects.values_list("purchase_event", flat=True).first()
    return said or _purchase(known)


def _filled(said: PatternSettings, known: Catalogue) -> Meaning:
    name = said.purchase_event or _purchase(known)
    event = known.events.get(name)
    properties = dict(event.properties) if event else {}
    lines = said.lines_property or _first(LINES, _of_kind(properties, Kind.LIST))
    inside = _keys_in_lines(event, lines) if event and lines else [*_of_kind(properties, Kind.TEXT)]
    return Meaning(
        purchase_event=name,
        definition_id=event.definition_id if event else None,
        money_property=said.money_property or _money(properties),
        lines_property=lines,
        product_property=said.product_property or _first(PRODUCTS, inside),
        category_property=said.category_property or _first(CATEGORIES, inside),
        location_field=said.location_field or _place(),
        goal_event=said.goal_event or name,
        window_days=said.window_days,
        top_percent=said.top_percent,
    )


def _money(properties: dict[str, Kind]) -> str:
    """A number before a text: many clients send amounts as "19.90"."""
    return _first(AMOUNTS, _of_kind(properties, Kind.NUMBER)) or _first(AMOUNTS, _of_kind(properties, Kind.TEXT))


def _purchase(known: Catalogue) -> str:
    """The event with the most telling name; among strangers none, for a wrong guess misleads."""
    return _first(PURCHASES, sorted(known.events))


def _first(wanted: Sequence[str], names: Iterable[str]) -> str:
    by_words = {_words(name): name for name in names}
    return next((by_words[_words(word)] for word in wanted if _words(word) in by_words), "")


def _words(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _of_kind(properties: dict[str, Kind], kind: Kind) -> list[str]:
    return [name for name, found in properties.items() if found is kind]


def _keys_in_lines(event: KnownEvent, lines: str) -> list[str]:
    values: dict[str, Any] = {"organization": tenancy.required(), "definition": event.definition_id, "lines": lines}
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(KEYS_SQL, values)
        return sorted(row[0] for row in cursor.fetchall())


def _place() -> str:
    """The finest place that most contacts have and that tells them apart."""
    counts = ", ".join(
        f"count(*) FILTER (WHERE contact.{name} <> ''), count(DISTINCT nullif(contact.{name}, ''))" for name in PLACES
    )
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(COVERED_SQL.format(counts=counts), {"organization": tenancy.required()})
        everybody, *found = cursor.fetchone()
    for name, covered, different in zip(PLACES, found[::2], found[1::2], strict=True):
        if covered and covered >= LEAST_COVERED * everybody and different > 1:
            return name
    return ""
